//! Convolutions, and the dense layer.

use candle_core::{CpuStorage, CustomOp2, Error, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

use super::channels::Finish;
use super::kernel::values;
use super::product::{matrix_product, plain};
use super::window::{Place, Window};
use super::{conv_grad, depthwise};
use crate::model::graph::Conv2d;

/// Cross-correlation of `[N, H, W, C]` with `[kh, kw, C / groups, out]`.
/// Source of the padding rule: [`Window`].
#[derive(Clone, Debug)]
struct Convolution(Conv2d);

/// Values of one patch matrix, or of the rows that one task computes: small enough for the
/// second-level cache.
const PATCH_VALUES: usize = 64 * 1024;

/// The sizes of a convolution.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    pub place: Place,
    /// Channels of the input.
    pub channels: usize,
    /// Channels of the output.
    pub out: usize,
    pub groups: usize,
}

impl Sizes {
    /// Of `[N, H, W, C]` and a kernel `[kh, kw, C / groups, out]`.
    ///
    /// # Errors
    /// A kernel for another number of channels, or larger than an unpadded image.
    pub fn new(x: &[usize], kernel: &[usize], settings: &Conv2d) -> Result<Self> {
        let (&[_, h, w, channels], &[kh, kw, depth, out]) = (x, kernel) else {
            return Err(Error::Msg(format!(
                "a kernel of {kernel:?} cannot take {x:?}"
            )));
        };
        let groups = settings.groups;
        if groups == 0 || depth * groups != channels || out % groups != 0 {
            return Err(Error::Msg(format!(
                "a kernel for {depth} channels in {groups} groups cannot take {channels} channels"
            )));
        }
        Ok(Self {
            place: Place::new([h, w], [kh, kw], settings)?,
            channels,
            out,
            groups,
        })
    }

    /// Every output pixel depends on the input pixel in its place alone.
    pub fn is_pointwise(&self) -> bool {
        let is_one =
            |w: Window| w.size == 1 && w.stride == 1 && w.before == 0 && w.input == w.output;
        is_one(self.place.rows) && is_one(self.place.cols) && self.groups == 1
    }

    /// Values under one output pixel, of one group.
    pub fn patch(&self) -> usize {
        self.place.rows.size * self.place.cols.size * (self.channels / self.groups)
    }

    /// Rows of the patch matrix that one task takes.
    fn block(&self) -> usize {
        let widest = self.patch().max(self.out).max(1);
        (PATCH_VALUES / widest).max(16)
    }
}

/// `before` of every input pixel, the convolution, then `finish` of every output pixel.
///
/// # Panics
/// Where something is to be done before, and the convolution is not one of single pixels.
pub fn forward(
    x: &[f32],
    kernel: &[f32],
    y: &mut [f32],
    sizes: Sizes,
    [before, finish]: [&Finish; 2],
) {
    let Sizes {
        place,
        channels,
        out,
        groups,
    } = sizes;
    let (image, pixels) = (place.inputs() * channels, place.outputs());
    if y.is_empty() || image == 0 {
        return;
    }
    let (block, patch) = (sizes.block(), sizes.patch());
    if sizes.is_pointwise() {
        // Small batches are cut finer, so that every core has something to do.
        let block = block.min((y.len() / out).div_ceil(8)).max(16);
        let tasks = y
            .par_chunks_mut(block * out)
            .zip(x.par_chunks(block * channels));
        tasks.for_each(|(y, x)| {
            let shape = [y.len() / out, channels, out];
            before.first(x, channels, |x| {
                matrix_product(plain(x), plain(kernel), y, shape, false, finish);
            });
        });
        return;
    }
    assert!(before.is_nothing(), "several pixels are read");
    let block = block.min(pixels);
    let depth = channels / groups;
    let images = y.par_chunks_mut(pixels * out).zip(x.par_chunks(image));
    images.for_each(|(y, x)| {
        let blocks = y.par_chunks_mut(block * out).enumerate();
        blocks.for_each_init(
            || (vec![0.0; block * patch], Vec::new()),
            |(patches, part), (b, y)| {
                let count = y.len() / out;
                for group in 0..groups {
                    let patches = &mut patches[..count * patch];
                    for (i, patch) in patches.chunks_mut(patch).enumerate() {
                        let at = b * block + i;
                        let at = [at / place.cols.output, at % place.cols.output];
                        gather(x, patch, at, place, [channels, group * depth, depth]);
                    }
                    if groups == 1 {
                        let shape = [count, patch, out];
                        matrix_product(plain(patches), plain(kernel), y, shape, false, finish);
                        return;
                    }
                    let width = out / groups;
                    let columns = columns(kernel, out, group * width, width);
                    part.resize(count * width, 0.0);
                    let shape = [count, patch, width];
                    matrix_product(
                        plain(patches),
                        plain(&columns),
                        part,
                        shape,
                        false,
                        &Finish::default(),
                    );
                    for (y, part) in y.chunks_mut(out).zip(part.chunks(width)) {
                        y[group * width..][..width].copy_from_slice(part);
                    }
                }
                finish.apply(y, out);
            },
        );
    });
}

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
        let sizes = Sizes::new(x_layout.dims(), kernel_layout.dims(), &self.0)?;
        let Place { rows, cols } = sizes.place;
        let shape = Shape::from((x_layout.dims()[0], rows.output, cols.output, sizes.out));
        let mut y = vec![0.0_f32; shape.elem_count()];
        let nothing = Finish::default();
        forward(x, kernel, &mut y, sizes, [&nothing, &nothing]);
        Ok((CpuStorage::F32(y), shape))
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
    Place { rows, cols }: Place,
    [channels, first, depth]: [usize; 3],
) {
    let (low, high) = cols.interior();
    // Taps along a row that all lie in the image are neighbours in memory too.
    let whole = cols.dilation == 1 && depth == channels && (low..high).contains(&col);
    for (r, patch) in patch.chunks_mut(cols.size * depth).enumerate() {
        let Some(r) = rows.position(row, r) else {
            patch.fill(0.0);
            continue;
        };
        let x = &x[r * cols.input * channels..][..cols.input * channels];
        if whole {
            let start = (col * cols.stride - cols.before) * channels;
            patch.copy_from_slice(&x[start..][..patch.len()]);
            continue;
        }
        for (c, patch) in patch.chunks_mut(depth).enumerate() {
            match cols.position(col, c) {
                Some(c) => patch.copy_from_slice(&x[c * channels + first..][..depth]),
                None => patch.fill(0.0),
            }
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
        let place = Place::new([h, w], [kh, kw], &self.0)?;
        let Place { rows, cols } = place;
        let out = channels * multiplier;
        let shape = Shape::from((n, rows.output, cols.output, out));
        let mut y = vec![0.0_f32; shape.elem_count()];
        if y.is_empty() {
            return Ok((CpuStorage::F32(y), shape));
        }
        if multiplier == 1 {
            let nothing = Finish::default();
            depthwise::forward(x, kernel, &mut y, channels, place, [&nothing, &nothing]);
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
                        let units = y.chunks_mut(multiplier).zip(kernel.chunks(multiplier));
                        for ((y, k), x) in units.zip(x) {
                            y.iter_mut().zip(k).for_each(|(y, k)| *y += x * k);
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
        let finish = Finish::default();
        matrix_product(
            plain(x),
            plain(kernel),
            &mut y,
            [rows, k, n],
            false,
            &finish,
        );
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
