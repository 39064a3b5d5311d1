//! `RandomSharpness`: blurs or sharpens.

use modelens_kernels::simd::vectorized;
use serde::{Deserialize, Serialize};

use super::{Behaviour, Draw, Drawn, Since};
use crate::augment::color::{BYTE, clip};
use crate::augment::kernel::convolve;
use crate::augment::parameter::{FactorLimits, Parameter, ParameterValue};
use crate::augment::values::Factor;
use crate::dataset::Image;
use crate::random::Draws;
use crate::rules::Semantics;

/// `y = clip(x + (1 - s) (smooth(x) - x))`, s = 2 U(low, high): 0 is smooth, 1 the image itself, 2 sharp.
/// `smooth` weights the pixel with 5/13 and its eight neighbours with 1/13; beyond the edge they are 0,
/// so that the edge is darker. Source: keras 3.15 `random_sharpness.py`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RandomSharpness {
    /// Within [0, 1]; 0.5 changes nothing.
    pub factor: Factor,
    /// `[low, high]` of the values.
    pub value_range: [f64; 2],
}

/// The sharpness of one image.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SharpnessDraw {
    /// 0 is smooth, 1 the image itself, 2 sharp.
    pub sharpness: f64,
}

impl Default for RandomSharpness {
    fn default() -> Self {
        Self {
            factor: Factor::default(),
            value_range: BYTE,
        }
    }
}

impl Behaviour for RandomSharpness {
    fn example(_: usize, _: usize) -> Self {
        Self {
            factor: Factor::Scalar(1.0),
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
        Draw::Sharpness(SharpnessDraw {
            sharpness: 2.0 * self.factor.draw_from(0.0, draws),
        })
    }

    fn apply(&self, draw: &Draw, image: &Image) -> Image {
        let Draw::Sharpness(SharpnessDraw { sharpness }) = *draw else {
            return image.clone();
        };
        let mut kernel = [1.0 / 13.0; 9];
        kernel[4] = 5.0 / 13.0;
        let mut out = convolve(image, &kernel, [3, 3]);
        let share = 1.0 - sharpness as f32;
        vectorized(
            #[inline(always)]
            || {
                for (smooth, &x) in out.pixels_hwc.iter_mut().zip(&image.pixels_hwc) {
                    *smooth = clip(x + share * (*smooth - x), self.value_range);
                }
            },
        );
        out
    }

    fn torchvision(&self) -> Option<String> {
        let sharpness = crate::number::trimmed(2.0 * self.factor.high());
        Some(format!("v2.RandomAdjustSharpness({sharpness}, p=1)"))
    }

    fn differences(&self, semantics: Semantics) -> Option<String> {
        (semantics != Semantics::PyTorch).then(|| {
            "RandomSharpness takes pixels beyond the edge as 0, so the edge of a smoothed photo is darker."
                .to_owned()
        })
    }
}

impl Drawn for SharpnessDraw {
    fn words(&self) -> String {
        match self.sharpness {
            1.0 => String::new(),
            sharpness => format!("sharpness {sharpness:.2}"),
        }
    }

    fn meaning(&self) -> Option<String> {
        let meaning = if self.sharpness < 1.0 {
            "below 1: smoother"
        } else {
            "above 1: sharper"
        };
        (self.sharpness != 1.0).then(|| meaning.to_owned())
    }

    fn quantities(&self) -> Vec<(&'static str, f64)> {
        vec![("sharpness", self.sharpness)]
    }
}
