//! Operators that only give a value another shape or another order of axes.

use super::build::Build;
use super::node::Op;
use super::schema::{Argument, SymInt};
use super::value::{Batch, Known, Length, Value};
use crate::formats::OpenError;

/// The value of such an operator; `None` for other operators.
#[allow(clippy::too_many_lines, reason = "one arm an operator")]
pub fn result<'a>(build: &mut Build<'a>, op: &Op<'a>) -> Result<Option<Value>, OpenError> {
    let known = matches!(
        op.op,
        "view"
            | "reshape"
            | "_unsafe_view"
            | "view_as"
            | "reshape_as"
            | "flatten"
            | "unflatten"
            | "permute"
            | "transpose"
            | "swapaxes"
            | "t"
            | "numpy_T"
            | "squeeze"
            | "unsqueeze"
            | "expand"
            | "expand_as"
            | "contiguous"
            | "clone"
            | "detach"
            | "alias"
            | "to"
            | "_to_copy"
            | "type_as"
            | "lift_fresh_copy"
            | "float"
    );
    if !known {
        return Ok(None);
    }
    let x = build.value(op, 0)?;
    let rank = x.rank();
    let value = match op.op {
        "view" | "reshape" | "_unsafe_view" => {
            let target = lengths(build, op, op.arg("size").or(op.arg("shape")))?;
            let value = build.view(op, &x, &target)?;
            flat(build, op, value)?
        }
        "view_as" | "reshape_as" => {
            let target: Vec<Option<Length>> = match build.known(op, op.at(1), "other")? {
                Known::Value(other) => (0..other.rank())
                    .map(|axis| Some(other.length(axis)))
                    .collect(),
                _ => return Err(op.refuse("its shape is that of a constant")),
            };
            build.view(op, &x, &target)?
        }
        "flatten" => {
            let from = op.axis(op.int("start_dim", 0)?, rank)?;
            let to = op.axis(op.int("end_dim", -1)?, rank)?;
            let mut axes = x.axes.clone();
            if from > to {
                return Err(op.refuse("its axes are in the wrong order"));
            }
            let joined: Vec<usize> = axes.drain(from..=to).flatten().collect();
            axes.insert(from, joined);
            flat(build, op, Value { axes, ..x })?
        }
        "unflatten" => {
            let axis = op.axis(op.int("dim", 0)?, rank)?;
            let mut target: Vec<_> = (0..rank).map(|a| Some(x.length(a))).collect();
            target.splice(axis..=axis, lengths(build, op, op.arg("sizes"))?);
            build.view(op, &x, &target)?
        }
        "permute" => {
            let order = op.ints("dims")?.unwrap_or_default();
            let order = order.into_iter().map(|a| op.axis(a, rank));
            let order = order.collect::<Result<Vec<_>, _>>()?;
            let mut sorted = order.clone();
            sorted.sort_unstable();
            if sorted != (0..rank).collect::<Vec<_>>() {
                return Err(op.refuse("its axes are no permutation"));
            }
            let axes = order.iter().map(|&axis| x.axes[axis].clone()).collect();
            Value { axes, ..x }
        }
        "transpose" | "swapaxes" | "t" | "numpy_T" => {
            let [a, b] = match op.op {
                "transpose" => ["dim0", "dim1"].map(|name| op.int(name, 0)),
                "swapaxes" => ["axis0", "axis1"].map(|name| op.int(name, 0)),
                _ if rank == 2 => [Ok(0), Ok(1)],
                _ => return Err(op.refuse("its input does not have two axes")),
            };
            let mut axes = x.axes.clone();
            axes.swap(op.axis(a?, rank)?, op.axis(b?, rank)?);
            Value { axes, ..x }
        }
        "squeeze" => squeezed(op, x)?,
        "unsqueeze" => {
            let axis = op.axis(op.int("dim", 0)?, rank + 1)?;
            let mut axes = x.axes.clone();
            axes.insert(axis, Vec::new());
            Value { axes, ..x }
        }
        "expand" | "expand_as" => {
            let same: Vec<Option<Length>> = match build.known(op, op.at(1), "other") {
                Ok(Known::Value(other)) => {
                    (0..other.rank()).map(|a| Some(other.length(a))).collect()
                }
                _ => lengths(build, op, op.arg("size"))?,
            };
            let keeps = same.len() == rank
                && same.iter().enumerate().all(|(a, wanted)| {
                    let own = x.length(a);
                    wanted.is_none_or(|wanted| is_same(build.batch, own, wanted))
                });
            if !keeps {
                return Err(op.refuse("it repeats values, which is not supported"));
            }
            x
        }
        _ => {
            if let Some(Argument::AsScalarType(code)) = op.arg("dtype")
                && !matches!(code, 6 | 7 | 8 | 13)
            {
                return Err(op.refuse("it turns values into whole numbers, which is not supported"));
            }
            x
        }
    };
    Ok(Some(value))
}

/// True if the two count the same; the number of photos may be given as a number.
pub fn is_same(batch: Batch, a: Length, b: Length) -> bool {
    let whole = |length: Length| match (batch, length.of_batch) {
        (Batch::Fixed(n), true) => (length.count.and_then(|c| c.checked_mul(n)), false),
        (_, of_batch) => (length.count, of_batch),
    };
    whole(a) == whole(b)
}

/// Lengths as a program gives them; `None` for -1.
pub fn lengths<'a>(
    build: &Build<'a>,
    op: &Op<'a>,
    arg: Option<&Argument>,
) -> Result<Vec<Option<Length>>, OpenError> {
    let plain = |n: i64| match usize::try_from(n) {
        Ok(n) => Ok(Some(Length {
            count: Some(n),
            of_batch: false,
        })),
        Err(_) if n == -1 => Ok(None),
        Err(_) => Err(op.refuse("its shape is not understood")),
    };
    match arg {
        Some(Argument::AsInts(list)) => list.iter().map(|&n| plain(n)).collect(),
        Some(Argument::AsSymInts(list)) => {
            let of = |n: &SymInt| match n {
                SymInt::AsInt(n) => plain(*n),
                SymInt::AsName(name) => match build.known.get(name.as_str()) {
                    Some(Known::Length(length)) => Ok(Some(*length)),
                    _ => Err(op.refuse("its shape depends on more than the input's size")),
                },
                SymInt::AsExpr(_) => Err(op.refuse("its shape is an expression")),
            };
            list.iter().map(of).collect()
        }
        _ => Err(op.refuse("its shape is missing")),
    }
}

/// A value of one row for each photo gets its axes in the program's order at once, so that the layer that
/// flattens has the name of the program's.
fn flat<'a>(build: &mut Build<'a>, op: &Op<'a>, value: Value) -> Result<Value, OpenError> {
    if value.rank() == 2
        && build
            .batch_axis(op, &value)
            .is_ok_and(|axis| axis == Some(0))
    {
        return build.arranged(op, &value, &[1], true);
    }
    Ok(value)
}

fn squeezed(op: &Op<'_>, x: Value) -> Result<Value, OpenError> {
    let rank = x.rank();
    let is_one = |axis: usize| {
        x.length(axis)
            == Length {
                count: Some(1),
                of_batch: false,
            }
    };
    let named = match op.ints("dim")? {
        Some(dims) => op.axes(&dims, rank)?,
        None => (0..rank).collect(),
    };
    let axes = x.axes.iter().enumerate();
    let kept = axes.filter(|&(axis, _)| !(named.contains(&axis) && is_one(axis)));
    let axes: Vec<Vec<usize>> = kept.map(|(_, list)| list.clone()).collect();
    Ok(Value { axes, ..x })
}
