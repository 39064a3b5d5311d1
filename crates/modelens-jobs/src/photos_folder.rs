//! Folders of photos on disk, and the bundled photos.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::fs::{self, DirEntry};
use std::io::{self, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::{bundled, given, given_below, photos_data};
use modelens_core::dataset::archive::{self, ArchiveError, ArchiveKind};
use modelens_core::dataset::decode::DecodeCause;
use modelens_core::dataset::listing::{self, EXTENSIONS, Listing, MAX_ENTRIES};
use modelens_core::dataset::{Photo, PhotoFiles, PhotoList, PhotoSet, PhotosInMemory};

/// Why a folder gives no photos.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    #[error("there is no such folder or photo: {}", .0.display())]
    Missing(PathBuf),
    #[error("neither a folder nor a photo ({}): {}", EXTENSIONS.join(", "), .0.display())]
    NotPhotos(PathBuf),
    #[error("no photos in the folder or its class folders (looked for {}): {}", EXTENSIONS.join(", "), .0.display())]
    Empty(PathBuf),
    #[error("more than 1,000,000 files and folders inside: {}", .0.display())]
    TooMany(PathBuf),
    #[error("{cause}: {}", path.display())]
    Archive { path: PathBuf, cause: ArchiveError },
    /// A file that is something else, and what to do.
    #[error("{what}: {}", path.display())]
    Other { path: PathBuf, what: String },
    #[error("cannot read the folder: {cause}: {}", path.display())]
    Unreadable {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
}

/// Lists the photos of a folder or an archive by the rules of [`listing::list`], or the one photo that
/// `path` is.
///
/// Symbolic links to class folders are followed, those deeper inside are not (as in Python's
/// `os.walk`), so links cannot make the walk endless.
///
/// # Errors
/// A path that does not exist, is none of these, cannot be read, or holds no photo.
pub fn open_folder(path: &Path) -> Result<PhotoSet, FolderError> {
    if given(path).is_some() {
        return open_file(path);
    }
    if !given_below(path).is_empty() {
        return open_directory(path, None);
    }
    let unreadable = |cause| FolderError::Unreadable {
        path: path.to_owned(),
        cause,
    };
    let metadata = fs::metadata(path).map_err(|cause| match cause.kind() {
        io::ErrorKind::NotFound => FolderError::Missing(path.to_owned()),
        _ => unreadable(cause),
    })?;
    if metadata.is_dir() {
        open_directory(path, None)
    } else {
        open_file(path)
    }
}

/// The photos that a folder holds by the rules of [`open_folder`].
fn walk(path: &Path) -> Result<Walk, FolderError> {
    let unreadable = |cause| FolderError::Unreadable {
        path: path.to_owned(),
        cause,
    };
    let given = given_below(path);
    if !given.is_empty() {
        let photos = given.into_iter().map(|(name, _)| name);
        let photos = photos.filter(|name| listing::is_photo(name));
        return Ok(Walk {
            photos: photos.map(|name| (name.clone(), path.join(name))).collect(),
            ..Walk::default()
        });
    }
    let too_many = || FolderError::TooMany(path.to_owned());
    let mut walk = Walk::default();
    let mut folders = Vec::new();
    for (n_entries, entry) in fs::read_dir(path).map_err(unreadable)?.enumerate() {
        if n_entries == MAX_ENTRIES {
            return Err(too_many());
        }
        let entry = entry.map_err(unreadable)?;
        let name = lossy(&entry.file_name());
        match entry_kind(&entry, Links::Follow) {
            EntryKind::Folder if listing::is_class(&name) => folders.push((name, entry.path())),
            EntryKind::File => walk.add(name, &entry),
            EntryKind::Folder | EntryKind::Other => {}
        }
    }
    // In order, so that it does not depend on the file system which failure is told.
    folders.sort();
    for (name, folder) in &folders {
        walk.class(name, folder).ok_or_else(too_many)?;
    }
    Ok(walk)
}

/// The photos of a folder, with the classes of a table that a person chose.
fn open_directory(path: &Path, table: Option<&Path>) -> Result<PhotoSet, FolderError> {
    let walk = walk(path)?;
    let title = folder_name(path);
    let Some(listed) = listing::list(&title, walk.folders, walk.photos) else {
        if let Some(opened) = photos_data::open_data_folder(path) {
            return opened;
        }
        return Err(match walk.first_failure {
            Some((path, cause)) => FolderError::Unreadable { path, cause },
            None => FolderError::Empty(path.to_owned()),
        });
    };
    let Listing {
        classes,
        photos,
        mut files,
        notes,
        has_classes,
    } = listed;
    let mut list = PhotoList {
        title,
        classes,
        photos,
        notes,
        as_given: false,
    };
    let named = match table {
        Some(table) => {
            let name = table.file_name().map(lossy).unwrap_or_default();
            photos_data::table_at(table)?.apply(&mut list, &name)
        }
        None => photos_data::labelled(path, &mut list, has_classes),
    };
    match (named, table) {
        (Some(places), _) => files = places.into_iter().map(|i| files[i].clone()).collect(),
        (None, Some(table)) => {
            return Err(FolderError::Other {
                path: table.to_owned(),
                what: "the table names none of the photos in its folder".to_owned(),
            });
        }
        (None, None) => {}
    }
    Ok(PhotoSet {
        list,
        files: Arc::new(Paths(files)),
    })
}

/// The photos that come with the program.
pub fn bundled_photos() -> PhotoSet {
    let title = "Bundled photos".to_owned();
    in_memory(title.clone(), bundled::photos()).unwrap_or_else(|| PhotoSet {
        list: PhotoList {
            title,
            classes: Vec::new(),
            photos: Vec::new(),
            notes: Vec::new(),
            as_given: false,
        },
        files: Arc::new(PhotosInMemory(Vec::new())),
    })
}

/// The photos among these files; `None` if there are none.
fn in_memory(title: String, files: Vec<(String, Cow<'static, [u8]>)>) -> Option<PhotoSet> {
    let listing = listing::list(&title, [], files)?;
    Some(PhotoSet {
        list: PhotoList {
            title,
            classes: listing.classes,
            photos: listing.photos,
            notes: listing.notes,
            as_given: false,
        },
        files: Arc::new(PhotosInMemory(listing.files)),
    })
}

/// The photos of an archive, or the one photo that a file is. Its content counts, not its name.
fn open_file(path: &Path) -> Result<PhotoSet, FolderError> {
    let unreadable = |cause| FolderError::Unreadable {
        path: path.to_owned(),
        cause,
    };
    // Opening a named pipe would wait for a writer.
    if !given::is_file(path) {
        return open_photo(path);
    }
    let mut start = Vec::new();
    let mut file = given::open(path).map_err(unreadable)?;
    let read = file.by_ref().take(512).read_to_end(&mut start);
    read.map_err(unreadable)?;
    if let Some(opened) = photos_data::open_numbers(path, &start) {
        return opened;
    }
    let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase());
    if let (Some("csv" | "tsv"), Some(folder)) = (ending.as_deref(), path.parent()) {
        return open_directory(folder, Some(path));
    }
    if let Some(kind) = ArchiveKind::of(&start) {
        let name = path.file_name().map(lossy).unwrap_or_default();
        let name = name.strip_suffix(".gz").unwrap_or(&name);
        let title = name.rsplit_once('.').map_or(name, |(title, _)| title);
        let file = BufReader::new(given::open(path).map_err(unreadable)?);
        let place = path.display().to_string();
        return archive::open(kind, file, title, &place).map_err(|cause| FolderError::Archive {
            path: path.to_owned(),
            cause,
        });
    }
    if let Some(what) = modelens_core::not_downloaded(&start) {
        let path = path.to_owned();
        return Err(FolderError::Other { path, what });
    }
    open_photo(path)
}

/// A set of the one photo at `path`; its class is named after the folder it is in.
fn open_photo(path: &Path) -> Result<PhotoSet, FolderError> {
    let name = path.file_name().map(lossy).unwrap_or_default();
    let parent = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let set = PhotoSet {
        list: PhotoList {
            title: name.clone(),
            classes: vec![folder_name(parent)],
            photos: vec![Photo {
                name,
                class: 0,
                part: None,
            }],
            notes: Vec::new(),
            as_given: false,
        },
        files: Arc::new(Paths(vec![path.to_owned()])),
    };
    // Somebody chose this very file, so its content counts where its name does not tell.
    if !listing::is_photo(&set.title) && set.check(0).is_err() {
        return Err(FolderError::NotPhotos(path.to_owned()));
    }
    Ok(set)
}

/// The files of a set, in the order of its photos.
#[derive(Debug)]
struct Paths(Vec<PathBuf>);

impl PhotoFiles for Paths {
    fn size(&self, photo: usize) -> Result<u64, DecodeCause> {
        // Asked before opening, because opening a named pipe would wait for a writer.
        given::size(&self.0[photo])?.ok_or(DecodeCause::NotAFile)
    }

    fn read(&self, photo: usize, limit: u64) -> Result<Cow<'_, [u8]>, DecodeCause> {
        let mut bytes = Vec::new();
        // Bounded even if the file grows meanwhile.
        let mut file = given::open(&self.0[photo])?.take(limit);
        file.read_to_end(&mut bytes)?;
        Ok(Cow::Owned(bytes))
    }

    fn place(&self, photo: usize) -> Option<String> {
        Some(self.0[photo].display().to_string())
    }
}

/// The photos that a walk has found.
#[derive(Default)]
struct Walk {
    /// Paths relative to the folder, with `/` between names, and the files.
    photos: Vec<(String, PathBuf)>,
    /// The paths of all folders, empty ones too.
    folders: Vec<String>,
    n_entries: usize,
    /// The first folder that could not be read; the walk skips it, as Python's `os.walk` does.
    first_failure: Option<(PathBuf, io::Error)>,
}

impl Walk {
    /// Adds a file if it is a photo.
    fn add(&mut self, relative: String, entry: &DirEntry) {
        if listing::is_photo(&relative) {
            self.photos.push((relative, entry.path()));
        }
    }

    /// Adds the photos inside a class folder; `None` if there are too many entries.
    fn class(&mut self, name: &str, folder: &Path) -> Option<()> {
        let mut waiting = vec![(name.to_owned(), folder.to_owned())];
        while let Some((relative, folder)) = waiting.pop() {
            self.folders.push(relative.clone());
            for entry in self.entries(&folder)? {
                let relative = format!("{relative}/{}", lossy(&entry.file_name()));
                match entry_kind(&entry, Links::Keep) {
                    EntryKind::Folder => waiting.push((relative, entry.path())),
                    EntryKind::File => self.add(relative, &entry),
                    EntryKind::Other => {}
                }
            }
        }
        Some(())
    }

    fn entries(&mut self, folder: &Path) -> Option<Vec<DirEntry>> {
        let left = MAX_ENTRIES - self.n_entries;
        let listed = fs::read_dir(folder)
            .and_then(|entries| entries.take(left + 1).collect::<io::Result<Vec<_>>>());
        let entries = listed.unwrap_or_else(|cause| {
            log::warn!("skipped a folder: {cause}: {}", folder.display());
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

/// What to do with a symbolic link to a folder.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Links {
    Follow,
    Keep,
}

enum EntryKind {
    Folder,
    File,
    Other,
}

/// What a directory entry is. Only symbolic links cost a look at the file itself.
fn entry_kind(entry: &DirEntry, links: Links) -> EntryKind {
    let Ok(file_type) = entry.file_type() else {
        return EntryKind::Other;
    };
    if file_type.is_dir() {
        return EntryKind::Folder;
    }
    if file_type.is_file() {
        return EntryKind::File;
    }
    if !file_type.is_symlink() {
        return EntryKind::Other;
    }
    match fs::metadata(entry.path()) {
        Ok(target) if target.is_dir() && links == Links::Follow => EntryKind::Folder,
        Ok(target) if target.is_dir() => EntryKind::Other,
        // Also a link that leads nowhere: the photo is listed, and decoding says what is wrong.
        _ => EntryKind::File,
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
mod tests {
    use std::fs::File;

    use super::*;
    use modelens_core::dataset::decode::MAX_FILE_BYTES;
    use modelens_core::dataset::jpeg::PhotoDecoder;
    use tempfile::TempDir;

    /// A folder with empty files; a path that ends with `/` is an empty folder.
    fn folder(paths: &[&str]) -> TempDir {
        let root = tempfile::tempdir().unwrap();
        for path in paths {
            let full = root.path().join(path);
            if path.ends_with('/') {
                fs::create_dir_all(full).unwrap();
            } else {
                fs::create_dir_all(full.parent().unwrap()).unwrap();
                fs::write(full, b"").unwrap();
            }
        }
        root
    }

    fn names(set: &PhotoSet) -> Vec<&str> {
        set.photos.iter().map(|photo| photo.name.as_str()).collect()
    }

    #[test]
    fn a_folder_is_listed_in_keras_order_and_each_photo_has_its_path() {
        let root = folder(&[
            "cat/b.jpg",
            "cat/z/1.webp",
            "cat/.hidden/x.bmp",
            "cat/notes.txt",
            "Dog/x.jpg",
            ".git/x.jpg",
            "empty/",
            "stray.jpg",
        ]);
        let set = open_folder(root.path()).unwrap();
        assert_eq!(set.classes, ["Dog", "cat"]);
        assert_eq!(set.notes.len(), 1, "{:?}", set.notes);
        let expected = [
            "Dog/x.jpg",
            "cat/b.jpg",
            "cat/.hidden/x.bmp",
            "cat/z/1.webp",
        ];
        assert_eq!(names(&set), expected);
        let path = root.path().join("cat").join("z").join("1.webp");
        assert_eq!(set.files.place(3), Some(path.display().to_string()));
    }

    #[test]
    fn a_folder_of_photos_is_one_class() {
        let root = folder(&["birds/b.jpg", "birds/a.JPG", "birds/thumbnails/"]);
        let set = open_folder(&root.path().join("birds")).unwrap();
        assert_eq!((set.title.as_str(), set.classes.len()), ("birds", 1));
        assert_eq!(names(&set), ["a.JPG", "b.jpg"]);
    }

    #[test]
    fn one_photo_opens_and_its_folder_names_the_class() {
        let root = folder(&["birds/b.jpg", "birds/b.txt"]);
        let set = open_folder(&root.path().join("birds/b.jpg")).unwrap();
        assert_eq!(set.classes, ["birds"]);
        assert_eq!(names(&set), ["b.jpg"]);

        let error = open_folder(&root.path().join("birds/b.txt")).unwrap_err();
        assert!(matches!(error, FolderError::NotPhotos(_)), "{error}");
    }

    #[test]
    fn a_folder_without_photos_says_what_was_looked_for() {
        let root = folder(&["cat/notes.txt"]);
        let error = open_folder(root.path()).unwrap_err().to_string();
        assert!(
            error.contains("(looked for .bmp, .gif, .jpeg, .jpg, .png, .webp): "),
            "{error}"
        );
        let missing = open_folder(&root.path().join("dog")).unwrap_err();
        assert!(matches!(missing, FolderError::Missing(_)), "{missing}");
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_for_classes_only() {
        use std::os::unix::fs::symlink;

        let root = folder(&["cat/a.jpg"]);
        symlink(root.path(), root.path().join("cat/loop")).unwrap();
        symlink(root.path().join("cat"), root.path().join("dog")).unwrap();
        symlink("nowhere", root.path().join("cat/b.jpg")).unwrap();
        let set = open_folder(root.path()).unwrap();
        assert_eq!(
            names(&set),
            ["cat/a.jpg", "cat/b.jpg", "dog/a.jpg", "dog/b.jpg"]
        );
    }

    #[test]
    fn files_are_read_and_errors_end_with_their_paths() {
        let root = folder(&["d.png/", "no.png", "big.png"]);
        let file = |name: &str| open_folder(&root.path().join(name)).unwrap();

        let gone = file("no.png");
        fs::remove_file(root.path().join("no.png")).unwrap();
        let missing = gone.decode(0, PhotoDecoder::default()).unwrap_err();
        assert!(matches!(missing.cause, DecodeCause::Unreadable(_)));
        assert!(missing.to_string().ends_with("no.png"));

        let folder = Paths(vec![root.path().join("d.png")]);
        assert_eq!(folder.size(0), Err(DecodeCause::NotAFile));

        let sparse = File::create(root.path().join("big.png")).unwrap();
        sparse.set_len(MAX_FILE_BYTES + 1).unwrap();
        let big = file("big.png")
            .decode(0, PhotoDecoder::default())
            .unwrap_err()
            .to_string();
        assert!(
            big.starts_with("too large: a file of 100,000,001 bytes; the limit is 100,000,000: ")
        );
    }

    #[test]
    fn the_bundled_photos_follow_the_same_rules() {
        let set = bundled_photos();
        assert_eq!(set.classes, ["fish", "monument", "tool", "windmill"]);
        assert_eq!(names(&set)[..2], ["fish/fish1.webp", "fish/fish10.webp"]);
        for photo in 0..set.photos.len() {
            set.check(photo).unwrap();
        }
        let credits = |(name, _): &(String, _)| name == "attribution.csv";
        assert!(bundled::photos().iter().any(credits));
    }
}
