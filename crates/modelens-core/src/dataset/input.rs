//! How a model takes photos.

use super::PhotoSet;
use super::jpeg::PhotoDecoder;
use crate::rules::Semantics;

/// The size and the channels of the photos that a model takes, and the library that decodes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PhotoInput {
    pub height: usize,
    pub width: usize,
    pub channels: usize,
    pub library: PhotoDecoder,
}

/// A model that takes another number of channels than the photos have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChannelsError {
    #[error(
        "the network takes {} and a photo has one (grey) or three (colours): open an array \
         (.npz, .npy) of [N, height, width, {}]", channels(*.0), .0
    )]
    OfPhotos(usize),
    #[error("the network takes {}, but the photos have {}", channels(*.network), channels(*.photos))]
    OfArrays { network: usize, photos: usize },
}

fn channels(n: usize) -> String {
    format!("{n} channel{}", if n == 1 { "" } else { "s" })
}

/// Height and width of photos for a model that takes any.
const ANY_SIDE: usize = 224;
/// Channels of photos for a model that takes any number.
const ANY_CHANNELS: usize = 3;

impl PhotoInput {
    /// For a model with this input `[height, width, channels]`, under the rules of a framework.
    pub fn of([height, width, channels]: [Option<usize>; 3], semantics: Semantics) -> Self {
        Self {
            height: height.unwrap_or(ANY_SIDE),
            width: width.unwrap_or(ANY_SIDE),
            channels: channels.unwrap_or(ANY_CHANNELS),
            library: PhotoDecoder::of(semantics),
        }
    }

    /// `[height, width]` in pixels.
    pub fn size(&self) -> [usize; 2] {
        [self.height, self.width]
    }

    /// Checks that photos of this set can become the input.
    ///
    /// # Errors
    /// Another number of channels.
    pub fn check(&self, set: &PhotoSet) -> Result<(), ChannelsError> {
        let network = self.channels;
        match set.files.channels() {
            None if matches!(network, 1 | 3) => Ok(()),
            None => Err(ChannelsError::OfPhotos(network)),
            Some(photos) if photos == network => Ok(()),
            Some(photos) if matches!((photos, network), (1, 3) | (3, 1)) => Ok(()),
            Some(photos) => Err(ChannelsError::OfArrays { network, photos }),
        }
    }
}
