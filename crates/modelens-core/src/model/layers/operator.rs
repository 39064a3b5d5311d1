//! Operators between two tensors, or a tensor and a number.

use candle_core::{Error, Result, Tensor};
use serde::{Deserialize, Serialize};

use super::shape::{ImageShape, Shapes, broadcast};
use super::{Activation, Arity, Call, CallMode, LayerOp, activate};
use crate::rules::Role;
use modelens_kernels::elementwise::keep_nan;

/// `a <operator> b` with broadcasting; a number is a tensor with one value. Source: Python's operators
/// on tensors, as TensorFlow and Keras write them into a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    /// `a` to the power of a number.
    Power,
    Maximum,
    Minimum,
}

impl LayerOp for Operator {
    fn role(&self) -> Role {
        Role::Plain
    }

    fn scales_input(&self) -> bool {
        matches!(self, Self::Divide | Self::Multiply)
    }

    fn mixes_images(&self, _: CallMode) -> bool {
        false
    }

    fn output_shape(&self, shapes: &Shapes<'_>) -> std::result::Result<ImageShape, String> {
        let mut others = shapes.inputs.iter().skip(1);
        others.try_fold(shapes.x().to_vec(), |all, other| broadcast(&all, other))
    }

    fn forward(&self, call: &Call<'_>) -> Result<Tensor> {
        let [a, b] = call.pair()?;
        match self {
            Self::Add => a.broadcast_add(b),
            Self::Subtract => a.broadcast_sub(b),
            Self::Multiply => a.broadcast_mul(b),
            Self::Divide => a.broadcast_div(b),
            Self::Power => match b.flatten_all()?.to_vec1::<f32>()?.as_slice() {
                [exponent] => activate(a, Activation::Power(*exponent)),
                _ => Err(Error::Msg("only powers of one number are supported".into())),
            },
            Self::Maximum => maximum(a, b),
            Self::Minimum => minimum(a, b),
        }
    }

    fn arity(&self) -> Arity {
        Arity::TensorAndOperand
    }
}

/// The larger of two values; NaN if either is.
pub(super) fn maximum(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    keep_nan(&a.broadcast_maximum(b)?, &is_nan(a, b)?)
}

/// The smaller of two values; NaN if either is.
pub(super) fn minimum(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    keep_nan(&a.broadcast_minimum(b)?, &is_nan(a, b)?)
}

/// Not 0 where either value is NaN.
fn is_nan(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    a.ne(a)?.broadcast_add(&b.ne(b)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn nan_on_either_side_wins() {
        let tensor = |x: [f32; 3]| Tensor::from_slice(&x, (1, 3), &Device::Cpu).unwrap();
        let (a, b) = (tensor([f32::NAN, 1.0, 5.0]), tensor([1.0, f32::NAN, 4.0]));
        for (y, last) in [(maximum(&a, &b), 5.0), (minimum(&a, &b), 4.0)] {
            let y = y.unwrap().flatten_all().unwrap();
            let y = y.to_vec1::<f32>().unwrap();
            assert!(y[0].is_nan() && y[1].is_nan() && y[2] == last, "{y:?}");
        }
    }
}
