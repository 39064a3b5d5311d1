//! Transposed convolution: the gradient of a convolution, used forwards to enlarge.

use candle_core::{Error, Result, Tensor};

use super::conv::conv2d;
use crate::model::graph::{Activation, Conv2d, Padding};

/// Parameters of a transposed convolution.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TransposedConv2d {
    pub strides: [usize; 2],
    pub dilation: [usize; 2],
    pub padding: Padding,
    /// Pixels added after the last one; without it the output is as long as the shortest input of a
    /// convolution that gives this many pixels.
    pub output_padding: Option<[usize; 2]>,
    pub activation: Activation,
}

/// `(k - 1) d + 1`.
fn reach(size: usize, dilation: usize) -> Option<usize> {
    size.checked_sub(1)?.checked_mul(dilation)?.checked_add(1)
}

impl TransposedConv2d {
    /// Output pixels along an axis for `n` input pixels under a kernel of `size`; `None` where that
    /// cannot be counted or nothing is left. `same`: `n s`; `valid`: `n s + max(reach - s, 0)`; with an
    /// output padding `p`: `(n - 1) s + reach - 2 floor(reach / 2) + p` or `(n - 1) s + reach + p`.
    pub fn side(&self, axis: usize, n: usize, size: usize) -> Option<usize> {
        let (stride, reach) = (self.strides[axis], reach(size, self.dilation[axis])?);
        let length = match (self.output_padding, self.padding) {
            (None, Padding::Same) => n.checked_mul(stride)?,
            (None, _) => n
                .checked_mul(stride)?
                .checked_add(reach.saturating_sub(stride))?,
            (Some(extra), padding) => {
                let whole = n.checked_sub(1)?.checked_mul(stride)?.checked_add(reach)?;
                let whole = whole.checked_add(extra[axis])?;
                match padding {
                    Padding::Same => whole.checked_sub(reach / 2 * 2)?,
                    _ => whole,
                }
            }
        };
        Some(length).filter(|&n| n > 0)
    }

    /// Values of the largest tensor on the way: the input with zeros between and around.
    pub fn inner(&self, [n, h, w, c]: [usize; 4], [kh, kw]: [usize; 2]) -> usize {
        let side = |axis: usize, n: usize, size: usize| {
            let reach = reach(size, self.dilation[axis]).unwrap_or(usize::MAX);
            n.saturating_mul(self.strides[axis])
                .saturating_add(reach.saturating_mul(2))
        };
        let (rows, columns) = (side(0, h, kh), side(1, w, kw));
        n.saturating_mul(rows)
            .saturating_mul(columns)
            .saturating_mul(c)
    }
}

/// `[N, H, W, in]` with `[kh, kw, out, in]`, without bias and activation. Every input pixel adds its
/// multiple of the kernel to the output, `stride` pixels apart: a plain convolution with the turned
/// kernel over the input with zeros between its pixels.
pub fn transposed_conv2d(
    x: &Tensor,
    kernel: &Tensor,
    settings: &TransposedConv2d,
) -> Result<Tensor> {
    let (kh, kw, _, _) = kernel.dims4()?;
    let mut y = x.clone();
    let mut turned = kernel.clone();
    let mut cuts = Vec::new();
    for (axis, size) in [kh, kw].into_iter().enumerate() {
        let (n, stride) = (x.dim(axis + 1)?, settings.strides[axis]);
        let overflow = || Error::Msg("its output is larger than can be counted".into());
        let reach = reach(size, settings.dilation[axis]).ok_or_else(overflow)?;
        let length = settings.side(axis, n, size).ok_or_else(overflow)?;
        let full = (n - 1) * stride + reach;
        // What `same` would have padded before the first pixel of an input of this length.
        let before = match settings.padding {
            Padding::Same => full.saturating_sub(length) / 2,
            Padding::Around(pixels)
            | Padding::Sides {
                pixels: [pixels, ..],
                ..
            } => pixels,
            Padding::Valid => 0,
        };
        cuts.push((before, length, full));
        y = spread(&y, axis + 1, stride)?.pad_with_zeros(axis + 1, reach - 1, reach - 1)?;
        let backwards: Vec<u32> = (0..size as u32).rev().collect();
        let backwards = Tensor::new(backwards, x.device())?;
        turned = turned.contiguous()?.index_select(&backwards, axis)?;
    }
    let plain = Conv2d {
        strides: [1, 1],
        dilation: settings.dilation,
        padding: Padding::Valid,
        groups: 1,
        activation: Activation::Linear,
    };
    let turned = turned.permute((0, 1, 3, 2))?.contiguous()?;
    let mut y = conv2d(&y.contiguous()?, &turned, &plain)?;
    for (axis, (before, length, full)) in cuts.into_iter().enumerate() {
        let there = length.min(full - before);
        y = y.narrow(axis + 1, before, there)?;
        if there < length {
            y = y.pad_with_zeros(axis + 1, 0, length - there)?;
        }
    }
    y.contiguous()
}

/// `stride - 1` zeros between neighbours along one axis.
fn spread(x: &Tensor, axis: usize, stride: usize) -> Result<Tensor> {
    if stride == 1 {
        return Ok(x.clone());
    }
    let n = x.dim(axis)?;
    let mut dims = x.dims().to_vec();
    dims[axis] = n * stride;
    let apart = x
        .unsqueeze(axis + 1)?
        .pad_with_zeros(axis + 1, 0, stride - 1)?;
    apart
        .contiguous()?
        .reshape(dims)?
        .narrow(axis, 0, (n - 1) * stride + 1)
}
