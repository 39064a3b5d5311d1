//! The 2x2: `training` left to right, `trainable` top to bottom.

use std::f32::consts::FRAC_PI_2;

use eframe::egui::epaint::TextShape;
use eframe::egui::{
    Align, Label, Layout, Rect, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2,
};

use super::words;
use crate::model::Mode;
use crate::theme::{self, sizes, text};
use crate::views::parts::{self, Cut};
use crate::views::{Show, centre, text as sentences};
use crate::worker::{Card, TrainableOutcome};

/// Lines of numbers on a card.
const LINES: f32 = 5.0;

/// The height of one card at least.
fn card_min() -> f32 {
    2.0 * sizes::S3 + sizes::CARD_TITLE + LINES * sizes::CARD_ROW + sizes::S1 + sizes::CARD_WORDS
}

/// The height of headings and cards: all the room where there is enough of it for the head of the
/// table below, but the cards grow no taller than their lines need.
pub fn height(room: f32) -> f32 {
    let least = sizes::HEADER_BAND + 2.0 * card_min() + sizes::S2;
    let table = sizes::S3 + sizes::HEADER_BAND + 3.0 * sizes::LAYER_ROW;
    (room - table).clamp(least, least + 2.0 * sizes::CARD_WORDS)
}

/// Headings and cards.
pub fn cards_ui(ui: &mut Ui, show: &mut Show<'_>, outcome: Option<&TrainableOutcome>, rect: Rect) {
    let mut cut = Cut(rect);
    let heads = cut.top(sizes::HEADER_BAND);
    let left = rect.left() + sizes::FLAG_COLUMN;
    let semantics = show.state.semantics();
    for (mode, rect) in Mode::BOTH
        .into_iter()
        .zip(Cut(heads.with_min_x(left)).halves(sizes::S2))
    {
        let note = outcome.map_or("", |o| words::reaches(o, mode, semantics));
        heading_ui(ui, rect, mode, sentences::mode_label(mode, semantics), note);
    }
    let row = ((cut.0.height() - sizes::S2) / 2.0).floor();
    let flag = sentences::flag_label(semantics);
    for trainable in [true, false] {
        let row = cut.top(row);
        cut.top(sizes::S2);
        let value = if trainable { "True" } else { "False" };
        flag_ui(ui, row.with_max_x(left), &format!("{flag}={value}"));
        for (mode, rect) in Mode::BOTH
            .into_iter()
            .zip(Cut(row.with_min_x(left)).halves(sizes::S2))
        {
            if let Some(outcome) = outcome {
                card_ui(ui, show, outcome, outcome.card(trainable, mode), rect);
            } else {
                parts::card(ui.painter(), rect, theme::palette(ui));
                // One button for all four.
                let way_on = if trainable { mode } else { Mode::Inference };
                centre::waiting_ui(ui, show, rect, way_on);
            }
        }
    }
}

/// A mode, and what becomes of it on the way to the base.
fn heading_ui(ui: &mut Ui, rect: Rect, mode: Mode, title: &str, note: &str) {
    let palette = theme::palette(ui);
    let center = pos2(rect.left() + sizes::S4 + sizes::MARK / 2.0, rect.center().y);
    parts::mark(ui.painter(), center, sizes::MARK, mode, palette);
    let rest = rect.with_min_x(center.x + sizes::MARK / 2.0 + sizes::S2);
    parts::row_ui(ui, rest, |ui| {
        ui.label(text::strong(title).color(palette.mode(mode).ink));
        parts::line_ui(ui, text::note(note, palette));
    });
}

/// The value of the flag, read from below.
fn flag_ui(ui: &Ui, rect: Rect, label: &str) {
    let palette = theme::palette(ui);
    let galley = ui
        .painter()
        .layout_no_wrap(label.to_owned(), text::semibold(), palette.ink);
    let size = galley.size();
    let center = rect.center();
    // It is turned about its upper left corner.
    let at = pos2(
        rect.left() + (sizes::FLAG_COLUMN - sizes::S2 - size.y) / 2.0,
        center.y + size.x / 2.0,
    );
    let shape = TextShape::new(at, galley, palette.ink).with_angle(-FRAC_PI_2);
    ui.painter().add(shape);
    let id = ui.scope_id().with(("flag", label));
    let response = ui.interact(rect, id, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, label));
}

fn card_ui(ui: &mut Ui, show: &Show<'_>, outcome: &TrainableOutcome, card: &Card, rect: Rect) {
    let palette = theme::palette(ui);
    let semantics = show.state.semantics();
    parts::card(ui.painter(), rect, palette);
    let advice = words::is_advice(card);
    if advice {
        let stroke = Stroke::new(sizes::ADVICE_STROKE, palette.advice);
        ui.painter()
            .rect_stroke(rect, sizes::PANEL_RADIUS, stroke, StrokeKind::Inside);
    }
    let mut cut = Cut(rect.shrink2(vec2(sizes::S4, sizes::S3)));
    let title = cut.top(sizes::CARD_TITLE);
    let layout = Layout::right_to_left(Align::Center);
    let left = parts::inside_ui(ui, title, layout, |ui| {
        ui.label(text::note(words::note(card, outcome), palette));
        ui.min_rect().left()
    });
    parts::row_ui(ui, title.with_max_x(left - sizes::S2), |ui| {
        parts::line_ui(ui, text::strong(words::title(card, outcome)))
    });
    for (label, value) in words::rows(card, outcome) {
        row_ui(ui, cut.top(sizes::CARD_ROW), label, value);
    }
    cut.top(sizes::S1);
    let mut sentence = words::sentence(card, outcome, semantics);
    if advice {
        sentence = format!("**The course's advice.** {sentence}");
    }
    parts::inside_ui(ui, cut.0, Layout::default(), |ui| {
        let job = text::small_prose(&sentence, ui.available_width(), palette);
        ui.add(Label::new(job).selectable(true));
    });
}

/// A label, and its value at the right end; the label gives way.
fn row_ui(ui: &mut Ui, rect: Rect, label: &str, value: String) {
    let palette = theme::palette(ui);
    let layout = Layout::right_to_left(Align::Center);
    let left = parts::inside_ui(ui, rect, layout, |ui| {
        parts::value_ui(ui, text::strong(value));
        ui.min_rect().left()
    });
    parts::row_ui(ui, rect.with_max_x(left - sizes::S2), |ui| {
        parts::line_ui(ui, text::muted(label, palette))
    });
}
