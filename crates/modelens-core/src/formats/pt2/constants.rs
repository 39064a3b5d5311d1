//! Operators on lengths, and those that make constants and draws: they are computed when the file is opened.

use candle_core::{Device, Tensor};

use super::build::Build;
use super::folding::{self, MAX_VALUES};
use super::node::{Op, number};
use super::schema::{Argument, SymInt};
use super::shapes::lengths;
use super::stored::MAX_RANK;
use super::value::{Constant, Known, Length};
use crate::formats::OpenError;

/// The result of an operator that does not depend on the photo; `None` for other operators.
pub fn result<'a>(build: &mut Build<'a>, op: &Op<'a>) -> Result<Option<Known>, OpenError> {
    if op.node.target.starts_with("_operator.") {
        return length_of(build, op).map(Some);
    }
    match op.op {
        "sym_size" => {
            let x = build.value(op, 0)?;
            let axis = op.axis(op.int("dim", 0)?, x.rank())?;
            return Ok(Some(Known::Length(x.length(axis))));
        }
        "empty" | "new_empty" | "empty_like" | "empty_permuted" => {
            return empty(build, op).map(Some);
        }
        "bernoulli" => return bernoulli(build, op),
        "div" | "mul" => {
            if let Some(known) = scaled_draws(build, op)? {
                return Ok(Some(known));
            }
        }
        "zeros" | "ones" | "full" | "new_zeros" | "new_ones" | "new_full" | "scalar_tensor" => {
            return filled(build, op);
        }
        "arange" => return arange(op),
        _ => {}
    }
    folding::result(build, op)
}

/// Arithmetic on lengths.
fn length_of<'a>(build: &Build<'a>, op: &Op<'a>) -> Result<Known, OpenError> {
    let one = |at: usize| match op.at(at) {
        Some(Argument::AsInt(n) | Argument::AsSymInt(SymInt::AsInt(n))) => {
            usize::try_from(*n).ok().map(plain)
        }
        Some(Argument::AsSymInt(SymInt::AsName(name))) => match build.known.get(name.as_str()) {
            Some(Known::Length(length)) => Some(*length),
            _ => None,
        },
        _ => None,
    };
    let refused = || op.refuse("it computes with sizes in a way that is not supported");
    let (a, b) = (one(0).ok_or_else(refused)?, one(1).ok_or_else(refused)?);
    let both = a.count.zip(b.count);
    let (count, of_batch) = match op.op {
        "mul" if !(a.of_batch && b.of_batch) => (
            both.and_then(|(a, b)| a.checked_mul(b)),
            a.of_batch || b.of_batch,
        ),
        "floordiv" if !b.of_batch => {
            let whole = |&(n, by): &(usize, usize)| by > 0 && (n.is_multiple_of(by) || !a.of_batch);
            (both.filter(whole).map(|(n, by)| n / by), a.of_batch)
        }
        "add" if !(a.of_batch || b.of_batch) => (both.and_then(|(a, b)| a.checked_add(b)), false),
        "sub" if !(a.of_batch || b.of_batch) => (both.and_then(|(a, b)| a.checked_sub(b)), false),
        _ => return Err(refused()),
    };
    Ok(Known::Length(Length { count, of_batch }))
}

fn plain(n: usize) -> Length {
    Length {
        count: Some(n),
        of_batch: false,
    }
}

/// Memory without values, which stochastic depth fills with draws.
fn empty<'a>(build: &Build<'a>, op: &Op<'a>) -> Result<Known, OpenError> {
    if op.op == "empty_like" {
        let x = build.value(op, 0)?;
        return Ok(Known::Empty(
            (0..x.rank()).map(|axis| x.length(axis)).collect(),
        ));
    }
    let shape = lengths(build, op, op.arg("size"))?;
    let shape = shape.into_iter().collect::<Option<Vec<_>>>();
    let shape = shape.ok_or_else(|| op.refuse("its shape is not understood"))?;
    Ok(Known::Empty(shape))
}

/// `empty(...).bernoulli_(keep)`.
fn bernoulli<'a>(build: &Build<'a>, op: &Op<'a>) -> Result<Option<Known>, OpenError> {
    let keep = op.float("p", 0.5)?;
    match build.known(op, op.at(0), "self")? {
        Known::Empty(shape) if (0.0..=1.0).contains(&keep) => Ok(Some(Known::Draws {
            shape,
            keep,
            is_scaled: false,
        })),
        _ => Err(op.refuse("only the draws of stochastic depth are supported")),
    }
}

/// Draws divided by the probability that they are 1.
fn scaled_draws<'a>(build: &Build<'a>, op: &Op<'a>) -> Result<Option<Known>, OpenError> {
    let Ok(Known::Draws {
        shape,
        keep,
        is_scaled: false,
    }) = build.known(op, op.at(0), "self")
    else {
        return Ok(None);
    };
    let Some(by) = op.at(1).and_then(number) else {
        return Ok(None);
    };
    let fits = if op.op == "div" { by / keep } else { by * keep };
    if (fits - 1.0).abs() > 1e-6 {
        return Err(op.refuse("its draws are scaled by another number than their probability"));
    }
    Ok(Some(Known::Draws {
        shape,
        keep,
        is_scaled: true,
    }))
}

/// A constant of one number.
fn filled<'a>(build: &mut Build<'a>, op: &Op<'a>) -> Result<Option<Known>, OpenError> {
    let shape = match op.op {
        "scalar_tensor" => Vec::new(),
        _ => lengths(build, op, op.arg("size"))?,
    };
    let dims = shape.iter().map(|length| {
        let length = (*length)?;
        length.count.filter(|_| !length.of_batch)
    });
    let dims: Vec<usize> = dims
        .collect::<Option<_>>()
        .ok_or_else(|| op.refuse("its shape depends on the photos"))?;
    let count = dims.iter().try_fold(1_usize, |n, &d| n.checked_mul(d));
    if dims.len() > MAX_RANK || count.is_none_or(|n| n > MAX_VALUES) {
        return Err(op.refuse("it makes a constant that is too large"));
    }
    build.afford(op, count.unwrap_or(0))?;
    let value = match op.op {
        "ones" | "new_ones" => 1.0,
        "full" | "new_full" => op.float("fill_value", 0.0)?,
        "scalar_tensor" => op.float("s", 0.0)?,
        _ => 0.0,
    };
    constant(op, Tensor::full(value as f32, dims, &Device::Cpu)).map(Some)
}

fn arange(op: &Op<'_>) -> Result<Option<Known>, OpenError> {
    let (start, end, step) = (op.int("start", 0)?, op.int("end", 0)?, op.int("step", 1)?);
    if step <= 0 || end < start || (end.saturating_sub(start)) / step > MAX_VALUES as i64 {
        return Err(op.refuse("its range is not supported"));
    }
    let values: Vec<i64> = (start..end).step_by(step as usize).collect();
    let count = values.len();
    constant(op, Tensor::from_vec(values, count, &Device::Cpu)).map(Some)
}

fn constant(op: &Op<'_>, tensor: candle_core::Result<Tensor>) -> Result<Known, OpenError> {
    let tensor = tensor.map_err(|e| op.refuse(e.to_string()))?;
    Ok(Known::Constant(Constant::new(tensor)))
}
