//! Files of a page: the browser gives their names and contents, and takes what is written as downloads.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use eframe::egui::{Context, Ui};
use rfd::FileHandle;

use super::{Answer, App, Dialogs, Wanted, command_for};
use crate::command::Command;
use crate::formats;
use crate::words::dialogs as words;
use crate::words::notices;
use modelens_jobs::PhotosSource;

/// Numbers the folders in which a page puts what was dropped together.
static DROPS: AtomicUsize = AtomicUsize::new(1);

impl App {
    /// Says that the browser keeps no settings.
    pub fn storage_is_denied(&mut self) {
        let why = notices::NO_STORAGE.to_owned();
        self.state.computed.notify(notices::SETTINGS_UNKEPT, why);
    }
}

/// The most that is read at once, in bytes: the page and its worker hold a file several times while it is
/// handed over, each in at most 4 GiB.
const MOST_BYTES: f64 = 600e6;

/// Why files of these names and sizes are not read; `None` if they are.
fn refused(files: &[(String, f64)]) -> Option<Answer> {
    let bytes: f64 = files.iter().map(|(_, bytes)| bytes).sum();
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    (bytes > MOST_BYTES)
        .then(|| Answer::TooLarge(words::too_large(&names.join(", "), bytes, MOST_BYTES)))
}

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
            if let Some(refused) = refused(&[(file.file_name(), file.inner().size())]) {
                let _ = sender.try_send(refused);
            } else {
                let bytes = file.read().await;
                let _ = sender.try_send(Answer::Given(vec![(path.clone(), bytes)]));
                let _ = sender.try_send((wanted.answer)(&path));
            }
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
        let sizes: Vec<(String, f64)> = files
            .iter()
            .filter_map(|file| file.web_file())
            .map(|file| (file.name(), file.size()))
            .collect();
        if let Some(refused) = refused(&sizes) {
            let _ = sender.try_send(refused);
            wake.request_repaint();
            return;
        }
        let number = DROPS.fetch_add(1, Ordering::Relaxed);
        let folder = Path::new("/").join(words::dropped(number));
        wasm_bindgen_futures::spawn_local(async move {
            let mut given = Vec::new();
            for file in files {
                let path = folder.join(file.path());
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

/// A lesson or a model among several files opens with the files beside it; photos open as a folder, and
/// one file as what it is.
pub(super) fn command_for_all(paths: &[PathBuf]) -> Option<Command> {
    let commands: Vec<Command> = paths.iter().map(|path| command_for(path)).collect();
    let lesson = commands.iter().find(|c| matches!(c, Command::Lesson(_)));
    let model = commands
        .iter()
        .find(|c| matches!(c, Command::OpenModel(source) if source.path().is_some_and(is_model)));
    match (&commands[..], lesson.or(model)) {
        ([], _) => None,
        (_, Some(chosen)) => Some(chosen.clone()),
        ([one], None) => Some(one.clone()),
        (_, None) => {
            let folder = paths.first()?.parent()?.to_owned();
            Some(Command::OpenPhotos(PhotosSource::Folder(folder)))
        }
    }
}

/// Whether the name is that of a model, and not of what lies beside one (labels, a table).
fn is_model(path: &Path) -> bool {
    let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase());
    ending.is_some_and(|ending| formats::endings().any(|known| known == ending))
}
