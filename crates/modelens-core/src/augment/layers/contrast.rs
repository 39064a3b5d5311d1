//! `RandomContrast`: stretches the values about each channel's mean.

use serde::{Deserialize, Serialize};

use super::{Behaviour, Draw, Drawn};
use crate::augment::color::{BYTE, channel_sums, clip, map_channels};
use crate::augment::parameter::{FactorLimits, Parameter, ParameterValue};
use crate::augment::values::Factor;
use crate::dataset::Image;
use crate::number::{fixed, trimmed};
use crate::random::Draws;
use crate::rules::Semantics;

/// `y = clip((x - mean) c + mean)` with the mean of each image and channel.
///
/// | semantics | number f | pair (l, u) | draws | clips to |
/// |---|---|---|---|---|
/// | Keras 2 | c ~ U(1-f, 1+f) | U(1-l, 1+u) | one per batch | [0, 255] |
/// | Keras 3 | c ~ **U(1, 1+f)** | sorted, then U(1-l, 1+u) | one per image | `value_range` |
/// | PyTorch | c ~ U(max(0, 1-f), 1+f) | sorted, then U(max(0, 1-l), 1+u) | one per image | `value_range` |
///
/// Keras 3 turns a number into the pair (-f, f) and cuts it to the limits [0, 1], so that it never
/// lowers contrast. Source: keras 3.15 `random_contrast.py`, tf_keras 2.21 `image_preprocessing.py`;
/// torchvision's `ColorJitter`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RandomContrast {
    /// A number within [0, 1]; of a pair the lower within [0, 1] and the upper at least 0.
    pub factor: Factor,
    /// `[low, high]` of the values; Keras 2 has no such argument.
    pub value_range: [f64; 2],
}

/// The factor of one image.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ContrastDraw {
    pub factor: f64,
    /// The results are clipped to `[low, high]`.
    pub range: [f64; 2],
}

impl Default for RandomContrast {
    fn default() -> Self {
        Self {
            factor: Factor::default(),
            value_range: BYTE,
        }
    }
}

impl RandomContrast {
    /// Lower and upper end of c.
    fn ends(&self, semantics: Semantics) -> (f64, f64) {
        let (lower, upper) = match (self.factor, semantics) {
            (Factor::Scalar(f), Semantics::Keras3 | Semantics::Keras316) => (0.0, f.abs()),
            (Factor::Scalar(f), Semantics::Keras2 | Semantics::PyTorch) => (f.abs(), f.abs()),
            (Factor::Pair(lower, upper), Semantics::Keras2) => (lower, upper),
            (
                pair @ Factor::Pair(..),
                Semantics::Keras3 | Semantics::Keras316 | Semantics::PyTorch,
            ) => (pair.low(), pair.high()),
        };
        let low = 1.0 - lower;
        match semantics {
            Semantics::PyTorch => (low.max(0.0), 1.0 + upper),
            Semantics::Keras2 | Semantics::Keras3 | Semantics::Keras316 => (low, 1.0 + upper),
        }
    }
}

impl Behaviour for RandomContrast {
    fn example(_: usize, _: usize) -> Self {
        Self {
            factor: Factor::Scalar(0.2),
            ..Self::default()
        }
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        let factor = ParameterValue::Factor(&mut self.factor, FactorLimits::CONTRAST);
        vec![
            Parameter::required("factor", factor),
            Parameter::value_range(&mut self.value_range),
        ]
    }

    fn draws_once_per_batch(&self, semantics: Semantics) -> bool {
        match semantics {
            Semantics::Keras2 => true,
            Semantics::Keras3 | Semantics::Keras316 | Semantics::PyTorch => false,
        }
    }

    fn draw(&self, semantics: Semantics, draws: &mut Draws, _: usize, _: usize) -> Draw {
        let (low, high) = self.ends(semantics);
        Draw::Contrast(ContrastDraw {
            factor: draws.uniform(low, high),
            range: match semantics {
                Semantics::Keras2 => [0.0, 255.0],
                Semantics::Keras3 | Semantics::Keras316 | Semantics::PyTorch => self.value_range,
            },
        })
    }

    fn apply(&self, draw: &Draw, image: &Image) -> Image {
        let Draw::Contrast(ContrastDraw {
            factor,
            range: [low, high],
        }) = *draw
        else {
            return image.clone();
        };
        let factor = factor as f32;
        let pixels = (image.height * image.width) as f64;
        let sums = channel_sums(image).into_iter();
        let means: Vec<f32> = sums.map(|sum| (sum / pixels) as f32).collect();
        map_channels(
            image,
            &means,
            #[inline(always)]
            |value, mean| clip((value - mean) * factor + mean, [low, high]),
        )
    }

    fn torchvision(&self) -> Option<String> {
        let contrast = trimmed(self.factor.high());
        Some(format!("v2.ColorJitter(contrast={contrast})"))
    }

    fn differences(&self, semantics: Semantics) -> Option<String> {
        match (self.factor, semantics) {
            (_, Semantics::PyTorch)
            | (Factor::Pair(..), Semantics::Keras3 | Semantics::Keras316) => None,
            (Factor::Pair(..), Semantics::Keras2) => Some(
                "Keras 2, and 3.0 to 3.5, draw contrast once for a batch, Keras from 3.6 on for each photo."
                    .to_owned(),
            ),
            (Factor::Scalar(f), Semantics::Keras3 | Semantics::Keras316) => {
                let (low, high) = (fixed(1.0 - f.abs(), 2), fixed(1.0 + f.abs(), 2));
                Some(format!(
                    "From 3.6 on Keras draws contrast from 1.00 to {high}, for each photo, and never lowers it. \
                     Keras 2, and 3.0 to 3.5, draw from {low}, once for a batch: choose Keras 2's rules to see it."
                ))
            }
            (Factor::Scalar(f), Semantics::Keras2) => {
                let (low, high) = (fixed(1.0 - f.abs(), 2), fixed(1.0 + f.abs(), 2));
                Some(format!(
                    "Keras 2, and 3.0 to 3.5, draw contrast from {low} to {high}, once for a batch; Keras from 3.6 \
                     on from 1.00, for each photo."
                ))
            }
        }
    }
}

impl Drawn for ContrastDraw {
    /// One decimal, or two where one would hide the change: `×1.2`, `×1.04`.
    fn words(&self) -> String {
        match self.factor {
            1.0 => String::new(),
            factor if (factor - 1.0).abs() < 0.1 => format!("contrast ×{factor:.2}"),
            factor => format!("contrast ×{factor:.1}"),
        }
    }

    fn quantities(&self) -> Vec<(&'static str, f64)> {
        vec![("contrast_factor", self.factor)]
    }
}
