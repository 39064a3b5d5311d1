//! Transposed convolution: the input gradient of a convolution, used as a forward pass to enlarge.

use candle_core::{Error, Result, Tensor};
use serde::{Deserialize, Serialize};

use super::conv2d::conv2d;
use super::shape::{ImageShape, Shapes, Side};
use super::{Activation, Call, CallMode, Conv2d, LayerOp, Padding};
use crate::rules::Role;

/// Transposed convolution of `[N, H, W, C]` with `kernel` `[kh, kw, out, C]`, plus `bias` `[out]`
/// (optional), then an activation. Source: Keras' `Conv2DTranspose`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TransposedConv2d {
    pub strides: [usize; 2],
    pub dilation: [usize; 2],
    pub padding: Padding,
    /// Pixels added at the end. `None`: the output has the length of the shortest input from which a
    /// convolution makes this many pixels.
    pub output_padding: Option<[usize; 2]>,
    pub activation: Activation,
}

impl LayerOp for TransposedConv2d {
    fn role(&self) -> Role {
        Role::Weights
    }

    fn mixes_images(&self, _: CallMode) -> bool {
        false
    }

    fn output_shape(&self, shapes: &Shapes<'_>) -> std::result::Result<ImageShape, String> {
        let [height, width, _] = shapes.image()?;
        let [kh, kw, out, _] = shapes.weight("kernel")?;
        let side = |n: Side, axis: usize, size: usize| match n {
            None => Ok(None),
            Some(n) => self
                .side(axis, n, size)
                .map(Some)
                .ok_or("its output cannot be counted, or nothing is left of it"),
        };
        Ok(vec![side(height, 0, kh)?, side(width, 1, kw)?, Some(out)])
    }

    fn forward(&self, call: &Call<'_>) -> Result<Tensor> {
        let y = transposed_conv2d(call.x()?, call.weights.need("kernel")?, self)?;
        call.with_bias(&y, self.activation)
    }

    /// The input with zeros between and around its pixels, and the output before it is cropped.
    fn scratch_values(&self, shapes: &Shapes<'_>) -> usize {
        let (Ok([height, width, channels]), Ok([kh, kw, out, _])) =
            (shapes.image(), shapes.weight("kernel"))
        else {
            return 0;
        };
        let side = |axis: usize, n: Side, size: usize| {
            let reach = reach(size, self.dilation[axis]).unwrap_or(usize::MAX);
            n.unwrap_or(1)
                .saturating_mul(self.strides[axis])
                .saturating_add(reach.saturating_mul(2))
        };
        side(0, height, kh)
            .saturating_mul(side(1, width, kw))
            .saturating_mul(channels.unwrap_or(1).max(out))
    }
}

/// `(k - 1) d + 1`.
fn reach(size: usize, dilation: usize) -> Option<usize> {
    size.checked_sub(1)?.checked_mul(dilation)?.checked_add(1)
}

impl TransposedConv2d {
    /// Output pixels along an axis for `n` input pixels and a kernel of `size`; `None` if there are none
    /// or too many to count. `same`: `n s`; `valid`: `n s + max(reach - s, 0)`; with an
    /// output padding `p`: `(n - 1) s + reach - 2 floor(reach / 2) + p` or `(n - 1) s + reach + p`.
    fn side(&self, axis: usize, n: usize, size: usize) -> Option<usize> {
        let (stride, reach) = (self.strides[axis], reach(size, self.dilation[axis])?);
        let length = match (self.output_padding, self.padding) {
            (None, Padding::Same) => n.checked_mul(stride)?,
            (None, Padding::Valid | Padding::Around(_) | Padding::Sides { .. }) => n
                .checked_mul(stride)?
                .checked_add(reach.saturating_sub(stride))?,
            (Some(extra), padding) => {
                let whole = n.checked_sub(1)?.checked_mul(stride)?.checked_add(reach)?;
                let whole = whole.checked_add(extra[axis])?;
                match padding {
                    Padding::Same => whole.checked_sub(reach / 2 * 2)?,
                    Padding::Valid | Padding::Around(_) | Padding::Sides { .. } => whole,
                }
            }
        };
        Some(length).filter(|&n| n > 0)
    }
}

/// Transposed convolution without bias and activation. Every input pixel adds a multiple of the kernel to
/// the output, `stride` pixels apart. This equals a plain convolution of the input, with zeros between
/// and around its pixels, with the kernel rotated by 180 degrees.
pub(super) fn transposed_conv2d(
    x: &Tensor,
    kernel: &Tensor,
    settings: &TransposedConv2d,
) -> Result<Tensor> {
    let (kh, kw, _, _) = kernel.dims4()?;
    let mut y = x.clone();
    let mut rotated = kernel.clone();
    let mut cuts = Vec::new();
    for (axis, size) in [kh, kw].into_iter().enumerate() {
        let (n, stride) = (x.dim(axis + 1)?, settings.strides[axis]);
        let overflow = || Error::Msg("its output is larger than can be counted".into());
        let reach = reach(size, settings.dilation[axis]).ok_or_else(overflow)?;
        let length = settings.side(axis, n, size).ok_or_else(overflow)?;
        let full = (n - 1) * stride + reach;
        // The padding that `same` would put before the first pixel of an input of this length.
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
        y = dilate(&y, axis + 1, stride)?.pad_with_zeros(axis + 1, reach - 1, reach - 1)?;
        let reversed: Vec<u32> = (0..size as u32).rev().collect();
        let reversed = Tensor::new(reversed, x.device())?;
        rotated = rotated.contiguous()?.index_select(&reversed, axis)?;
    }
    let plain = Conv2d {
        strides: [1, 1],
        dilation: settings.dilation,
        padding: Padding::Valid,
        groups: 1,
        activation: Activation::Linear,
    };
    let rotated = rotated.permute((0, 1, 3, 2))?.contiguous()?;
    let mut y = conv2d(&y.contiguous()?, &rotated, &plain)?;
    for (axis, (before, length, full)) in cuts.into_iter().enumerate() {
        let available = length.min(full - before);
        y = y.narrow(axis + 1, before, available)?;
        if available < length {
            y = y.pad_with_zeros(axis + 1, 0, length - available)?;
        }
    }
    y.contiguous()
}

/// Inserts `stride - 1` zeros between neighbours along one axis.
fn dilate(x: &Tensor, axis: usize, stride: usize) -> Result<Tensor> {
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
