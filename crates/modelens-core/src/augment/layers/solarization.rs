//! `Solarization`: inverts the bright values.

use serde::{Deserialize, Serialize};

use super::{Behaviour, Draw, Drawn, Since, signed};
use crate::augment::color::{BYTE, clip, map_bytes};
use crate::augment::parameter::{FactorLimits, Parameter, ParameterValue};
use crate::augment::values::Factor;
use crate::dataset::Image;
use crate::number::fixed;
use crate::random::Draws;
use crate::rules::Semantics;

/// `z = clip(x + addition)`, `y = z` below the threshold and `255 - z` from it on.
///
/// Addition and threshold come from U(low, 255 high); Keras does not multiply the lower end. The default
/// threshold of 0 inverts every value. Source: keras 3.15 `solarization.py`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Solarization {
    /// Within [0, 1]; a number f means (0, f).
    pub addition_factor: Factor,
    /// As `addition_factor`.
    pub threshold_factor: Factor,
    /// `[low, high]` of the values.
    pub value_range: [f64; 2],
}

/// The numbers of one image, on the scale 0 to 255.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SolarizationDraw {
    pub addition: f64,
    pub threshold: f64,
}

impl Default for Solarization {
    fn default() -> Self {
        Self {
            addition_factor: Factor::default(),
            threshold_factor: Factor::default(),
            value_range: BYTE,
        }
    }
}

impl Behaviour for Solarization {
    fn example(_: usize, _: usize) -> Self {
        Self {
            threshold_factor: Factor::Pair(0.5, 1.0),
            ..Self::default()
        }
    }

    fn since(&self) -> Since {
        Since::Keras3(6)
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        let limits = FactorLimits::UNIT;
        let addition = ParameterValue::Factor(&mut self.addition_factor, limits);
        let threshold = ParameterValue::Factor(&mut self.threshold_factor, limits);
        vec![
            Parameter::keyword("addition_factor", addition),
            Parameter::keyword("threshold_factor", threshold),
            Parameter::value_range(&mut self.value_range),
        ]
    }

    fn draw(&self, _: Semantics, draws: &mut Draws, _: usize, _: usize) -> Draw {
        let mut number = |factor: Factor| {
            let (low, high) = factor.ends_from(0.0);
            draws.uniform(low, 255.0 * high)
        };
        Draw::Solarization(SolarizationDraw {
            addition: number(self.addition_factor),
            threshold: number(self.threshold_factor),
        })
    }

    fn apply(&self, draw: &Draw, image: &Image) -> Image {
        let Draw::Solarization(SolarizationDraw {
            addition,
            threshold,
        }) = *draw
        else {
            return image.clone();
        };
        let [addition, threshold] = [addition as f32, threshold as f32];
        map_bytes(
            image,
            self.value_range,
            #[inline(always)]
            |x| {
                let z = clip(x + addition, BYTE);
                if z < threshold { z } else { 255.0 - z }
            },
        )
    }

    fn torchvision(&self) -> Option<String> {
        let threshold = fixed(127.5 * self.threshold_factor.ends_from(0.0).1, 0);
        Some(format!("v2.RandomSolarize({threshold}, p=1)"))
    }

    fn differences(&self, semantics: Semantics) -> Option<String> {
        let (low, high) = self.threshold_factor.ends_from(0.0);
        (low > 0.0 && low < high && semantics != Semantics::PyTorch).then(|| {
            format!(
                "Solarization multiplies only the upper end of its factors by 255: thresholds run from {} \
                 to {}.",
                fixed(low, 2),
                fixed(255.0 * high, 0)
            )
        })
    }
}

impl Drawn for SolarizationDraw {
    fn words(&self) -> String {
        let inverted = format!("inverted from {}", fixed(self.threshold, 0));
        if self.addition < 0.5 {
            return inverted;
        }
        format!("{}, {inverted}", signed(self.addition, 0))
    }

    fn quantities(&self) -> Vec<(&'static str, f64)> {
        vec![
            ("solarize_addition", self.addition),
            ("solarize_threshold", self.threshold),
        ]
    }
}
