//! Every BatchNorm layer at a glance: one bar each, whose height is the distance of this batch from
//! the file.

use eframe::egui;
use eframe::egui::{
    Align2, EventFilter, Key, Modifiers, Rect, Response, Sense, Stroke, StrokeKind, Ui, WidgetInfo,
    pos2, vec2,
};

use super::Shown;
use super::words;
use crate::command::Command;
use crate::model::LayerId;
use crate::theme::{self, Palette, sizes, text};
use crate::views::Show;
use crate::views::parts::Tip as _;
use crate::views::parts::{self, Cut};
use crate::words::common;
use crate::words::number::fixed;

/// One layer of the strip.
struct Bar {
    layer: LayerId,
    /// `None` while it is measured.
    distance: Option<f32>,
    uses_batch: bool,
}

/// What the bars mean.
pub const MEANING: &str = words::STRIP_TIP;

/// The card; a click on a bar, or the arrow keys on the focused strip, choose a layer.
pub fn strip_ui(ui: &mut Ui, show: &mut Show<'_>, shown: Option<&Shown<'_>>, room: Rect) {
    let palette = theme::palette(ui);
    parts::card(ui.painter(), room, palette);
    parts::note_plot(ui, words::ALL_LAYERS, room);
    let Some(shown) = shown else {
        return;
    };
    let walk = &show.state.walk;
    let bars: Vec<Bar> = shown
        .outcome
        .layers
        .iter()
        .map(|l| Bar {
            layer: l.layer,
            distance: l.distance.or_else(|| walk.distance(shown.pass, l.layer)),
            uses_batch: l.uses_batch,
        })
        .collect();
    let Some(chosen) = bars.iter().position(|bar| bar.layer == shown.layer) else {
        return;
    };
    let mut cut = Cut(room.shrink2(vec2(sizes::S4, sizes::S1)));
    let heading = cut.top(sizes::CAPTION);
    let area = cut.0;
    let response = ui.interact(area, ui.scope_id().with("strip"), Sense::click());
    let width = area.width() / bars.len().max(1) as f32;
    let under = |at: egui::Pos2| (((at.x - area.left()) / width) as usize).min(bars.len() - 1);
    let hovered = response.hover_pos().map(under);
    bars_ui(ui, area, &bars, chosen, hovered);
    heading_ui(ui, heading, shown, &bars, hovered.unwrap_or(chosen));
    let name = words::STRIP_NAME;
    let value = chosen as f64;
    response.widget_info(|| WidgetInfo::slider(true, value, name));
    parts::describe(ui, &response, &words(shown, &bars[chosen])[0]);
    parts::focus_ring(ui, &response, area);
    let last = bars.len().saturating_sub(1);
    let asked = parts::steps_asked(ui, &response, [0.0, last as f64]);
    let asked = chosen.saturating_add_signed(asked as isize).min(last);
    let moved = arrows(ui, &response, chosen, bars.len());
    if let Some(i) = moved.or((asked != chosen).then_some(asked)) {
        show.push(Command::ShowLayer(bars[i].layer));
    }
    let clicked = response.clicked();
    if let Some(i) = hovered {
        if clicked {
            response.request_focus();
            show.push(Command::ShowLayer(bars[i].layer));
        }
        response.tip_at_pointer(format!("{}\n{MEANING}", words(shown, &bars[i])[0]));
    }
}

/// The layer the arrow keys go to while the strip has the keyboard.
fn arrows(ui: &Ui, response: &Response, chosen: usize, len: usize) -> Option<usize> {
    if !response.has_focus() || len == 0 {
        return None;
    }
    let filter = EventFilter {
        horizontal_arrows: true,
        ..EventFilter::default()
    };
    ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
    let pressed = |key| ui.input_mut(|i| i.consume_key(Modifiers::NONE, key));
    let last = len - 1;
    let keys = [
        (Key::ArrowLeft, chosen.saturating_sub(1)),
        (Key::ArrowRight, (chosen + 1).min(last)),
        (Key::Home, 0),
        (Key::End, last),
    ];
    keys.into_iter()
        .find(|(key, _)| pressed(*key))
        .map(|(_, to)| to)
        .filter(|&to| to != chosen)
}

fn bars_ui(ui: &Ui, area: Rect, bars: &[Bar], chosen: usize, hovered: Option<usize>) {
    let palette = theme::palette(ui);
    let finite = bars.iter().filter_map(|bar| bar.distance);
    let top = finite
        .filter(|d| d.is_finite())
        .fold(f32::MIN_POSITIVE, f32::max);
    let width = area.width() / bars.len().max(1) as f32;
    let painter = ui.painter();
    for (i, bar) in bars.iter().enumerate() {
        let slot = Rect::from_x_y_ranges(
            area.left() + i as f32 * width..=area.left() + (i + 1) as f32 * width,
            area.y_range(),
        );
        if i == chosen || hovered == Some(i) {
            painter.rect_filled(slot, sizes::CHECKBOX_RADIUS, palette.hover);
        }
        let share = bar.distance.filter(|d| d.is_finite()).unwrap_or(0.0) / top;
        let height = (share * area.height()).max(sizes::LINE);
        let gap = (width * sizes::BAR_GAP).max(sizes::LINE);
        let shape = Rect::from_min_max(
            pos2(
                (slot.left() + gap).round(),
                (area.bottom() - height).round(),
            ),
            pos2((slot.right() - gap).round(), area.bottom()),
        );
        draw_bar(painter, shape, bar, palette);
        if i == chosen {
            let stroke = Stroke::new(sizes::FOCUS_STROKE, palette.ink);
            painter.rect_stroke(slot, sizes::CHECKBOX_RADIUS, stroke, StrokeKind::Inside);
        }
    }
    painter.hline(
        area.x_range(),
        area.bottom(),
        Stroke::new(sizes::LINE, palette.line),
    );
}

/// Filled if the layer normalises with the batch, hollow if with its stored statistics.
fn draw_bar(painter: &egui::Painter, shape: Rect, bar: &Bar, palette: &Palette) {
    if bar.distance.is_none() {
        let at = shape.center_bottom();
        painter.text(at, Align2::CENTER_BOTTOM, "·", text::tiny(), palette.faint);
    } else if bar.uses_batch {
        painter.rect_filled(shape, 0.0, palette.training.bar);
    } else {
        let stroke = Stroke::new(sizes::FOCUS_STROKE, palette.inference.bar);
        painter.rect_stroke(shape, 0.0, stroke, StrokeKind::Inside);
    }
}

/// What the card shows at the left, one layer in words at the right.
fn heading_ui(ui: &mut Ui, rect: Rect, shown: &Shown<'_>, bars: &[Bar], at: usize) {
    let palette = theme::palette(ui);
    let title = if parts::stacks(ui, rect.width() + 2.0 * sizes::S4) {
        words::strip_short_title(bars.len())
    } else {
        words::strip_title(bars.len())
    };
    let end = parts::row_ui(ui, rect, |ui| {
        parts::title_ui(ui, &title).tip(MEANING);
        ui.min_rect().right()
    });
    let rest = rect.with_min_x(end + sizes::S3);
    let layout = egui::Layout::right_to_left(egui::Align::Center);
    parts::inside_ui(ui, rest, layout, |ui| {
        parts::fitting_line_ui(ui, &words(shown, &bars[at]), palette)
    });
}

/// `block_13_project_BN: 0.23 sd, normalises with the batch`, and without what comes last.
fn words(shown: &Shown<'_>, bar: &Bar) -> [String; 2] {
    let name = &shown.base.model.graph.layers[bar.layer].name;
    let distance = match bar.distance {
        Some(distance) => common::deviations(&fixed(f64::from(distance), 2)),
        None => words::BEING_MEASURED.to_owned(),
    };
    let uses = words::training_statistics(bar.uses_batch);
    let short = format!("{name}: {distance}");
    [format!("{short}, {uses}"), short]
}
