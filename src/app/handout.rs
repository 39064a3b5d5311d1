//! Computes every step of a lesson for a handout, beside the window or without one.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use eframe::egui::Context;

use super::{App, AppOptions};
use crate::command::Action;
use crate::handout::{Format, Handout};
use crate::lesson::Lesson;
use crate::state::Gallery;
use crate::words::notices as words;
use egui_svg::Images;

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
        lesson.apply(step, self.state_mut())?;
        if lesson.steps[step].view.0.shows_runs() {
            self.command(ctx, Action::StartRuns.into());
        }
        self.settle(ctx);
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

/// Computes a lesson and writes it.
///
/// # Errors
/// A sentence that says which step cannot be shown and why.
pub fn handout(lesson: &Lesson, options: HandoutOptions) -> Result<WrittenHandout, String> {
    let ctx = Context::default();
    let app_options = AppOptions {
        model: lesson.model.clone(),
        photos: lesson.photos.clone(),
        ..AppOptions::default()
    };
    let mut app = App::in_context(&ctx, app_options).map_err(|error| words::no_thread(&error))?;
    app.settle(&ctx);
    let mut handout = None;
    let mut broken = Vec::new();
    for (i, step) in lesson.steps.iter().enumerate() {
        let failed = |why: String| words::of_step(i + 1, &why);
        app.compute_step(&ctx, lesson, i).map_err(failed)?;
        broken.extend(app.broken_expectations(lesson, i));
        let state = app.state();
        let images = Images::without_window(&ctx);
        let handout = handout.get_or_insert_with(|| Handout::new(lesson, state));
        handout
            .add(step, state, &images, options.format, options.notes)
            .map_err(|error| failed(error.to_string()))?;
    }
    let handout = handout.unwrap_or_else(|| Handout::new(lesson, app.state()));
    let bytes = handout.bytes(options.format).map_err(|e| e.to_string())?;
    Ok(WrittenHandout { bytes, broken })
}

/// Computes a lesson and writes it to a file, whose dialog has asked whether to replace another.
#[cfg_attr(
    target_family = "wasm",
    allow(dead_code, reason = "a page has no second thread")
)]
pub(super) fn save(lesson: &Lesson, path: &Path) -> Result<PathBuf, String> {
    let format = Format::of(path).unwrap_or(Format::Html);
    let options = HandoutOptions {
        format,
        notes: false,
    };
    let written = handout(lesson, options)?;
    modelens_jobs::write_whole(path, &written.bytes)
        .map_err(|error| format!("{error}: {}", path.display()))?;
    Ok(path.to_owned())
}
