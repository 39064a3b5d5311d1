//! `Resizing`: gives every image one size, in both modes.

use serde::{Deserialize, Serialize};

use super::{Behaviour, Draw};
use crate::augment::parameter::{Parameter, ParameterValue};
use crate::augment::values::Interpolation;
use crate::dataset::Image;
use crate::dataset::resize::{PixelWindow, resize_bilinear, resize_nearest};

/// Resizes to `height` x `width` pixels with half-pixel centres and without antialiasing.
/// Source: keras 3.15 `resizing.py`, tf_keras 2.21 `image_preprocessing.py`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resizing {
    /// Pixels, at least 1.
    pub height: usize,
    /// Pixels, at least 1.
    pub width: usize,
    pub interpolation: Interpolation,
    /// Cuts out the largest central window of the target's shape first.
    pub crop_to_aspect_ratio: bool,
}

impl Behaviour for Resizing {
    fn example(height: usize, width: usize) -> Self {
        Self {
            height,
            width,
            ..Self::default()
        }
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        let interpolation = ParameterValue::Choice(&mut self.interpolation);
        let crop = ParameterValue::Flag(&mut self.crop_to_aspect_ratio);
        vec![
            Parameter::required("height", ParameterValue::Pixels(&mut self.height)),
            Parameter::required("width", ParameterValue::Pixels(&mut self.width)),
            Parameter::keyword("interpolation", interpolation),
            Parameter::keyword("crop_to_aspect_ratio", crop),
        ]
    }

    fn unsupported(&self) -> &'static [&'static str] {
        &["pad_to_aspect_ratio", "antialias"]
    }

    fn is_random(&self) -> bool {
        false
    }

    fn apply(&self, _: &Draw, image: &Image) -> Image {
        let cut;
        let source = if self.crop_to_aspect_ratio {
            let target = [self.height, self.width];
            cut = PixelWindow::central([image.height, image.width], target).cut(image);
            &cut
        } else {
            image
        };
        if [source.height, source.width] == [self.height, self.width] {
            return source.clone();
        }
        match self.interpolation {
            Interpolation::Bilinear => resize_bilinear(source, self.height, self.width),
            Interpolation::Nearest => resize_nearest(source, self.height, self.width),
        }
    }

    fn output_size(&self) -> Option<[usize; 2]> {
        Some([self.height, self.width])
    }
}
