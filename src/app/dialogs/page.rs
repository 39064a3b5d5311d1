//! Files of a page: the browser gives their names to the window and their contents to the worker, and takes what
//! is written as downloads.

use std::path::{Path, PathBuf};
#[cfg(target_family = "wasm")]
use std::sync::Arc;

#[cfg(target_family = "wasm")]
use eframe::egui::{Context, Ui};

use super::command_for;
#[cfg(target_family = "wasm")]
use super::{Answer, Dialogs, Wanted};
#[cfg(target_family = "wasm")]
use crate::app::App;
use crate::command::Command;
use crate::formats;
#[cfg(target_family = "wasm")]
use crate::lesson::Lesson;
use modelens_jobs::PhotosSource;

/// What a page is to ask the person for.
#[cfg(target_family = "wasm")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pick {
    /// The usual endings, without a dot.
    pub endings: Vec<&'static str>,
    /// A folder, and not files.
    pub folder: bool,
}

#[cfg(target_family = "wasm")]
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

#[cfg(target_family = "wasm")]
impl App {
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

/// A lesson or a model among several files opens with the files beside it; photos open as the innermost folder
/// around them, and one file as what it is.
fn command_for_all(paths: &[PathBuf]) -> Option<Command> {
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
            let mut folder = paths.first()?.parent()?;
            while !paths.iter().all(|path| path.starts_with(folder)) {
                folder = folder.parent()?;
            }
            Some(Command::OpenPhotos(PhotosSource::Folder(folder.to_owned())))
        }
    }
}

/// Whether the name is that of a model, and not of what lies beside one (labels, a table).
fn is_model(path: &Path) -> bool {
    let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase());
    ending.is_some_and(|ending| formats::endings().any(|known| known == ending))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::LessonCommand;
    use modelens_jobs::ModelSource;

    #[test]
    fn files_that_come_together_open_as_one_thing() {
        let all = |names: &[&str]| {
            let paths: Vec<PathBuf> = names
                .iter()
                .map(|name| Path::new("/in").join(name))
                .collect();
            command_for_all(&paths)
        };
        let photos = |folder: &str| Some(Command::OpenPhotos(PhotosSource::Folder(folder.into())));
        let model = Command::OpenModel(ModelSource::File("/in/net.onnx".into()));
        assert_eq!(all(&[]), None);
        assert_eq!(all(&["a.jpg", "net.onnx", "net.onnx.data"]), Some(model));
        assert_eq!(all(&["cats/a.jpg", "cats/b.jpg"]), photos("/in/cats"));
        assert_eq!(
            all(&["pets/cat/a.jpg", "pets/dog/b.jpg"]),
            photos("/in/pets")
        );
        assert_eq!(all(&["a.jpg", "pets/dog/b.jpg"]), photos("/in"));
        let lesson = all(&["net.onnx", "own.toml"]);
        assert!(matches!(
            lesson,
            Some(Command::Lesson(LessonCommand::Open(_)))
        ));
        let one = Command::OpenPhoto("/in/a.jpg".into());
        assert_eq!(all(&["a.jpg"]), Some(one));
    }
}
