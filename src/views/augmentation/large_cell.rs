//! One cell large: before and after on the same square, what was drawn, the transform.

use eframe::egui;
use eframe::egui::{
    EventFilter, Id, Layout, Rect, Role, ScrollArea, Sense, Shape, Stroke, Ui, WidgetInfo, pos2,
    vec2,
};

use super::words;
use super::{Shown, cells, target};
use crate::augment::geometry::photo_outline;
use crate::augment::{FillMode, Named as _};
use crate::command::PipelineCommand;
use crate::model::Mode;
use crate::state::CellPlace;
use crate::theme::{self, sizes, text};
use crate::views::parts::Cut;
use crate::views::parts::Tip as _;
use crate::views::{Show, parts};
use crate::words::common;
use crate::words::modes;
use crate::words::number::{measured, percent};
use modelens_jobs::GridCell;

/// How far a key moves the line, in widths of the picture.
pub const DIVIDER_STEP: f32 = 0.05;

/// The identity of the large picture, for the keyboard focus.
pub fn focus_id() -> Id {
    Id::unique("opened augmentation cell")
}

/// Draws the cell into the whole room.
pub fn large_cell_ui(
    ui: &mut Ui,
    show: &mut Show<'_>,
    shown: &Shown<'_>,
    place: CellPlace,
    room: Rect,
) {
    let all = shown.outcome.side(place.mode);
    let Some(cell) = all.get(place.index) else {
        // The grid has fewer cells now.
        show.push(PipelineCommand::Open(None));
        return;
    };
    let title = modes::mode_label(place.mode, shown.look.semantics);
    let stem = shown.stem(cell.photo);
    let note = words::opened_note(place.index + 1, all.len(), stem, &shown.caption(cell));
    let buttons = room.with_max_y(room.top() + sizes::HEADER_BAND);
    let rest = parts::column_ui(ui, room, place.mode, title, "");
    let left = parts::inside_ui(
        ui,
        buttons.shrink2(vec2(sizes::S3, 0.0)),
        Layout::right_to_left(egui::Align::Center),
        |ui| {
            buttons_ui(ui, show, place, !cell.draws.is_empty());
            ui.min_rect().left()
        },
    );
    let palette = theme::palette(ui);
    let title_width = ui
        .painter()
        .layout_no_wrap(title.to_owned(), text::semibold(), palette.ink)
        .size()
        .x;
    let from = buttons.left() + sizes::S4 + sizes::MARK + 2.0 * sizes::S2 + title_width;
    let line = buttons
        .with_min_x(from)
        .with_max_x((left - sizes::S2).max(from));
    parts::row_ui(ui, line, |ui| parts::line_ui(ui, text::note(note, palette)));
    let mut cut = Cut(rest.shrink(sizes::S4));
    let details = cut
        .0
        .with_min_x((cut.0.right() - sizes::DETAILS).max(cut.0.left()));
    cut.0.max.x = details.left() - sizes::S4;
    picture_ui(ui, show, shown, cell, place, cut.0);
    details_ui(ui, show, shown, cell, place, details);
}

/// `drawn`: whether there is something to draw again.
fn buttons_ui(ui: &mut Ui, show: &mut Show<'_>, place: CellPlace, drawn: bool) {
    if parts::is_figure(ui) {
        return;
    }
    ui.spacing_mut().interact_size.y = sizes::INPUT_ROW;
    let close = ui.button(common::CLOSE).tip(words::CLOSE_TIP);
    if close.clicked() {
        show.push(PipelineCommand::Open(None));
    }
    if drawn {
        let again = ui.button(words::DRAW_AGAIN);
        if again.tip(words::DRAW_AGAIN_TIP).clicked() {
            show.push(PipelineCommand::RedrawCell(place.index));
        }
    }
    for (name, left) in [(words::NEXT_IMAGE, false), (words::PREVIOUS_IMAGE, true)] {
        let step = if left { -1 } else { 1 };
        let arrow = parts::chevron_ui(ui, name, left, true);
        if arrow.tip(words::arrow_keys(name)).clicked() {
            show.push(PipelineCommand::StepCell(step));
        }
    }
}

/// The square with the original left of the line and the augmented image right of it.
fn picture_ui(
    ui: &mut Ui,
    show: &mut Show<'_>,
    shown: &Shown<'_>,
    cell: &GridCell,
    place: CellPlace,
    room: Rect,
) {
    let textures = match place.mode {
        Mode::Training => &shown.textures.training,
        Mode::Inference => &shown.textures.inference,
    };
    let (Some(after), Some(before)) = (
        textures.get(place.index),
        shown.textures.originals.get(place.index),
    ) else {
        return;
    };
    let mut room = Cut(room);
    let labels = room.bottom(sizes::CAPTION);
    let [height, width] = [cell.original.height, cell.original.width];
    let shape = vec2(width.max(1) as f32, height.max(1) as f32);
    let scale = (room.0.width() / shape.x).min(room.0.height() / shape.y);
    let frame = Rect::from_center_size(room.0.center(), shape * scale);
    let grid = &show.state.grid;
    let palette = theme::palette(ui);
    let colors = palette.mode(place.mode);
    let line_x = frame.left() + frame.width() * grid.divider;
    let inner = cells::fitted(frame, cell);
    let right = ui.painter().with_clip_rect(frame.with_min_x(line_x));
    let uv = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
    right.image(after.id(), inner, uv, theme::UNTINTED);
    if let Some((_, Some(fill))) = shown.textures.fill.as_ref().filter(|_| grid.show_fill) {
        right.image(fill.texture.id(), inner, uv, colors.tint());
    }
    let matrix = shown
        .look
        .pipeline
        .input_from_output(&cell.draws, height, width);
    if let Some(corners) = matrix.and_then(|m| photo_outline(&m, height, width)) {
        let on_screen =
            |[x, y]: [f64; 2]| frame.min + vec2((x + 0.5) as f32 * scale, (y + 0.5) as f32 * scale);
        let stroke = Stroke::new(sizes::CELL_RING, colors.ink);
        right.add(Shape::closed_line(corners.map(on_screen).to_vec(), stroke));
    }
    let left = ui.painter().with_clip_rect(frame.with_max_x(line_x));
    left.image(before.id(), frame, uv, theme::UNTINTED);
    divider_ui(ui, show, frame, line_x);
    let halves = labels.with_min_x(frame.left()).with_max_x(frame.right());
    parts::row_ui(ui, halves, |ui| {
        parts::label_ui(ui, text::note(common::BEFORE, palette))
    });
    let to_left = Layout::right_to_left(egui::Align::Center);
    parts::inside_ui(ui, halves, to_left, |ui| {
        parts::label_ui(ui, text::note(common::AFTER, palette))
    });
}

/// The line between before and after; it holds the keyboard focus while the cell is open.
fn divider_ui(ui: &mut Ui, show: &mut Show<'_>, frame: Rect, line_x: f32) {
    let palette = theme::palette(ui);
    let response = ui.interact(frame, focus_id(), Sense::click_and_drag());
    let value = f64::from(show.state.grid.divider);
    let name = words::LINE_BETWEEN;
    response.widget_info(|| WidgetInfo {
        value: Some(value),
        ..WidgetInfo::labeled(Role::Slider, true, name)
    });
    let asked = parts::steps_asked(ui, &response, [0.0, 1.0]);
    if asked != 0 {
        let at = show.state.grid.divider + asked as f32 * DIVIDER_STEP;
        show.push(PipelineCommand::SetDivider(at));
    }
    if response.has_focus() {
        // Arrows and Escape belong to the cell; see the window's keys.
        let filter = EventFilter {
            tab: false,
            horizontal_arrows: true,
            vertical_arrows: true,
            escape: true,
        };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(focus_id(), filter));
    }
    if response.clicked() {
        response.request_focus();
    }
    if response.dragged()
        && let Some(pointer) = response.interact_pointer_pos()
    {
        let at = (pointer.x - frame.left()) / frame.width().max(1.0);
        show.push(PipelineCommand::SetDivider(at));
    }
    let painter = ui.painter();
    let [wide, thin] = [sizes::CELL_RING + 2.0 * sizes::LINE, sizes::CELL_RING];
    painter.vline(line_x, frame.y_range(), Stroke::new(wide, palette.ink));
    painter.vline(line_x, frame.y_range(), Stroke::new(thin, palette.panel));
    let knob = pos2(line_x, frame.bottom() - sizes::S4);
    painter.circle(
        knob,
        sizes::RING,
        palette.panel,
        Stroke::new(sizes::LINE, palette.ink),
    );
    if response.has_focus() {
        let stroke = Stroke::new(sizes::FOCUS_STROKE, palette.inference.ink);
        painter.circle_stroke(knob, sizes::RING + sizes::CELL_RING, stroke);
    }
    response
        .on_hover_cursor(egui::CursorIcon::ResizeHorizontal)
        .tip(words::LINE_TIP);
}

fn details_ui(
    ui: &mut Ui,
    show: &mut Show<'_>,
    shown: &Shown<'_>,
    cell: &GridCell,
    place: CellPlace,
    room: Rect,
) {
    let palette = theme::palette(ui);
    parts::inside_ui(ui, room, Layout::default(), |ui| {
        let area = ScrollArea::vertical()
            .id_salt("opened details")
            .auto_shrink(false);
        area.show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = sizes::S1;
            ui.spacing_mut().interact_size.y = sizes::INPUT_ROW;
            parts::title_ui(ui, words::DRAWN_TITLE);
            let steps = cells::steps(&shown.look.pipeline, cell);
            if steps.is_empty() {
                parts::label_ui(ui, text::muted(words::NO_STEP_ON, palette));
            }
            for (class, words) in steps {
                ui.horizontal_wrapped(|ui| {
                    parts::label_ui(ui, text::muted(class, palette));
                    parts::wrapped_ui(ui, text::strong(words));
                });
            }
            let difference = cell.largest_difference.map_or_else(
                || words::now_pixels(cell.image.height, cell.image.width),
                |d| words::largest_difference(&measured(f64::from(d))),
            );
            parts::label_ui(ui, text::note(difference, palette));
            ui.add_space(sizes::S3);
            target_ui(ui, shown, cell);
            matrix_ui(ui, shown, cell);
            ui.add_space(sizes::S3);
            fill_ui(ui, show, shown, place);
        });
    });
}

/// The new label, if it was mixed, and what that does to the loss.
fn target_ui(ui: &mut Ui, shown: &Shown<'_>, cell: &GridCell) {
    let palette = theme::palette(ui);
    let target = target(shown.photos, cell);
    if target.len() < 2 {
        return;
    }
    parts::title_ui(ui, words::TARGET_TITLE);
    parts::wrapped_ui(ui, text::strong(words::target(&target)));
    parts::wrapped_ui(ui, text::note(words::target_loss(&target), palette));
    ui.add_space(sizes::S3);
}

fn matrix_ui(ui: &mut Ui, shown: &Shown<'_>, cell: &GridCell) {
    let palette = theme::palette(ui);
    parts::title_ui(ui, words::MATRIX_TITLE);
    let [height, width] = [cell.original.height, cell.original.width];
    let pipeline = &shown.look.pipeline;
    if let Some(matrix) = pipeline.input_from_output(&cell.draws, height, width) {
        let lines = cells::matrix_lines(&matrix).join("\n");
        let job = text::code_job(&lines, f32::INFINITY, palette);
        ui.add(egui::Label::new(job).selectable(true));
        let meaning = words::MATRIX_MEANING;
        parts::label_ui(ui, text::note(meaning, palette));
    } else {
        let why = words::NO_MATRIX;
        parts::label_ui(ui, text::note(why, palette));
    }
}

fn fill_ui(ui: &mut Ui, show: &mut Show<'_>, shown: &Shown<'_>, place: CellPlace) {
    let palette = theme::palette(ui);
    let on = shown.look.pipeline.steps.iter().filter(|step| step.on);
    let mut modes: Vec<FillMode> = Vec::new();
    for sampling in on.filter_map(|step| step.layer.transform.sampling()) {
        if !modes.contains(&sampling.fill_mode) {
            modes.push(sampling.fill_mode);
        }
    }
    if modes.is_empty() {
        return;
    }
    parts::title_ui(ui, words::FILL_MODE_TITLE);
    for mode in modes {
        ui.horizontal_wrapped(|ui| {
            parts::label_ui(ui, text::strong(mode.name()));
            parts::wrapped_ui(ui, text::muted(mode.meaning(), palette));
        });
    }
    let fill = shown
        .textures
        .fill
        .as_ref()
        .filter(|(known, _)| *known == place);
    if let Some((_, Some(fill))) = fill {
        let mut on = show.state.grid.show_fill;
        let name = words::SHOW_FILL;
        if parts::check_ui(ui, name, &mut on).changed() {
            show.push(PipelineCommand::ShowFill(on));
        }
        let share = words::painted(&percent(fill.share));
        parts::label_ui(ui, text::note(share, palette));
    }
}
