//! Photos as views need them: decoded once and resized.

use std::collections::HashMap;
use std::sync::Arc;

use modelens_core::dataset::decode::{DecodeCause, DecodeError};
use modelens_core::dataset::input::PhotoInput;
use modelens_core::dataset::jpeg::PhotoDecoder;
use modelens_core::dataset::resize::{resize_bilinear, resize_rgb8};
use modelens_core::dataset::{Image, PhotoSet, Photos, batch};
use modelens_core::model::first_norm::Suspicion;

use crate::look::{DonePasses, Undrawn};

/// Longer side of a thumbnail in pixels: twice the size on the card, for high-density screens.
const THUMBNAIL: usize = 256;
/// The cache holds at most this many bytes of decoded photos.
const CACHE_BYTES: usize = 96 << 20;

/// Decodes a photo for the input card, with its aspect ratio. The libraries differ by less than one
/// can see, so any will do.
pub fn thumbnail(photos: &PhotoSet, photo: usize) -> Result<Image, DecodeError> {
    let sides = |[height, width]: [usize; 2]| {
        let scale = (THUMBNAIL as f64 / width.max(height).max(1) as f64).min(1.0);
        [height, width].map(|n| ((n as f64 * scale).round() as usize).max(1))
    };
    if let Some(pixels) = photos.files.pixels(photo) {
        let image = pixels.map_err(|cause| photos.error(photo, cause))?;
        let [height, width] = sides([image.height, image.width]);
        return Ok(resize_bilinear(&image, height, width));
    }
    let rgb = photos.decode(photo, PhotoDecoder::default())?;
    let [height, width] = sides([rgb.height() as usize, rgb.width() as usize]);
    Ok(resize_rgb8(&rgb, height, width))
}

/// Decoded photos of one set for one kind of input, so that moving a slider does not decode them again.
#[derive(Debug, Default)]
pub struct PhotoCache {
    of: Option<(Photos, PhotoInput)>,
    images: HashMap<usize, Arc<Image>>,
    /// The suspicion about the last batch, until a look takes it.
    pub suspicion: Option<Suspicion>,
    /// The passes of the last Predict look, done or given up.
    pub predict: Option<DonePasses>,
    /// What the last augmentation look did not draw.
    pub undrawn: Option<Undrawn>,
}

/// A photo of a batch, or why it cannot be decoded.
pub type Loaded = (usize, Result<Arc<Image>, DecodeError>);

impl PhotoCache {
    /// Loads the photos at `indices`, as `input` says, in that order.
    pub fn load(
        &mut self,
        photos: &Photos,
        indices: &[usize],
        input: &PhotoInput,
        on_done: &(dyn Fn(usize) -> bool + Sync),
    ) -> Vec<Loaded> {
        let same =
            (self.of.as_ref()).is_some_and(|(set, of)| Arc::ptr_eq(set, photos) && of == input);
        let bytes = input.height * input.width * input.channels * size_of::<f32>();
        if !same || (self.images.len() + indices.len()) * bytes > CACHE_BYTES {
            self.images.clear();
            self.of = Some((Arc::clone(photos), *input));
        }
        let new: Vec<usize> = indices
            .iter()
            .copied()
            .filter(|i| !self.images.contains_key(i))
            .collect();
        let mut failed = HashMap::new();
        for (index, image) in batch::load(photos, &new, input, on_done) {
            match image {
                Ok(image) => drop(self.images.insert(index, Arc::new(image))),
                Err(error) => drop(failed.insert(index, error)),
            }
        }
        let found = indices.iter().map(|&index| {
            let image = match self.images.get(&index) {
                Some(image) => Ok(Arc::clone(image)),
                None => Err(failed
                    .remove(&index)
                    .unwrap_or_else(|| photos.error(index, DecodeCause::Cancelled))),
            };
            (index, image)
        });
        found.collect()
    }
}
