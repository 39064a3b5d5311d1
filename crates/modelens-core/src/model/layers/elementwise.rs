//! Activations, and scale, shift and bias by channel.

use candle_core::{CpuStorage, CustomOp1, CustomOp2, Error, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

use super::channels::{Affine, Finish};
use super::kernel::{tensor, values, with_values};
use crate::model::graph::Activation;

/// Values that one task takes.
const CHUNK: usize = 1 << 14;

/// `y = f(x)` for every value; the gradient is `g * derivative(x)`.
struct Map<F, D> {
    f: F,
    derivative: D,
}

impl<F, D> CustomOp1 for Map<F, D>
where
    F: Fn(f32) -> f32 + Sync,
    D: Fn(f32) -> f32 + Sync,
{
    fn name(&self) -> &'static str {
        "elementwise"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let x = values(x, layout)?;
        let mut y = vec![0.0_f32; x.len()];
        let chunks = y.par_chunks_mut(CHUNK).zip(x.par_chunks(CHUNK));
        chunks.for_each(|(y, x)| {
            y.iter_mut().zip(x).for_each(|(y, &x)| *y = (self.f)(x));
        });
        Ok((CpuStorage::F32(y), layout.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, _y: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let shape = x.shape();
        let dx = with_values(x, |x| {
            with_values(grad, |g| {
                Ok(x.par_iter()
                    .zip(g)
                    .map(|(&x, g)| g * (self.derivative)(x))
                    .collect())
            })
        })?;
        tensor(dx, shape).map(Some)
    }
}

/// `y = (x - centre) * scale + shift` along the last axis; each vector has length 1 or C. The
/// vectors are constants: no gradient reaches them.
struct ScaleShift {
    centre: Vec<f32>,
    scale: Vec<f32>,
    shift: Vec<f32>,
}

/// A vector of length 1 or C as one of length C.
fn spread(vector: &[f32], channels: usize) -> Result<Vec<f32>> {
    match vector {
        [one] => Ok(vec![*one; channels]),
        many if many.len() == channels => Ok(many.to_vec()),
        many => Err(Error::Msg(format!(
            "{} values for {channels} channels",
            many.len()
        ))),
    }
}

impl CustomOp1 for ScaleShift {
    fn name(&self) -> &'static str {
        "scale-shift"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let x = values(x, layout)?;
        let channels = layout.dims().last().copied().unwrap_or(1).max(1);
        let centre = spread(&self.centre, channels)?;
        let (scale, shift) = (
            spread(&self.scale, channels)?,
            spread(&self.shift, channels)?,
        );
        let affine = Affine {
            centre,
            scale,
            shift,
        };
        let finish = Finish {
            affine: Some(affine),
            relu: None,
        };
        let mut y = vec![0.0_f32; x.len()];
        finish.apply_into(x, &mut y, channels);
        Ok((CpuStorage::F32(y), layout.shape().clone()))
    }

    fn bwd(&self, _x: &Tensor, _y: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        scale_shift(&grad.contiguous()?, &self.scale, &[0.0]).map(Some)
    }
}

/// `y = x * scale + shift` along the last axis; each vector has length 1 or C.
pub fn scale_shift(x: &Tensor, scale: &[f32], shift: &[f32]) -> Result<Tensor> {
    let (scale, shift) = (scale.to_vec(), shift.to_vec());
    x.apply_op1(ScaleShift {
        centre: vec![0.0],
        scale,
        shift,
    })
}

/// `y = x + bias` along the last axis.
struct AddBias;

impl CustomOp2 for AddBias {
    fn name(&self) -> &'static str {
        "add-bias"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let bias = values(bias, bias_layout)?;
        let op = ScaleShift {
            centre: vec![0.0],
            scale: vec![1.0],
            shift: bias.to_vec(),
        };
        op.cpu_fwd(x, x_layout)
    }

    fn bwd(
        &self,
        x: &Tensor,
        bias: &Tensor,
        _y: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let dbias = if bias.track_op() {
            Some(column_sums(grad, bias.elem_count())?)
        } else {
            None
        };
        Ok((x.track_op().then(|| grad.clone()), dbias))
    }
}

/// By channel, the sum of `x[..., C]` over all other axes, kept in f64.
fn column_sums(x: &Tensor, channels: usize) -> Result<Tensor> {
    let sums = with_values(x, |x| {
        let mut sums = vec![0.0_f64; channels];
        for row in x.chunks(channels) {
            sums.iter_mut()
                .zip(row)
                .for_each(|(sum, &x)| *sum += f64::from(x));
        }
        Ok(sums)
    })?;
    tensor(sums.into_iter().map(|s| s as f32).collect(), channels)
}

/// `y = x + bias` along the last axis.
pub fn add_bias(x: &Tensor, bias: &Tensor) -> Result<Tensor> {
    x.apply_op2(bias, AddBias)
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
            let slope = move |x: f32| {
                // TensorFlow lets no gradient through at the corners.
                if x > threshold && x < top {
                    1.0
                } else if x < threshold {
                    negative_slope
                } else {
                    0.0
                }
            };
            if threshold == 0.0 && negative_slope == 0.0 {
                // `f32::max` and `min` would drop what is not a number.
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
        // candle's `gelu` is the tanh approximation, `gelu_erf` the exact one.
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
        Activation::Softmax => softmax(x),
        Activation::Softplus => map(x, |x| x.max(0.0) + (-x.abs()).exp().ln_1p(), sigmoid),
        Activation::Softsign => map(
            x,
            |x| x / (1.0 + x.abs()),
            |x| 1.0 / ((1.0 + x.abs()) * (1.0 + x.abs())),
        ),
        Activation::Tanh => map(x, f32::tanh, |x| 1.0 - x.tanh() * x.tanh()),
        Activation::Exponential => map(x, f32::exp, f32::exp),
        Activation::Function(function) => function.forward(x),
    }
}

/// `y`, but NaN where `nan` is not 0: candle's comparisons drop what is not a number, which
/// TensorFlow passes on.
pub(super) fn keep_nan(y: &Tensor, nan: &Tensor) -> Result<Tensor> {
    let nans = Tensor::full(f32::NAN, y.shape(), y.device())?;
    nan.broadcast_as(y.shape())?
        .contiguous()?
        .where_cond(&nans, y)
}

/// `f` of every value, with its derivative for the gradient.
pub(super) fn map(
    x: &Tensor,
    f: impl Fn(f32) -> f32 + Send + Sync + 'static,
    derivative: impl Fn(f32) -> f32 + Send + Sync + 'static,
) -> Result<Tensor> {
    x.apply_op1(Map { f, derivative })
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

/// `relu6(x + 3) / 6`, as Keras 3 and PyTorch define it.
fn hard_sigmoid(x: f32) -> f32 {
    (x + 3.0).clamp(0.0, 6.0) / 6.0
}

fn hard_sigmoid_slope(x: f32) -> f32 {
    if x.abs() < 3.0 { 1.0 / 6.0 } else { 0.0 }
}

/// `exp(x - max) / sum` along the last axis; the gradient is `y * (g - sum(g * y))`.
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

    fn bwd(&self, _x: &Tensor, y: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let n = y.dims().last().copied().unwrap_or(1).max(1);
        let dx = with_values(y, |y| {
            with_values(grad, |g| {
                let rows = y.chunks(n).zip(g.chunks(n));
                let rows = rows.flat_map(|(y, g)| {
                    let sum: f32 = y.iter().zip(g).map(|(y, g)| y * g).sum();
                    y.iter().zip(g).map(move |(y, g)| y * (g - sum))
                });
                Ok(rows.collect())
            })
        })?;
        tensor(dx, y.shape()).map(Some)
    }
}

/// `exp(x - max) / sum` along the last axis.
pub fn softmax(x: &Tensor) -> Result<Tensor> {
    x.apply_op1(Softmax)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn what_is_not_a_number_passes_through_relu() {
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
