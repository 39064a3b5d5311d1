//! Sums over the rows of `[rows, C]` in a given order.

#![allow(
    clippy::inline_always,
    reason = "a kernel must be inlined into the function that is compiled for its vectors"
)]

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use crate::simd::run;

/// The rows of one running sum: `first`, `first + step`, ... below `end`.
#[derive(Clone, Copy, Debug)]
pub struct RowSeries {
    pub first: usize,
    pub step: usize,
    pub end: usize,
}

/// For each series and channel, the sum of `x`, or of `(x - mean)^2` if a mean is given, one row after
/// another in f32. Series and blocks of channels are summed in parallel.
pub fn row_sums(
    x: &[f32],
    channels: usize,
    series: &[RowSeries],
    mean: Option<&[f32]>,
) -> Vec<Vec<f32>> {
    // Interleaved series are summed together, so that memory is read in order.
    let is_mixed = series.iter().any(|one| one.step > 1);
    let together = if is_mixed { 2 } else { 1 };
    let tasks = rayon::current_num_threads().div_ceil(series.len().div_ceil(together).max(1));
    let width = channels.div_ceil(tasks.max(1)).next_multiple_of(16);
    let mut sums: Vec<Vec<f32>> = series.iter().map(|_| vec![0.0; channels]).collect();
    let groups = sums
        .par_chunks_mut(together)
        .zip(series.par_chunks(together));
    groups.for_each(|(sums, series)| {
        let mut blocks: Vec<Vec<&mut [f32]>> = Vec::new();
        for sums in sums {
            for (i, block) in sums.chunks_mut(width).enumerate() {
                if blocks.len() <= i {
                    blocks.push(Vec::new());
                }
                blocks[i].push(block);
            }
        }
        blocks.into_par_iter().enumerate().for_each(|(i, sums)| {
            run(Summing {
                x,
                channels,
                series,
                first: i * width,
                mean,
                sums,
            });
        });
    });
    sums
}

/// By channel, the sum over all rows of `[rows, C]`, accumulated in f64.
pub fn column_sums(x: &[f32], channels: usize) -> Vec<f32> {
    let mut sums = vec![0.0_f64; channels];
    for row in x.chunks(channels.max(1)) {
        for (sum, &x) in sums.iter_mut().zip(row) {
            *sum += f64::from(x);
        }
    }
    sums.into_iter().map(|sum| sum as f32).collect()
}

/// Some series over some channels, as one task.
struct Summing<'a> {
    x: &'a [f32],
    channels: usize,
    series: &'a [RowSeries],
    /// The first channel.
    first: usize,
    mean: Option<&'a [f32]>,
    /// By series.
    sums: Vec<&'a mut [f32]>,
}

impl WithSimd for Summing<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        /// Values in the rows summed for one block of channels before the next block: they fit into
        /// the L1 cache.
        const TILE: usize = 1 << 12;
        let steps = self.series.first().map_or(0, |one| {
            one.end.saturating_sub(one.first).div_ceil(one.step)
        });
        let tile = (TILE / self.channels.max(1)).max(4);
        let mut sums = self.sums;
        for start in (0..steps).step_by(tile) {
            for (one, sums) in self.series.iter().zip(&mut sums) {
                let first = one.first + start * one.step;
                let rows = one.end.saturating_sub(first).div_ceil(one.step).min(tile);
                if rows == 0 {
                    continue;
                }
                let tile = Tile {
                    x: &self.x[first * self.channels + self.first..],
                    distance: one.step * self.channels,
                    rows,
                    mean: self.mean.map(|mean| &mean[self.first..]),
                };
                let mut at = 0;
                while at < sums.len() {
                    at += match (sums.len() - at) / S::F32_LANES {
                        8.. => tile.add::<S, 8>(s, at, sums),
                        4.. => tile.add::<S, 4>(s, at, sums),
                        2.. => tile.add::<S, 2>(s, at, sums),
                        1 => tile.add::<S, 1>(s, at, sums),
                        _ => tile.add_rest(s, at, sums),
                    };
                }
            }
        }
    }
}

/// Consecutive rows of one series.
struct Tile<'a> {
    /// Starts at the first value of the first row.
    x: &'a [f32],
    /// Values from one row to the next.
    distance: usize,
    rows: usize,
    mean: Option<&'a [f32]>,
}

impl Tile<'_> {
    /// Adds `K` vectors of channels starting at channel `at`; returns their number of channels. The
    /// sums stay in registers.
    #[inline(always)]
    fn add<S: Simd, const K: usize>(&self, s: S, at: usize, sums: &mut [f32]) -> usize {
        let width = K * S::F32_LANES;
        let sums = S::as_mut_simd_f32s(&mut sums[at..at + width]).0;
        let mut total: [S::f32s; K] = std::array::from_fn(|j| sums[j]);
        let rows = (0..self.rows).map(|i| {
            let row = &self.x[i * self.distance + at..][..width];
            &S::as_simd_f32s(row).0[..K]
        });
        if let Some(mean) = self.mean {
            let mean = &S::as_simd_f32s(&mean[at..at + width]).0[..K];
            let mean: [S::f32s; K] = std::array::from_fn(|j| mean[j]);
            for row in rows {
                for j in 0..K {
                    let v = s.sub_f32s(row[j], mean[j]);
                    total[j] = s.add_f32s(total[j], s.mul_f32s(v, v));
                }
            }
        } else {
            for row in rows {
                for j in 0..K {
                    total[j] = s.add_f32s(total[j], row[j]);
                }
            }
        }
        sums.copy_from_slice(&total);
        width
    }

    /// Adds the channels that do not fill a vector.
    #[inline(always)]
    fn add_rest<S: Simd>(&self, s: S, at: usize, sums: &mut [f32]) -> usize {
        let width = sums.len() - at;
        let mut total = s.partial_load_f32s(&sums[at..]);
        let mean = self
            .mean
            .map(|mean| s.partial_load_f32s(&mean[at..at + width]));
        for i in 0..self.rows {
            let v = s.partial_load_f32s(&self.x[i * self.distance + at..][..width]);
            total = s.add_f32s(
                total,
                match mean {
                    Some(mean) => {
                        let v = s.sub_f32s(v, mean);
                        s.mul_f32s(v, v)
                    }
                    None => v,
                },
            );
        }
        s.partial_store_f32s(&mut sums[at..], total);
        width
    }
}
