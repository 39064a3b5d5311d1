//! `GaussianBlur` and `GaussianNoise`. Source: torchvision 0.29 `v2/_misc.py`.

use serde::{Deserialize, Serialize};

use super::operation::{self, OperationsDraw, TensorOperation};
use super::{
    Behaviour, Draw, Draws, Image, ListLimits, Parameter, ParameterValue, PixelType, Semantics,
};
use crate::augment::parameter::{EndLimits, WholeLimits};

const SIGMA: ListLimits = ListLimits::of(&[1, 2], [1e-3, 1e3], [0.1, 4.0]);

/// Blurs every image, with a standard deviation from U(low, high). Beyond the edge the image is mirrored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GaussianBlur {
    /// Columns and rows of the kernel, odd.
    pub kernel_size: [usize; 2],
    /// In pixels.
    pub sigma: Vec<f64>,
}

impl Default for GaussianBlur {
    fn default() -> Self {
        Self {
            kernel_size: [0, 0],
            sigma: vec![0.1, 2.0],
        }
    }
}

impl Behaviour for GaussianBlur {
    fn example(_: usize, _: usize) -> Self {
        Self {
            kernel_size: [5, 5],
            ..Self::default()
        }
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        let odd = WholeLimits {
            odd: true,
            ..WholeLimits::within(1, 63)
        };
        let size = ParameterValue::Whole(&mut self.kernel_size, odd);
        vec![
            Parameter::required("kernel_size", size),
            Parameter::list("sigma", &mut self.sigma, SIGMA),
        ]
    }

    fn draw(&self, _: Semantics, draws: &mut Draws, _: usize, _: usize) -> Draw {
        let [low, high] = [self.sigma.first(), self.sigma.last()];
        let ends = low.copied().unwrap_or(0.1)..high.copied().unwrap_or(2.0);
        let sigma = draws.uniform(ends.start, ends.end);
        OperationsDraw::of([TensorOperation::Blur(self.kernel_size, sigma)])
    }

    applies!(|_own, draw, image, pixels| operation::apply_colors(draw, image, pixels));
}

/// Adds `mean + sigma n` to each value, with a standard normal n. Both are shares of the largest value.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct GaussianNoise {
    pub mean: f64,
    pub sigma: f64,
    /// Keeps the sum within the bounds.
    pub clip: bool,
}

impl Default for GaussianNoise {
    fn default() -> Self {
        Self {
            mean: 0.0,
            sigma: 0.1,
            clip: true,
        }
    }
}

impl Behaviour for GaussianNoise {
    fn example(_: usize, _: usize) -> Self {
        Self::default()
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        let mean = EndLimits::all([-1.0, 1.0]);
        let sigma = EndLimits {
            accepted: [0.0, 1e6],
            slider: [0.0, 0.5],
        };
        vec![
            Parameter::keyword("mean", ParameterValue::Number(&mut self.mean, mean)),
            Parameter::keyword("sigma", ParameterValue::Number(&mut self.sigma, sigma)),
            Parameter::keyword("clip", ParameterValue::Flag(&mut self.clip)),
        ]
    }

    fn draw(&self, _: Semantics, draws: &mut Draws, _: usize, _: usize) -> Draw {
        let Self { mean, sigma, clip } = *self;
        let seed = draws.below(1 << 30) as u64;
        OperationsDraw::of([TensorOperation::Noise {
            mean,
            sigma,
            clip,
            seed,
        }])
    }

    applies!(|_own, draw, image, pixels| operation::apply_colors(draw, image, pixels));
}
