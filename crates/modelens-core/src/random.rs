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
