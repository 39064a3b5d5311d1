//! The 2x2: `training` left to right, `trainable` top to bottom.

use std::f32::consts::FRAC_PI_2;
use std::sync::Arc;

use eframe::egui::epaint::TextShape;
use eframe::egui::{
    Align, Galley, Label, Layout, Rect, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2,
};

use super::words;
use crate::model::Mode;
use crate::state::Part;
use crate::theme::{self, sizes, text};
use crate::views::parts::{self, Cut, Tip as _};
use crate::views::{Show, terms, waiting_ui};
use crate::words::call;
use crate::words::modes;
use modelens_jobs::{TrainableCard, TrainableOutcome};

/// The height of headings and cards at this width: what the longest of the four needs. Low cards have a
/// line of numbers and two of words.
pub fn height(ui: &Ui, outcome: Option<&TrainableOutcome>, width: f32, low: bool) -> f32 {
    if low {
        return low_height();
    }
    let flags = sizes::FLAG_COLUMN * if stands_alone(ui) { 2.0 } else { 1.0 };
    let stacks = stacks(ui, width);
    let inner = if stacks {
        width - sizes::FLAG_COLUMN
    } else {
        (width - flags - sizes::S2) / 2.0
    } - 2.0 * sizes::S4;
    let palette = theme::palette(ui);
    let words = |outcome: &TrainableOutcome| {
        let cards = outcome.cards.iter().map(|card| {
            let job = text::small_prose(&card_text(card, outcome), inner, palette);
            ui.painter().layout_job(job).size().y
        });
        cards.fold(0.0, f32::max)
    };
    let words = outcome.map_or(0.0, words).max(sizes::CARD_WORDS).ceil();
    let lines = words::lines(is_narrow(inner)) as f32;
    let card = 2.0 * sizes::S3 + sizes::CARD_TITLE + lines * sizes::CARD_ROW + sizes::S1 + words;
    let side = sizes::HEADER_BAND + 2.0 * card + sizes::S2;
    if stacks { 2.0 * side } else { side }
}

/// The height of low cards with their headings.
pub fn low_height() -> f32 {
    let card = 2.0 * sizes::S2 + sizes::CARD_ROW + sizes::CARD_NUMBERS + sizes::CARD_WORDS;
    sizes::LOW_HEADER + 2.0 * card + sizes::S2
}

/// Whether a figure shows one side or one card: each side then has the flags at its left.
fn stands_alone(ui: &Ui) -> bool {
    let of_cards = |part: &Part| *part != Part::Plot(words::LAYERS);
    parts::only_part(ui).as_ref().is_some_and(of_cards)
}

/// Whether a figure has one side above the other. `width` is that of the cards, beside which the window has a
/// scroll bar.
fn stacks(ui: &Ui, width: f32) -> bool {
    parts::stacks(ui, width + sizes::SCROLL_BAR)
}

/// Whether a card has no room for its full labels.
fn is_narrow(inner: f32) -> bool {
    inner < sizes::CARD_NARROW
}

/// What goes wrong on a card, or that it is the one to take.
fn card_text(card: &TrainableCard, outcome: &TrainableOutcome) -> String {
    let sentence = words::sentence(card, outcome, outcome.semantics);
    if words::is_advice(card) {
        words::advised(&sentence)
    } else {
        sentence
    }
}

/// Headings and cards.
pub fn cards_ui(
    ui: &mut Ui,
    show: &mut Show<'_>,
    outcome: Option<&TrainableOutcome>,
    rect: Rect,
    low: bool,
) {
    let alone = stands_alone(ui);
    let places = Places::of(rect, low, alone, stacks(ui, rect.width()));
    // While other rules are computed, the old numbers keep the words that go with them.
    let semantics = outcome.map_or(show.state.semantics(), |o| o.semantics);
    for (mode, side) in Mode::BOTH.into_iter().zip(&places.sides) {
        let note = outcome.map_or("", |o| words::reaches(o, mode, semantics));
        let title = modes::mode_label(mode, semantics);
        let head = side.head.shrink2(vec2(sizes::S4, 0.0));
        parts::heading_ui(ui, head, mode, title, note);
        parts::note_column(ui, mode, side.whole);
        parts::note_heading(ui, side.whole, mode, title, note);
    }
    let flag = modes::flag_label(semantics);
    for (row, trainable) in [true, false].into_iter().enumerate() {
        let value = call::python(trainable);
        let flag = format!("{flag}={value}");
        for (mode, side) in Mode::BOTH.into_iter().zip(&places.sides) {
            let rect = side.cards[row];
            if let Some(left) = side.flags {
                flag_ui(ui, rect.with_min_x(left).with_max_x(rect.left()), &flag);
            }
            let names = if trainable {
                [words::OPEN_LEFT, words::OPEN_RIGHT]
            } else {
                [words::FROZEN_LEFT, words::FROZEN_RIGHT]
            };
            let whole = rect.with_min_x(side.whole.left());
            parts::note_plot_of(ui, mode, names, whole);
            if let Some(outcome) = outcome {
                let card = outcome.card(trainable, mode);
                if low {
                    low_card_ui(ui, outcome, card, rect);
                } else {
                    card_ui(ui, outcome, card, rect);
                }
            } else {
                parts::card(ui.painter(), rect, theme::palette(ui));
                // One button for all four.
                let way_on = if trainable { mode } else { Mode::Inference };
                waiting_ui(ui, show, rect, way_on);
            }
        }
    }
}

/// The places of both sides.
struct Places {
    sides: [Side; 2],
}

/// The places of one side.
struct Side {
    /// Everything of it.
    whole: Rect,
    head: Rect,
    /// Trainable, and frozen.
    cards: [Rect; 2],
    /// Where the flags begin; `None` if only the other side has them.
    flags: Option<f32>,
}

impl Places {
    /// `alone`: one side or card is shown, with the flags at its left; `stacks`: one side is above the
    /// other.
    fn of(rect: Rect, low: bool, alone: bool, stacks: bool) -> Self {
        let head = if low {
            sizes::LOW_HEADER
        } else {
            sizes::HEADER_BAND
        };
        let wholes = if stacks {
            Cut(rect).stacked(0.0)
        } else if alone {
            Cut(rect).halves(sizes::S2)
        } else {
            Cut(rect.with_min_x(rect.left() + sizes::FLAG_COLUMN)).halves(sizes::S2)
        };
        let mut is_first = true;
        let sides = wholes.map(|whole| {
            let own = alone || stacks;
            let flags = if own {
                Some(whole.left())
            } else {
                is_first.then_some(rect.left())
            };
            is_first = false;
            let inner = if own {
                whole.with_min_x(whole.left() + sizes::FLAG_COLUMN)
            } else {
                whole
            };
            let mut cut = Cut(inner);
            let head = cut.top(head);
            let row = ((cut.0.height() - sizes::S2) / 2.0).floor();
            let open = cut.top(row);
            cut.top(sizes::S2);
            Side {
                whole,
                head,
                cards: [open, cut.top(row)],
                flags,
            }
        });
        Self { sides }
    }
}

/// The value of the flag, read from below.
fn flag_ui(ui: &Ui, rect: Rect, label: &str) {
    let palette = theme::palette(ui);
    let painter = ui.painter();
    let layout = |font| painter.layout_no_wrap(label.to_owned(), font, palette.ink);
    // Beside a low card it is set smaller.
    let fonts = [text::semibold(), text::small(), text::tiny()];
    let mut galleys = fonts.map(layout).into_iter();
    let fits = |galley: &Arc<Galley>| galley.size().x <= rect.height();
    let galley = galleys.find(fits).unwrap_or_else(|| layout(text::tiny()));
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
    terms::hinted(response, label);
}

/// The ground of a card, with a line around the one to take.
fn ground_ui(ui: &Ui, card: &TrainableCard, rect: Rect) {
    let palette = theme::palette(ui);
    parts::card(ui.painter(), rect, palette);
    if words::is_advice(card) {
        let stroke = Stroke::new(sizes::ADVICE_STROKE, palette.advice);
        ui.painter()
            .rect_stroke(rect, sizes::PANEL_RADIUS, stroke, StrokeKind::Inside);
    }
}

/// A card of a low window: title, one line of numbers, the sentence; the other numbers are its tooltip.
fn low_card_ui(ui: &mut Ui, outcome: &TrainableOutcome, card: &TrainableCard, rect: Rect) {
    let palette = theme::palette(ui);
    ground_ui(ui, card, rect);
    let id = ui
        .scope_id()
        .with(("low card", card.trainable, card.mode as usize));
    let response = ui.interact(rect, id, Sense::hover());
    let rows = words::rows(card, outcome, false);
    let rows: Vec<String> = rows.iter().map(words::card_row).collect();
    response.tip(rows.join("\n"));
    let mut cut = Cut(rect.shrink2(vec2(sizes::S3, sizes::S2)));
    parts::row_ui(ui, cut.top(sizes::CARD_ROW), |ui| {
        parts::line_ui(ui, text::strong(words::title(card, outcome)))
    });
    parts::row_ui(ui, cut.top(sizes::CARD_NUMBERS), |ui| {
        parts::fitting_line_ui(ui, &words::numbers_in_short(card, outcome), palette)
    });
    let sentence = card_text(card, outcome);
    let mut job = text::small_prose(&sentence, cut.0.width(), palette);
    // CARD_WORDS are two rows.
    job.wrap.max_rows = ((2.0 * cut.0.height() / sizes::CARD_WORDS) as usize).max(2);
    parts::inside_ui(ui, cut.0, Layout::default(), |ui| {
        ui.add(Label::new(job).selectable(false)).tip(sentence)
    });
}

fn card_ui(ui: &mut Ui, outcome: &TrainableOutcome, card: &TrainableCard, rect: Rect) {
    let palette = theme::palette(ui);
    ground_ui(ui, card, rect);
    let mut cut = Cut(rect.shrink2(vec2(sizes::S4, sizes::S3)));
    let mut title = cut.top(sizes::CARD_TITLE);
    let narrow = is_narrow(cut.0.width());
    if !narrow {
        let layout = Layout::right_to_left(Align::Center);
        let left = parts::inside_ui(ui, title, layout, |ui| {
            parts::label_ui(ui, text::note(words::note(card, outcome), palette));
            ui.min_rect().left()
        });
        title.set_right(left - sizes::S2);
    }
    parts::row_ui(ui, title, |ui| {
        parts::line_ui(ui, text::strong(words::title(card, outcome)))
    });
    for (label, value) in words::rows(card, outcome, narrow) {
        row_ui(ui, cut.top(sizes::CARD_ROW), label, value);
    }
    cut.top(sizes::S1);
    let sentence = card_text(card, outcome);
    parts::inside_ui(ui, cut.0, Layout::default(), |ui| {
        let job = text::small_prose(&sentence, ui.available_width(), palette);
        ui.add(Label::new(job).selectable(true));
    });
}

/// A label, and its value at the right end; the label is truncated.
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
