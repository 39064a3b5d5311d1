//! Convolutions, and the dense layer.

use candle_core::{CpuStorage, CustomOp2, Error, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

use super::conv_grad;
use super::kernel::{matrix_product, plain, values};
use super::window::Window;
use crate::model::graph::Conv2d;

/// Cross-correlation of `[N, H, W, C]` with `[kh, kw, C / groups, out]`.
/// Source of the padding rule: [`Window`].
#[derive(Clone, Debug)]
struct Convolution(Conv2d);

/// Values of one patch matrix: small enough for the second-level cache.
const PATCH_VALUES: usize = 64 * 1024;

impl CustomOp2 for Convolution {
    fn name(&self) -> &'static str {
        "conv2d-nhwc"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        kernel: &CpuStorage,
        kernel_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (x, kernel) = (values(x, x_layout)?, values(kernel, kernel_layout)?);
        let (n, h, w, channels) = x_layout.shape().dims4()?;
        let (kh, kw, depth, out) = kernel_layout.shape().dims4()?;
        let Conv2d {
            strides,
            dilation,
            padding,
            groups,
            ..
        } = self.0;
        if groups == 0 || depth * groups != channels || out % groups != 0 {
            return Err(Error::Msg(format!(
                "a kernel for {depth} channels in {groups} groups cannot take {channels} channels"
            )));
        }
        let rows = Window::new(h, kh, strides[0], dilation[0], padding)?;
        let cols = Window::new(w, kw, strides[1], dilation[1], padding)?;
        let pixels = rows.output * cols.output;
        let mut y = vec![0.0_f32; n * pixels * out];
        let pointwise = kh == 1 && kw == 1 && strides == [1, 1] && groups == 1;
        let patch = kh * kw * depth;
        let block = (PATCH_VALUES / patch.max(1)).clamp(16, pixels.max(16));
        if y.is_empty() {
            return Ok((
                CpuStorage::F32(y),
                Shape::from((n, rows.output, cols.output, out)),
            ));
        }
        y.par_chunks_mut(pixels * out)
            .enumerate()
            .for_each(|(image, y)| {
                let x = &x[image * h * w * channels..][..h * w * channels];
                if pointwise {
                    matrix_product(plain(x), plain(kernel), y, [pixels, channels, out], false);
                    return;
                }
                let (mut patches, mut part) = (vec![0.0; block * patch], Vec::new());
                for (b, y) in y.chunks_mut(block * out).enumerate() {
                    let count = y.len() / out;
                    for group in 0..groups {
                        let patches = &mut patches[..count * patch];
                        for (i, patches) in patches.chunks_mut(patch).enumerate() {
                            let at = b * block + i;
                            gather(
                                x,
                                patches,
                                [at / cols.output, at % cols.output],
                                [rows, cols],
                                [channels, group * depth, depth],
                            );
                        }
                        if groups == 1 {
                            matrix_product(
                                plain(patches),
                                plain(kernel),
                                y,
                                [count, patch, out],
                                false,
                            );
                            continue;
                        }
                        let width = out / groups;
                        let columns = columns(kernel, out, group * width, width);
                        part.resize(count * width, 0.0);
                        let shape = [count, patch, width];
                        matrix_product(plain(patches), plain(&columns), &mut part, shape, false);
                        for (y, part) in y.chunks_mut(out).zip(part.chunks(width)) {
                            y[group * width..][..width].copy_from_slice(part);
                        }
                    }
                }
            });
        Ok((
            CpuStorage::F32(y),
            Shape::from((n, rows.output, cols.output, out)),
        ))
    }

    fn bwd(
        &self,
        x: &Tensor,
        kernel: &Tensor,
        _y: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        conv_grad::convolution(x, kernel, grad, &self.0)
    }
}

/// Some columns of a matrix with rows of `length`.
pub(super) fn columns(matrix: &[f32], length: usize, first: usize, width: usize) -> Vec<f32> {
    matrix
        .chunks(length)
        .flat_map(|row| &row[first..][..width])
        .copied()
        .collect()
}

/// The patch under one output pixel as a row `[kh, kw, depth]`, zeros outside of the image.
pub(super) fn gather(
    x: &[f32],
    patch: &mut [f32],
    [row, col]: [usize; 2],
    [rows, cols]: [Window; 2],
    [channels, first, depth]: [usize; 3],
) {
    let taps = (0..rows.size).flat_map(|r| (0..cols.size).map(move |c| (r, c)));
    for ((r, c), patch) in taps.zip(patch.chunks_mut(depth)) {
        match (rows.position(row, r), cols.position(col, c)) {
            (Some(r), Some(c)) => {
                let start = (r * cols.input + c) * channels + first;
                patch.copy_from_slice(&x[start..][..depth]);
            }
            _ => patch.fill(0.0),
        }
    }
}

/// One filter a channel: `[N, H, W, C]` with `[kh, kw, C, multiplier]`; output channel
/// `c * multiplier + m`.
///
/// candle runs one convolution a channel; this runs along the channels, which lie side by side.
#[derive(Clone, Debug)]
struct Depthwise(Conv2d);

impl CustomOp2 for Depthwise {
    fn name(&self) -> &'static str {
        "depthwise-conv2d-nhwc"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        kernel: &CpuStorage,
        kernel_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (x, kernel) = (values(x, x_layout)?, values(kernel, kernel_layout)?);
        let (n, h, w, channels) = x_layout.shape().dims4()?;
        let (kh, kw, depth, multiplier) = kernel_layout.shape().dims4()?;
        if depth != channels {
            return Err(Error::Msg(format!(
                "a kernel for {depth} channels cannot take {channels} channels"
            )));
        }
        let Conv2d {
            strides,
            dilation,
            padding,
            ..
        } = self.0;
        let rows = Window::new(h, kh, strides[0], dilation[0], padding)?;
        let cols = Window::new(w, kw, strides[1], dilation[1], padding)?;
        let out = channels * multiplier;
        let shape = Shape::from((n, rows.output, cols.output, out));
        let mut y = vec![0.0_f32; shape.elem_count()];
        if y.is_empty() {
            return Ok((CpuStorage::F32(y), shape));
        }
        let work = |(line, y): (usize, &mut [f32])| {
            let (image, row) = (line / rows.output, line % rows.output);
            let x = &x[image * h * w * channels..][..h * w * channels];
            for r in 0..kh {
                let Some(at) = rows.position(row, r) else {
                    continue;
                };
                let x = &x[at * w * channels..][..w * channels];
                for (col, y) in y.chunks_mut(out).enumerate() {
                    for c in 0..kw {
                        let Some(at) = cols.position(col, c) else {
                            continue;
                        };
                        let x = &x[at * channels..][..channels];
                        let kernel = &kernel[(r * kw + c) * out..][..out];
                        if multiplier == 1 {
                            for ((y, x), k) in y.iter_mut().zip(x).zip(kernel) {
                                *y += x * k;
                            }
                        } else {
                            let units = y.chunks_mut(multiplier).zip(kernel.chunks(multiplier));
                            for ((y, k), x) in units.zip(x) {
                                y.iter_mut().zip(k).for_each(|(y, k)| *y += x * k);
                            }
                        }
                    }
                }
            }
        };
        y.par_chunks_mut(cols.output * out)
            .enumerate()
            .for_each(work);
        Ok((CpuStorage::F32(y), shape))
    }

    fn bwd(
        &self,
        x: &Tensor,
        kernel: &Tensor,
        _y: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        conv_grad::depthwise(x, kernel, grad, &self.0)
    }
}

/// `x[..., k] * kernel[k, n]`: a dense layer without bias, over any leading axes.
#[derive(Clone, Copy, Debug)]
struct Product;

impl CustomOp2 for Product {
    fn name(&self) -> &'static str {
        "dense"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        kernel: &CpuStorage,
        kernel_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (x, kernel) = (values(x, x_layout)?, values(kernel, kernel_layout)?);
        let (k, n) = kernel_layout.shape().dims2()?;
        let mut dims = x_layout.dims().to_vec();
        if dims.last() != Some(&k) {
            return Err(Error::Msg(format!(
                "a kernel for {k} units cannot take {dims:?}"
            )));
        }
        let last = dims.len() - 1;
        dims[last] = n;
        let rows = x.len().checked_div(k).unwrap_or(0);
        let mut y = vec![0.0_f32; rows * n];
        matrix_product(plain(x), plain(kernel), &mut y, [rows, k, n], false);
        Ok((CpuStorage::F32(y), Shape::from(dims)))
    }

    fn bwd(
        &self,
        x: &Tensor,
        kernel: &Tensor,
        _y: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        conv_grad::product(x, kernel, grad)
    }
}

/// Convolution without bias and activation; [`Convolution`].
pub fn conv2d(x: &Tensor, kernel: &Tensor, settings: &Conv2d) -> Result<Tensor> {
    x.apply_op2(kernel, Convolution(settings.clone()))
}

/// Depthwise convolution without bias and activation; [`Depthwise`].
pub fn depthwise_conv2d(x: &Tensor, kernel: &Tensor, settings: &Conv2d) -> Result<Tensor> {
    x.apply_op2(kernel, Depthwise(settings.clone()))
}

/// Dense layer without bias and activation; [`Product`].
pub fn dense(x: &Tensor, kernel: &Tensor) -> Result<Tensor> {
    x.apply_op2(kernel, Product)
}
