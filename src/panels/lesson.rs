//! The panel of an open lesson: the steps, the text of the present one, its question.

use eframe::egui::{
    self, Align, Button, Frame, Layout, Margin, Panel, RichText, ScrollArea, Ui, vec2,
};

use super::question;
use crate::command::{Action, LessonCommand};
use crate::lesson::{LessonStep, OpenLesson, fill};
use crate::theme::{self, sizes, text};
use crate::views::menu::{self, Entry};
use crate::views::{Show, markdown, parts};
use crate::words::common;
use crate::words::lesson as words;
use modelens_jobs::Job;

/// At the right of the columns, or below them in a narrow window.
pub fn panel_ui(ui: &mut Ui, show: &mut Show<'_>) {
    let state = show.state;
    let Some(open) = &state.lesson else { return };
    let palette = theme::palette(ui);
    let frame = Frame::new()
        .fill(palette.panel)
        .inner_margin(Margin::symmetric(sizes::S4 as i8, sizes::S3 as i8));
    if ui.available_width() >= sizes::LESSON_BESIDE {
        Panel::right("lesson")
            .exact_size(sizes::LESSON_PANEL)
            .resizable(false)
            .frame(frame)
            .show(ui, |ui| inside_ui(ui, show, open, true));
    } else {
        let most = ui.available_height() * 0.4;
        Panel::bottom("lesson below")
            .exact_size(sizes::LESSON_BOTTOM.min(most))
            .resizable(false)
            .frame(frame)
            .show(ui, |ui| inside_ui(ui, show, open, false));
    }
}

/// `tall`: the steps have their own row.
fn inside_ui(ui: &mut Ui, show: &mut Show<'_>, open: &OpenLesson, tall: bool) {
    let palette = theme::palette(ui);
    ui.spacing_mut().item_spacing.y = sizes::S2;
    let layout = Layout::right_to_left(Align::Center);
    let size = vec2(ui.available_width(), sizes::CONTROL_HEIGHT);
    ui.allocate_ui_with_layout(size, layout, |ui| {
        small_ui(ui, show, Action::CloseLesson, common::CLOSE);
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            if !tall {
                steps_ui(ui, show, open);
            }
            parts::line_ui(ui, text::strong(&open.lesson.title));
        });
    });
    if tall {
        steps_ui(ui, show, open);
    }
    ui.separator();
    ScrollArea::vertical()
        .id_salt(("lesson", open.step))
        .auto_shrink(false)
        .show(ui, |ui| {
            ui.set_max_width(ui.available_width() - sizes::SCROLL_BAR);
            if open.free {
                free_ui(ui);
            } else if let Some(step) = open.now() {
                step_ui(ui, show, open, step);
            }
            notes_ui(ui, show, open);
            ui.separator();
            let label = if open.free {
                words::BACK_TO_STEP
            } else {
                words::FREE_PLAY
            };
            show.button_ui(ui, Action::FreePlay, label);
            parts::wrapped_ui(ui, text::note(keys(ui), palette));
        });
}

fn keys(ui: &Ui) -> String {
    let [next, back] = [Action::NextStep, Action::PreviousStep].map(|action| {
        let shortcut = action.info().shortcut;
        shortcut.map_or(String::new(), |s| parts::keys(ui.ctx(), s))
    });
    words::keys(&next, &back)
}

/// A small button for an action, with a label that fits beside others.
fn small_ui(ui: &mut Ui, show: &mut Show<'_>, action: Action, label: &str) {
    let enabled = action.why_not(show.state).is_none();
    let button = Button::new(RichText::new(label).font(text::small())).small();
    let response = ui.add_enabled(enabled, button);
    if parts::with_tooltip(response, action).clicked() {
        show.push(action);
    }
}

/// Back, the list of steps, next.
fn steps_ui(ui: &mut Ui, show: &mut Show<'_>, open: &OpenLesson) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = sizes::S1;
        small_ui(ui, show, Action::PreviousStep, words::BACK);
        let value = words::step_of(open.step + 1, open.lesson.steps.len());
        let button = parts::drop_button_ui(ui, words::STEP, &value, false);
        egui::Popup::menu(&button)
            .width(sizes::MENU_WIDTH)
            .show(|ui| {
                for (i, step) in open.lesson.steps.iter().enumerate() {
                    let name = format!("{}. {}", i + 1, step.title);
                    let entry = Entry {
                        name: &name,
                        chosen: i == open.step && !open.free,
                        ..Entry::default()
                    };
                    if menu::entry_ui(ui, entry).clicked() {
                        show.push(LessonCommand::Go(i));
                    }
                }
            });
        let next = if open.is_veiled() {
            words::REVEAL
        } else {
            words::NEXT
        };
        small_ui(ui, show, Action::NextStep, next);
    });
}

/// The speaker notes, where they were asked for; a picture of the window has none.
fn notes_ui(ui: &mut Ui, show: &mut Show<'_>, open: &OpenLesson) {
    let notes = open.now().and_then(|step| step.notes.as_ref());
    let Some(notes) = notes.filter(|_| !parts::is_still(ui.ctx())) else {
        return;
    };
    ui.separator();
    if show.state.shell.notes {
        parts::title_ui(ui, words::NOTES);
        markdown::markdown_ui(ui, &fill(notes, show.state));
    }
    show.action_ui(ui, Action::ShowNotes);
}

fn free_ui(ui: &mut Ui) {
    markdown::markdown_ui(ui, words::FREE_PLAY_TEXT);
}

fn step_ui(ui: &mut Ui, show: &mut Show<'_>, open: &OpenLesson, step: &LessonStep) {
    let palette = theme::palette(ui);
    let state = show.state;
    let semantics = state.semantics();
    parts::label_ui(ui, text::strong(&step.title));
    if open.waits {
        let running = |job| state.computed.running(job).is_some();
        let words = if running(Job::OpenModel) || running(Job::OpenPhotos) {
            words::OPENING
        } else {
            words::NOT_OPENED
        };
        parts::label_ui(ui, text::muted(words, palette));
        return;
    }
    if open.is_veiled() {
        parts::wrapped_ui(ui, text::muted(words::ANSWER_FIRST, palette));
        return;
    }
    if let (Some(predict), Some(&chosen)) = (&step.predict, open.chosen.get(&open.step)) {
        question::result_ui(ui, state, predict, chosen);
        ui.separator();
    }
    markdown::markdown_ui(ui, &fill(&step.text(semantics), state));
    // A text that the numbers contradict says so.
    for expectation in step.expectations(semantics) {
        if expectation.holds(state) == Some(false) {
            let line = common::sentence_case(&expectation.broken(state));
            let line = RichText::new(line).color(palette.error);
            parts::wrapped_ui(ui, line);
        }
    }
    if let Some(question) = &step.question {
        ui.separator();
        markdown::markdown_ui(ui, &words::question(&fill(&question.text, state)));
        if open.answer {
            markdown::markdown_ui(ui, &fill(&question.answer, state));
        }
        let label = if open.answer {
            words::HIDE_ANSWER
        } else {
            words::SHOW_ANSWER
        };
        if ui.button(label).clicked() {
            show.push(LessonCommand::ShowAnswer(!open.answer));
        }
    }
}
