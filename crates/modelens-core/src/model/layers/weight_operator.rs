//! Operators between a tensor and a weight.

use candle_core::{DType, Result, Tensor};
use serde::{Deserialize, Serialize};

use super::operator::{maximum, minimum};
use super::shape::{ImageShape, Shapes, Side, broadcast};
use super::{Call, CallMode, LayerOp, Operator};
use crate::rules::Role;

/// `x <operator> operand`, or with `weight_first` the other way round. Weight: `operand`, which has as many
/// axes as one image, some of them perhaps of length 1. With the weight `places`, which has these axes
/// instead, `operand` is a list, and each place says which of its values is meant: the table of Swin's
/// relative positions. Source: expressions with an `nn.Parameter` or a
/// buffer in a PyTorch module, such as layer scale and position embeddings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeightOperator {
    pub operator: Operator,
    pub weight_first: bool,
}

impl LayerOp for WeightOperator {
    fn role(&self) -> Role {
        Role::Weights
    }

    fn scales_input(&self) -> bool {
        self.operator.scales_input()
    }

    fn mixes_images(&self, _: CallMode) -> bool {
        false
    }

    fn output_shape(&self, shapes: &Shapes<'_>) -> std::result::Result<ImageShape, String> {
        let operand = (shapes.weights)("places").or_else(|| (shapes.weights)("operand"));
        let operand = operand.ok_or("weight `operand` is missing")?;
        let operand: Vec<Side> = operand.into_iter().map(Some).collect();
        if operand.len() != shapes.x().len() {
            return Err(format!(
                "its weight has {} axes and its input has {}",
                operand.len(),
                shapes.x().len()
            ));
        }
        broadcast(shapes.x(), &operand)
    }

    fn forward(&self, call: &Call<'_>) -> Result<Tensor> {
        let operand = call.weights.need("operand")?;
        let operand = match call.weights.get("places") {
            None => operand.clone(),
            Some(places) => {
                let flat = places.flatten_all()?.to_dtype(DType::U32)?;
                operand.index_select(&flat, 0)?.reshape(places.dims())?
            }
        };
        let operand = operand.unsqueeze(0)?;
        let (a, b) = if self.weight_first {
            (&operand, call.x()?)
        } else {
            (call.x()?, &operand)
        };
        match self.operator {
            Operator::Add => a.broadcast_add(b),
            Operator::Subtract => a.broadcast_sub(b),
            Operator::Multiply => a.broadcast_mul(b),
            Operator::Divide => a.broadcast_div(b),
            Operator::Power => a.broadcast_pow(b),
            Operator::Maximum => maximum(a, b),
            Operator::Minimum => minimum(a, b),
        }
    }
}
