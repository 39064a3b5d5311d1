//! `RandomInvert`: the negative.

use serde::{Deserialize, Serialize};

use super::{Behaviour, Draw, Drawn, Since};
use crate::augment::color::{BYTE, map_values};
use crate::augment::parameter::{FactorLimits, Parameter, ParameterValue};
use crate::augment::values::Factor;
use crate::dataset::Image;
use crate::random::Draws;
use crate::rules::Semantics;

/// `y = high - x` with a probability that is itself drawn from U(low, high).
/// Source: keras 3.15 `random_invert.py`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RandomInvert {
    /// Within [0, 1]. A number f means (0, f), so 1 inverts every second image.
    pub factor: Factor,
    /// `[low, high]` of the values.
    pub value_range: [f64; 2],
}

/// Whether one image is inverted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvertDraw {
    pub inverted: bool,
}

impl Default for RandomInvert {
    fn default() -> Self {
        Self {
            factor: Factor::Scalar(1.0),
            value_range: BYTE,
        }
    }
}

impl Behaviour for RandomInvert {
    fn example(_: usize, _: usize) -> Self {
        Self::default()
    }

    fn since(&self) -> Since {
        Since::Keras3(9)
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        let factor = ParameterValue::Factor(&mut self.factor, FactorLimits::UNIT);
        vec![
            Parameter::optional("factor", factor),
            Parameter::value_range(&mut self.value_range),
        ]
    }

    fn draw(&self, _: Semantics, draws: &mut Draws, _: usize, _: usize) -> Draw {
        Draw::Invert(InvertDraw {
            inverted: self.factor.happens(draws),
        })
    }

    fn apply(&self, draw: &Draw, image: &Image) -> Image {
        let Draw::Invert(InvertDraw { inverted: true }) = *draw else {
            return image.clone();
        };
        let high = self.value_range[1] as f32;
        map_values(
            image,
            #[inline(always)]
            |x| high - x,
        )
    }

    fn torchvision(&self) -> Option<String> {
        Some(format!("v2.RandomInvert({})", self.factor.mean_from_zero()))
    }

    fn differences(&self, semantics: Semantics) -> Option<String> {
        super::drawn_probability("RandomInvert", self.factor, semantics)
    }
}

impl Drawn for InvertDraw {
    fn words(&self) -> String {
        if self.inverted { "inverted" } else { "" }.to_owned()
    }

    fn quantities(&self) -> Vec<(&'static str, f64)> {
        vec![("inverted", f64::from(u8::from(self.inverted)))]
    }
}
