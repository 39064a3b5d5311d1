//! `RandomCrop`: pads the image and cuts out a window.

use serde::{Deserialize, Serialize};

use super::frame::{self, OPTIONAL_PADDING, PaddingMode, sides};
use super::resize::SIZE;
use super::{
    Behaviour, Draw, Drawn, Draws, FILL, Image, Parameter, ParameterValue, PixelType, Semantics,
    sides_of, square,
};

/// Pads the image and cuts out a window of `size`. torchvision refuses an image that is smaller with its
/// padding; here, it is padded as with `pad_if_needed`.
/// Source: torchvision 0.29 `v2/_geometry.py`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RandomCrop {
    /// One number for a square, or height and width.
    pub size: Vec<f64>,
    /// Empty, one number, `(x, y)`, or `(left, top, right, bottom)`.
    pub padding: Vec<f64>,
    /// Pads an image that is too small on both sides by all that is missing.
    pub pad_if_needed: bool,
    pub fill: Vec<f64>,
    pub padding_mode: PaddingMode,
}

/// The window of one image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct V2CropDraw {
    /// `[left, top, right, bottom]`, before the window is cut out.
    pub padding: [usize; 4],
    /// In pixels of the padded image.
    pub top: usize,
    /// In pixels of the padded image.
    pub left: usize,
}

impl Default for RandomCrop {
    fn default() -> Self {
        Self {
            size: Vec::new(),
            padding: Vec::new(),
            pad_if_needed: false,
            fill: vec![0.0],
            padding_mode: PaddingMode::Constant,
        }
    }
}

impl Behaviour for RandomCrop {
    fn example(height: usize, width: usize) -> Self {
        Self {
            size: square(height, width),
            padding: vec![(height / 8).max(1) as f64],
            ..Self::default()
        }
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        let pad_if_needed = ParameterValue::Flag(&mut self.pad_if_needed);
        let padding_mode = ParameterValue::Choice(&mut self.padding_mode);
        vec![
            Parameter::required("size", ParameterValue::List(&mut self.size, SIZE)),
            Parameter::list("padding", &mut self.padding, OPTIONAL_PADDING),
            Parameter::keyword("pad_if_needed", pad_if_needed),
            Parameter::list("fill", &mut self.fill, FILL),
            Parameter::keyword("padding_mode", padding_mode),
        ]
    }

    fn draw(&self, _: Semantics, draws: &mut Draws, height: usize, width: usize) -> Draw {
        let [wanted_height, wanted_width] = sides_of(&self.size);
        let [mut left, mut top, mut right, mut bottom] = sides(&self.padding);
        let missing = wanted_height.saturating_sub(height + top + bottom);
        [top, bottom] = [top, bottom].map(|side| side + missing);
        let missing = wanted_width.saturating_sub(width + left + right);
        [left, right] = [left, right].map(|side| side + missing);
        // `below` of 1 is 0, where torchvision does not draw.
        Draw::V2Crop(V2CropDraw {
            padding: [left, top, right, bottom],
            top: draws.below(height + top + bottom - wanted_height + 1),
            left: draws.below(width + left + right - wanted_width + 1),
        })
    }

    applies!(|own, draw, image, pixels| {
        let Draw::V2Crop(V2CropDraw { padding, top, left }) = *draw else {
            return image.clone();
        };
        let [at, size] = [[top, left], sides_of(&own.size)];
        if padding == [0; 4] {
            return frame::crop(image, at, size);
        }
        let whole = pixels == PixelType::Uint8;
        let padded = frame::pad(image, padding, own.padding_mode, &own.fill, whole);
        frame::crop(&padded, at, size)
    });

    fn output_size(&self) -> Option<[usize; 2]> {
        Some(sides_of(&self.size))
    }
}

impl V2CropDraw {
    /// Rows and columns that the window starts below and right of the image's corner.
    fn start(&self) -> [f64; 2] {
        let [left, top, ..] = self.padding;
        [self.top as f64 - top as f64, self.left as f64 - left as f64]
    }
}

impl Drawn for V2CropDraw {
    fn words(&self) -> String {
        let [top, left] = self.start().map(|start| crate::number::fixed(start, 0));
        format!("crop at {top}, {left}")
    }

    fn meaning(&self) -> Option<String> {
        Some("row, column of the photo".to_owned())
    }

    fn quantities(&self) -> Vec<(&'static str, f64)> {
        let [top, left] = self.start();
        vec![("crop_top", top), ("crop_left", left)]
    }
}
