//! The sums of one tile of a matrix product, by the layout of its factors.
//!
//! Each is a function of its own, so that the compiler can use all registers for it; a browser's compiler has
//! none to spare in a larger one.

#![allow(
    clippy::needless_range_loop,
    reason = "an iterator would not be compiled for the vectors"
)]
#![allow(
    clippy::inline_always,
    reason = "a kernel must be inlined into the function that is compiled for its vectors"
)]

use pulp::{NullaryFnOnce, Simd};

use super::{Patch, ROWS};

/// The sums of `R` rows and `V` vectors of columns.
pub(super) struct Rows<'a, S: Simd, const V: usize, const R: usize> {
    pub s: S,
    pub a: [&'a [f32]; R],
    pub b: &'a [[S::f32s; V]],
}

impl<S: Simd, const V: usize, const R: usize> NullaryFnOnce for Rows<'_, S, V, R> {
    type Output = [[S::f32s; V]; R];

    #[inline(always)]
    fn call(self) -> Self::Output {
        let Self { s, a, b } = self;
        let mut sums = [[s.splat_f32s(0.0); V]; R];
        let a = a.map(|a| &a[..b.len()]);
        for (i, b) in b.iter().enumerate() {
            add_column(s, &a, i, b, &mut sums);
        }
        sums
    }
}

/// The same for patches. The rows of the right factor may be wider than the tile.
pub(super) struct Pieces<'a, S: Simd, const V: usize, const R: usize> {
    pub s: S,
    pub a: [Patch<'a>; R],
    /// Where the chain starts along `k`.
    pub first: usize,
    /// Values in a piece.
    pub piece: usize,
    /// The rows of the chain, and how wide they are.
    pub b: &'a [f32],
    pub width: usize,
    /// The first column of the tile.
    pub column: usize,
}

impl<S: Simd, const V: usize, const R: usize> NullaryFnOnce for Pieces<'_, S, V, R> {
    type Output = [[S::f32s; V]; R];

    #[inline(always)]
    fn call(self) -> Self::Output {
        self.sums()
    }
}

impl<S: Simd, const V: usize, const R: usize> Pieces<'_, S, V, R> {
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    #[cfg_attr(
        all(target_arch = "wasm32", feature = "relaxed-simd"),
        target_feature(enable = "relaxed-simd")
    )]
    #[cfg_attr(not(target_arch = "wasm32"), inline(always))]
    fn sums(self) -> [[S::f32s; V]; R] {
        let Self {
            s,
            piece,
            mut b,
            width,
            column,
            ..
        } = self;
        let mut sums = [[s.splat_f32s(0.0); V]; R];
        let (mut index, mut at) = (self.first / piece, self.first % piece);
        while !b.is_empty() {
            let length = (piece - at).min(b.len() / width);
            let (now, rest) = b.split_at(length * width);
            let mut a: [&[f32]; R] = [&[]; R];
            for r in 0..R {
                a[r] = &self.a[r].values[index * self.a[r].step + at..][..length];
            }
            for (i, b) in now.chunks_exact(width).enumerate() {
                let b = &b[column..column + V * S::F32_LANES];
                let Some(b) = S::as_simd_f32s(b).0.first_chunk::<V>() else {
                    break;
                };
                add_column(s, &a, i, b, &mut sums);
            }
            (b, index, at) = (rest, index + 1, 0);
        }
        sums
    }
}

/// `sums[r][v] += a[r][i] * b[v]`.
#[inline(always)]
fn add_column<S: Simd, const V: usize, const R: usize>(
    s: S,
    a: &[&[f32]; R],
    i: usize,
    b: &[S::f32s; V],
    sums: &mut [[S::f32s; V]; R],
) {
    // Loaded once, before the sums are changed.
    let b = *b;
    for r in 0..R {
        let a = s.splat_f32s(a[r][i]);
        for v in 0..V {
            sums[r][v] = s.mul_add_e_f32s(a, b[v], sums[r][v]);
        }
    }
}

/// `sums[r][v] += a[r] * b[v]`.
#[inline(always)]
fn add_outer<S: Simd, const V: usize, const R: usize>(
    s: S,
    a: &[f32; R],
    b: &[S::f32s; V],
    sums: &mut [[S::f32s; V]; R],
) {
    for r in 0..R {
        let a = s.splat_f32s(a[r]);
        for v in 0..V {
            sums[r][v] = s.mul_add_e_f32s(a, b[v], sums[r][v]);
        }
    }
}

/// The same for a packed tile of the left factor.
pub(super) struct Packed<'a, S: Simd, const V: usize> {
    pub s: S,
    pub a: &'a [[f32; ROWS]],
    pub b: &'a [[S::f32s; V]],
}

impl<S: Simd, const V: usize> NullaryFnOnce for Packed<'_, S, V> {
    type Output = [[S::f32s; V]; ROWS];

    #[inline(always)]
    fn call(self) -> Self::Output {
        let Self { s, a, b } = self;
        let mut sums = [[s.splat_f32s(0.0); V]; ROWS];
        for (a, b) in a.iter().zip(b) {
            add_outer(s, a, b, &mut sums);
        }
        sums
    }
}

/// The columns `first..first + length` of all whole tiles of `a`, `[m, k]`: by tile, then by column.
pub(super) fn packed<'a>(
    a: &[f32],
    k: usize,
    first: usize,
    length: usize,
    tiles: &'a mut Vec<f32>,
) -> &'a [[f32; ROWS]] {
    let count = a.len() / (k * ROWS) * length;
    if tiles.len() < count * ROWS {
        tiles.resize(count * ROWS, 0.0);
    }
    let (tiles, _) = tiles[..count * ROWS].as_chunks_mut::<ROWS>();
    for (a, tile) in a.chunks_exact(k * ROWS).zip(tiles.chunks_exact_mut(length)) {
        for (r, row) in a.chunks_exact(k).enumerate() {
            for (column, &value) in tile.iter_mut().zip(&row[first..first + length]) {
                column[r] = value;
            }
        }
    }
    tiles
}

/// The same for a left factor in column-major order.
pub(super) struct Columns<'a, S: Simd, const V: usize, const R: usize> {
    pub s: S,
    pub a: &'a [f32],
    /// Length of a column.
    pub length: usize,
    pub row: usize,
    pub b: &'a [[S::f32s; V]],
}

impl<S: Simd, const V: usize, const R: usize> NullaryFnOnce for Columns<'_, S, V, R> {
    type Output = [[S::f32s; V]; R];

    #[inline(always)]
    fn call(self) -> Self::Output {
        self.sums()
    }
}

impl<S: Simd, const V: usize, const R: usize> Columns<'_, S, V, R> {
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    #[cfg_attr(
        all(target_arch = "wasm32", feature = "relaxed-simd"),
        target_feature(enable = "relaxed-simd")
    )]
    #[cfg_attr(not(target_arch = "wasm32"), inline(always))]
    fn sums(self) -> [[S::f32s; V]; R] {
        let Self {
            s,
            a,
            length,
            row,
            b,
        } = self;
        let mut sums = [[s.splat_f32s(0.0); V]; R];
        for (a, b) in a.chunks_exact(length).zip(b) {
            let Some(a) = a[row..].first_chunk::<R>() else {
                break;
            };
            add_outer(s, a, b, &mut sums);
        }
        sums
    }
}
