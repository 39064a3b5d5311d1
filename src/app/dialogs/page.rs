//! Files of a page: the browser gives their names to the window and their contents to the worker, and takes what
//! is written as downloads.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use eframe::egui::{Context, Ui};

use super::several::command_for_all;
use super::{Answer, Dialogs, Wanted};
use crate::app::App;
use crate::command::Command;
use crate::lesson::Lesson;
use crate::words::notices;

/// What a page is to ask the person for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pick {
    /// The usual endings, without a dot.
    pub endings: Vec<&'static str>,
    /// A folder, and not files.
    pub folder: bool,
}

impl Dialogs {
    /// Has the page ask for files; [`App::opened_on_page`] opens them. What is saved gets the suggested name: the
    /// browser asks where downloads go.
    pub(super) fn wait<D>(&self, ctx: &Context, wanted: Wanted, _dialog: impl FnOnce() -> D) {
        if !self.of_system {
            let _ = self.sender.try_send(Answer::NoDialog(wanted));
        } else if wanted.suggested.is_empty() {
            self.pick.set(Some(Pick {
                endings: wanted.endings,
                folder: false,
            }));
        } else {
            let path = Path::new("/").join(&wanted.suggested);
            let _ = self.sender.try_send((wanted.answer)(&path));
        }
        ctx.request_repaint();
    }

    /// Has the page ask for a folder of photos.
    pub fn open_photos(&self, ctx: &Context) {
        self.pick.set(Some(Pick {
            endings: Vec::new(),
            folder: true,
        }));
        ctx.request_repaint();
    }

    /// Leaves a handout to the page, whose worker computes it.
    pub(super) fn write_handout(&self, ctx: &Context, path: PathBuf, lesson: Arc<Lesson>) {
        self.handout.set(Some((path, lesson)));
        ctx.request_repaint();
    }

    /// The page takes dropped files itself.
    #[allow(clippy::unused_self, reason = "as outside of a page")]
    pub fn dropped(&self, _ui: &Ui, _commands: &mut Vec<Command>) {}
}

impl App {
    /// Says that the browser keeps no settings.
    pub fn storage_is_denied(&mut self) {
        let why = notices::NO_STORAGE.to_owned();
        self.state.computed.notify(notices::SETTINGS_UNKEPT, why);
    }

    /// What the page is to ask the person for now.
    pub fn take_pick(&self) -> Option<Pick> {
        self.dialogs.pick.take()
    }

    /// The handout that the worker is to compute now, and the path that it gets.
    pub fn take_handout(&self) -> Option<(PathBuf, Arc<Lesson>)> {
        self.dialogs.handout.take()
    }

    /// Takes where the handout was written, or why it could not be.
    pub fn handout_done(&mut self, ctx: &Context, done: Result<PathBuf, String>) {
        self.answer(ctx, Answer::HandoutDone(done));
    }

    /// Opens files that the computing side has: dropped or chosen together.
    pub fn opened_on_page(&mut self, ctx: &Context, paths: &[PathBuf]) {
        for path in paths {
            modelens_jobs::announce(path.clone());
        }
        if let Some(command) = command_for_all(paths) {
            self.command(ctx, command);
        }
    }
}
