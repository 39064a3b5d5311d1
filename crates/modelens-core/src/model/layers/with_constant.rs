//! Operators between a value and constants that differ along any of its axes.

use candle_core::{Result, Tensor};
use serde::{Deserialize, Serialize};

use super::shape::{ImageShape, Shapes, Side, broadcast};
use super::{Call, CallMode, LayerOp, Operator};
use crate::rules::Role;

/// `x <operator> constant`, or with the constant first. Its weight `constant` has the axes of one image, of
/// which each may have length 1; no optimizer changes it. Source: ONNX' operators on an initializer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WithConstant {
    pub operator: Operator,
    pub constant_first: bool,
}

impl LayerOp for WithConstant {
    fn role(&self) -> Role {
        Role::Plain
    }

    fn scales_input(&self) -> bool {
        self.operator.scales_input()
    }

    fn mixes_images(&self, _: CallMode) -> bool {
        false
    }

    fn output_shape(&self, shapes: &Shapes<'_>) -> std::result::Result<ImageShape, String> {
        let constant = (shapes.weights)("constant").ok_or("its constant is missing")?;
        let constant: Vec<Side> = constant.into_iter().map(Some).collect();
        broadcast(shapes.x(), &constant)
    }

    fn forward(&self, call: &Call<'_>) -> Result<Tensor> {
        let constant = call.weights.need("constant")?.unsqueeze(0)?;
        let x = call.x()?.clone();
        let inputs = if self.constant_first {
            [constant, x]
        } else {
            [x, constant]
        };
        self.operator.forward(&Call {
            inputs: &inputs,
            ..*call
        })
    }
}
