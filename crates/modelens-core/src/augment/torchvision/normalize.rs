//! `Normalize`: subtracts a mean and divides by a standard deviation, channel by channel.

use serde::{Deserialize, Serialize};

use super::{Behaviour, Draw, Image, ListLimits, Parameter, ParameterValue, PixelType, TypeError};
use crate::augment::color::TILE;
use modelens_kernels::simd::vectorized;

/// The statistics of `ImageNet` that torchvision's weights were trained with.
const MEAN: [f64; 3] = [0.485, 0.456, 0.406];
const STD: [f64; 3] = [0.229, 0.224, 0.225];

const MEANS: ListLimits = ListLimits {
    tuple: true,
    ..ListLimits::of(&[1, 3], [-1e6, 1e6], [0.0, 1.0])
};
const DEVIATIONS: ListLimits = ListLimits {
    tuple: true,
    ..ListLimits::of(&[1, 3], [1e-6, 1e6], [0.01, 1.0])
};

/// `y = (x - mean) / std`. torchvision takes floats only.
/// Source: torchvision 0.29 `v2/functional/_misc.py`, `normalize_image`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Normalize {
    pub mean: Vec<f64>,
    pub std: Vec<f64>,
}

impl Normalize {
    /// The mean and the deviation of a channel; one number is that of all channels.
    fn of_channel(&self, channel: usize) -> [f64; 2] {
        let of = |numbers: &[f64], usual: f64| {
            let own = numbers.get(channel).or(numbers.first());
            own.copied().unwrap_or(usual)
        };
        [of(&self.mean, 0.0), of(&self.std, 1.0)]
    }
}

impl Normalize {
    /// Changes each value by the mean and the deviation of its channel.
    fn each(&self, image: &mut Image, change: impl Fn(f32, f32, f32) -> f32) {
        let channels = image.channels.max(1);
        let [means, stds] = [0, 1].map(|which| {
            let of_channel = |channel: usize| self.of_channel(channel % channels)[which] as f32;
            (0..TILE * channels).map(of_channel).collect::<Vec<f32>>()
        });
        vectorized(
            #[inline(always)]
            || {
                for values in image.pixels_hwc.chunks_mut(TILE * channels) {
                    for ((value, &mean), &std) in values.iter_mut().zip(&means).zip(&stds) {
                        *value = change(*value, mean, std);
                    }
                }
            },
        );
    }
}

impl Behaviour for Normalize {
    fn example(_: usize, _: usize) -> Self {
        Self {
            mean: MEAN.into(),
            std: STD.into(),
        }
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        vec![
            Parameter::required("mean", ParameterValue::List(&mut self.mean, MEANS)),
            Parameter::required("std", ParameterValue::List(&mut self.std, DEVIATIONS)),
        ]
    }

    fn is_random(&self) -> bool {
        false
    }

    fn apply(&self, _: &Draw, image: &Image) -> Image {
        let mut out = image.clone();
        self.each(
            &mut out,
            #[inline(always)]
            |value, mean, std| (value - mean) / std,
        );
        out
    }

    fn refuses(&self, before: PixelType) -> Option<TypeError> {
        (before == PixelType::Uint8).then_some(TypeError::Bytes("Normalize"))
    }

    fn undo_range(&self, image: &mut Image, _: PixelType) {
        self.each(
            image,
            #[inline(always)]
            |value, mean, std| value * std + mean,
        );
    }

    fn value_range(&self, range: [f64; 2], channel: usize) -> [f64; 2] {
        let [mean, std] = self.of_channel(channel);
        range.map(|end| (end - mean) / std)
    }
}
