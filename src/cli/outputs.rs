//! The files that a command will write, checked before anything is computed.

use std::path::{Path, PathBuf};

use super::{Failure, at_path};
use modelens_jobs::{
    ModelSource, PhotosSource, WriteError, check_writable, folder_to_write, is_same_file,
};

/// Files in the folder of a model that say something about it, whatever its name is.
const BESIDE_MODELS: [&str; 3] = ["labels.txt", "classes.txt", "config.json"];

/// A file that will be written.
#[derive(Debug)]
struct Written {
    option: String,
    path: PathBuf,
    /// It may replace a file that the command reads.
    may_replace: bool,
}

/// The files that a command reads and those that it will write.
#[derive(Debug, Default)]
pub struct Outputs {
    read: Vec<(String, PathBuf)>,
    written: Vec<Written>,
    make_folders: bool,
}

impl Outputs {
    /// With `make_folders`, missing folders are made instead of refused.
    pub fn new(make_folders: bool) -> Self {
        Self {
            make_folders,
            ..Self::default()
        }
    }

    /// Notes a file that the command reads, and what it is, such as "the model".
    pub fn reads(&mut self, what: impl Into<String>, path: &Path) {
        self.read.push((what.into(), path.to_owned()));
    }

    /// Notes the model's file and the files beside it that were read with it.
    pub fn reads_model(&mut self, source: &ModelSource) {
        let Some(path) = source.path() else {
            return;
        };
        self.reads("the model", path);
        let own = ["labels.txt", "json"].map(|ending| path.with_extension(ending));
        let others = BESIDE_MODELS.map(|name| path.with_file_name(name));
        for beside in own.into_iter().chain(others) {
            if beside.exists() {
                self.reads("read with the model", &beside);
            }
        }
    }

    /// Notes the photos, each of a folder.
    pub fn reads_photos(&mut self, source: &PhotosSource) {
        let Some(path) = source.path() else {
            return;
        };
        if !path.is_dir() {
            self.reads("the photo", path);
            return;
        }
        let set = source.open().ok();
        for photo in set.iter().flat_map(|set| &set.photos) {
            self.reads("one of the photos", &path.join(&photo.name));
        }
    }

    /// Notes a file that `option` will write. Its name must end in one of `endings` (any if there
    /// are none).
    ///
    /// # Errors
    /// Another ending, or none.
    pub fn writes(&mut self, option: &str, path: &Path, endings: &[&str]) -> Result<(), Failure> {
        let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase());
        let fits = ending.is_some_and(|ending| endings.contains(&ending.as_str()));
        if !endings.is_empty() && !fits {
            let endings: Vec<String> = endings.iter().map(|e| format!(".{e}")).collect();
            return Err(Failure::Usage(format!(
                "{option}: the name must end in {}: {}",
                endings.join(" or "),
                path.display()
            )));
        }
        self.written.push(Written {
            option: option.to_owned(),
            path: path.to_owned(),
            may_replace: false,
        });
        Ok(())
    }

    /// Notes a file that `option` will write, and that may be one that the command reads: the user
    /// agreed to it.
    pub fn replaces(&mut self, option: &str, path: &Path) {
        self.written.push(Written {
            option: option.to_owned(),
            path: path.to_owned(),
            may_replace: true,
        });
    }

    /// Refuses files that are named twice, that are read by the same command, or that cannot be
    /// written; makes missing folders if that is wanted.
    ///
    /// # Errors
    /// Unusable arguments (status 2): nothing was written or computed.
    pub fn check(&self) -> Result<(), Failure> {
        self.check_clashes()?;
        for Written { option, path, .. } in &self.written {
            self.check_place(option, path)?;
        }
        Ok(())
    }

    /// Refuses files that are named twice or that are read by the same command.
    ///
    /// # Errors
    /// Unusable arguments (status 2): nothing was written or computed.
    pub fn check_clashes(&self) -> Result<(), Failure> {
        for (i, file) in self.written.iter().enumerate() {
            let Written { option, path, .. } = file;
            let before = &self.written[..i];
            if let Some(other) = before.iter().find(|other| is_same_file(path, &other.path)) {
                return Err(Failure::Usage(format!(
                    "{option} and {} are the same file; give each its own name: {}",
                    other.option,
                    path.display()
                )));
            }
            // Only an existing file can be one that is read.
            let may_clash = !file.may_replace && path.exists();
            let mut read = self.read.iter().filter(|_| may_clash);
            if let Some((what, _)) = read.find(|(_, other)| is_same_file(path, other)) {
                return Err(Failure::Usage(format!(
                    "{option} would replace {what}; choose another name: {}",
                    path.display()
                )));
            }
        }
        Ok(())
    }

    fn check_place(&self, option: &str, path: &Path) -> Result<(), Failure> {
        match check_writable(path) {
            Ok(()) => Ok(()),
            Err(WriteError::NoFolder) => {
                let folder = folder_to_write(path);
                if self.make_folders {
                    return std::fs::create_dir_all(&folder)
                        .map_err(|error| at_path(&format!("{option}: {error}"), &folder));
                }
                Err(Failure::Usage(format!(
                    "{option}: the folder does not exist; make it, or add --make-folders: {}",
                    folder.display()
                )))
            }
            Err(error) => Err(Failure::Usage(format!(
                "{option}: {error}: {}",
                path.display()
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(outputs: &Outputs) -> String {
        match outputs.check() {
            Err(Failure::Usage(why)) => why,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_would_be_lost_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("model.h5"), "x").unwrap();

        let mut twice = Outputs::new(false);
        twice.writes("--out", &at("a.csv"), &["csv"]).unwrap();
        twice
            .writes("--movement", &at("./a.csv"), &["csv"])
            .unwrap();
        assert!(refused(&twice).starts_with("--movement and --out are the same file"));

        let mut model = Outputs::new(false);
        model.reads("the model", &at("model.h5"));
        model.writes("--save", &at("model.h5"), &["h5"]).unwrap();
        assert!(refused(&model).starts_with("--save would replace the model"));

        let ending = Outputs::new(false).writes("--out", &at("a.txt"), &["csv"]);
        assert!(matches!(ending, Err(Failure::Usage(why)) if why.contains("end in .csv")));
    }

    #[test]
    fn missing_folders_are_named_or_made() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("new/deep/a.csv");
        let mut outputs = Outputs::new(false);
        outputs.writes("--out", &file, &[]).unwrap();
        assert!(refused(&outputs).contains("--make-folders"));
        let mut outputs = Outputs::new(true);
        outputs.writes("--out", &file, &[]).unwrap();
        assert!(outputs.check().is_ok());
        assert!(folder.path().join("new/deep").is_dir());
    }
}
