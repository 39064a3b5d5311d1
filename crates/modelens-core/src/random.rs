//! Seeded random draws that are the same on every machine.
//!
//! Every stream of draws has an address: the seed, and what the draws are for (which layer, which image).
//! An additional draw in one place never shifts the draws of another.

use std::sync::LazyLock;

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

/// Layers of equal area under the normal density, from the widest to the highest.
/// Source: Marsaglia and Tsang, The Ziggurat Method for Generating Random Variables (2000).
struct Ziggurat {
    /// Below this share of a layer's width, a point lies under the curve without a look at its height.
    inside: [f64; Self::LAYERS],
    widths: [f64; Self::LAYERS],
    /// The density at the right end of each layer.
    heights: [f64; Self::LAYERS],
}

impl Ziggurat {
    const LAYERS: usize = 128;
    /// Where the tail begins.
    const TAIL: f64 = 3.442_619_855_899;
    /// The area of each layer; the lowest has the tail as well.
    const AREA: f64 = 9.912_563_035_262_17e-3;

    fn new() -> Self {
        let density = |x: f64| (-0.5 * x * x).exp();
        let mut own = Self {
            inside: [0.0; Self::LAYERS],
            widths: [0.0; Self::LAYERS],
            heights: [0.0; Self::LAYERS],
        };
        let mut width = Self::TAIL;
        own.widths[0] = Self::AREA / density(width);
        own.inside[0] = width / own.widths[0];
        own.heights[0] = 1.0;
        for layer in (1..Self::LAYERS).rev() {
            own.widths[layer] = width;
            own.heights[layer] = density(width);
            let next = (-2.0 * (Self::AREA / width + density(width)).ln())
                .max(0.0)
                .sqrt();
            // The highest layer has no part that lies wholly under the curve.
            own.inside[layer] = if layer == 1 { 0.0 } else { next / width };
            width = next;
        }
        own
    }

    fn get() -> &'static Self {
        static TABLE: LazyLock<Ziggurat> = LazyLock::new(Ziggurat::new);
        &TABLE
    }
}

impl Draws {
    /// Many draws from the standard normal distribution; faster than [`Self::normal`], and others.
    pub fn normals(&mut self) -> impl FnMut() -> f32 {
        let table = Ziggurat::get();
        move || {
            loop {
                let bits = self.0.next_u32();
                let layer = bits as usize % Ziggurat::LAYERS;
                // From -1 to 1, with bits that do not choose the layer.
                let share = f64::from(bits >> 7) / f64::from(1 << 24) - 1.0;
                let x = share * table.widths[layer];
                if share.abs() < table.inside[layer] {
                    return x as f32;
                }
                if layer == 0 {
                    return self.tail().copysign(share) as f32;
                }
                let [low, high] = [table.heights[layer], table.heights[layer - 1]];
                if low + self.unit() * (high - low) < (-0.5 * x * x).exp() {
                    return x as f32;
                }
            }
        }
    }

    /// A draw from the part of the normal distribution beyond [`Ziggurat::TAIL`].
    fn tail(&mut self) -> f64 {
        loop {
            let x = -(1.0 - self.unit()).ln() / Ziggurat::TAIL;
            let y = -(1.0 - self.unit()).ln();
            if 2.0 * y > x * x {
                return Ziggurat::TAIL + x;
            }
        }
    }
}

/// The finaliser of `SplitMix64`: every bit of `z` affects the whole word.
fn mix(z: u64) -> u64 {
    let z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_normal_draws_are_normal() {
        let mut draws = Draws::new(3, &[]);
        let mut normal = draws.normals();
        let n = 200_000;
        let all: Vec<f64> = (0..n).map(|_| f64::from(normal())).collect();
        let mean = |power: i32| all.iter().map(|x| x.powi(power)).sum::<f64>() / f64::from(n);
        for (power, expected, allowed) in [
            (1, 0.0, 0.01),
            (2, 1.0, 0.02),
            (3, 0.0, 0.05),
            (4, 3.0, 0.1),
        ] {
            assert!(
                (mean(power) - expected).abs() < allowed,
                "{power}: {}",
                mean(power)
            );
        }
        // Shares below some places, those of the tail among them.
        for (at, expected) in [
            (-2.0, 0.02275),
            (-0.5, 0.30854),
            (0.1, 0.53983),
            (3.5, 0.99977),
        ] {
            let below = all.iter().filter(|&&x| x < at).count() as f64 / f64::from(n);
            assert!((below - expected).abs() < 0.004, "{at}: {below}");
        }
        let far = all.iter().filter(|x| x.abs() > Ziggurat::TAIL).count();
        assert!((70..170).contains(&far), "{far}");
    }
}
