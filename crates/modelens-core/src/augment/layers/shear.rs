//! `RandomShear`: slants the image.

use serde::{Deserialize, Serialize};

use super::{Behaviour, Draw, Drawn, Since, signed};
use crate::augment::affine;
use crate::augment::parameter::{FactorLimits, Parameter, ParameterValue};
use crate::augment::values::{Factor, Sampling};
use crate::dataset::Image;
use crate::random::Draws;
use crate::rules::Semantics;

/// Slants the image about pixel (0, 0), not about its centre.
///
/// Draws s ~ U(low, high) per axis, and one sign for both axes. A number f means (-f, f), whatever
/// the documentation of the class says. Only Keras 3 has this layer; the other semantics use the same
/// rules. Source: keras 3.15 `random_shear.py`, which draws the sign, then y, then x.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RandomShear {
    /// Within [0, 1]; files hold a number f as the pair (-f, f), so a pair reaches down to -1.
    pub x_factor: Factor,
    /// As `x_factor`.
    pub y_factor: Factor,
    pub sampling: Sampling,
}

/// Input columns per row (`x`) and input rows per column (`y`).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShearDraw {
    pub x: f64,
    pub y: f64,
}

impl Behaviour for RandomShear {
    fn example(_: usize, _: usize) -> Self {
        Self {
            x_factor: Factor::Scalar(0.2),
            y_factor: Factor::Scalar(0.2),
            ..Self::default()
        }
    }

    fn since(&self) -> Since {
        Since::Keras3(6)
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        let limits = FactorLimits::NO_NEGATIVE_NUMBER;
        let x = ParameterValue::Factor(&mut self.x_factor, limits);
        let y = ParameterValue::Factor(&mut self.y_factor, limits);
        vec![
            Parameter::keyword("x_factor", x),
            Parameter::keyword("y_factor", y),
            Parameter::sampling(&mut self.sampling),
        ]
    }

    fn draw(&self, _: Semantics, draws: &mut Draws, _: usize, _: usize) -> Draw {
        let sign = if draws.unit() > 0.5 { -1.0 } else { 1.0 };
        let y = sign * self.y_factor.draw(draws);
        let x = sign * self.x_factor.draw(draws);
        Draw::Shear(ShearDraw { x, y })
    }

    fn apply(&self, draw: &Draw, image: &Image) -> Image {
        affine::apply(draw, image, self.sampling)
    }
}

impl Drawn for ShearDraw {
    fn words(&self) -> String {
        if [self.x, self.y] == [0.0, 0.0] {
            return String::new();
        }
        format!("shear {} x, {} y", signed(self.x, 2), signed(self.y, 2))
    }

    fn quantities(&self) -> Vec<(&'static str, f64)> {
        vec![("shear_x", self.x), ("shear_y", self.y)]
    }

    /// `x' = x + sx y`, `y' = sy x + y`.
    fn input_from_output(&self, _: usize, _: usize) -> Option<[f32; 8]> {
        let (x, y) = (self.x as f32, self.y as f32);
        Some([1.0, x, 0.0, y, 1.0, 0.0, 0.0, 0.0])
    }
}
