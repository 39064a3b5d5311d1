//! Gradients of convolutions and of the dense layer: from the gradient at the output to those at
//! the input and at the kernel. What nobody asks for is not computed.

use candle_core::{Result, Tensor};
use rayon::prelude::*;

use super::channels::Finish;
use super::channels::add_to;
use super::conv::{Sizes, columns, gather};
use super::depthwise_grad;
use super::kernel::{tensor, with_values};
use super::product::{Factor, matrix_product, plain, transposed};
use super::window::Place;
use crate::model::graph::Conv2d;

/// Gradients at input and kernel; `None` for those that nothing trainable depends on.
type Gradients = Result<(Option<Tensor>, Option<Tensor>)>;

/// Kernel gradients are summed over the rows of a piece, then over pieces: a number that depends
/// on the shapes alone, so that sums come out the same however many cores there are.
const PIECES: usize = 8;

/// Sums what the pieces give.
fn added(pieces: Vec<Vec<f32>>) -> Vec<f32> {
    let sum = pieces.into_iter().reduce(|mut sum, piece| {
        add_to(&mut sum, &piece);
        sum
    });
    sum.unwrap_or_default()
}

/// `a^T b` of `[rows, k]` and `[rows, n]`, summed over pieces of the rows.
fn transposed_product(a: &[f32], b: &[f32], k: usize, n: usize) -> Vec<f32> {
    let rows = a.len() / k.max(1);
    // Few pieces where the product is large beside the rows: each piece has to be added up.
    let pieces = (rows / k.max(n).max(1)).clamp(2, PIECES);
    let size = rows.div_ceil(pieces).max(1);
    let pieces = a.par_chunks(size * k).zip(b.par_chunks(size * n));
    let pieces = pieces.map(|(a, b)| {
        let mut sum = vec![0.0; k * n];
        let shape = [k, a.len() / k, n];
        multiply(transposed(a), plain(b), &mut sum, shape, false);
        sum
    });
    added(pieces.collect())
}

/// The gradient of a convolution at its kernel: `dk = P^T g` over the patches `P` of `x`.
pub fn kernel_gradient(x: &[f32], g: &[f32], sizes: Sizes) -> Vec<f32> {
    let Sizes {
        place,
        channels,
        out,
        groups,
    } = sizes;
    if sizes.is_pointwise() {
        return transposed_product(x, g, channels, out);
    }
    let (image, pixels) = (place.inputs() * channels, place.outputs());
    let (patch, width, depth) = (sizes.patch(), out / groups, channels / groups);
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
                    gather(x, patch, place.output(at), place, part);
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
    added(pieces.collect())
}

/// The gradient of a convolution at its input: `g k^T`, added back to the places that each patch
/// came from.
pub fn input_gradient(g: &[f32], k: &[f32], dx: &mut [f32], sizes: Sizes) {
    let Sizes {
        place,
        channels,
        out,
        groups,
    } = sizes;
    if sizes.is_pointwise() {
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
    let (image, pixels) = (place.inputs() * channels, place.outputs());
    let (patch, width, depth) = (sizes.patch(), out / groups, channels / groups);
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
                scatter(dx, patch, place.output(at), place, part);
            }
        }
    });
}

/// Both gradients of a convolution.
pub fn convolution(x: &Tensor, kernel: &Tensor, grad: &Tensor, settings: &Conv2d) -> Gradients {
    let sizes = Sizes::new(x.dims(), kernel.dims(), settings)?;
    with_values(grad, |g| {
        let mut dx = None;
        if x.track_op() {
            let mut values = vec![0.0; x.elem_count()];
            with_values(kernel, |k| {
                input_gradient(g, k, &mut values, sizes);
                Ok(())
            })?;
            dx = Some(tensor(values, x.shape())?);
        }
        let mut dk = None;
        if kernel.track_op() {
            let values = with_values(x, |x| Ok(kernel_gradient(x, g, sizes)))?;
            dk = Some(tensor(values, kernel.shape())?);
        }
        Ok((dx, dk))
    })
}

/// The reverse of [`gather`]: adds a patch to the places it was read from.
fn scatter(
    x: &mut [f32],
    patch: &[f32],
    [row, col]: [usize; 2],
    Place { rows, cols }: Place,
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

/// Of a depthwise convolution: every tap gives `dk += x g` and `dx += k g`.
pub fn depthwise(x: &Tensor, kernel: &Tensor, grad: &Tensor, settings: &Conv2d) -> Gradients {
    let (_, h, w, channels) = x.dims4()?;
    let (kh, kw, _, multiplier) = kernel.dims4()?;
    let place = Place::new([h, w], [kh, kw], settings)?;
    let (x_values, k, g) = (
        x.flatten_all()?.to_vec1::<f32>()?,
        kernel.flatten_all()?.to_vec1::<f32>()?,
        grad.flatten_all()?.to_vec1::<f32>()?,
    );
    let mut dx = vec![0.0; if x.track_op() { x.elem_count() } else { 0 }];
    let mut dk = vec![0.0; kernel.elem_count()];
    // Each of the channels that one input channel is spread over is a depthwise convolution.
    for m in 0..multiplier {
        let of = |all: &[f32]| every(all, m, multiplier);
        let (k, g) = (of(&k), of(&g));
        if kernel.track_op() {
            let part = depthwise_grad::kernel_gradient(&x_values, &g, channels, place);
            let places = dk.iter_mut().skip(m).step_by(multiplier);
            places.zip(part).for_each(|(dk, part)| *dk = part);
        }
        if x.track_op() {
            let mut part = vec![0.0; dx.len()];
            depthwise_grad::input_gradient(&g, &k, &mut part, channels, place);
            add_to(&mut dx, &part);
        }
    }
    Ok((
        x.track_op().then(|| tensor(dx, x.shape())).transpose()?,
        kernel
            .track_op()
            .then(|| tensor(dk, kernel.shape()))
            .transpose()?,
    ))
}

/// Every `step`-th value from `first` on.
fn every(values: &[f32], first: usize, step: usize) -> Vec<f32> {
    values.iter().skip(first).step_by(step).copied().collect()
}

/// Of `y = x k`: `dx = g k^T`, `dk = x^T g`.
pub fn product(x: &Tensor, kernel: &Tensor, grad: &Tensor) -> Gradients {
    let (k, n) = kernel.dims2()?;
    let rows = x.elem_count() / k.max(1);
    with_values(x, |x_values| {
        with_values(kernel, |kernel_values| {
            with_values(grad, |g| {
                let mut dx = None;
                if x.track_op() {
                    let mut values = vec![0.0; rows * k];
                    let shape = [rows, n, k];
                    multiply(
                        plain(g),
                        transposed(kernel_values),
                        &mut values,
                        shape,
                        false,
                    );
                    dx = Some(tensor(values, x.shape())?);
                }
                let mut dk = None;
                if kernel.track_op() {
                    let mut values = vec![0.0; k * n];
                    let shape = [k, rows, n];
                    multiply(transposed(x_values), plain(g), &mut values, shape, false);
                    dk = Some(tensor(values, kernel.shape())?);
                }
                Ok((dx, dk))
            })
        })
    })
}

/// [`matrix_product`] with nothing done to it.
fn multiply(a: Factor<'_>, b: Factor<'_>, out: &mut [f32], shape: [usize; 3], add: bool) {
    matrix_product(a, b, out, shape, add, &Finish::default());
}
