//! `RandomHue`: turns the colours round the colour circle.

use serde::{Deserialize, Serialize};

use super::{Behaviour, Draw, Drawn, Since, signed};
use crate::augment::color::{BYTE, clip, hsv_from_rgb, map_rgb, rescaled, rgb_from_hsv};
use crate::augment::parameter::{FactorLimits, Parameter, ParameterValue};
use crate::augment::values::Factor;
use crate::dataset::Image;
use crate::number::trimmed;
use crate::random::Draws;
use crate::rules::Semantics;

const UNIT: [f64; 2] = [0.0, 1.0];

/// `hue' = hue + shift`, on a circle of length 1; shift = s / 2 U(0, f) with a sign s drawn first.
/// Source: keras 3.15 `random_hue.py`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RandomHue {
    /// Within [0, 1]; 1 reaches the opposite colour.
    pub factor: Factor,
    /// `[low, high]` of the values.
    pub value_range: [f64; 2],
}

/// The shift of one image.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct HueDraw {
    /// Turns of the colour circle, within [-1/2, 1/2].
    pub shift: f64,
}

impl Default for RandomHue {
    fn default() -> Self {
        Self {
            factor: Factor::default(),
            value_range: BYTE,
        }
    }
}

impl Behaviour for RandomHue {
    fn example(_: usize, _: usize) -> Self {
        Self {
            factor: Factor::Scalar(0.3),
            ..Self::default()
        }
    }

    fn since(&self) -> Since {
        Since::Keras3(8)
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        let factor = ParameterValue::Factor(&mut self.factor, FactorLimits::UNIT);
        vec![
            Parameter::required("factor", factor),
            Parameter::value_range(&mut self.value_range),
        ]
    }

    fn draw(&self, _: Semantics, draws: &mut Draws, _: usize, _: usize) -> Draw {
        let sign = if draws.unit() > 0.5 { -0.5 } else { 0.5 };
        Draw::Hue(HueDraw {
            shift: sign * self.factor.draw_from(0.0, draws),
        })
    }

    fn apply(&self, draw: &Draw, image: &Image) -> Image {
        let Draw::Hue(HueDraw { shift }) = *draw else {
            return image.clone();
        };
        let shift = shift as f32;
        let range = self.value_range;
        map_rgb(
            image,
            #[inline(always)]
            |rgb| {
                // Without `map`, which is not inlined.
                let [r, g, b] = rgb;
                let [hue, saturation, value] = hsv_from_rgb([
                    rescaled(r, range, UNIT),
                    rescaled(g, range, UNIT),
                    rescaled(b, range, UNIT),
                ]);
                let mut hue = hue + shift;
                if hue > 1.0 {
                    hue -= 1.0;
                }
                if hue < 0.0 {
                    hue += 1.0;
                }
                let [r, g, b] = rgb_from_hsv([hue, saturation, value]);
                [
                    rescaled(clip(r, UNIT), UNIT, range),
                    rescaled(clip(g, UNIT), UNIT, range),
                    rescaled(clip(b, UNIT), UNIT, range),
                ]
            },
        )
    }

    fn torchvision(&self) -> Option<String> {
        let hue = trimmed(self.factor.high() / 2.0);
        Some(format!("v2.ColorJitter(hue={hue})"))
    }
}

impl Drawn for HueDraw {
    fn words(&self) -> String {
        if self.shift == 0.0 {
            return String::new();
        }
        format!("hue {}°", signed(self.shift * 360.0, 0))
    }

    fn quantities(&self) -> Vec<(&'static str, f64)> {
        vec![("hue_shift", self.shift)]
    }
}
