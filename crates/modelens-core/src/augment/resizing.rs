//! `Resizing` and `Rescaling`: the layers that draw nothing and act in both modes.

use serde::{Deserialize, Serialize};

use super::crop::Window;
use super::keras_code;
use super::parameters::check_size;
use super::{Behaviour, Draw, Interpolation, ParameterError};
use crate::dataset::Image;
use crate::dataset::resize::{resize_bilinear, resize_nearest};
use crate::random::Draws;
use crate::rules::Semantics;

/// Resizes to `height` x `width` pixels with half-pixel centres and without antialiasing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resizing {
    /// Pixels, at least 1.
    pub height: usize,
    /// Pixels, at least 1.
    pub width: usize,
    pub interpolation: Interpolation,
    /// Cuts the largest central window of the target's shape first.
    pub crop_to_aspect_ratio: bool,
}

impl Behaviour for Resizing {
    fn class(&self) -> &'static str {
        "Resizing"
    }

    fn validate(&self) -> Result<(), ParameterError> {
        check_size(self.class(), self.height, self.width)
    }

    fn is_random(&self) -> bool {
        false
    }

    fn draw(&self, _: Semantics, _: &mut Draws, _: usize, _: usize) -> Draw {
        Draw::Nothing
    }

    fn apply(&self, _: &Draw, image: &Image) -> Image {
        let cut;
        let source = if self.crop_to_aspect_ratio {
            let window = Window::central(image.height, image.width, self.height, self.width);
            cut = window.cut(image);
            &cut
        } else {
            image
        };
        match self.interpolation {
            Interpolation::Bilinear => resize_bilinear(source, self.height, self.width),
            Interpolation::Nearest => resize_nearest(source, self.height, self.width),
        }
    }

    fn inference(&self, _: Semantics, image: &Image) -> Image {
        self.apply(&Draw::Nothing, image)
    }

    fn training_size(&self, _: usize, _: usize) -> [usize; 2] {
        [self.height, self.width]
    }

    fn inference_size(&self, _: Semantics, _: usize, _: usize) -> [usize; 2] {
        [self.height, self.width]
    }

    fn arguments(&self) -> Vec<String> {
        let mut arguments = vec![self.height.to_string(), self.width.to_string()];
        keras_code::push_interpolation(&mut arguments, self.interpolation);
        if self.crop_to_aspect_ratio {
            arguments.push("crop_to_aspect_ratio=True".to_owned());
        }
        arguments
    }
}

/// `y = x * scale + offset`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rescaling {
    pub scale: f64,
    pub offset: f64,
}

impl Behaviour for Rescaling {
    fn class(&self) -> &'static str {
        "Rescaling"
    }

    fn validate(&self) -> Result<(), ParameterError> {
        for (field, value) in [("scale", self.scale), ("offset", self.offset)] {
            if !value.is_finite() {
                return Err(ParameterError::NotFinite {
                    layer: self.class(),
                    field,
                });
            }
        }
        Ok(())
    }

    fn is_random(&self) -> bool {
        false
    }

    fn draw(&self, _: Semantics, _: &mut Draws, _: usize, _: usize) -> Draw {
        Draw::Nothing
    }

    fn apply(&self, _: &Draw, image: &Image) -> Image {
        let (scale, offset) = (self.scale as f32, self.offset as f32);
        let mut out = image.clone();
        for value in &mut out.pixels_hwc {
            *value = *value * scale + offset;
        }
        out
    }

    fn inference(&self, _: Semantics, image: &Image) -> Image {
        self.apply(&Draw::Nothing, image)
    }

    fn arguments(&self) -> Vec<String> {
        let mut arguments = vec![scale_code(self.scale)];
        if self.offset != 0.0 {
            arguments.push(format!("offset={}", keras_code::number(self.offset)));
        }
        arguments
    }
}

/// `1 / 255` and `1 / 127.5` as people write them, other numbers as they are.
fn scale_code(scale: f64) -> String {
    let halves = (2.0 / scale).round();
    if scale < 1.0 && halves.is_finite() && ((2.0 / halves) / scale - 1.0).abs() < 1e-6 {
        return format!("1 / {}", halves / 2.0);
    }
    keras_code::number(scale)
}
