//! `RandomResizedCrop`: cuts out a box of drawn area and shape, and resizes it.

use serde::{Deserialize, Serialize};

use super::resample::Resampler;
use super::resize::SIZE;
use super::{
    Behaviour, BoxDraw, BoxShape, Draw, Drawn, Draws, Image, ListLimits, Parameter, ParameterValue,
    PixelType, RATIO, Semantics, frame, pair, sides_of, square,
};

/// Shares of the area.
const SCALE: ListLimits = ListLimits::of(&[2], [0.0, 1e3], [0.0, 1.0]);

/// Cuts out a box of U(scale) of the area, whose width over height is `exp(U(log ratio))`, and resizes it to
/// `size`. After ten boxes that do not fit it takes the middle.
/// Source: torchvision 0.29 `v2/_geometry.py`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RandomResizedCrop {
    /// One number for a square, or height and width.
    pub size: Vec<f64>,
    pub scale: Vec<f64>,
    pub ratio: Vec<f64>,
    pub resampler: Resampler,
}

/// The box of one image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResizedCropDraw {
    /// In pixels of the image.
    pub cut: BoxDraw,
}

impl Default for RandomResizedCrop {
    fn default() -> Self {
        Self {
            size: Vec::new(),
            scale: vec![0.08, 1.0],
            ratio: vec![3.0 / 4.0, 4.0 / 3.0],
            resampler: Resampler::default(),
        }
    }
}

impl RandomResizedCrop {
    /// The middle, as wide or as high as the ratios allow.
    fn middle(&self, height: usize, width: usize) -> BoxDraw {
        let [low, high] = pair(&self.ratio).unwrap_or([1.0; 2]);
        let [low, high] = [low.min(high), low.max(high)];
        let ratio = width as f64 / height as f64;
        let [h, w] = if ratio < low {
            [(width as f64 / low).round_ties_even() as usize, width]
        } else if ratio > high {
            [height, (height as f64 * high).round_ties_even() as usize]
        } else {
            [height, width]
        };
        let [h, w] = [h.clamp(1, height.max(1)), w.clamp(1, width.max(1))];
        BoxDraw {
            top: (height - h) / 2,
            left: (width - w) / 2,
            height: h,
            width: w,
        }
    }
}

impl Behaviour for RandomResizedCrop {
    fn example(height: usize, width: usize) -> Self {
        Self {
            size: square(height, width),
            ..Self::default()
        }
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        let [interpolation, antialias] = self.resampler.parameters();
        vec![
            Parameter::required("size", ParameterValue::List(&mut self.size, SIZE)),
            Parameter::list("scale", &mut self.scale, SCALE),
            Parameter::list("ratio", &mut self.ratio, RATIO),
            interpolation,
            antialias,
        ]
    }

    fn draw(&self, _: Semantics, draws: &mut Draws, height: usize, width: usize) -> Draw {
        let fits = |h: usize, w: usize| h > 0 && h <= height && w > 0 && w <= width;
        let shape = BoxShape {
            scale: &self.scale,
            ratio: &self.ratio,
            of_height: false,
        };
        let found = shape.draw([height, width], draws, fits);
        Draw::V2ResizedCrop(ResizedCropDraw {
            cut: found.unwrap_or_else(|| self.middle(height, width)),
        })
    }

    applies!(|own, draw, image, pixels| {
        let Draw::V2ResizedCrop(ResizedCropDraw { cut }) = *draw else {
            return image.clone();
        };
        let cut = frame::crop(image, [cut.top, cut.left], [cut.height, cut.width]);
        let size = sides_of(&own.size);
        own.resampler.resize(&cut, size, pixels)
    });

    fn output_size(&self) -> Option<[usize; 2]> {
        Some(sides_of(&self.size))
    }
}

impl Drawn for ResizedCropDraw {
    fn words(&self) -> String {
        format!("crop {} × {}", self.cut.height, self.cut.width)
    }

    fn meaning(&self) -> Option<String> {
        let BoxDraw { top, left, .. } = self.cut;
        Some(format!(
            "height × width at row {top}, column {left}, then resized"
        ))
    }

    fn quantities(&self) -> Vec<(&'static str, f64)> {
        vec![
            ("crop_top", self.cut.top as f64),
            ("crop_left", self.cut.left as f64),
            ("crop_height", self.cut.height as f64),
            ("crop_width", self.cut.width as f64),
        ]
    }
}
