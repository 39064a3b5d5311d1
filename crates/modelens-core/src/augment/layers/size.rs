//! `RandomHeight` and `RandomWidth` of Keras 2: change one side of all images of a batch.

use serde::{Deserialize, Serialize};

use super::{Behaviour, Draw, Drawn, Since};
use crate::augment::parameter::{FactorLimits, Parameter, ParameterValue};
use crate::augment::values::{Factor, Interpolation};
use crate::dataset::Image;
use crate::dataset::resize::{resize_bilinear, resize_nearest};
use crate::random::Draws;
use crate::rules::Semantics;

/// The axis of the rows, and that of the columns.
const HEIGHT: usize = 0;
const WIDTH: usize = 1;

/// Resizes one side to `int(U(1 + low, 1 + high) side)` pixels, in 32 bits, drawn once for a batch, without
/// antialiasing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RandomSide<const AXIS: usize> {
    /// Above -1.
    pub factor: Factor,
    pub interpolation: Interpolation,
}

/// Source: tf_keras 2.21 `RandomHeight`; Keras 3 has no such layer.
pub type RandomHeight = RandomSide<HEIGHT>;
/// Source: tf_keras 2.21 `RandomWidth`; Keras 3 has no such layer.
pub type RandomWidth = RandomSide<WIDTH>;

/// The new side of all images of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SideDraw<const AXIS: usize> {
    /// Pixels.
    pub side: usize,
}

pub type HeightDraw = SideDraw<HEIGHT>;
pub type WidthDraw = SideDraw<WIDTH>;

impl<const AXIS: usize> Behaviour for RandomSide<AXIS> {
    fn example(_: usize, _: usize) -> Self {
        Self {
            factor: Factor::Scalar(0.2),
            ..Self::default()
        }
    }

    fn since(&self) -> Since {
        Since::Keras2Only
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        let factor = ParameterValue::Factor(&mut self.factor, FactorLimits::SIZE);
        let interpolation = ParameterValue::Choice(&mut self.interpolation);
        vec![
            Parameter::required("factor", factor),
            Parameter::keyword("interpolation", interpolation),
        ]
    }

    fn draws_once_per_batch(&self, _: Semantics) -> bool {
        true
    }

    fn draws_size(&self) -> [bool; 2] {
        [AXIS == HEIGHT, AXIS == WIDTH]
    }

    fn draw(&self, _: Semantics, draws: &mut Draws, height: usize, width: usize) -> Draw {
        let share = 1.0 + self.factor.draw(draws);
        let drawn = |side: usize| (share as f32 * side as f32) as usize;
        if AXIS == HEIGHT {
            let side = drawn(height);
            Draw::Height(SideDraw { side })
        } else {
            let side = drawn(width);
            Draw::Width(SideDraw { side })
        }
    }

    fn apply(&self, draw: &Draw, image: &Image) -> Image {
        let (Draw::Height(SideDraw { side }) | Draw::Width(SideDraw { side })) = *draw else {
            return image.clone();
        };
        let [height, width] = resized::<AXIS>(side, image.height, image.width);
        match self.interpolation {
            Interpolation::Bilinear => resize_bilinear(image, height, width),
            Interpolation::Nearest => resize_nearest(image, height, width),
        }
    }
}

/// `[height, width]` after the change. An empty image has no pixels to read (Keras fails there), so that a side
/// has at least one.
fn resized<const AXIS: usize>(side: usize, height: usize, width: usize) -> [usize; 2] {
    let mut size = [height, width];
    size[AXIS] = side.max(1);
    size
}

impl<const AXIS: usize> SideDraw<AXIS> {
    const NAME: &'static str = ["height", "width"][AXIS];
}

impl<const AXIS: usize> Drawn for SideDraw<AXIS> {
    fn words(&self) -> String {
        format!("{} {}", Self::NAME, self.side)
    }

    fn quantities(&self) -> Vec<(&'static str, f64)> {
        vec![(Self::NAME, self.side as f64)]
    }

    fn size(&self, height: usize, width: usize) -> Option<[usize; 2]> {
        Some(resized::<AXIS>(self.side, height, width))
    }
}
