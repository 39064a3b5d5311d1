//! Activations, and scale and shift by channel.

use candle_core::{CpuStorage, CustomOp1, Error, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

use super::kernel::values;
use crate::model::graph::Activation;

/// `y = f(x)` for every value.
struct Map<F>(F);

impl<F: Fn(f32) -> f32 + Sync> CustomOp1 for Map<F> {
    fn name(&self) -> &'static str {
        "elementwise"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let x = values(x, layout)?;
        let mut y = vec![0.0_f32; x.len()];
        let chunks = y.par_chunks_mut(1 << 14).zip(x.par_chunks(1 << 14));
        chunks.for_each(|(y, x)| {
            y.iter_mut().zip(x).for_each(|(y, &x)| *y = (self.0)(x));
        });
        Ok((CpuStorage::F32(y), layout.shape().clone()))
    }
}

/// `y = (x - centre) * scale + shift` along the last axis; each vector has length 1 or C.
struct ScaleShift<'a> {
    centre: &'a [f32],
    scale: &'a [f32],
    shift: &'a [f32],
}

impl CustomOp1 for ScaleShift<'_> {
    fn name(&self) -> &'static str {
        "scale-shift"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let x = values(x, layout)?;
        let channels = layout.dims().last().copied().unwrap_or(1);
        let spread = |v: &[f32]| match v {
            [one] => Ok(vec![*one; channels]),
            many if many.len() == channels => Ok(many.to_vec()),
            many => Err(Error::Msg(format!(
                "{} values for {channels} channels",
                many.len()
            ))),
        };
        let centre = spread(self.centre)?;
        let (scale, shift) = (spread(self.scale)?, spread(self.shift)?);
        let mut y = vec![0.0_f32; x.len()];
        let rows = (1_usize << 14).div_ceil(channels.max(1)) * channels.max(1);
        y.par_chunks_mut(rows)
            .zip(x.par_chunks(rows))
            .for_each(|(y, x)| {
                for (y, x) in y.chunks_mut(channels).zip(x.chunks(channels)) {
                    let vectors = centre.iter().zip(&scale).zip(&shift);
                    for ((y, x), ((centre, scale), shift)) in y.iter_mut().zip(x).zip(vectors) {
                        *y = (x - centre) * scale + shift;
                    }
                }
            });
        Ok((CpuStorage::F32(y), layout.shape().clone()))
    }
}

/// `y = x * scale + shift` along the last axis; each vector has length 1 or C.
pub fn scale_shift(x: &Tensor, scale: &[f32], shift: &[f32]) -> Result<Tensor> {
    x.apply_op1_no_bwd(&ScaleShift {
        centre: &[0.0],
        scale,
        shift,
    })
}

/// `y = (x - centre) * scale + shift` along the last axis; each vector has length 1 or C.
///
/// Taking the centre off first keeps the digits that `x * scale + (shift - centre * scale)` loses
/// where the centre is large beside the deviation.
pub fn centre_scale_shift(
    x: &Tensor,
    centre: &[f32],
    scale: &[f32],
    shift: &[f32],
) -> Result<Tensor> {
    x.apply_op1_no_bwd(&ScaleShift {
        centre,
        scale,
        shift,
    })
}

/// `y = x + bias` along the last axis.
pub fn add_bias(x: &Tensor, bias: &Tensor) -> Result<Tensor> {
    scale_shift(x, &[1.0], &bias.to_vec1::<f32>()?)
}

/// Keras' activation functions.
pub fn activate(x: &Tensor, activation: Activation) -> Result<Tensor> {
    match activation {
        Activation::Linear => Ok(x.clone()),
        Activation::Relu {
            max_value,
            negative_slope,
            threshold,
        } => {
            let top = max_value.unwrap_or(f32::INFINITY);
            if threshold == 0.0 && negative_slope == 0.0 {
                return map(x, move |x| x.max(0.0).min(top));
            }
            map(x, move |x| {
                if x >= threshold {
                    x.min(top)
                } else {
                    negative_slope * (x - threshold)
                }
            })
        }
        Activation::Elu { alpha } => map(x, move |x| if x > 0.0 { x } else { alpha * x.exp_m1() }),
        Activation::Selu => map(x, |x| {
            const SCALE: f32 = 1.050_701;
            const ALPHA: f32 = 1.673_263_2;
            SCALE * if x > 0.0 { x } else { ALPHA * x.exp_m1() }
        }),
        // candle's `gelu` is the tanh approximation, `gelu_erf` the exact one.
        Activation::Gelu { approximate: true } => x.gelu(),
        Activation::Gelu { approximate: false } => x.gelu_erf(),
        Activation::Sigmoid => map(x, sigmoid),
        Activation::HardSigmoid => map(x, hard_sigmoid),
        Activation::Silu => map(x, |x| x * sigmoid(x)),
        Activation::HardSilu => map(x, |x| x * hard_sigmoid(x)),
        Activation::Softmax => softmax(x),
        Activation::Softplus => map(x, |x| x.max(0.0) + (-x.abs()).exp().ln_1p()),
        Activation::Softsign => map(x, |x| x / (1.0 + x.abs())),
        Activation::Tanh => map(x, f32::tanh),
        Activation::Exponential => map(x, f32::exp),
    }
}

fn map(x: &Tensor, f: impl Fn(f32) -> f32 + Sync) -> Result<Tensor> {
    x.apply_op1_no_bwd(&Map(f))
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

/// `relu6(x + 3) / 6`, as Keras 3 and PyTorch define it.
fn hard_sigmoid(x: f32) -> f32 {
    (x + 3.0).clamp(0.0, 6.0) / 6.0
}

/// `exp(x - max) / sum` along the last axis.
struct Softmax;

impl CustomOp1 for Softmax {
    fn name(&self) -> &'static str {
        "softmax"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let mut y = values(x, layout)?.to_vec();
        let n = layout.dims().last().copied().unwrap_or(1).max(1);
        for row in y.chunks_mut(n) {
            let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            for v in row.iter_mut() {
                *v = (*v - top).exp();
            }
            let sum: f32 = row.iter().sum();
            for v in row.iter_mut() {
                *v /= sum;
            }
        }
        Ok((CpuStorage::F32(y), layout.shape().clone()))
    }
}

/// `exp(x - max) / sum` along the last axis.
pub fn softmax(x: &Tensor) -> Result<Tensor> {
    x.apply_op1_no_bwd(&Softmax)
}
