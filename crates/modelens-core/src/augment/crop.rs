//! `RandomCrop`: cuts a window out of the image.

use serde::{Deserialize, Serialize};

use super::parameters::check_size;
use super::{Behaviour, Draw, ParameterError};
use crate::dataset::Image;
use crate::dataset::resize::resize_bilinear;
use crate::random::Draws;
use crate::rules::Semantics;

/// Cuts a window of `height` x `width` pixels at one place for the whole batch.
///
/// | | Keras 2 and PyTorch | Keras 3 |
/// |---|---|---|
/// | a random window where the image is | not smaller on either side | larger on both sides |
/// | else, in training | the largest central window of that shape, resized | the window of the layer's size at that window's corner, cut at the image's edge and resized if it is then smaller |
/// | in inference | as above; PyTorch: the image as it is | the image as it is |
///
/// Source: keras 3.15 `random_crop.py`, tf_keras 2.21 `image_preprocessing.py`. torchvision's
/// `RandomCrop` raises for smaller images and belongs to the training set's loader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RandomCrop {
    /// Pixels, at least 1.
    pub height: usize,
    /// Pixels, at least 1.
    pub width: usize,
}

impl Behaviour for RandomCrop {
    fn class(&self) -> &'static str {
        "RandomCrop"
    }

    fn validate(&self) -> Result<(), ParameterError> {
        check_size(self.class(), self.height, self.width)
    }

    fn draws_once_per_batch(&self, _: Semantics) -> bool {
        true
    }

    fn draw(&self, semantics: Semantics, draws: &mut Draws, height: usize, width: usize) -> Draw {
        let fits = match semantics {
            Semantics::Keras3 => height > self.height && width > self.width,
            Semantics::Keras2 | Semantics::PyTorch => height >= self.height && width >= self.width,
        };
        if fits {
            return Draw::Crop {
                top: draws.below(height - self.height + 1),
                left: draws.below(width - self.width + 1),
                height: self.height,
                width: self.width,
            };
        }
        let window = Window::central(height, width, self.height, self.width);
        match semantics {
            Semantics::Keras3 => Draw::Crop {
                top: window.top,
                left: window.left,
                height: self.height.min(height - window.top),
                width: self.width.min(width - window.left),
            },
            Semantics::Keras2 | Semantics::PyTorch => Draw::Crop {
                top: window.top,
                left: window.left,
                height: window.height,
                width: window.width,
            },
        }
    }

    fn apply(&self, draw: &Draw, image: &Image) -> Image {
        let Draw::Crop {
            top,
            left,
            height,
            width,
        } = *draw
        else {
            return image.clone();
        };
        let window = Window {
            top,
            left,
            height,
            width,
        };
        self.resize(window.cut(image))
    }

    fn inference(&self, semantics: Semantics, image: &Image) -> Image {
        match semantics {
            Semantics::Keras2 => {
                let window = Window::central(image.height, image.width, self.height, self.width);
                self.resize(window.cut(image))
            }
            Semantics::Keras3 | Semantics::PyTorch => image.clone(),
        }
    }

    fn training_size(&self, _: usize, _: usize) -> [usize; 2] {
        [self.height, self.width]
    }

    fn inference_size(&self, semantics: Semantics, height: usize, width: usize) -> [usize; 2] {
        match semantics {
            Semantics::Keras2 => [self.height, self.width],
            Semantics::Keras3 | Semantics::PyTorch => [height, width],
        }
    }

    fn arguments(&self) -> Vec<String> {
        vec![self.height.to_string(), self.width.to_string()]
    }
}

impl RandomCrop {
    /// The layer's size, by bilinear resizing where it is not reached yet.
    fn resize(&self, image: Image) -> Image {
        if [image.height, image.width] == [self.height, self.width] {
            return image;
        }
        resize_bilinear(&image, self.height, self.width)
    }
}

/// A rectangle of pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub top: usize,
    pub left: usize,
    pub height: usize,
    pub width: usize,
}

impl Window {
    /// The largest central window of an image of `height` x `width` with the aspect ratio of the
    /// target: `h = clamp(int(W th / tw), 1, H)`, `w = clamp(int(H tw / th), 1, W)`, starting at
    /// `int((H - h) / 2)`, `int((W - w) / 2)`. Source: tf_keras 2.21 `smart_resize`.
    pub fn central(height: usize, width: usize, target_height: usize, target_width: usize) -> Self {
        let side = |len: usize, other: usize, target: usize, target_other: usize| {
            (other * target / target_other.max(1)).min(len).max(1)
        };
        let window_height = side(height, width, target_height, target_width);
        let window_width = side(width, height, target_width, target_height);
        Self {
            top: height.saturating_sub(window_height) / 2,
            left: width.saturating_sub(window_width) / 2,
            height: window_height,
            width: window_width,
        }
    }

    /// The window's pixels; what lies outside the image is left out.
    pub fn cut(self, image: &Image) -> Image {
        let top = self.top.min(image.height);
        let left = self.left.min(image.width);
        let height = self.height.min(image.height - top);
        let width = self.width.min(image.width - left);
        let channels = image.channels;
        let mut pixels = Vec::with_capacity(height * width * channels);
        for row in top..top + height {
            let start = (row * image.width + left) * channels;
            pixels.extend_from_slice(&image.pixels_hwc[start..start + width * channels]);
        }
        Image {
            height,
            width,
            channels,
            pixels_hwc: pixels,
        }
    }
}
