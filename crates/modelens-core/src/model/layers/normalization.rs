//! Keras' `Normalization`: fixed statistics of the training data.

use candle_core::{Result, Tensor};

use super::shape::{ImageShape, Shapes};
use super::{Call, CallMode, LayerOp};
use crate::rules::Role;

/// `(x - mean) / max(sqrt(variance), 1e-7)`; the same in both modes. Weights, each `[C]`, which no
/// optimizer changes: `mean`, `variance`. Source: Keras' `Normalization`.
pub(super) struct Normalization;

impl LayerOp for Normalization {
    fn role(&self) -> Role {
        Role::Plain
    }

    fn scales_input(&self) -> bool {
        true
    }

    fn mixes_images(&self, _: CallMode) -> bool {
        false
    }

    fn output_shape(&self, shapes: &Shapes<'_>) -> std::result::Result<ImageShape, String> {
        Ok(shapes.x().to_vec())
    }

    fn forward(&self, call: &Call<'_>) -> Result<Tensor> {
        let deviation = call.weights.need("variance")?.sqrt()?;
        let floor = Tensor::full(1e-7_f32, deviation.shape(), deviation.device())?;
        call.x()?
            .broadcast_sub(call.weights.need("mean")?)?
            .broadcast_div(&deviation.maximum(&floor)?)
    }
}
