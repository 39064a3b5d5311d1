//! Depthwise convolution with one filter per channel. A SIMD vector holds neighbouring channels of
//! one pixel.

#![allow(
    unsafe_code,
    reason = "bounds are checked once a row, not at every tap"
)]
#![allow(
    clippy::needless_range_loop,
    reason = "an iterator would not be compiled for the vectors"
)]
#![allow(
    clippy::inline_always,
    reason = "a kernel must be inlined into the function that is compiled for its vectors"
)]

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use crate::affine_relu::{AffineRelu, Channels, Loaded, LoadedBoth};
use crate::simd::{for_vectors, load, load_unchecked, run, store, store_unchecked};
use crate::window::{Window, Window2d};

/// Input values in one task: they fit into the L2 cache.
const STRIP: usize = 80 * 1024;
/// Values of a block of columns in one input row: three such blocks fit into the L1 cache.
const COLUMNS: usize = 4 * 1024;
/// Rows of the kernel whose taps stay in registers.
const GROUP: usize = 3;
/// The most taps along a row for which there is a kernel.
const MOST: usize = 7;

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
pub(crate) struct Rows<'a> {
    /// The input rows these output rows read.
    pub x: &'a [f32],
    pub kernel: &'a [f32],
    pub first: usize,
    /// Index in the image of the first row in `x`.
    pub top: usize,
    pub channels: usize,
    pub window: Window2d,
    pub epilogue: &'a AffineRelu,
    pub y: &'a mut [f32],
}

impl WithSimd for Rows<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let Window2d { rows, cols } = self.window;
        let channels = self.channels;
        let has_runs = cols.dilation == 1 && cols.size <= MOST;
        let (low, high) = if has_runs {
            cols.interior()
        } else {
            (cols.output, cols.output)
        };
        let block = (COLUMNS / channels / cols.stride).max(8);
        let line = cols.output * channels;
        let loaded = self.epilogue.load_vectors(s);
        for (i, y) in self.y.chunks_mut(line).enumerate() {
            let lines = Lines {
                loaded: &loaded,
                x: self.x,
                kernel: self.kernel,
                row: self.first + i,
                top: self.top,
                rows,
                cols,
                channels,
            };
            for col in (0..low).chain(high..cols.output) {
                let y = &mut y[col * channels..][..channels];
                if has_runs {
                    lines.run(s, col, y);
                } else {
                    lines.any(s, col, y);
                }
            }
            for col in (low..high).step_by(block) {
                let count = block.min(high - col);
                lines.run(s, col, &mut y[col * channels..][..count * channels]);
            }
        }
    }
}

/// The inputs of one output row.
struct Lines<'a, S: Simd> {
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

    /// Computes columns from `col` on that have the same taps along the row inside the image.
    #[inline(always)]
    fn run(&self, s: S, col: usize, y: &mut [f32]) {
        let start = col * self.cols.stride;
        let first = self.cols.before.saturating_sub(start).min(self.cols.size);
        let end = (self.cols.input + self.cols.before).saturating_sub(start);
        let place = Place {
            first,
            start: (start + first).saturating_sub(self.cols.before),
        };
        match end.min(self.cols.size).saturating_sub(first) {
            0 => self.columns::<0>(s, place, y),
            1 => self.columns::<1>(s, place, y),
            2 => self.columns::<2>(s, place, y),
            3 => self.columns::<3>(s, place, y),
            4 => self.columns::<4>(s, place, y),
            5 => self.columns::<5>(s, place, y),
            6 => self.columns::<6>(s, place, y),
            _ => self.columns::<MOST>(s, place, y),
        }
    }

    /// Computes columns of which `K` taps lie inside the image.
    #[inline(always)]
    fn columns<const K: usize>(&self, s: S, place: Place, y: &mut [f32]) {
        let channels = self.channels;
        let mut part = Part {
            loaded: self.loaded,
            x: [&[]; GROUP],
            kernel: [&[]; GROUP],
            pixel: channels,
            step: self.cols.stride * channels,
            is_first: true,
            is_last: false,
        };
        let mut left = self.rows.inside(self.row).count();
        let mut count = 0;
        for r in 0..self.rows.size {
            let Some((x, kernel)) = self.tap(r) else {
                continue;
            };
            let (x, kernel) = (
                &x[place.start * channels..],
                &kernel[place.first * channels..],
            );
            (part.x[count], part.kernel[count]) = (x, kernel);
            count += 1;
            left -= 1;
            if count < GROUP && left > 0 {
                continue;
            }
            part.is_last = left == 0;
            match count {
                1 => part.add::<1, K>(s, y),
                2 => part.add::<2, K>(s, y),
                _ => part.add::<GROUP, K>(s, y),
            }
            (part.is_first, count) = (false, 0);
        }
        if part.is_first {
            part.is_last = true;
            part.add::<0, K>(s, y);
        }
    }

    /// Computes one column with any window.
    #[inline(always)]
    fn any(&self, s: S, col: usize, y: &mut [f32]) {
        let channels = self.channels;
        macro_rules! each {
            ($full:literal, $at:expr, $count:expr) => {{
                let mut sum = s.splat_f32s(0.0);
                for r in 0..self.rows.size {
                    let Some((x, kernel)) = self.tap(r) else {
                        continue;
                    };
                    for t in 0..self.cols.size {
                        let Some(at) = self.cols.position(col, t) else {
                            continue;
                        };
                        let x = load::<S, $full>(s, x, at * channels + $at, $count);
                        let tap = load::<S, $full>(s, kernel, t * channels + $at, $count);
                        sum = s.mul_add_e_f32s(x, tap, sum);
                    }
                }
                let sum = self.loaded.vector::<$full>(s, sum, $at, $count);
                store::<S, $full>(s, y, $at, $count, sum);
            }};
        }
        for_vectors!(S, channels, each);
    }
}

/// Where some columns read: the first tap along the row that lies inside the image, and the pixel under it.
#[derive(Clone, Copy)]
struct Place {
    first: usize,
    start: usize,
}

/// Neighbouring columns of one output row, and up to [`GROUP`] of the input rows they read.
struct Part<'a, S: Simd> {
    loaded: &'a Loaded<'a, S>,
    /// The input rows, from the first tap of the first column on.
    x: [&'a [f32]; GROUP],
    kernel: [&'a [f32]; GROUP],
    /// Values from one input pixel to the next, and from the first tap of one column to that of the next.
    pixel: usize,
    step: usize,
    /// False if the sums of earlier rows are in the output.
    is_first: bool,
    /// True if no rows follow: the epilogue is applied.
    is_last: bool,
}

impl<S: Simd> Part<'_, S> {
    /// Adds the `K` taps in each of `R` rows.
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    #[cfg_attr(
        all(target_arch = "wasm32", feature = "relaxed-simd"),
        target_feature(enable = "relaxed-simd")
    )]
    #[cfg_attr(not(target_arch = "wasm32"), inline(always))]
    fn add<const R: usize, const K: usize>(&self, s: S, y: &mut [f32]) {
        let columns = y.len() / self.pixel;
        if columns == 0 {
            return;
        }
        let (taps, reach) = (K * self.pixel, (columns - 1) * self.step + K * self.pixel);
        for r in 0..R {
            assert!(self.kernel[r].len() >= taps && self.x[r].len() >= reach);
        }
        let is_whole = R == GROUP && K == GROUP && self.is_first && self.is_last;
        if is_whole && let Some(epilogue) = self.loaded.both() {
            return self.nine_taps(s, y, columns, &epilogue);
        }
        macro_rules! each {
            ($full:literal, $at:expr, $count:expr) => {
                self.vector::<R, K, $full>(s, y, columns, $at, $count)
            };
        }
        for_vectors!(S, self.pixel, each);
    }

    /// The same for a whole window of 3 x 3 with an affine map and a ReLU, which most networks have: its loop decides
    /// nothing. A function of its own, because a browser's compiler runs out of registers in a larger one.
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    #[cfg_attr(
        all(target_arch = "wasm32", feature = "relaxed-simd"),
        target_feature(enable = "relaxed-simd")
    )]
    #[cfg_attr(not(target_arch = "wasm32"), inline(always))]
    fn nine_taps(&self, s: S, y: &mut [f32], columns: usize, epilogue: &LoadedBoth<'_, S>) {
        let (pixel, step) = (self.pixel, self.step);
        let reach = (columns - 1) * step + GROUP * pixel;
        assert_eq!(y.len(), columns * pixel);
        for r in 0..GROUP {
            assert!(self.x[r].len() >= reach);
        }
        let mut at = 0;
        while at + S::F32_LANES <= pixel {
            let mut taps = [[s.splat_f32s(0.0); GROUP]; GROUP];
            for r in 0..GROUP {
                for t in 0..GROUP {
                    let kernel = self.kernel[r];
                    taps[r][t] = load::<S, true>(s, kernel, t * pixel + at, S::F32_LANES);
                }
            }
            let epilogue = epilogue.vector(s, at);
            let (mut from, mut to) = (at, at);
            for _ in 0..columns {
                let mut sum = s.splat_f32s(0.0);
                for r in 0..GROUP {
                    for t in 0..GROUP {
                        // SAFETY: the last tap of the last column ends at `reach` at most, because
                        // `at + LANES <= pixel`.
                        let x = unsafe { load_unchecked(s, self.x[r], from + t * pixel) };
                        sum = s.mul_add_e_f32s(x, taps[r][t], sum);
                    }
                }
                // SAFETY: `y` has `columns` pixels, and `at + LANES <= pixel`.
                unsafe { store_unchecked(s, y, to, epilogue.apply(s, sum)) };
                from += step;
                to += pixel;
            }
            at += S::F32_LANES;
        }
        if at < pixel {
            self.vector::<GROUP, GROUP, false>(s, y, columns, at, pixel - at);
        }
    }

    /// The same for one vector of channels: its taps stay in registers for all columns.
    #[inline(always)]
    fn vector<const R: usize, const K: usize, const FULL: bool>(
        &self,
        s: S,
        y: &mut [f32],
        columns: usize,
        at: usize,
        count: usize,
    ) {
        let mut taps = [[s.splat_f32s(0.0); K]; R];
        for r in 0..R {
            for t in 0..K {
                taps[r][t] = load::<S, FULL>(s, self.kernel[r], t * self.pixel + at, count);
            }
        }
        let epilogue: Channels<S, 1> = self.loaded.channels(s, at, count);
        let (pixel, step) = (self.pixel, self.step);
        let x: [&[f32]; R] = std::array::from_fn(|r| self.x[r]);
        let (is_first, is_last) = (self.is_first, self.is_last);
        for column in 0..columns {
            let place = column * pixel + at;
            let mut sum = if is_first {
                s.splat_f32s(0.0)
            } else {
                load::<S, FULL>(s, y, place, count)
            };
            let start = column * step + at;
            for r in 0..R {
                for t in 0..K {
                    let x = if FULL {
                        // SAFETY: `add` has checked that each row reaches beyond the last tap of the last
                        // column: `start + t * pixel + LANES <= (columns - 1) * step + K * pixel`, because
                        // `at + LANES <= pixel`.
                        unsafe { load_unchecked(s, x[r], start + t * pixel) }
                    } else {
                        load::<S, FULL>(s, x[r], start + t * pixel, count)
                    };
                    sum = s.mul_add_e_f32s(x, taps[r][t], sum);
                }
            }
            if is_last {
                sum = epilogue.vector(s, sum, 0);
            }
            store::<S, FULL>(s, y, place, count, sum);
        }
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
        *y = crate::simd::mul_add(*a, b, *y);
    }
}
