//! `RandomContrast`: stretches the values about each channel's mean.

use serde::{Deserialize, Serialize};

use super::parameters::check_value_range;
use super::{Behaviour, Draw, Factor, ParameterError, keras_code};
use crate::dataset::Image;
use crate::random::Draws;
use crate::rules::Semantics;

/// `y = clip((x - mean) c + mean)` with the mean of each image and channel.
///
/// | semantics | number f | pair (l, u) | draws | clips to |
/// |---|---|---|---|---|
/// | Keras 2 | c ~ U(1-f, 1+f) | U(1-l, 1+u) | one for the batch | [0, 255] |
/// | Keras 3 | c ~ **U(1, 1+f)** | sorted, then U(1-l, 1+u) | one an image | `value_range` |
/// | PyTorch | c ~ U(max(0, 1-f), 1+f) | sorted, then U(max(0, 1-l), 1+u) | one an image | `value_range` |
///
/// Keras 3 turns a number into the pair (-f, f) and cuts it to the limits [0, 1], so that contrast
/// never falls. Source: keras 3.15 `random_contrast.py`, tf_keras 2.21 `image_preprocessing.py`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RandomContrast {
    /// A number within [0, 1]; of a pair the lower within [0, 1] and the upper not below 0.
    pub factor: Factor,
    /// `[low, high]` of the values; Keras 2 has no such argument.
    pub value_range: [f64; 2],
}

impl RandomContrast {
    /// Lower and upper end of c.
    fn limits(&self, semantics: Semantics) -> (f64, f64) {
        let (lower, upper) = match (self.factor, semantics) {
            (Factor::Scalar(f), Semantics::Keras3) => (0.0, f.abs()),
            (Factor::Scalar(f), _) => (f.abs(), f.abs()),
            (Factor::Pair(lower, upper), Semantics::Keras2) => (lower, upper),
            (pair, _) => (pair.low(), pair.high()),
        };
        let low = 1.0 - lower;
        match semantics {
            Semantics::PyTorch => (low.max(0.0), 1.0 + upper),
            _ => (low, 1.0 + upper),
        }
    }
}

impl Behaviour for RandomContrast {
    fn class(&self) -> &'static str {
        "RandomContrast"
    }

    fn validate(&self) -> Result<(), ParameterError> {
        let lower = match self.factor {
            Factor::Scalar(f) => f,
            Factor::Pair(a, b) => a.min(b),
        };
        Factor::Scalar(lower).check(self.class(), "factor", 0.0, 1.0)?;
        Factor::Scalar(self.factor.high()).check(self.class(), "factor", 0.0, f64::MAX)?;
        check_value_range(self.class(), self.value_range)
    }

    fn draws_once_per_batch(&self, semantics: Semantics) -> bool {
        semantics == Semantics::Keras2
    }

    fn draw(&self, semantics: Semantics, draws: &mut Draws, _: usize, _: usize) -> Draw {
        let (low, high) = self.limits(semantics);
        Draw::Contrast {
            factor: draws.uniform(low, high),
            range: match semantics {
                Semantics::Keras2 => [0.0, 255.0],
                Semantics::Keras3 | Semantics::PyTorch => self.value_range,
            },
        }
    }

    fn apply(&self, draw: &Draw, image: &Image) -> Image {
        let Draw::Contrast {
            factor,
            range: [low, high],
        } = *draw
        else {
            return image.clone();
        };
        let factor = factor as f32;
        let means = channel_means(image);
        let mut out = image.clone();
        for pixel in out.pixels_hwc.chunks_exact_mut(image.channels.max(1)) {
            for (value, &mean) in pixel.iter_mut().zip(&means) {
                // Not `clamp`, which panics where a file holds an empty range.
                *value = ((*value - mean) * factor + mean)
                    .max(low as f32)
                    .min(high as f32);
            }
        }
        out
    }

    fn arguments(&self) -> Vec<String> {
        let mut arguments = vec![keras_code::factor(self.factor)];
        keras_code::push_value_range(&mut arguments, self.value_range);
        arguments
    }
}

/// The mean over height and width of each channel.
fn channel_means(image: &Image) -> Vec<f32> {
    let mut sums = vec![0.0_f64; image.channels];
    for pixel in image.pixels_hwc.chunks_exact(image.channels.max(1)) {
        for (sum, &value) in sums.iter_mut().zip(pixel) {
            *sum += f64::from(value);
        }
    }
    let count = (image.height * image.width) as f64;
    sums.iter().map(|sum| (sum / count) as f32).collect()
}
