//! Files of a page: the browser gives their names and contents, and takes what is written as downloads.

use std::path::{Path, PathBuf};

use eframe::egui::{Context, Ui};
use rfd::FileHandle;

use super::{Answer, Dialogs, Wanted, command_for};
use crate::command::Command;
use modelens_jobs::PhotosSource;

/// The folder in which a page puts what was dropped together.
const DROPPED: &str = "/dropped";

impl Dialogs {
    /// Waits for the file that a person chooses and for its content. What is saved gets the suggested
    /// name: the browser asks where downloads go.
    pub(super) fn wait<D>(&self, ctx: &Context, wanted: Wanted, dialog: impl FnOnce() -> D)
    where
        D: Future<Output = Option<FileHandle>> + 'static,
    {
        let sender = self.sender.clone();
        let wake = ctx.clone();
        if !self.of_system {
            let _ = sender.try_send(Answer::NoDialog(wanted));
            wake.request_repaint();
            return;
        }
        if !wanted.suggested.is_empty() {
            let path = Path::new("/").join(&wanted.suggested);
            let _ = sender.try_send((wanted.answer)(&path));
            wake.request_repaint();
            return;
        }
        let dialog = dialog();
        wasm_bindgen_futures::spawn_local(async move {
            let Some(file) = dialog.await else { return };
            let path = Path::new("/").join(file.file_name());
            let bytes = file.read().await;
            let _ = sender.try_send(Answer::Given(vec![(path.clone(), bytes)]));
            let _ = sender.try_send((wanted.answer)(&path));
            wake.request_repaint();
        });
    }

    /// Reads files that were dropped on the page; they are opened once they have arrived.
    pub fn dropped(&self, ui: &Ui, _commands: &mut Vec<Command>) {
        let files = ui.input(|i| i.raw.dropped_files.clone());
        if files.is_empty() {
            return;
        }
        let sender = self.sender.clone();
        let wake = ui.ctx().clone();
        wasm_bindgen_futures::spawn_local(async move {
            let mut given = Vec::new();
            for file in files {
                let path = Path::new(DROPPED).join(file.path());
                // A folder has no bytes of its own.
                if let Ok(bytes) = file.bytes_async().await {
                    given.push((path, bytes));
                }
            }
            let paths = given.iter().map(|(path, _)| path.clone()).collect();
            let _ = sender.try_send(Answer::Given(given));
            let _ = sender.try_send(Answer::Dropped(paths));
            wake.request_repaint();
        });
    }
}

/// One file opens as what it is; a model among several opens with the files beside it; photos alone open
/// as a folder.
pub(super) fn command_for_all(paths: &[PathBuf]) -> Option<Command> {
    let commands = paths.iter().map(|path| command_for(path));
    let model = commands
        .into_iter()
        .find(|command| matches!(command, Command::OpenModel(_)));
    match (paths, model) {
        ([], _) => None,
        (_, Some(model)) => Some(model),
        ([one], None) => Some(command_for(one)),
        (_, None) => Some(Command::OpenPhotos(PhotosSource::Folder(DROPPED.into()))),
    }
}
