//! Where models come from: the bundled bases and files, with what lies beside them.

use std::borrow::Cow;
use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use modelens_core::formats::{
    self, Beside, BesideError, Configuration, InMemory, ModelFile, OpenError,
};
use modelens_core::model::Model;

use crate::{bundled, given, given_below, machine};

/// Where a model comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ModelSource {
    /// The network of the course's lab: a new head on a frozen MobileNetV2 (Keras 3.15).
    Lab,
    /// EfficientNet-Lite0, ImageNet-1k (PyTorch).
    EfficientNetLite0,
    File(PathBuf),
    /// A file that holds weights alone, and the network that a person says they belong to: `NAME`, or
    /// `NAME:SIDE` with the size of its photos in pixels.
    Weights {
        path: PathBuf,
        architecture: String,
    },
}

/// A file that could not be opened: the cause first, the path last.
#[derive(Debug)]
pub struct OpenFailed {
    pub cause: Box<OpenError>,
    pub path: Option<PathBuf>,
}

impl fmt::Display for OpenFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.path {
            Some(path) => write!(f, "{}: {}", self.cause, path.display()),
            None => write!(f, "{}", self.cause),
        }
    }
}

impl std::error::Error for OpenFailed {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.cause)
    }
}

/// Larger files are refused before they are read: no base of a course comes near.
const MAX_FILE_BYTES: u64 = 4 << 30;

impl ModelSource {
    /// What the window calls it.
    pub fn title(&self) -> String {
        match self {
            Self::Lab => "MobileNetV2 · course lab".into(),
            Self::EfficientNetLite0 => "EfficientNet-Lite0".into(),
            Self::File(path) | Self::Weights { path, .. } => {
                let name = path.file_name().unwrap_or(path.as_os_str());
                name.to_string_lossy().into_owned()
            }
        }
    }

    /// The file, unless it is bundled.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::File(path) | Self::Weights { path, .. } => Some(path),
            Self::Lab | Self::EfficientNetLite0 => None,
        }
    }

    /// The network that a person chose for weights without a configuration.
    fn architecture(&self) -> Option<&str> {
        match self {
            Self::Weights { architecture, .. } => Some(architecture),
            Self::File(_) | Self::Lab | Self::EfficientNetLite0 => None,
        }
    }

    /// Reads the model.
    ///
    /// # Errors
    /// Anything but a complete model of a supported kind; see [`OpenError`].
    pub fn open(&self) -> Result<Model, OpenFailed> {
        machine::introduce();
        self.with_file(formats::open)
            .flatten()
            .map_err(|cause| OpenFailed {
                cause: Box::new(cause),
                path: self.path().map(Path::to_owned),
            })
    }

    /// Reads the file's bytes and passes them on with what else is known of the file.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub(crate) fn with_file<T>(
        &self,
        use_file: impl FnOnce(ModelFile<'_>) -> T,
    ) -> Result<T, OpenError> {
        let (bytes, class_names) = match self {
            Self::Lab => {
                let bytes = bundled::lab_mobilenetv2()?.into_owned();
                (bytes, Some(bundled::LAB_LABELS))
            }
            Self::EfficientNetLite0 => (bundled::efficientnet_lite0()?.into_owned(), None),
            Self::File(path) | Self::Weights { path, .. } => (read(&file_of(path))?, None),
        };
        let nothing = InMemory::default();
        let model = self.path().map(file_of);
        let folder = model.as_deref().map(|model| Folder { model });
        let beside: &dyn Beside = match &folder {
            Some(folder) => folder,
            None => &nothing,
        };
        let architecture = self.architecture();
        let (configuration, architecture) = match architecture.and_then(configuration_file) {
            Some((path, options)) => (Some(read_configuration(path)?), options),
            None => (None, architecture.map(str::to_owned)),
        };
        Ok(use_file(ModelFile {
            title: &self.title(),
            bytes,
            architecture: architecture.as_deref(),
            beside,
            class_names,
            configuration,
        }))
    }
}

/// The file of a configuration that an architecture names, `model.json` or `model.json:OPTIONS`, and the
/// options as those of a network without a name. No network's name ends like that.
fn configuration_file(architecture: &str) -> Option<(&str, Option<String>)> {
    let lower = architecture.to_ascii_lowercase();
    for ending in [".json", ".yaml", ".yml"] {
        if lower.ends_with(ending) {
            return Some((architecture, None));
        }
        if let Some(at) = lower.find(&format!("{ending}:"))
            && let Some((path, options)) = architecture.split_at_checked(at + ending.len())
        {
            return Some((path, Some(format!("auto{options}"))));
        }
    }
    None
}

fn read_configuration(path: &str) -> Result<Configuration, OpenError> {
    let bytes = read(Path::new(path));
    let bytes =
        bytes.map_err(|why| OpenError::Refused(format!("the architecture {path}: {why}")))?;
    Ok(Configuration {
        name: path.to_owned(),
        bytes,
    })
}

/// True for the folder of a TensorFlow SavedModel: a model, and no photos.
pub fn is_saved_model(path: &Path) -> bool {
    path.join("saved_model.pb").is_file()
}

/// The file in a SavedModel's folder; another path as it is.
fn file_of(path: &Path) -> Cow<'_, Path> {
    if is_saved_model(path) {
        Cow::Owned(path.join("saved_model.pb"))
    } else {
        Cow::Borrowed(path)
    }
}

fn read(path: &Path) -> Result<Vec<u8>, OpenError> {
    if let Some(bytes) = given(path) {
        return Ok(bytes.to_vec());
    }
    let about = std::fs::metadata(path)?;
    if about.is_dir() {
        let what = "it is a folder; name the file in it";
        return Err(OpenError::NotAModel(what.to_owned()));
    }
    if !about.is_file() {
        // Reading a device or a pipe may never end.
        return Err(OpenError::NotAModel("it is a device or a pipe".into()));
    }
    let too_large =
        |bytes: u64| OpenError::TooLarge(format!("{bytes} bytes, the limit is {MAX_FILE_BYTES}"));
    if about.len() > MAX_FILE_BYTES {
        return Err(too_large(about.len()));
    }
    // Growing by doubling would take half as much again.
    let mut bytes = Vec::with_capacity(about.len() as usize + 1);
    // Some files are longer than they say.
    let most = MAX_FILE_BYTES + 1;
    File::open(path)?.take(most).read_to_end(&mut bytes)?;
    if bytes.len() as u64 == most {
        return Err(too_large(most));
    }
    Ok(bytes)
}

/// Entries of a folder that are listed, at most.
const MAX_ENTRIES: usize = 10_000;

/// The folder of a model file.
struct Folder<'a> {
    model: &'a Path,
}

impl Folder<'_> {
    /// The path of a file beside the model. A name that begins with the model's own keeps that part
    /// as it is on disk, where it need not be Unicode.
    fn path(&self, name: &str) -> PathBuf {
        let stem = self.model.file_stem().unwrap_or_default();
        match name.strip_prefix(&*stem.to_string_lossy()) {
            Some(rest) => {
                let mut name = OsString::from(stem);
                name.push(rest);
                self.model.with_file_name(name)
            }
            None => self.model.with_file_name(name),
        }
    }
}

impl Beside for Folder<'_> {
    fn read(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, BesideError> {
        let path = self.path(name);
        if let Some(bytes) = given(&path) {
            let fits = bytes.len() as u64 <= limit;
            let bytes = fits.then(|| bytes.to_vec());
            return bytes.ok_or(BesideError::TooLarge(limit)).map(Some);
        }
        match std::fs::metadata(&path) {
            // A page has no file system: what it was not given is not there.
            Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::Unsupported) => {
                return Ok(None);
            }
            Err(e) => return Err(e.into()),
            Ok(about) if !about.is_file() => return Err(BesideError::NotAFile),
            Ok(_) => {}
        }
        let mut bytes = Vec::new();
        File::open(&path)?.take(limit + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > limit {
            return Err(BesideError::TooLarge(limit));
        }
        Ok(Some(bytes))
    }

    fn read_unlinked(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, BesideError> {
        match std::fs::symlink_metadata(self.path(name)) {
            Ok(about) if about.is_symlink() => Err(BesideError::Link),
            Ok(_) | Err(_) => self.read(name, limit),
        }
    }

    fn names(&self) -> Vec<String> {
        let folder = match self.model.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let names = entries
            .take(MAX_ENTRIES)
            .filter_map(|entry| entry.file_name().into_string().ok());
        let mut names: Vec<String> = names.collect();
        let given = given_below(folder).into_iter().map(|(name, _)| name);
        names.extend(given.filter(|name| !name.contains('/')));
        names.sort_unstable();
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_beside_a_model_lie_in_its_folder() {
        let path = |model: &str, name: &str| {
            let model = Path::new(model);
            Folder { model }.path(name)
        };
        assert_eq!(path("a/dogs.h5", "labels.txt"), Path::new("a/labels.txt"));
        assert_eq!(
            path("a/dogs.h5", "dogs.labels.txt"),
            Path::new("a/dogs.labels.txt")
        );
        assert_eq!(path("dogs.h5", "classes.txt"), Path::new("classes.txt"));
    }

    #[test]
    fn bundled_bases_open_with_their_class_names() {
        let model = ModelSource::Lab.open().unwrap();
        assert_eq!(model.labels, ["fish", "monument", "tool", "windmill"]);
        assert_eq!(model.labels_from, "the base");
        let model = ModelSource::EfficientNetLite0.open().unwrap();
        assert_eq!(model.labels.len(), 1000);
    }
}
