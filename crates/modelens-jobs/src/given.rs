//! Files with a name and bytes but no place on a disk: what a page got by drop, by picker or by
//! download. They are found before the files of the disk, of which a page has none.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

static FILES: Mutex<BTreeMap<PathBuf, Arc<[u8]>>> = Mutex::new(BTreeMap::new());

fn files() -> MutexGuard<'static, BTreeMap<PathBuf, Arc<[u8]>>> {
    // The table is whole after every insertion, so a panic elsewhere does not matter.
    FILES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps a file, in the place of an earlier one of the same path.
pub fn give(path: PathBuf, bytes: Vec<u8>) {
    files().insert(path, bytes.into());
}

/// A file that was given.
pub fn given(path: &Path) -> Option<Arc<[u8]>> {
    files().get(path).cloned()
}

/// Forgets the given files whose paths are `unused`, and frees their content.
pub fn forget(unused: impl Fn(&Path) -> bool) {
    files().retain(|path, _| !unused(path));
}

/// Files that the other side of a page has: this side knows their names alone.
static NAMES: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// Notes that the computing side can open this file.
pub fn announce(path: PathBuf) {
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    names.insert(path);
}

/// True for a file that was given or announced, and for a folder of such files.
pub fn is_announced(path: &Path) -> bool {
    let names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    let below = |first: Option<&PathBuf>| first.is_some_and(|first| first.starts_with(path));
    below(names.range(path.to_owned()..).next())
        || below(
            files()
                .range(path.to_owned()..)
                .map(|(path, _)| path)
                .next(),
        )
}

/// True for a path that is an address of the web, which a page fetches when it opens it.
pub fn is_address(path: &Path) -> bool {
    let text = path.to_str().unwrap_or_default();
    ["https://", "http://"]
        .iter()
        .any(|scheme| text.starts_with(scheme))
}

/// The files that were given below a folder: paths relative to it with `/` between names, in order.
pub fn given_below(folder: &Path) -> Vec<(String, Arc<[u8]>)> {
    let files = files();
    let below = files.iter().filter_map(|(path, bytes)| {
        let relative = path.strip_prefix(folder).ok()?;
        let names: Vec<_> = relative.iter().map(|name| name.to_string_lossy()).collect();
        (!names.is_empty()).then(|| (names.join("/"), Arc::clone(bytes)))
    });
    below.collect()
}

/// A file of the disk, or one that was given.
#[derive(Debug)]
pub enum Opened {
    File(File),
    Given(Cursor<Arc<[u8]>>),
}

impl Read for Opened {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.read(buffer),
            Self::Given(bytes) => bytes.read(buffer),
        }
    }
}

impl Seek for Opened {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match self {
            Self::File(file) => file.seek(to),
            Self::Given(bytes) => bytes.seek(to),
        }
    }
}

/// Opens a file for reading.
///
/// # Errors
/// The system's.
pub fn open(path: &Path) -> io::Result<Opened> {
    match given(path) {
        Some(bytes) => Ok(Opened::Given(Cursor::new(bytes))),
        None => File::open(path).map(Opened::File),
    }
}

/// The size of a file in bytes; `None` for a folder, a device or a pipe.
///
/// # Errors
/// The system's.
pub fn size(path: &Path) -> io::Result<Option<u64>> {
    if let Some(bytes) = given(path) {
        return Ok(Some(bytes.len() as u64));
    }
    let found = fs::metadata(path)?;
    Ok(found.is_file().then_some(found.len()))
}

/// True for a file that can be opened without waiting for a writer.
pub(crate) fn is_file(path: &Path) -> bool {
    matches!(size(path), Ok(Some(_)))
}

/// What is directly in a folder, in no order; nothing if it cannot be listed.
pub(crate) fn entries(folder: &Path) -> Vec<PathBuf> {
    let on_disk = fs::read_dir(folder).into_iter().flatten();
    let on_disk = on_disk.filter_map(Result::ok).map(|entry| entry.path());
    let given = given_below(folder).into_iter().map(|(name, _)| name);
    let given = given.filter(|name| !name.contains('/'));
    on_disk.chain(given.map(|name| folder.join(name))).collect()
}

/// Files that were written on a page, for the person to download.
#[cfg(target_family = "wasm")]
static WRITTEN: Mutex<Vec<(PathBuf, Vec<u8>)>> = Mutex::new(Vec::new());

/// Keeps a written file until the page takes it.
#[cfg(target_family = "wasm")]
pub(crate) fn offer(path: PathBuf, bytes: Vec<u8>) {
    let mut written = WRITTEN.lock().unwrap_or_else(PoisonError::into_inner);
    written.push((path, bytes));
}

/// The files that were written since the last call.
#[cfg(target_family = "wasm")]
pub fn take_written() -> Vec<(PathBuf, Vec<u8>)> {
    std::mem::take(&mut *WRITTEN.lock().unwrap_or_else(PoisonError::into_inner))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ModelSource, PhotosSource, bundled};

    #[test]
    fn names_are_known_and_files_are_forgotten() {
        announce("/announced/one/a.png".into());
        announce("/announced/one.zip".into());
        for (path, known) in [
            ("/announced/one/a.png", true),
            ("/announced/one", true),
            ("/announced/on", false),
            ("/announced/one/b.png", false),
            ("/announced/one.zip", true),
        ] {
            assert_eq!(is_announced(Path::new(path)), known, "{path}");
        }
        give("/forgotten/a".into(), vec![1]);
        give("/forgotten/b".into(), vec![2]);
        assert!(is_announced(Path::new("/forgotten")));
        forget(|path| path == Path::new("/forgotten/a"));
        assert!(given(Path::new("/forgotten/a")).is_none());
        assert!(given(Path::new("/forgotten/b")).is_some());
        assert!(is_address(Path::new("https://example.org/a.h5")));
        assert!(!is_address(Path::new("/https://example.org/a.h5")));
    }

    #[test]
    fn a_model_and_photos_open_from_bytes_alone() {
        let model = PathBuf::from("/given/test/lab.keras");
        give(
            model.clone(),
            bundled::lab_mobilenetv2().unwrap().into_owned(),
        );
        give(
            "/given/test/lab.labels.txt".into(),
            b"a\nb\nc\nd\n".to_vec(),
        );
        let opened = ModelSource::File(model).open().unwrap();
        assert_eq!(
            opened.labels,
            ["a", "b", "c", "d"],
            "names beside the model"
        );

        let photo = fs::read("../../assets/photos/fish/fish1.webp").unwrap();
        for name in ["cat/1.webp", "cat/2.webp", "dog/1.webp"] {
            give(Path::new("/given/photos").join(name), photo.clone());
        }
        let set = PhotosSource::Folder("/given/photos".into()).open().unwrap();
        assert_eq!(set.classes, ["cat", "dog"]);
        assert_eq!(set.photos.len(), 3);
        set.check(2).unwrap();
        let one = PhotosSource::Folder("/given/photos/dog/1.webp".into())
            .open()
            .unwrap();
        assert_eq!((one.photos.len(), one.classes[0].as_str()), (1, "dog"));
        give(
            "/given/broken.zip".into(),
            b"PK\x03\x04 and no more".to_vec(),
        );
        give("/given/named/a.webp".into(), photo.clone());
        give("/given/named/b.webp".into(), photo);
        give(
            "/given/named/labels.csv".into(),
            b"filename,label\na.webp,cat\nb.webp,dog\n".to_vec(),
        );
        let named = PhotosSource::Folder("/given/named".into()).open().unwrap();
        assert_eq!(named.classes, ["cat", "dog"], "the table beside them");
        let table = PhotosSource::Folder("/given/named/labels.csv".into())
            .open()
            .unwrap();
        assert_eq!(table.classes, ["cat", "dog"]);
        let header = "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 4, 4), }";
        let header = format!("{header:<117}\n");
        let digits = [b"\x93NUMPY\x01\x00\x76\x00", header.as_bytes(), &[7; 32]].concat();
        give("/given/digits.npy".into(), digits);
        assert!(
            PhotosSource::Folder("/given/digits.npy".into())
                .open()
                .is_ok()
        );
        let broken = PhotosSource::Folder("/given/broken.zip".into()).open();
        assert!(
            broken
                .unwrap_err()
                .to_string()
                .ends_with("/given/broken.zip")
        );
    }
}
