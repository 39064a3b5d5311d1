//! Depthwise convolution.

use candle_core::{CpuStorage, CustomOp2, Error, Layout, Result, Shape, Tensor};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::shape::{ImageShape, Shapes};
use super::{Call, CallMode, Conv2d, LayerOp};
use crate::rules::Role;
use modelens_kernels::affine_relu::{AffineRelu, add_to};
use modelens_kernels::slices::{tensor, values};
use modelens_kernels::window::Window2d;
use modelens_kernels::{depthwise, depthwise_backward};

/// One or more filters for each channel: `[N, H, W, C]` with `depthwise_kernel`
/// `[kh, kw, C, multiplier]` gives `C * multiplier` channels, channel `c * multiplier + m` from input
/// channel `c`; plus `bias` (optional), then an activation. `groups` is not used. Source: Keras'
/// `DepthwiseConv2D`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DepthwiseConv2d(pub Conv2d);

impl LayerOp for DepthwiseConv2d {
    fn role(&self) -> Role {
        Role::Weights
    }

    fn mixes_images(&self, _: CallMode) -> bool {
        false
    }

    fn output_shape(&self, shapes: &Shapes<'_>) -> std::result::Result<ImageShape, String> {
        let [height, width, _] = shapes.image()?;
        let [kh, kw, channels, multiplier] = shapes.weight("depthwise_kernel")?;
        let out = channels
            .checked_mul(multiplier)
            .ok_or("it has more channels than can be counted")?;
        let [height, width] = self.0.output_sides([height, width], [kh, kw])?;
        Ok(vec![height, width, Some(out)])
    }

    fn forward(&self, call: &Call<'_>) -> Result<Tensor> {
        let kernel = call.weights.need("depthwise_kernel")?;
        let y = depthwise_conv2d(call.x()?, kernel, &self.0)?;
        call.with_bias(&y, self.0.activation)
    }
}

/// Depthwise convolution without bias and activation.
///
/// candle runs one convolution a channel; this one vectorises over the channels.
pub(super) fn depthwise_conv2d(x: &Tensor, kernel: &Tensor, settings: &Conv2d) -> Result<Tensor> {
    x.apply_op2(kernel, Depthwise(settings.clone()))
}

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
        let window = Window2d::new([h, w], [kh, kw], self.0.steps())?;
        let Window2d { rows, cols } = window;
        let out = channels * multiplier;
        let shape = Shape::from((n, rows.output, cols.output, out));
        let mut y = vec![0.0_f32; shape.elem_count()];
        if y.is_empty() {
            return Ok((CpuStorage::F32(y), shape));
        }
        if multiplier == 1 {
            let nothing = AffineRelu::default();
            depthwise::forward(x, kernel, &mut y, channels, window, [&nothing, &nothing]);
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
        let (_, h, w, channels) = x.dims4()?;
        let (kh, kw, _, multiplier) = kernel.dims4()?;
        let window = Window2d::new([h, w], [kh, kw], self.0.steps())?;
        let (x_values, k, g) = (
            x.flatten_all()?.to_vec1::<f32>()?,
            kernel.flatten_all()?.to_vec1::<f32>()?,
            grad.flatten_all()?.to_vec1::<f32>()?,
        );
        let mut dx = vec![0.0; if x.track_op() { x.elem_count() } else { 0 }];
        let mut dk = vec![0.0; kernel.elem_count()];
        // Output channels `m`, `m + multiplier`, ... form a depthwise convolution with one filter a channel.
        for m in 0..multiplier {
            let of = |all: &[f32]| every_nth(all, m, multiplier);
            let (k, g) = (of(&k), of(&g));
            if kernel.track_op() {
                let part = depthwise_backward::kernel_gradient(&x_values, &g, channels, window);
                let places = dk.iter_mut().skip(m).step_by(multiplier);
                places.zip(part).for_each(|(dk, part)| *dk = part);
            }
            if x.track_op() {
                let mut part = vec![0.0; dx.len()];
                depthwise_backward::input_gradient(&g, &k, &mut part, channels, window);
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
}

/// Every `step`-th value, starting at `first`.
fn every_nth(values: &[f32], first: usize, step: usize) -> Vec<f32> {
    values.iter().skip(first).step_by(step).copied().collect()
}
