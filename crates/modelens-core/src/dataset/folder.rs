//! Listing a folder of photos by the rules of Keras' `image_dataset_from_directory`.
//!
//! Nothing is decoded or opened here. Python sorts names by code point, which is the order of the
//! bytes of UTF-8: uppercase before lowercase, `10` before `2`.

use std::ffi::OsStr;
use std::fs::{self, DirEntry, ReadDir};
use std::io;
use std::path::{Path, PathBuf};

use include_dir::Dir;

use super::decode::check;
use super::{Photo, PhotoSet, PhotoSource};
use crate::assets;

/// What a photo's name ends with, in any case; Keras looks for all but `.webp`.
pub const EXTENSIONS: [&str; 6] = [".bmp", ".gif", ".jpeg", ".jpg", ".png", ".webp"];
/// Most directory entries that are looked at: somebody may open `/`.
const MAX_ENTRIES: usize = 1_000_000;

/// Why a folder gives no photos.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    #[error("there is no such folder or photo: {}", .0.display())]
    Missing(PathBuf),
    #[error("neither a folder nor a photo ({}): {}", extensions(), .0.display())]
    NotPhotos(PathBuf),
    #[error("no photos in the folder or its class folders (looked for {}): {}", extensions(), .0.display())]
    Empty(PathBuf),
    #[error("more than 1,000,000 files and folders inside: {}", .0.display())]
    TooMany(PathBuf),
    #[error("cannot read the folder: {cause}: {}", path.display())]
    Unreadable {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
}

fn extensions() -> String {
    EXTENSIONS.join(", ")
}

/// One photo as the walk finds it.
struct Found {
    /// The folder relative to the class, with `/`; empty for the class folder itself.
    folder: String,
    name: String,
    source: PhotoSource,
}

/// Lists the photos of a folder, or the one photo that `path` is.
///
/// - Classes: the subfolders, sorted by code point, without those whose name begins with a dot. A
///   class without photos stays a class, as in Keras.
/// - Photos of a class: folder by folder, sorted by path with the class folder first; in a folder
///   sorted by name. Photos in nested folders keep the class.
/// - Symbolic links to class folders are followed, those deeper inside are not (Python's `os.walk`),
///   so links cannot make the walk endless.
/// - Where no subfolder holds a photo, the photos directly in the folder are one class named after
///   it (Keras has no such rule with inferred labels).
///
/// # Errors
/// Where the path does not exist, is neither a folder nor a photo, cannot be read, or holds no photo.
pub fn open_folder(path: &Path) -> Result<PhotoSet, DatasetError> {
    let unreadable = |cause| DatasetError::Unreadable {
        path: path.to_owned(),
        cause,
    };
    let metadata = fs::metadata(path).map_err(|cause| match cause.kind() {
        io::ErrorKind::NotFound => DatasetError::Missing(path.to_owned()),
        _ => unreadable(cause),
    })?;
    if !metadata.is_dir() {
        return open_photo(path);
    }

    let mut walk = Walk::default();
    let (mut folders, mut direct) = (Vec::new(), Vec::new());
    for (n_entries, entry) in fs::read_dir(path).map_err(unreadable)?.enumerate() {
        if n_entries == MAX_ENTRIES {
            return Err(DatasetError::TooMany(path.to_owned()));
        }
        let entry = entry.map_err(unreadable)?;
        let name = lossy(&entry.file_name());
        match kind(&entry, Links::Follow) {
            Kind::Folder if !name.starts_with('.') => folders.push((name, entry.path())),
            Kind::File => direct.extend(found("", name, &entry)),
            _ => {}
        }
    }
    folders.sort();

    let mut classes = Vec::new();
    for (name, folder) in folders {
        let photos = walk
            .class(&folder)
            .ok_or_else(|| DatasetError::TooMany(path.to_owned()))?;
        classes.push((name, photos));
    }
    let title = folder_name(path);
    let no_photos = classes.iter().all(|(_, photos)| photos.is_empty());
    if no_photos && !direct.is_empty() {
        let photos = listed(direct, "", 0);
        return Ok(PhotoSet {
            title: title.clone(),
            root: Some(path.to_owned()),
            classes: vec![title],
            photos,
        });
    }
    if no_photos {
        return Err(match walk.first_failure {
            Some((path, cause)) => DatasetError::Unreadable { path, cause },
            None => DatasetError::Empty(path.to_owned()),
        });
    }
    Ok(assemble(title, Some(path.to_owned()), classes))
}

/// The photos inside the program, in the order of [`open_folder`].
pub fn bundled() -> PhotoSet {
    let mut folders: Vec<_> = assets::photos()
        .dirs()
        .map(|folder| (embedded_name(folder.path()), folder))
        .collect();
    folders.sort_by(|a, b| a.0.cmp(&b.0));
    let classes = folders
        .into_iter()
        .map(|(name, folder)| {
            let mut photos = Vec::new();
            embedded(folder, "", &mut photos);
            (name, photos)
        })
        .collect();
    assemble("Bundled photos".to_owned(), None, classes)
}

fn embedded(folder: &'static Dir<'static>, relative: &str, photos: &mut Vec<Found>) {
    for file in folder.files() {
        let name = embedded_name(file.path());
        if is_photo_name(&name) {
            photos.push(Found {
                folder: relative.to_owned(),
                name,
                source: PhotoSource::Bundled(file.contents()),
            });
        }
    }
    for nested in folder.dirs() {
        let relative = join(relative, &embedded_name(nested.path()));
        embedded(nested, &relative, photos);
    }
}

fn embedded_name(path: &Path) -> String {
    path.file_name().map(lossy).unwrap_or_default()
}

/// A set of the one photo at `path`; its class is named after the folder it is in.
fn open_photo(path: &Path) -> Result<PhotoSet, DatasetError> {
    let name = path.file_name().map(lossy).unwrap_or_default();
    let photo = Photo {
        name: name.clone(),
        class: 0,
        source: PhotoSource::File(path.to_owned()),
    };
    // Somebody chose this very file, so its content may speak where its name does not.
    if !is_photo_name(&name) && check(&photo).is_err() {
        return Err(DatasetError::NotPhotos(path.to_owned()));
    }
    let parent = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    Ok(PhotoSet {
        title: name,
        root: Some(parent.to_owned()),
        classes: vec![folder_name(parent)],
        photos: vec![photo],
    })
}

fn assemble(title: String, root: Option<PathBuf>, classes: Vec<(String, Vec<Found>)>) -> PhotoSet {
    let mut set = PhotoSet {
        title,
        root,
        classes: Vec::new(),
        photos: Vec::new(),
    };
    for (class, photos) in classes {
        set.photos.extend(listed(photos, &class, set.classes.len()));
        set.classes.push(class);
    }
    set
}

/// The photos of one class in Keras' order, named relative to the set's folder.
fn listed(mut found: Vec<Found>, class_folder: &str, class: usize) -> Vec<Photo> {
    found.sort_by(|a, b| (&a.folder, &a.name).cmp(&(&b.folder, &b.name)));
    found
        .into_iter()
        .map(|photo| Photo {
            name: join(&join(class_folder, &photo.folder), &photo.name),
            class,
            source: photo.source,
        })
        .collect()
}

#[derive(Default)]
struct Walk {
    n_entries: usize,
    /// The first folder that could not be read; Python's `os.walk` passes over such folders.
    first_failure: Option<(PathBuf, io::Error)>,
}

impl Walk {
    /// The photos below a class folder, in any order; `None` where there are too many entries.
    fn class(&mut self, folder: &Path) -> Option<Vec<Found>> {
        let mut found_photos = Vec::new();
        let mut waiting = vec![(String::new(), folder.to_owned())];
        while let Some((relative, folder)) = waiting.pop() {
            for entry in self.entries(&folder)? {
                let name = lossy(&entry.file_name());
                match kind(&entry, Links::Keep) {
                    Kind::Folder => waiting.push((join(&relative, &name), entry.path())),
                    Kind::File => found_photos.extend(found(&relative, name, &entry)),
                    Kind::Other => {}
                }
            }
        }
        Some(found_photos)
    }

    fn entries(&mut self, folder: &Path) -> Option<Vec<DirEntry>> {
        let left = MAX_ENTRIES - self.n_entries;
        let listed = fs::read_dir(folder)
            .and_then(|entries: ReadDir| entries.take(left + 1).collect::<io::Result<Vec<_>>>());
        let entries = listed.unwrap_or_else(|cause| {
            log::warn!("folder passed over: {cause}: {}", folder.display());
            self.first_failure
                .get_or_insert_with(|| (folder.to_owned(), cause));
            Vec::new()
        });
        if entries.len() > left {
            return None;
        }
        self.n_entries += entries.len();
        Some(entries)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Links {
    Follow,
    Keep,
}

enum Kind {
    Folder,
    File,
    Other,
}

/// What a directory entry is; only symbolic links cost a look at the file itself.
fn kind(entry: &DirEntry, links: Links) -> Kind {
    let Ok(file_type) = entry.file_type() else {
        return Kind::Other;
    };
    if file_type.is_dir() {
        return Kind::Folder;
    }
    if file_type.is_file() {
        return Kind::File;
    }
    if !file_type.is_symlink() {
        return Kind::Other;
    }
    match fs::metadata(entry.path()) {
        Ok(target) if target.is_dir() && links == Links::Follow => Kind::Folder,
        Ok(target) if target.is_dir() => Kind::Other,
        // Also a link that leads nowhere: the photo is listed, and decoding says what is wrong.
        _ => Kind::File,
    }
}

fn found(folder: &str, name: String, entry: &DirEntry) -> Option<Found> {
    is_photo_name(&name).then(|| Found {
        folder: folder.to_owned(),
        name,
        source: PhotoSource::File(entry.path()),
    })
}

fn is_photo_name(name: &str) -> bool {
    let lower = name.to_lowercase();
    EXTENSIONS.iter().any(|end| lower.ends_with(end))
}

fn join(folder: &str, name: &str) -> String {
    match (folder, name) {
        ("", _) => name.to_owned(),
        (_, "") => folder.to_owned(),
        _ => format!("{folder}/{name}"),
    }
}

fn lossy(name: &OsStr) -> String {
    name.to_string_lossy().into_owned()
}

/// The last part of a folder's path, also for `.`, `..` and links to them.
fn folder_name(path: &Path) -> String {
    if let Some(name) = path.file_name() {
        return lossy(name);
    }
    let resolved = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    resolved
        .file_name()
        .map_or_else(|| resolved.display().to_string(), lossy)
}

#[cfg(test)]
#[path = "folder_tests.rs"]
mod tests;
