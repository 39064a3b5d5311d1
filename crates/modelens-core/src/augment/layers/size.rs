//! `RandomHeight` and `RandomWidth` of Keras 2: change one side of all images of a batch.

use serde::{Deserialize, Serialize};

use super::{Behaviour, Draw, Drawn, Since};
use crate::augment::parameter::{FactorLimits, Parameter, ParameterValue};
use crate::augment::values::{Factor, Interpolation};
use crate::dataset::Image;
use crate::dataset::resize::{resize_bilinear, resize_nearest};
use crate::random::Draws;
use crate::rules::Semantics;

fn parameters<'a>(
    factor: &'a mut Factor,
    interpolation: &'a mut Interpolation,
) -> Vec<Parameter<'a>> {
    let factor = ParameterValue::Factor(factor, FactorLimits::SIZE);
    let interpolation = ParameterValue::Choice(interpolation);
    vec![
        Parameter::required("factor", factor),
        Parameter::keyword("interpolation", interpolation),
    ]
}

/// `int(U(1 + low, 1 + high) len)` pixels, in 32 bits.
fn drawn_len(factor: Factor, draws: &mut Draws, len: usize) -> usize {
    let share = 1.0 + factor.draw(draws);
    (share as f32 * len as f32) as usize
}

/// An empty image has no pixels to read; Keras fails there.
fn resized(image: &Image, height: usize, width: usize, interpolation: Interpolation) -> Image {
    match interpolation {
        Interpolation::Bilinear => resize_bilinear(image, height.max(1), width.max(1)),
        Interpolation::Nearest => resize_nearest(image, height.max(1), width.max(1)),
    }
}

/// Resizes to `int(U(1 + low, 1 + high) height)` pixels, drawn once for a batch, without antialiasing.
/// Source: tf_keras 2.21 `RandomHeight`; Keras 3 has no such layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RandomHeight {
    /// Above -1.
    pub factor: Factor,
    pub interpolation: Interpolation,
}

/// The new height of all images of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeightDraw {
    /// Pixels.
    pub height: usize,
}

impl Behaviour for RandomHeight {
    fn example(_: usize, _: usize) -> Self {
        Self {
            factor: Factor::Scalar(0.2),
            ..Self::default()
        }
    }

    fn since(&self) -> Since {
        Since::Keras2Only
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        parameters(&mut self.factor, &mut self.interpolation)
    }

    fn draws_once_per_batch(&self, _: Semantics) -> bool {
        true
    }

    fn draws_size(&self) -> [bool; 2] {
        [true, false]
    }

    fn draw(&self, _: Semantics, draws: &mut Draws, height: usize, _: usize) -> Draw {
        Draw::Height(HeightDraw {
            height: drawn_len(self.factor, draws, height),
        })
    }

    fn apply(&self, draw: &Draw, image: &Image) -> Image {
        let Draw::Height(HeightDraw { height }) = *draw else {
            return image.clone();
        };
        resized(image, height, image.width, self.interpolation)
    }
}

impl Drawn for HeightDraw {
    fn words(&self) -> String {
        format!("height {}", self.height)
    }

    fn quantities(&self) -> Vec<(&'static str, f64)> {
        vec![("height", self.height as f64)]
    }

    fn size(&self, _: usize, width: usize) -> Option<[usize; 2]> {
        Some([self.height.max(1), width])
    }
}

/// Resizes to `int(U(1 + low, 1 + high) width)` pixels, drawn once for a batch, without antialiasing.
/// Source: tf_keras 2.21 `RandomWidth`; Keras 3 has no such layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RandomWidth {
    /// Above -1.
    pub factor: Factor,
    pub interpolation: Interpolation,
}

/// The new width of all images of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WidthDraw {
    /// Pixels.
    pub width: usize,
}

impl Behaviour for RandomWidth {
    fn example(_: usize, _: usize) -> Self {
        Self {
            factor: Factor::Scalar(0.2),
            ..Self::default()
        }
    }

    fn since(&self) -> Since {
        Since::Keras2Only
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        parameters(&mut self.factor, &mut self.interpolation)
    }

    fn draws_once_per_batch(&self, _: Semantics) -> bool {
        true
    }

    fn draws_size(&self) -> [bool; 2] {
        [false, true]
    }

    fn draw(&self, _: Semantics, draws: &mut Draws, _: usize, width: usize) -> Draw {
        Draw::Width(WidthDraw {
            width: drawn_len(self.factor, draws, width),
        })
    }

    fn apply(&self, draw: &Draw, image: &Image) -> Image {
        let Draw::Width(WidthDraw { width }) = *draw else {
            return image.clone();
        };
        resized(image, image.height, width, self.interpolation)
    }
}

impl Drawn for WidthDraw {
    fn words(&self) -> String {
        format!("width {}", self.width)
    }

    fn quantities(&self) -> Vec<(&'static str, f64)> {
        vec![("width", self.width as f64)]
    }

    fn size(&self, height: usize, _: usize) -> Option<[usize; 2]> {
        Some([height, self.width.max(1)])
    }
}
