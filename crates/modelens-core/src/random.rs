//! Seeded random draws that are the same on every machine.
//!
//! Every stream of draws has an address: the seed, and what the draws are for (which layer, which image).
//! An additional draw in one place never shifts the draws of another.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

/// The address of a family of streams: one for each image.
#[derive(Clone, Copy, Debug)]
pub struct StreamKey<'a> {
    pub seed: u64,
    /// What the draws are for.
    pub purpose: &'a [u64],
}

impl StreamKey<'_> {
    /// The stream for one image.
    pub fn draws_for(self, image: u64) -> Draws {
        let purpose: Vec<u64> = self.purpose.iter().copied().chain([image]).collect();
        Draws::new(self.seed, &purpose)
    }
}

/// A stream of draws.
#[derive(Clone, Debug)]
pub struct Draws(ChaCha8Rng);

impl Draws {
    /// The stream for `purpose`; equal arguments give equal draws.
    pub fn new(seed: u64, purpose: &[u64]) -> Self {
        let mut key = [0_u8; 32];
        let mut state = seed;
        for (i, word) in key.as_chunks_mut::<8>().0.iter_mut().enumerate() {
            for &part in purpose {
                state = mix(state ^ part.wrapping_add(i as u64 + 1));
            }
            state = mix(state);
            *word = state.to_le_bytes();
        }
        Self(ChaCha8Rng::from_seed(key))
    }

    /// A uniform draw from `[0, 1)` with 53 random bits.
    pub fn unit(&mut self) -> f64 {
        const SCALE: f64 = 1.0 / (1_u64 << 53) as f64;
        (self.0.next_u64() >> 11) as f64 * SCALE
    }

    /// A uniform draw from `[low, high)`; `low` if both are equal.
    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// A uniform integer from `[0, end)`; 0 if `end` is 0.
    pub fn below(&mut self, end: usize) -> usize {
        ((self.unit() * end as f64) as usize).min(end.saturating_sub(1))
    }

    /// The logarithm of a draw from the gamma distribution of this shape and scale 1 (Marsaglia and
    /// Tsang, 2000). The draw itself is 0 in 64 bits for small shapes.
    fn ln_gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            // With 1 - u the logarithm is finite.
            let u = 1.0 - self.unit();
            return self.ln_gamma(shape + 1.0) + u.ln() / shape;
        }
        let d = shape - 1.0 / 3.0;
        loop {
            let x = self.normal();
            let v = (1.0 + x / (9.0 * d).sqrt()).powi(3);
            let u = 1.0 - self.unit();
            if v > 0.0 && u.ln() < 0.5 * x * x + d - d * v + d * v.ln() {
                return (d * v).ln();
            }
        }
    }

    /// A draw from the beta distribution with both parameters `alpha`, above 0.
    pub fn beta(&mut self, alpha: f64) -> f64 {
        let [a, b] = [self.ln_gamma(alpha), self.ln_gamma(alpha)];
        1.0 / (1.0 + (b - a).exp())
    }

    /// `n` shares of 1 from the Dirichlet distribution with all parameters `alpha`, above 0.
    pub fn dirichlet(&mut self, n: usize, alpha: f64) -> Vec<f64> {
        let logs: Vec<f64> = (0..n).map(|_| self.ln_gamma(alpha)).collect();
        let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = logs.iter().map(|log| (log - most).exp()).sum();
        logs.iter().map(|log| (log - most).exp() / sum).collect()
    }

    /// The numbers from 0 to `n - 1` in any order (Fisher and Yates).
    pub fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        for last in (1..n).rev() {
            order.swap(last, self.below(last + 1));
        }
        order
    }

    /// A draw from the standard normal distribution (Box-Muller).
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }
}

/// The finaliser of `SplitMix64`: every bit of `z` affects the whole word.
fn mix(z: u64) -> u64 {
    let z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
