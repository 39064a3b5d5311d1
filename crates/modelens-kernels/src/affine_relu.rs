//! Scale, shift and ReLU along the channels of `[rows, C]`.

#![allow(
    clippy::inline_always,
    reason = "a kernel must be inlined into the function that is compiled for its vectors"
)]

use std::cell::RefCell;

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use crate::simd::{at_least, at_most, for_vectors, load, run, store};

/// Values in one task: two such blocks fit into the L2 cache.
const BLOCK: usize = 1 << 14;

/// `y = (x - centre) * scale + shift` by channel.
///
/// Subtracting the centre first keeps the digits that `x * scale + (shift - centre * scale)` loses
/// when the centre is large compared to the standard deviation.
#[derive(Clone, Debug)]
pub struct Affine {
    pub centre: Vec<f32>,
    pub scale: Vec<f32>,
    pub shift: Vec<f32>,
}

/// [`Affine`], then ReLU: `min(max(y, 0), top)`. Kernels apply it to values that are still in the
/// cache, as the prologue or the epilogue of a convolution.
#[derive(Clone, Debug, Default)]
pub struct AffineRelu {
    pub affine: Option<Affine>,
    /// The largest value of the ReLU, or infinity; `None` without a ReLU.
    pub relu: Option<f32>,
}

impl AffineRelu {
    pub fn is_identity(&self) -> bool {
        self.affine.is_none() && self.relu.is_none()
    }

    /// Applies it in place, on the calling thread.
    pub fn apply(&self, y: &mut [f32], channels: usize) {
        if !self.is_identity() && channels > 0 {
            run(ApplyAffineRelu {
                op: self,
                channels,
                x: None,
                y,
            });
        }
    }

    /// Applies it to a copy of `x` and calls `then` with the copy, on the calling thread. Does not copy
    /// if there is nothing to apply.
    pub fn apply_to_copy<T>(
        &self,
        x: &[f32],
        channels: usize,
        then: impl FnOnce(&[f32]) -> T,
    ) -> T {
        thread_local! {
            static COPY: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
        }
        if self.is_identity() || channels == 0 {
            return then(x);
        }
        COPY.with_borrow_mut(|copy| {
            if copy.len() < x.len() {
                copy.resize(x.len(), 0.0);
            }
            let copy = &mut copy[..x.len()];
            run(ApplyAffineRelu {
                op: self,
                channels,
                x: Some(x),
                y: copy,
            });
            then(copy)
        })
    }

    /// Loads what is the same for all vectors.
    #[inline(always)]
    pub(crate) fn load_vectors<S: Simd>(&self, s: S) -> Loaded<'_, S> {
        let affine = self.affine.as_ref();
        Loaded {
            affine: affine.map(|a| [&a.centre[..], &a.scale, &a.shift]),
            relu: self.relu.map(|top| [s.splat_f32s(0.0), s.splat_f32s(top)]),
        }
    }

    /// Applies it in place, in parallel.
    pub fn apply_all(&self, y: &mut [f32], channels: usize) {
        if !self.is_identity() && channels > 0 {
            y.par_chunks_mut(block(channels))
                .for_each(|y| self.apply(y, channels));
        }
    }

    /// Applies it to `x` and writes the result to `y`, in parallel.
    pub fn apply_into(&self, x: &[f32], y: &mut [f32], channels: usize) {
        let size = block(channels);
        let chunks = y.par_chunks_mut(size).zip(x.par_chunks(size));
        chunks.for_each(|(y, x)| {
            run(ApplyAffineRelu {
                op: self,
                channels,
                x: Some(x),
                y,
            });
        });
    }
}

/// [`AffineRelu`] inside a kernel, with its constants in vectors.
pub(crate) struct Loaded<'a, S: Simd> {
    affine: Option<[&'a [f32]; 3]>,
    relu: Option<[S::f32s; 2]>,
}

impl<S: Simd> Loaded<'_, S> {
    /// Applies it to one vector of channels, starting at channel `at`.
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

/// [`Loaded`] with the constants of `V` vectors of channels, for all rows of a tile.
pub(crate) struct Channels<S: Simd, const V: usize> {
    affine: Option<[[S::f32s; V]; 3]>,
    relu: Option<[S::f32s; 2]>,
}

impl<S: Simd> Loaded<'_, S> {
    /// Loads the constants of `width` channels from channel `at` on.
    #[inline(always)]
    pub fn channels<const V: usize>(&self, s: S, at: usize, width: usize) -> Channels<S, V> {
        #[allow(
            clippy::manual_map,
            reason = "a closure would not be compiled for the vectors"
        )]
        let affine = match self.affine {
            Some([centre, scale, shift]) => Some([
                vectors::<S, V>(s, &centre[at..at + width]),
                vectors::<S, V>(s, &scale[at..at + width]),
                vectors::<S, V>(s, &shift[at..at + width]),
            ]),
            None => None,
        };
        Channels {
            affine,
            relu: self.relu,
        }
    }
}

/// [`Loaded`] where there is both an affine map and a ReLU: nothing to decide is left for the loop that applies it.
pub(crate) struct LoadedBoth<'a, S: Simd> {
    affine: [&'a [f32]; 3],
    relu: [S::f32s; 2],
}

/// [`LoadedBoth`] with the constants of one vector of channels.
pub(crate) struct AffineReluVector<S: Simd> {
    affine: [S::f32s; 3],
    relu: [S::f32s; 2],
}

impl<'a, S: Simd> Loaded<'a, S> {
    /// `None` if the affine map or the ReLU is missing.
    #[inline(always)]
    pub fn both(&self) -> Option<LoadedBoth<'a, S>> {
        match (self.affine, self.relu) {
            (Some(affine), Some(relu)) => Some(LoadedBoth { affine, relu }),
            (None, _) | (_, None) => None,
        }
    }
}

impl<S: Simd> LoadedBoth<'_, S> {
    /// Loads the constants of the vector of channels from channel `at` on.
    #[inline(always)]
    pub fn vector(&self, s: S, at: usize) -> AffineReluVector<S> {
        let [centre, scale, shift] = self.affine;
        AffineReluVector {
            affine: [
                load::<S, true>(s, centre, at, S::F32_LANES),
                load::<S, true>(s, scale, at, S::F32_LANES),
                load::<S, true>(s, shift, at, S::F32_LANES),
            ],
            relu: self.relu,
        }
    }
}

impl<S: Simd> AffineReluVector<S> {
    #[inline(always)]
    pub fn apply(&self, s: S, x: S::f32s) -> S::f32s {
        let ([centre, scale, shift], [zero, top]) = (self.affine, self.relu);
        let x = s.mul_add_e_f32s(s.sub_f32s(x, centre), scale, shift);
        clamp(s, x, zero, top)
    }
}

/// Up to `V` vectors of values, the rest zeros.
#[inline(always)]
fn vectors<S: Simd, const V: usize>(s: S, x: &[f32]) -> [S::f32s; V] {
    let mut vectors = [s.splat_f32s(0.0); V];
    for (vector, x) in vectors.iter_mut().zip(x.chunks(S::F32_LANES)) {
        *vector = s.partial_load_f32s(x);
    }
    vectors
}

impl<S: Simd, const V: usize> Channels<S, V> {
    /// Applies it to the vector with this index.
    #[inline(always)]
    pub fn vector(&self, s: S, x: S::f32s, index: usize) -> S::f32s {
        let x = match &self.affine {
            Some([centre, scale, shift]) => {
                let x = s.sub_f32s(x, centre[index]);
                s.mul_add_e_f32s(x, scale[index], shift[index])
            }
            None => x,
        };
        match self.relu {
            Some([zero, top]) => clamp(s, x, zero, top),
            None => x,
        }
    }
}

/// [`BLOCK`] values, rounded up to whole rows.
pub(crate) fn block(channels: usize) -> usize {
    BLOCK.div_ceil(channels.max(1)).max(1) * channels.max(1)
}

struct ApplyAffineRelu<'a> {
    op: &'a AffineRelu,
    channels: usize,
    /// The input; `None` in place.
    x: Option<&'a [f32]>,
    y: &'a mut [f32],
}

impl WithSimd for ApplyAffineRelu<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let op = self.op.load_vectors(s);
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
                    let v = op.vector::<$full>(s, v, $at, $count);
                    store::<S, $full>(s, y, $at, $count, v);
                }};
            }
            for_vectors!(S, self.channels, each);
        }
    }
}

/// `min(max(v, zero), top)`. NaN passes through.
#[inline(always)]
fn clamp<S: Simd>(s: S, v: S::f32s, zero: S::f32s, top: S::f32s) -> S::f32s {
    at_most(s, at_least(s, v, zero), top)
}

/// Backward pass of ReLU: keeps `g` where its output `y` lies strictly between 0 and `top`, else
/// sets it to 0. In parallel.
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

/// `a += b`, on the calling thread.
pub(crate) fn add_in_place(a: &mut [f32], b: &[f32]) {
    struct Adding<'a>(&'a mut [f32], &'a [f32]);
    impl WithSimd for Adding<'_> {
        type Output = ();

        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) {
            self.0.iter_mut().zip(self.1).for_each(|(a, b)| *a += b);
        }
    }
    run(Adding(a, b));
}

/// `a += b`, in parallel.
pub fn add_to(a: &mut [f32], b: &[f32]) {
    let chunks = a.par_chunks_mut(BLOCK).zip(b.par_chunks(BLOCK));
    chunks.for_each(|(a, b)| add_in_place(a, b));
}
