//! `Equalization`: makes all values of a channel about equally frequent, in training only.

use serde::{Deserialize, Serialize};

use super::{Behaviour, Draw, Since};
use crate::augment::behaviour::PixelType;
use crate::augment::color::{BYTE, rescaled};
use crate::augment::parameter::{Parameter, ParameterValue, WholeLimits};
use crate::dataset::Image;
use crate::rules::Semantics;

/// `y = round(255 (cdf(x) - cdf min) / (count - cdf min))` with the histogram of a channel over **all
/// images of the batch**. It does not draw, and does nothing with `training=False`.
/// Source: keras 3.15 `equalization.py`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Equalization {
    /// `[low, high]` of the values.
    pub value_range: [f64; 2],
    /// Bins of the histogram.
    pub bins: [usize; 1],
}

impl Default for Equalization {
    fn default() -> Self {
        Self {
            value_range: BYTE,
            bins: [256],
        }
    }
}

impl Equalization {
    /// The bin of a value, from 0 to `bins - 1`.
    fn bin(bins: usize, x: f32) -> usize {
        // `as` cuts the fraction off, and saturates.
        (x as i64).clamp(0, bins as i64 - 1) as usize
    }

    /// One channel of all images.
    fn equalize(&self, channel: usize, images: &mut [Image]) {
        let [bins] = self.bins;
        let last = bins as f32 - 1.0;
        let mut counts = vec![0_u64; bins];
        let step = |image: &Image| image.channels;
        for image in images.iter() {
            for &x in image.pixels_hwc.iter().skip(channel).step_by(step(image)) {
                let x = rescaled(x, self.value_range, BYTE);
                counts[Self::bin(bins, x * last / 255.0)] += 1;
            }
        }
        if counts.iter().filter(|&&count| count > 0).count() <= 1 {
            return;
        }
        let least = counts.iter().copied().find(|&count| count > 0).unwrap_or(0);
        let spread = (counts.iter().sum::<u64>() - least).max(1);
        let mut sum = 0;
        let table = counts.into_iter().map(|count| {
            sum += count;
            let y = (sum as f64 - least as f64) * 255.0 / spread as f64;
            y.round_ties_even().clamp(0.0, 255.0) as f32
        });
        let table: Vec<f32> = table.collect();
        for image in images {
            let channels = image.channels;
            for value in image.pixels_hwc.iter_mut().skip(channel).step_by(channels) {
                let x = rescaled(*value, self.value_range, BYTE);
                let y = table[Self::bin(bins, x / 255.0 * last)];
                *value = rescaled(y, BYTE, self.value_range);
            }
        }
    }
}

impl Behaviour for Equalization {
    fn example(_: usize, _: usize) -> Self {
        Self::default()
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        let bins = ParameterValue::Whole(&mut self.bins, WholeLimits::within(1, 65_536));
        vec![
            Parameter::value_range(&mut self.value_range),
            Parameter::keyword("bins", bins),
        ]
    }

    fn is_random(&self) -> bool {
        false
    }

    fn is_training_only(&self) -> bool {
        true
    }

    fn mixes_images(&self) -> bool {
        true
    }

    fn since(&self) -> Since {
        Since::Keras3(8)
    }

    fn apply(&self, draw: &Draw, image: &Image) -> Image {
        let mut done = self.apply_batch(&[draw], &[image], PixelType::Uint8);
        done.pop().unwrap_or_else(|| image.clone())
    }

    fn apply_batch(&self, _: &[&Draw], images: &[&Image], _: PixelType) -> Vec<Image> {
        let mut images: Vec<Image> = images.iter().map(|&image| image.clone()).collect();
        let channels = images.iter().map(|image| image.channels).max().unwrap_or(0);
        for channel in 0..channels {
            self.equalize(channel, &mut images);
        }
        images
    }

    fn torchvision(&self) -> Option<String> {
        Some("v2.RandomEqualize(p=1)".to_owned())
    }

    fn differences(&self, semantics: Semantics) -> Option<String> {
        (semantics != Semantics::PyTorch).then(|| {
            "Equalization does not draw, but acts in training only, with one histogram for all photos of a \
             batch. Keras cannot build a model with it."
                .to_owned()
        })
    }
}
