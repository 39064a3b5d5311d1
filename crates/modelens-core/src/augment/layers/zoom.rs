//! `RandomZoom`: scales the image about its centre.

use serde::{Deserialize, Serialize};

use super::{Behaviour, Draw, Drawn};
use crate::augment::affine;
use crate::augment::parameter::{FactorLimits, Parameter, ParameterValue};
use crate::augment::values::{Factor, Sampling};
use crate::dataset::Image;
use crate::number::trimmed;
use crate::random::Draws;
use crate::rules::Semantics;

/// Scales the image about the centre of its pixels: z ~ 1 + U(low, high) input steps for one output
/// step, the height's drawn first. z above 1 zooms out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RandomZoom {
    /// Within [-1, 1].
    pub height_factor: Factor,
    /// Within [-1, 1]; `None` takes the height's draw, which keeps the aspect ratio.
    pub width_factor: Option<Factor>,
    pub sampling: Sampling,
}

/// Steps in the input for one step in the output: above 1 zooms out, below 1 zooms in.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ZoomDraw {
    pub y: f64,
    pub x: f64,
}

impl Behaviour for RandomZoom {
    fn example(_: usize, _: usize) -> Self {
        Self {
            height_factor: Factor::Scalar(0.2),
            ..Self::default()
        }
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        let limits = FactorLimits::FRACTION;
        let fallback = self.height_factor;
        let height = ParameterValue::Factor(&mut self.height_factor, limits);
        let width = ParameterValue::OptionalFactor {
            factor: &mut self.width_factor,
            fallback,
            limits,
        };
        vec![
            Parameter::required("height_factor", height),
            Parameter::optional("width_factor", width),
            Parameter::sampling(&mut self.sampling),
        ]
    }

    fn draw(&self, _: Semantics, draws: &mut Draws, _: usize, _: usize) -> Draw {
        let y = 1.0 + self.height_factor.draw(draws);
        let x = self
            .width_factor
            .map_or(y, |factor| 1.0 + factor.draw(draws));
        Draw::Zoom(ZoomDraw { y, x })
    }

    fn apply(&self, draw: &Draw, image: &Image) -> Image {
        affine::apply(draw, image, self.sampling)
    }

    fn torchvision(&self) -> Option<String> {
        let [low, high] = [self.height_factor.low(), self.height_factor.high()];
        let (low, high) = (trimmed(1.0 + low), trimmed(1.0 + high));
        Some(format!("v2.RandomAffine(0, scale=({low}, {high}))"))
    }
}

impl Drawn for ZoomDraw {
    fn words(&self) -> String {
        match (self.y, self.x) {
            (1.0, 1.0) => String::new(),
            (y, x) if y == x => format!("zoom {y:.2}"),
            (y, x) => format!("zoom {y:.2} H, {x:.2} W"),
        }
    }

    fn meaning(&self) -> Option<String> {
        let meaning = if (self.y > 1.0) != (self.x > 1.0) {
            "above 1 zooms out, below 1 zooms in"
        } else if self.y > 1.0 {
            "above 1: Keras zooms out, the photo looks smaller"
        } else if self.y < 1.0 {
            "below 1: Keras zooms in, the photo looks larger"
        } else {
            return None;
        };
        Some(meaning.to_owned())
    }

    fn quantities(&self) -> Vec<(&'static str, f64)> {
        vec![("zoom_height", self.y), ("zoom_width", self.x)]
    }

    /// `x' = zx x + (W-1)/2 (1-zx)`, `y' = zy y + (H-1)/2 (1-zy)`.
    /// Source: tf_keras 2.21 `get_zoom_matrix`, keras 3.15 `random_zoom.py`; in 32 bits, as there.
    fn input_from_output(&self, height: usize, width: usize) -> Option<[f32; 8]> {
        let (zy, zx) = (self.y as f32, self.x as f32);
        let offset = |len: usize, zoom: f32| (len as f32 - 1.0) / 2.0 * (1.0 - zoom);
        let (ox, oy) = (offset(width, zx), offset(height, zy));
        Some([zx, 0.0, ox, 0.0, zy, oy, 0.0, 0.0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_meaning_says_the_direction() {
        let out = ZoomDraw { y: 1.2, x: 1.2 }.meaning();
        assert!(out.is_some_and(|meaning| meaning.contains("zooms out")));
        let closer = ZoomDraw { y: 0.8, x: 0.8 }.meaning();
        assert!(closer.is_some_and(|meaning| meaning.contains("zooms in")));
    }
}
