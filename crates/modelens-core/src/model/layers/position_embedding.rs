//! Learned positions of tokens.

use candle_core::{Result, Tensor};

use super::shape::{ImageShape, Shapes, misfit};
use super::{Call, CallMode, LayerOp};
use crate::rules::Role;

/// `x + embedding` for `[N, T, C]`; the weight `embedding` `[T, C]` is the same for every image.
/// Source: Dosovitskiy et al. 2020.
pub(super) struct PositionEmbedding;

impl LayerOp for PositionEmbedding {
    fn role(&self) -> Role {
        Role::Weights
    }

    fn mixes_images(&self, _: CallMode) -> bool {
        false
    }

    fn output_shape(&self, shapes: &Shapes<'_>) -> std::result::Result<ImageShape, String> {
        let own: [usize; 2] = shapes.weight("embedding")?;
        let fits = |(side, own): (&Option<usize>, usize)| side.is_none_or(|side| side == own);
        let x = shapes.x();
        if x.len() != 2 || !x.iter().zip(own).all(fits) {
            return Err(misfit(x));
        }
        Ok(own.map(Some).to_vec())
    }

    fn forward(&self, call: &Call<'_>) -> Result<Tensor> {
        call.x()?.broadcast_add(call.weights.need("embedding")?)
    }
}
