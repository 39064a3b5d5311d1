//! Photos: which files of a folder they are, decoding, resizing.

pub mod archive;
pub mod batch;
pub mod cifar;
pub mod decode;
mod grey;
pub mod idx;
pub mod input;
pub mod jpeg;
pub mod listing;
pub mod npy;
mod numbers;
mod parts;
pub mod resize;
pub mod table;

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use self::decode::DecodeCause;
pub use self::parts::Part;
use crate::nearest::{nearest, the_closest};

/// An image of 32-bit float values (0 to 255 for photos), or of bytes, `[H, W, C]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Image<T = f32> {
    pub height: usize,
    pub width: usize,
    pub channels: usize,
    pub pixels_hwc: Vec<T>,
}

impl AsRef<Image> for Image {
    fn as_ref(&self) -> &Image {
        self
    }
}

/// What a set of photos holds, without the photos' bytes: plain data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhotoList {
    /// What the window calls it.
    pub title: String,
    /// In Keras' order: sorted by code point.
    pub classes: Vec<String>,
    /// By part of a split, then by class, then in Keras' order of files.
    pub photos: Vec<Photo>,
    /// How the photos were found where that is not plain, in sentences.
    pub notes: Vec<String>,
    /// True if the photos are numbers as a model's input layer takes them: they are not scaled.
    pub as_given: bool,
}

/// A set of photos, listed but not decoded. It dereferences to its list.
#[derive(Clone, Debug)]
pub struct PhotoSet {
    pub list: PhotoList,
    /// What the photos' bytes are read from.
    pub files: Arc<dyn PhotoFiles>,
}

impl Deref for PhotoSet {
    type Target = PhotoList;

    fn deref(&self) -> &PhotoList {
        &self.list
    }
}

/// One photo, not yet decoded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Photo {
    /// The path relative to the set's folder, with `/`: `fish/fish9.webp`.
    pub name: String,
    /// Index into [`PhotoList::classes`].
    pub class: usize,
    /// What it is for, if its folder says so.
    pub part: Option<Part>,
}

/// What the bytes of a set's photos are read from. Photos are named by their index in
/// [`PhotoList::photos`].
pub trait PhotoFiles: fmt::Debug + Send + Sync {
    /// The size of a photo's file, in bytes.
    ///
    /// # Errors
    /// A file that cannot be read.
    fn size(&self, photo: usize) -> Result<u64, DecodeCause>;

    /// The first `limit` bytes of a photo's file; all of them if it is shorter.
    ///
    /// # Errors
    /// A file that cannot be read.
    fn read(&self, photo: usize, limit: u64) -> Result<Cow<'_, [u8]>, DecodeCause>;

    /// The number of channels of photos that are stored as numbers; `None` for encoded images.
    fn channels(&self) -> Option<usize> {
        None
    }

    /// The values of a photo that is stored as numbers; `None` for an encoded image.
    fn pixels(&self, _photo: usize) -> Option<Result<Image, DecodeCause>> {
        None
    }

    /// What messages call the file if it has a place of its own, such as its path.
    fn place(&self, _photo: usize) -> Option<String> {
        None
    }
}

/// Photos whose bytes are in memory, in the order of the set.
#[derive(Debug)]
pub struct PhotosInMemory(pub Vec<Cow<'static, [u8]>>);

impl PhotoFiles for PhotosInMemory {
    fn size(&self, photo: usize) -> Result<u64, DecodeCause> {
        Ok(self.0[photo].len() as u64)
    }

    fn read(&self, photo: usize, limit: u64) -> Result<Cow<'_, [u8]>, DecodeCause> {
        let bytes = &*self.0[photo];
        let end = usize::try_from(limit).map_or(bytes.len(), |limit| limit.min(bytes.len()));
        Ok(Cow::Borrowed(&bytes[..end]))
    }
}

impl PhotoList {
    /// The photos of a part of the split.
    pub fn part(&self, part: Part) -> Vec<usize> {
        let photos = self.photos.iter().enumerate();
        photos
            .filter(|(_, photo)| photo.part == Some(part))
            .map(|(i, _)| i)
            .collect()
    }

    /// The photos to train with and those to validate with, if folders say so: those of the folder for
    /// validation, or else of the folder for tests.
    pub fn own_split(&self) -> Option<[Vec<usize>; 2]> {
        let [training, validation, test] =
            [Part::Training, Part::Validation, Part::Test].map(|part| self.part(part));
        let validates = if validation.is_empty() {
            test
        } else {
            validation
        };
        (!validates.is_empty()).then_some([training, validates])
    }

    /// The index of the photo that a person names: by its name (`fish/fish9.webp`) or its file name,
    /// with or without the extension, or by the beginning of either. Full names come before
    /// beginnings, then the first photo in the order of the set counts.
    ///
    /// # Errors
    /// There is no photo of this name; the message offers the closest names.
    pub fn find(&self, name: &str) -> Result<usize, String> {
        let file = |known: &str| known.rsplit('/').next().unwrap_or(known).to_owned();
        let bare = |known: &str| {
            let bare = known.rsplit_once('.');
            bare.map_or(known, |(bare, _)| bare).to_owned()
        };
        let in_full = |known: &str| {
            let file = file(known);
            known == name || bare(known) == name || file == name || bare(&file) == name
        };
        let begins = |known: &str| known.starts_with(name);
        let file_begins = |known: &str| file(known).starts_with(name);
        let place = |is: &dyn Fn(&str) -> bool| self.photos.iter().position(|p| is(&p.name));
        let found = place(&in_full);
        let found = found.or_else(|| place(&begins));
        let found = found.or_else(|| place(&file_begins));
        found.filter(|_| !name.is_empty()).ok_or_else(|| {
            let names = self.photos.iter().map(|photo| photo.name.as_str());
            let close = the_closest(&nearest(name, names));
            format!("there is no photo `{name}`{close}")
        })
    }
}

/// A shared set.
pub type Photos = Arc<PhotoSet>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_photo_is_found_by_its_name_or_the_beginning() {
        let names = [
            "a/cat10.webp",
            "a/cat1.webp",
            "b/catfish.png",
            "fish/one.jpg",
        ];
        let photo = |name: &str| Photo {
            name: name.to_owned(),
            class: 0,
            part: None,
        };
        let set = PhotoList {
            title: String::new(),
            classes: Vec::new(),
            photos: names.map(photo).into(),
            notes: Vec::new(),
            as_given: false,
        };
        for (name, place) in [
            ("a/cat1.webp", 1),
            ("a/cat1", 1),
            ("cat1.webp", 1),
            ("cat1", 1),
            ("a", 0),
            ("a/", 0),
            ("cat", 0),
            ("catf", 2),
            ("fish", 3),
            ("on", 3),
        ] {
            assert_eq!(set.find(name), Ok(place), "{name}");
        }
        let message = set.find("a/cta1.webp").unwrap_err();
        assert!(
            message.starts_with("there is no photo `a/cta1.webp`; the closest"),
            "{message}"
        );
        assert!(message.contains("a/cat1.webp"), "{message}");
        assert_eq!(
            set.find("zebra"),
            Err("there is no photo `zebra`".to_owned())
        );
        assert!(set.find("").is_err());
    }
}
