//! Photos: folders of classes, decoding, resizing.

pub mod batch;
pub mod decode;
pub mod folder;
pub mod resize;

use std::path::PathBuf;
use std::sync::Arc;

/// Height, width and channels with 32-bit float values (photos: 0 to 255), `[H, W, C]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    pub height: usize,
    pub width: usize,
    pub channels: usize,
    pub pixels_hwc: Vec<f32>,
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
