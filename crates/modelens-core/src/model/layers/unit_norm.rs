//! Normalisation to unit length.

use candle_core::{Result, Tensor};

use super::shape::{ImageShape, Shapes};
use super::{Call, CallMode, LayerOp};
use crate::rules::Role;

/// `x / sqrt(max(sum(x^2), 1e-12))`, with the sum over the channels of each pixel; the same in both
/// modes. Source: Keras' `UnitNormalization`.
pub(super) struct UnitNorm;

impl LayerOp for UnitNorm {
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
        let x = call.x()?;
        let squares = x.sqr()?.sum_keepdim(x.rank() - 1)?;
        let floor = Tensor::full(1e-12_f32, squares.shape(), x.device())?;
        x.broadcast_div(&squares.maximum(&floor)?.sqrt()?)
    }
}
