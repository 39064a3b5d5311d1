//! Batch normalisation: statistics, normalising, and the moving statistics that follow.

use candle_core::{CpuStorage, CustomOp1 as _, CustomOp3, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

use super::elementwise::ScaleShift;
use super::kernel::{tensor, values, with_values};
use crate::model::Semantics;

/// Mean and variance by channel.
#[derive(Clone, Debug, PartialEq)]
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
    let channels = x.dims().last().copied().unwrap_or(1).max(1);
    with_values(x, |values| {
        let n = values.len() / channels;
        let half = n.div_ceil(2).max(1);
        // Rows left over by four go into the first run, after it.
        let interleaved = move |row: usize| if row < n / 4 * 4 { row % 4 } else { 0 };
        Ok(match semantics {
            Semantics::Keras2 if x.rank() == 4 => {
                moments_in::<f32>(values, channels, &|row| row / half)
            }
            Semantics::Keras2 | Semantics::Keras3 => {
                moments_in::<f32>(values, channels, &interleaved)
            }
            Semantics::PyTorch => moments_in::<f64>(values, channels, &interleaved),
        })
    })
}

/// Which of the four runs of sums a row belongs to.
type RunOfRow<'a> = &'a (dyn Fn(usize) -> usize + Sync);

fn moments_in<T: Sum>(x: &[f32], channels: usize, run_of_row: RunOfRow<'_>) -> Moments {
    let n = x.len() / channels;
    let zeros = vec![0.0; channels];
    let mean: Vec<f32> = sums::<T>(x, &zeros, run_of_row, |x, _| x)
        .map(|sum| sum.mean(n))
        .collect();
    let variance = sums::<T>(x, &mean, run_of_row, |x, mean| (x - mean) * (x - mean));
    let variance = variance.map(|sum| sum.mean(n)).collect();
    Moments { mean, variance }
}

/// The type that sums are kept in.
trait Sum: Copy + Default + Send + std::ops::AddAssign + From<f32> {
    /// The sum of `n` values as their mean.
    fn mean(self, n: usize) -> f32;
}

impl Sum for f32 {
    fn mean(self, n: usize) -> f32 {
        self * (1.0 / n as f32)
    }
}

impl Sum for f64 {
    fn mean(self, n: usize) -> f32 {
        (self / n as f64) as f32
    }
}

/// By channel, the sum of `f(x, c)` down all rows.
fn sums<T: Sum>(
    x: &[f32],
    c: &[f32],
    run_of_row: RunOfRow<'_>,
    f: impl Fn(f32, f32) -> f32 + Sync,
) -> impl Iterator<Item = T> {
    /// Channels that one task takes: the four runs of sums stay in registers.
    const BLOCK: usize = 16;
    let channels = c.len();
    let blocks = c.par_chunks(BLOCK).enumerate().map(|(block, c)| {
        let mut runs = [[T::default(); BLOCK]; 4];
        for (i, row) in x.chunks_exact(channels).enumerate() {
            let row = &row[block * BLOCK..][..c.len()];
            for ((sum, &x), &c) in runs[run_of_row(i)].iter_mut().zip(row).zip(c) {
                *sum += T::from(f(x, c));
            }
        }
        let [mut first, second, mut third, fourth] = runs;
        first.iter_mut().zip(second).for_each(|(a, b)| *a += b);
        third.iter_mut().zip(fourth).for_each(|(a, b)| *a += b);
        first.iter_mut().zip(third).for_each(|(a, b)| *a += b);
        first[..c.len()].to_vec()
    });
    blocks.collect::<Vec<Vec<T>>>().into_iter().flatten()
}

/// `y = gamma * (x - mean) / sqrt(variance + epsilon) + beta` of `x`, `gamma` and `beta`.
#[derive(Debug)]
struct Normalise {
    used: Moments,
    epsilon: f64,
    /// The moments are those of `x` itself, so the gradient also flows through them.
    through_moments: bool,
}

impl Normalise {
    /// By channel, `1 / sqrt(variance + epsilon)`.
    fn inverse_deviation(&self) -> impl Iterator<Item = f64> {
        let variance = self.used.variance.iter();
        variance.map(|&v| 1.0 / (f64::from(v) + self.epsilon).sqrt())
    }
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
        let gamma = values(gamma, gamma_layout)?.iter();
        let scale = gamma
            .zip(self.inverse_deviation())
            .map(|(&g, i)| (f64::from(g) * i) as f32);
        let op = ScaleShift {
            centre: self.used.mean.clone(),
            scale: scale.collect(),
            shift: values(beta, beta_layout)?.to_vec(),
        };
        op.cpu_fwd(x, x_layout)
    }

    /// With `h = (x - mean) i` and `i = 1 / sqrt(variance + epsilon)`:
    /// `dbeta = sum g`, `dgamma = sum g h`, and `dx = gamma i g`, or, where the moments are those
    /// of `x`, `dx = gamma i (g - dbeta / n - h dgamma / n)`.
    fn bwd(
        &self,
        x: &Tensor,
        gamma: &Tensor,
        beta: &Tensor,
        _y: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let inverse: Vec<f32> = self.inverse_deviation().map(|i| i as f32).collect();
        let channels = inverse.len();
        let n = (x.elem_count() / channels.max(1)) as f64;
        let gamma_values = gamma.to_vec1::<f32>()?;
        with_values(x, |x_values| {
            with_values(grad, |g| {
                let mut dbeta = vec![0.0_f64; channels];
                let mut dgamma = vec![0.0_f64; channels];
                for (x, g) in x_values.chunks(channels).zip(g.chunks(channels)) {
                    for c in 0..channels {
                        let h = (x[c] - self.used.mean[c]) * inverse[c];
                        dbeta[c] += f64::from(g[c]);
                        dgamma[c] += f64::from(g[c] * h);
                    }
                }
                let mut dx = None;
                if x.track_op() {
                    let share = |sums: &[f64]| -> Vec<f32> {
                        let part = if self.through_moments { 1.0 / n } else { 0.0 };
                        sums.iter().map(|s| (s * part) as f32).collect()
                    };
                    let (beta_share, gamma_share) = (share(&dbeta), share(&dgamma));
                    let mut out = vec![0.0_f32; x_values.len()];
                    let rows = out
                        .par_chunks_mut(channels)
                        .zip(x_values.par_chunks(channels));
                    rows.zip(g.par_chunks(channels))
                        .with_min_len(64)
                        .for_each(|((out, x), g)| {
                            for c in 0..channels {
                                let h = (x[c] - self.used.mean[c]) * inverse[c];
                                out[c] = gamma_values[c]
                                    * inverse[c]
                                    * (g[c] - beta_share[c] - h * gamma_share[c]);
                            }
                        });
                    dx = Some(tensor(out, x.shape())?);
                }
                let vector = |t: &Tensor, sums: Vec<f64>| {
                    let values = || sums.into_iter().map(|s| s as f32).collect();
                    t.track_op().then(|| tensor(values(), channels)).transpose()
                };
                Ok((dx, vector(gamma, dgamma)?, vector(beta, dbeta)?))
            })
        })
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
