//! Opens lessons and goes through their steps.

mod apply;
mod record;
mod save;

pub(super) use save::recorded;

use std::collections::BTreeMap;
use std::sync::Arc;

use eframe::egui::Context;

use super::App;
use super::undo::Snapshot;
use crate::command::{LessonCommand, LessonSource, RecordCommand};
use crate::lesson::link::Target;
use crate::lesson::{self, Lesson, OpenLesson};
use crate::state::View;
use crate::views::values::names;
use crate::words::notices as words;

impl App {
    /// Carries out a command of lessons.
    pub(super) fn apply_lesson(&mut self, ctx: &Context, command: LessonCommand) {
        match command {
            LessonCommand::Open(source) => self.open_lesson(ctx, source),
            LessonCommand::Go(step) => self.go_to_step(ctx, step),
            LessonCommand::FreePlay(free) => {
                if let Some(open) = &mut self.state.lesson {
                    open.free = free;
                    let step = open.step;
                    if !free {
                        self.go_to_step(ctx, step);
                    }
                }
            }
            LessonCommand::ShowAnswer(show) => {
                if let Some(open) = &mut self.state.lesson {
                    open.answer = show;
                }
            }
            LessonCommand::Choose(choice) => {
                if let Some(open) = &mut self.state.lesson {
                    open.choose(choice);
                }
            }
            LessonCommand::Save(path) => match save::save(&self.state, &path) {
                Ok(()) => {
                    let computed = &mut self.state.computed;
                    computed.settled(words::LESSON_UNSAVED);
                    computed.saved = Some(path);
                }
                Err(error) => {
                    let computed = &mut self.state.computed;
                    // The notice of the last attempt replaces the one before.
                    computed.settled(words::LESSON_UNSAVED);
                    computed.notify(words::LESSON_UNSAVED, error);
                }
            },
        }
    }

    /// Moves by `by` steps. Forwards, a prediction is answered first.
    pub(super) fn step_lesson(&mut self, ctx: &Context, by: isize) {
        let Some(open) = &mut self.state.lesson else {
            return;
        };
        if by > 0 && open.is_veiled() {
            open.choose(None);
            return;
        }
        let last = open.lesson.steps.len().saturating_sub(1);
        let step = open.step.saturating_add_signed(by).min(last);
        if step != open.step || open.free {
            self.go_to_step(ctx, step);
        }
    }

    /// Switches to free play if the user chooses another view than that of the step.
    pub(super) fn leave_step(&mut self, view: View) {
        if let Some(open) = &mut self.state.lesson
            && let Some(step) = open.lesson.steps.get(open.step)
            && step.view.0 != view
        {
            open.free = true;
        }
    }

    /// Closes the lesson and restores the user's own settings.
    pub(super) fn close_lesson(&mut self, ctx: &Context) {
        if let Some(open) = self.state.lesson.take() {
            if let Some(before) = self.before_lesson.take() {
                // The lesson was opened at the start, before any base.
                if let (Some(base), false) = (&mut self.state.opened.base, before.has_base()) {
                    *base = base.fresh();
                }
                before.restore(&mut self.state);
            }
            self.state.settings = *open.before;
            // The runs of the lesson go with its settings; those of before come back.
            self.stop_runs();
            self.state.training = std::mem::take(&mut self.runs_before_lesson);
            ctx.set_theme(self.state.settings.theme);
            self.history.forget();
        }
    }

    fn open_lesson(&mut self, ctx: &Context, source: LessonSource) {
        // A link may name a step of a whole lesson.
        if let LessonSource::Link(link) = &source
            && let Ok(Target::Step(source, step)) = lesson::link::target(link, &names())
        {
            self.open_step(ctx, source, step);
            return;
        }
        let read = match &source {
            LessonSource::Bundled(number) => lesson::open_bundled(*number, &names()),
            LessonSource::File(path) => lesson::open(path, &names()),
            LessonSource::Link(link) => lesson::link::read(link, &names()),
            LessonSource::Draft => {
                self.apply_record(ctx, RecordCommand::Try);
                return;
            }
        };
        let lesson = match read {
            Ok(lesson) => {
                self.state.computed.settled(words::LESSON_UNOPENED);
                lesson
            }
            Err(error) => {
                let text = match &source {
                    LessonSource::Bundled(_) | LessonSource::Link(_) | LessonSource::Draft => {
                        error.to_string()
                    }
                    LessonSource::File(path) => format!("{error}: {}", path.display()),
                };
                let computed = &mut self.state.computed;
                computed.notify(words::LESSON_UNOPENED, text);
                return;
            }
        };
        self.show_lesson(ctx, lesson, source);
    }

    /// Opens the files of a lesson and shows its first step.
    fn show_lesson(&mut self, ctx: &Context, lesson: Lesson, source: LessonSource) {
        let lesson = Arc::new(lesson);
        let before = if let Some(open) = self.state.lesson.take() {
            open.before
        } else {
            self.before_lesson = Some(Snapshot::of(&self.state));
            // The lesson may start runs of its own; there is one experiment at a time.
            self.stop_runs();
            self.runs_before_lesson = self.state.training.clone();
            Box::new(self.state.settings.clone())
        };
        self.state.lesson = Some(OpenLesson {
            lesson: Arc::clone(&lesson),
            source,
            step: 0,
            free: false,
            answer: false,
            chosen: BTreeMap::new(),
            waits: true,
            ran: None,
            before,
        });
        self.history.forget();
        self.arriving = None;
        self.state.shell.hidden.clear();
        self.open_files_of(ctx, &lesson);
        self.go_to_step(ctx, 0);
    }

    fn go_to_step(&mut self, ctx: &Context, step: usize) {
        let Some(open) = &mut self.state.lesson else {
            return;
        };
        if step >= open.lesson.steps.len() {
            return;
        }
        open.step = step;
        open.free = false;
        open.answer = false;
        open.waits = true;
        open.ran = None;
        self.settle_lesson(ctx);
    }

    /// Applies the current step once its model and photos are open.
    pub(super) fn settle_lesson(&mut self, ctx: &Context) {
        let Some(open) = self.state.lesson.as_ref().filter(|open| open.waits) else {
            return;
        };
        let (lesson, step) = (Arc::clone(&open.lesson), open.step);
        if !lesson.is_ready(&self.state) {
            return;
        }
        // Changes in one step cannot be undone in another.
        self.history.forget();
        if let Err(error) = lesson.apply(step, &mut self.state) {
            let text = words::of_step(step + 1, &error);
            let computed = &mut self.state.computed;
            computed.notify(words::STEP_UNSHOWN, text);
        }
        if let Some(open) = &mut self.state.lesson {
            open.waits = false;
        }
        ctx.request_repaint();
    }
}
