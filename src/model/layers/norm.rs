//! Batch normalisation: statistics, normalising, and the moving statistics that follow.

use candle_core::{Result, Tensor};
use rayon::prelude::*;

use super::elementwise::centre_scale_shift;
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
    let flat = x.flatten_all()?;
    let (storage, layout) = flat.storage_and_layout();
    let candle_core::Storage::Cpu(storage) = &*storage else {
        return Err(candle_core::Error::Msg(
            "the tensor is not in main memory".into(),
        ));
    };
    let values = super::kernel::values(storage, layout)?;
    let n = values.len() / channels;
    let half = n.div_ceil(2).max(1);
    // Rows left over by four go into the first run, after it.
    let interleaved = move |row: usize| if row < n / 4 * 4 { row % 4 } else { 0 };
    Ok(match semantics {
        Semantics::Keras2 if x.rank() == 4 => {
            moments_in::<f32>(values, channels, &|row| row / half)
        }
        Semantics::Keras2 | Semantics::Keras3 => moments_in::<f32>(values, channels, &interleaved),
        Semantics::PyTorch => moments_in::<f64>(values, channels, &interleaved),
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

/// `y = gamma * (x - mean) / sqrt(variance + epsilon) + beta`; without gamma 1, without beta 0.
pub fn normalise(
    x: &Tensor,
    used: &Moments,
    gamma: Option<&[f32]>,
    beta: Option<&[f32]>,
    epsilon: f64,
) -> Result<Tensor> {
    let scale: Vec<f32> = used
        .variance
        .iter()
        .enumerate()
        .map(|(c, &v)| {
            let deviation = (f64::from(v) + epsilon).sqrt();
            (gamma.map_or(1.0, |g| f64::from(g[c])) / deviation) as f32
        })
        .collect();
    centre_scale_shift(x, &used.mean, &scale, beta.unwrap_or(&[0.0]))
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
