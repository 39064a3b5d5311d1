//! Backward pass of a depthwise convolution: gradients at its input and its kernel.

#![allow(
    clippy::inline_always,
    reason = "a kernel must be inlined into the function that is compiled for its vectors"
)]

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use crate::affine_relu::AffineRelu;
use crate::depthwise::{add_product, forward};
use crate::simd::{for_vectors, load, run, store};
use crate::window::Window2d;

/// Gradient at the input: `dx += kernel * g` at every tap.
pub fn input_gradient(
    g: &[f32],
    kernel: &[f32],
    dx: &mut [f32],
    channels: usize,
    window: Window2d,
) {
    let Window2d { rows, cols } = window;
    if let (1, 1, Some(rows), Some(cols)) =
        (rows.stride, cols.stride, rows.reversed(), cols.reversed())
    {
        // At a stride of 1 it is the convolution of `g` with the kernel rotated by 180 degrees.
        let taps = kernel.chunks(channels.max(1)).rev();
        let rotated: Vec<f32> = taps.flatten().copied().collect();
        let window = Window2d { rows, cols };
        let nothing = AffineRelu::default();
        forward(g, &rotated, dx, channels, window, [&nothing, &nothing]);
        return;
    }
    let image = window.inputs() * channels;
    let output = window.outputs() * channels;
    let images = dx.par_chunks_mut(image.max(1));
    images.zip(g.par_chunks(output.max(1))).for_each(|(dx, g)| {
        dx.fill(0.0);
        run(Scatter {
            g,
            kernel,
            dx,
            channels,
            window,
        });
    });
}

struct Scatter<'a> {
    g: &'a [f32],
    kernel: &'a [f32],
    dx: &'a mut [f32],
    channels: usize,
    window: Window2d,
}

impl WithSimd for Scatter<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let Window2d { rows, cols } = self.window;
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

/// Gradient at the kernel: `dk = sum of x * g` at every tap.
pub fn kernel_gradient(x: &[f32], g: &[f32], channels: usize, window: Window2d) -> Vec<f32> {
    /// Number of tasks: fixed, so that the sums do not depend on the number of cores.
    const PIECES: usize = 8;
    let size = window.rows.size * window.cols.size * channels;
    let (image, output) = (window.inputs() * channels, window.outputs() * channels);
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
                    window,
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
    window: Window2d,
}

impl WithSimd for Correlate<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let Window2d { rows, cols } = self.window;
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
