//! Matrix product for convolutions and dense layers.
//!
//! Each value of the product is a chain of fused multiply-adds down `k`, in pieces of a fixed
//! length. The result does not depend on the vector width, the cache sizes or the number of threads:
//! a network gives the same bits on every processor that fuses (AVX2, AVX-512, NEON). A library that
//! chooses its block sizes by the caches it finds can't promise that.

#![allow(
    clippy::needless_range_loop,
    reason = "an iterator would not be compiled for the vectors"
)]
#![allow(
    clippy::inline_always,
    reason = "a kernel must be inlined into the function that is compiled for its vectors"
)]

mod sums;
#[cfg(test)]
mod tests;

use std::cell::RefCell;

use pulp::{Simd, WithSimd};

use crate::affine_relu::{AffineRelu, Channels, Loaded};
use crate::scratch::aligned;
use crate::simd::{IS_RELAXED, load, run, store};
use sums::{Columns, Packed, Pieces, Rows, packed};

/// One factor of a matrix product.
#[derive(Clone, Copy, Debug)]
pub struct Factor<'a> {
    values: &'a [f32],
    /// True if the rows of `values` are the columns of the factor.
    transposed: bool,
}

/// A matrix in row-major order.
pub fn plain(values: &[f32]) -> Factor<'_> {
    Factor {
        values,
        transposed: false,
    }
}

/// A matrix in column-major order.
pub fn transposed(values: &[f32]) -> Factor<'_> {
    Factor {
        values,
        transposed: true,
    }
}

/// A row of the left factor that lies in pieces: the pixels of an image under one position of a kernel.
#[derive(Clone, Copy, Debug, Default)]
pub struct Patch<'a> {
    /// The values from the first piece on.
    pub values: &'a [f32],
    /// Values from the start of one piece to that of the next.
    pub step: usize,
}

/// The left factor of a matrix product.
#[derive(Clone, Copy, Debug)]
enum Left<'a> {
    Plain(&'a [f32]),
    /// Its columns are contiguous.
    Transposed(&'a [f32]),
    /// A patch for each row, in pieces of this length.
    Patches(&'a [Patch<'a>], usize),
}

/// Multiply-adds in one chain; the chains are then added up.
const CHAIN: usize = 256;
/// Rows in one tile: their addresses fit into the general-purpose registers, and their sums into the vector
/// registers. WebAssembly does not say how many there are; browsers have 16.
pub const ROWS: usize = if cfg!(target_arch = "wasm32") { 4 } else { 6 };
/// The most vectors of columns in one tile.
const fn most_vectors(registers: usize) -> usize {
    if registers >= 32 && !cfg!(target_arch = "wasm32") {
        4
    } else {
        2
    }
}

/// True if the rows of the left factor are packed for a product with this many columns. Elsewhere an address costs
/// nothing, in WebAssembly an instruction for each row. Next to fused multiply-adds it always costs more than packing.
const fn packs_left(columns: usize) -> bool {
    cfg!(target_arch = "wasm32") && (IS_RELAXED || columns >= 40)
}

/// True if the right factor is read where it lies, because packing it for this many rows would take longer than it
/// saves.
const fn reads_right(rows: usize) -> bool {
    cfg!(not(target_arch = "wasm32")) && rows <= 128
}

/// The rows of the next tile. A tile of one row takes as long as one of three or four.
fn tile_rows(left: usize) -> usize {
    match left {
        _ if ROWS == 4 => {
            if left > 4 {
                4
            } else {
                left
            }
        }
        6 | 9 | 10 | 12.. => 6,
        4 | 5 | 7 | 8 | 11 => 4,
        3 => 3,
        _ => 1,
    }
}

thread_local! {
    /// A strip of the right factor, and tiles of the left, packed in the order in which they are read.
    static PACKED: RefCell<[Vec<f32>; 2]> = const { RefCell::new([const { Vec::new() }; 2]) };
}

/// `out[m, n] = a[m, k] * b[k, n]` (`out += ...` with `add`), then `epilogue`, on the calling thread.
///
/// # Panics
/// If the length of a slice does not match `m`, `k` and `n`.
pub fn matmul(
    a: Factor<'_>,
    b: Factor<'_>,
    out: &mut [f32],
    [m, k, n]: [usize; 3],
    add: bool,
    epilogue: &AffineRelu,
) {
    assert_eq!(a.values.len(), m * k, "left factor");
    let a = if a.transposed {
        Left::Transposed(a.values)
    } else {
        Left::Plain(a.values)
    };
    multiply(a, b, out, [m, k, n], add, epilogue);
}

/// `out[m, n] = patches[m, k] * b[k, n]`, then `epilogue`, on the calling thread. Each patch has `k / piece` pieces.
///
/// # Panics
/// If the length of a slice does not match the number of patches, `k` and `n`.
pub fn matmul_patches(
    patches: &[Patch<'_>],
    piece: usize,
    b: Factor<'_>,
    out: &mut [f32],
    [k, n]: [usize; 2],
    epilogue: &AffineRelu,
) {
    assert!(piece > 0 && k.is_multiple_of(piece), "pieces");
    let left = Left::Patches(patches, piece);
    multiply(left, b, out, [patches.len(), k, n], false, epilogue);
}

fn multiply(
    a: Left<'_>,
    b: Factor<'_>,
    out: &mut [f32],
    [m, k, n]: [usize; 3],
    add: bool,
    epilogue: &AffineRelu,
) {
    assert_eq!(b.values.len(), k * n, "right factor");
    assert_eq!(out.len(), m * n, "product");
    if !add && k == 0 {
        out.fill(0.0);
    }
    if k == 0 || out.is_empty() {
        epilogue.apply(out, n);
        return;
    }
    PACKED.with_borrow_mut(|[strip, tiles]| {
        run(Product {
            a,
            b,
            out,
            m,
            k,
            n,
            add,
            epilogue,
            strip,
            tiles,
        });
    });
}

struct Product<'a> {
    a: Left<'a>,
    b: Factor<'a>,
    out: &'a mut [f32],
    m: usize,
    k: usize,
    n: usize,
    add: bool,
    epilogue: &'a AffineRelu,
    strip: &'a mut Vec<f32>,
    tiles: &'a mut Vec<f32>,
}

impl WithSimd for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let Self { m, k, n, .. } = self;
        for first in (0..k).step_by(CHAIN) {
            let length = CHAIN.min(k - first);
            let tiles = match self.a {
                Left::Plain(a) if packs_left(n) => packed(a, k, first, length, self.tiles),
                Left::Plain(_) | Left::Transposed(_) | Left::Patches(..) => &[],
            };
            let mut tile = Tile {
                a: self.a,
                tiles,
                m,
                k,
                n,
                first,
                length,
                add: self.add || first > 0,
                epilogue: self.epilogue.load_vectors(s),
                is_last: first + length == k,
                column: 0,
                width: 0,
            };
            while tile.column < n {
                // The sums use all vector registers but those for the factors.
                let most = const { most_vectors(S::REGISTER_COUNT) };
                let left = n - tile.column;
                tile.width = left.min(most * S::F32_LANES);
                match tile.width.div_ceil(S::F32_LANES) {
                    4.. => tile.columns::<4>(s, self.b, self.strip, self.out),
                    3 => tile.columns::<3>(s, self.b, self.strip, self.out),
                    2 => tile.columns::<2>(s, self.b, self.strip, self.out),
                    _ => tile.columns::<1>(s, self.b, self.strip, self.out),
                }
                tile.column += tile.width;
            }
        }
    }
}

/// Some columns of the product, for one chain.
struct Tile<'a, S: Simd> {
    a: Left<'a>,
    /// The left factor in tiles of [`ROWS`] rows, by column; empty if it is not packed.
    tiles: &'a [[f32; ROWS]],
    m: usize,
    k: usize,
    n: usize,
    /// Where the chain starts along `k`, and its length.
    first: usize,
    length: usize,
    /// True if the chain is added to the values already in `out`.
    add: bool,
    epilogue: Loaded<'a, S>,
    is_last: bool,
    /// The first column, and the number of columns.
    column: usize,
    width: usize,
}

impl<S: Simd> Tile<'_, S> {
    /// Computes all rows of the columns.
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    #[cfg_attr(
        all(target_arch = "wasm32", feature = "relaxed-simd"),
        target_feature(enable = "relaxed-simd")
    )]
    #[cfg_attr(not(target_arch = "wasm32"), inline(always))]
    fn columns<const V: usize>(&self, s: S, b: Factor<'_>, strip: &mut Vec<f32>, out: &mut [f32]) {
        let epilogue = self.epilogue.channels::<V>(s, self.column, self.width);
        let is_direct = reads_right(self.m)
            && !matches!(self.a, Left::Transposed(_))
            && !b.transposed
            && self.width == V * S::F32_LANES;
        if is_direct {
            let b = &b.values[self.first * self.n..][..self.length * self.n];
            let mut row = 0;
            while row < self.m {
                row += match tile_rows(self.m - row) {
                    4 if ROWS > 4 => self.direct::<V, 4>(s, row, b, &epilogue, out),
                    ROWS => self.direct::<V, ROWS>(s, row, b, &epilogue, out),
                    3 => self.direct::<V, 3>(s, row, b, &epilogue, out),
                    _ => self.direct::<V, 1>(s, row, b, &epilogue, out),
                };
            }
            return;
        }
        let strip = aligned(strip, self.length * V * S::F32_LANES);
        self.fill::<V>(s, b, strip);
        let mut row = 0;
        for tile in self.tiles.chunks_exact(self.length) {
            let (b, _) = S::as_simd_f32s(strip).0.as_chunks::<V>();
            let sums = s.vectorize(Packed::<S, V> { s, a: tile, b });
            self.put_rows(s, row, &sums, &epilogue, out);
            row += ROWS;
        }
        while row < self.m {
            row += match tile_rows(self.m - row) {
                4 if ROWS > 4 => self.rows::<V, 4>(s, row, strip, &epilogue, out),
                ROWS => self.rows::<V, ROWS>(s, row, strip, &epilogue, out),
                3 => self.rows::<V, 3>(s, row, strip, &epilogue, out),
                _ => self.rows::<V, 1>(s, row, strip, &epilogue, out),
            };
        }
    }

    /// Computes `R` rows with the rows of a right factor that is not packed; returns `R`.
    #[inline(always)]
    fn direct<const V: usize, const R: usize>(
        &self,
        s: S,
        row: usize,
        b: &[f32],
        epilogue: &Channels<S, V>,
        out: &mut [f32],
    ) -> usize {
        let mut a = [Patch::default(); R];
        for (r, a) in a.iter_mut().enumerate() {
            *a = match self.a {
                Left::Patches(patches, _) => patches[row + r],
                // One piece.
                Left::Plain(values) | Left::Transposed(values) => Patch {
                    values: &values[(row + r) * self.k..][..self.k],
                    step: 0,
                },
            };
        }
        let piece = match self.a {
            Left::Patches(_, piece) => piece,
            Left::Plain(_) | Left::Transposed(_) => self.k,
        };
        let sums = s.vectorize(Pieces::<S, V, R> {
            s,
            a,
            first: self.first,
            piece,
            b,
            width: self.n,
            column: self.column,
        });
        self.put_rows(s, row, &sums, epilogue, out);
        R
    }

    /// Packs the columns of the right factor into rows of `V` vectors, padded with zeros.
    #[inline(always)]
    fn fill<const V: usize>(&self, s: S, b: Factor<'_>, strip: &mut [f32]) {
        let width = V * S::F32_LANES;
        if b.transposed {
            if self.width < width {
                strip.fill(0.0);
            }
            for c in 0..self.width {
                let column = &b.values[(self.column + c) * self.k + self.first..][..self.length];
                for (row, &v) in strip.chunks_exact_mut(width).zip(column) {
                    row[c] = v;
                }
            }
            return;
        }
        let rows = b.values[self.first * self.n..].chunks_exact(self.n);
        for (row, b) in strip.chunks_exact_mut(width).zip(rows) {
            for v in 0..V {
                let at = self.column + v * S::F32_LANES;
                let count = (self.n - at).min(S::F32_LANES);
                let from = if count == S::F32_LANES {
                    load::<S, true>(s, b, at, count)
                } else {
                    load::<S, false>(s, b, at, count)
                };
                store::<S, true>(s, row, v * S::F32_LANES, S::F32_LANES, from);
            }
        }
    }

    /// Computes `R` rows starting at `row`; returns `R`.
    #[inline(always)]
    fn rows<const V: usize, const R: usize>(
        &self,
        s: S,
        row: usize,
        strip: &[f32],
        epilogue: &Channels<S, V>,
        out: &mut [f32],
    ) -> usize {
        let (b, _) = S::as_simd_f32s(strip).0.as_chunks::<V>();
        let length = b.len();
        let sums = match self.a {
            Left::Plain(a) => {
                let a = std::array::from_fn(|r| &a[(row + r) * self.k + self.first..][..length]);
                s.vectorize(Rows::<S, V, R> { s, a, b })
            }
            Left::Transposed(a) => s.vectorize(Columns::<S, V, R> {
                s,
                a: &a[self.first * self.m..],
                length: self.m,
                row,
                b,
            }),
            Left::Patches(patches, piece) => s.vectorize(Pieces::<S, V, R> {
                s,
                a: std::array::from_fn(|r| patches[row + r]),
                first: self.first,
                piece,
                b: strip,
                width: V * S::F32_LANES,
                column: 0,
            }),
        };
        self.put_rows(s, row, &sums, epilogue, out);
        R
    }

    #[inline(always)]
    fn put_rows<const V: usize, const R: usize>(
        &self,
        s: S,
        row: usize,
        sums: &[[S::f32s; V]; R],
        epilogue: &Channels<S, V>,
        out: &mut [f32],
    ) {
        for (r, sums) in sums.iter().enumerate() {
            let out = &mut out[(row + r) * self.n + self.column..][..self.width];
            self.put(s, sums, epilogue, out);
        }
    }

    /// Adds a row of sums to `out`, or overwrites it, and applies the epilogue after the last chain.
    #[inline(always)]
    fn put<const V: usize>(
        &self,
        s: S,
        sums: &[S::f32s; V],
        epilogue: &Channels<S, V>,
        out: &mut [f32],
    ) {
        let (vectors, rest) = S::as_mut_simd_f32s(out);
        if let Some(vectors) = vectors.first_chunk_mut::<V>() {
            for (v, out) in vectors.iter_mut().enumerate() {
                *out = self.value(s, *out, sums, epilogue, v);
            }
            return;
        }
        for (v, out) in vectors.iter_mut().enumerate() {
            *out = self.value(s, *out, sums, epilogue, v);
        }
        if !rest.is_empty() {
            let last = self.value(s, s.partial_load_f32s(rest), sums, epilogue, V - 1);
            s.partial_store_f32s(rest, last);
        }
    }

    /// The new value of the vector with index `v` in a row.
    #[inline(always)]
    fn value<const V: usize>(
        &self,
        s: S,
        old: S::f32s,
        sums: &[S::f32s; V],
        epilogue: &Channels<S, V>,
        v: usize,
    ) -> S::f32s {
        let mut sum = sums[v];
        if self.add {
            sum = s.add_f32s(old, sum);
        }
        if self.is_last {
            sum = epilogue.vector(s, sum, v);
        }
        sum
    }
}
