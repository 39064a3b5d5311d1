//! What runs along the channels of `[rows, C]`: scale and shift, ReLU, sums down the rows, and the
//! gradient of batch normalisation.

#![allow(
    clippy::inline_always,
    reason = "a kernel must be inlined into the function that is compiled for its vectors"
)]

use std::cell::RefCell;

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::simd::{for_vectors, load, run, select, store};

/// Values that one task takes: two such blocks stay in the second-level cache.
const BLOCK: usize = 1 << 14;

/// `y = (x - centre) * scale + shift` by channel.
///
/// Taking the centre off first keeps the digits that `x * scale + (shift - centre * scale)` loses
/// where the centre is large beside the deviation.
#[derive(Clone, Debug)]
pub struct Affine {
    pub centre: Vec<f32>,
    pub scale: Vec<f32>,
    pub shift: Vec<f32>,
}

/// What is done to a layer's values while they are still in the cache: [`Affine`], then
/// `min(max(y, 0), top)`.
#[derive(Clone, Debug, Default)]
pub struct Finish {
    pub affine: Option<Affine>,
    /// ReLU, with its largest value or infinity.
    pub relu: Option<f32>,
}

impl Finish {
    pub fn is_nothing(&self) -> bool {
        self.affine.is_none() && self.relu.is_none()
    }

    /// On the calling thread, in place.
    pub fn apply(&self, y: &mut [f32], channels: usize) {
        if !self.is_nothing() && channels > 0 {
            run(Finishing {
                finish: self,
                channels,
                x: None,
                y,
            });
        }
    }

    /// Calls `then` with this done to a copy of `x`, on the calling thread; without a copy where there
    /// is nothing to do.
    pub fn first<T>(&self, x: &[f32], channels: usize, then: impl FnOnce(&[f32]) -> T) -> T {
        thread_local! {
            static COPY: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
        }
        if self.is_nothing() || channels == 0 {
            return then(x);
        }
        COPY.with_borrow_mut(|copy| {
            if copy.len() < x.len() {
                copy.resize(x.len(), 0.0);
            }
            let copy = &mut copy[..x.len()];
            run(Finishing {
                finish: self,
                channels,
                x: Some(x),
                y: copy,
            });
            then(copy)
        })
    }

    /// With what is looked up once for many vectors.
    #[inline(always)]
    pub(super) fn ready<S: Simd>(&self, s: S) -> Ready<'_, S> {
        let affine = self.affine.as_ref();
        Ready {
            affine: affine.map(|a| [&a.centre[..], &a.scale, &a.shift]),
            relu: self.relu.map(|top| [s.splat_f32s(0.0), s.splat_f32s(top)]),
        }
    }

    /// In parallel, in place.
    pub fn apply_all(&self, y: &mut [f32], channels: usize) {
        if !self.is_nothing() && channels > 0 {
            y.par_chunks_mut(block(channels))
                .for_each(|y| self.apply(y, channels));
        }
    }

    /// In parallel, from `x` into `y`.
    pub fn apply_into(&self, x: &[f32], y: &mut [f32], channels: usize) {
        let size = block(channels);
        let chunks = y.par_chunks_mut(size).zip(x.par_chunks(size));
        chunks.for_each(|(y, x)| {
            run(Finishing {
                finish: self,
                channels,
                x: Some(x),
                y,
            });
        });
    }
}

/// [`Finish`] inside of a kernel.
pub(super) struct Ready<'a, S: Simd> {
    affine: Option<[&'a [f32]; 3]>,
    relu: Option<[S::f32s; 2]>,
}

impl<S: Simd> Ready<'_, S> {
    /// Of one vector of channels from `at` on.
    #[inline(always)]
    pub fn vector<const FULL: bool>(&self, s: S, v: S::f32s, at: usize, count: usize) -> S::f32s {
        let v = match self.affine {
            Some([centre, scale, shift]) => s.mul_add_e_f32s(
                s.sub_f32s(v, load::<S, FULL>(s, centre, at, count)),
                load::<S, FULL>(s, scale, at, count),
                load::<S, FULL>(s, shift, at, count),
            ),
            None => v,
        };
        match self.relu {
            Some([zero, top]) => clamp(s, v, zero, top),
            None => v,
        }
    }
}

/// A block's worth of whole rows.
fn block(channels: usize) -> usize {
    BLOCK.div_ceil(channels.max(1)).max(1) * channels.max(1)
}

struct Finishing<'a> {
    finish: &'a Finish,
    channels: usize,
    /// Where it is not done in place.
    x: Option<&'a [f32]>,
    y: &'a mut [f32],
}

impl WithSimd for Finishing<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let finish = self.finish.ready(s);
        let rows = self.y.chunks_mut(self.channels).enumerate();
        for (i, y) in rows {
            let x = match self.x {
                Some(x) => Some(&x[i * self.channels..][..self.channels]),
                None => None,
            };
            macro_rules! each {
                ($full:literal, $at:expr, $count:expr) => {{
                    let v = match x {
                        Some(x) => load::<S, $full>(s, x, $at, $count),
                        None => load::<S, $full>(s, y, $at, $count),
                    };
                    let v = finish.vector::<$full>(s, v, $at, $count);
                    store::<S, $full>(s, y, $at, $count, v);
                }};
            }
            for_vectors!(S, self.channels, each);
        }
    }
}

/// `min(max(v, zero), top)`. What is not a number passes through: comparisons with it are false.
#[inline(always)]
fn clamp<S: Simd>(s: S, v: S::f32s, zero: S::f32s, top: S::f32s) -> S::f32s {
    let v = select(s, s.less_than_f32s(v, zero), zero, v);
    select(s, s.greater_than_f32s(v, top), top, v)
}

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

/// The gradient of a batch normalisation, and of the ReLU behind it.
#[derive(Clone, Debug)]
pub struct NormGradient {
    pub mean: Vec<f32>,
    /// `1 / sqrt(variance + epsilon)`.
    pub inverse: Vec<f32>,
    pub gamma: Vec<f32>,
    pub beta: Vec<f32>,
    /// The largest value of the ReLU behind it.
    pub relu: Option<f32>,
}

impl NormGradient {
    /// With `h = (x - mean) * inverse`: `sum g` and `sum g * h` by channel, where the ReLU lets the
    /// gradient through.
    pub fn sums(&self, x: &[f32], g: &[f32]) -> (Vec<f64>, Vec<f64>) {
        /// Tasks: a fixed number, so that sums come out the same however many cores there are.
        const PIECES: usize = 16;
        let channels = self.mean.len();
        let rows = x.len() / channels.max(1);
        let size = rows.div_ceil(PIECES).max(1) * channels.max(1);
        let pieces = x.par_chunks(size).zip(g.par_chunks(size)).map(|(x, g)| {
            let mut sums = (vec![0.0_f64; channels], vec![0.0_f64; channels]);
            run(NormSums {
                norm: self,
                scale: &self.scale(),
                x,
                g,
                sums: (&mut sums.0, &mut sums.1),
            });
            sums
        });
        let pieces: Vec<_> = pieces.collect();
        let mut total = (vec![0.0_f64; channels], vec![0.0_f64; channels]);
        for (beta, gamma) in pieces {
            total.0.iter_mut().zip(beta).for_each(|(t, b)| *t += b);
            total.1.iter_mut().zip(gamma).for_each(|(t, g)| *t += g);
        }
        total
    }

    fn scale(&self) -> Vec<f32> {
        let pairs = self.gamma.iter().zip(&self.inverse);
        pairs.map(|(g, i)| g * i).collect()
    }

    /// `g := gamma * inverse * (g - beta_share - h * gamma_share)`, where `g` is 0 if the ReLU
    /// stopped it.
    pub fn apply(&self, x: &[f32], g: &mut [f32], beta_share: &[f32], gamma_share: &[f32]) {
        let size = block(self.mean.len());
        let scale = self.scale();
        g.par_chunks_mut(size)
            .zip(x.par_chunks(size))
            .for_each(|(g, x)| {
                run(NormApply {
                    norm: self,
                    scale: &scale,
                    x,
                    g,
                    shares: (beta_share, gamma_share),
                });
            });
    }

    /// `g` where the ReLU lets it through, else 0. Where it does is asked of the normalised value
    /// as [`Finish`] computes it.
    #[inline(always)]
    fn masked<S: Simd>(&self, s: S, centred: S::f32s, [scale, beta, g]: [S::f32s; 3]) -> S::f32s {
        let Some(top) = self.relu else { return g };
        let zero = s.splat_f32s(0.0);
        let y = s.mul_add_e_f32s(centred, scale, beta);
        let g = select(s, s.greater_than_f32s(y, zero), g, zero);
        select(s, s.less_than_f32s(y, s.splat_f32s(top)), g, zero)
    }
}

/// Rows whose sums are kept in f32 before they are added up in f64.
const NORM_ROWS: usize = 16;

struct NormSums<'a> {
    norm: &'a NormGradient,
    scale: &'a [f32],
    x: &'a [f32],
    g: &'a [f32],
    sums: (&'a mut [f64], &'a mut [f64]),
}

impl WithSimd for NormSums<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let norm = self.norm;
        let channels = norm.mean.len();
        // Sums of few rows in f32, of those in f64.
        let mut part = (vec![0.0_f32; channels], vec![0.0_f32; channels]);
        let blocks = self.x.chunks(NORM_ROWS * channels);
        for (x, g) in blocks.zip(self.g.chunks(NORM_ROWS * channels)) {
            part.0.fill(0.0);
            part.1.fill(0.0);
            for (x, g) in x.chunks(channels).zip(g.chunks(channels)) {
                macro_rules! each {
                    ($full:literal, $at:expr, $count:expr) => {{
                        let mean = load::<S, $full>(s, &norm.mean, $at, $count);
                        let inverse = load::<S, $full>(s, &norm.inverse, $at, $count);
                        let scale = load::<S, $full>(s, self.scale, $at, $count);
                        let beta = load::<S, $full>(s, &norm.beta, $at, $count);
                        let centred = s.sub_f32s(load::<S, $full>(s, x, $at, $count), mean);
                        let g = load::<S, $full>(s, g, $at, $count);
                        let g = norm.masked(s, centred, [scale, beta, g]);
                        let sum = load::<S, $full>(s, &part.0, $at, $count);
                        let sum = s.add_f32s(sum, g);
                        store::<S, $full>(s, &mut part.0, $at, $count, sum);
                        let sum = load::<S, $full>(s, &part.1, $at, $count);
                        let sum = s.mul_add_e_f32s(g, s.mul_f32s(centred, inverse), sum);
                        store::<S, $full>(s, &mut part.1, $at, $count, sum);
                    }};
                }
                for_vectors!(S, channels, each);
            }
            let beta = self.sums.0.iter_mut().zip(&part.0);
            beta.for_each(|(sum, &part)| *sum += f64::from(part));
            let gamma = self.sums.1.iter_mut().zip(&part.1);
            gamma.for_each(|(sum, &part)| *sum += f64::from(part));
        }
    }
}

struct NormApply<'a> {
    norm: &'a NormGradient,
    scale: &'a [f32],
    x: &'a [f32],
    g: &'a mut [f32],
    shares: (&'a [f32], &'a [f32]),
}

impl WithSimd for NormApply<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let norm = self.norm;
        let channels = norm.mean.len();
        for (x, g) in self.x.chunks(channels).zip(self.g.chunks_mut(channels)) {
            macro_rules! each {
                ($full:literal, $at:expr, $count:expr) => {{
                    let mean = load::<S, $full>(s, &norm.mean, $at, $count);
                    let inverse = load::<S, $full>(s, &norm.inverse, $at, $count);
                    let scale = load::<S, $full>(s, self.scale, $at, $count);
                    let beta = load::<S, $full>(s, &norm.beta, $at, $count);
                    let beta_share = load::<S, $full>(s, self.shares.0, $at, $count);
                    let gamma_share = load::<S, $full>(s, self.shares.1, $at, $count);
                    let centred = s.sub_f32s(load::<S, $full>(s, x, $at, $count), mean);
                    let v = load::<S, $full>(s, g, $at, $count);
                    let v = norm.masked(s, centred, [scale, beta, v]);
                    let h = s.mul_f32s(centred, inverse);
                    let v = s.sub_f32s(s.sub_f32s(v, beta_share), s.mul_f32s(h, gamma_share));
                    store::<S, $full>(s, g, $at, $count, s.mul_f32s(scale, v));
                }};
            }
            for_vectors!(S, channels, each);
        }
    }
}

/// `g := g` where ReLU's output `y` is inside of its corners, else 0, in parallel.
pub fn relu_gradient(y: &[f32], g: &mut [f32], top: f32) {
    struct Masking<'a> {
        y: &'a [f32],
        g: &'a mut [f32],
        top: f32,
    }
    impl WithSimd for Masking<'_> {
        type Output = ();

        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) {
            for (g, &y) in self.g.iter_mut().zip(self.y) {
                *g = if y > 0.0 && y < self.top { *g } else { 0.0 };
            }
        }
    }
    let chunks = g.par_chunks_mut(BLOCK).zip(y.par_chunks(BLOCK));
    chunks.for_each(|(g, y)| run(Masking { y, g, top }));
}

/// `a += b`, in parallel.
pub fn add_to(a: &mut [f32], b: &[f32]) {
    struct Adding<'a>(&'a mut [f32], &'a [f32]);
    impl WithSimd for Adding<'_> {
        type Output = ();

        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) {
            self.0.iter_mut().zip(self.1).for_each(|(a, b)| *a += b);
        }
    }
    let chunks = a.par_chunks_mut(BLOCK).zip(b.par_chunks(BLOCK));
    chunks.for_each(|(a, b)| run(Adding(a, b)));
}
