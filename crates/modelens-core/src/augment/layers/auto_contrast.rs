//! `AutoContrast`: stretches every channel over the whole range, in both modes.

use modelens_kernels::simd::vectorized;
use serde::{Deserialize, Serialize};

use super::{Behaviour, Draw, Since};
use crate::augment::color::{BYTE, TILE, clip, rescaled};
use crate::augment::parameter::Parameter;
use crate::augment::tensors::{at_least, at_most};
use crate::dataset::Image;

/// `y = 255 (x - min) / (max - min)` with the extremes of each image and channel; a channel of one value
/// stays as it is. It acts with `training=False` as well. Source: keras 3.15 `auto_contrast.py`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AutoContrast {
    /// `[low, high]` of the values.
    pub value_range: [f64; 2],
}

impl Default for AutoContrast {
    fn default() -> Self {
        Self { value_range: BYTE }
    }
}

impl Behaviour for AutoContrast {
    fn example(_: usize, _: usize) -> Self {
        Self::default()
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        vec![Parameter::value_range(&mut self.value_range)]
    }

    fn is_random(&self) -> bool {
        false
    }

    fn since(&self) -> Since {
        Since::Keras3(6)
    }

    fn apply(&self, _: &Draw, image: &Image) -> Image {
        let channels = image.channels.max(1);
        let range = self.value_range;
        let tile = TILE * channels;
        let [mut lows, mut highs] = [vec![f32::INFINITY; tile], vec![f32::NEG_INFINITY; tile]];
        vectorized(
            #[inline(always)]
            || {
                for values in image.pixels_hwc.chunks(tile) {
                    for ((low, high), &x) in lows.iter_mut().zip(&mut highs).zip(values) {
                        let x = rescaled(x, range, BYTE);
                        *low = at_most(*low, x);
                        *high = at_least(*high, x);
                    }
                }
            },
        );
        let stretch = |i: usize| {
            let of_channel = (i % channels..tile).step_by(channels);
            let low = of_channel
                .clone()
                .fold(f32::INFINITY, |low, i| at_most(low, lows[i]));
            let high = of_channel.fold(f32::NEG_INFINITY, |high, i| at_least(high, highs[i]));
            // Keras computes in this order.
            let scale = 255.0 / (high - low);
            (scale, -low * scale)
        };
        let stretches: Vec<(f32, f32)> = (0..tile).map(stretch).collect();
        let mut out = image.clone();
        vectorized(
            #[inline(always)]
            || {
                for values in out.pixels_hwc.chunks_mut(tile) {
                    for (value, &(scale, offset)) in values.iter_mut().zip(&stretches) {
                        let stretched = rescaled(*value, range, BYTE) * scale + offset;
                        // A channel with one value has no contrast to stretch.
                        if !stretched.is_nan() {
                            *value = rescaled(clip(stretched, BYTE), BYTE, range);
                        }
                    }
                }
            },
        );
        out
    }

    fn torchvision(&self) -> Option<String> {
        Some("v2.RandomAutocontrast(p=1)".to_owned())
    }
}
