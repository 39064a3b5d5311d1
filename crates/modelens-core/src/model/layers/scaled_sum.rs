//! A weighted sum of two inputs.

use candle_core::{Result, Tensor};
use serde::{Deserialize, Serialize};

use super::shape::{ImageShape, Shapes, broadcast};
use super::{Arity, Call, CallMode, LayerOp};
use crate::rules::Role;

/// `a + scale b`. Source: `CustomScaleLayer` of Keras' InceptionResNetV2.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScaledSum {
    pub scale: f32,
}

impl LayerOp for ScaledSum {
    fn role(&self) -> Role {
        Role::Plain
    }

    fn mixes_images(&self, _: CallMode) -> bool {
        false
    }

    fn output_shape(&self, shapes: &Shapes<'_>) -> std::result::Result<ImageShape, String> {
        shapes.inputs[1..]
            .iter()
            .try_fold(shapes.x().to_vec(), |sum, other| broadcast(&sum, other))
    }

    fn forward(&self, call: &Call<'_>) -> Result<Tensor> {
        let [a, b] = call.pair()?;
        a + (b * f64::from(self.scale))?
    }

    fn arity(&self) -> Arity {
        Arity::Two
    }
}
