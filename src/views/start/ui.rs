//! The question, the releases, both switches, three lamps, and a card for each lesson.

use eframe::egui::{
    Align, Button, Label, Layout, Rect, Role, Sense, Stroke, StrokeKind, Ui, Vec2, WidgetInfo,
    pos2, vec2,
};

use super::lamps::{Lamp, NoisePlaces, Switches};
use super::{pictures, words};
use crate::command::{Action, Command, LessonCommand, LessonSource};
use crate::lesson::BUNDLED;
use crate::model::{Mode, Semantics, modules};
use crate::state::View;
use crate::theme::{self, sizes, text};
use crate::views::parts::Tip as _;
use crate::views::parts::{self, Cut, Segment};
use crate::views::{Show, waiting_ui};
use crate::words::call;

const GAP: f32 = sizes::S3;
/// What a figure shows: it has no use for lessons.
pub const HEIGHT_OF_FIGURE: f32 =
    sizes::CONTROL_HEIGHT + GAP + sizes::SWITCH_CARD + GAP + sizes::TITLE_ROW + sizes::LAMP_CARD;
pub const HEIGHT: f32 = HEIGHT_OF_FIGURE + GAP + sizes::TITLE_ROW + sizes::LESSON_CARD;

/// The height of a narrow figure, in which all cards are below each other.
pub const HEIGHT_STACKED: f32 = RELEASES_STACKED
    + GAP
    + SWITCHES_STACKED
    + GAP
    + TITLE_STACKED
    + 3.0 * sizes::LAMP_CARD
    + 2.0 * sizes::S3;
const RELEASES_STACKED: f32 = 2.0 * sizes::CONTROL_HEIGHT + sizes::S2;
const SWITCHES_STACKED: f32 = 2.0 * sizes::SWITCH_CARD + sizes::S3;
const TITLE_STACKED: f32 = 2.0 * sizes::TITLE_ROW;

/// The question, in one line.
pub fn question_ui(ui: &mut Ui, show: &Show<'_>) {
    let palette = theme::palette(ui);
    let question = words::question(show.state.semantics());
    let job = text::question(question, ui.available_width(), palette);
    ui.add(Label::new(job));
}

/// Everything below the question.
pub fn body_ui(ui: &mut Ui, show: &mut Show<'_>, mut cut: Cut) {
    // In a tall window the cards grow and stand further apart.
    if parts::stacks(ui, cut.0.width()) {
        releases_ui(ui, show, cut.top(RELEASES_STACKED));
        cut.top(GAP);
        switches_ui(ui, show, cut.top(SWITCHES_STACKED));
        cut.top(GAP);
        lamps_title_ui(ui, show, cut.top(TITLE_STACKED));
        lamps_ui(ui, show, cut.0);
        return;
    }
    let spare = (cut.0.height() - HEIGHT).max(0.0);
    let more = if parts::is_figure(ui) {
        0.0
    } else {
        (spare / 12.0).min(sizes::S4).floor()
    };
    let gap = GAP + more / 2.0;
    releases_ui(ui, show, cut.top(sizes::CONTROL_HEIGHT));
    cut.top(gap);
    switches_ui(ui, show, cut.top(sizes::SWITCH_CARD + more));
    cut.top(gap);
    lamps_title_ui(ui, show, cut.top(sizes::TITLE_ROW));
    lamps_ui(ui, show, cut.top(sizes::LAMP_CARD + more));
    if parts::is_figure(ui) {
        return;
    }
    cut.top(gap);
    parts::row_ui(ui, cut.top(sizes::TITLE_ROW), |ui| {
        parts::title_ui(ui, words::LESSONS)
    });
    let height = cut
        .0
        .height()
        .clamp(sizes::LESSON_CARD, sizes::LESSON_CARD_MAX);
    lessons_ui(ui, show, cut.top(height));
}

fn releases_ui(ui: &mut Ui, show: &mut Show<'_>, row: Rect) {
    let palette = theme::palette(ui);
    let chosen = show.state.semantics();
    // A narrow figure has room for one: that of its numbers.
    let only_chosen = parts::stacks(ui, row.width());
    let shown = Semantics::ALL.into_iter();
    let shown = shown.filter(|&semantics| !only_chosen || semantics == chosen);
    parts::inside_ui(ui, row, Layout::left_to_right(Align::Center), |ui| {
        ui.spacing_mut().item_spacing.x = sizes::S2;
        if row.width() >= sizes::START_QUESTION {
            parts::label_ui(ui, text::muted(words::WHICH_RELEASE, palette));
        }
        for semantics in shown {
            let is_chosen = semantics == chosen;
            let label = words::release(semantics);
            let name = if is_chosen {
                text::strong(label)
            } else {
                text::muted(label, palette)
            };
            let response = ui.add(Button::selectable(is_chosen, name));
            response
                .widget_info(|| WidgetInfo::selected(Role::RadioButton, true, is_chosen, label));
            if response.clicked() {
                show.push(Command::SetSemantics(Some(semantics)));
            }
        }
        if !parts::is_figure(ui) {
            let layout = Layout::right_to_left(Align::Center);
            ui.with_layout(layout, |ui| {
                show.button_ui(ui, Action::Show(View::Augmentation), words::ON);
            });
        }
    });
}

fn switches_ui(ui: &mut Ui, show: &mut Show<'_>, row: Rect) {
    let semantics = show.state.semantics();
    let switches = Switches::of(show.state);
    let [left, right] = if parts::stacks(ui, row.width()) {
        Cut(row).stacked(sizes::S3)
    } else {
        Cut(row).halves(sizes::S3)
    };
    let flag = [true, false].map(|value| Segment {
        value,
        label: call::python(value),
        mode: None,
    });
    let chosen = switches.map(|s| s.trainable);
    let note = match switches {
        Some(s) if s.is_mixed => words::mixed(s.trainable),
        Some(_) | None => words::flag_note(semantics),
    };
    let clicked = switch_ui(
        ui,
        left,
        [words::flag_switch(semantics), note],
        &chosen.map_or_else(Default::default, |c| words::flag_code(c, semantics)),
        &flag,
        chosen,
    );
    if let Some(trainable) = clicked {
        show.push(if trainable {
            Action::UnfreezeBase
        } else {
            Action::FreezeBase
        });
    }
    let values = [Some(true), Some(false), None];
    let calls = values.map(|value| Segment {
        value,
        label: words::call_value(value, semantics),
        mode: value.map(Mode::of_training),
    });
    let has_call = switches.is_none_or(|s| s.has_call);
    let note = if has_call {
        words::call_note(semantics)
    } else {
        words::NO_CALL
    };
    let chosen = switches.filter(|s| s.has_call).map(|s| s.call);
    let codes = switches.map_or_else(Default::default, |s| words::call_code(s.call, semantics));
    let texts = [words::call_switch(semantics), note];
    let clicked = switch_ui(ui, right, texts, &codes, &calls, chosen);
    if let Some(value) = clicked.filter(|_| has_call) {
        show.push(set_call(value, semantics));
    }
}

/// The command that sets the value at the call of the base.
fn set_call(value: Option<bool>, semantics: Semantics) -> Command {
    match (semantics, value) {
        (Semantics::PyTorch, Some(training)) => {
            Command::CallModule(modules::BASE.to_owned(), Mode::of_training(training))
        }
        (Semantics::PyTorch, None) => Action::TrainModel.into(),
        (Semantics::Keras2 | Semantics::Keras3 | Semantics::Keras316, value) => {
            Command::Record(value)
        }
    }
}

/// A card with a large switch, beside the code that it sets, in full and shorter; returns the value that was clicked.
fn switch_ui<T: Copy + PartialEq>(
    ui: &mut Ui,
    rect: Rect,
    [name, note]: [&str; 2],
    codes: &[&str; 2],
    segments: &[Segment<T>],
    chosen: Option<T>,
) -> Option<T> {
    let palette = theme::palette(ui);
    parts::card(ui.painter(), rect, palette);
    let mut cut = Cut(rect.shrink2(vec2(sizes::S4, sizes::S3)));
    if rect.width() < sizes::SWITCH_NARROW {
        // The switch needs the whole width, so the code is above it.
        let above = cut.top(sizes::CARD_ROW);
        let code = text::large_code(codes, above.width(), palette);
        parts::row_ui(ui, above, |ui| parts::line_ui(ui, code).tip(note));
        cut.top(sizes::S2);
        return parts::segments_ui(ui, cut.top(sizes::SWITCH), name, segments, chosen);
    }
    let row = cut.top(sizes::SWITCH);
    let buttons = row.with_min_x(row.left() + row.width() * sizes::SWITCH_SHARE);
    let left = row.with_max_x(buttons.left() - sizes::S2);
    let code = text::large_code(codes, left.width(), palette);
    parts::row_ui(ui, left, |ui| parts::line_ui(ui, code));
    let clicked = parts::segments_ui(ui, buttons, name, segments, chosen);
    cut.top(sizes::S2);
    parts::inside_ui(ui, cut.0, Layout::default(), |ui| {
        let job = text::small_prose(note, ui.available_width(), palette);
        ui.add(Label::new(job));
    });
    clicked
}

fn lamps_title_ui(ui: &mut Ui, show: &Show<'_>, row: Rect) {
    let palette = theme::palette(ui);
    let step = Switches::of(show.state).and_then(|switches| switches.step(show.state));
    let title = match step {
        Some(step) => words::lamps_title(step.photos, step.semantics),
        None => words::MEASURING.to_owned(),
    };
    if parts::stacks(ui, row.width()) {
        parts::inside_ui(ui, row, Layout::default(), |ui| {
            parts::wrapped_ui(ui, text::title(&title, palette))
        });
        return;
    }
    parts::row_ui(ui, row, |ui| {
        parts::line_ui(ui, text::title(&title, palette))
    });
}

fn lamps_ui(ui: &mut Ui, show: &mut Show<'_>, row: Rect) {
    let palette = theme::palette(ui);
    let third = |whole: f32| ((whole - 2.0 * sizes::S3) / 3.0).floor();
    let (size, pitch) = if parts::stacks(ui, row.width()) {
        let size = vec2(row.width(), third(row.height()));
        (size, vec2(0.0, size.y + sizes::S3))
    } else {
        let size = vec2(third(row.width()), row.height());
        (size, vec2(size.x + sizes::S3, 0.0))
    };
    let step = Switches::of(show.state).and_then(|switches| switches.step(show.state));
    let card = step.map(|step| step.card.clone());
    for (i, lamp) in Lamp::ALL.into_iter().enumerate() {
        let rect = Rect::from_min_size(row.min + i as f32 * pitch, size);
        parts::card(ui.painter(), rect, palette);
        let mut cut = Cut(rect.shrink2(vec2(sizes::S4, sizes::S3)));
        parts::row_ui(ui, cut.top(sizes::CARD_ROW), |ui| {
            parts::line_ui(ui, text::strong(words::lamp(lamp)))
        });
        let Some(card) = &card else {
            if i == 1 {
                waiting_ui(ui, show, cut.0, Mode::Training);
            }
            continue;
        };
        let is_on = lamp.is_on(card);
        let answer = cut.top(sizes::SWITCH);
        lamp_ui(ui, answer, lamp, is_on);
        parts::inside_ui(ui, cut.0, Layout::default(), |ui| {
            let measured = words::measured_by(lamp, card, NoisePlaces::of(show.state));
            let job = text::small_prose(&measured, ui.available_width(), palette);
            ui.add(Label::new(job).selectable(true));
        });
    }
}

/// A lamp that is on or off, and the answer beside it.
fn lamp_ui(ui: &mut Ui, rect: Rect, lamp: Lamp, is_on: bool) {
    let palette = theme::palette(ui);
    // What only training does is on; what stays as in inference is off.
    let mode = Mode::of_training(is_on);
    let center = pos2(rect.left() + sizes::LARGE_LAMP / 2.0, rect.center().y);
    if is_on {
        let glow = palette.training.band;
        ui.painter()
            .circle_filled(center, sizes::LARGE_LAMP * 0.72, glow);
    }
    parts::mark(ui.painter(), center, sizes::LARGE_LAMP, mode, palette);
    let rest = rect.with_min_x(rect.left() + sizes::LARGE_LAMP + sizes::S3);
    let response = parts::row_ui(ui, rest, |ui| {
        let answer = text::large(words::answer(is_on)).color(palette.mode(mode).ink);
        ui.add(Label::new(answer))
    });
    let name = format!("{} {}", words::lamp(lamp), words::answer(is_on));
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &name));
}

/// The height that the words of the cards need, with what is around them: the same in all, so that the pictures are, too.
fn lesson_words(ui: &Ui, width: f32, is_tall: bool) -> f32 {
    let palette = theme::palette(ui);
    let height = |job| ui.painter().layout_job(job).size().y;
    let words = BUNDLED.iter().map(|lesson| {
        let title = height(text::card_title(lesson.title, width, is_tall, palette));
        let about = if is_tall {
            height(text::small_prose(lesson.about, width, palette)) + sizes::S1
        } else {
            0.0
        };
        title + about
    });
    let around = 2.0 * sizes::S2 + sizes::CARD_ROW + 2.0 * sizes::S1;
    let least = if is_tall {
        sizes::LESSON_WORDS_TALL
    } else {
        sizes::LESSON_WORDS
    };
    least.max(words.fold(0.0, f32::max) + around)
}

fn lessons_ui(ui: &mut Ui, show: &mut Show<'_>, row: Rect) {
    let palette = theme::palette(ui);
    let share = |whole: f32, count: usize| {
        ((whole - (count - 1) as f32 * sizes::S2) / count as f32).floor()
    };
    let is_narrow = share(row.width(), BUNDLED.len()) < sizes::LESSON_CARD_WIDTH;
    let rows = if is_narrow && share(row.height(), 2) >= sizes::LESSON_CARD {
        2
    } else {
        1
    };
    let columns = BUNDLED.len().div_ceil(rows);
    let size = vec2(share(row.width(), columns), share(row.height(), rows));
    // In a tall window a card also says what its lesson is about.
    let is_tall = size.y >= sizes::LESSON_CARD_TALL;
    let words_height = lesson_words(ui, size.x - 2.0 * sizes::S2, is_tall);
    for (i, lesson) in BUNDLED.iter().enumerate() {
        let place = vec2((i % columns) as f32, (i / columns) as f32);
        let rect = Rect::from_min_size(row.min + place * (size + Vec2::splat(sizes::S2)), size);
        let id = ui.scope_id().with(("lesson card", i));
        let response = ui.interact(rect, id, Sense::click());
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, lesson.title));
        parts::card(ui.painter(), rect, palette);
        if response.hovered() {
            let stroke = Stroke::new(sizes::LINE, palette.ink);
            ui.painter()
                .rect_stroke(rect, sizes::PANEL_RADIUS, stroke, StrokeKind::Inside);
        }
        parts::focus_ring(ui, &response, rect);
        let mut cut = Cut(rect.shrink(sizes::S2));
        let picture = cut.top(size.y - words_height);
        ui.painter()
            .rect_filled(picture, sizes::CONTROL_RADIUS, palette.background);
        pictures::paint(ui.painter(), picture, lesson.view, palette);
        let minutes = cut.bottom(sizes::CARD_ROW);
        parts::row_ui(ui, minutes, |ui| {
            parts::line_ui(ui, text::note(words::minutes(lesson.minutes), palette))
        });
        parts::inside_ui(ui, cut.0, Layout::default(), |ui| {
            let width = ui.available_width();
            let job = text::card_title(lesson.title, width, is_tall, palette);
            ui.add(Label::new(job).selectable(false));
            if is_tall {
                let job = text::small_prose(lesson.about, width, palette);
                ui.add(Label::new(job).selectable(false));
            }
        });
        let response = if is_tall {
            response
        } else {
            response.tip(lesson.about)
        };
        if response.clicked() {
            show.push(LessonCommand::Open(LessonSource::Bundled(i)));
        }
    }
}
