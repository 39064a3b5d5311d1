//! Writes what the window shows as a link, which a page puts into its address, and opens such links.

use eframe::egui::Context;

use super::App;
use super::lesson::recorded;
use crate::command::{Command, LessonCommand};
use crate::lesson::link::{self, Target};
use crate::lesson::{Lesson, LessonSource};
use crate::state::Status;
use crate::views::values::names;
use crate::words::{commands, notices as words};

/// What a window shows, as a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub link: String,
    /// True if the link opens the same elsewhere: it names no file that was given to this window.
    pub shareable: bool,
}

impl App {
    /// What the window shows; `None` while files are being opened, and where it can't be written.
    pub fn place(&self) -> Option<Place> {
        let opened = &self.state.opened;
        let opening = opened.opening_model.is_some() || opened.opening_photos.is_some();
        if opening || self.arriving.is_some() {
            return None;
        }
        if let Some(open) = &self.state.lesson {
            if open.waits {
                return None;
            }
            if let Some(link) = link::of_step(&open.source, open.step) {
                let shareable = match &open.source {
                    LessonSource::Bundled(_) | LessonSource::Link(_) => true,
                    LessonSource::File(path) => modelens_jobs::is_address(path),
                    LessonSource::Draft => false,
                };
                return Some(Place { link, shareable });
            }
        }
        self.state_as_place().ok()
    }

    /// The settings of the window, whatever lesson is open.
    ///
    /// # Errors
    /// A sentence: nothing is open, or something has no name in a link.
    pub(super) fn state_as_place(&self) -> Result<Place, String> {
        let mut step = recorded(&self.state)?;
        link::UNTITLED.clone_into(&mut step.title);
        step.hide.clone_from(&self.state.shell.hidden);
        let opened = &self.state.opened;
        let files = opened.base.as_ref().zip(opened.gallery.as_ref());
        let (base, gallery) = files.ok_or(commands::NOTHING_OPEN)?;
        Ok(Place {
            link: link::line(&base.source, &gallery.source, &step)?,
            shareable: link::can_name(&base.source, &gallery.source),
        })
    }

    /// Shows what a link says: a state as it is, a state with words or a step as a lesson. If the link can't be
    /// read, the window stays as it is and says why.
    pub fn go_to_place(&mut self, ctx: &Context, link: &str) {
        self.state.computed.settled(words::LINK_UNOPENED);
        match link::target(link, &names()) {
            Ok(Target::State(state)) => self.open_state(ctx, *state),
            Ok(Target::Lesson(_)) => {
                let source = LessonSource::Link(link.to_owned());
                self.apply(ctx, LessonCommand::Open(source).into());
            }
            Ok(Target::Step(source, step)) => self.open_step(ctx, source, step),
            Err(error) => self.tell_unread_link(&error.to_string()),
        }
        ctx.request_repaint();
    }

    /// Says that a link can't be opened.
    pub fn tell_unread_link(&mut self, why: &str) {
        let computed = &mut self.state.computed;
        computed.notify(words::LINK_UNOPENED, why.to_owned());
    }

    /// Shows a step of a lesson, which may be open already.
    pub(super) fn open_step(&mut self, ctx: &Context, source: LessonSource, step: usize) {
        let is_open = (self.state.lesson.as_ref()).is_some_and(|open| open.source == source);
        if !is_open {
            self.apply(ctx, LessonCommand::Open(source).into());
        }
        self.apply(ctx, LessonCommand::Go(step).into());
    }

    fn open_state(&mut self, ctx: &Context, state: Lesson) {
        self.close_lesson(ctx);
        self.open_files_of(ctx, &state);
        self.arriving = Some(Box::new(state));
        self.settle_state(ctx);
    }

    /// Opens the model and the photos of a lesson unless they are open or being opened.
    pub(super) fn open_files_of(&mut self, ctx: &Context, lesson: &Lesson) {
        let opened = &self.state.opened;
        let base = opened.base.as_ref().map(|b| &b.source);
        let gallery = opened.gallery.as_ref().map(|g| &g.source);
        let model = opened.opening_model.as_ref().or(base) != Some(&lesson.model);
        let photos = opened.opening_photos.as_ref().or(gallery) != Some(&lesson.photos);
        let commands = [
            model.then(|| Command::OpenModel(lesson.model.clone())),
            photos.then(|| Command::OpenPhotos(lesson.photos.clone())),
        ];
        for command in commands.into_iter().flatten() {
            self.apply(ctx, command);
        }
    }

    /// Applies the state of a link once its files are open; forgets it if they can't be opened or others are asked
    /// for.
    pub(super) fn settle_state(&mut self, ctx: &Context) {
        let Some(state) = self.arriving.take() else {
            return;
        };
        if !state.is_ready(&self.state) {
            let opened = &self.state.opened;
            let base = opened.base.as_ref().map(|b| &b.source);
            let gallery = opened.gallery.as_ref().map(|g| &g.source);
            let model = opened.opening_model.as_ref().or(base) == Some(&state.model);
            let photos = opened.opening_photos.as_ref().or(gallery) == Some(&state.photos);
            self.arriving = (model && photos).then_some(state);
            return;
        }
        if let Err(error) = state.apply(0, &mut self.state) {
            self.tell_unread_link(&error);
        }
        let step = state.steps.first();
        self.state.shell.hidden = step.map_or_else(Vec::new, |step| step.hide.clone());
        ctx.request_repaint();
    }

    /// True if closing the window loses something that the link to its state does not bring back: training runs, a
    /// recorded lesson, changed flags of a file that was given to a page.
    pub fn would_lose_work(&self) -> bool {
        let runs =
            !self.state.training.runs.is_empty() && self.state.training.status != Status::Idle;
        let recording = self.state.recorder.as_ref();
        let recording = recording.is_some_and(crate::state::Recorder::is_unsaved);
        let opened = &self.state.opened;
        let files = opened.base.as_ref().zip(opened.gallery.as_ref());
        let edited = files.is_some_and(|(base, gallery)| {
            let changed = || base.flags != base.fresh().flags || !base.noise_rates.is_empty();
            !link::can_name(&base.source, &gallery.source) && changed()
        });
        runs || recording || edited
    }
}
