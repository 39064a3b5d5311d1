//! `RandomRotation`: turns the image about its centre.

use serde::{Deserialize, Serialize};

use super::keras_code;
use super::{Behaviour, Draw, Factor, ParameterError, Sampling, affine};
use crate::dataset::Image;
use crate::random::Draws;
use crate::rules::Semantics;

/// Turns the image about the centre of its pixels by theta ~ U(low, high) turns; positive is
/// counter-clockwise on the screen.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RandomRotation {
    /// In turns of 360 degrees, within [-1, 1].
    pub factor: Factor,
    pub sampling: Sampling,
}

impl Behaviour for RandomRotation {
    fn class(&self) -> &'static str {
        "RandomRotation"
    }

    fn validate(&self) -> Result<(), ParameterError> {
        self.factor.check(self.class(), "factor", -1.0, 1.0)?;
        self.sampling.check(self.class())
    }

    fn draw(&self, _: Semantics, draws: &mut Draws, _: usize, _: usize) -> Draw {
        Draw::Rotation {
            turns: self.factor.draw(draws),
        }
    }

    fn apply(&self, draw: &Draw, image: &Image) -> Image {
        affine::apply(draw, image, self.sampling)
    }

    fn arguments(&self) -> Vec<String> {
        let mut arguments = vec![keras_code::factor(self.factor)];
        keras_code::push_sampling(&mut arguments, self.sampling);
        arguments
    }
}

/// `x' = cos x - sin y + ox`, `y' = sin x + cos y + oy` with
/// `ox = ((W-1) - (cos (W-1) - sin (H-1))) / 2`, `oy = ((H-1) - (sin (W-1) + cos (H-1))) / 2`:
/// the centre ((W-1)/2, (H-1)/2) stays. Source: tf_keras 2.21 `get_rotation_matrix`.
///
/// In 32 bits, as there: after a half turn `wrap` tells -1e-6 from 0, which are opposite edges.
pub(super) fn vector(turns: f64, height: usize, width: usize) -> [f32; 8] {
    let angle = (turns * std::f64::consts::TAU) as f32;
    let (sin, cos) = angle.sin_cos();
    let (last_x, last_y) = (width as f32 - 1.0, height as f32 - 1.0);
    let ox = (last_x - (cos * last_x - sin * last_y)) / 2.0;
    let oy = (last_y - (sin * last_x + cos * last_y)) / 2.0;
    [cos, -sin, ox, sin, cos, oy, 0.0, 0.0]
}
