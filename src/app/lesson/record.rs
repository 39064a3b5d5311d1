//! Recording a lesson: the present state becomes a step.

use eframe::egui::{Context, ViewportCommand};

use super::super::App;
use super::save;
use crate::command::{Action, LessonSource, RecordCommand};
use crate::lesson::{LessonStep, open_draft};
use crate::state::{Leaving, Recorder};
use crate::views::values::names;
use crate::words::{notices, record as words};

/// The most steps of a recorded lesson.
const MOST_STEPS: usize = 200;

impl App {
    /// Starts a recording, or ends it.
    pub(in crate::app) fn toggle_recording(&mut self, ctx: &Context) {
        if self.state.recorder.is_some() {
            self.apply_record(ctx, RecordCommand::Leave(Leaving::Recording));
        } else {
            self.state.recorder = Some(Recorder::new(words::UNTITLED));
        }
    }

    /// Carries out a command of the recording.
    pub(in crate::app) fn apply_record(&mut self, ctx: &Context, command: RecordCommand) {
        let Some(recorder) = &mut self.state.recorder else {
            return;
        };
        let chosen = recorder.chosen;
        match command {
            RecordCommand::Add => self.record_step(false),
            RecordCommand::Replace => self.record_step(true),
            RecordCommand::Choose(step) => {
                recorder.chosen = step.min(recorder.steps.len().saturating_sub(1));
            }
            RecordCommand::Move(by) => {
                let to = chosen.saturating_add_signed(by);
                if chosen < recorder.steps.len() && to < recorder.steps.len() {
                    let step = recorder.steps.remove(chosen);
                    recorder.steps.insert(to, step);
                    recorder.chosen = to;
                }
            }
            RecordCommand::Delete => {
                if chosen < recorder.steps.len() {
                    recorder.steps.remove(chosen);
                    recorder.chosen = chosen.min(recorder.steps.len().saturating_sub(1));
                }
                if recorder.steps.is_empty() {
                    recorder.files = None;
                }
            }
            RecordCommand::SetLessonTitle(title) => recorder.title = title,
            RecordCommand::SetTitle(title) => self.edit_step(|step| step.title = title),
            RecordCommand::SetStatement(text) => self.edit_step(|s| s.statement = some(text)),
            RecordCommand::SetText(text) => self.edit_step(|step| step.text = text),
            RecordCommand::SetNotes(notes) => self.edit_step(|step| step.notes = some(notes)),
            RecordCommand::SetPrediction(predict) => {
                self.edit_step(|step| step.predict = predict.map(|predict| *predict));
            }
            RecordCommand::Try => self.try_recording(ctx),
            RecordCommand::Save => match recorder.path.clone() {
                Some(path) => self.apply_record(ctx, RecordCommand::SaveTo(path)),
                None => self.dialogs.save_recording(ctx),
            },
            RecordCommand::SaveTo(path) => self.save_recording(ctx, path),
            RecordCommand::Leave(leaving) => {
                if recorder.is_unsaved() {
                    recorder.leaving = Some(leaving);
                } else {
                    self.leave_recording(ctx, leaving);
                }
            }
            RecordCommand::Discard => {
                let leaving = recorder.leaving.unwrap_or(Leaving::Recording);
                self.leave_recording(ctx, leaving);
            }
            RecordCommand::Stay => recorder.leaving = None,
        }
    }

    /// Keeps the window open and asks, if it is closed while a recorded lesson is not saved.
    pub(in crate::app) fn guard_recording(&mut self, ctx: &Context) {
        let closing = ctx.input(|i| i.viewport().close_requested());
        let recorder = self.state.recorder.as_mut().filter(|r| r.is_unsaved());
        if let Some(recorder) = recorder.filter(|_| closing) {
            recorder.leaving = Some(Leaving::Window);
            ctx.send_viewport_cmd(ViewportCommand::CancelClose);
        }
    }

    /// The link to the present state goes to the clipboard.
    pub(in crate::app) fn copy_link(&mut self, ctx: &Context) {
        // The menu and the palette say why.
        if Action::CopyLink.why_not(&self.state).is_some() {
            return;
        }
        let place = self.state_as_place();
        let page = self.state.shell.page.clone();
        let computed = &mut self.state.computed;
        computed.settled(notices::LINK_UNCOPIED);
        match place {
            Ok(place) => {
                let how = if page.is_empty() {
                    notices::LINK_HOW
                } else {
                    notices::ADDRESS_HOW
                };
                ctx.copy_text(page + &place.link);
                computed.settled(notices::LINK_COPIED);
                computed.notify(notices::LINK_COPIED, how.to_owned());
            }
            Err(why) => computed.notify(notices::LINK_UNCOPIED, why),
        }
    }

    fn edit_step(&mut self, edit: impl FnOnce(&mut LessonStep)) {
        if let Some(recorder) = &mut self.state.recorder
            && let Some(step) = recorder.steps.get_mut(recorder.chosen)
        {
            edit(step);
        }
    }

    fn record_step(&mut self, replace: bool) {
        let step = save::recorded(&self.state);
        let opened = &self.state.opened;
        let files = opened.base.as_ref().zip(opened.gallery.as_ref());
        let files = files.map(|(base, gallery)| (base.source.clone(), gallery.source.clone()));
        let (Some(recorder), Some(files)) = (&mut self.state.recorder, files) else {
            return;
        };
        let computed = &mut self.state.computed;
        computed.settled(notices::STEP_UNRECORDED);
        let known = recorder.files.as_ref().filter(|_| {
            // The only step may come from other files than its replacement.
            !(replace && recorder.steps.len() == 1)
        });
        let why = match &step {
            Err(why) => Some(why.clone()),
            Ok(_) if known.is_some_and(|known| *known != files) => {
                Some(words::OTHER_FILES.to_owned())
            }
            Ok(_) if !replace && recorder.steps.len() >= MOST_STEPS => {
                Some(words::too_many(MOST_STEPS))
            }
            Ok(_) => None,
        };
        let (Ok(mut step), None) = (step, &why) else {
            computed.notify(notices::STEP_UNRECORDED, why.unwrap_or_default());
            return;
        };
        recorder.files = Some(files);
        let at = recorder.chosen;
        if let Some(old) = recorder.steps.get_mut(at).filter(|_| replace) {
            step.title.clone_from(&old.title);
            step.statement = old.statement.take();
            step.text = std::mem::take(&mut old.text);
            step.notes = old.notes.take();
            step.predict = old.predict.take();
            step.question = old.question.take();
            *old = step;
        } else {
            let at = (at + 1).min(recorder.steps.len());
            recorder.steps.insert(at, step);
            recorder.chosen = at;
        }
    }

    fn try_recording(&mut self, ctx: &Context) {
        let draft = self.state.recorder.as_ref().and_then(Recorder::lesson);
        let Some(draft) = draft else { return };
        match open_draft(draft, &names()) {
            Ok(lesson) => self.show_lesson(ctx, lesson, LessonSource::Draft),
            Err(error) => {
                let computed = &mut self.state.computed;
                computed.settled(notices::LESSON_UNOPENED);
                computed.notify(notices::LESSON_UNOPENED, error.to_string());
            }
        }
    }

    fn save_recording(&mut self, ctx: &Context, path: std::path::PathBuf) {
        let Some(recorder) = &mut self.state.recorder else {
            return;
        };
        let Some((model, photos)) = &recorder.files else {
            return;
        };
        let (title, steps) = (recorder.title.clone(), recorder.steps.clone());
        let done = save::save_steps(&title, model, photos, &steps, &path);
        let computed = &mut self.state.computed;
        computed.settled(notices::LESSON_UNSAVED);
        match done {
            Ok(()) => {
                recorder.saved = Some((title, steps));
                recorder.path = Some(path.clone());
                computed.saved = Some(path);
                if let Some(leaving) = recorder.leaving {
                    self.leave_recording(ctx, leaving);
                }
            }
            Err(why) => {
                // Another place may do.
                recorder.path = None;
                recorder.leaving = None;
                computed.notify(notices::LESSON_UNSAVED, why);
            }
        }
    }

    fn leave_recording(&mut self, ctx: &Context, leaving: Leaving) {
        self.state.recorder = None;
        match leaving {
            Leaving::Recording => {}
            Leaving::Window => ctx.send_viewport_cmd(ViewportCommand::Close),
        }
    }
}

/// The text, unless it is empty.
fn some(text: String) -> Option<String> {
    (!text.trim().is_empty()).then_some(text)
}
