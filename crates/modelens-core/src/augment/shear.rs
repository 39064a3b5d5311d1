//! `RandomShear`: slants the image.

use serde::{Deserialize, Serialize};

use super::keras_code;
use super::{Behaviour, Draw, Factor, ParameterError, Sampling, affine};
use crate::dataset::Image;
use crate::random::Draws;
use crate::rules::Semantics;

/// Slants the image about pixel (0, 0), not about its centre.
///
/// s ~ U(low, high) an axis, and one common sign for both axes. A number f means (-f, f), whatever
/// the class' documentation says. Only Keras 3 has the layer; the other semantics do the same.
/// Source: keras 3.15 `random_shear.py`, which draws the sign, then y, then x.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RandomShear {
    /// Within [0, 1]; files hold a number f as the pair (-f, f), so -1 is the limit here.
    pub x_factor: Factor,
    /// As `x_factor`.
    pub y_factor: Factor,
    pub sampling: Sampling,
}

impl Behaviour for RandomShear {
    fn class(&self) -> &'static str {
        "RandomShear"
    }

    fn validate(&self) -> Result<(), ParameterError> {
        for (field, factor) in [("x_factor", self.x_factor), ("y_factor", self.y_factor)] {
            let low = if factor.is_scalar() { 0.0 } else { -1.0 };
            factor.check(self.class(), field, low, 1.0)?;
        }
        self.sampling.check(self.class())
    }

    fn draw(&self, _: Semantics, draws: &mut Draws, _: usize, _: usize) -> Draw {
        let sign = if draws.unit() > 0.5 { -1.0 } else { 1.0 };
        let y = sign * self.y_factor.draw(draws);
        let x = sign * self.x_factor.draw(draws);
        Draw::Shear { x, y }
    }

    fn apply(&self, draw: &Draw, image: &Image) -> Image {
        affine::apply(draw, image, self.sampling)
    }

    fn arguments(&self) -> Vec<String> {
        let mut arguments = Vec::new();
        for (name, factor) in [("x_factor", self.x_factor), ("y_factor", self.y_factor)] {
            if factor != Factor::Scalar(0.0) {
                arguments.push(format!("{name}={}", keras_code::factor(factor)));
            }
        }
        keras_code::push_sampling(&mut arguments, self.sampling);
        arguments
    }
}

/// `x' = x + sx y`, `y' = sy x + y`.
pub(super) fn vector(x: f64, y: f64) -> [f32; 8] {
    [1.0, x as f32, 0.0, y as f32, 1.0, 0.0, 0.0, 0.0]
}
