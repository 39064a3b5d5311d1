//! Folds operators on constants, with which exporters compute shapes and pads.

use candle_core::{Device, Tensor};

use super::constant::Constant;
use super::fold_ints;
use super::node::Op;
use super::proto::Attribute;
use super::stored::MAX_RANK;
use crate::formats::OpenError;

/// Maximum number of values in a constant that is folded.
pub const MAX_FOLDED: usize = 64;

/// `FLOAT`, `FLOAT16`, `DOUBLE` and `BFLOAT16` of `TensorProto.DataType`.
const FLOATS: [i64; 4] = [1, 10, 11, 16];
/// `INT32` and `INT64`.
const INTS: [i64; 2] = [6, 7];

/// The value of an operator on constants; `None` if it is not implemented.
pub fn fold<'a>(
    op: &Op<'_, 'a>,
    inputs: &[Constant<'a>],
) -> Result<Option<Constant<'a>>, OpenError> {
    let Some(first) = inputs.first() else {
        return Ok(None);
    };
    match op.node.op {
        "Identity" | "CastLike" => Ok(Some(first.clone())),
        "Cast" => cast(op, first).map(Some),
        "Shape" => {
            let dims = first.dims().into_iter().map(|d| Some(d as i64));
            shape(op, &dims.collect::<Vec<_>>()).map(Some)
        }
        "ConstantOfShape" if !fills_with_ints(op) => filled(op, first).map(Some),
        _ if inputs.iter().all(Constant::is_whole) => {
            let folded = fold_ints::fold(op, inputs)?;
            let small = folded.filter(|(list, _)| list.len() <= MAX_FOLDED);
            Ok(small.map(|(list, dims)| Constant::Ints { list, dims }))
        }
        _ if first.is_whole() => Ok(None),
        _ => match arranged(op, first, inputs)? {
            Some(tensor) => Ok(Some(Constant::Floats(tensor))),
            None => match computed(op, inputs)? {
                Some(tensor) => Ok(Some(Constant::Floats(tensor))),
                // Reports a tensor whose type cannot be read.
                None => first.floats().map(|_| None),
            },
        },
    }
}

/// Values of one float constant that `ConstantOfShape` makes, at most.
const MAX_FILLED: usize = 1 << 24;

/// True if the value of a `ConstantOfShape` is whole; without one it is 0 as a float.
fn fills_with_ints(op: &Op<'_, '_>) -> bool {
    matches!(op.node.attributes.first(), Some((_, Attribute::Tensor(value))) if value.is_whole())
}

/// `ConstantOfShape` with floats.
fn filled<'a>(op: &Op<'_, 'a>, shape: &Constant<'a>) -> Result<Constant<'a>, OpenError> {
    let value = match op.node.attributes.first() {
        Some((_, Attribute::Tensor(value))) => {
            *values(op, &value.floats()?)?.first().unwrap_or(&0.0)
        }
        _ => 0.0,
    };
    let side = |n: i64| usize::try_from(n).ok();
    let dims: Option<Vec<usize>> = shape.ints()?.into_iter().map(side).collect();
    let dims = dims.filter(|dims| {
        let count = dims.iter().try_fold(1_usize, |n, &d| n.checked_mul(d));
        dims.len() <= MAX_RANK && count.is_some_and(|n| n <= MAX_FILLED)
    });
    let dims = dims.ok_or_else(|| op.refuse("its shape is not understood"))?;
    let tensor = Tensor::full(value, dims, &Device::Cpu);
    tensor
        .map(Constant::Floats)
        .map_err(|e| op.refuse(e.to_string()))
}

/// The value of a `Shape` node: all sizes, or those in `start..end`.
pub fn shape<'a>(op: &Op<'_, 'a>, list: &[Option<i64>]) -> Result<Constant<'a>, OpenError> {
    let place = |name, default| -> Result<usize, OpenError> {
        let at = op.int(name, default)?;
        let rank = list.len() as i64;
        Ok((if at < 0 { at.saturating_add(rank) } else { at }).clamp(0, rank) as usize)
    };
    let (start, end) = (place("start", 0)?, place("end", i64::MAX)?);
    let list = list[start..end.max(start)].to_vec();
    let dims = vec![list.len()];
    Ok(Constant::Ints { list, dims })
}

/// Casts a few numbers; weights stay as they are, because all are read as 32-bit floats.
fn cast<'a>(op: &Op<'_, 'a>, x: &Constant<'a>) -> Result<Constant<'a>, OpenError> {
    let to = op.int("to", 1)?;
    let is_small = x.dims().iter().try_fold(1_usize, |n, &d| n.checked_mul(d)) <= Some(MAX_FOLDED);
    if !is_small || x.is_whole() == INTS.contains(&to) {
        return Ok(x.clone());
    }
    if FLOATS.contains(&to) {
        let list = x.sizes()?;
        // The batch size has no known value, so it stays as it is.
        return Ok(if list.contains(&None) {
            x.clone()
        } else {
            Constant::Floats(x.floats()?)
        });
    }
    if !INTS.contains(&to) {
        return Ok(x.clone());
    }
    let values = values(op, &x.floats()?)?;
    let list = values.iter().map(|v| {
        // Rounds towards 0, as ONNX specifies; other values have no integer.
        let whole = v.trunc();
        (whole.abs() < 9e15).then_some(Some(whole as i64))
    });
    let list = list.collect::<Option<Vec<_>>>();
    let list = list.ok_or_else(|| op.refuse("its number does not fit an integer"))?;
    let dims = x.dims();
    Ok(Constant::Ints { list, dims })
}

fn values(op: &Op<'_, '_>, x: &Tensor) -> Result<Vec<f32>, OpenError> {
    let values = x.flatten_all().and_then(|x| x.to_vec1::<f32>());
    values.map_err(|e| op.refuse(e.to_string()))
}

/// Reorders or reshapes any number of values.
fn arranged(
    op: &Op<'_, '_>,
    first: &Constant<'_>,
    inputs: &[Constant<'_>],
) -> Result<Option<Tensor>, OpenError> {
    let failed = |e: candle_core::Error| op.refuse(e.to_string());
    let second = || inputs.get(1).map(Constant::ints).transpose();
    let x = match op.node.op {
        "Transpose" | "Reshape" | "Squeeze" | "Unsqueeze" => first.floats()?,
        _ => return Ok(None),
    };
    let shape: Vec<i64> = x.dims().iter().map(|&d| d as i64).collect();
    let target = match op.node.op {
        "Transpose" => {
            let reversed = (0..x.rank()).rev().map(|a| a as i64).collect();
            let order = op.order(op.ints("perm")?.unwrap_or(reversed), x.rank())?;
            let x = x.permute(order).and_then(|x| x.contiguous());
            return x.map(Some).map_err(failed);
        }
        "Reshape" => second()?,
        "Squeeze" => Some(shape.into_iter().filter(|&d| d != 1).collect()),
        _ => {
            let named = op
                .ints("axes")?
                .map_or_else(second, |axes| Ok(Some(axes)))?;
            let named = named.ok_or_else(|| op.refuse("its axes are missing"))?;
            Some(unsqueezed(op, shape, &named)?)
        }
    };
    let Some(target) = target.filter(|t| t.len() <= MAX_RANK) else {
        return Ok(None);
    };
    let fixed: i64 = target
        .iter()
        .filter(|&&d| d > 0)
        .fold(1, |n, &d| n.saturating_mul(d));
    let left = x.elem_count() as i64 / fixed.max(1);
    let target = target.into_iter().map(|d| if d == -1 { left } else { d });
    let target = target.map(usize::try_from).collect::<Result<Vec<_>, _>>();
    let target = target.map_err(|_| op.refuse("its shape is not understood"))?;
    x.reshape(target).map(Some).map_err(failed)
}

/// The shape with axes of length 1 inserted at these indices.
fn unsqueezed(op: &Op<'_, '_>, mut shape: Vec<i64>, named: &[i64]) -> Result<Vec<i64>, OpenError> {
    let rank = shape.len() + named.len();
    if rank > MAX_RANK {
        return Err(op.refuse("it adds too many axes"));
    }
    let axes = named.iter().map(|&a| op.axis(a, rank));
    let mut axes = axes.collect::<Result<Vec<_>, _>>()?;
    axes.sort_unstable();
    if axes.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(op.refuse("it names an axis twice"));
    }
    // Sorted and distinct, each index is within the shape built so far.
    for axis in axes {
        shape.insert(axis, 1);
    }
    Ok(shape)
}

/// Arithmetic on a few numbers, in 32 bits like other runtimes.
fn computed(op: &Op<'_, '_>, inputs: &[Constant<'_>]) -> Result<Option<Tensor>, OpenError> {
    let mut lists = Vec::new();
    for input in inputs {
        let count = input
            .dims()
            .iter()
            .try_fold(1_usize, |n, &d| n.checked_mul(d));
        if count.is_none_or(|n| n == 0 || n > MAX_FOLDED) {
            return Ok(None);
        }
        let is_of_batch = input.is_whole() && input.sizes()?.contains(&None);
        if is_of_batch {
            return Err(op.refuse("it computes with the batch size"));
        }
        lists.push(values(op, &input.floats()?)?);
    }
    let dims: Vec<Vec<usize>> = inputs.iter().map(Constant::dims).collect();
    let (list, shape) = match (op.node.op, lists.as_slice()) {
        ("Concat", lists) if dims.iter().all(|d| d.len() == 1) => {
            let list = lists.concat();
            let shape = vec![list.len()];
            (list, shape)
        }
        ("Ceil" | "Floor" | "Round" | "Sqrt" | "Neg", [x]) => {
            let function = match op.node.op {
                "Ceil" => f32::ceil,
                "Floor" => f32::floor,
                "Round" => f32::round_ties_even,
                "Sqrt" => f32::sqrt,
                _ => |x: f32| -x,
            };
            (x.iter().map(|&x| function(x)).collect(), dims[0].clone())
        }
        ("Add" | "Sub" | "Mul" | "Div" | "Max" | "Min", [a, b])
            if dims[0] == dims[1] || dims[0].is_empty() || dims[1].is_empty() =>
        {
            let function = match op.node.op {
                "Add" => |a: f32, b: f32| a + b,
                "Sub" => |a, b| a - b,
                "Mul" => |a, b| a * b,
                "Div" => |a, b| a / b,
                "Max" => f32::max,
                _ => f32::min,
            };
            let at = |list: &[f32], i: usize| list[i.min(list.len() - 1)];
            let list = (0..a.len().max(b.len())).map(|i| function(at(a, i), at(b, i)));
            let shape = dims.iter().max_by_key(|dims| dims.len());
            (list.collect(), shape.cloned().unwrap_or_default())
        }
        ("Clip", [x, bounds @ ..]) if op.opset >= 11 => {
            let one = |at: usize, open: f32| bounds.get(at).map_or(open, |b| b[0]);
            let (low, high) = (one(0, f32::MIN), one(1, f32::MAX));
            let list = x.iter().map(|x| x.max(low).min(high));
            (list.collect(), dims[0].clone())
        }
        _ => return Ok(None),
    };
    let tensor = Tensor::from_vec(list, shape, &Device::Cpu);
    tensor.map(Some).map_err(|e| op.refuse(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::onnx::proto::{Attribute, Node};

    /// Numbers, their shape, and whether they are whole.
    type Folded = Option<(Vec<f32>, Vec<usize>, bool)>;

    fn ints(list: &[Option<i64>], dims: &[usize]) -> Constant<'static> {
        Constant::Ints {
            list: list.to_vec(),
            dims: dims.to_vec(),
        }
    }

    fn floats(list: &[f32], dims: &[usize]) -> Constant<'static> {
        let tensor = Tensor::from_slice(list, dims, &Device::Cpu);
        Constant::Floats(tensor.unwrap())
    }

    fn folded(
        op: &'static str,
        to: i64,
        inputs: &[Constant<'static>],
    ) -> Result<Folded, OpenError> {
        let node = Node {
            op,
            attributes: vec![("to", Attribute::Int(to))],
            ..Node::default()
        };
        let op = Op {
            node: &node,
            name: "node".to_owned(),
            opset: 17,
        };
        let folded = fold(&op, inputs)?;
        Ok(folded.map(|constant| {
            let list = constant.floats().unwrap().flatten_all().unwrap();
            (
                list.to_vec1().unwrap(),
                constant.dims(),
                constant.is_whole(),
            )
        }))
    }

    #[allow(clippy::unnecessary_wraps, reason = "what is compared with is one too")]
    fn is(list: &[f32], dims: &[usize], whole: bool) -> Folded {
        Some((list.to_vec(), dims.to_vec(), whole))
    }

    #[test]
    fn fractions_are_kept_until_they_are_cast() {
        let seven = ints(&[Some(7)], &[]);
        let whole = folded("Div", 0, &[seven.clone(), ints(&[Some(2)], &[])]);
        assert_eq!(whole.unwrap(), is(&[3.0], &[], true));
        assert_eq!(folded("Cast", 1, &[seven]).unwrap(), is(&[7.0], &[], false));
        let half = folded("Div", 0, &[floats(&[7.0], &[]), floats(&[2.0], &[])]);
        assert_eq!(half.unwrap(), is(&[3.5], &[], false));
        let x = [floats(&[3.5, -3.5], &[2])];
        assert_eq!(
            folded("Ceil", 0, &x).unwrap(),
            is(&[4.0, -3.0], &[2], false)
        );
        assert_eq!(
            folded("Floor", 0, &x).unwrap(),
            is(&[3.0, -4.0], &[2], false)
        );
        assert_eq!(folded("Cast", 7, &x).unwrap(), is(&[3.0, -3.0], &[2], true));
        let clipped = folded("Clip", 0, &[x[0].clone(), floats(&[0.0], &[])]);
        assert_eq!(clipped.unwrap(), is(&[3.5, 0.0], &[2], false));
        let scaled = folded("Mul", 0, &[x[0].clone(), floats(&[2.0], &[])]);
        assert_eq!(scaled.unwrap(), is(&[7.0, -7.0], &[2], false));
    }

    #[test]
    fn what_has_no_number_is_refused() {
        for wide in [f32::NAN, f32::INFINITY, 1e20] {
            assert!(
                folded("Cast", 7, &[floats(&[wide], &[1])]).is_err(),
                "{wide}"
            );
        }
        let batch = ints(&[None], &[]);
        // The batch size stays as it is; arithmetic with it is refused.
        let cast = folded("Cast", 1, std::slice::from_ref(&batch)).unwrap();
        assert!(cast.is_some_and(|(list, _, whole)| list[0].is_nan() && whole));
        let two = floats(&[2.0], &[]);
        assert!(folded("Div", 0, &[two.clone(), batch.clone()]).is_err());
        assert!(folded("Div", 0, &[batch, two]).unwrap().is_none());
        let misfit = folded(
            "Add",
            0,
            &[floats(&[1.0; 2], &[2]), floats(&[1.0; 3], &[3])],
        );
        assert!(misfit.unwrap().is_none());
        let many = floats(&[1.0; 65], &[65]);
        assert!(folded("Add", 0, &[many.clone(), many]).unwrap().is_none());
        assert!(folded("Ceil", 0, &[floats(&[], &[0])]).unwrap().is_none());
    }

    #[test]
    fn axes_of_length_one_are_added_where_they_are_named() {
        let x = floats(&[1.0, 2.0], &[2]);
        let at =
            |axes: &[Option<i64>]| folded("Unsqueeze", 0, &[x.clone(), ints(axes, &[axes.len()])]);
        assert_eq!(at(&[Some(0)]).unwrap(), is(&[1.0, 2.0], &[1, 2], false));
        assert_eq!(at(&[Some(-1)]).unwrap(), is(&[1.0, 2.0], &[2, 1], false));
        assert_eq!(
            at(&[Some(0), Some(2)]).unwrap(),
            is(&[1.0, 2.0], &[1, 2, 1], false)
        );
        for odd in [&[Some(2)][..], &[Some(1), Some(1)], &[None], &[Some(0); 8]] {
            assert!(at(odd).is_err(), "{odd:?}");
        }
    }
}
