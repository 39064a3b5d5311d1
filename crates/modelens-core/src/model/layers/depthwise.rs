//! Depthwise convolution, one filter a channel. Channels lie side by side, so a vector holds
//! neighbouring channels of one pixel.

#![allow(
    clippy::inline_always,
    reason = "a kernel must be inlined into the function that is compiled for its vectors"
)]

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::channels::Finish;
use super::simd::run;
use super::window::{Place, Window};

/// Input values that one task takes: they stay in the second-level cache.
const STRIP: usize = 80 * 1024;

/// `before` of every input pixel, `y[row, col, c] = sum over taps of x * kernel[r, t, c]` of
/// `[N, H, W, C]`, then `finish` of every output pixel.
pub fn forward(
    x: &[f32],
    kernel: &[f32],
    y: &mut [f32],
    channels: usize,
    place: Place,
    [before, finish]: [&Finish; 2],
) {
    let (image, line) = (place.inputs() * channels, place.cols.output * channels);
    if line == 0 || y.is_empty() {
        return;
    }
    let images = y.len() / (place.rows.output * line);
    let width = place.cols.input * channels;
    // Output rows that one task takes: they share most of the input rows they read. Small batches
    // are cut finer, so that every core has something to do.
    let fitting = (STRIP / width.max(1)).saturating_sub(place.rows.size) / place.rows.stride;
    let most = (place.rows.output * images).div_ceil(8);
    let rows = fitting.min(most).clamp(1, place.rows.output);
    let tasks = y
        .par_chunks_mut(place.rows.output * line)
        .zip(x.par_chunks(image.max(1)));
    tasks.for_each(|(y, x)| {
        y.par_chunks_mut(rows * line)
            .enumerate()
            .for_each(|(i, y)| {
                let first = i * rows;
                let read = place.rows.read(first, y.len() / line);
                let x = &x[read.start * width..read.end * width];
                before.first(x, channels, |x| {
                    run(Rows {
                        x,
                        kernel,
                        first,
                        top: read.start,
                        channels,
                        place,
                        finish,
                        y,
                    });
                });
            });
    });
}

/// Some output rows of one image.
struct Rows<'a> {
    /// The input rows they read.
    x: &'a [f32],
    kernel: &'a [f32],
    first: usize,
    /// The first row of `x`.
    top: usize,
    channels: usize,
    place: Place,
    finish: &'a Finish,
    y: &'a mut [f32],
}

impl WithSimd for Rows<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let Place { rows, cols } = self.place;
        let channels = self.channels;
        let (low, high) = cols.interior();
        let fast = cols.size == 3 && cols.dilation == 1 && cols.stride <= 2;
        let line = cols.output * channels;
        for (i, y) in self.y.chunks_mut(line).enumerate() {
            let lines = Lines {
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
                        lines.interior::<S, 1, 1>(s, col, y);
                        1
                    }
                    (2..4, 1) => {
                        lines.interior::<S, 2, 1>(s, col, y);
                        2
                    }
                    (2..4, _) => {
                        lines.interior::<S, 2, 2>(s, col, y);
                        2
                    }
                    (4.., 1) => {
                        lines.interior::<S, 4, 1>(s, col, y);
                        4
                    }
                    (4.., _) => {
                        lines.interior::<S, 4, 2>(s, col, y);
                        4
                    }
                };
            }
            self.finish.apply(y, channels);
        }
    }
}

/// What one output row is computed from.
struct Lines<'a> {
    x: &'a [f32],
    kernel: &'a [f32],
    row: usize,
    /// The first row of `x`.
    top: usize,
    rows: Window,
    cols: Window,
    channels: usize,
}

impl Lines<'_> {
    /// The input row and the kernel row of a tap down, if it lies inside of the image.
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

    /// `N` columns from `col` whose three taps all lie inside of the image.
    #[inline(always)]
    fn interior<S: Simd, const N: usize, const STRIDE: usize>(
        &self,
        s: S,
        col: usize,
        y: &mut [f32],
    ) {
        let start = (col * self.cols.stride - self.cols.before) * self.channels;
        let mut is_first = true;
        for r in 0..self.rows.size {
            let Some((x, kernel)) = self.tap(r) else {
                continue;
            };
            let x = &x[start..];
            if is_first {
                self.add_row::<S, N, STRIDE, true>(s, x, kernel, y);
            } else {
                self.add_row::<S, N, STRIDE, false>(s, x, kernel, y);
            }
            is_first = false;
        }
        if is_first {
            y[..N * self.channels].fill(0.0);
        }
    }

    /// Adds three taps along one input row to `N` columns, or, where it is the first row, sets them.
    ///
    /// Pixels are cut to the same number of vectors beforehand, so that nothing is left to check in
    /// the loop.
    #[inline(always)]
    fn add_row<S: Simd, const N: usize, const STRIDE: usize, const FIRST: bool>(
        &self,
        s: S,
        x: &[f32],
        kernel: &[f32],
        y: &mut [f32],
    ) {
        /// Pixels under four columns with a stride of 2.
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
                columns[j][v] = sums[j];
            }
        }
        // Channels that do not fill a vector.
        for c in vectors * S::F32_LANES..channels {
            for j in 0..N {
                let mut sum = if FIRST { 0.0 } else { y[j * channels + c] };
                for t in 0..3 {
                    sum = x[(j * STRIDE + t) * channels + c].mul_add(kernel[t * channels + c], sum);
                }
                y[j * channels + c] = sum;
            }
        }
    }

    /// One column with any window.
    #[inline(always)]
    fn any<S: Simd>(&self, s: S, col: usize, y: &mut [f32]) {
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
    }
}

/// `y += a * b` of three slices of one length.
#[inline(always)]
pub fn add_product<S: Simd>(s: S, y: &mut [f32], a: &[f32], b: &[f32]) {
    let (y_vectors, y_rest) = S::as_mut_simd_f32s(y);
    let ((a_vectors, a_rest), (b_vectors, b_rest)) = (S::as_simd_f32s(a), S::as_simd_f32s(b));
    for ((y, &a), &b) in y_vectors.iter_mut().zip(a_vectors).zip(b_vectors) {
        *y = s.mul_add_e_f32s(a, b, *y);
    }
    for ((y, a), &b) in y_rest.iter_mut().zip(a_rest).zip(b_rest) {
        // Fused as the vectors are, so that it does not matter which channels fill one.
        *y = a.mul_add(b, *y);
    }
}
