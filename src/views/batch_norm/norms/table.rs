//! One line for each norm: what it reads in each mode, and how far its outputs are from each other.

use std::sync::Arc;

use eframe::egui::text::{LayoutJob, TextWrapping};
use eframe::egui::{Color32, FontId, Galley, Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use super::{Compared, words};
use crate::model::Mode;
use crate::model::norms::{Norm, Reads};
use crate::theme::{self, sizes, text};
use crate::views::parts::{self, Cut};
use crate::words::modes::mode_label;
use modelens_jobs::{NormRow, NormSide};

/// The height of the card.
pub fn height() -> f32 {
    2.0 * sizes::S2 + sizes::HEADER_BAND + Norm::ALL.len() as f32 * sizes::NORM_ROW
}

/// Left ends of the columns, as shares of the width.
const COLUMNS: [f32; 6] = [0.0, 0.235, 0.44, 0.645, 0.745, 0.86];

fn column(row: Rect, i: usize) -> Rect {
    let at = |share: f32| (row.left() + row.width() * share).floor();
    let right = COLUMNS.get(i + 1).map_or(row.right(), |&next| at(next));
    Rect::from_x_y_ranges(at(COLUMNS[i])..=right - sizes::S1, row.y_range())
}

/// All norms, one below the other.
pub fn table_ui(ui: &mut Ui, compared: &Compared<'_>, card: Rect) {
    let mut cut = Cut(card.shrink2(vec2(sizes::S4, sizes::S2)));
    head_ui(ui, compared, cut.top(sizes::HEADER_BAND));
    for row in &compared.outcome.rows {
        row_ui(ui, compared, row, cut.top(sizes::NORM_ROW));
    }
}

fn head_ui(ui: &mut Ui, compared: &Compared<'_>, row: Rect) {
    let palette = theme::palette(ui);
    for mode in Mode::BOTH {
        let title = mode_label(mode, compared.outcome.semantics);
        parts::heading_ui(ui, column(row, 1 + mode as usize), mode, title, "");
    }
    let head = Line::new(text::small(), palette.muted);
    let plain: [(usize, &[&str], &[&str]); 4] = [
        (0, &[words::NORM], &[]),
        (3, &words::STATE, &[]),
        (4, &words::MODES_DIFFER, &[]),
        (5, &words::FROM_INFERENCE, &words::FROM_INFERENCE_NOTE),
    ];
    for (i, title, note) in plain {
        head.two(ui, column(row, i), title, note);
    }
}

fn row_ui(ui: &mut Ui, compared: &Compared<'_>, row: &NormRow, rect: Rect) {
    let palette = theme::palette(ui);
    let line = rect.with_max_y(rect.top() + sizes::LINE);
    ui.painter().rect_filled(line, 0, palette.line);
    let outcome = compared.outcome;
    let [name, note] = words::name(row.norm, outcome);
    if row.norm == outcome.present {
        let inner = rect.shrink2(vec2(0.0, sizes::LINE));
        let band = inner.expand2(vec2(sizes::S2, 0.0));
        ui.painter()
            .rect_filled(band, sizes::CONTROL_RADIUS, palette.hover);
    }
    let notes: &[&str] = if note.is_empty() { &[] } else { &[&note] };
    Line::new(text::semibold(), palette.ink).two(ui, column(rect, 0), &[&name], notes);
    for (mode, side) in row.sides() {
        let place = column(rect, 1 + mode as usize);
        side_ui(ui, compared, row.norm, side, place);
        let reads = &words::reads(side.reads, row.norm, outcome)[0];
        let used = &words::used(side, compared.channel)[0];
        let head = mode_label(mode, outcome.semantics);
        name_cell(
            ui,
            place,
            &words::cell(&name, head, &format!("{reads}, {used}")),
        );
    }
    let rest = [
        (3, words::STATE[0], words::moves(row).to_owned()),
        (
            4,
            words::MODES_DIFFER[0],
            words::difference(row.between_modes),
        ),
        (
            5,
            words::FROM_INFERENCE[0],
            words::difference(row.from_inference),
        ),
    ];
    for (i, head, value) in rest {
        let place = column(rect, i);
        Line::new(text::body(), palette.ink).two(ui, place, &[&value], &[]);
        name_cell(ui, place, &words::cell(&name, head, &value));
    }
}

/// What one norm reads in one mode, and its statistics for the chosen photo and channel.
fn side_ui(ui: &Ui, compared: &Compared<'_>, norm: Norm, side: &NormSide, rect: Rect) {
    let palette = theme::palette(ui);
    let reads = words::reads(side.reads, norm, compared.outcome);
    let used = words::used(side, compared.channel);
    let ink = if side.reads == Reads::Batch {
        let colors = palette.mode(Mode::Training);
        let band = rect.shrink2(vec2(0.0, 2.0 * sizes::LINE));
        let band = band.with_min_x(band.left() - sizes::S1);
        ui.painter()
            .rect_filled(band, sizes::CONTROL_RADIUS, colors.band);
        colors.ink
    } else {
        palette.ink
    };
    let [reads, used] = [&reads, &used].map(|texts| texts.each_ref().map(String::as_str));
    Line::new(text::body(), ink).two(ui, rect, &reads, &used);
}

/// How a line of a cell looks.
struct Line {
    font: FontId,
    ink: Color32,
}

impl Line {
    fn new(font: FontId, ink: Color32) -> Self {
        Self { font, ink }
    }

    /// The first of the texts that fits, and of the notes a smaller one below it; a line alone is in the middle.
    fn two(&self, ui: &Ui, rect: Rect, texts: &[&str], notes: &[&str]) {
        let muted = theme::palette(ui).muted;
        let first = fitting(ui, texts, &self.font, self.ink, rect.width());
        let middle = rect.center().y;
        let top = if notes.is_empty() {
            middle - first.size().y / 2.0
        } else {
            middle - first.size().y
        };
        ui.painter().galley(pos2(rect.left(), top), first, self.ink);
        if !notes.is_empty() {
            let second = fitting(ui, notes, &text::tiny(), muted, rect.width());
            let at = pos2(rect.left(), middle + sizes::LINE);
            ui.painter().galley(at, second, muted);
        }
    }
}

/// The first text that fits the width, or else the last one, truncated.
fn fitting(ui: &Ui, texts: &[&str], font: &FontId, ink: Color32, width: f32) -> Arc<Galley> {
    let laid_out = texts.iter().map(|text| {
        let mut job = LayoutJob::simple_singleline((*text).to_owned(), font.clone(), ink);
        job.wrap = TextWrapping::truncate_at_width(width);
        ui.painter().layout_job(job)
    });
    let mut last = ui.painter().layout_job(LayoutJob::default());
    for galley in laid_out {
        let fits = !galley.elided;
        last = galley;
        if fits {
            break;
        }
    }
    last
}

fn name_cell(ui: &Ui, rect: Rect, name: &str) {
    let id = ui.scope_id().with(("norm cell", name));
    let response = ui.interact(rect, id, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, name));
}
