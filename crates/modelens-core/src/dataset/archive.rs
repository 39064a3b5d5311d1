//! Archives of photos, as courses hand them out: zip, tar and tar.gz. Nothing is written anywhere, so the
//! paths in an archive only name photos and classes.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::{Arc, Mutex, PoisonError};

use flate2::read::GzDecoder;
use zip::ZipArchive;

use super::cifar;
use super::decode::{DecodeCause, MAX_FILE_BYTES};
use super::listing::{self, Listing, MAX_ENTRIES, is_photo};
use super::table::{self, Labels};
use super::{PhotoFiles, PhotoList, PhotoSet, PhotosInMemory};

/// The most bytes of photos that are kept of a compressed tar, which cannot be read but from its start.
const MAX_KEPT_BYTES: u64 = 1 << 30;
/// The most bytes that a compressed tar may unpack to, photos or not.
const MAX_UNPACKED_BYTES: u64 = 16 << 30;

/// Tables of labels in an archive that are looked at, at most.
const MAX_TABLES: usize = 8;

/// Why an archive gives no photos.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    #[error("the archive holds no photos")]
    Empty,
    #[error("the archive holds no photos, but other archives (`{0}`): unpack it and open those")]
    Nested(String),
    #[error("the archive is a model: open it as the base")]
    Model,
    #[error("the archive is locked with a password: unpack it first")]
    Encrypted,
    #[error("the archive has more than 1,000,000 entries: unpack it first")]
    TooMany,
    #[error("the photos of the archive take more than 1 GB: unpack it first")]
    TooLarge,
    #[error("the archive is broken ({0})")]
    Broken(String),
}

impl From<io::Error> for ArchiveError {
    fn from(error: io::Error) -> Self {
        Self::Broken(error.to_string())
    }
}

/// The kinds of archives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArchiveKind {
    Zip,
    Tar,
    TarGz,
}

impl ArchiveKind {
    /// The kind that the first 512 bytes of a file tell. Whether a gzip file holds a tar is not known
    /// before it is read.
    pub fn of(start: &[u8]) -> Option<Self> {
        if start.starts_with(b"PK\x03\x04") || start.starts_with(b"PK\x05\x06") {
            Some(Self::Zip)
        } else if start.get(257..262) == Some(b"ustar") {
            Some(Self::Tar)
        } else if start.starts_with(&[0x1f, 0x8b]) {
            Some(Self::TarGz)
        } else {
            None
        }
    }
}

/// Lists the photos of an archive by the rules of [`listing::list`]. `title` is its name without the
/// ending, `place` what messages call it.
///
/// # Errors
/// See [`ArchiveError`].
pub fn open(
    kind: ArchiveKind,
    reader: impl Read + Seek + Send + 'static,
    title: &str,
    place: &str,
) -> Result<PhotoSet, ArchiveError> {
    match kind {
        ArchiveKind::Zip => open_zip(reader, title, place),
        ArchiveKind::Tar => open_tar(reader, title, place),
        ArchiveKind::TarGz => open_tar_gz(reader, title),
    }
}

/// A path with `/` between names; `None` for what macOS adds and for hidden files and folders.
fn visible(path: &str) -> Option<String> {
    let path = path.replace('\\', "/");
    let names: Vec<&str> = (path.split('/'))
        .filter(|name| !matches!(*name, "" | "." | ".."))
        .collect();
    let is_visible = names.iter().all(|name| listing::is_class(name));
    (is_visible && !names.is_empty()).then(|| names.join("/"))
}

fn is_table(path: &str) -> bool {
    let ending = path.rsplit_once('.').map(|(_, ending)| ending);
    ending.is_some_and(|ending| {
        ["csv", "tsv"]
            .iter()
            .any(|e| ending.eq_ignore_ascii_case(e))
    })
}

/// Tables of labels in an archive: path and bytes.
#[derive(Default)]
struct Tables(Vec<(String, Vec<u8>)>);

impl Tables {
    /// Keeps the file if it is a table.
    fn add(&mut self, path: &str, content: impl Read) -> io::Result<()> {
        if !is_table(path) || self.0.len() >= MAX_TABLES {
            return Ok(());
        }
        let mut bytes = Vec::new();
        content.take(table::MAX_BYTES + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 <= table::MAX_BYTES {
            self.0.push((path.to_owned(), bytes));
        }
        Ok(())
    }

    /// Gives the photos the classes of the first table that names them, unless folders tell the classes.
    fn apply<T>(mut self, title: &str, listing: Listing<T>) -> Listing<T> {
        if listing.has_classes {
            return listing;
        }
        self.0.sort();
        let mut list = PhotoList {
            title: title.to_owned(),
            classes: listing.classes,
            photos: listing.photos,
            notes: listing.notes,
            as_given: false,
        };
        let named = self.0.iter().find_map(|(path, bytes)| {
            let labels = Labels::read(&String::from_utf8_lossy(bytes))?;
            labels.apply(&mut list, path)
        });
        let files = match named {
            None => listing.files,
            Some(places) => {
                let mut files: Vec<Option<T>> = listing.files.into_iter().map(Some).collect();
                let named = places.into_iter();
                named.filter_map(|i| files.get_mut(i)?.take()).collect()
            }
        };
        Listing {
            classes: list.classes,
            photos: list.photos,
            notes: list.notes,
            files,
            has_classes: listing.has_classes,
        }
    }
}

/// Whether a file is one of CIFAR's.
fn is_batch(path: &str) -> bool {
    path.rsplit('/').next().is_some_and(cifar::is_part)
}

/// What an archive without photos holds.
fn without_photos(names: &[String]) -> ArchiveError {
    let archive = |name: &&String| {
        let lower = name.to_lowercase();
        [".zip", ".tar", ".tgz", ".tar.gz"]
            .iter()
            .any(|end| lower.ends_with(end))
    };
    let is_model = |name: &String| name == "config.json" || name.ends_with("data.pkl");
    if names.iter().any(is_model) {
        ArchiveError::Model
    } else if let Some(inner) = names.iter().find(archive) {
        ArchiveError::Nested(inner.clone())
    } else {
        ArchiveError::Empty
    }
}

fn set(title: &str, listing: Listing<usize>, files: Arc<dyn PhotoFiles>) -> PhotoSet {
    PhotoSet {
        list: PhotoList {
            title: title.to_owned(),
            classes: listing.classes,
            photos: listing.photos,
            notes: listing.notes,
            as_given: false,
        },
        files,
    }
}

fn open_zip(
    reader: impl Read + Seek + Send + 'static,
    title: &str,
    place: &str,
) -> Result<PhotoSet, ArchiveError> {
    let broken = |error: zip::result::ZipError| ArchiveError::Broken(error.to_string());
    let mut archive = ZipArchive::new(reader).map_err(broken)?;
    if archive.len() > MAX_ENTRIES {
        return Err(ArchiveError::TooMany);
    }
    let (mut folders, mut photos, mut others) = (vec![], vec![], vec![]);
    let mut tables = Tables::default();
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index).map_err(broken)?;
        let Some(path) = entry.name().ok().and_then(|name| visible(&name)) else {
            continue;
        };
        if entry.is_dir() {
            folders.push(path);
        } else if is_photo(&path) {
            if entry.encrypted() {
                return Err(ArchiveError::Encrypted);
            }
            photos.push((path, (index, entry.size())));
        } else {
            drop(entry);
            if is_table(&path)
                && let Ok(entry) = archive.by_index(index)
            {
                tables.add(&path, entry)?;
            }
            others.push(path);
        }
    }
    let listing = listing::list(title, folders, photos).ok_or_else(|| without_photos(&others))?;
    let listing = tables.apply(title, listing);
    Ok(photos_of(archive, listing, title, place))
}

/// The photos that `archive` holds, read one at a time.
fn photos_of<A: Entries + 'static>(
    archive: A,
    listing: Listing<(A::Place, u64)>,
    title: &str,
    place: &str,
) -> PhotoSet {
    let files = ArchivePhotos {
        archive: Mutex::new(archive),
        entries: listing.files,
        names: listing.photos.iter().map(|p| p.name.clone()).collect(),
        place: place.to_owned(),
    };
    let listing = Listing {
        files: (0..listing.photos.len()).collect(),
        classes: listing.classes,
        photos: listing.photos,
        notes: listing.notes,
        has_classes: listing.has_classes,
    };
    set(title, listing, Arc::new(files))
}

/// An archive whose entries can be read in any order.
trait Entries: Send {
    /// Where an entry is.
    type Place: Copy + Send + Sync;

    /// At most `limit` bytes of the entry of this declared size. The declared size is not trusted.
    fn read_entry(&mut self, place: Self::Place, size: u64, limit: u64) -> io::Result<Vec<u8>>;
}

impl<R: Read + Seek + Send> Entries for ZipArchive<R> {
    /// The number of the entry.
    type Place = usize;

    fn read_entry(&mut self, index: usize, _: u64, limit: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let entry = self.by_index(index)?;
        entry.take(limit).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

/// What a tar archive is read from.
struct TarFile<R>(R);

impl<R: Read + Seek + Send> Entries for TarFile<R> {
    /// The first byte of the entry's content.
    type Place = u64;

    fn read_entry(&mut self, start: u64, size: u64, limit: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.0.seek(SeekFrom::Start(start))?;
        let mut content = (&mut self.0).take(size.min(limit));
        content.read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

struct ArchivePhotos<A: Entries> {
    archive: Mutex<A>,
    /// In the order of the photos: where each is, and its size as the archive declares it.
    entries: Vec<(A::Place, u64)>,
    names: Vec<String>,
    place: String,
}

impl<A: Entries> fmt::Debug for ArchivePhotos<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ArchivePhotos({})", self.place)
    }
}

impl<A: Entries> PhotoFiles for ArchivePhotos<A> {
    fn size(&self, photo: usize) -> Result<u64, DecodeCause> {
        Ok(self.entries[photo].1)
    }

    fn read(&self, photo: usize, limit: u64) -> Result<Cow<'_, [u8]>, DecodeCause> {
        let (place, size) = self.entries[photo];
        let mut archive = self.archive.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Cow::Owned(archive.read_entry(place, size, limit)?))
    }

    fn place(&self, photo: usize) -> Option<String> {
        Some(format!("{}/{}", self.place, self.names[photo]))
    }
}

fn open_tar(
    reader: impl Read + Seek + Send + 'static,
    title: &str,
    place: &str,
) -> Result<PhotoSet, ArchiveError> {
    let mut archive = tar::Archive::new(reader);
    let (mut folders, mut photos, mut others) = (vec![], vec![], vec![]);
    let mut tables = Tables::default();
    for (n, entry) in archive.entries_with_seek()?.enumerate() {
        if n == MAX_ENTRIES {
            return Err(ArchiveError::TooMany);
        }
        let entry = entry?;
        let Some(path) = visible(&String::from_utf8_lossy(&entry.path_bytes())) else {
            continue;
        };
        match entry.header().entry_type() {
            kind if kind.is_dir() => folders.push(path),
            kind if kind.is_file() && is_photo(&path) => {
                photos.push((path, (entry.raw_file_position(), entry.size())));
            }
            kind if kind.is_file() => {
                tables.add(&path, entry)?;
                others.push(path);
            }
            _ => others.push(path),
        }
    }
    let listing = listing::list(title, folders, photos).ok_or_else(|| without_photos(&others))?;
    let listing = tables.apply(title, listing);
    Ok(photos_of(
        TarFile(archive.into_inner()),
        listing,
        title,
        place,
    ))
}

fn open_tar_gz(reader: impl Read, title: &str) -> Result<PhotoSet, ArchiveError> {
    let unpacked = GzDecoder::new(io::BufReader::new(reader)).take(MAX_UNPACKED_BYTES);
    let mut archive = tar::Archive::new(unpacked);
    let (mut folders, mut photos, mut others) = (vec![], vec![], vec![]);
    let mut tables = Tables::default();
    let mut kept = 0;
    let mut batches = BTreeMap::new();
    for (n, entry) in archive.entries()?.enumerate() {
        if n == MAX_ENTRIES {
            return Err(ArchiveError::TooMany);
        }
        let entry = entry?;
        let Some(path) = visible(&String::from_utf8_lossy(&entry.path_bytes())) else {
            continue;
        };
        match entry.header().entry_type() {
            kind if kind.is_dir() => folders.push(path),
            kind if kind.is_file() && is_photo(&path) => {
                // What is larger than a photo may be is cut off there, and decoding says so.
                let mut bytes = Vec::new();
                entry.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
                kept += bytes.len() as u64;
                if kept > MAX_KEPT_BYTES {
                    return Err(ArchiveError::TooLarge);
                }
                photos.push((path, bytes));
            }
            kind if kind.is_file() && is_batch(&path) => {
                let mut bytes = Vec::new();
                entry
                    .take(cifar::MAX_FILE_BYTES + 1)
                    .read_to_end(&mut bytes)?;
                kept += bytes.len() as u64;
                if kept > MAX_KEPT_BYTES {
                    return Err(ArchiveError::TooLarge);
                }
                let name = path.rsplit('/').next().unwrap_or(&path);
                batches.insert(name.to_owned(), bytes);
            }
            kind if kind.is_file() => {
                tables.add(&path, entry)?;
                others.push(path);
            }
            _ => others.push(path),
        }
    }
    if photos.is_empty()
        && let Some(opened) = cifar::open(&batches, title)
    {
        return opened.map_err(ArchiveError::Broken);
    }
    let listing = listing::list(title, folders, photos).ok_or_else(|| without_photos(&others))?;
    let listing = tables.apply(title, listing);
    let files = listing.files.into_iter().map(Cow::Owned).collect();
    Ok(PhotoSet {
        list: PhotoList {
            title: title.to_owned(),
            classes: listing.classes,
            photos: listing.photos,
            notes: listing.notes,
            as_given: false,
        },
        files: Arc::new(PhotosInMemory(files)),
    })
}
