//! The paths in a lesson, which stay inside its folder.

use std::path::{Component, Path, PathBuf};

use modelens_jobs::{ModelSource, PhotosSource, is_address, is_announced};

/// The word for the bundled photos.
pub const BUNDLED_PHOTOS: &str = "bundled";
/// The words for the bundled bases.
pub const BUNDLED_MODELS: [(&str, ModelSource); 2] = [
    ("lab_mobilenetv2", ModelSource::Lab),
    ("efficientnet_lite0", ModelSource::EfficientNetLite0),
];

/// The endings of archives that a lesson can name as its photos.
const PHOTO_ARCHIVES: [&str; 6] = ["zip", "tar", "tgz", "gz", "npz", "npy"];

/// The model that a lesson in `folder` names.
pub fn model(name: &str, folder: Option<&Path>) -> Result<ModelSource, String> {
    let bundled = BUNDLED_MODELS.into_iter().find(|(word, _)| *word == name);
    match bundled {
        Some((_, source)) => Ok(source),
        None => Ok(ModelSource::File(inside(name, folder)?)),
    }
}

/// The photos that a lesson in `folder` names.
pub fn photos(name: &str, folder: Option<&Path>) -> Result<PhotosSource, String> {
    if name == BUNDLED_PHOTOS {
        return Ok(PhotosSource::Bundled);
    }
    let path = inside(name, folder)?;
    let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase());
    let is_archive = ending.is_some_and(|ending| PHOTO_ARCHIVES.contains(&ending.as_str()));
    if !is_archive && !path.is_dir() && !is_announced(&path) {
        return Err(format!(
            "this is neither a folder of photos nor an archive ({}): `{name}`",
            PHOTO_ARCHIVES.join(", ")
        ));
    }
    Ok(PhotosSource::Folder(path))
}

/// An existing path inside the folder, after symbolic links are resolved.
fn inside(name: &str, folder: Option<&Path>) -> Result<PathBuf, String> {
    let Some(folder) = folder else {
        // A page opens what it can fetch, and what it was given before.
        let path = PathBuf::from(name);
        return match (is_address(&path), is_announced(&path)) {
            (true, _) if !cfg!(target_family = "wasm") => Err(format!(
                "only the page in a browser fetches files; download this one: `{name}`"
            )),
            (false, false) => Err(format!("nothing with this name is bundled: `{name}`")),
            (true, _) | (_, true) => Ok(path),
        };
    };
    let leaves = || format!("`{name}` leaves the folder of the lesson");
    // A lesson may move to another system: refuse the separators of all systems.
    if name.contains(['\\', ':']) {
        return Err(format!(
            "not a relative path with `/` between its parts: `{name}`"
        ));
    }
    let is_down = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
    if name.is_empty() || !Path::new(name).components().all(is_down) {
        return Err(leaves());
    }
    let path = folder.join(name);
    // What a page was given or fetches has no place on a disk, and no links lead out of it.
    if is_announced(&path) || is_address(folder) {
        return Ok(path);
    }
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let real = |path: &Path| {
        std::fs::canonicalize(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                format!("there is no such file beside the lesson: `{name}`")
            }
            _ => format!("this cannot be read ({error}): `{name}`"),
        })
    };
    if !real(&path)?.starts_with(real(folder)?) {
        return Err(leaves());
    }
    Ok(path)
}

/// How a lesson in `folder` names a model.
fn model_name(source: &ModelSource, folder: &Path, home: Option<&Path>) -> Result<String, String> {
    match source {
        ModelSource::File(path) => return relative(path, folder, home),
        ModelSource::Weights { path, .. } => {
            return Err(format!(
                "{} holds weights without a configuration; a lesson needs a whole model",
                path.display()
            ));
        }
        ModelSource::Lab | ModelSource::EfficientNetLite0 => {}
    }
    let mut bundled = BUNDLED_MODELS.into_iter();
    let found = bundled.find(|(_, known)| known == source);
    Ok(found.map(|(word, _)| word.to_owned()).unwrap_or_default())
}

/// How a lesson in `folder` names photos.
fn photos_name(
    source: &PhotosSource,
    folder: &Path,
    home: Option<&Path>,
) -> Result<String, String> {
    match source {
        PhotosSource::Bundled => Ok(BUNDLED_PHOTOS.to_owned()),
        PhotosSource::Folder(path) => relative(path, folder, home),
    }
}

/// The innermost folder that contains both, so that a lesson in it can name both; `None` if both are
/// bundled or a file is missing.
fn home(model: &ModelSource, photos: &PhotosSource) -> Option<PathBuf> {
    let real = |path: &Path| std::fs::canonicalize(path).ok();
    let model = match model.path() {
        Some(path) => Some(real(path)?.parent()?.to_owned()),
        None => None,
    };
    let photos = match photos {
        PhotosSource::Folder(path) => Some(real(path)?),
        PhotosSource::Bundled => None,
    };
    let (Some(a), Some(b)) = (&model, &photos) else {
        return model.or(photos);
    };
    let shared = a.ancestors().find(|folder| b.starts_with(folder));
    shared.map(Path::to_owned)
}

/// How a lesson in `folder` names both.
pub fn names(
    model: &ModelSource,
    photos: &PhotosSource,
    folder: &Path,
) -> Result<[String; 2], String> {
    let home = home(model, photos);
    Ok([
        model_name(model, folder, home.as_deref())?,
        photos_name(photos, folder, home.as_deref())?,
    ])
}

fn relative(path: &Path, folder: &Path, home: Option<&Path>) -> Result<String, String> {
    let real = |path: &Path| std::fs::canonicalize(path).map_err(|error| error.to_string());
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let (path, folder) = (real(path)?, real(folder)?);
    let within = path.strip_prefix(&folder).map_err(|_| {
        format!(
            "{} is outside of the lesson's folder, {}; a lesson can only name files in its own \
             folder: save it in {}",
            path.display(),
            folder.display(),
            home.or(path.parent()).unwrap_or(&path).display()
        )
    })?;
    let parts = within.components().map(|c| c.as_os_str().to_str());
    let parts: Option<Vec<&str>> = parts.collect();
    let name = parts.map(|parts| parts.join("/"));
    let name = name.ok_or_else(|| format!("the name is not Unicode: {}", path.display()))?;
    // The lesson may be in the folder of the photos.
    Ok(if name.is_empty() {
        ".".to_owned()
    } else {
        name
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_in_the_folder() {
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("lesson");
        std::fs::create_dir_all(folder.join("photos/cats")).unwrap();
        std::fs::write(outer.path().join("secret.h5"), "x").unwrap();
        std::fs::write(folder.join("base.h5"), "x").unwrap();
        let of = |name: &str| model(name, Some(&folder));
        assert_eq!(of("base.h5"), Ok(ModelSource::File(folder.join("base.h5"))));
        assert_eq!(of("./base.h5").map(|_| ()), Ok(()));
        let absolute = outer.path().join("secret.h5");
        for name in [
            "../secret.h5",
            "photos/../../secret.h5",
            absolute.to_str().unwrap(),
            "..\\secret.h5",
            "c:\\secret.h5",
            "",
            "missing.h5",
        ] {
            assert!(of(name).is_err(), "{name}");
        }
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(&absolute, folder.join("link.h5")).unwrap();
            assert!(of("link.h5").unwrap_err().contains("leaves"));
        }
        assert!(photos("photos", Some(&folder)).is_ok());
        let gone = photos("nowhere", Some(&folder)).unwrap_err();
        assert!(gone.starts_with("there is no such file") && gone.ends_with("`nowhere`"));
        assert!(photos("base.h5", Some(&folder)).is_err());
        assert!(
            photos("photos", None).is_err(),
            "nothing but what is bundled"
        );
        let cats = PhotosSource::Folder(folder.join("photos/cats"));
        let bundled = ModelSource::Lab;
        let of = |place: &Path| names(&bundled, &cats, place).map(|[_, photos]| photos);
        assert_eq!(of(&folder), Ok("photos/cats".to_owned()));
        assert_eq!(of(&folder.join("photos/cats")), Ok(".".to_owned()));
        assert!(photos(".", Some(&folder)).is_ok());
        // Where both can be named is told, whichever of them is outside.
        let base = ModelSource::File(folder.join("base.h5"));
        let home = std::fs::canonicalize(&folder).unwrap();
        for place in [folder.join("photos"), folder.join("photos/cats")] {
            let why = names(&base, &cats, &place).unwrap_err();
            let told = format!("save it in {}", home.display());
            assert!(why.contains("outside") && why.ends_with(&told), "{why}");
        }
        assert!(names(&base, &cats, &home).is_ok());
    }
}
