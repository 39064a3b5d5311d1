//! `RandomGaussianBlur`: blurs some images of a batch.

use serde::{Deserialize, Serialize};

use super::{Behaviour, Draw, Drawing, Drawn, Since};
use crate::augment::color::{BYTE, changed_values, clip};
use crate::augment::kernel::{convolve, gaussian};
use crate::augment::parameter::{FactorLimits, Parameter, ParameterValue, WholeLimits};
use crate::augment::values::Factor;
use crate::dataset::Image;
use crate::number::{fixed, trimmed};
use crate::rules::Semantics;

/// Blurs an image with a probability that is itself drawn from U(low, high). The two widths of the
/// Gaussian are drawn once for a batch. Pixels beyond the edge are 0.
/// Source: keras 3.15 `random_gaussian_blur.py`, `gaussian_blur` of its TensorFlow backend.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RandomGaussianBlur {
    /// Within [0, 1]. A number f means (0, f), so 1 blurs every second image.
    pub factor: Factor,
    /// Odd numbers of pixels: rows and columns of the kernel.
    pub kernel_size: [usize; 2],
    /// Standard deviations in pixels, within [0, 1]; a number s means (0, s).
    pub sigma: Factor,
    /// `[low, high]` of the values.
    pub value_range: [f64; 2],
}

/// Whether one image is blurred, and how widely.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct GaussianBlurDraw {
    pub blurred: bool,
    /// Standard deviations in pixels across and down.
    pub sigma: [f64; 2],
}

impl Default for RandomGaussianBlur {
    fn default() -> Self {
        Self {
            factor: Factor::Scalar(1.0),
            kernel_size: [3, 3],
            sigma: Factor::Scalar(1.0),
            value_range: BYTE,
        }
    }
}

impl Behaviour for RandomGaussianBlur {
    fn example(_: usize, _: usize) -> Self {
        Self {
            kernel_size: [7, 7],
            ..Self::default()
        }
    }

    fn since(&self) -> Since {
        Since::Keras3(9)
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        let limits = FactorLimits::UNIT;
        let odd = WholeLimits {
            odd: true,
            ..WholeLimits::within(1, 63)
        };
        let factor = ParameterValue::Factor(&mut self.factor, limits);
        let size = ParameterValue::Whole(&mut self.kernel_size, odd);
        vec![
            Parameter::optional("factor", factor),
            Parameter::keyword("kernel_size", size),
            Parameter::keyword("sigma", ParameterValue::Factor(&mut self.sigma, limits)),
            Parameter::value_range(&mut self.value_range),
        ]
    }

    fn draw_in_batch(&self, drawing: &mut Drawing<'_>) -> Draw {
        let mut shared = drawing.shared();
        // Keras adds this so that the width is never 0.
        let mut sigma = || self.sigma.draw_from(0.0, &mut shared) + 1e-6;
        let sigma = [sigma(), sigma()];
        Draw::GaussianBlur(GaussianBlurDraw {
            blurred: self.factor.happens(&mut drawing.draws),
            sigma,
        })
    }

    fn apply(&self, draw: &Draw, image: &Image) -> Image {
        let Draw::GaussianBlur(GaussianBlurDraw { blurred, sigma }) = *draw else {
            return image.clone();
        };
        let out = if blurred {
            let [first, second] = self.kernel_size;
            let across = gaussian(first, sigma[0] as f32);
            let down = gaussian(second, sigma[1] as f32);
            if first == second {
                let rows = convolve(image, &across, [1, first]);
                convolve(&rows, &down, [second, 1])
            } else {
                let product = down.iter().flat_map(|d| across.iter().map(move |a| d * a));
                // Keras reads the product, which has `second` rows, as one of `first` rows.
                convolve(image, &product.collect::<Vec<f32>>(), [first, second])
            }
        } else {
            image.clone()
        };
        changed_values(
            out,
            #[inline(always)]
            |value| clip(value, self.value_range),
        )
    }

    fn torchvision(&self) -> Option<String> {
        let [rows, columns] = self.kernel_size;
        let (low, high) = self.sigma.ends_from(0.0);
        let (low, high) = (trimmed(low.max(0.01)), trimmed(high.max(0.01)));
        Some(format!(
            "v2.GaussianBlur(({columns}, {rows}), sigma=({low}, {high}))"
        ))
    }

    fn differences(&self, semantics: Semantics) -> Option<String> {
        super::drawn_probability("RandomGaussianBlur", self.factor, semantics)
    }
}

impl Drawn for GaussianBlurDraw {
    fn words(&self) -> String {
        if !self.blurred {
            return String::new();
        }
        let [x, y] = self.sigma.map(|sigma| fixed(sigma, 2));
        format!("blur {x} × {y}")
    }

    fn meaning(&self) -> Option<String> {
        Some("standard deviations across and down, in pixels".to_owned())
    }

    fn quantities(&self) -> Vec<(&'static str, f64)> {
        vec![
            ("blurred", f64::from(u8::from(self.blurred))),
            ("blur_sigma_x", self.sigma[0]),
            ("blur_sigma_y", self.sigma[1]),
        ]
    }
}
