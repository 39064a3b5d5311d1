//! Depthwise convolution, one filter a channel, and its gradients. Channels lie side by side, so a
//! vector holds neighbouring channels of one pixel.

#![allow(
    clippy::inline_always,
    reason = "a kernel must be inlined into the function that is compiled for its vectors"
)]

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::channels::Finish;
use super::simd::{for_vectors, load, run, store};
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
fn add_product<S: Simd>(s: S, y: &mut [f32], a: &[f32], b: &[f32]) {
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

/// The gradient at the input: `dx += kernel * g` at every tap.
pub fn input_gradient(g: &[f32], kernel: &[f32], dx: &mut [f32], channels: usize, place: Place) {
    let Place { rows, cols } = place;
    if let (1, 1, Some(rows), Some(cols)) =
        (rows.stride, cols.stride, rows.reversed(), cols.reversed())
    {
        // Of a stride of 1 it is the convolution of `g` with the kernel turned by half a circle.
        let taps = kernel.chunks(channels.max(1)).rev();
        let turned: Vec<f32> = taps.flatten().copied().collect();
        let place = Place { rows, cols };
        let nothing = Finish::default();
        forward(g, &turned, dx, channels, place, [&nothing, &nothing]);
        return;
    }
    let image = place.inputs() * channels;
    let output = place.outputs() * channels;
    let images = dx.par_chunks_mut(image.max(1));
    images.zip(g.par_chunks(output.max(1))).for_each(|(dx, g)| {
        dx.fill(0.0);
        run(Scatter {
            g,
            kernel,
            dx,
            channels,
            place,
        });
    });
}

struct Scatter<'a> {
    g: &'a [f32],
    kernel: &'a [f32],
    dx: &'a mut [f32],
    channels: usize,
    place: Place,
}

impl WithSimd for Scatter<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let Place { rows, cols } = self.place;
        let channels = self.channels;
        for (at, g) in self.g.chunks(channels).enumerate() {
            let (row, col) = (at / cols.output, at % cols.output);
            for r in 0..rows.size {
                let Some(x_row) = rows.position(row, r) else {
                    continue;
                };
                for t in 0..cols.size {
                    let Some(x_col) = cols.position(col, t) else {
                        continue;
                    };
                    let dx = &mut self.dx[(x_row * cols.input + x_col) * channels..][..channels];
                    let kernel = &self.kernel[(r * cols.size + t) * channels..][..channels];
                    add_product(s, dx, g, kernel);
                }
            }
        }
    }
}

/// The gradient at the kernel: at every tap `dk = sum of x * g`.
pub fn kernel_gradient(x: &[f32], g: &[f32], channels: usize, place: Place) -> Vec<f32> {
    /// Tasks: a fixed number, so that sums come out the same however many cores there are.
    const PIECES: usize = 8;
    let size = place.rows.size * place.cols.size * channels;
    let (image, output) = (place.inputs() * channels, place.outputs() * channels);
    let images = (x.len() / image.max(1)).div_ceil(PIECES).max(1);
    let pieces = x
        .par_chunks((images * image).max(1))
        .zip(g.par_chunks((images * output).max(1)))
        .map(|(x, g)| {
            let mut dk = vec![0.0; size];
            for (x, g) in x.chunks(image).zip(g.chunks(output)) {
                run(Correlate {
                    x,
                    g,
                    dk: &mut dk,
                    channels,
                    place,
                });
            }
            dk
        });
    let pieces: Vec<Vec<f32>> = pieces.collect();
    let mut sum = vec![0.0; size];
    for piece in pieces {
        sum.iter_mut().zip(piece).for_each(|(sum, p)| *sum += p);
    }
    sum
}

struct Correlate<'a> {
    x: &'a [f32],
    g: &'a [f32],
    dk: &'a mut [f32],
    channels: usize,
    place: Place,
}

impl WithSimd for Correlate<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let Place { rows, cols } = self.place;
        let channels = self.channels;
        let (low, high) = cols.interior();
        let fast = cols.size == 3 && cols.dilation == 1;
        let step = cols.stride * channels;
        for (row, g) in self.g.chunks(cols.output * channels).enumerate() {
            for r in 0..rows.size {
                let Some(at) = rows.position(row, r) else {
                    continue;
                };
                let x = &self.x[at * cols.input * channels..][..cols.input * channels];
                let dk = &mut self.dk[r * cols.size * channels..][..cols.size * channels];
                for col in 0..cols.output {
                    if fast && col >= low && col < high {
                        continue;
                    }
                    let g = &g[col * channels..][..channels];
                    for t in 0..cols.size {
                        let Some(at) = cols.position(col, t) else {
                            continue;
                        };
                        let dk = &mut dk[t * channels..][..channels];
                        add_product(s, dk, g, &x[at * channels..][..channels]);
                    }
                }
                if !fast || low >= high {
                    continue;
                }
                let x = &x[(low * cols.stride - cols.before) * channels..];
                let g = &g[low * channels..];
                macro_rules! each {
                    ($full:literal, $at:expr, $count:expr) => {{
                        let mut sums = [
                            load::<S, $full>(s, dk, $at, $count),
                            load::<S, $full>(s, dk, channels + $at, $count),
                            load::<S, $full>(s, dk, 2 * channels + $at, $count),
                        ];
                        let (mut x_at, mut g_at) = ($at, $at);
                        for _ in low..high {
                            let g = load::<S, $full>(s, g, g_at, $count);
                            for (t, sum) in sums.iter_mut().enumerate() {
                                let v = load::<S, $full>(s, x, x_at + t * channels, $count);
                                *sum = s.mul_add_e_f32s(v, g, *sum);
                            }
                            x_at += step;
                            g_at += channels;
                        }
                        for (t, sum) in sums.into_iter().enumerate() {
                            store::<S, $full>(s, dk, t * channels + $at, $count, sum);
                        }
                    }};
                }
                for_vectors!(S, channels, each);
            }
        }
    }
}
