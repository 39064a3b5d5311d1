//! `RandomPosterization`: keeps the upper bits of every value.

use serde::{Deserialize, Serialize};

use super::{Behaviour, Draw, Drawn, Since};
use crate::augment::color::{BYTE, clip, map_bytes};
use crate::augment::parameter::{FactorLimits, Parameter, ParameterValue};
use crate::augment::values::Factor;
use crate::dataset::Image;
use crate::number::trimmed;
use crate::random::Draws;
use crate::rules::Semantics;

/// Keeps b of the 8 bits of every value, b from `low` to below `high`; a number f means (1, f), and equal
/// ends give b itself. Source: keras 3.15 `random_posterization.py`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RandomPosterization {
    /// Bits, within [1, 8].
    pub factor: Factor,
    /// `[low, high]` of the values.
    pub value_range: [f64; 2],
}

/// What one image keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PosterizationDraw {
    /// Bits, at most 8.
    pub bits: usize,
}

impl Default for RandomPosterization {
    fn default() -> Self {
        Self {
            factor: Factor::Scalar(1.0),
            value_range: BYTE,
        }
    }
}

impl Behaviour for RandomPosterization {
    fn example(_: usize, _: usize) -> Self {
        Self {
            factor: Factor::Scalar(4.0),
            ..Self::default()
        }
    }

    fn since(&self) -> Since {
        Since::Keras3(8)
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        let factor = ParameterValue::Factor(&mut self.factor, FactorLimits::BITS);
        vec![
            Parameter::required("factor", factor),
            Parameter::value_range(&mut self.value_range),
        ]
    }

    fn draw(&self, _: Semantics, draws: &mut Draws, _: usize, _: usize) -> Draw {
        let (low, high) = self.factor.ends_from(1.0);
        let [low, high] = [low, high].map(|bits| (bits as usize).min(8));
        Draw::Posterization(PosterizationDraw {
            bits: low + draws.below(high.saturating_sub(low)),
        })
    }

    fn apply(&self, draw: &Draw, image: &Image) -> Image {
        let Draw::Posterization(PosterizationDraw { bits }) = *draw else {
            return image.clone();
        };
        let step = (1_u32 << 8_usize.saturating_sub(bits)) as f32;
        let steps = step.recip();
        map_bytes(
            image,
            self.value_range,
            #[inline(always)]
            |x| (clip(x, BYTE) * steps).floor() * step,
        )
    }

    fn torchvision(&self) -> Option<String> {
        let bits = trimmed(self.factor.high().floor());
        Some(format!("v2.RandomPosterize({bits}, p=1)"))
    }
}

impl Drawn for PosterizationDraw {
    fn words(&self) -> String {
        match self.bits {
            1 => "1 bit".to_owned(),
            bits => format!("{bits} bits"),
        }
    }

    fn meaning(&self) -> Option<String> {
        Some(format!(
            "{} values per channel are left",
            1_usize << self.bits.min(8)
        ))
    }

    fn quantities(&self) -> Vec<(&'static str, f64)> {
        vec![("bits", self.bits as f64)]
    }
}
