//! `RandomTranslation`: shifts the image.

use serde::{Deserialize, Serialize};

use super::{Behaviour, Draw, Drawn, signed};
use crate::augment::affine;
use crate::augment::parameter::{FactorLimits, Parameter, ParameterValue};
use crate::augment::values::{Factor, Sampling};
use crate::dataset::Image;
use crate::number::trimmed;
use crate::random::Draws;
use crate::rules::Semantics;

/// Shifts the image by fractions ~ U(low, high) of its height (drawn first; positive is down) and of
/// its width (positive is right).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RandomTranslation {
    /// Within [-1, 1].
    pub height_factor: Factor,
    /// Within [-1, 1].
    pub width_factor: Factor,
    pub sampling: Sampling,
}

/// Fractions of the height (positive moves down) and of the width (positive moves right).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TranslationDraw {
    pub y: f64,
    pub x: f64,
}

impl Behaviour for RandomTranslation {
    fn example(_: usize, _: usize) -> Self {
        Self {
            height_factor: Factor::Scalar(0.2),
            width_factor: Factor::Scalar(0.2),
            ..Self::default()
        }
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        let limits = FactorLimits::FRACTION;
        let height = ParameterValue::Factor(&mut self.height_factor, limits);
        let width = ParameterValue::Factor(&mut self.width_factor, limits);
        vec![
            Parameter::required("height_factor", height),
            Parameter::required("width_factor", width),
            Parameter::sampling(&mut self.sampling),
        ]
    }

    fn draw(&self, _: Semantics, draws: &mut Draws, _: usize, _: usize) -> Draw {
        let y = self.height_factor.draw(draws);
        let x = self.width_factor.draw(draws);
        Draw::Translation(TranslationDraw { y, x })
    }

    fn apply(&self, draw: &Draw, image: &Image) -> Image {
        affine::apply(draw, image, self.sampling)
    }

    fn torchvision(&self) -> Option<String> {
        let [width, height] = [self.width_factor, self.height_factor].map(|f| trimmed(f.high()));
        Some(format!("v2.RandomAffine(0, translate=({width}, {height}))"))
    }
}

impl Drawn for TranslationDraw {
    fn words(&self) -> String {
        if [self.y, self.x] == [0.0, 0.0] {
            return String::new();
        }
        format!("shift {} H, {} W", signed(self.y, 2), signed(self.x, 2))
    }

    fn quantities(&self) -> Vec<(&'static str, f64)> {
        vec![("shift_height", self.y), ("shift_width", self.x)]
    }

    /// `x' = x - dx W`, `y' = y - dy H` with the fractions dy, dx.
    /// Source: tf_keras 2.21 `get_translation_matrix`, keras 3.15 `random_translation.py`.
    fn input_from_output(&self, height: usize, width: usize) -> Option<[f32; 8]> {
        let dy = self.y as f32 * height as f32;
        let dx = self.x as f32 * width as f32;
        Some([1.0, 0.0, -dx, 0.0, 1.0, -dy, 0.0, 0.0])
    }
}
