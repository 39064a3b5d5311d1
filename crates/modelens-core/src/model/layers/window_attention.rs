//! Self-attention inside square windows of an image.

use candle_core::{Error, Result, Tensor};
use serde::{Deserialize, Serialize};

use super::attention::{queries_keys_values, split};
use super::roll::rolled;
use super::shape::{ImageShape, Shapes};
use super::{Activation, Call, CallMode, LayerOp, activate};
use crate::rules::Role;
use modelens_kernels::slices::tensor;

/// Attention as [`super::Attention`] between the pixels of each window of `window` by `window` pixels of
/// `[N, H, W, 3 C]`: `[N, H, W, C]`. The scores of two pixels get the entry of `position_bias`
/// `[(2 window - 1)^2, heads]` for their offset. With a `shift`, the image is first rolled by that many
/// pixels, and rolled back afterwards; pixels that come together from opposite borders get -100. Source: Liu et al.
/// 2021; `shifted_window_attention` of torchvision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowAttention {
    pub heads: usize,
    pub window: usize,
    pub shift: usize,
}

/// The score of two pixels that are no neighbours.
const APART: f32 = -100.0;

impl LayerOp for WindowAttention {
    fn role(&self) -> Role {
        Role::Weights
    }

    fn mixes_images(&self, _: CallMode) -> bool {
        false
    }

    fn output_shape(&self, shapes: &Shapes<'_>) -> std::result::Result<ImageShape, String> {
        let [height, width, packed] = shapes.image()?;
        let divides = |side: Option<usize>| {
            side.is_none_or(|side| self.window > 0 && side.is_multiple_of(self.window))
        };
        if !divides(height) || !divides(width) || self.shift >= self.window {
            return Err(format!(
                "an image of {height:?} by {width:?} pixels has no whole number of windows of {} pixels",
                self.window
            ));
        }
        let packed = packed.map(|packed| split(packed, self.heads)).transpose()?;
        Ok(vec![height, width, packed])
    }

    fn forward(&self, call: &Call<'_>) -> Result<Tensor> {
        let Self {
            heads,
            window,
            shift,
        } = *self;
        let x = call.x()?;
        let (n, height, width, packed) = x.dims4()?;
        let channels = split(packed, heads).map_err(Error::Msg)?;
        if window == 0 || height % window != 0 || width % window != 0 {
            return Err(Error::Msg("no whole number of windows".into()));
        }
        let (rows, cols, pixels) = (height / window, width / window, window * window);
        let x = rolled_image(x, -(shift as i64))?;
        let x = x.reshape((n * rows, window, cols, window * packed))?;
        let x = x.transpose(1, 2)?.contiguous()?;
        let x = x.reshape((n * rows * cols, pixels, packed))?;
        let [q, k, v] = queries_keys_values(&x, heads)?;
        let scores = q.matmul(&k.t()?.contiguous()?)?;
        let scores = scores.reshape((n, rows * cols, heads, pixels, pixels))?;
        let bias = self.bias(call.weights.need("position_bias")?)?;
        let mut scores = scores.broadcast_add(&bias)?;
        if shift > 0 {
            scores = scores.broadcast_add(&self.mask([height, width])?)?;
        }
        let scores = scores.reshape((n * rows * cols * heads, pixels, pixels))?;
        let y = activate(&scores, Activation::Softmax)?.matmul(&v)?;
        let y = y.reshape((n * rows * cols, heads, pixels, channels / heads))?;
        let y = y.transpose(1, 2)?.contiguous()?;
        let y = y.reshape((n * rows, cols, window, window * channels))?;
        let y = y.transpose(1, 2)?.contiguous()?;
        let y = y.reshape((n, height, width, channels))?;
        rolled_image(&y, shift as i64)
    }

    fn scratch_values(&self, shapes: &Shapes<'_>) -> usize {
        let pixels = |side: Option<usize>| side.unwrap_or(self.window);
        let x = shapes.x();
        let all = x.iter().take(2).map(|&side| pixels(side));
        let all = all.fold(1, usize::saturating_mul);
        all.saturating_mul(self.window * self.window)
            .saturating_mul(self.heads)
    }
}

impl WindowAttention {
    /// `[heads, pixels, pixels]`: the entry of the table for the offset of two pixels.
    fn bias(&self, table: &Tensor) -> Result<Tensor> {
        let (window, pixels) = (self.window, self.window * self.window);
        let mut places = Vec::with_capacity(pixels * pixels);
        for a in 0..pixels {
            for b in 0..pixels {
                let row = a / window + window - 1 - b / window;
                let col = a % window + window - 1 - b % window;
                places.push((row * (2 * window - 1) + col) as u32);
            }
        }
        let places = Tensor::from_vec(places, pixels * pixels, table.device())?;
        let bias = table.index_select(&places, 0)?.t()?.contiguous()?;
        bias.reshape((self.heads, pixels, pixels))
    }

    /// `[windows, 1, pixels, pixels]`: [`APART`] for pixels of the rolled image that are no neighbours in
    /// the image.
    fn mask(&self, [height, width]: [usize; 2]) -> Result<Tensor> {
        let (window, pixels) = (self.window, self.window * self.window);
        // Along each axis: before the last window, in it, and in its part that comes from the other border.
        let part = |at: usize, side: usize| {
            usize::from(at >= side - window) + usize::from(at >= side - self.shift)
        };
        let (rows, cols) = (height / window, width / window);
        let mut mask = Vec::with_capacity(rows * cols * pixels * pixels);
        for at in 0..rows * cols {
            let region = |pixel: usize| {
                let row = at / cols * window + pixel / window;
                let col = at % cols * window + pixel % window;
                (part(row, height), part(col, width))
            };
            for a in 0..pixels {
                for b in 0..pixels {
                    mask.push(if region(a) == region(b) { 0.0 } else { APART });
                }
            }
        }
        tensor(mask, (rows * cols, 1, pixels, pixels))
    }
}

/// The image moved down and right by `by` pixels; what leaves it enters at the other border.
fn rolled_image(x: &Tensor, by: i64) -> Result<Tensor> {
    rolled(&rolled(x, 1, by)?, 2, by)?.contiguous()
}
