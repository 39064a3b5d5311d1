//! What files that come together are.

use std::path::{Path, PathBuf};

use super::command_for;
use crate::command::Command;
use crate::formats;
use modelens_jobs::PhotosSource;

/// A lesson or a model among several files opens with the files beside it; photos open as the innermost folder
/// around them, and one file as what it is.
pub fn command_for_all(paths: &[PathBuf]) -> Option<Command> {
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
