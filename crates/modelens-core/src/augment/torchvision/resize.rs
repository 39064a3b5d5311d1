//! `Resize`, `CenterCrop` and `Pad`: the frame of an image, without draws.

use serde::{Deserialize, Serialize};

use super::frame::{self, PADDING, PaddingMode, sides};
use super::resample::{Resampler, size_of_shorter};
use super::{
    Behaviour, Draw, FILL, Image, ListLimits, Parameter, ParameterValue, PixelType, sides_of,
    square,
};

/// The shorter side, or height and width.
pub(super) const SIZE: ListLimits = ListLimits::whole(&[1, 2], 1.0);
/// One number, or none.
pub(super) const OPTIONAL_SIDE: ListLimits = ListLimits::whole(&[0, 1], 1.0);

/// Resizes the shorter side to `size`, and the other one in proportion; or, with two numbers, to height and
/// width. Source: torchvision 0.29 `v2/_geometry.py`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Resize {
    /// The shorter side, or height and width.
    pub size: Vec<f64>,
    /// The longest that the longer side may become; empty: any.
    pub max_size: Vec<f64>,
    pub resampler: Resampler,
}

/// Cuts out the middle; black pixels around a smaller image.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CenterCrop {
    /// One number for a square, or height and width.
    pub size: Vec<f64>,
}

/// Adds pixels on each side.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pad {
    /// One number, `(x, y)`, or `(left, top, right, bottom)`.
    pub padding: Vec<f64>,
    pub fill: Vec<f64>,
    pub padding_mode: PaddingMode,
}

impl Default for Pad {
    fn default() -> Self {
        Self {
            padding: Vec::new(),
            fill: vec![0.0],
            padding_mode: PaddingMode::Constant,
        }
    }
}

impl Resize {
    fn target(&self, size: [usize; 2]) -> [usize; 2] {
        match *self.size {
            [height, width] => [height as usize, width as usize],
            ref shorter => {
                let shorter = shorter.first().map_or(1, |&side| side as usize);
                size_of_shorter(
                    size,
                    shorter,
                    self.max_size.first().map(|&side| side as usize),
                )
            }
        }
    }
}

impl Behaviour for Resize {
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
            interpolation,
            Parameter::list("max_size", &mut self.max_size, OPTIONAL_SIDE),
            antialias,
        ]
    }

    fn is_random(&self) -> bool {
        false
    }

    applies!(|own, _draw, image, pixels| {
        let target = own.target([image.height, image.width]);
        own.resampler.resize(image, target, pixels)
    });

    fn output_size(&self) -> Option<[usize; 2]> {
        let [height, width] = *self.size else {
            return None;
        };
        Some([height as usize, width as usize])
    }

    fn output_size_of(&self, height: usize, width: usize) -> Option<[usize; 2]> {
        Some(self.target([height, width]))
    }
}

impl Behaviour for CenterCrop {
    fn example(height: usize, width: usize) -> Self {
        Self {
            size: square(height, width),
        }
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        let size = ParameterValue::List(&mut self.size, SIZE);
        vec![Parameter::required("size", size)]
    }

    fn is_random(&self) -> bool {
        false
    }

    applies!(|own, _draw, image, _pixels| frame::center(image, sides_of(&own.size)));

    fn output_size(&self) -> Option<[usize; 2]> {
        Some(sides_of(&self.size))
    }
}

impl Behaviour for Pad {
    fn example(_: usize, _: usize) -> Self {
        Self {
            padding: vec![4.0],
            ..Self::default()
        }
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        let padding = ParameterValue::List(&mut self.padding, PADDING);
        let padding_mode = ParameterValue::Choice(&mut self.padding_mode);
        vec![
            Parameter::required("padding", padding),
            Parameter::list("fill", &mut self.fill, FILL),
            Parameter::keyword("padding_mode", padding_mode),
        ]
    }

    fn is_random(&self) -> bool {
        false
    }

    applies!(|own, _draw, image, pixels| {
        let whole = pixels == PixelType::Uint8;
        let sides = sides(&own.padding);
        frame::pad(image, sides, own.padding_mode, &own.fill, whole)
    });

    fn output_size_of(&self, height: usize, width: usize) -> Option<[usize; 2]> {
        let [left, top, right, bottom] = sides(&self.padding);
        Some([height + top + bottom, width + left + right])
    }
}
