//! Products of tensors that both depend on the image.

use candle_core::{D, Result, Tensor};
use serde::{Deserialize, Serialize};

use super::shape::{ImageShape, Shapes, Side};
use super::{Activation, Arity, Call, CallMode, LayerOp, activate};
use crate::model::shape_text;
use crate::rules::Role;

/// Products along the last axes, for each index of the axes before them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Product {
    /// `a b` of `[..., R, K]` and `[..., K, S]`. Source: PyTorch's `matmul`.
    Matrices,
    /// `softmax(scale q k^T) v` of queries `[..., R, K]`, keys `[..., S, K]` and values `[..., S, D]`.
    /// Source: PyTorch's `scaled_dot_product_attention`.
    Attention { scale: f64 },
}

impl LayerOp for Product {
    fn role(&self) -> Role {
        Role::Plain
    }

    fn mixes_images(&self, _: CallMode) -> bool {
        false
    }

    fn output_shape(&self, shapes: &Shapes<'_>) -> std::result::Result<ImageShape, String> {
        match (self, shapes.inputs) {
            (Self::Matrices, [a, b]) => product(a, b, false),
            (Self::Attention { .. }, [q, k, v]) => product(&product(q, k, true)?, v, false),
            (Self::Matrices | Self::Attention { .. }, _) => {
                Err("it takes another number of inputs".to_owned())
            }
        }
    }

    fn forward(&self, call: &Call<'_>) -> Result<Tensor> {
        match (self, call.inputs) {
            (Self::Matrices, [a, b]) => multiplied(a, b),
            (Self::Attention { scale }, [q, k, v]) => {
                let q = q.affine(*scale, 0.0)?;
                let scores = multiplied(&q, &k.transpose(D::Minus1, D::Minus2)?)?;
                multiplied(&activate(&scores, Activation::Softmax)?, v)
            }
            (Self::Matrices | Self::Attention { .. }, _) => Err(candle_core::Error::Msg(
                "it takes another number of inputs".into(),
            )),
        }
    }

    fn arity(&self) -> Arity {
        match self {
            Self::Matrices => Arity::Two,
            Self::Attention { .. } => Arity::Many,
        }
    }

    /// The scores of all queries and keys.
    fn scratch_values(&self, shapes: &Shapes<'_>) -> usize {
        match (self, shapes.inputs) {
            (Self::Attention { .. }, [q, k, _]) => product(q, k, true).map_or(0, |scores| {
                scores
                    .iter()
                    .map(|side| side.unwrap_or(1))
                    .fold(1, usize::saturating_mul)
            }),
            _ => 0,
        }
    }
}

/// `a b` along the last two axes. Candle takes no more than two axes before them.
fn multiplied(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let flat = |t: &Tensor| {
        let (rows, columns) = (t.dim(D::Minus2)?, t.dim(D::Minus1)?);
        t.contiguous()?.reshape(((), rows, columns))
    };
    let y = flat(a)?.matmul(&flat(b)?)?;
    let mut dims = a.dims().to_vec();
    dims.pop();
    dims.push(b.dim(D::Minus1)?);
    y.reshape(dims)
}

/// The shape of `a b`, or of `a b^T`.
fn product(a: &[Side], b: &[Side], is_transposed: bool) -> std::result::Result<ImageShape, String> {
    let misfit = || {
        format!(
            "it multiplies the shapes {} and {}, which do not fit together",
            shape_text(a),
            shape_text(b)
        )
    };
    let ([a_before @ .., rows, inner], [b_before @ .., c, d]) = (a, b) else {
        return Err(misfit());
    };
    let (other, columns) = if is_transposed { (d, c) } else { (c, d) };
    let is_same = |a: &Side, b: &Side| a.is_none() || b.is_none() || a == b;
    let fits = a_before.len() == b_before.len()
        && a_before.iter().zip(b_before).all(|(a, b)| is_same(a, b))
        && is_same(inner, other);
    if !fits {
        return Err(misfit());
    }
    let mut shape = a_before.to_vec();
    shape.extend([*rows, *columns]);
    Ok(shape)
}
