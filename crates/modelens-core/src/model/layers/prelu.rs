//! ReLU with a learnable slope.

use candle_core::{Result, Tensor};

use super::shape::{ImageShape, Shapes};
use super::{Activation, Call, CallMode, LayerOp, activate};
use crate::rules::Role;

/// `x` where it is positive, else `alpha x`. Weight: `alpha`, with the shape of one image and a length
/// of 1 along shared axes. Source: Keras' `PReLU`.
pub(super) struct PRelu;

impl LayerOp for PRelu {
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
        let x = call.x()?;
        let positive = activate(x, Activation::RELU)?;
        let magnitude = activate(&activate(x, Activation::Negative)?, Activation::RELU)?;
        positive - magnitude.broadcast_mul(call.weights.need("alpha")?)?
    }
}
