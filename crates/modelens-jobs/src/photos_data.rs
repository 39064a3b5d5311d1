//! Files that hold photos as numbers, and tables of labels beside photos.

use std::collections::BTreeMap;
use std::io::{self, BufReader, Read as _};
use std::path::{Path, PathBuf};

use modelens_core::dataset::table::{self, Labels};
use modelens_core::dataset::{Part, PhotoList, PhotoSet, cifar, idx, npy};

use crate::FolderError;
use crate::given::{self, Opened};

/// The most bytes of one file of a data set.
const MAX_FILE_BYTES: u64 = 1 << 30;

fn refused(path: &Path, what: impl Into<String>) -> FolderError {
    FolderError::Other {
        path: path.to_owned(),
        what: what.into(),
    }
}

fn unreadable(path: &Path) -> impl Fn(io::Error) -> FolderError {
    let path = path.to_owned();
    move |cause| FolderError::Unreadable {
        path: path.clone(),
        cause,
    }
}

fn name_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// All bytes of a file of at most `limit`.
fn read(path: &Path, limit: u64) -> Result<Vec<u8>, FolderError> {
    let mut bytes = Vec::new();
    let file = given::open(path).map_err(unreadable(path))?;
    let read = file.take(limit + 1).read_to_end(&mut bytes);
    read.map_err(unreadable(path))?;
    if bytes.len() as u64 > limit {
        return Err(refused(path, "the file is too large"));
    }
    Ok(bytes)
}

/// The photos of a file that holds them as numbers, by its first bytes; `None` for any other file.
pub fn open_numbers(path: &Path, start: &[u8]) -> Option<Result<PhotoSet, FolderError>> {
    let name = name_of(path);
    let title = name
        .rsplit_once('.')
        .map_or(name.as_str(), |(title, _)| title);
    let opened = |read: &dyn Fn(BufReader<Opened>) -> Result<PhotoSet, String>| {
        let file = BufReader::new(given::open(path).map_err(unreadable(path))?);
        read(file).map_err(|why| refused(path, why))
    };
    if start.starts_with(b"\x93NUMPY") {
        return Some(opened(&|file| npy::open_npy(file, title)));
    }
    if start.starts_with(b"PK") && npy::holds_arrays(BufReader::new(given::open(path).ok()?)) {
        return Some(opened(&|file| npy::open_npz(file, title)));
    }
    idx::is_images(start).then(|| {
        let part = if name.starts_with("t10k") {
            Part::Test
        } else {
            Part::Training
        };
        idx::open(vec![pair(path, part)?], title).map_err(|why| refused(path, why))
    })
}

type Pair = (Vec<u8>, Option<Vec<u8>>, Part);

/// Images and the labels beside them.
fn pair(images: &Path, part: Part) -> Result<Pair, FolderError> {
    let bytes = read(images, MAX_FILE_BYTES)?;
    let labels = idx::labels_of(&name_of(images)).and_then(|name| {
        let packed = format!("{name}.gz");
        let names = [
            name.trim_end_matches(".gz").to_owned(),
            name.clone(),
            packed,
        ];
        let paths = names.map(|name| images.with_file_name(name));
        paths.into_iter().find(|path| given::is_file(path))
    });
    let labels = labels.map(|path| read(&path, MAX_FILE_BYTES)).transpose()?;
    Ok((bytes, labels, part))
}

/// CIFAR's or MNIST's files in a folder, or in its only subfolder; `None` if there are none.
pub fn open_data_folder(folder: &Path) -> Option<Result<PhotoSet, FolderError>> {
    let title = name_of(folder);
    let paths: Vec<PathBuf> = given::entries(folder).into_iter().take(1000).collect();
    let mut pairs = Vec::new();
    for (name, part) in idx::NAMES {
        let names = [name.to_owned(), format!("{name}.gz")];
        let found = names
            .map(|name| folder.join(name))
            .into_iter()
            .find(|path| given::is_file(path));
        match found.map(|path| pair(&path, part)) {
            Some(Ok(pair)) => pairs.push(pair),
            Some(Err(error)) => return Some(Err(error)),
            None => {}
        }
    }
    if !pairs.is_empty() {
        return Some(idx::open(pairs, &title).map_err(|why| refused(folder, why)));
    }
    let mut batches = BTreeMap::new();
    for path in paths
        .iter()
        .filter(|path| given::is_file(path) && cifar::is_part(&name_of(path)))
    {
        match read(path, cifar::MAX_FILE_BYTES) {
            Ok(bytes) => drop(batches.insert(name_of(path), bytes)),
            Err(error) => return Some(Err(error)),
        }
    }
    if let Some(opened) = cifar::open(&batches, &title) {
        return Some(opened.map_err(|why| refused(folder, why)));
    }
    match &paths
        .iter()
        .filter(|path| path.is_dir())
        .collect::<Vec<_>>()[..]
    {
        [only] if batches.is_empty() => open_data_folder(only),
        _ => None,
    }
}

/// Gives photos the classes of a table in their folder, unless folders tell the classes. Returns the
/// places of the photos that the table names.
pub fn labelled(folder: &Path, list: &mut PhotoList, has_classes: bool) -> Option<Vec<usize>> {
    if has_classes {
        return None;
    }
    let tables = given::entries(folder).into_iter().filter(|path| {
        let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase());
        matches!(ending.as_deref(), Some("csv" | "tsv"))
    });
    let mut tables: Vec<PathBuf> = tables.take(100).collect();
    tables.sort();
    tables.iter().find_map(|path| {
        let text = read(path, table::MAX_BYTES).ok()?;
        let labels = Labels::read(&String::from_utf8_lossy(&text))?;
        labels.apply(list, &name_of(path))
    })
}

/// The labels of a table that a person chose.
///
/// # Errors
/// A file that cannot be read, or is no table of labels.
pub fn table_at(path: &Path) -> Result<Labels, FolderError> {
    let text = read(path, table::MAX_BYTES)?;
    Labels::read(&String::from_utf8_lossy(&text)).ok_or_else(|| {
        refused(
            path,
            "the table needs a column of file names (`filename`, `image`, `id`) and one of classes \
             (`label`, `class`)",
        )
    })
}
