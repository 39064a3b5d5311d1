//! A learnable factor for each channel.

use candle_core::{Result, Tensor};

use super::shape::{ImageShape, Shapes};
use super::{Call, CallMode, LayerOp};
use crate::rules::Role;

/// `gamma x`. Weight: `gamma`, `[C]`. Source: `LayerScale` of Keras' ConvNeXt.
pub(super) struct LayerScale;

impl LayerOp for LayerScale {
    fn role(&self) -> Role {
        Role::Weights
    }

    fn mixes_images(&self, _: CallMode) -> bool {
        false
    }

    fn output_shape(&self, shapes: &Shapes<'_>) -> std::result::Result<ImageShape, String> {
        Ok(shapes.x().to_vec())
    }

    fn forward(&self, call: &Call<'_>) -> Result<Tensor> {
        call.x()?.broadcast_mul(call.weights.need("gamma")?)
    }
}
