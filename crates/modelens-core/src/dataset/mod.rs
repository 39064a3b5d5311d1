//! Photos: folders of classes, decoding, resizing.

pub mod batch;
pub mod decode;
pub mod folder;
pub mod resize;

use serde::{Deserialize, Serialize};

use std::path::PathBuf;
use std::sync::Arc;

use crate::nearest::{nearest, the_closest};

/// Height, width and channels with 32-bit float values (photos: 0 to 255), `[H, W, C]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Image {
    pub height: usize,
    pub width: usize,
    pub channels: usize,
    pub pixels_hwc: Vec<f32>,
}

impl AsRef<Image> for Image {
    fn as_ref(&self) -> &Image {
        self
    }
}

/// A set of photos that was listed, not decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhotoSet {
    /// What the window calls it.
    pub title: String,
    /// The folder; `None` for the bundled photos.
    pub root: Option<PathBuf>,
    /// In Keras' order: sorted by code point.
    pub classes: Vec<String>,
    /// By class, then in Keras' order of files.
    pub photos: Vec<Photo>,
}

impl PhotoSet {
    /// The photo that a person names: by its name (`fish/fish9.webp`), that without the extension, its
    /// file name with or without it, or the beginning of its name or file name. Of several the first
    /// in the order of the set; what is written out in full comes before a beginning.
    ///
    /// # Errors
    /// No photo of this name, with the names that come closest.
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

/// One photo, not yet decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Photo {
    /// The path relative to the set's folder, with `/`: `fish/fish9.webp`.
    pub name: String,
    /// Index into [`PhotoSet::classes`].
    pub class: usize,
    pub source: PhotoSource,
}

/// Where a photo's bytes are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PhotoSource {
    Bundled(&'static [u8]),
    File(PathBuf),
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
            source: PhotoSource::Bundled(&[]),
        };
        let set = PhotoSet {
            title: String::new(),
            root: None,
            classes: Vec::new(),
            photos: names.map(photo).into(),
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
        let said = set.find("a/cta1.webp").unwrap_err();
        assert!(
            said.starts_with("there is no photo `a/cta1.webp`; the closest"),
            "{said}"
        );
        assert!(said.contains("a/cat1.webp"), "{said}");
        assert_eq!(
            set.find("zebra"),
            Err("there is no photo `zebra`".to_owned())
        );
        assert!(set.find("").is_err());
    }
}
