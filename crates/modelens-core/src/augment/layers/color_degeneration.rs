//! `RandomColorDegeneration`: mixes an image with its grey copy.

use serde::{Deserialize, Serialize};

use super::{Behaviour, Draw, Drawn, Since, signed};
use crate::augment::color::{BYTE, clip, grey, map_rgb};
use crate::augment::parameter::{FactorLimits, Parameter, ParameterValue};
use crate::augment::values::Factor;
use crate::dataset::Image;
use crate::number::trimmed;
use crate::random::Draws;
use crate::rules::Semantics;

/// `y = clip(x + f (grey(x) - x))`, f ~ U(low, high): 1 is grey, and below 0 colours become stronger. A
/// number f means (-f, f). Source: keras 3.15 `random_color_degeneration.py`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RandomColorDegeneration {
    /// Within [-1, 1].
    pub factor: Factor,
    /// `[low, high]` of the values.
    pub value_range: [f64; 2],
}

/// The grey copy's share in one image.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ColorDegenerationDraw {
    pub factor: f64,
}

impl Default for RandomColorDegeneration {
    fn default() -> Self {
        Self {
            factor: Factor::default(),
            value_range: BYTE,
        }
    }
}

impl Behaviour for RandomColorDegeneration {
    fn example(_: usize, _: usize) -> Self {
        Self {
            factor: Factor::Scalar(0.5),
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
        Draw::ColorDegeneration(ColorDegenerationDraw {
            factor: self.factor.draw(draws),
        })
    }

    fn apply(&self, draw: &Draw, image: &Image) -> Image {
        let Draw::ColorDegeneration(ColorDegenerationDraw { factor }) = *draw else {
            return image.clone();
        };
        let factor = factor as f32;
        map_rgb(
            image,
            #[inline(always)]
            |rgb| {
                let grey = grey(rgb);
                rgb.map(|x| clip(x + factor * (grey - x), self.value_range))
            },
        )
    }

    fn torchvision(&self) -> Option<String> {
        let [low, high] = [self.factor.high(), self.factor.low()].map(|f| trimmed(1.0 - f));
        Some(format!("v2.ColorJitter(saturation=({low}, {high}))"))
    }
}

impl Drawn for ColorDegenerationDraw {
    fn words(&self) -> String {
        if self.factor == 0.0 {
            return String::new();
        }
        format!("grey {}%", signed(self.factor * 100.0, 0))
    }

    fn meaning(&self) -> Option<String> {
        (self.factor < 0.0).then(|| "below 0: colours become stronger".to_owned())
    }

    fn quantities(&self) -> Vec<(&'static str, f64)> {
        vec![("color_degeneration", self.factor)]
    }
}
