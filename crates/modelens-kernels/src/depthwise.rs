//! Depthwise convolution with one filter per channel. A SIMD vector holds neighbouring channels of
//! one pixel.

#![allow(
    clippy::inline_always,
    reason = "a kernel must be inlined into the function that is compiled for its vectors"
)]

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use crate::affine_relu::{AffineRelu, Loaded};
use crate::simd::{load, mul_add, run, store};
use crate::window::{Window, Window2d};

/// Input values in one task: they fit into the L2 cache.
const STRIP: usize = 80 * 1024;

/// Applies `prologue` to every input pixel of `[N, H, W, C]`, computes
/// `y[row, col, c] = sum over taps of x * kernel[r, t, c]`, then applies `epilogue`.
pub fn forward(
    x: &[f32],
    kernel: &[f32],
    y: &mut [f32],
    channels: usize,
    window: Window2d,
    [prologue, epilogue]: [&AffineRelu; 2],
) {
    let (image, line) = (window.inputs() * channels, window.cols.output * channels);
    if line == 0 || y.is_empty() {
        return;
    }
    let images = y.len() / (window.rows.output * line);
    let width = window.cols.input * channels;
    // Output rows in one task: they share most of the input rows they read. Small batches are cut
    // into smaller tasks, so that every core is busy.
    let fitting = (STRIP / width.max(1)).saturating_sub(window.rows.size) / window.rows.stride;
    let most = (window.rows.output * images).div_ceil(8);
    let rows = fitting.min(most).clamp(1, window.rows.output);
    let tasks = y
        .par_chunks_mut(window.rows.output * line)
        .zip(x.par_chunks(image.max(1)));
    tasks.for_each(|(y, x)| {
        y.par_chunks_mut(rows * line)
            .enumerate()
            .for_each(|(i, y)| {
                let first = i * rows;
                let read = window.rows.read(first, y.len() / line);
                let x = &x[read.start * width..read.end * width];
                prologue.apply_to_copy(x, channels, |x| {
                    run(Rows {
                        x,
                        kernel,
                        first,
                        top: read.start,
                        channels,
                        window,
                        epilogue,
                        y,
                    });
                });
            });
    });
}

/// Some output rows of one image, as one task.
struct Rows<'a> {
    /// The input rows these output rows read.
    x: &'a [f32],
    kernel: &'a [f32],
    first: usize,
    /// Index in the image of the first row in `x`.
    top: usize,
    channels: usize,
    window: Window2d,
    epilogue: &'a AffineRelu,
    y: &'a mut [f32],
}

impl WithSimd for Rows<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let Window2d { rows, cols } = self.window;
        let channels = self.channels;
        let (low, high) = cols.interior();
        let fast = cols.size == 3 && cols.dilation == 1 && cols.stride <= 2;
        let line = cols.output * channels;
        let loaded = self.epilogue.load_vectors(s);
        for (i, y) in self.y.chunks_mut(line).enumerate() {
            let lines = Lines {
                epilogue: self.epilogue,
                loaded: &loaded,
                x: self.x,
                kernel: self.kernel,
                row: self.first + i,
                top: self.top,
                rows,
                cols,
                channels,
            };
            let mut col = 0;
            while col < cols.output {
                let y = &mut y[col * channels..];
                let inside = if fast && col >= low {
                    high.saturating_sub(col)
                } else {
                    0
                };
                col += match (inside, cols.stride) {
                    (0, _) => {
                        lines.any(s, col, y);
                        1
                    }
                    (1, _) => {
                        lines.interior::<1, 1>(s, col, y);
                        1
                    }
                    (2..4, 1) => {
                        lines.interior::<2, 1>(s, col, y);
                        2
                    }
                    (2..4, _) => {
                        lines.interior::<2, 2>(s, col, y);
                        2
                    }
                    (4.., 1) => {
                        lines.interior::<4, 1>(s, col, y);
                        4
                    }
                    (4.., _) => {
                        lines.interior::<4, 2>(s, col, y);
                        4
                    }
                };
            }
        }
    }
}

/// The inputs of one output row.
struct Lines<'a, S: Simd> {
    epilogue: &'a AffineRelu,
    loaded: &'a Loaded<'a, S>,
    x: &'a [f32],
    kernel: &'a [f32],
    row: usize,
    /// Index in the image of the first row in `x`.
    top: usize,
    rows: Window,
    cols: Window,
    channels: usize,
}

impl<S: Simd> Lines<'_, S> {
    /// Input row and kernel row of vertical tap `r`; `None` outside the image.
    #[inline(always)]
    fn tap(&self, r: usize) -> Option<(&[f32], &[f32])> {
        let width = self.cols.input * self.channels;
        let taps = self.cols.size * self.channels;
        match self.rows.position(self.row, r) {
            Some(at) => Some((
                &self.x[(at - self.top) * width..][..width],
                &self.kernel[r * taps..][..taps],
            )),
            None => None,
        }
    }

    /// Computes `N` columns from `col` whose three taps all lie inside the image.
    #[inline(always)]
    fn interior<const N: usize, const STRIDE: usize>(&self, s: S, col: usize, y: &mut [f32]) {
        let start = (col * self.cols.stride - self.cols.before) * self.channels;
        let mut done = 0;
        let inside = self.rows.inside(self.row).count();
        for r in 0..self.rows.size {
            let Some((x, kernel)) = self.tap(r) else {
                continue;
            };
            let x = &x[start..];
            match (done == 0, done + 1 == inside) {
                (true, true) => self.add_row::<N, STRIDE, true, true>(s, x, kernel, y),
                (true, false) => self.add_row::<N, STRIDE, true, false>(s, x, kernel, y),
                (false, true) => self.add_row::<N, STRIDE, false, true>(s, x, kernel, y),
                (false, false) => self.add_row::<N, STRIDE, false, false>(s, x, kernel, y),
            }
            done += 1;
        }
        if done == 0 {
            let y = &mut y[..N * self.channels];
            y.fill(0.0);
            self.epilogue.apply(y, self.channels);
        }
    }

    /// Adds the three taps of one input row to `N` columns; with `FIRST`, overwrites them; with `LAST`,
    /// applies the epilogue to the sums.
    ///
    /// All pixels are cut to the same number of vectors first, which removes the bounds checks from
    /// the loop.
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    #[cfg_attr(not(target_arch = "wasm32"), inline(always))]
    fn add_row<const N: usize, const STRIDE: usize, const FIRST: bool, const LAST: bool>(
        &self,
        s: S,
        x: &[f32],
        kernel: &[f32],
        y: &mut [f32],
    ) {
        /// Pixels under four columns at a stride of 2.
        const MOST: usize = 9;
        let channels = self.channels;
        let vectors = channels / S::F32_LANES;
        let mut pixels: [&[S::f32s]; MOST] = [&[]; MOST];
        for (pixel, x) in pixels
            .iter_mut()
            .zip(x.chunks_exact(channels))
            .take((N - 1) * STRIDE + 3)
        {
            *pixel = &S::as_simd_f32s(x).0[..vectors];
        }
        let taps: [&[S::f32s]; 3] = [
            &S::as_simd_f32s(&kernel[..channels]).0[..vectors],
            &S::as_simd_f32s(&kernel[channels..2 * channels]).0[..vectors],
            &S::as_simd_f32s(&kernel[2 * channels..3 * channels]).0[..vectors],
        ];
        let mut columns: [&mut [S::f32s]; N] = std::array::from_fn(|_| Default::default());
        for (column, y) in columns.iter_mut().zip(y.chunks_exact_mut(channels)) {
            *column = &mut S::as_mut_simd_f32s(y).0[..vectors];
        }
        for v in 0..vectors {
            let taps = [taps[0][v], taps[1][v], taps[2][v]];
            let mut sums = [s.splat_f32s(0.0); N];
            if !FIRST {
                for j in 0..N {
                    sums[j] = columns[j][v];
                }
            }
            for (i, pixel) in pixels.iter().enumerate().take((N - 1) * STRIDE + 3) {
                let value = pixel[v];
                for (t, &tap) in taps.iter().enumerate() {
                    if i >= t && (i - t) % STRIDE == 0 && (i - t) / STRIDE < N {
                        let j = (i - t) / STRIDE;
                        sums[j] = s.mul_add_e_f32s(value, tap, sums[j]);
                    }
                }
            }
            for j in 0..N {
                columns[j][v] = if LAST {
                    let at = v * S::F32_LANES;
                    self.loaded.vector::<true>(s, sums[j], at, S::F32_LANES)
                } else {
                    sums[j]
                };
            }
        }
        // Channels that do not fill a vector.
        for c in vectors * S::F32_LANES..channels {
            for j in 0..N {
                let mut sum = if FIRST { 0.0 } else { y[j * channels + c] };
                for t in 0..3 {
                    sum = mul_add(
                        x[(j * STRIDE + t) * channels + c],
                        kernel[t * channels + c],
                        sum,
                    );
                }
                y[j * channels + c] = sum;
            }
        }
        let (at, rest) = (vectors * S::F32_LANES, channels % S::F32_LANES);
        if LAST && rest > 0 {
            for j in 0..N {
                let y = &mut y[j * channels..][..channels];
                let sum = load::<S, false>(s, y, at, rest);
                let sum = self.loaded.vector::<false>(s, sum, at, rest);
                store::<S, false>(s, y, at, rest, sum);
            }
        }
    }

    /// Computes one column with any window.
    #[inline(always)]
    fn any(&self, s: S, col: usize, y: &mut [f32]) {
        let channels = self.channels;
        let y = &mut y[..channels];
        y.fill(0.0);
        for r in 0..self.rows.size {
            let Some((x, kernel)) = self.tap(r) else {
                continue;
            };
            for t in 0..self.cols.size {
                let Some(at) = self.cols.position(col, t) else {
                    continue;
                };
                let (x, kernel) = (&x[at * channels..], &kernel[t * channels..]);
                add_product(s, y, &x[..channels], &kernel[..channels]);
            }
        }
        self.epilogue.apply(y, channels);
    }
}

/// `y += a * b` for three slices of the same length.
#[inline(always)]
pub fn add_product<S: Simd>(s: S, y: &mut [f32], a: &[f32], b: &[f32]) {
    let (y_vectors, y_rest) = S::as_mut_simd_f32s(y);
    let ((a_vectors, a_rest), (b_vectors, b_rest)) = (S::as_simd_f32s(a), S::as_simd_f32s(b));
    for ((y, &a), &b) in y_vectors.iter_mut().zip(a_vectors).zip(b_vectors) {
        *y = s.mul_add_e_f32s(a, b, *y);
    }
    for ((y, a), &b) in y_rest.iter_mut().zip(a_rest).zip(b_rest) {
        // Fused like the vectors, so that the result does not depend on the vector width.
        *y = mul_add(*a, b, *y);
    }
}
