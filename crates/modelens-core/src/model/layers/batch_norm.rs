//! Batch normalisation: batch statistics, normalising, and the update of the moving statistics.

use candle_core::{CpuStorage, CustomOp3, Error, Layout, Result, Shape, Tensor};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::shape::{ImageShape, Shapes};
use super::{Call, CallMode, LayerOp, Weights};
use crate::rules::{Role, Semantics, Statistics};
use modelens_kernels::affine_relu::{Affine, AffineRelu, add_to};
use modelens_kernels::batch_norm_backward::BatchNormBackward;
use modelens_kernels::row_sums::{RowSeries, row_sums};
use modelens_kernels::slices::{tensor, values, with_values};

/// `gamma * (x - mean) / sqrt(variance + epsilon) + beta` by channel (the last axis).
///
/// Mean and variance are those of the batch over N, H and W, or the stored moving ones: see
/// [`crate::rules::effective()`]. Weights, each `[C]`: `gamma`, `beta` (both optional),
/// `moving_mean`, `moving_variance`. Source: Ioffe and Szegedy 2015; Keras' `BatchNormalization` and
/// PyTorch's `BatchNorm2d`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BatchNorm {
    /// In Keras' convention, whatever the file: `moving = momentum * moving + (1 - momentum) * batch`.
    pub momentum: f64,
    pub epsilon: f64,
}

impl LayerOp for BatchNorm {
    fn role(&self) -> Role {
        Role::BatchNorm
    }

    fn mixes_images(&self, mode: CallMode) -> bool {
        mode.effective.statistics != Some(Statistics::Moving)
    }

    fn output_shape(&self, shapes: &Shapes<'_>) -> std::result::Result<ImageShape, String> {
        Ok(shapes.x().to_vec())
    }

    fn forward(&self, call: &Call<'_>) -> Result<Tensor> {
        let x = call.x()?;
        let (used, is_batch) = match call.statistics {
            Statistics::Batch => (moments(x, call.semantics)?, true),
            Statistics::Moving => (StoredWeights::of(call.weights)?.moving, false),
        };
        let [gamma, beta] = ["gamma", "beta"].map(|name| call.weights.get(name));
        normalise(x, &used, gamma, beta, self.epsilon, is_batch)
    }
}

/// The weights of a BatchNorm, each with one value a channel.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredWeights {
    /// `moving_mean` and `moving_variance` (PyTorch: running).
    pub moving: Moments,
    /// Ones if the layer has none.
    pub gamma: Vec<f32>,
    /// Zeros if the layer has none.
    pub beta: Vec<f32>,
}

impl StoredWeights {
    /// Reads them.
    ///
    /// # Errors
    /// A layer without moving statistics.
    pub fn of(weights: Weights<'_>) -> Result<Self> {
        let vector = |name: &str| weights.get(name).map(Tensor::to_vec1::<f32>).transpose();
        let missing = || Error::Msg("the moving statistics are missing".into());
        let moving = Moments {
            mean: vector("moving_mean")?.ok_or_else(missing)?,
            variance: vector("moving_variance")?.ok_or_else(missing)?,
        };
        let channels = moving.mean.len();
        let or_filled = |weight: Option<Vec<f32>>, value| weight.unwrap_or(vec![value; channels]);
        Ok(Self {
            gamma: or_filled(vector("gamma")?, 1.0),
            beta: or_filled(vector("beta")?, 0.0),
            moving,
        })
    }
}

/// Mean and variance by channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Moments {
    pub mean: Vec<f32>,
    pub variance: Vec<f32>,
}

impl Moments {
    /// As the weights that store them.
    pub fn into_weights(self) -> Result<[(&'static str, Tensor); 2]> {
        let (n, m) = (self.mean.len(), self.variance.len());
        Ok([
            ("moving_mean", tensor(self.mean, n)?),
            ("moving_variance", tensor(self.variance, m)?),
        ])
    }
}

/// Mean and biased variance of `x[..., C]` over all axes but the last:
/// `mean = sum(x) / n`, `variance = sum((x - mean)^2) / n`, summed as the framework does it.
///
/// TensorFlow sums in f32, and deep in a network on a small batch the order of its sums shows in the
/// fourth digit. It is reproduced here: four interleaved series of rows in Keras 3 (`reduce_mean`), one
/// series per thread in Keras 2's fused path (two threads here). PyTorch sums in f64. The result does
/// not depend on the number of cores.
pub fn moments(x: &Tensor, semantics: Semantics) -> Result<Moments> {
    let channels = x.dims().last().copied().unwrap_or(1);
    with_values(x, |values| {
        Ok(moments_of(values, channels, x.rank(), semantics))
    })
}

/// [`moments`] of a slice `[rows, C]`; `rank` is the rank of the tensor.
pub fn moments_of(x: &[f32], channels: usize, rank: usize, semantics: Semantics) -> Moments {
    match semantics {
        Semantics::PyTorch => {
            let mean = mean_in_f64(x, &vec![0.0; channels], |x, _| x);
            let variance = mean_in_f64(x, &mean, |x, mean| (x - mean) * (x - mean));
            Moments { mean, variance }
        }
        Semantics::Keras2 | Semantics::Keras3 | Semantics::Keras316 => {
            let fused = semantics == Semantics::Keras2 && rank == 4;
            let mean = tensorflow_mean(x, channels, fused, None);
            let variance = tensorflow_mean(x, channels, fused, Some(&mean));
            Moments { mean, variance }
        }
    }
}

/// Mean over the rows of `x`, or of `(x - mean)^2` if a mean is given, in f32 and in TensorFlow's order.
fn tensorflow_mean(x: &[f32], channels: usize, fused: bool, mean: Option<&[f32]>) -> Vec<f32> {
    let n = x.len() / channels.max(1);
    let (series, whole) = if fused {
        let half = n.div_ceil(2);
        let rows = |first, end| RowSeries {
            first,
            step: 1,
            end,
        };
        (vec![rows(0, half), rows(half, n)], n)
    } else {
        let end = n / 4 * 4;
        let rows = |first| RowSeries {
            first,
            step: 4,
            end,
        };
        ((0..4).map(rows).collect(), end)
    };
    let mut sums = row_sums(x, channels, &series, mean).into_iter();
    let mut next = || sums.next().unwrap_or_else(|| vec![0.0; channels]);
    let [mut first, second, mut third, fourth] = [next(), next(), next(), next()];
    // The last one to three rows are added to the end of the first series.
    for row in x[whole * channels..].chunks(channels.max(1)) {
        for (c, (sum, &x)) in first.iter_mut().zip(row).enumerate() {
            *sum += mean.map_or(x, |mean| (x - mean[c]) * (x - mean[c]));
        }
    }
    add_to(&mut first, &second);
    add_to(&mut third, &fourth);
    add_to(&mut first, &third);
    let share = 1.0 / n as f32;
    for sum in &mut first {
        *sum *= share;
    }
    first
}

/// By channel, the mean of `f(x, c)` over all rows, summed in f64.
fn mean_in_f64(x: &[f32], c: &[f32], f: impl Fn(f32, f32) -> f32 + Sync) -> Vec<f32> {
    /// Number of tasks: fixed, so that the sums do not depend on the number of cores.
    const PIECES: usize = 16;
    let channels = c.len().max(1);
    let n = x.len() / channels;
    let pieces = x.par_chunks(n.div_ceil(PIECES).max(1) * channels).map(|x| {
        let mut sums = vec![0.0_f64; c.len()];
        for row in x.chunks(channels) {
            for ((sum, &x), &c) in sums.iter_mut().zip(row).zip(c) {
                *sum += f64::from(f(x, c));
            }
        }
        sums
    });
    let pieces: Vec<Vec<f64>> = pieces.collect();
    let mut total = vec![0.0_f64; c.len()];
    for piece in pieces {
        total.iter_mut().zip(piece).for_each(|(t, p)| *t += p);
    }
    total.into_iter().map(|t| (t / n as f64) as f32).collect()
}

/// `y = gamma * (x - mean) / sqrt(variance + epsilon) + beta` of `x`, `gamma` and `beta`.
#[derive(Debug)]
struct Normalise {
    used: Moments,
    epsilon: f64,
    /// True if the moments are those of `x`: the gradient also flows through them.
    through_moments: bool,
}

impl CustomOp3 for Normalise {
    fn name(&self) -> &'static str {
        "batch-norm"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        gamma: &CpuStorage,
        gamma_layout: &Layout,
        beta: &CpuStorage,
        beta_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (gamma, beta) = (values(gamma, gamma_layout)?, values(beta, beta_layout)?);
        let x = values(x, x_layout)?;
        let mut y = vec![0.0; x.len()];
        let epilogue = AffineRelu {
            affine: Some(affine(&self.used, gamma, beta, self.epsilon)),
            relu: None,
        };
        epilogue.apply_into(x, &mut y, gamma.len());
        Ok((CpuStorage::F32(y), x_layout.shape().clone()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        gamma: &Tensor,
        beta: &Tensor,
        _y: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (gamma_values, beta_values) = (gamma.to_vec1::<f32>()?, beta.to_vec1::<f32>()?);
        let channels = gamma_values.len();
        let inverse = inverse_deviation(&self.used, self.epsilon);
        let norm = BatchNormBackward {
            mean: self.used.mean.clone(),
            inverse: inverse.into_iter().map(|i| i as f32).collect(),
            gamma: gamma_values,
            beta: beta_values,
            relu: None,
        };
        let mut g = grad.flatten_all()?.to_vec1::<f32>()?;
        let (dgamma, dbeta) = with_values(x, |x_values| {
            Ok(norm.run(x_values, &mut g, x.track_op(), self.through_moments))
        })?;
        let vector =
            |t: &Tensor, sums: Vec<f32>| t.track_op().then(|| tensor(sums, channels)).transpose();
        let dx = x.track_op().then(|| tensor(g, x.shape())).transpose()?;
        Ok((dx, vector(gamma, dgamma)?, vector(beta, dbeta)?))
    }
}

/// By channel, `1 / sqrt(variance + epsilon)`.
pub fn inverse_deviation(used: &Moments, epsilon: f64) -> Vec<f64> {
    let variance = used.variance.iter();
    variance
        .map(|&v| 1.0 / (f64::from(v) + epsilon).sqrt())
        .collect()
}

/// Normalising as a scale and a shift by channel.
pub fn affine(used: &Moments, gamma: &[f32], beta: &[f32], epsilon: f64) -> Affine {
    let pairs = gamma.iter().zip(inverse_deviation(used, epsilon));
    Affine {
        centre: used.mean.clone(),
        scale: pairs.map(|(&g, i)| (f64::from(g) * i) as f32).collect(),
        shift: beta.to_vec(),
    }
}

/// `y = gamma * (x - mean) / sqrt(variance + epsilon) + beta`; gamma defaults to 1, beta to 0.
/// `through_moments`: the moments are those of `x`, so the gradient also flows through them.
pub fn normalise(
    x: &Tensor,
    used: &Moments,
    gamma: Option<&Tensor>,
    beta: Option<&Tensor>,
    epsilon: f64,
    through_moments: bool,
) -> Result<Tensor> {
    let channels = used.mean.len();
    let filled = |weight: Option<&Tensor>, value: f32| match weight {
        Some(weight) => Ok(weight.clone()),
        None => tensor(vec![value; channels], channels),
    };
    let op = Normalise {
        used: used.clone(),
        epsilon,
        through_moments,
    };
    x.apply_op3(&filled(gamma, 1.0)?, &filled(beta, 0.0)?, op)
}

/// True if the moving variance is updated with the batch variance times `n / (n - 1)`: always in
/// PyTorch, in Keras 2 for a 4-D input (its fused path, on the CPU too), never in Keras 3. `rank` is the
/// rank of the layer's input.
pub fn takes_unbiased_variance(semantics: Semantics, rank: usize) -> bool {
    match semantics {
        Semantics::Keras2 => rank == 4,
        Semantics::Keras3 | Semantics::Keras316 => false,
        Semantics::PyTorch => true,
    }
}

/// The moving statistics after one training call:
/// `moving = momentum * moving + (1 - momentum) * batch`.
///
/// The variance is the biased one, or times `n / (n - 1)`: see [`takes_unbiased_variance`]. With
/// `n = 1` it stays the biased one.
pub fn next_moving(
    moving: &Moments,
    batch: &Moments,
    momentum: f64,
    n: usize,
    rank: usize,
    semantics: Semantics,
) -> Moments {
    let factor = if takes_unbiased_variance(semantics, rank) {
        n as f64 / (n.max(2) - 1) as f64
    } else {
        1.0
    };
    let step = |moving: &[f32], batch: &[f32], factor: f64| {
        let pairs = moving.iter().zip(batch);
        let next = pairs.map(|(&m, &b)| {
            (momentum * f64::from(m) + (1.0 - momentum) * f64::from(b) * factor) as f32
        });
        next.collect()
    };
    Moments {
        mean: step(&moving.mean, &batch.mean, 1.0),
        variance: step(&moving.variance, &batch.variance, factor),
    }
}
