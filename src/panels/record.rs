//! The panel of a lesson that is being recorded: its steps, their texts, and what to do with them.

use eframe::egui::{
    Align, Button, Frame, Id, Layout, Margin, Modal, Panel, RichText, ScrollArea, TextEdit, Ui,
    vec2,
};

use crate::command::{Action, RecordCommand};
use crate::lesson::{Choice, LessonStep, Prediction, Right};
use crate::state::{Leaving, Recorder};
use crate::theme::{self, sizes, text};
use crate::views::parts::Tip as _;
use crate::views::{Show, markdown, menu, parts};
use crate::words::common;
use crate::words::handout::letter;
use crate::words::record as words;

/// At the right of the columns, or below them in a narrow window.
pub fn panel_ui(ui: &mut Ui, show: &mut Show<'_>) {
    let state = show.state;
    let Some(recorder) = &state.recorder else {
        return;
    };
    let palette = theme::palette(ui);
    let frame = Frame::new()
        .fill(palette.panel)
        .inner_margin(Margin::symmetric(sizes::S4 as i8, sizes::S3 as i8));
    let panel = if ui.available_width() >= sizes::LESSON_BESIDE {
        Panel::right("recorder").exact_size(sizes::LESSON_PANEL)
    } else {
        let most = ui.available_height() * 0.4;
        Panel::bottom("recorder below").exact_size(sizes::LESSON_BOTTOM.min(most))
    };
    panel.resizable(false).frame(frame).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = sizes::S2;
        heading_ui(ui, show, recorder);
        ScrollArea::vertical()
            .id_salt("recorded lesson")
            .auto_shrink(false)
            .show(ui, |ui| {
                ui.set_max_width(ui.available_width() - sizes::SCROLL_BAR);
                inside_ui(ui, show, recorder);
            });
    });
}

fn heading_ui(ui: &mut Ui, show: &mut Show<'_>, recorder: &Recorder) {
    let palette = theme::palette(ui);
    let size = vec2(ui.available_width(), sizes::CONTROL_HEIGHT);
    let layout = Layout::right_to_left(Align::Center);
    ui.allocate_ui_with_layout(size, layout, |ui| {
        let button = Button::new(RichText::new(common::CLOSE).font(text::small())).small();
        if ui.add(button).clicked() {
            show.push(RecordCommand::Leave(Leaving::Recording));
        }
        if recorder.is_unsaved() {
            ui.label(text::note(words::UNSAVED, palette));
        }
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            parts::line_ui(ui, text::title(words::RECORDING, palette));
        });
    });
}

fn inside_ui(ui: &mut Ui, show: &mut Show<'_>, recorder: &Recorder) {
    let (name, title) = (words::LESSON_TITLE, &recorder.title);
    field_ui(ui, show, name, title, 1, "", RecordCommand::SetLessonTitle);
    if recorder.steps.is_empty() {
        markdown::markdown_ui(ui, words::HOW);
    }
    ui.horizontal_wrapped(|ui| {
        button_ui(
            ui,
            show,
            words::ADD,
            words::ADD_TIP,
            true,
            RecordCommand::Add,
        );
        let some = !recorder.steps.is_empty();
        button_ui(
            ui,
            show,
            words::REPLACE,
            words::REPLACE_TIP,
            some,
            RecordCommand::Replace,
        );
        button_ui(
            ui,
            show,
            words::TRY,
            words::TRY_TIP,
            some,
            RecordCommand::Try,
        );
        button_ui(ui, show, words::SAVE, "", some, RecordCommand::Save);
        show.action_ui(ui, Action::Undo);
    });
    if recorder.steps.is_empty() {
        return;
    }
    ui.separator();
    for (number, step) in recorder.steps.iter().enumerate() {
        let name = words::row(number + 1, &step.title);
        let entry = menu::Entry {
            name: &name,
            chosen: number == recorder.chosen,
            ..menu::Entry::default()
        };
        if menu::entry_ui(ui, entry).clicked() {
            show.push(RecordCommand::Choose(number));
        }
    }
    let (at, last) = (recorder.chosen, recorder.steps.len() - 1);
    ui.horizontal(|ui| {
        button_ui(
            ui,
            show,
            words::UP,
            words::UP_TIP,
            at > 0,
            RecordCommand::Move(-1),
        );
        button_ui(
            ui,
            show,
            words::DOWN,
            words::DOWN_TIP,
            at < last,
            RecordCommand::Move(1),
        );
        button_ui(
            ui,
            show,
            words::DELETE,
            words::DELETE_TIP,
            true,
            RecordCommand::Delete,
        );
    });
    ui.separator();
    if let Some(step) = recorder.now() {
        step_ui(ui, show, step);
    }
}

fn button_ui(
    ui: &mut Ui,
    show: &mut Show<'_>,
    label: &str,
    tip: &str,
    enabled: bool,
    command: RecordCommand,
) {
    let mut response = ui.add_enabled(enabled, Button::new(label));
    if !tip.is_empty() {
        response = response.tip(tip);
    }
    if response.clicked() {
        show.push(command);
    }
}

/// A text field with its name above it; a change becomes a command.
fn field_ui(
    ui: &mut Ui,
    show: &mut Show<'_>,
    name: &str,
    value: &str,
    rows: usize,
    hint: &str,
    command: impl FnOnce(String) -> RecordCommand,
) {
    let palette = theme::palette(ui);
    ui.label(text::note(name, palette));
    let mut edited = value.to_owned();
    let field = if rows == 1 {
        TextEdit::singleline(&mut edited)
    } else {
        TextEdit::multiline(&mut edited).desired_rows(rows)
    };
    let field = field
        .id_salt(name)
        .hint_text(hint.to_owned())
        .desired_width(f32::INFINITY);
    let response = ui.add(field);
    parts::named(ui, &response, name);
    if response.changed() {
        show.push(command(edited));
    }
}

/// The texts of the step that is edited.
fn step_ui(ui: &mut Ui, show: &mut Show<'_>, step: &LessonStep) {
    let rows = sizes::RECORD_TEXT_ROWS;
    field_ui(
        ui,
        show,
        words::TITLE,
        &step.title,
        1,
        "",
        RecordCommand::SetTitle,
    );
    let (name, hint) = (words::TEXT, words::TEXT_HINT);
    field_ui(
        ui,
        show,
        name,
        &step.text,
        rows,
        hint,
        RecordCommand::SetText,
    );
    let mut asks = step.predict.is_some();
    if parts::check_ui(ui, words::ASKS, &mut asks).changed() {
        let predict = asks.then(|| Box::new(first_prediction()));
        show.push(RecordCommand::SetPrediction(predict));
    } else if let Some(predict) = &step.predict {
        prediction_ui(ui, show, predict);
    }
    let statement = step.statement.as_deref().unwrap_or_default();
    let (name, hint) = (words::STATEMENT, words::STATEMENT_HINT);
    field_ui(
        ui,
        show,
        name,
        statement,
        1,
        hint,
        RecordCommand::SetStatement,
    );
    let notes = step.notes.as_deref().unwrap_or_default();
    field_ui(
        ui,
        show,
        words::NOTES,
        notes,
        3,
        "",
        RecordCommand::SetNotes,
    );
}

fn first_prediction() -> Prediction {
    let choices = words::FIRST_CHOICES.into_iter().enumerate();
    Prediction {
        text: words::FIRST_QUESTION.to_owned(),
        choices: choices
            .map(|(i, text)| Choice {
                text: text.to_owned(),
                right: Right::Always(i == 0),
                expect: Vec::new(),
            })
            .collect(),
        answer: words::FIRST_ANSWER.to_owned(),
    }
}

fn prediction_ui(ui: &mut Ui, show: &mut Show<'_>, predict: &Prediction) {
    let set = |predict| RecordCommand::SetPrediction(Some(Box::new(predict)));
    field_ui(ui, show, words::QUESTION, &predict.text, 2, "", |text| {
        set(Prediction {
            text,
            ..predict.clone()
        })
    });
    let lines: Vec<&str> = predict.choices.iter().map(|c| c.text.as_str()).collect();
    field_ui(ui, show, words::CHOICES, &lines.join("\n"), 3, "", |text| {
        set(with_choices(predict, &text))
    });
    ui.horizontal(|ui| {
        let palette = theme::palette(ui);
        ui.label(text::note(words::RIGHT, palette));
        for number in 0..predict.choices.len() {
            let right = predict.choices[number].right != Right::Always(false);
            if ui.selectable_label(right, letter(number)).clicked() {
                let mut predict = predict.clone();
                for (i, choice) in predict.choices.iter_mut().enumerate() {
                    choice.right = Right::Always(i == number);
                }
                show.push(set(predict));
            }
        }
    });
    field_ui(ui, show, words::ANSWER, &predict.answer, 2, "", |answer| {
        set(Prediction {
            answer,
            ..predict.clone()
        })
    });
}

/// The prediction with the choices of these lines. A choice keeps its place and what it expects.
fn with_choices(predict: &Prediction, lines: &str) -> Prediction {
    let mut known = predict.choices.iter().cloned();
    let choices = lines.split('\n').map(|line| Choice {
        text: line.to_owned(),
        ..known.next().unwrap_or(Choice {
            text: String::new(),
            right: Right::Always(false),
            expect: Vec::new(),
        })
    });
    Prediction {
        choices: choices.collect(),
        ..predict.clone()
    }
}

/// Asks whether to save before a recorded lesson is lost.
pub fn asking_ui(ui: &mut Ui, show: &mut Show<'_>) {
    let recorder = show.state.recorder.as_ref();
    if recorder.is_none_or(|recorder| recorder.leaving.is_none()) {
        return;
    }
    let response = Modal::new(Id::unique("save the recorded lesson")).show(ui.ctx(), |ui| {
        ui.set_width(sizes::SHEET_WIDTH.min(ui.ctx().content_rect().width() - 2.0 * sizes::S4));
        ui.label(text::strong(words::SAVE_FIRST));
        parts::wrapped_ui(ui, RichText::new(words::WOULD_BE_LOST));
        ui.add_space(sizes::S2);
        ui.horizontal(|ui| {
            button_ui(ui, show, words::SAVE, "", true, RecordCommand::Save);
            button_ui(ui, show, words::DISCARD, "", true, RecordCommand::Discard);
            button_ui(ui, show, words::STAY, "", true, RecordCommand::Stay);
        });
    });
    if response.should_close() {
        show.push(RecordCommand::Stay);
    }
}
