//! Activation functions.

use candle_core::{D, Result, Tensor};
use serde::{Deserialize, Serialize};

use super::shape::{ImageShape, Shapes};
use super::{Call, CallMode, LayerOp};
use crate::rules::Role;
use modelens_kernels::elementwise::map;

/// A function of every single value; softmax and log-softmax are functions of each pixel's channels.
/// Source: Keras' `activations` and `ops`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Activation {
    Linear,
    /// `min(x, max_value)` from `threshold` on, below it `negative_slope * (x - threshold)`.
    Relu {
        max_value: Option<f32>,
        negative_slope: f32,
        threshold: f32,
    },
    /// `x` where positive, else `alpha (e^x - 1)`.
    Elu {
        alpha: f32,
    },
    Selu,
    /// With the tanh approximation, or exact.
    Gelu {
        approximate: bool,
    },
    Sigmoid,
    /// `relu6(x + 3) / 6`, as in Keras 3 and PyTorch.
    HardSigmoid,
    /// `x * sigmoid(x)`, also called swish.
    Silu,
    /// `x * hard_sigmoid(x)`, also called hard swish.
    HardSilu,
    /// `exp(x - max) / sum` along the last axis.
    Softmax,
    /// `ln(1 + e^x)`.
    Softplus,
    /// `x / (1 + |x|)`.
    Softsign,
    Tanh,
    Exponential,
    Abs,
    Negative,
    Square,
    Sqrt,
    /// `1 / sqrt(x)`.
    Rsqrt,
    Log,
    /// The error function.
    Erf,
    /// `1 / x`.
    Reciprocal,
    /// `x^p`.
    Power(f32),
    /// At least the first and at most the second number.
    Clip(f32, f32),
    /// `0.2 x + 0.5`, at least 0 and at most 1: `hard_sigmoid` of Keras 2.
    HardSigmoidKeras2,
    /// `x tanh(ln(1 + e^x))`.
    Mish,
    /// `ln(sigmoid(x))`.
    LogSigmoid,
    /// `x - tanh(x)`.
    TanhShrink,
    /// `(x + sqrt(x^2 + 4)) / 2`.
    Squareplus,
    /// `ln(softmax(x))` along the last axis.
    LogSoftmax,
    /// The integer towards 0, as a cast to an integer type gives it; modulo `wraps_at` for a type
    /// without negative numbers. No gradient passes.
    ToInteger {
        wraps_at: Option<f32>,
    },
}

impl Activation {
    pub const RELU: Self = Self::Relu {
        max_value: None,
        negative_slope: 0.0,
        threshold: 0.0,
    };
    pub const RELU6: Self = Self::Relu {
        max_value: Some(6.0),
        negative_slope: 0.0,
        threshold: 0.0,
    };
}

impl LayerOp for Activation {
    fn role(&self) -> Role {
        Role::Plain
    }

    fn mixes_images(&self, _: CallMode) -> bool {
        false
    }

    fn output_shape(&self, shapes: &Shapes<'_>) -> std::result::Result<ImageShape, String> {
        Ok(shapes.x().to_vec())
    }

    fn forward(&self, call: &Call<'_>) -> Result<Tensor> {
        activate(call.x()?, *self)
    }
}

/// Applies an activation.
#[allow(clippy::too_many_lines, reason = "one arm an activation")]
pub fn activate(x: &Tensor, activation: Activation) -> Result<Tensor> {
    match activation {
        Activation::Linear => Ok(x.clone()),
        Activation::Relu {
            max_value,
            negative_slope,
            threshold,
        } => {
            let top = max_value.unwrap_or(f32::INFINITY);
            let slope = move |x: f32| {
                // As in TensorFlow, no gradient passes at the corners.
                if x > threshold && x < top {
                    1.0
                } else if x < threshold {
                    negative_slope
                } else {
                    0.0
                }
            };
            if threshold == 0.0 && negative_slope == 0.0 {
                // `f32::max` and `min` would drop NaN.
                let f = move |x: f32| {
                    let x = if x < 0.0 { 0.0 } else { x };
                    if x > top { top } else { x }
                };
                return map(x, f, slope);
            }
            let f = move |x: f32| {
                if x >= threshold {
                    if x > top { top } else { x }
                } else {
                    negative_slope * (x - threshold)
                }
            };
            map(x, f, slope)
        }
        Activation::Elu { alpha } => map(
            x,
            move |x| if x > 0.0 { x } else { alpha * x.exp_m1() },
            move |x| if x > 0.0 { 1.0 } else { alpha * x.exp() },
        ),
        Activation::Selu => {
            const SCALE: f32 = 1.050_701;
            const ALPHA: f32 = 1.673_263_2;
            map(
                x,
                |x| SCALE * if x > 0.0 { x } else { ALPHA * x.exp_m1() },
                |x| SCALE * if x > 0.0 { 1.0 } else { ALPHA * x.exp() },
            )
        }
        // candle's `gelu` is the tanh approximation, `gelu_erf` is exact.
        Activation::Gelu { approximate: true } => x.gelu(),
        Activation::Gelu { approximate: false } => x.gelu_erf(),
        Activation::Sigmoid => map(x, sigmoid, |x| sigmoid(x) * (1.0 - sigmoid(x))),
        Activation::HardSigmoid => map(x, hard_sigmoid, hard_sigmoid_slope),
        Activation::Silu => {
            let slope = |x| sigmoid(x) * (1.0 + x * (1.0 - sigmoid(x)));
            map(x, |x| x * sigmoid(x), slope)
        }
        Activation::HardSilu => {
            let slope = |x| hard_sigmoid(x) + x * hard_sigmoid_slope(x);
            map(x, |x| x * hard_sigmoid(x), slope)
        }
        Activation::Softmax => candle_nn::ops::softmax(x, D::Minus1),
        Activation::Softplus => map(x, softplus, sigmoid),
        Activation::Softsign => map(
            x,
            |x| x / (1.0 + x.abs()),
            |x| 1.0 / ((1.0 + x.abs()) * (1.0 + x.abs())),
        ),
        Activation::Tanh => map(x, f32::tanh, |x| 1.0 - x.tanh() * x.tanh()),
        Activation::Exponential => map(x, f32::exp, f32::exp),
        Activation::Abs => map(x, f32::abs, |x| if x == 0.0 { 0.0 } else { x.signum() }),
        Activation::Negative => map(x, |x| -x, |_| -1.0),
        Activation::Square => map(x, |x| x * x, |x| 2.0 * x),
        Activation::Sqrt => map(x, f32::sqrt, |x| 0.5 / x.sqrt()),
        Activation::Rsqrt => map(x, |x| 1.0 / x.sqrt(), |x| -0.5 / (x * x.sqrt())),
        Activation::Log => map(x, f32::ln, |x| 1.0 / x),
        Activation::Erf => x.erf(),
        Activation::Reciprocal => map(x, |x| 1.0 / x, |x| -1.0 / (x * x)),
        Activation::Power(p) => map(x, move |x| x.powf(p), move |x| p * x.powf(p - 1.0)),
        Activation::Clip(low, high) => map(
            x,
            move |x| {
                let x = if x < low { low } else { x };
                if x > high { high } else { x }
            },
            move |x| if x < low || x > high { 0.0 } else { 1.0 },
        ),
        Activation::HardSigmoidKeras2 => map(
            x,
            |x| (0.2 * x + 0.5).clamp(0.0, 1.0),
            |x| if x.abs() < 2.5 { 0.2 } else { 0.0 },
        ),
        Activation::Mish => map(
            x,
            |x| x * softplus(x).tanh(),
            |x| {
                let t = softplus(x).tanh();
                t + x * (1.0 - t * t) / (1.0 + (-x).exp())
            },
        ),
        Activation::LogSigmoid => map(x, |x| -softplus(-x), |x| 1.0 / (1.0 + x.exp())),
        Activation::TanhShrink => map(x, |x| x - x.tanh(), |x| x.tanh() * x.tanh()),
        Activation::Squareplus => map(
            x,
            |x| 0.5 * (x + (x * x + 4.0).sqrt()),
            |x| 0.5 * (1.0 + x / (x * x + 4.0).sqrt()),
        ),
        Activation::LogSoftmax => candle_nn::ops::log_softmax(x, D::Minus1),
        Activation::ToInteger { wraps_at } => map(
            x,
            move |x| match wraps_at {
                Some(n) => x.trunc().rem_euclid(n),
                None => x.trunc(),
            },
            |_| 0.0,
        ),
    }
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

fn hard_sigmoid(x: f32) -> f32 {
    (x + 3.0).clamp(0.0, 6.0) / 6.0
}

fn hard_sigmoid_slope(x: f32) -> f32 {
    if x.abs() < 3.0 { 1.0 / 6.0 } else { 0.0 }
}

/// `ln(1 + e^x)`.
fn softplus(x: f32) -> f32 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn nan_passes_through_relu() {
        for (negative_slope, threshold) in [(0.0, 0.0), (0.1, 0.0), (0.0, 1.0)] {
            let relu = Activation::Relu {
                max_value: Some(6.0),
                negative_slope,
                threshold,
            };
            let x = Tensor::from_slice(&[f32::NAN, 7.0], (1, 2), &Device::Cpu).unwrap();
            let y = activate(&x, relu).unwrap().flatten_all().unwrap();
            let y = y.to_vec1::<f32>().unwrap();
            assert!(y[0].is_nan() && y[1] == 6.0, "{y:?}");
        }
    }
}
