//! Flattening.

use candle_core::{Result, Tensor};

use super::shape::{ImageShape, Shapes};
use super::{Call, CallMode, LayerOp};
use crate::rules::Role;

/// `[N, ...]` to `[N, product]`. Source: Keras' `Flatten`.
pub(super) struct Flatten;

impl LayerOp for Flatten {
    fn role(&self) -> Role {
        Role::Plain
    }

    fn mixes_images(&self, _: CallMode) -> bool {
        false
    }

    fn output_shape(&self, shapes: &Shapes<'_>) -> std::result::Result<ImageShape, String> {
        let product = |n: usize, axis: &Option<usize>| axis.and_then(|a| n.checked_mul(a));
        Ok(vec![shapes.x().iter().try_fold(1, product)])
    }

    fn forward(&self, call: &Call<'_>) -> Result<Tensor> {
        call.x()?.flatten_from(1)
    }
}
