//! Backward pass of batch normalisation, along the channels of `[rows, C]`.

#![allow(
    clippy::inline_always,
    reason = "a kernel must be inlined into the function that is compiled for its vectors"
)]

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use crate::affine_relu::block;
use crate::simd::{for_vectors, load, run, select, store};

/// Backward pass of a batch normalisation and of the ReLU fused with it.
#[derive(Clone, Debug)]
pub struct BatchNormBackward {
    pub mean: Vec<f32>,
    /// `1 / sqrt(variance + epsilon)`.
    pub inverse: Vec<f32>,
    pub gamma: Vec<f32>,
    pub beta: Vec<f32>,
    /// The largest value of the fused ReLU; `None` without one.
    pub relu: Option<f32>,
}

impl BatchNormBackward {
    /// Turns the gradient at the output, `g`, into the gradient at the input if `needs_x`, and returns
    /// the gradients at gamma and beta.
    ///
    /// With `h = (x - mean) i` and `i = 1 / sqrt(variance + epsilon)`:
    /// `dbeta = sum g`, `dgamma = sum g h` and `dx = gamma i g`; if `through_moments` (mean and variance
    /// are those of `x`), `dx = gamma i (g - dbeta / n - h dgamma / n)`.
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

    /// `sum g` and `sum g * h` by channel, with `h = (x - mean) * inverse`, over the values whose
    /// gradient passes the ReLU.
    fn sums(&self, x: &[f32], g: &[f32]) -> (Vec<f64>, Vec<f64>) {
        /// Number of tasks: fixed, so that the sums do not depend on the number of cores.
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

    /// `g := gamma * inverse * (g - beta_share - h * gamma_share)`, with `g = 0` where the ReLU blocks
    /// it.
    fn apply(&self, x: &[f32], g: &mut [f32], beta_share: &[f32], gamma_share: &[f32]) {
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

    /// `g` where the ReLU passes it, else 0. The decision uses the normalised value exactly as
    /// [`super::affine_relu::AffineRelu`] computes it.
    #[inline(always)]
    fn masked<S: Simd>(&self, s: S, centred: S::f32s, [scale, beta, g]: [S::f32s; 3]) -> S::f32s {
        let Some(top) = self.relu else { return g };
        let zero = s.splat_f32s(0.0);
        let y = s.mul_add_e_f32s(centred, scale, beta);
        let g = select(s, s.greater_than_f32s(y, zero), g, zero);
        select(s, s.less_than_f32s(y, s.splat_f32s(top)), g, zero)
    }
}

/// Rows summed in f32 before the sum is added in f64.
const NORM_ROWS: usize = 16;

struct NormSums<'a> {
    norm: &'a BatchNormBackward,
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
    norm: &'a BatchNormBackward,
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
