//! Gradients of convolutions and of the dense layer: from the gradient at the output to those at
//! the input and at the kernel. What nobody asks for is not computed.

use candle_core::{Error, Result, Tensor};
use rayon::prelude::*;

use super::conv::{columns, gather};
use super::kernel::{matrix_product, plain, tensor, transposed, with_values};
use super::window::Window;
use crate::model::graph::Conv2d;

/// Gradients at input and kernel; `None` for those that nothing trainable depends on.
type Gradients = Result<(Option<Tensor>, Option<Tensor>)>;

/// Kernel gradients are summed over the images of a piece, then over pieces: a fixed number, so
/// that sums come out the same however many cores there are.
const PIECES: usize = 8;

/// Calls `image(i, dx_i, dk_piece)` for every image in parallel and sums the kernel gradients.
fn by_image(
    x: &Tensor,
    kernel: &Tensor,
    image: impl Fn(usize, &mut [f32], &mut [f32]) + Sync,
) -> Gradients {
    let (needs_x, needs_kernel) = (x.track_op(), kernel.track_op());
    let n = x.dim(0)?;
    let each = x.elem_count() / n.max(1);
    let size = kernel.elem_count();
    let mut dx = vec![0.0_f32; if needs_x { n * each } else { 0 }];
    let images = n.div_ceil(PIECES).max(1);
    let starts: Vec<usize> = (0..n).step_by(images).collect();
    let mut slices: Vec<&mut [f32]> = if needs_x {
        dx.chunks_mut(images * each.max(1)).collect()
    } else {
        starts.iter().map(|_| Default::default()).collect()
    };
    let partial = starts
        .par_iter()
        .zip(slices.par_iter_mut())
        .map(|(&start, dx)| {
            let mut dk = vec![0.0_f32; if needs_kernel { size } else { 0 }];
            for i in start..(start + images).min(n) {
                let dx = if needs_x {
                    &mut dx[(i - start) * each..][..each]
                } else {
                    &mut []
                };
                image(i, dx, &mut dk);
            }
            dk
        });
    let partial: Vec<Vec<f32>> = partial.collect();
    let dk = partial.into_iter().reduce(|mut sum, part| {
        sum.iter_mut()
            .zip(part)
            .for_each(|(sum, part)| *sum += part);
        sum
    });
    Ok((
        needs_x.then(|| tensor(dx, x.shape())).transpose()?,
        match dk {
            Some(dk) if needs_kernel => Some(tensor(dk, kernel.shape())?),
            _ => None,
        },
    ))
}

/// Of `y = conv(x, k)` over patches `P` of `x`: `dk = P^T g`, and `g k^T` added back to the places
/// that each patch came from.
pub fn convolution(x: &Tensor, kernel: &Tensor, grad: &Tensor, settings: &Conv2d) -> Gradients {
    let (_, h, w, channels) = x.dims4()?;
    let (kh, kw, depth, out) = kernel.dims4()?;
    let Conv2d {
        strides,
        dilation,
        padding,
        groups,
        ..
    } = *settings;
    if groups == 0 {
        return Err(Error::Msg("a convolution has at least one group".into()));
    }
    let rows = Window::new(h, kh, strides[0], dilation[0], padding)?;
    let cols = Window::new(w, kw, strides[1], dilation[1], padding)?;
    let (pixels, patch, width) = (rows.output * cols.output, kh * kw * depth, out / groups);
    let place = |at: usize| [at / cols.output, at % cols.output];
    with_values(x, |x_values| {
        with_values(kernel, |k| {
            with_values(grad, |g| {
                by_image(x, kernel, |i, dx, dk| {
                    let x = &x_values[i * h * w * channels..][..h * w * channels];
                    let g = &g[i * pixels * out..][..pixels * out];
                    let mut patches = vec![0.0_f32; pixels * patch];
                    for group in 0..groups {
                        let part = [channels, group * depth, depth];
                        let g = columns(g, out, group * width, width);
                        if !dk.is_empty() {
                            for (at, patch) in patches.chunks_mut(patch).enumerate() {
                                gather(x, patch, place(at), [rows, cols], part);
                            }
                            let mut sum = columns(dk, out, group * width, width);
                            let shape = [patch, pixels, width];
                            matrix_product(transposed(&patches), plain(&g), &mut sum, shape, true);
                            for (dk, sum) in dk.chunks_mut(out).zip(sum.chunks(width)) {
                                dk[group * width..][..width].copy_from_slice(sum);
                            }
                        }
                        if !dx.is_empty() {
                            let k = columns(k, out, group * width, width);
                            let shape = [pixels, width, patch];
                            matrix_product(plain(&g), transposed(&k), &mut patches, shape, false);
                            for (at, patch) in patches.chunks(patch).enumerate() {
                                scatter(dx, patch, place(at), [rows, cols], part);
                            }
                        }
                    }
                })
            })
        })
    })
}

/// The reverse of [`gather`]: adds a patch to the places it was read from.
fn scatter(
    x: &mut [f32],
    patch: &[f32],
    [row, col]: [usize; 2],
    [rows, cols]: [Window; 2],
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
    let Conv2d {
        strides,
        dilation,
        padding,
        ..
    } = *settings;
    let rows = Window::new(h, kh, strides[0], dilation[0], padding)?;
    let cols = Window::new(w, kw, strides[1], dilation[1], padding)?;
    let out = channels * multiplier;
    let pixels = rows.output * cols.output;
    with_values(x, |x_values| {
        with_values(kernel, |k| {
            with_values(grad, |g| {
                by_image(x, kernel, |i, dx, dk| {
                    let x = &x_values[i * h * w * channels..][..h * w * channels];
                    let g = &g[i * pixels * out..][..pixels * out];
                    for (at, g) in g.chunks(out).enumerate() {
                        let (row, col) = (at / cols.output, at % cols.output);
                        for (r, c) in (0..kh).flat_map(|r| (0..kw).map(move |c| (r, c))) {
                            let (Some(at_row), Some(at_col)) =
                                (rows.position(row, r), cols.position(col, c))
                            else {
                                continue;
                            };
                            let x_at = (at_row * w + at_col) * channels;
                            let k_at = (r * kw + c) * out;
                            if !dk.is_empty() {
                                let x = &x[x_at..][..channels];
                                let dk = &mut dk[k_at..][..out];
                                let units = dk.chunks_mut(multiplier).zip(g.chunks(multiplier));
                                for ((dk, g), x) in units.zip(x) {
                                    dk.iter_mut().zip(g).for_each(|(dk, g)| *dk += x * g);
                                }
                            }
                            if !dx.is_empty() {
                                let dx = &mut dx[x_at..][..channels];
                                let k = &k[k_at..][..out];
                                let units = k.chunks(multiplier).zip(g.chunks(multiplier));
                                for (dx, (k, g)) in dx.iter_mut().zip(units) {
                                    *dx += k.iter().zip(g).map(|(k, g)| k * g).sum::<f32>();
                                }
                            }
                        }
                    }
                })
            })
        })
    })
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
                    matrix_product(
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
                    matrix_product(transposed(x_values), plain(g), &mut values, shape, false);
                    dk = Some(tensor(values, kernel.shape())?);
                }
                Ok((dx, dk))
            })
        })
    })
}
