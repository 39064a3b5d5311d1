//! `AutoContrast`: stretches every channel over the whole range, in both modes.

use serde::{Deserialize, Serialize};

use super::{Behaviour, Draw, Since};
use crate::augment::color::{BYTE, clip, rescaled};
use crate::augment::parameter::Parameter;
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
        let mut out = image.clone();
        for channel in 0..image.channels {
            let all = || {
                image
                    .pixels_hwc
                    .iter()
                    .skip(channel)
                    .step_by(image.channels)
            };
            let values = all().map(|&x| rescaled(x, self.value_range, BYTE));
            let [low, high] = values.fold([f32::INFINITY, f32::NEG_INFINITY], |[low, high], x| {
                [low.min(x), high.max(x)]
            });
            let scale = 255.0 / (high - low);
            let offset = -low * scale;
            let own = out.pixels_hwc.iter_mut().skip(channel);
            for value in own.step_by(image.channels) {
                let stretched = rescaled(*value, self.value_range, BYTE) * scale + offset;
                if !stretched.is_nan() {
                    *value = rescaled(clip(stretched, BYTE), BYTE, self.value_range);
                }
            }
        }
        out
    }

    fn torchvision(&self) -> Option<String> {
        Some("v2.RandomAutocontrast(p=1)".to_owned())
    }
}
