//! The settings that are remembered between starts: a small file in the system's folder for settings.

use std::io::ErrorKind::{NotFound, Unsupported};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::state::{MAX_BATCH, Recent, Settings};
use crate::words::notices as words;
use modelens_jobs::{DropoutSetting, ModelSource, PhotosSource, PredictLook};

/// The version of the file. A file of a later version is not touched.
const VERSION: u32 = 1;
const NAME: &str = "settings.json";
/// The most bytes of a settings file; a few thousand are usual.
const MOST_BYTES: u64 = 1 << 20;
/// The usable zoom: outside of it, the user could not set it back.
const ZOOM: std::ops::RangeInclusive<f32> = 0.2..=5.0;

/// The content of the file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Kept {
    pub version: u32,
    pub settings: Settings,
    /// The zoom of the window; 1 is the size of the system.
    pub zoom: f32,
    pub recent: Recent,
    /// What was open, which the chosen rules belong to; `None`: what is bundled.
    pub model: Option<ModelSource>,
    pub photos: Option<PhotosSource>,
}

impl Default for Kept {
    fn default() -> Self {
        Self {
            version: VERSION,
            settings: Settings::default(),
            zoom: 1.0,
            recent: Recent::default(),
            model: None,
            photos: None,
        }
    }
}

/// The result of reading the file.
#[derive(Debug)]
pub struct Loaded {
    pub kept: Kept,
    /// True if there is no file yet.
    pub first_start: bool,
    /// What the user should know.
    pub notice: Option<String>,
    /// Writes changes; `None` if nothing may be written.
    pub keeper: Option<Keeper>,
}

/// Writes the file when something changed.
#[derive(Debug)]
pub struct Keeper {
    path: PathBuf,
    written: Option<Kept>,
}

/// The folder for this program's settings, if the system has one.
pub fn folder() -> Option<PathBuf> {
    let folders = directories::ProjectDirs::from("", "", "modelens")?;
    Some(folders.config_dir().to_owned())
}

/// Reads the file in a folder. A file that cannot be read is renamed, and a file of a newer program is
/// not touched, so that nothing is lost. In both cases the defaults apply, and a notice says so.
pub fn load(folder: Option<&Path>) -> Loaded {
    let Some(folder) = folder else {
        return Loaded {
            kept: Kept::default(),
            first_start: false,
            notice: None,
            keeper: None,
        };
    };
    let path = folder.join(NAME);
    let keeper = |written| {
        Some(Keeper {
            path: path.clone(),
            written,
        })
    };
    let mut first_start = false;
    let (notice, keeper) = match read(&path) {
        Ok(Some(kept)) => {
            return Loaded {
                keeper: keeper(Some(kept.clone())),
                kept,
                first_start,
                notice: None,
            };
        }
        Ok(None) => {
            first_start = true;
            (None, keeper(None))
        }
        Err(Unusable::Newer(version)) => {
            let notice = words::newer_settings(version, &path.display().to_string());
            (Some(notice), None)
        }
        Err(Unusable::Broken(cause)) => {
            if let Ok(aside) = put_aside(&path) {
                let aside = aside.display().to_string();
                let notice = words::settings_aside(&cause, &aside);
                (Some(notice), keeper(None))
            } else {
                let path = path.display().to_string();
                let notice = words::settings_unwritten(&cause, &path);
                (Some(notice), None)
            }
        }
    };
    Loaded {
        kept: Kept::default(),
        first_start,
        notice,
        keeper,
    }
}

enum Unusable {
    Newer(u64),
    Broken(String),
}

/// Reads the file; `None` if there is none yet.
fn read(path: &Path) -> Result<Option<Kept>, Unusable> {
    let broken = |cause: String| Unusable::Broken(cause);
    match modelens_jobs::file_size(path) {
        // A page has no disk: what it was not given is not there.
        Err(error) if matches!(error.kind(), NotFound | Unsupported) => return Ok(None),
        Err(error) => return Err(broken(error.to_string())),
        // Reading a device or a pipe might never end.
        Ok(None) => return Err(broken(words::NOT_A_FILE.to_owned())),
        Ok(Some(bytes)) if bytes > MOST_BYTES => {
            return Err(broken(words::TOO_LARGE.to_owned()));
        }
        Ok(Some(_)) => {}
    }
    let mut text = String::new();
    let file = modelens_jobs::open_file(path);
    file.and_then(|mut file| file.read_to_string(&mut text))
        .map_err(|error| broken(error.to_string()))?;
    let value: serde_json::Value =
        serde_json::from_str(&text).map_err(|error| broken(error.to_string()))?;
    let version = value.get("version").and_then(serde_json::Value::as_u64);
    match version {
        Some(version) if version > u64::from(VERSION) => return Err(Unusable::Newer(version)),
        Some(_) => {}
        None => return Err(broken(words::NO_VERSION.to_owned())),
    }
    let kept: Kept = serde_json::from_value(value).map_err(|error| broken(error.to_string()))?;
    checked(kept).map(Some).map_err(broken)
}

/// Clamps values to what the window allows; a value that cannot be clamped makes the file broken.
fn checked(mut kept: Kept) -> Result<Kept, String> {
    let settings = &mut kept.settings;
    settings.batch = settings.batch.clamp(1, MAX_BATCH);
    let [fewest, most] = PredictLook::PASSES_RANGE;
    settings.passes = settings.passes.clamp(fewest, most);
    let [fewest, .., most] = DropoutSetting::PASSES;
    settings.monte_carlo = settings.monte_carlo.clamp(fewest, most);
    for step in &settings.pipeline.steps {
        step.layer.validate().map_err(|error| error.to_string())?;
    }
    if !kept.zoom.is_finite() {
        return Err(words::ZOOM_NO_NUMBER.to_owned());
    }
    kept.zoom = kept.zoom.clamp(*ZOOM.start(), *ZOOM.end());
    kept.recent = kept.recent.shortened();
    Ok(kept)
}

/// Renames a file that cannot be read to a free name.
fn put_aside(path: &Path) -> std::io::Result<PathBuf> {
    let name = |n: usize| path.with_file_name(format!("settings.unreadable-{n}.json"));
    let free = (1..1000).map(name).find(|aside| !aside.exists());
    let aside = free.ok_or(std::io::ErrorKind::AlreadyExists)?;
    match modelens_jobs::given(path) {
        // The page keeps what is written.
        Some(bytes) => modelens_jobs::write_whole(&aside, &bytes)
            .map_err(|error| std::io::Error::other(error.to_string()))?,
        None => std::fs::rename(path, &aside)?,
    }
    Ok(aside)
}

impl Keeper {
    /// Writes the settings if they changed since the last call.
    ///
    /// # Errors
    /// The file cannot be written. The error is a sentence; the next call tries again only after
    /// another change.
    pub fn keep(&mut self, kept: &Kept) -> Result<(), String> {
        if self.written.as_ref() == Some(kept) {
            return Ok(());
        }
        self.written = Some(kept.clone());
        write(&self.path, kept).map_err(|error| format!("{error}: {}", self.path.display()))
    }
}

/// Writes through a temporary file, so that a reader finds either the old file or the new one.
fn write(path: &Path, kept: &Kept) -> anyhow::Result<()> {
    #[cfg(not(target_family = "wasm"))]
    std::fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
    let text = serde_json::to_string_pretty(kept)?;
    Ok(modelens_jobs::write_whole(path, text.as_bytes())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed() -> Kept {
        let mut kept = Kept {
            zoom: 1.5,
            ..Kept::default()
        };
        kept.settings.batch = 9;
        kept.recent.add_model(Path::new("/models/a.h5"));
        kept.model = Some(ModelSource::File("/models/a.h5".into()));
        kept
    }

    #[test]
    fn what_is_kept_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("not there yet");
        let first = load(Some(&folder));
        assert!(first.notice.is_none());
        assert_eq!(first.kept, Kept::default());
        assert!(first.first_start);
        first.keeper.unwrap().keep(&changed()).unwrap();
        let second = load(Some(&folder));
        assert_eq!(second.kept, changed());
        assert!(!second.first_start);
        let left: Vec<_> = std::fs::read_dir(&folder).unwrap().collect();
        assert_eq!(left.len(), 1, "no temporary file is left");
    }

    #[test]
    fn a_broken_file_is_put_aside_and_said() {
        let zoom = serde_json::to_string(&changed()).unwrap();
        let wrong_type = zoom.replace("1.5", "\"large\"");
        for text in [
            "",
            "{",
            "[]",
            "{}",
            "null",
            &wrong_type,
            "{\"version\": \"1\"}",
        ] {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join(NAME), text).unwrap();
            let loaded = load(Some(folder.path()));
            assert_eq!(loaded.kept, Kept::default(), "{text}");
            assert!(loaded.notice.is_some(), "{text}");
            loaded.keeper.unwrap().keep(&changed()).unwrap();
            let aside = folder.path().join("settings.unreadable-1.json");
            assert_eq!(std::fs::read_to_string(aside).unwrap(), text);
            assert_eq!(load(Some(folder.path())).kept, changed());
        }
    }

    #[test]
    fn a_newer_file_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(NAME);
        let text = "{\"version\": 2, \"settings\": 7}";
        std::fs::write(&path, text).unwrap();
        let loaded = load(Some(folder.path()));
        assert_eq!(loaded.kept, Kept::default());
        assert!(loaded.notice.unwrap().contains("newer"));
        assert!(loaded.keeper.is_none());
        assert_eq!(std::fs::read_to_string(path).unwrap(), text);
    }

    #[test]
    fn a_file_of_an_earlier_program_lacks_settings_and_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let text = "{\"version\": 1, \"settings\": {\"batch\": 3}, \"unheard\": 1}";
        std::fs::write(folder.path().join(NAME), text).unwrap();
        let loaded = load(Some(folder.path()));
        assert!(loaded.notice.is_none());
        assert_eq!(loaded.kept.settings.batch, 3);
        assert_eq!(loaded.kept.settings.seed, Settings::default().seed);
    }

    #[test]
    fn values_out_of_range_are_brought_back() {
        let mut kept = changed();
        kept.settings.batch = 100_000;
        kept.zoom = 1e6;
        let kept = checked(kept).unwrap();
        assert_eq!(kept.settings.batch, MAX_BATCH);
        assert_eq!(kept.zoom, *ZOOM.end());
    }
}
