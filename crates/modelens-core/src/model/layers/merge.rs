//! Keras' merging layers.

use candle_core::{Error, Result, Tensor};
use serde::{Deserialize, Serialize};

use super::operator::{maximum, minimum};
use super::shape::{ImageShape, Shapes, Side, broadcast, inner_axis};
use super::{Arity, Call, CallMode, LayerOp};
use crate::model::shape_text;
use crate::rules::Role;

/// Joins several inputs, with broadcasting. Source: Keras' layers of these names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Merge {
    Add,
    Subtract,
    Multiply,
    Average,
    Maximum,
    Minimum,
    /// The dot product of two inputs `[N, C]`: `[N, 1]`.
    Dot,
    /// Along this axis: 0 is the batch axis, negative axes count from the end.
    Concatenate(i64),
    /// Along a new axis, counted in the result: 0 is the batch axis, negative axes count from the end.
    Stack(i64),
}

impl LayerOp for Merge {
    fn role(&self) -> Role {
        Role::Plain
    }

    fn mixes_images(&self, _: CallMode) -> bool {
        match *self {
            // Without the rank, an axis further from the end may be the batch axis.
            Self::Concatenate(axis) | Self::Stack(axis) => axis == 0 || axis < -1,
            Self::Add
            | Self::Subtract
            | Self::Multiply
            | Self::Average
            | Self::Maximum
            | Self::Minimum
            | Self::Dot => false,
        }
    }

    fn output_shape(&self, shapes: &Shapes<'_>) -> std::result::Result<ImageShape, String> {
        let x = shapes.x();
        let mut others = shapes.inputs.iter().skip(1);
        match *self {
            Self::Concatenate(axis) => concatenated(axis, shapes),
            Self::Stack(axis) => {
                let at = inner_axis(axis, x.len() + 1);
                let at = at.ok_or_else(|| format!("it stacks along axis {axis}"))?;
                let mut shape = x.to_vec();
                for &other in shapes.inputs.iter().skip(1) {
                    if other.len() != x.len() {
                        return Err(unequal(x, other));
                    }
                    for (side, &o) in shape.iter_mut().zip(other) {
                        match (*side, o) {
                            (Some(a), Some(b)) if a != b => return Err(unequal(x, other)),
                            (known, o) => *side = known.or(o),
                        }
                    }
                }
                shape.insert(at, Some(shapes.inputs.len()));
                Ok(shape)
            }
            Self::Dot => {
                let other = others.next().copied().unwrap_or_default();
                if x.len() != 1 || other != x {
                    return Err(format!(
                        "it multiplies the shapes {} and {}; only rows of one length are supported",
                        shape_text(x),
                        shape_text(other)
                    ));
                }
                Ok(vec![Some(1)])
            }
            Self::Add
            | Self::Subtract
            | Self::Multiply
            | Self::Average
            | Self::Maximum
            | Self::Minimum => others.try_fold(x.to_vec(), |all, other| broadcast(&all, other)),
        }
    }

    fn forward(&self, call: &Call<'_>) -> Result<Tensor> {
        let fold = |f: fn(&Tensor, &Tensor) -> Result<Tensor>| {
            let mut others = call.inputs.iter().skip(1);
            others.try_fold(call.x()?.clone(), |joined, next| f(&joined, next))
        };
        match *self {
            Self::Add => fold(Tensor::broadcast_add),
            Self::Subtract => fold(Tensor::broadcast_sub),
            Self::Multiply => fold(Tensor::broadcast_mul),
            Self::Average => fold(Tensor::broadcast_add)? / call.inputs.len() as f64,
            Self::Maximum => fold(maximum),
            Self::Minimum => fold(minimum),
            Self::Dot => {
                let [a, b] = call.pair()?;
                a.mul(b)?.sum_keepdim(1)
            }
            Self::Concatenate(axis) => {
                let rank = call.x()?.rank() as i64;
                let axis = if axis < 0 { axis + rank } else { axis };
                let axis = usize::try_from(axis).map_err(|_| Error::Msg("no such axis".into()))?;
                Tensor::cat(call.inputs, axis)
            }
            Self::Stack(axis) => {
                let at = inner_axis(axis, call.x()?.rank());
                let at = at.ok_or_else(|| Error::Msg("no such axis".into()))?;
                Tensor::stack(call.inputs, at + 1)?.contiguous()
            }
        }
    }

    fn arity(&self) -> Arity {
        match self {
            Self::Subtract | Self::Dot => Arity::Two,
            Self::Add
            | Self::Multiply
            | Self::Average
            | Self::Maximum
            | Self::Minimum
            | Self::Concatenate(_)
            | Self::Stack(_) => Arity::Many,
        }
    }
}

fn unequal(a: &[Side], b: &[Side]) -> String {
    format!(
        "its inputs have the shapes {} and {}, which do not fit together",
        shape_text(a),
        shape_text(b)
    )
}

/// The shape of the inputs concatenated along an axis, which must not be the batch axis.
fn concatenated(axis: i64, shapes: &Shapes<'_>) -> std::result::Result<ImageShape, String> {
    let mut shape = shapes.x().to_vec();
    let rank = shape.len() as i64;
    // Without the batch axis; joining along that one would change the number of images.
    let at = if axis < 0 {
        axis.checked_add(rank)
    } else {
        axis.checked_sub(1)
    };
    let at = at
        .and_then(|at| usize::try_from(at).ok())
        .filter(|&at| at < shape.len());
    let at = at.ok_or_else(|| format!("it joins along axis {axis} of {}", shape_text(&shape)))?;
    for &other in shapes.inputs.iter().skip(1) {
        let fits = |(i, (a, b)): (usize, (&Option<usize>, &Option<usize>))| {
            i == at || a.is_none() || b.is_none() || a == b
        };
        if other.len() != shape.len() || !shape.iter().zip(other).enumerate().all(fits) {
            return Err(unequal(&shape, other));
        }
        shape[at] = match (shape[at], other[at]) {
            (Some(a), Some(b)) => Some(
                a.checked_add(b)
                    .ok_or("it joins more values than can be counted")?,
            ),
            _ => None,
        };
    }
    Ok(shape)
}
