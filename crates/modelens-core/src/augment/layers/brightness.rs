//! `RandomBrightness`: adds one number to all values.

use serde::{Deserialize, Serialize};

use super::{Behaviour, Draw, Drawn, signed};
use crate::augment::color::{BYTE, clip, map_values};
use crate::augment::parameter::{FactorLimits, Parameter, ParameterValue};
use crate::augment::values::Factor;
use crate::dataset::Image;
use crate::number::trimmed;
use crate::random::Draws;
use crate::rules::Semantics;

/// `y = clip(x + delta)`, delta ~ U(low, high) * (range high - range low), the same for all channels.
/// Source: keras 3.15 `random_brightness.py`; tf_keras 2.21 does the same.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RandomBrightness {
    /// Fractions of the value range, within [-1, 1].
    pub factor: Factor,
    /// `[low, high]` of the values.
    pub value_range: [f64; 2],
}

/// What is added to the values of one image.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BrightnessDraw {
    /// In the image's units.
    pub delta: f64,
}

impl Default for RandomBrightness {
    fn default() -> Self {
        Self {
            factor: Factor::default(),
            value_range: BYTE,
        }
    }
}

impl Behaviour for RandomBrightness {
    fn example(_: usize, _: usize) -> Self {
        Self {
            factor: Factor::Scalar(0.2),
            ..Self::default()
        }
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        let factor = ParameterValue::Factor(&mut self.factor, FactorLimits::FULL_SLIDER);
        vec![
            Parameter::required("factor", factor),
            Parameter::value_range(&mut self.value_range),
        ]
    }

    fn draw(&self, _: Semantics, draws: &mut Draws, _: usize, _: usize) -> Draw {
        let [low, high] = self.value_range;
        Draw::Brightness(BrightnessDraw {
            delta: self.factor.draw(draws) * (high - low),
        })
    }

    fn apply(&self, draw: &Draw, image: &Image) -> Image {
        let Draw::Brightness(BrightnessDraw { delta }) = *draw else {
            return image.clone();
        };
        let delta = delta as f32;
        map_values(
            image,
            #[inline(always)]
            |value| clip(value + delta, self.value_range),
        )
    }

    fn torchvision(&self) -> Option<String> {
        let brightness = trimmed(self.factor.high());
        Some(format!("v2.ColorJitter(brightness={brightness})"))
    }
}

impl Drawn for BrightnessDraw {
    fn words(&self) -> String {
        match self.delta {
            0.0 => String::new(),
            // Images of a range such as 0 to 1 need the decimals.
            delta if delta.abs() < 2.0 => format!("brightness {}", signed(delta, 2)),
            delta => format!("brightness {}", signed(delta, 0)),
        }
    }

    fn quantities(&self) -> Vec<(&'static str, f64)> {
        vec![("brightness_delta", self.delta)]
    }
}
