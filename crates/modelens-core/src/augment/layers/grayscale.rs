//! `RandomGrayscale`: takes the colour out.

use serde::{Deserialize, Serialize};

use super::{Behaviour, Draw, Drawn, Since};
use crate::augment::color::{grey, map_rgb};
use crate::augment::parameter::{EndLimits, Parameter, ParameterValue};
use crate::dataset::Image;
use crate::random::Draws;
use crate::rules::Semantics;

/// With the probability `factor`, gives all channels `0.2989 R + 0.587 G + 0.114 B`.
/// Source: keras 3.15 `random_grayscale.py`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RandomGrayscale {
    /// The probability.
    pub factor: f64,
}

/// Whether one image is grey.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrayscaleDraw {
    pub grey: bool,
}

impl Default for RandomGrayscale {
    fn default() -> Self {
        Self { factor: 0.5 }
    }
}

impl Behaviour for RandomGrayscale {
    fn example(_: usize, _: usize) -> Self {
        Self::default()
    }

    fn since(&self) -> Since {
        Since::Keras3(8)
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        let factor = ParameterValue::Number(&mut self.factor, EndLimits::all([0.0, 1.0]));
        vec![Parameter::optional("factor", factor)]
    }

    fn draw(&self, _: Semantics, draws: &mut Draws, _: usize, _: usize) -> Draw {
        Draw::Grayscale(GrayscaleDraw {
            grey: draws.unit() < self.factor,
        })
    }

    fn apply(&self, draw: &Draw, image: &Image) -> Image {
        match draw {
            Draw::Grayscale(GrayscaleDraw { grey: true }) => map_rgb(
                image,
                #[inline(always)]
                |rgb| [grey(rgb); 3],
            ),
            _ => image.clone(),
        }
    }

    fn torchvision(&self) -> Option<String> {
        Some(format!("v2.RandomGrayscale({})", self.factor))
    }
}

impl Drawn for GrayscaleDraw {
    fn words(&self) -> String {
        if self.grey { "grey" } else { "" }.to_owned()
    }

    fn quantities(&self) -> Vec<(&'static str, f64)> {
        vec![("grey", f64::from(u8::from(self.grey)))]
    }
}
