//! One line for each norm: what it reads in each mode, and how far its outputs are from each other.

use eframe::egui::{Align2, FontId, Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use super::{Compared, words};
use crate::model::Mode;
use crate::model::norms::{Norm, Reads};
use crate::theme::{self, Palette, sizes, text};
use crate::views::parts::{self, Cut};
use modelens_jobs::{NormRow, NormSide};

/// The height of the card.
pub fn height() -> f32 {
    2.0 * sizes::S2 + sizes::HEADER_BAND + Norm::ALL.len() as f32 * sizes::NORM_ROW
}

/// Left ends of the columns, as shares of the width.
const COLUMNS: [f32; 6] = [0.0, 0.215, 0.43, 0.645, 0.75, 0.865];

fn column(row: Rect, i: usize) -> Rect {
    let at = |share: f32| (row.left() + row.width() * share).floor();
    let right = COLUMNS.get(i + 1).map_or(row.right(), |&next| at(next));
    Rect::from_x_y_ranges(at(COLUMNS[i])..=right - sizes::S2, row.y_range())
}

pub fn table_ui(ui: &mut Ui, compared: &Compared<'_>, card: Rect) {
    let mut cut = Cut(card.shrink2(vec2(sizes::S4, sizes::S2)));
    head_ui(ui, compared, cut.top(sizes::HEADER_BAND));
    for row in &compared.outcome.rows {
        row_ui(ui, compared, row, cut.top(sizes::NORM_ROW));
    }
}

fn head_ui(ui: &mut Ui, compared: &Compared<'_>, row: Rect) {
    let palette = theme::palette(ui);
    let semantics = compared.outcome.semantics;
    for mode in Mode::BOTH {
        let [title, note] = words::head(mode, semantics);
        let rect = column(row, 1 + mode as usize);
        parts::heading_ui(ui, rect, mode, title, note);
    }
    let plain = [
        (0, words::NORM, String::new()),
        (3, words::STATE, String::new()),
        (4, words::MODES_DIFFER, String::new()),
        (
            5,
            words::FROM_INFERENCE,
            words::FROM_INFERENCE_NOTE.to_owned(),
        ),
    ];
    for (i, title, note) in plain {
        let lines = [title, &note];
        two_lines(
            ui,
            column(row, i),
            lines,
            text::small(),
            palette.muted,
            palette,
        );
    }
}

fn row_ui(ui: &mut Ui, compared: &Compared<'_>, row: &NormRow, rect: Rect) {
    let palette = theme::palette(ui);
    let line = rect.with_max_y(rect.top() + sizes::LINE);
    ui.painter().rect_filled(line, 0, palette.line);
    let outcome = compared.outcome;
    let [name, note] = words::name(row.norm, outcome);
    if row.norm == outcome.present {
        let band = rect
            .shrink2(vec2(0.0, sizes::LINE))
            .expand2(vec2(sizes::S1, 0.0));
        ui.painter()
            .rect_filled(band, sizes::CONTROL_RADIUS, palette.hover);
    }
    let ink = palette.ink;
    two_lines(
        ui,
        column(rect, 0),
        [&name, &note],
        text::semibold(),
        ink,
        palette,
    );
    for (mode, side) in row.sides() {
        side_ui(
            ui,
            compared,
            row.norm,
            mode,
            side,
            &name,
            column(rect, 1 + mode as usize),
        );
    }
    let rest = [
        (3, words::STATE, words::moves(row).to_owned()),
        (4, words::MODES_DIFFER, words::difference(row.between_modes)),
        (
            5,
            words::FROM_INFERENCE,
            words::difference(row.from_inference),
        ),
    ];
    for (i, head, value) in rest {
        let place = column(rect, i);
        two_lines(ui, place, [&value, ""], text::body(), ink, palette);
        name_cell(ui, place, &words::cell(&name, head, &value));
    }
}

/// What one norm reads in one mode, and its statistics for the chosen photo and channel.
fn side_ui(
    ui: &Ui,
    compared: &Compared<'_>,
    norm: Norm,
    mode: Mode,
    side: &NormSide,
    name: &str,
    rect: Rect,
) {
    let palette = theme::palette(ui);
    let reads = words::reads(side.reads, norm, compared.outcome);
    let used = words::used(side, compared.channel);
    let band = rect.shrink2(vec2(0.0, 2.0 * sizes::LINE));
    let (ink, inner) = if side.reads == Reads::Batch {
        let colors = palette.mode(Mode::Training);
        ui.painter()
            .rect_filled(band, sizes::CONTROL_RADIUS, colors.band);
        (colors.ink, rect.with_min_x(rect.left() + sizes::S2))
    } else {
        (palette.ink, rect)
    };
    two_lines(ui, inner, [&reads, &used], text::body(), ink, palette);
    let [head, _] = words::head(mode, compared.outcome.semantics);
    name_cell(
        ui,
        rect,
        &words::cell(name, head, &format!("{reads}, {used}")),
    );
}

/// A line, and a smaller one below it; a line alone is in the middle.
fn two_lines(
    ui: &Ui,
    rect: Rect,
    [first, second]: [&str; 2],
    font: FontId,
    ink: eframe::egui::Color32,
    palette: &Palette,
) {
    let painter = ui.painter().with_clip_rect(rect);
    let middle = rect.center().y;
    if second.is_empty() {
        let at = pos2(rect.left(), middle);
        painter.text(at, Align2::LEFT_CENTER, first, font, ink);
        return;
    }
    let above = pos2(rect.left(), middle);
    painter.text(above, Align2::LEFT_BOTTOM, first, font, ink);
    let below = pos2(rect.left(), middle + sizes::LINE);
    painter.text(below, Align2::LEFT_TOP, second, text::tiny(), palette.muted);
}

fn name_cell(ui: &Ui, rect: Rect, name: &str) {
    let id = ui.scope_id().with(("norm cell", name));
    let response = ui.interact(rect, id, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, name));
}
