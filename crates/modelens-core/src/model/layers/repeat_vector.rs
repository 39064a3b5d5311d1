//! Repeating a vector.

use candle_core::{Result, Tensor};
use serde::{Deserialize, Serialize};

use super::shape::{ImageShape, Shapes, misfit};
use super::{Call, CallMode, LayerOp, output_dims};
use crate::rules::Role;

/// `[N, C]` to `[N, count, C]`. Source: Keras' `RepeatVector`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepeatVector {
    pub count: usize,
}

impl LayerOp for RepeatVector {
    fn role(&self) -> Role {
        Role::Plain
    }

    fn mixes_images(&self, _: CallMode) -> bool {
        false
    }

    fn output_shape(&self, shapes: &Shapes<'_>) -> std::result::Result<ImageShape, String> {
        match shapes.x() {
            [channels] => Ok(vec![Some(self.count), *channels]),
            x => Err(misfit(x)),
        }
    }

    fn forward(&self, call: &Call<'_>) -> Result<Tensor> {
        let x = call.x()?;
        x.unsqueeze(1)?
            .broadcast_as(output_dims(self, x)?)?
            .contiguous()
    }
}
