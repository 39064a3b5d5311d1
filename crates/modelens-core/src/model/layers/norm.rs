//! Batch normalisation: statistics, normalising, and the moving statistics that follow.

use serde::{Deserialize, Serialize};

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

use super::channels::{Affine, Finish, add_to};
use super::kernel::{tensor, values, with_values};
use super::norm_gradient::NormGradient;
use super::sums::{Run, run_sums};
use crate::model::Semantics;

/// Mean and variance by channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Moments {
    pub mean: Vec<f32>,
    pub variance: Vec<f32>,
}

/// Mean and biased variance of `x[..., C]` over all axes but the last:
/// `mean = sum(x) / n`, `variance = sum((x - mean)^2) / n`, added up as the framework does it.
///
/// TensorFlow sums in f32, and deep in a network on a small batch the order of its sums shows in
/// the fourth digit, so it is followed here: four interleaved runs down the rows in Keras 3
/// (`reduce_mean`), one run a thread in Keras 2's fused path (two threads here). PyTorch sums in
/// f64. No result depends on the number of cores of this machine.
pub fn moments(x: &Tensor, semantics: Semantics) -> Result<Moments> {
    let channels = x.dims().last().copied().unwrap_or(1);
    with_values(x, |values| {
        Ok(moments_of(values, channels, x.rank(), semantics))
    })
}

/// [`moments`] of `[rows, C]`; `rank` is that of the tensor.
pub fn moments_of(x: &[f32], channels: usize, rank: usize, semantics: Semantics) -> Moments {
    let mean: Vec<f32> = match semantics {
        Semantics::PyTorch => wide_sums(x, &vec![0.0; channels], |x, _| x),
        _ => tensorflow_sums(x, channels, rank, semantics, None),
    };
    let variance = match semantics {
        Semantics::PyTorch => wide_sums(x, &mean, |x, mean| (x - mean) * (x - mean)),
        _ => tensorflow_sums(x, channels, rank, semantics, Some(&mean)),
    };
    Moments { mean, variance }
}

/// Sums down the rows in f32 and in TensorFlow's order, divided by their number.
fn tensorflow_sums(
    x: &[f32],
    channels: usize,
    rank: usize,
    semantics: Semantics,
    mean: Option<&[f32]>,
) -> Vec<f32> {
    let n = x.len() / channels.max(1);
    let fused = semantics == Semantics::Keras2 && rank == 4;
    let (runs, whole) = if fused {
        let half = n.div_ceil(2);
        let run = |first, end| Run {
            first,
            step: 1,
            end,
        };
        (vec![run(0, half), run(half, n)], n)
    } else {
        let end = n / 4 * 4;
        let run = |first| Run {
            first,
            step: 4,
            end,
        };
        ((0..4).map(run).collect(), end)
    };
    let mut sums = run_sums(x, channels, &runs, mean).into_iter();
    let mut next = || sums.next().unwrap_or_else(|| vec![0.0; channels]);
    let [mut first, second, mut third, fourth] = [next(), next(), next(), next()];
    // Rows left over by four go into the first run, after it.
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

/// By channel, the mean of `f(x, c)` down all rows, with sums in f64.
fn wide_sums(x: &[f32], c: &[f32], f: impl Fn(f32, f32) -> f32 + Sync) -> Vec<f32> {
    /// Tasks: a fixed number, so that sums come out the same however many cores there are.
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
    /// The moments are those of `x` itself, so the gradient also flows through them.
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
        let finish = Finish {
            affine: Some(affine(&self.used, gamma, beta, self.epsilon)),
            relu: None,
        };
        finish.apply_into(x, &mut y, gamma.len());
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
        let norm = NormGradient {
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

impl NormGradient {
    /// Turns the gradient at the output, `g`, into that at the input where `needs_x`, and gives
    /// back those at gamma and beta.
    ///
    /// With `h = (x - mean) i` and `i = 1 / sqrt(variance + epsilon)`:
    /// `dbeta = sum g`, `dgamma = sum g h`, and `dx = gamma i g`, or, where the moments are those
    /// of `x`, `dx = gamma i (g - dbeta / n - h dgamma / n)`.
    pub fn run(
        &self,
        x: &[f32],
        g: &mut [f32],
        needs_x: bool,
        through_moments: bool,
    ) -> (Vec<f32>, Vec<f32>) {
        let n = (x.len() / self.mean.len().max(1)) as f64;
        let (dbeta, dgamma) = self.sums(x, g);
        if needs_x {
            let share = |sums: &[f64]| -> Vec<f32> {
                let part = if through_moments { 1.0 / n } else { 0.0 };
                sums.iter().map(|s| (s * part) as f32).collect()
            };
            self.apply(x, g, &share(&dbeta), &share(&dgamma));
        }
        let narrow = |sums: Vec<f64>| sums.into_iter().map(|s| s as f32).collect();
        (narrow(dgamma), narrow(dbeta))
    }
}

/// By channel, `1 / sqrt(variance + epsilon)`.
pub fn inverse_deviation(used: &Moments, epsilon: f64) -> Vec<f64> {
    let variance = used.variance.iter();
    variance
        .map(|&v| 1.0 / (f64::from(v) + epsilon).sqrt())
        .collect()
}

/// Normalising as scale and shift.
pub fn affine(used: &Moments, gamma: &[f32], beta: &[f32], epsilon: f64) -> Affine {
    let pairs = gamma.iter().zip(inverse_deviation(used, epsilon));
    Affine {
        centre: used.mean.clone(),
        scale: pairs.map(|(&g, i)| (f64::from(g) * i) as f32).collect(),
        shift: beta.to_vec(),
    }
}

/// `y = gamma * (x - mean) / sqrt(variance + epsilon) + beta`; without gamma 1, without beta 0.
/// `through_moments`: the moments are those of `x` itself, which matters to the gradient.
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

/// The moving statistics after one training call:
/// `moving = momentum * moving + (1 - momentum) * batch`.
///
/// Keras 3 takes the batch's biased variance. PyTorch, and Keras 2 for a 4-D input (its fused
/// path, on the CPU too), take the variance times `n / (n - 1)`; Keras 2 leaves it as it is where
/// `n` is 1.
pub fn next_moving(
    moving: &Moments,
    batch: &Moments,
    momentum: f64,
    n: usize,
    rank: usize,
    semantics: Semantics,
) -> Moments {
    let unbiased = match semantics {
        Semantics::Keras2 => rank == 4,
        Semantics::Keras3 => false,
        Semantics::PyTorch => true,
    };
    let factor = if unbiased {
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
