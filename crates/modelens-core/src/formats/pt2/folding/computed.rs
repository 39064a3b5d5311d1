//! Arithmetic on constants. The result is no weight any more.

use candle_core::{DType, Device, Tensor};

use super::MAX_VALUES;
use crate::formats::OpenError;
use crate::formats::pt2::build::Build;
use crate::formats::pt2::node::{Op, number};
use crate::formats::pt2::schema::Argument;

/// The result of an operator on constants; `None` for operators that are not known.
#[allow(clippy::too_many_lines, reason = "one arm an operator")]
pub fn computed<'a>(
    build: &mut Build<'a>,
    op: &Op<'a>,
    x: &Tensor,
) -> Result<Option<Tensor>, OpenError> {
    let failed = |e: candle_core::Error| op.refuse(e.to_string());
    let tensor = match op.op {
        "add" | "sub" | "mul" | "div" | "pow" | "eq" | "ne" | "lt" | "le" | "gt" | "ge" => {
            let alpha = op.float("alpha", 1.0)?;
            let Some(b) = operand(build, op, 1, x.dtype())? else {
                return Ok(None);
            };
            let whole = [x, &b].iter().all(|t| t.dtype() != DType::F32) && alpha == 1.0;
            let [x, b] = together(op, [x, &b])?;
            let b = if alpha == 1.0 {
                b
            } else {
                (b * alpha).map_err(failed)?
            };
            let y = match op.op {
                "add" => x.add(&b),
                "sub" => x.sub(&b),
                "mul" => x.mul(&b),
                "div" => x.div(&b),
                "pow" => x.pow(&b),
                "eq" => x.eq(&b),
                "ne" => x.ne(&b),
                "lt" => x.lt(&b),
                "le" => x.le(&b),
                "gt" => x.gt(&b),
                _ => x.ge(&b),
            };
            // Sums and products of whole numbers stay whole.
            match op.op {
                "add" | "sub" | "mul" if whole => y.and_then(|y| y.to_dtype(DType::I64)),
                _ => y,
            }
        }
        "fill" => {
            let Some(by) = op.at(1).and_then(number) else {
                return Ok(None);
            };
            filled(x, by)
        }
        "full_like" => filled(x, op.float("fill_value", 0.0)?),
        "zero" | "zeros_like" => filled(x, 0.0),
        "ones_like" => filled(x, 1.0),
        "logical_not" => x.eq(0.0),
        "masked_fill" => {
            let (Some(mask), Some(by)) = (
                operand(build, op, 1, x.dtype())?,
                operand(build, op, 2, x.dtype())?,
            ) else {
                return Ok(None);
            };
            let [mask, x] = together(op, [&mask, x])?;
            let [by, x] = together(op, [&by, &x])?;
            mask.ne(0.0).and_then(|mask| mask.where_cond(&by, &x))
        }
        "where" => {
            let (Some(a), Some(b)) = (
                operand(build, op, 1, DType::F32)?,
                operand(build, op, 2, DType::F32)?,
            ) else {
                return Ok(None);
            };
            let [a, b] = together(op, [&a, &b])?;
            let [mask, a] = together(op, [x, &a])?;
            let [b, mask] = together(op, [&b, &mask])?;
            mask.ne(0.0).and_then(|mask| mask.where_cond(&a, &b))
        }
        "cat" => {
            let Some(Argument::AsTensors(list)) = op.at(0) else {
                return Ok(None);
            };
            let mut parts = Vec::new();
            for part in list {
                let part = Argument::AsTensor(part.clone());
                let known = build.known(op, Some(&part), "tensors")?;
                parts.push(build.constant(op, known, "tensors")?.tensor);
            }
            let axis = op.axis(op.int("dim", 0)?, x.rank())?;
            Tensor::cat(&parts, axis)
        }
        "neg" => x.neg(),
        "exp" => x.exp(),
        "sin" => x.sin(),
        "cos" => x.cos(),
        "sqrt" => x.sqrt(),
        "rsqrt" => x.sqrt().and_then(|x| x.recip()),
        "sigmoid" => candle_nn::ops::sigmoid(x),
        "tanh" => x.tanh(),
        "float" | "to" | "_to_copy" if x.dtype() != DType::F32 => match op.arg("dtype") {
            None if op.op != "float" => Ok(x.clone()),
            None | Some(Argument::AsScalarType(6 | 7 | 8 | 13)) => x.to_dtype(DType::F32),
            Some(_) => Ok(x.clone()),
        },
        _ => return Ok(None),
    };
    tensor
        .and_then(|t| t.contiguous())
        .map(Some)
        .map_err(failed)
}

fn filled(x: &Tensor, by: f64) -> candle_core::Result<Tensor> {
    Tensor::full(by as f32, x.dims(), &Device::Cpu)?.to_dtype(x.dtype())
}

/// The argument at this place as a tensor; a number as one of this type.
fn operand<'a>(
    build: &mut Build<'a>,
    op: &Op<'a>,
    at: usize,
    dtype: DType,
) -> Result<Option<Tensor>, OpenError> {
    match op.at(at) {
        Some(Argument::AsTensor(_)) => {
            let known = build.known(op, op.at(at), &at.to_string())?;
            let constant = build.constant(op, known, &at.to_string())?;
            Ok(Some(constant.tensor))
        }
        Some(arg) => {
            let Some(n) = number(arg) else {
                return Ok(None);
            };
            let tensor = if dtype == DType::I64 && n.fract() == 0.0 {
                Tensor::full(n as i64, (), &Device::Cpu)
            } else {
                Tensor::full(n as f32, (), &Device::Cpu)
            };
            tensor.map(Some).map_err(|e| op.refuse(e.to_string()))
        }
        None => Ok(None),
    }
}

/// Two tensors of fractions in one shape.
fn together(op: &Op<'_>, both: [&Tensor; 2]) -> Result<[Tensor; 2], OpenError> {
    let failed = |e: candle_core::Error| op.refuse(e.to_string());
    let [a, b] = both;
    let shape = a.shape().broadcast_shape_binary_op(b.shape(), "constants");
    let shape = shape.map_err(failed)?;
    let count = shape
        .dims()
        .iter()
        .try_fold(1_usize, |n, &d| n.checked_mul(d));
    let largest = a.elem_count().max(b.elem_count()).max(MAX_VALUES);
    if count.is_none_or(|n| n > largest) {
        return Err(op.refuse("it combines constants to one that is too large"));
    }
    let one = |t: &Tensor| {
        let t = t.to_dtype(DType::F32)?.broadcast_as(&shape)?;
        t.contiguous()
    };
    Ok([one(a).map_err(failed)?, one(b).map_err(failed)?])
}
