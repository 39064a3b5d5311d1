//! A constant scale and offset.

use candle_core::{Result, Tensor};
use serde::{Deserialize, Serialize};

use super::shape::{ImageShape, Shapes};
use super::{Call, CallMode, LayerOp};
use crate::model::shape_text;
use crate::rules::Role;
use modelens_kernels::elementwise::scale_shift;

/// `y = x * scale + offset`; each vector has length 1 or C. Source: Keras' `Rescaling`, and
/// `Normalization` with constant statistics.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rescaling {
    pub scale: Vec<f32>,
    pub offset: Vec<f32>,
}

impl LayerOp for Rescaling {
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
        let x = shapes.x();
        let channels = x.last().copied().flatten();
        for factors in [&self.scale, &self.offset] {
            if factors.len() != 1 && channels.is_some_and(|c| c != factors.len()) {
                return Err(format!(
                    "it has {} factors for the shape {}",
                    factors.len(),
                    shape_text(x)
                ));
            }
        }
        Ok(x.to_vec())
    }

    fn forward(&self, call: &Call<'_>) -> Result<Tensor> {
        scale_shift(call.x()?, &self.scale, &self.offset)
    }
}
