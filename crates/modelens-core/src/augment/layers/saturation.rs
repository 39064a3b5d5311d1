//! `RandomSaturation`: makes colours stronger or weaker.

use serde::{Deserialize, Serialize};

use super::{Behaviour, Draw, Drawn, Since, percent};
use crate::augment::color::{BYTE, clip, hsv_from_rgb, map_rgb, rgb_from_hsv};
use crate::augment::parameter::{FactorLimits, Parameter, ParameterValue};
use crate::augment::values::Factor;
use crate::dataset::Image;
use crate::number::fixed;
use crate::random::Draws;
use crate::rules::Semantics;

/// Keras' `epsilon()`, which keeps the factor 1 from dividing by 0.
const EPSILON: f64 = 1e-7;

/// `saturation' = clip(saturation s)`, s = u / (1 - u), u ~ U(low, high): u = 1/2 changes nothing.
///
/// A number f means (-f, f), and a negative s gives a grey image. s above 1 may take saturation above 1,
/// and values below 0. Source: keras 3.15 `random_saturation.py`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RandomSaturation {
    /// Within [-1, 1].
    pub factor: Factor,
    /// `[low, high]`, to which the saturation is clipped.
    pub value_range: [f64; 2],
}

/// The factor of one image.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SaturationDraw {
    /// What the saturation is multiplied by; 1 changes nothing, 0 and below give grey.
    pub factor: f64,
}

impl Default for RandomSaturation {
    fn default() -> Self {
        Self {
            factor: Factor::default(),
            value_range: BYTE,
        }
    }
}

impl Behaviour for RandomSaturation {
    fn example(_: usize, _: usize) -> Self {
        Self {
            factor: Factor::Pair(0.3, 0.7),
            ..Self::default()
        }
    }

    fn since(&self) -> Since {
        Since::Keras3(8)
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        let factor = ParameterValue::Factor(&mut self.factor, FactorLimits::FULL_SLIDER);
        vec![
            Parameter::required("factor", factor),
            Parameter::value_range(&mut self.value_range),
        ]
    }

    fn draw(&self, _: Semantics, draws: &mut Draws, _: usize, _: usize) -> Draw {
        let u = self.factor.draw(draws);
        Draw::Saturation(SaturationDraw {
            factor: u / (1.0 - u + EPSILON),
        })
    }

    fn apply(&self, draw: &Draw, image: &Image) -> Image {
        let Draw::Saturation(SaturationDraw { factor }) = *draw else {
            return image.clone();
        };
        let factor = factor as f32;
        map_rgb(
            image,
            #[inline(always)]
            |rgb| {
                let [hue, saturation, value] = hsv_from_rgb(rgb);
                rgb_from_hsv([hue, clip(saturation * factor, self.value_range), value])
            },
        )
    }

    fn torchvision(&self) -> Option<String> {
        let ends = [self.factor.low(), self.factor.high()].map(|u| u.clamp(0.0, 0.9));
        let [low, high] = ends.map(|u| fixed(u / (1.0 - u), 2));
        Some(format!("v2.ColorJitter(saturation=({low}, {high}))"))
    }

    fn differences(&self, semantics: Semantics) -> Option<String> {
        let grey = self.factor.low() < 0.0 && self.factor.high() > self.factor.low();
        (grey && semantics != Semantics::PyTorch).then(|| {
            let share = -self.factor.low() / (self.factor.high() - self.factor.low());
            format!(
                "RandomSaturation leaves a photo as it is at 0.5 and makes it grey below 0: here {} of \
                 the photos turn grey.",
                percent(share.min(1.0))
            )
        })
    }
}

impl Drawn for SaturationDraw {
    fn words(&self) -> String {
        match self.factor {
            1.0 => String::new(),
            factor if factor <= 0.0 => "saturation 0 (grey)".to_owned(),
            factor => format!("saturation ×{factor:.2}"),
        }
    }

    fn quantities(&self) -> Vec<(&'static str, f64)> {
        vec![("saturation_factor", self.factor)]
    }
}
