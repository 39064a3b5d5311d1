//! Which photos train and which validate, by the rule of Keras' `image_dataset_from_directory`.

use crate::dataset::PhotoList;

/// The photos to train with and those to validate with, as indices into the set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    pub training: Vec<usize>,
    pub validation: Vec<usize>,
}

/// Splits photos as their own folders do, or else by the fraction and the seed. Photos of their own
/// training folder are shuffled by the seed too.
pub fn split_photos(list: &PhotoList, fraction: f64, seed: u64) -> Split {
    let Some([training, validation]) = list.own_split() else {
        return split(list.photos.len(), fraction, seed);
    };
    let order = split(training.len(), 0.0, seed).training;
    Split {
        training: order.into_iter().map(|i| training[i]).collect(),
        validation,
    }
}

/// Splits `n` photos: shuffles them as `numpy.random.RandomState(seed).shuffle` does, then takes the
/// last `int(fraction * n)` for validation. NumPy's seeds have 32 bits; only the low bits of a larger
/// one count.
pub fn split(n: usize, fraction: f64, seed: u64) -> Split {
    let mut training: Vec<usize> = (0..n).collect();
    let mut draws = Mt19937::new(seed as u32);
    for i in (1..n).rev() {
        training.swap(i, draws.interval(i as u32) as usize);
    }
    let n_validation = ((fraction * n as f64) as usize).min(n);
    let validation = training.split_off(n - n_validation);
    Split {
        training,
        validation,
    }
}

/// The Mersenne Twister that NumPy's `RandomState` draws from. Source: M. Matsumoto and
/// T. Nishimura, "Mersenne Twister", ACM TOMACS 8(1), 1998, with the seeding of 2002.
struct Mt19937 {
    state: [u32; Self::N],
    next: usize,
}

impl Mt19937 {
    const N: usize = 624;
    const M: usize = 397;

    fn new(seed: u32) -> Self {
        let mut state = [seed; Self::N];
        for i in 1..Self::N {
            let before = state[i - 1];
            state[i] = 1_812_433_253_u32
                .wrapping_mul(before ^ (before >> 30))
                .wrapping_add(i as u32);
        }
        Self {
            state,
            next: Self::N,
        }
    }

    fn twist(&mut self) {
        for i in 0..Self::N {
            let high = self.state[i] & 0x8000_0000;
            let y = high | (self.state[(i + 1) % Self::N] & 0x7fff_ffff);
            let odd = if y & 1 == 1 { 0x9908_b0df } else { 0 };
            self.state[i] = self.state[(i + Self::M) % Self::N] ^ (y >> 1) ^ odd;
        }
        self.next = 0;
    }

    fn draw(&mut self) -> u32 {
        if self.next == Self::N {
            self.twist();
        }
        let mut y = self.state[self.next];
        self.next += 1;
        y ^= y >> 11;
        y ^= (y << 7) & 0x9d2c_5680;
        y ^= (y << 15) & 0xefc6_0000;
        y ^ (y >> 18)
    }

    /// A uniform whole number from 0 to `most`, by rejection under a mask, as in NumPy.
    fn interval(&mut self, most: u32) -> u32 {
        if most == 0 {
            return 0;
        }
        let mask = u32::MAX >> most.leading_zeros();
        loop {
            let value = self.draw() & mask;
            if value <= most {
                return value;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `numpy.random.RandomState(seed).shuffle(list(range(n)))`, from NumPy.
    #[test]
    fn shuffles_as_numpy_does() {
        let order = |n, seed| split(n, 0.0, seed).training;
        assert_eq!(order(10, 7), NUMPY_10_7);
        assert_eq!(order(93, 123)[..12], NUMPY_93_123);
        assert_eq!(order(1000, 4_294_967_295)[..8], NUMPY_1000_MAX);
    }

    #[test]
    fn the_tail_validates() {
        let whole = split(93, 0.0, 7);
        let parts = split(93, 0.2, 7);
        assert_eq!((parts.training.len(), parts.validation.len()), (75, 18));
        assert_eq!([parts.training, parts.validation].concat(), whole.training);
        assert!(split(4, 0.2, 7).validation.is_empty());
        assert!(split(0, 0.5, 7).training.is_empty());
    }
    const NUMPY_10_7: [usize; 10] = [8, 5, 0, 2, 1, 9, 7, 3, 6, 4];
    const NUMPY_93_123: [usize; 12] = [71, 62, 29, 53, 89, 4, 31, 77, 79, 70, 33, 51];
    const NUMPY_1000_MAX: [usize; 8] = [94, 405, 819, 632, 217, 169, 449, 275];
}
