//! Photos as views need them: decoded once and resized; and writing files whole.

use std::collections::HashMap;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use tempfile::NamedTempFile;

use crate::dataset::decode::{DecodeCause, DecodeError, decode};
use crate::dataset::resize::resize_rgb8;
use crate::dataset::{Image, PhotoSet, Photos, batch};
use crate::model::first_norm::Suspicion;
use crate::words::notices as words;

/// The longer side of a thumbnail, in pixels: twice what the card shows, for sharp screens.
const THUMBNAIL: usize = 256;
/// Decoded photos are kept up to this many bytes.
const CACHE_BYTES: usize = 96 << 20;

/// The photo of the input card, its shape kept.
pub fn thumbnail(photos: &PhotoSet, photo: usize) -> Result<Image, DecodeError> {
    let rgb = decode(&photos.photos[photo])?;
    let (width, height) = (rgb.width() as usize, rgb.height() as usize);
    let scale = (THUMBNAIL as f64 / width.max(height) as f64).min(1.0);
    let side = |n: usize| ((n as f64 * scale).round() as usize).max(1);
    Ok(resize_rgb8(&rgb, side(height), side(width)))
}

/// Photos of one set at one size, so that moving a slider does not decode them again.
#[derive(Debug, Default)]
pub struct PhotoCache {
    of: Option<(Photos, usize, usize)>,
    images: HashMap<usize, Arc<Image>>,
    /// What the scale of the last batch was found to be, until a look takes it.
    pub suspicion: Option<Suspicion>,
}

/// A photo of a batch, or why there is none.
pub type Loaded = (usize, Result<Arc<Image>, DecodeError>);

impl PhotoCache {
    /// The photos at `indices`, each `height` by `width`, in that order.
    pub fn load(
        &mut self,
        photos: &Photos,
        indices: &[usize],
        [height, width]: [usize; 2],
        on_done: &(dyn Fn(usize) -> bool + Sync),
    ) -> Vec<Loaded> {
        let same = self
            .of
            .as_ref()
            .is_some_and(|(set, h, w)| Arc::ptr_eq(set, photos) && (*h, *w) == (height, width));
        let bytes = height * width * 3 * size_of::<f32>();
        if !same || (self.images.len() + indices.len()) * bytes > CACHE_BYTES {
            self.images.clear();
            self.of = Some((Arc::clone(photos), height, width));
        }
        let new: Vec<usize> = indices
            .iter()
            .copied()
            .filter(|i| !self.images.contains_key(i))
            .collect();
        let mut failed = HashMap::new();
        for (index, image) in batch::load(photos, &new, height, width, on_done) {
            match image {
                Ok(image) => drop(self.images.insert(index, Arc::new(image))),
                Err(error) => drop(failed.insert(index, error)),
            }
        }
        let found = indices.iter().map(|&index| {
            let image = match self.images.get(&index) {
                Some(image) => Ok(Arc::clone(image)),
                None => Err(failed.remove(&index).unwrap_or_else(|| {
                    DecodeError::new(&photos.photos[index], DecodeCause::Cancelled)
                })),
            };
            (index, image)
        });
        found.collect()
    }
}

/// Writes a file: to a temporary one beside it first, so that failing leaves no half file.
pub fn save(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    persist(complete(path, bytes)?, path)
}

/// A complete file beside `path`, to be renamed to it by [`persist`]. What will not be replaced is
/// refused already.
pub fn complete(path: &Path, bytes: &[u8]) -> anyhow::Result<NamedTempFile> {
    replaceable(path)?;
    let mut file = temporary_beside(path)?;
    file.write_all(bytes)?;
    Ok(file)
}

/// A target that is read-only is refused even where its folder would allow replacing it.
fn replaceable(path: &Path) -> anyhow::Result<()> {
    if path.is_dir() {
        anyhow::bail!("{}", words::IS_FOLDER);
    }
    if std::fs::metadata(path).is_ok_and(|m| m.permissions().readonly()) {
        anyhow::bail!("{}", words::READ_ONLY);
    }
    Ok(())
}

/// A file in the folder of `path`, to be renamed to it once it is complete.
pub fn temporary_beside(path: &Path) -> anyhow::Result<NamedTempFile> {
    let folder = path
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    if !folder.is_dir() {
        anyhow::bail!("{}", words::NO_FOLDER);
    }
    let mut builder = tempfile::Builder::new();
    // Temporary files are private by default; the result is an ordinary file.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    Ok(builder.tempfile_in(folder)?)
}

/// Renames a complete file to `path`, unless that must not be replaced.
pub fn persist(file: NamedTempFile, path: &Path) -> anyhow::Result<()> {
    replaceable(path)?;
    file.persist(path)?;
    Ok(())
}
