//! The network as a picture: its blocks from left to right, the freeze boundary, a padlock and lamps for
//! each block.

use eframe::egui::{
    Align2, CursorIcon, EventFilter, Id, Key, Modifiers, Rect, Response, Role, Sense, Shape,
    Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2,
};

use super::blocks::{Lamp, Network, Picture, Track};
use super::words;
use crate::command::Command;
use crate::model::Mode;
use crate::state::{Base, State};
use crate::theme::{self, sizes, text};
use crate::views::Show;
use crate::views::parts::{self, Cut, Tip as _};

/// The height of the whole picture.
pub fn height() -> f32 {
    let rows = sizes::DIAGRAM_TITLE + sizes::KNOB_ROW + sizes::BLOCK + 3.0 * sizes::LAMP_ROW;
    rows + 2.0 * sizes::S2
}

/// The picture in its card.
pub fn diagram_ui(ui: &mut Ui, show: &mut Show<'_>, rect: Rect) {
    let palette = theme::palette(ui);
    parts::card(ui.painter(), rect, palette);
    let state = show.state;
    let Some(base) = &state.opened.base else {
        return;
    };
    let network = network(state, base);
    let mut cut = Cut(rect.shrink2(vec2(sizes::S4, sizes::S2)));
    let title = cut.top(sizes::DIAGRAM_TITLE);
    let lines = words::network_lines(
        &network,
        state.settings.call,
        state.semantics(),
        base.rows.len(),
    );
    let lines = if parts::is_figure(ui) {
        lines.map(|line| words::in_a_figure(&line).to_owned())
    } else {
        lines
    };
    parts::row_ui(ui, title, |ui| {
        parts::label_ui(ui, text::strong(words::NETWORK));
        ui.add_space(sizes::S2);
        parts::fitting_line_ui(ui, &lines, palette);
    });
    let inner = cut.0;
    let knobs = cut.top(sizes::KNOB_ROW);
    let row = cut.top(sizes::BLOCK);
    let lamps = [0; 3].map(|_| cut.top(sizes::LAMP_ROW));
    let left = inner.left() + sizes::LAMP_LABEL;
    for (label, row) in words::lamp_labels(state.semantics()).into_iter().zip(lamps) {
        let at = pos2(inner.left(), row.center().y);
        let painter = ui.painter();
        painter.text(at, Align2::LEFT_CENTER, label, text::small(), palette.muted);
    }
    let places = places(row.with_min_x(left), network.blocks.len());
    let blocks = network.blocks.iter();
    let names: Vec<String> = blocks.map(|p| words::block_name(&p.block)).collect();
    for (place, (picture, rect)) in network.blocks.iter().zip(&places).enumerate() {
        block_ui(ui, show, picture, &names, place, *rect);
        let all = [picture.weights, picture.statistics, picture.draws];
        for (lamp, row) in all.into_iter().zip(lamps) {
            lamp_ui(ui, lamp, pos2(rect.center().x, row.center().y));
        }
    }
    let movable = network.blocks.iter().zip(&places);
    let movable = movable.filter_map(|(picture, rect)| {
        let counted = picture.block.counted.clone()?;
        Some(([rect.left(), rect.right()], counted))
    });
    let track = Track::new(movable.collect());
    if network.len > 0 {
        let height = knobs.top()..=lamps[2].bottom();
        boundary_ui(ui, show, &network, &track, knobs, height);
    }
}

/// What the picture shows now.
fn network(state: &State, base: &Base) -> Network {
    let settings = &state.settings;
    Network::of(
        base,
        settings.call,
        state.semantics(),
        settings.random,
        settings.fine_tune_from,
    )
}

/// The rectangles of the blocks: of one width, with a gap between.
fn places(row: Rect, count: usize) -> Vec<Rect> {
    let width = row.width() / count.max(1) as f32;
    let place = |i: usize| {
        let left = row.left() + i as f32 * width;
        let right = left + width;
        let gap = sizes::PICTURE_GAP;
        Rect::from_x_y_ranges(left + gap..=right - gap, row.y_range())
    };
    (0..count).map(place).collect()
}

/// A block with its name and its padlock; a click on the padlock freezes the block or frees it.
fn block_ui(
    ui: &Ui,
    show: &mut Show<'_>,
    picture: &Picture,
    names: &[String],
    place: usize,
    rect: Rect,
) {
    let palette = theme::palette(ui);
    let semantics = show.state.semantics();
    let learns = picture.weights.on > 0;
    let [fill, line] = if learns {
        [palette.training.band, palette.training.ink]
    } else {
        [palette.panel, palette.strong_line]
    };
    let painter = ui.painter();
    let stroke = Stroke::new(sizes::LINE, line);
    painter.rect(
        rect,
        sizes::CONTROL_RADIUS,
        fill,
        stroke,
        StrokeKind::Inside,
    );
    let name = &names[place];
    let top = Rect::from_min_size(rect.min, vec2(rect.width(), rect.height() / 2.0));
    let room = rect.width() - 2.0 * sizes::LINE;
    let width = |text: &str| {
        let laid_out = painter.layout_no_wrap(text.to_owned(), text::tiny(), palette.ink);
        laid_out.size().x
    };
    let short = words::short_names(name, names)
        .into_iter()
        .find(|text| width(text) <= room);
    if let Some(short) = short {
        let center = top.center();
        painter.text(
            center,
            Align2::CENTER_CENTER,
            short,
            text::tiny(),
            palette.ink,
        );
    }
    let id: Id = ui.scope_id().with(("block", place));
    let has_weights = picture.frozen.all > 0;
    let sense = if has_weights {
        Sense::click()
    } else {
        Sense::hover()
    };
    let response = ui.interact(rect, id, sense);
    let would_freeze = picture.would_freeze();
    let words = words::block_words(picture, name, semantics);
    response.widget_info(|| {
        if has_weights {
            let label = words::frozen_block(name);
            WidgetInfo::selected(Role::CheckBox, true, !would_freeze, label)
        } else {
            WidgetInfo::labeled(Role::Label, true, name)
        }
    });
    parts::describe(ui, &response, &words);
    if has_weights {
        let center = pos2(rect.center().x, rect.bottom() - rect.height() * 0.28);
        let ink = if response.hovered() {
            palette.ink
        } else {
            palette.muted
        };
        parts::padlock(painter, center, sizes::PADLOCK, !would_freeze, ink);
    }
    parts::focus_ring(ui, &response, rect);
    if response.clicked() && has_weights {
        let layers = picture.block.layers.clone();
        show.push(Command::SetLayersTrainable(layers, !would_freeze));
    }
    let layers = picture.block.layers.iter();
    let names = show.state.opened.base.as_ref().map(|base| {
        let graph = &base.model.graph;
        let names: Vec<&str> = layers.map(|&id| graph.layers[id].name.as_str()).collect();
        words::layer_names(&names)
    });
    response.tip(format!("{words}\n{}", names.unwrap_or_default()));
}

/// Filled where all or some layers do it, hollow where none does; nothing where there are none.
fn lamp_ui(ui: &Ui, lamp: Lamp, center: eframe::egui::Pos2) {
    let palette = theme::palette(ui);
    if lamp.all == 0 {
        return;
    }
    if lamp.on == 0 {
        parts::mark(ui.painter(), center, sizes::LAMP, Mode::Inference, palette);
    } else if lamp.on == lamp.all {
        parts::mark(ui.painter(), center, sizes::LAMP, Mode::Training, palette);
    } else {
        // Some of them: a ring around a small filled mark.
        let stroke = Stroke::new(sizes::LINE, palette.training.ink);
        let painter = ui.painter();
        painter.circle_stroke(center, sizes::LAMP / 2.0, stroke);
        parts::mark(painter, center, sizes::SMALL_LAMP, Mode::Training, palette);
    }
}

/// The line between frozen and other layers: dragged, or moved by the arrow keys.
fn boundary_ui(
    ui: &mut Ui,
    show: &mut Show<'_>,
    network: &Network,
    track: &Track,
    knobs: Rect,
    height: std::ops::RangeInclusive<f32>,
) {
    let palette = theme::palette(ui);
    let x = track.x_of(network.boundary).round();
    let line = Rect::from_x_y_ranges(x..=x, height);
    let knob = vec2(2.0 * sizes::KNOB, sizes::KNOB_ROW);
    let knob = Rect::from_center_size(pos2(x, knobs.center().y), knob);
    let id = ui.scope_id().with("freeze boundary");
    let response = ui.interact(knob, id, Sense::click_and_drag());
    // The line can be dragged too; the keyboard only needs the knob.
    let around = line.expand2(vec2(sizes::S1, 0.0)).with_min_y(knob.bottom());
    let on_line = ui.interact(around, id.with("line"), Sense::DRAG);
    let name = words::BOUNDARY;
    response.widget_info(|| WidgetInfo::slider(true, network.boundary as f64, name));
    parts::describe(
        ui,
        &response,
        &words::boundary_at(network.boundary, network.len),
    );
    let drags = response.dragged() || on_line.dragged();
    let active = response.hovered() || on_line.hovered() || drags || response.has_focus();
    let color = if active { palette.ink } else { palette.muted };
    let stroke = Stroke::new(sizes::ADVICE_STROKE, color);
    let ends = [line.center_top(), line.center_bottom()];
    if network.is_exact {
        ui.painter().line_segment(ends, stroke);
    } else {
        let dashes = Shape::dashed_line(&ends, stroke, sizes::DASH, sizes::DASH);
        ui.painter().extend(dashes);
    }
    let [left, right] = [-1.0, 1.0].map(|side: f32| {
        let tip = pos2(x + side * sizes::KNOB, knob.center().y);
        let half = sizes::KNOB / 2.0;
        let back = x + side * sizes::LINE * 2.0;
        vec![tip, pos2(back, tip.y - half), pos2(back, tip.y + half)]
    });
    for points in [left, right] {
        let arrow = Shape::convex_polygon(points, color, Stroke::NONE);
        ui.painter().add(arrow);
    }
    parts::focus_ring(ui, &response, knob);
    let asked = match parts::steps_asked(ui, &response, [0.0, network.len as f64]) {
        0 => None,
        steps => Some(network.next_block(steps > 0)),
    };
    let moved = arrows(ui, &response, network).or(asked).or_else(|| {
        let pointer = ui.ctx().pointer_interact_pos()?;
        drags.then(|| track.layer_at(pointer.x, sizes::BLOCK_SNAP))
    });
    if response.drag_started() || on_line.drag_started() {
        response.request_focus();
    }
    if let Some(to) = moved.filter(|&to| to != network.boundary || !network.is_exact) {
        show.push(Command::FreezeBefore(to));
    }
    on_line.on_hover_cursor(CursorIcon::ResizeHorizontal);
    let response = response.on_hover_cursor(CursorIcon::ResizeHorizontal);
    if !drags {
        response.tip(words::BOUNDARY_TIP);
    }
}

/// Where the arrow keys move the boundary: by a block, with Shift by a layer.
fn arrows(ui: &Ui, response: &Response, network: &Network) -> Option<usize> {
    if !response.has_focus() {
        return None;
    }
    let filter = EventFilter {
        horizontal_arrows: true,
        ..EventFilter::default()
    };
    ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
    let pressed = |modifiers, key| ui.input_mut(|i| i.consume_key(modifiers, key));
    let at = network.boundary;
    // Shift first: a plain key matches whatever modifiers are held.
    let keys = [
        (Modifiers::SHIFT, Key::ArrowLeft, at.saturating_sub(1)),
        (Modifiers::SHIFT, Key::ArrowRight, (at + 1).min(network.len)),
        (Modifiers::NONE, Key::ArrowLeft, network.next_block(false)),
        (Modifiers::NONE, Key::ArrowRight, network.next_block(true)),
        (Modifiers::NONE, Key::Home, 0),
        (Modifiers::NONE, Key::End, network.len),
    ];
    let mut keys = keys.into_iter();
    keys.find(|(modifiers, key, _)| pressed(*modifiers, *key))
        .map(|(_, _, to)| to)
}
