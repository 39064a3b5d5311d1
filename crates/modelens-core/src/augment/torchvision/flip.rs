//! `RandomHorizontalFlip` and `RandomVerticalFlip`: mirror the image along one axis.

use serde::{Deserialize, Serialize};

use super::{Behaviour, Draw, Draws, FlipDraw, Image, Parameter, PixelType, Semantics, happens};

/// Left and right change places with the probability `p`.
/// Source: torchvision 0.29 `v2/_geometry.py`, `horizontal_flip`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RandomHorizontalFlip {
    pub p: f64,
}

/// Top and bottom change places with the probability `p`.
/// Source: torchvision 0.29 `v2/_geometry.py`, `vertical_flip`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RandomVerticalFlip {
    pub p: f64,
}

impl Default for RandomHorizontalFlip {
    fn default() -> Self {
        Self { p: 0.5 }
    }
}

impl Default for RandomVerticalFlip {
    fn default() -> Self {
        Self { p: 0.5 }
    }
}

impl Behaviour for RandomHorizontalFlip {
    fn example(_: usize, _: usize) -> Self {
        Self::default()
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        vec![Parameter::probability(&mut self.p)]
    }

    fn draw(&self, _: Semantics, draws: &mut Draws, _: usize, _: usize) -> Draw {
        Draw::Flip(FlipDraw {
            left_right: happens(self.p, draws),
            top_bottom: false,
        })
    }

    applies!(|_own, draw, image, _pixels| draw.flipped(image));
}

impl Behaviour for RandomVerticalFlip {
    fn example(_: usize, _: usize) -> Self {
        Self::default()
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        vec![Parameter::probability(&mut self.p)]
    }

    fn draw(&self, _: Semantics, draws: &mut Draws, _: usize, _: usize) -> Draw {
        Draw::Flip(FlipDraw {
            left_right: false,
            top_bottom: happens(self.p, draws),
        })
    }

    applies!(|_own, draw, image, _pixels| draw.flipped(image));

    fn can_turn_upside_down(&self) -> bool {
        self.p > 0.0
    }
}
