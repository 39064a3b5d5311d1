//! Layers that return their input.

use candle_core::{Result, Tensor};

use super::shape::{ImageShape, Shapes};
use super::{Call, CallMode, LayerOp};
use crate::rules::Role;

/// `y = x`: the input layer, nested models (their layers are called themselves), `Identity`, and layers
/// that only matter to another backend.
pub(super) struct Identity;

impl LayerOp for Identity {
    fn role(&self) -> Role {
        Role::Plain
    }

    fn mixes_images(&self, _: CallMode) -> bool {
        false
    }

    fn output_shape(&self, shapes: &Shapes<'_>) -> std::result::Result<ImageShape, String> {
        Ok(shapes.x().to_vec())
    }

    fn forward(&self, call: &Call<'_>) -> Result<Tensor> {
        Ok(call.x()?.clone())
    }
}
