//! Operators on lengths, on weights and on constants: they are computed when the file is opened.

use candle_core::{DType, Device, Tensor};

use super::build::Build;
use super::node::{Op, number};
use super::schema::{Argument, SymInt};
use super::shapes::lengths;
use super::stored::MAX_RANK;
use super::value::{Constant, Known, Length};
use crate::formats::OpenError;

/// Values that a constant may have that no weight holds.
const MAX_VALUES: usize = 1 << 16;

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
        "empty" | "new_empty" | "empty_like" => return empty(build, op).map(Some),
        "bernoulli" => return bernoulli(build, op),
        "div" | "mul" => {
            if let Some(known) = scaled_draws(build, op)? {
                return Ok(Some(known));
            }
        }
        "zeros" | "ones" | "full" | "new_zeros" | "new_ones" | "new_full" => {
            return filled(build, op);
        }
        "arange" => return arange(op),
        _ => {}
    }
    folded(build, op)
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
fn filled<'a>(build: &Build<'a>, op: &Op<'a>) -> Result<Option<Known>, OpenError> {
    let shape = lengths(build, op, op.arg("size"))?;
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
    let value = match op.op {
        "ones" | "new_ones" => 1.0,
        "full" | "new_full" => op.float("fill_value", 0.0)?,
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
    Ok(Known::Constant(Constant {
        tensor,
        from: None,
        batch: None,
    }))
}

/// An operator whose first tensor does not depend on the photo, nor any other of its tensors.
fn folded<'a>(build: &mut Build<'a>, op: &Op<'a>) -> Result<Option<Known>, OpenError> {
    let names = op.node.inputs.iter().flat_map(|input| match &input.arg {
        Argument::AsSymInts(_) | Argument::AsSymInt(_) => Vec::new(),
        arg => super::live::tensors(arg),
    });
    let names: Vec<&str> = names.collect();
    let is_constant = |name: &&str| {
        matches!(
            build.known.get(*name),
            Some(Known::Stored(_) | Known::Constant(_))
        )
    };
    if names.is_empty() || !names.iter().all(is_constant) {
        return Ok(None);
    }
    let known = build.known(op, Some(&first_tensor(op)?), "self")?;
    let Constant {
        tensor: x,
        from,
        batch,
    } = build.constant(op, known, "self")?;
    let rank = x.rank();
    let whole = |list: Vec<Option<Length>>| -> Result<Vec<usize>, OpenError> {
        let count = x.elem_count();
        let known = list
            .iter()
            .flatten()
            .try_fold(1_usize, |n, l| n.checked_mul(l.count?));
        let left = known.filter(|&n| n > 0).map(|n| count / n);
        let dims = list.iter().map(|length| match length {
            None => left,
            Some(length) if length.of_batch => None,
            Some(length) => length.count,
        });
        let dims: Option<Vec<usize>> = dims.collect();
        dims.filter(|dims| dims.len() <= MAX_RANK)
            .ok_or_else(|| op.refuse("its shape is not understood"))
    };
    // What only gives it another shape is still that weight.
    let reshaped = match op.op {
        "view" | "reshape" | "_unsafe_view" => x.reshape(whole(lengths(
            build,
            op,
            op.arg("size").or(op.arg("shape")),
        )?)?),
        "flatten" => {
            let (from, to) = (
                op.axis(op.int("start_dim", 0)?, rank)?,
                op.axis(op.int("end_dim", -1)?, rank)?,
            );
            x.flatten(from, to)
        }
        "unsqueeze" if rank < MAX_RANK => x.unsqueeze(op.axis(op.int("dim", 0)?, rank + 1)?),
        "squeeze" => {
            let named = match op.ints("dim")? {
                Some(dims) => op.axes(&dims, rank)?,
                None => (0..rank).collect(),
            };
            let dims = x.dims().iter().enumerate();
            let dims = dims.filter(|&(axis, &d)| !(d == 1 && named.contains(&axis)));
            x.reshape(dims.map(|(_, &d)| d).collect::<Vec<_>>())
        }
        "permute" => {
            let order = op.ints("dims")?.unwrap_or_default();
            let order = order.iter().map(|&a| op.axis(a, rank));
            x.permute(order.collect::<Result<Vec<_>, _>>()?)
        }
        "transpose" => x.transpose(
            op.axis(op.int("dim0", 0)?, rank)?,
            op.axis(op.int("dim1", 0)?, rank)?,
        ),
        "t" | "numpy_T" if rank <= 2 => x.t(),
        "contiguous" | "clone" | "detach" | "alias" | "lift_fresh_copy" => Ok(x.clone()),
        "to" | "_to_copy" if x.dtype() == DType::F32 => Ok(x.clone()),
        "expand" => return expanded(build, op, &x, from).map(Some),
        _ => {
            return match computed(build, op, &x)? {
                Some(tensor) => constant(op, Ok(tensor)).map(Some),
                None => Ok(None),
            };
        }
    };
    let tensor = reshaped
        .and_then(|t| t.contiguous())
        .map_err(|e| op.refuse(e.to_string()))?;
    Ok(Some(Known::Constant(Constant {
        tensor,
        from,
        batch,
    })))
}

/// The first tensor among the arguments.
fn first_tensor(op: &Op<'_>) -> Result<Argument, OpenError> {
    let mut tensors = op.node.inputs.iter().filter_map(|input| match &input.arg {
        arg @ Argument::AsTensor(_) => Some(arg.clone()),
        Argument::AsTensors(list) => list.first().cloned().map(Argument::AsTensor),
        _ => None,
    });
    tensors.next().ok_or_else(|| op.refuse("it has no tensor"))
}

/// A weight that is repeated for every photo.
fn expanded<'a>(
    build: &Build<'a>,
    op: &Op<'a>,
    x: &Tensor,
    from: Option<super::stored::Stored>,
) -> Result<Known, OpenError> {
    let wanted = lengths(build, op, op.arg("size"))?;
    let missing = wanted
        .len()
        .checked_sub(x.rank())
        .filter(|_| wanted.len() <= MAX_RANK);
    let missing = missing.ok_or_else(|| op.refuse("its shape does not fit its input"))?;
    let mut dims = vec![1; missing];
    dims.extend_from_slice(x.dims());
    let mut batch = None;
    let mut target = dims.clone();
    for (axis, length) in wanted.iter().enumerate() {
        let Some(length) = length else { continue };
        let of_photos = match build.batch {
            super::value::Batch::Any => length.of_batch,
            super::value::Batch::Fixed(n) => axis == 0 && length.count == Some(n),
            super::value::Batch::One => false,
        };
        if of_photos && dims[axis] == 1 && length.count.is_none_or(|n| n == 1 || !length.of_batch) {
            batch = Some(axis);
            continue;
        }
        match length.count {
            Some(n)
                if !length.of_batch && (dims[axis] == n || dims[axis] == 1 && n <= MAX_VALUES) =>
            {
                target[axis] = n;
            }
            _ => return Err(op.refuse("its shape does not fit its input")),
        }
    }
    let count = target.iter().try_fold(1_usize, |n, &d| n.checked_mul(d));
    if count.is_none_or(|n| n > x.elem_count().max(MAX_VALUES)) {
        return Err(op.refuse("it repeats values too often"));
    }
    let tensor = x
        .reshape(dims)
        .and_then(|x| x.broadcast_as(target))
        .and_then(|x| x.contiguous());
    let tensor = tensor.map_err(|e| op.refuse(e.to_string()))?;
    Ok(Known::Constant(Constant {
        tensor,
        from,
        batch,
    }))
}

/// Arithmetic on constants. The result is no weight any more.
#[allow(clippy::too_many_lines, reason = "one arm an operator")]
fn computed<'a>(
    build: &mut Build<'a>,
    op: &Op<'a>,
    x: &Tensor,
) -> Result<Option<Tensor>, OpenError> {
    let rank = x.rank();
    let failed = |e: candle_core::Error| op.refuse(e.to_string());
    let other = |build: &mut Build<'a>| -> Result<Option<Tensor>, OpenError> {
        match op.at(1) {
            Some(Argument::AsTensor(_)) => {
                let known = build.known(op, op.at(1), "other")?;
                build.constant(op, known, "other").map(|c| Some(c.tensor))
            }
            Some(arg) => match number(arg) {
                Some(n) if x.dtype() == DType::I64 && n.fract() == 0.0 => {
                    Tensor::full(n as i64, (), &Device::Cpu)
                        .map(Some)
                        .map_err(failed)
                }
                Some(n) => Tensor::full(n as f32, (), &Device::Cpu)
                    .map(Some)
                    .map_err(failed),
                None => Ok(None),
            },
            None => Ok(None),
        }
    };
    let tensor = match op.op {
        "add" | "sub" | "mul" | "div" | "pow" => {
            let alpha = op.float("alpha", 1.0)?;
            let Some(b) = other(build)? else {
                return Ok(None);
            };
            let both = x
                .to_dtype(DType::F32)
                .and_then(|x| Ok((x, (b.to_dtype(DType::F32)? * alpha)?)));
            let (x, b) = both.map_err(failed)?;
            let larger = x.elem_count().max(b.elem_count());
            if x.elem_count().saturating_mul(b.elem_count()) > larger.max(MAX_VALUES) {
                return Err(op.refuse("it combines constants in a way that is not supported"));
            }
            match op.op {
                "add" => x.broadcast_add(&b),
                "sub" => x.broadcast_sub(&b),
                "mul" => x.broadcast_mul(&b),
                "div" => x.broadcast_div(&b),
                _ => x.broadcast_pow(&b),
            }
        }
        "neg" => x.neg(),
        "exp" => x.exp(),
        "sqrt" => x.sqrt(),
        "rsqrt" => x.sqrt().and_then(|x| x.recip()),
        "sigmoid" => candle_nn::ops::sigmoid(x),
        "tanh" => x.tanh(),
        "select" => {
            let axis = op.axis(op.int("dim", 0)?, rank)?;
            let length = x.dims()[axis];
            let at = op.axis(op.int("index", 0)?, length)?;
            x.narrow(axis, at, 1).and_then(|x| x.squeeze(axis))
        }
        "slice" => {
            let axis = op.axis(op.int("dim", 0)?, rank)?;
            let n = x.dims()[axis] as i64;
            let place =
                |at: i64| (if at < 0 { at.saturating_add(n) } else { at }).clamp(0, n) as usize;
            let (from, to) = (place(op.int("start", 0)?), place(op.int("end", i64::MAX)?));
            if op.int("step", 1)? != 1 || to <= from {
                return Ok(None);
            }
            x.narrow(axis, from, to - from)
        }
        "index" => {
            let Some(Argument::AsOptionalTensors(list)) = op.arg("indices") else {
                return Ok(None);
            };
            let [one] = list.as_slice() else {
                return Ok(None);
            };
            let known = build.known(op, Some(one), "indices")?;
            let places = build.constant(op, known, "indices")?.tensor;
            if places.dtype() != DType::I64
                || rank == 0
                || places
                    .elem_count()
                    .saturating_mul(x.elem_count() / x.dims()[0].max(1))
                    > MAX_VALUES.max(places.elem_count() * 64)
            {
                return Ok(None);
            }
            let mut dims = places.dims().to_vec();
            dims.extend_from_slice(&x.dims()[1..]);
            let flat = places
                .flatten_all()
                .and_then(|p| p.to_vec1::<i64>())
                .map_err(failed)?;
            let n = x.dims()[0] as i64;
            let flat = flat.into_iter().map(|i| if i < 0 { i + n } else { i });
            let flat: Vec<u32> = flat
                .map(|i| {
                    if (0..n).contains(&i) {
                        Ok(i as u32)
                    } else {
                        Err(op.refuse("its indices lie outside"))
                    }
                })
                .collect::<Result<_, _>>()?;
            let count = flat.len();
            Tensor::from_vec(flat, count, &Device::Cpu)
                .and_then(|places| x.index_select(&places, 0)?.reshape(dims))
        }
        _ => return Ok(None),
    };
    tensor
        .and_then(|t| t.contiguous())
        .map(Some)
        .map_err(failed)
}
