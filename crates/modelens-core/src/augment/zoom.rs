//! `RandomZoom`: scales the image about its centre.

use serde::{Deserialize, Serialize};

use super::keras_code;
use super::{Behaviour, Draw, Factor, ParameterError, Sampling, affine};
use crate::dataset::Image;
use crate::random::Draws;
use crate::rules::Semantics;

/// Scales the image about the centre of its pixels: z ~ 1 + U(low, high) input steps for one
/// output step, the height's drawn first. z above 1 zooms out.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RandomZoom {
    /// Within [-1, 1].
    pub height_factor: Factor,
    /// Within [-1, 1]; `None` takes the height's draw, which keeps the aspect ratio.
    pub width_factor: Option<Factor>,
    pub sampling: Sampling,
}

impl Behaviour for RandomZoom {
    fn class(&self) -> &'static str {
        "RandomZoom"
    }

    fn validate(&self) -> Result<(), ParameterError> {
        self.height_factor
            .check(self.class(), "height_factor", -1.0, 1.0)?;
        if let Some(factor) = self.width_factor {
            factor.check(self.class(), "width_factor", -1.0, 1.0)?;
        }
        self.sampling.check(self.class())
    }

    fn draw(&self, _: Semantics, draws: &mut Draws, _: usize, _: usize) -> Draw {
        let y = 1.0 + self.height_factor.draw(draws);
        let x = self
            .width_factor
            .map_or(y, |factor| 1.0 + factor.draw(draws));
        Draw::Zoom { y, x }
    }

    fn apply(&self, draw: &Draw, image: &Image) -> Image {
        affine::apply(draw, image, self.sampling)
    }

    fn arguments(&self) -> Vec<String> {
        let mut arguments = vec![keras_code::factor(self.height_factor)];
        arguments.extend(self.width_factor.map(keras_code::factor));
        keras_code::push_sampling(&mut arguments, self.sampling);
        arguments
    }
}

/// `x' = zx x + (W-1)/2 (1-zx)`, `y' = zy y + (H-1)/2 (1-zy)`.
/// Source: tf_keras 2.21 `get_zoom_matrix`, keras 3.15 `random_zoom.py`; in 32 bits, as there.
pub(super) fn vector(y: f64, x: f64, height: usize, width: usize) -> [f32; 8] {
    let (zy, zx) = (y as f32, x as f32);
    let offset = |len: usize, zoom: f32| (len as f32 - 1.0) / 2.0 * (1.0 - zoom);
    [
        zx,
        0.0,
        offset(width, zx),
        0.0,
        zy,
        offset(height, zy),
        0.0,
        0.0,
    ]
}
