//! Computes every step of a lesson for a handout, beside the window or without one.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use eframe::egui::Context;

use super::{App, AppOptions, WAIT};
use crate::command::Action;
use crate::handout::{Format, Handout};
use crate::lesson::Lesson;
use crate::state::Gallery;
use crate::theme;
use crate::words::notices as words;
use egui_svg::Images;
use modelens_jobs::{Jobs, Options, system_clock};

/// What a handout holds beside the lesson.
#[derive(Clone, Copy, Debug)]
pub struct HandoutOptions {
    pub format: Format,
    /// With the speaker notes.
    pub notes: bool,
}

/// The bytes of a handout, and the expectations that do not hold, each with its step.
#[derive(Debug)]
pub struct WrittenHandout {
    pub bytes: Vec<u8>,
    pub broken: Vec<String>,
}

impl App {
    /// Computes a step of a lesson whose model and photos are open, its training runs too.
    ///
    /// # Errors
    /// A sentence that says why the step cannot be shown.
    pub fn compute_step(
        &mut self,
        ctx: &Context,
        lesson: &Lesson,
        step: usize,
    ) -> Result<(), String> {
        self.begin_step(ctx, lesson, step)?;
        self.settle(ctx);
        self.step_failure()
    }

    fn begin_step(&mut self, ctx: &Context, lesson: &Lesson, step: usize) -> Result<(), String> {
        lesson.apply(step, self.state_mut())?;
        if lesson.steps[step].view.0.shows_runs() {
            self.command(ctx, Action::StartRuns.into());
        }
        Ok(())
    }

    /// Why a computed step can't be shown.
    fn step_failure(&self) -> Result<(), String> {
        let state = self.state();
        let notice = state.computed.notices.first().map(|notice| &notice.text);
        if let Some(why) = notice.or(state.training.failure.as_ref()) {
            return Err(why.clone());
        }
        let gallery = state.opened.gallery.as_ref();
        match gallery.and_then(Gallery::chosen_unreadable) {
            Some(why) => Err(why),
            None => Ok(()),
        }
    }

    /// What a step expects and does not find.
    pub fn broken_expectations(&self, lesson: &Lesson, step: usize) -> Vec<String> {
        let (state, number) = (self.state(), step + 1);
        let step = &lesson.steps[step];
        let expected = step.expectations(state.semantics());
        let broken = expected.filter(|e| e.holds(state) != Some(true));
        let told = |broken: String| words::broken_in_step(number, &step.title, &broken);
        let mut all: Vec<String> = broken.map(|e| told(e.broken(state))).collect();
        let predict = step.predict.as_ref();
        if predict.is_some_and(|p| p.is_contradicted(state.semantics(), state)) {
            all.push(told(words::PREDICTION_CONTRADICTED.to_owned()));
        }
        all
    }

    /// Asks where to save the handout of the open lesson.
    pub(super) fn ask_for_handout(&mut self, ctx: &Context) {
        if let Some(open) = &self.state.lesson {
            self.dialogs.save_handout(ctx, Arc::clone(&open.lesson));
        }
    }
}

/// A handout that is computed a little at a time.
pub struct HandoutMaker {
    app: App,
    ctx: Context,
    lesson: Lesson,
    options: HandoutOptions,
    /// The step that is being computed; `None` while the files are being opened.
    step: Option<usize>,
    handout: Option<Handout>,
    broken: Vec<String>,
}

impl HandoutMaker {
    /// Asks these jobs for the model and the photos of the lesson.
    pub fn new(lesson: Lesson, options: HandoutOptions, jobs: Box<dyn Jobs>) -> Self {
        let ctx = Context::default();
        let app_options = AppOptions {
            model: lesson.model.clone(),
            photos: lesson.photos.clone(),
            ..AppOptions::default()
        };
        Self {
            app: App::with_jobs(&ctx, app_options, jobs),
            ctx,
            lesson,
            options,
            step: None,
            handout: None,
            broken: Vec::new(),
        }
    }

    /// Takes what the jobs have computed since the last call, and asks for more; `None` until the handout is
    /// complete.
    ///
    /// # Errors
    /// A sentence that says which step cannot be shown and why.
    pub fn go_on(&mut self) -> Option<Result<WrittenHandout, String>> {
        self.app.step(&self.ctx);
        if self.app.is_busy() {
            return None;
        }
        self.next_step().transpose()
    }

    /// Draws the step that is computed and begins the next one.
    fn next_step(&mut self) -> Result<Option<WrittenHandout>, String> {
        let next = match self.step {
            Some(step) => {
                self.draw(step)
                    .map_err(|why| words::of_step(step + 1, &why))?;
                step + 1
            }
            None => 0,
        };
        self.step = Some(next);
        if next < self.lesson.steps.len() {
            let began = self.app.begin_step(&self.ctx, &self.lesson, next);
            began.map_err(|why| words::of_step(next + 1, &why))?;
            return Ok(None);
        }
        let handout = self.handout.take();
        let handout = handout.unwrap_or_else(|| Handout::new(&self.lesson, self.app.state()));
        let bytes = handout.bytes(self.options.format);
        Ok(Some(WrittenHandout {
            bytes: bytes.map_err(|error| error.to_string())?,
            broken: std::mem::take(&mut self.broken),
        }))
    }

    fn draw(&mut self, step: usize) -> Result<(), String> {
        self.app.step_failure()?;
        self.broken
            .extend(self.app.broken_expectations(&self.lesson, step));
        let state = self.app.state();
        let images = Images::without_window(&self.ctx);
        let lesson = &self.lesson;
        let handout = (self.handout).get_or_insert_with(|| Handout::new(lesson, state));
        let HandoutOptions { format, notes } = self.options;
        handout
            .add(&lesson.steps[step], state, &images, format, notes)
            .map_err(|error| error.to_string())
    }
}

/// Computes a lesson and writes it.
///
/// # Errors
/// A sentence that says which step cannot be shown and why.
pub fn handout(lesson: &Lesson, options: HandoutOptions) -> Result<WrittenHandout, String> {
    let job_options = Options {
        clock: system_clock,
        fonts: theme::fonts::FOR_FIGURES,
    };
    let jobs = modelens_jobs::start(job_options, || {}).map_err(|e| words::no_thread(&e))?;
    let mut maker = HandoutMaker::new(lesson.clone(), options, jobs);
    loop {
        if let Some(done) = maker.go_on() {
            return done;
        }
        if maker.app.is_busy() {
            std::thread::sleep(WAIT);
        }
    }
}

/// What a file of this name holds by default.
pub fn options_for(path: &Path) -> HandoutOptions {
    HandoutOptions {
        format: Format::of(path).unwrap_or(Format::Html),
        notes: false,
    }
}

/// Computes a lesson and writes it to a file, whose dialog has asked whether to replace another.
#[cfg_attr(
    target_family = "wasm",
    allow(dead_code, reason = "the worker of a page computes it")
)]
pub(super) fn save(lesson: &Lesson, path: &Path) -> Result<PathBuf, String> {
    let written = handout(lesson, options_for(path))?;
    modelens_jobs::write_whole(path, &written.bytes)
        .map_err(|error| format!("{error}: {}", path.display()))?;
    Ok(path.to_owned())
}
