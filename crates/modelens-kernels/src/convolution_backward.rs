//! Backward pass of a convolution: from the gradient at the output to those at the input and the
//! kernel.

use rayon::prelude::*;

use crate::affine_relu::{AffineRelu, add_to};
use crate::convolution::{ConvShape, columns, gather};
use crate::matmul::{Factor, matmul, plain, transposed};
use crate::window::Window2d;

/// Kernel gradients are summed within pieces of the batch, then over the pieces. Their number
/// depends on the shapes alone, so the sums do not depend on the number of cores.
const PIECES: usize = 8;

/// The sum of the pieces.
fn sum_of(pieces: Vec<Vec<f32>>) -> Vec<f32> {
    let sum = pieces.into_iter().reduce(|mut sum, piece| {
        add_to(&mut sum, &piece);
        sum
    });
    sum.unwrap_or_default()
}

/// `a^T b` of `[rows, k]` and `[rows, n]`, summed over pieces of the rows.
fn transposed_product(a: &[f32], b: &[f32], k: usize, n: usize) -> Vec<f32> {
    let rows = a.len() / k.max(1);
    // Fewer pieces where the product is large compared to the rows: every piece is added up once more.
    let pieces = (rows / k.max(n).max(1)).clamp(2, PIECES);
    let size = rows.div_ceil(pieces).max(1);
    let pieces = a.par_chunks(size * k).zip(b.par_chunks(size * n));
    let pieces = pieces.map(|(a, b)| {
        let mut sum = vec![0.0; k * n];
        let shape = [k, a.len() / k, n];
        multiply(transposed(a), plain(b), &mut sum, shape, false);
        sum
    });
    sum_of(pieces.collect())
}

/// Gradient at the kernel: `dk = P^T g` over the patches `P` of `x`.
pub fn kernel_gradient(x: &[f32], g: &[f32], conv: ConvShape) -> Vec<f32> {
    let ConvShape {
        window,
        channels,
        out,
        groups,
    } = conv;
    if conv.is_pointwise() {
        return transposed_product(x, g, channels, out);
    }
    let (image, pixels) = (window.inputs() * channels, window.outputs());
    let (patch, width, depth) = (conv.patch(), out / groups, channels / groups);
    let images = (x.len() / image.max(1)).div_ceil(PIECES).max(1);
    let pieces = x
        .par_chunks((images * image).max(1))
        .zip(g.par_chunks((images * pixels * out).max(1)));
    let pieces = pieces.map(|(x, g)| {
        let mut dk = vec![0.0; patch * out];
        let mut patches = vec![0.0_f32; pixels * patch];
        for (x, g) in x.chunks(image).zip(g.chunks(pixels * out)) {
            for group in 0..groups {
                let part = [channels, group * depth, depth];
                for (at, patch) in patches.chunks_mut(patch).enumerate() {
                    gather((x, 0), patch, window.output(at), window, part);
                }
                if groups == 1 {
                    let shape = [patch, pixels, out];
                    multiply(transposed(&patches), plain(g), &mut dk, shape, true);
                    continue;
                }
                let g = columns(g, out, group * width, width);
                let mut sum = columns(&dk, out, group * width, width);
                let shape = [patch, pixels, width];
                multiply(transposed(&patches), plain(&g), &mut sum, shape, true);
                for (dk, sum) in dk.chunks_mut(out).zip(sum.chunks(width)) {
                    dk[group * width..][..width].copy_from_slice(sum);
                }
            }
        }
        dk
    });
    sum_of(pieces.collect())
}

/// Gradient at the input: `g k^T`, added back to the positions each patch was read from.
pub fn input_gradient(g: &[f32], k: &[f32], dx: &mut [f32], conv: ConvShape) {
    let ConvShape {
        window,
        channels,
        out,
        groups,
    } = conv;
    if conv.is_pointwise() {
        let rows = (dx.len() / channels.max(1)).div_ceil(8).clamp(16, 512);
        let tasks = dx
            .par_chunks_mut(rows * channels)
            .zip(g.par_chunks(rows * out));
        tasks.for_each(|(dx, g)| {
            let shape = [dx.len() / channels, out, channels];
            multiply(plain(g), transposed(k), dx, shape, false);
        });
        return;
    }
    let (image, pixels) = (window.inputs() * channels, window.outputs());
    let (patch, width, depth) = (conv.patch(), out / groups, channels / groups);
    let images = dx
        .par_chunks_mut(image.max(1))
        .zip(g.par_chunks((pixels * out).max(1)));
    images.for_each(|(dx, g)| {
        dx.fill(0.0);
        let mut patches = vec![0.0_f32; pixels * patch];
        for group in 0..groups {
            let k = columns(k, out, group * width, width);
            let g = columns(g, out, group * width, width);
            let shape = [pixels, width, patch];
            multiply(plain(&g), transposed(&k), &mut patches, shape, false);
            let part = [channels, group * depth, depth];
            for (at, patch) in patches.chunks(patch).enumerate() {
                scatter(dx, patch, window.output(at), window, part);
            }
        }
    });
}

/// The reverse of [`gather`]: adds a patch to the positions it was read from.
fn scatter(
    x: &mut [f32],
    patch: &[f32],
    [row, col]: [usize; 2],
    Window2d { rows, cols }: Window2d,
    [channels, first, depth]: [usize; 3],
) {
    let taps = (0..rows.size).flat_map(|r| (0..cols.size).map(move |c| (r, c)));
    for ((r, c), patch) in taps.zip(patch.chunks(depth)) {
        if let (Some(r), Some(c)) = (rows.position(row, r), cols.position(col, c)) {
            let start = (r * cols.input + c) * channels + first;
            let x = &mut x[start..][..depth];
            x.iter_mut().zip(patch).for_each(|(x, p)| *x += p);
        }
    }
}

/// [`matmul`] without an epilogue.
fn multiply(a: Factor<'_>, b: Factor<'_>, out: &mut [f32], shape: [usize; 3], add: bool) {
    matmul(a, b, out, shape, add, &AffineRelu::default());
}
