//! `RandomCrop`: cuts a window out of the image.

use serde::{Deserialize, Serialize};

use super::{Behaviour, Draw, Drawn};
use crate::augment::behaviour::PixelType;
use crate::augment::parameter::{Parameter, ParameterValue};
use crate::dataset::Image;
use crate::dataset::resize::{PixelWindow, resize_bilinear};
use crate::random::Draws;
use crate::rules::Semantics;

/// Cuts a window of `height` x `width` pixels at one place for the whole batch.
///
/// | | Keras 2 and PyTorch | Keras 3 |
/// |---|---|---|
/// | a random window if the image is | not smaller on either side | larger on both sides |
/// | otherwise, in training | the largest central window of that shape, resized | the window of the layer's size at that window's corner, cut at the image's edge and resized if it is then smaller |
/// | in inference | as above; PyTorch: the image as it is | the image as it is |
///
/// Source: keras 3.15 `random_crop.py`, tf_keras 2.21 `image_preprocessing.py`. torchvision's
/// `RandomCrop` raises for smaller images and belongs to the training set's loader.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RandomCrop {
    /// Pixels, at least 1.
    pub height: usize,
    /// Pixels, at least 1.
    pub width: usize,
}

/// The window that is cut out, in pixels; it is resized where the layer has another size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CropDraw {
    pub top: usize,
    pub left: usize,
    pub height: usize,
    pub width: usize,
}

impl RandomCrop {
    /// The largest central window of the layer's shape.
    fn central_window(self, height: usize, width: usize) -> PixelWindow {
        PixelWindow::central([height, width], [self.height, self.width])
    }

    /// Cuts the window and resizes it to the layer's size where it has another.
    fn cut(self, window: PixelWindow, image: &Image) -> Image {
        let cut = window.cut(image);
        if [cut.height, cut.width] == [self.height, self.width] {
            return cut;
        }
        resize_bilinear(&cut, self.height, self.width)
    }
}

impl Behaviour for RandomCrop {
    fn example(height: usize, width: usize) -> Self {
        Self { height, width }
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        vec![
            Parameter::required("height", ParameterValue::Pixels(&mut self.height)),
            Parameter::required("width", ParameterValue::Pixels(&mut self.width)),
        ]
    }

    fn draws_once_per_batch(&self, _: Semantics) -> bool {
        true
    }

    fn draw(&self, semantics: Semantics, draws: &mut Draws, height: usize, width: usize) -> Draw {
        let fits = match semantics {
            Semantics::Keras3 | Semantics::Keras316 => height > self.height && width > self.width,
            Semantics::Keras2 | Semantics::PyTorch => height >= self.height && width >= self.width,
        };
        if fits {
            return Draw::Crop(CropDraw {
                top: draws.below(height - self.height + 1),
                left: draws.below(width - self.width + 1),
                height: self.height,
                width: self.width,
            });
        }
        let window = self.central_window(height, width);
        let [window_height, window_width] = match semantics {
            Semantics::Keras3 | Semantics::Keras316 => [
                self.height.min(height - window.top),
                self.width.min(width - window.left),
            ],
            Semantics::Keras2 | Semantics::PyTorch => [window.height, window.width],
        };
        Draw::Crop(CropDraw {
            top: window.top,
            left: window.left,
            height: window_height,
            width: window_width,
        })
    }

    fn apply(&self, draw: &Draw, image: &Image) -> Image {
        let Draw::Crop(CropDraw {
            top,
            left,
            height,
            width,
        }) = *draw
        else {
            return image.clone();
        };
        let window = PixelWindow {
            top,
            left,
            height,
            width,
        };
        self.cut(window, image)
    }

    fn acts_in_inference(&self, semantics: Semantics) -> bool {
        match semantics {
            Semantics::Keras2 => true,
            Semantics::Keras3 | Semantics::Keras316 | Semantics::PyTorch => false,
        }
    }

    fn inference(&self, image: &Image, _: PixelType) -> Image {
        self.cut(self.central_window(image.height, image.width), image)
    }

    fn output_size(&self) -> Option<[usize; 2]> {
        Some([self.height, self.width])
    }

    fn differences(&self, semantics: Semantics) -> Option<String> {
        match semantics {
            Semantics::Keras3 | Semantics::Keras316 => Some(
                "RandomCrop draws once for a batch. With training=False Keras returns the whole photo from 3.8 \
                 on; Keras 2, and 3.0 to 3.5, return its middle, and 3.6 and 3.7 a window."
                    .to_owned(),
            ),
            Semantics::Keras2 => Some(
                "RandomCrop draws once for a batch. With training=False Keras 2, and 3.0 to 3.5, return the \
                 middle; from 3.8 on Keras returns the whole photo."
                    .to_owned(),
            ),
            Semantics::PyTorch => None,
        }
    }
}

impl Drawn for CropDraw {
    fn words(&self) -> String {
        format!("crop at {}, {}", self.top, self.left)
    }

    fn quantities(&self) -> Vec<(&'static str, f64)> {
        vec![
            ("crop_top", self.top as f64),
            ("crop_left", self.left as f64),
            ("crop_height", self.height as f64),
            ("crop_width", self.width as f64),
        ]
    }
}
