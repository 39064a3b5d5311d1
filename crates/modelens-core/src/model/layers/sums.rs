//! Sums down the rows of `[rows, C]`, in a given order.

#![allow(
    clippy::inline_always,
    reason = "a kernel must be inlined into the function that is compiled for its vectors"
)]

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::simd::run;

/// Which rows one run of sums takes: `first`, `first + step`, ... below `end`.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    pub first: usize,
    pub step: usize,
    pub end: usize,
}

/// By channel, the sum of `x`, or of `(x - mean)^2`, down the rows of each run, one value after
/// another in f32. The runs and blocks of channels are worked on in parallel.
pub fn run_sums(x: &[f32], channels: usize, runs: &[Run], mean: Option<&[f32]>) -> Vec<Vec<f32>> {
    // Neighbouring runs go together where the rows of one lie between those of the other, so that
    // memory is read in order.
    let is_mixed = runs.iter().any(|run| run.step > 1);
    let together = if is_mixed { 2 } else { 1 };
    let tasks = rayon::current_num_threads().div_ceil(runs.len().div_ceil(together).max(1));
    let width = channels.div_ceil(tasks.max(1)).next_multiple_of(16);
    let mut sums: Vec<Vec<f32>> = runs.iter().map(|_| vec![0.0; channels]).collect();
    let groups = sums.par_chunks_mut(together).zip(runs.par_chunks(together));
    groups.for_each(|(sums, runs)| {
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
                runs,
                first: i * width,
                mean,
                sums,
            });
        });
    });
    sums
}

/// Some runs over some channels.
struct Summing<'a> {
    x: &'a [f32],
    channels: usize,
    runs: &'a [Run],
    /// The first channel.
    first: usize,
    mean: Option<&'a [f32]>,
    /// By run.
    sums: Vec<&'a mut [f32]>,
}

impl WithSimd for Summing<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        /// Values of the rows that are gone through for one block of channels before the next: they
        /// stay in the first-level cache.
        const TILE: usize = 1 << 12;
        let steps = self.runs.first().map_or(0, |run| {
            run.end.saturating_sub(run.first).div_ceil(run.step)
        });
        let tile = (TILE / self.channels.max(1)).max(4);
        let mut sums = self.sums;
        for start in (0..steps).step_by(tile) {
            for (run, sums) in self.runs.iter().zip(&mut sums) {
                let first = run.first + start * run.step;
                let rows = run.end.saturating_sub(first).div_ceil(run.step).min(tile);
                if rows == 0 {
                    continue;
                }
                let tile = Tile {
                    x: &self.x[first * self.channels + self.first..],
                    distance: run.step * self.channels,
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

/// Some rows that follow each other in one run.
struct Tile<'a> {
    /// From the first value of the first row.
    x: &'a [f32],
    /// From one row to the next.
    distance: usize,
    rows: usize,
    mean: Option<&'a [f32]>,
}

impl Tile<'_> {
    /// Adds up `K` vectors of channels from channel `at` on, and says how many channels they are.
    /// The sums stay in registers.
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

    /// The channels that do not fill a vector.
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
