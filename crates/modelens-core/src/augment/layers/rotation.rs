//! `RandomRotation`: turns the image about its centre.

use serde::{Deserialize, Serialize};

use super::{Behaviour, Draw, Drawn, signed};
use crate::augment::affine;
use crate::augment::parameter::{FactorLimits, Parameter, ParameterValue};
use crate::augment::values::{Factor, Sampling};
use crate::dataset::Image;
use crate::number::trimmed;
use crate::random::Draws;
use crate::rules::Semantics;

/// An image turned by more than this is rather upside down than upright.
const UPSIDE_DOWN_DEGREES: f64 = 90.0;

/// Turns the image about the centre of its pixels by theta ~ U(low, high) turns; positive is
/// counter-clockwise on the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RandomRotation {
    /// In turns of 360 degrees, within [-1, 1].
    pub factor: Factor,
    pub sampling: Sampling,
}

/// The angle of one image.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RotationDraw {
    /// In turns of 360 degrees; positive is counter-clockwise on the screen.
    pub turns: f64,
}

impl Behaviour for RandomRotation {
    fn example(_: usize, _: usize) -> Self {
        Self {
            factor: Factor::Scalar(0.2),
            ..Self::default()
        }
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        let factor = ParameterValue::Factor(&mut self.factor, FactorLimits::FRACTION);
        vec![
            Parameter::required("factor", factor),
            Parameter::sampling(&mut self.sampling),
        ]
    }

    fn draw(&self, _: Semantics, draws: &mut Draws, _: usize, _: usize) -> Draw {
        Draw::Rotation(RotationDraw {
            turns: self.factor.draw(draws),
        })
    }

    fn apply(&self, draw: &Draw, image: &Image) -> Image {
        affine::apply(draw, image, self.sampling)
    }

    fn can_turn_upside_down(&self) -> bool {
        let largest = self.factor.low().abs().max(self.factor.high().abs());
        largest * 360.0 > UPSIDE_DOWN_DEGREES
    }

    fn torchvision(&self) -> Option<String> {
        let degrees = trimmed(self.factor.high() * 360.0);
        Some(format!("v2.RandomRotation({degrees})"))
    }
}

impl Drawn for RotationDraw {
    fn words(&self) -> String {
        if self.turns == 0.0 {
            return String::new();
        }
        format!("{}°", signed(self.turns * 360.0, 1))
    }

    fn meaning(&self) -> Option<String> {
        let direction = if self.turns > 0.0 {
            "counter-clockwise"
        } else {
            "clockwise"
        };
        (self.turns != 0.0).then(|| direction.to_owned())
    }

    fn quantities(&self) -> Vec<(&'static str, f64)> {
        vec![("rotation_degrees", self.turns * 360.0)]
    }

    /// `x' = cos x - sin y + ox`, `y' = sin x + cos y + oy` with
    /// `ox = ((W-1) - (cos (W-1) - sin (H-1))) / 2`, `oy = ((H-1) - (sin (W-1) + cos (H-1))) / 2`:
    /// the centre ((W-1)/2, (H-1)/2) stays in place. Source: tf_keras 2.21 `get_rotation_matrix`.
    ///
    /// In 32 bits, as there: after a half turn `wrap` tells -1e-6 from 0, which are opposite edges.
    fn input_from_output(&self, height: usize, width: usize) -> Option<[f32; 8]> {
        let angle = (self.turns * std::f64::consts::TAU) as f32;
        let (sin, cos) = angle.sin_cos();
        let (last_x, last_y) = (width as f32 - 1.0, height as f32 - 1.0);
        let ox = (last_x - (cos * last_x - sin * last_y)) / 2.0;
        let oy = (last_y - (sin * last_x + cos * last_y)) / 2.0;
        Some([cos, -sin, ox, sin, cos, oy, 0.0, 0.0])
    }

    fn is_upside_down(&self) -> bool {
        let degrees = (self.turns * 360.0).rem_euclid(360.0);
        degrees.min(360.0 - degrees) > UPSIDE_DOWN_DEGREES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_a_quarter_turn_is_upside_down() {
        for (turns, expected) in [(0.26, true), (-0.5, true), (0.24, false), (0.99, false)] {
            assert_eq!(RotationDraw { turns }.is_upside_down(), expected, "{turns}");
        }
    }
}
