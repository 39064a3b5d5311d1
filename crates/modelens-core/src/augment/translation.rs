//! `RandomTranslation`: shifts the image.

use serde::{Deserialize, Serialize};

use super::keras_code;
use super::{Behaviour, Draw, Factor, ParameterError, Sampling, affine};
use crate::dataset::Image;
use crate::random::Draws;
use crate::rules::Semantics;

/// Shifts the image by fractions ~ U(low, high) of its height (drawn first; positive is down) and
/// of its width (positive is right).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RandomTranslation {
    /// Within [-1, 1].
    pub height_factor: Factor,
    /// Within [-1, 1].
    pub width_factor: Factor,
    pub sampling: Sampling,
}

impl Behaviour for RandomTranslation {
    fn class(&self) -> &'static str {
        "RandomTranslation"
    }

    fn validate(&self) -> Result<(), ParameterError> {
        self.height_factor
            .check(self.class(), "height_factor", -1.0, 1.0)?;
        self.width_factor
            .check(self.class(), "width_factor", -1.0, 1.0)?;
        self.sampling.check(self.class())
    }

    fn draw(&self, _: Semantics, draws: &mut Draws, _: usize, _: usize) -> Draw {
        let y = self.height_factor.draw(draws);
        let x = self.width_factor.draw(draws);
        Draw::Translation { y, x }
    }

    fn apply(&self, draw: &Draw, image: &Image) -> Image {
        affine::apply(draw, image, self.sampling)
    }

    fn arguments(&self) -> Vec<String> {
        let mut arguments = vec![
            keras_code::factor(self.height_factor),
            keras_code::factor(self.width_factor),
        ];
        keras_code::push_sampling(&mut arguments, self.sampling);
        arguments
    }
}

/// `x' = x - dx W`, `y' = y - dy H` with the fractions dy, dx.
/// Source: tf_keras 2.21 `get_translation_matrix`, keras 3.15 `random_translation.py`.
pub(super) fn vector(y: f64, x: f64, height: usize, width: usize) -> [f32; 8] {
    let (dy, dx) = (y as f32 * height as f32, x as f32 * width as f32);
    [1.0, 0.0, -dx, 0.0, 1.0, -dy, 0.0, 0.0]
}
