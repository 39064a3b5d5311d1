//! Self-attention between the tokens of an image.

use candle_core::{Error, Result, Tensor};
use serde::{Deserialize, Serialize};

use super::shape::{ImageShape, Shapes, misfit};
use super::{Activation, Call, CallMode, LayerOp, activate};
use crate::rules::Role;

/// Multi-head self-attention of `[N, T, 3 C]`, which holds queries, keys and values of `T` tokens one
/// after the other: `softmax(q k^T / sqrt(C / heads)) v` for each head, `[N, T, C]`. Source: Vaswani et
/// al. 2017; `scaled_dot_product_attention` of PyTorch. The linear layers before and after are layers of
/// their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attention {
    pub heads: usize,
}

impl LayerOp for Attention {
    fn role(&self) -> Role {
        Role::Plain
    }

    fn mixes_images(&self, _: CallMode) -> bool {
        false
    }

    fn output_shape(&self, shapes: &Shapes<'_>) -> std::result::Result<ImageShape, String> {
        match *shapes.x() {
            [tokens, Some(packed)] => Ok(vec![tokens, Some(split(packed, self.heads)?)]),
            [tokens, None] => Ok(vec![tokens, None]),
            _ => Err(misfit(shapes.x())),
        }
    }

    fn forward(&self, call: &Call<'_>) -> Result<Tensor> {
        let x = call.x()?;
        let (n, tokens, packed) = x.dims3()?;
        let channels = split(packed, self.heads).map_err(Error::Msg)?;
        let [q, k, v] = queries_keys_values(x, self.heads)?;
        let scores = q.matmul(&k.t()?.contiguous()?)?;
        let y = activate(&scores, Activation::Softmax)?.matmul(&v)?;
        let y = y.reshape((n, self.heads, tokens, channels / self.heads))?;
        y.transpose(1, 2)?
            .contiguous()?
            .reshape((n, tokens, channels))
    }

    fn scratch_values(&self, shapes: &Shapes<'_>) -> usize {
        let tokens = shapes.x().first().copied().flatten().unwrap_or(1);
        tokens.saturating_mul(tokens).saturating_mul(self.heads)
    }
}

/// The channels of queries, keys and values that are packed into one axis.
pub(super) fn split(packed: usize, heads: usize) -> std::result::Result<usize, String> {
    if heads == 0 || !packed.is_multiple_of(3) || !(packed / 3).is_multiple_of(heads) {
        return Err(format!(
            "{packed} channels cannot be divided into queries, keys and values of {heads} heads"
        ));
    }
    Ok(packed / 3)
}

/// Queries, keys and values, each `[N heads, T, C / heads]`, of `[N, T, 3 C]`. The queries are divided
/// by the root of their length.
pub(super) fn queries_keys_values(x: &Tensor, heads: usize) -> Result<[Tensor; 3]> {
    let (n, tokens, packed) = x.dims3()?;
    let width = split(packed, heads).map_err(Error::Msg)? / heads;
    let parts = x.reshape((n, tokens, 3, heads, width))?;
    let part = |at: usize| -> Result<Tensor> {
        let part = parts.narrow(2, at, 1)?.squeeze(2)?;
        let part = part.transpose(1, 2)?.contiguous()?;
        part.reshape((n * heads, tokens, width))
    };
    let scale = 1.0 / (width as f64).sqrt();
    Ok([part(0)?.affine(scale, 0.0)?, part(1)?, part(2)?])
}
