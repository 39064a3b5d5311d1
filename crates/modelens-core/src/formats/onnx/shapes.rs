//! Operators that give values another shape, join them, or reduce axes.

use super::build::Build;
use super::node::Op;
use super::stored::MAX_RANK;
use super::value::{Known, Value};
use crate::formats::OpenError;
use crate::model::graph::Input;
use crate::model::layers::{
    Activation, GlobalPool2d, LayerKind, Merge, Pooling, Reduce, Reduction, Reshape,
};
use crate::model::shape_text;

/// The layer of one of these nodes.
pub fn layer<'a>(build: &mut Build<'a>, op: &Op<'_, 'a>) -> Result<Value, OpenError> {
    if op.node.op == "Concat" {
        return concatenate(build, op);
    }
    let x = build.value(op, 0)?;
    match op.node.op {
        "Transpose" => {
            let reversed = (0..x.rank()).rev().map(|a| a as i64).collect();
            let order = op.order(op.ints("perm")?.unwrap_or(reversed), x.rank())?;
            let axes: Vec<usize> = order.iter().map(|&from| x.axes[from]).collect();
            if axes[0] != 0 {
                return Err(op.refuse("it moves the batch axis"));
            }
            // Nothing moves: the value is seen with other axes.
            Ok(build.renamed(op, Value { axes, ..x }))
        }
        "Flatten" => {
            let axis = op.int("axis", 1)?;
            if axis != 1 && axis != 1 - x.rank() as i64 {
                return Err(op.refuse("it flattens the batch axis too"));
            }
            Ok(flat(build, op, x))
        }
        "Reshape" => reshape(build, op, x),
        "Squeeze" | "Unsqueeze" => squeeze(build, op, x),
        _ => reduce(build, op, x),
    }
}

/// The value with its axes in the file's order, as far as that changes the order of its numbers.
fn in_order<'a>(build: &mut Build<'a>, op: &Op<'_, 'a>, x: Value) -> Value {
    let long: Vec<usize> = x
        .axes
        .iter()
        .copied()
        .filter(|&a| a == 0 || x.dims[a] != Some(1))
        .collect();
    if long.is_sorted() {
        return x;
    }
    let axes: Vec<usize> = (0..x.rank()).collect();
    build.turned(op, x, &axes)
}

/// Values of one photo, where that is known.
fn count(dims: &[Option<usize>]) -> Option<usize> {
    let mut sides = dims.iter().skip(1);
    sides.try_fold(1_usize, |n, d| n.checked_mul((*d)?))
}

fn flat<'a>(build: &mut Build<'a>, op: &Op<'_, 'a>, x: Value) -> Value {
    let x = in_order(build, op, x);
    let dims = vec![None, count(&x.dims)];
    Value::plain(build.on(op, LayerKind::Flatten, Vec::new(), &x), dims)
}

/// `Softmax` and `LogSoftmax`. Before opset 13 they are over the axis and all axes after it.
pub fn softmax<'a>(build: &mut Build<'a>, op: &Op<'_, 'a>) -> Result<Value, OpenError> {
    let x = build.value(op, 0)?;
    let default = if op.opset < 13 { 1 } else { -1 };
    let axis = op.axis(op.int("axis", default)?, x.rank())?;
    if axis == 0 {
        return Err(op.refuse("it compares the photos of the batch"));
    }
    let kind = LayerKind::Activation(match op.node.op {
        "Softmax" => Activation::Softmax,
        _ => Activation::LogSoftmax,
    });
    let given = x.file_dims();
    let is_one = |side: &Option<usize>| *side == Some(1);
    if op.opset < 13 && !given[axis + 1..].iter().all(is_one) {
        if !given[1..axis].iter().all(is_one) {
            return Err(op.refuse("it is over several axes of an image, but not over all"));
        }
        let target: Option<Vec<usize>> = given[1..].iter().copied().collect();
        let target =
            target.ok_or_else(|| op.refuse("the size of its input is left open in the file"))?;
        let x = flat(build, op, x);
        let x = Value {
            node: build.on(op, kind, Vec::new(), &x),
            ..x
        };
        let kind = LayerKind::Reshape(Reshape {
            target: target.into_iter().map(Some).collect(),
        });
        return Ok(Value::plain(build.on(op, kind, Vec::new(), &x), given));
    }
    // The axis comes last here; the others keep their order.
    let last = x.rank() - 1;
    let x = if x.axes[axis] == last {
        x
    } else {
        let place = |f: usize| match f {
            f if f == axis => last,
            f if f > axis => f - 1,
            f => f,
        };
        let axes: Vec<usize> = (0..x.rank()).map(place).collect();
        build.turned(op, x, &axes)
    };
    let node = build.on(op, kind, Vec::new(), &x);
    Ok(Value { node, ..x })
}

fn reshape<'a>(build: &mut Build<'a>, op: &Op<'_, 'a>, x: Value) -> Result<Value, OpenError> {
    let sizes = match (op.ints("shape")?, build.constant(op, 1)?) {
        (_, Some(shape)) => shape.sizes()?,
        (Some(shape), None) => shape.into_iter().map(Some).collect(),
        (None, None) => return Err(op.refuse("its shape is missing")),
    };
    if sizes.len() < 2 || sizes.len() > MAX_RANK {
        return Err(op.refuse("its shape leaves no axis for the batch"));
    }
    let given = x.file_dims();
    let zero_copies = op.int("allowzero", 0)? == 0;
    let mut target = Vec::new();
    for (i, size) in sizes.iter().enumerate().skip(1) {
        target.push(match *size {
            None => return Err(op.refuse("it moves the batch axis")),
            Some(-1) => None,
            Some(0) if zero_copies => given.get(i).copied().flatten(),
            Some(n) => {
                Some(usize::try_from(n).map_err(|_| op.refuse("its shape is not understood"))?)
            }
        });
    }
    let whole = count(&x.dims);
    let open = target.iter().filter(|d| d.is_none()).count();
    let fixed = target
        .iter()
        .flatten()
        .try_fold(1_usize, |n, &d| n.checked_mul(d));
    let fixed = fixed.ok_or_else(|| op.refuse("its shape is too large"))?;
    // The batch axis stays where all the values of one photo are in the others.
    let own = match sizes[0] {
        None | Some(0 | 1) => true,
        Some(n) => build.batch.map(|batch| batch as i64) == Some(n),
    };
    let keeps = match (open, whole) {
        (0, Some(whole)) => fixed == whole,
        (1, Some(whole)) => own && fixed > 0 && whole.is_multiple_of(fixed),
        (1, None) => own,
        _ => false,
    };
    if !keeps {
        return Err(op.refuse(format!(
            "it cannot reshape {} to {} and keep the photos apart",
            shape_text(&given),
            shape_text(&sizes)
        )));
    }
    if target.len() == 1 {
        return Ok(flat(build, op, x));
    }
    let x = in_order(build, op, x);
    let mut dims = vec![None];
    let left = whole.map(|whole| whole / fixed.max(1));
    dims.extend(target.iter().map(|d| d.or(left)));
    let kind = LayerKind::Reshape(Reshape { target });
    Ok(Value::plain(build.on(op, kind, Vec::new(), &x), dims))
}

/// The value that a `Reshape` to one axis reads, which it makes one row of all photos.
pub fn line<'a>(build: &mut Build<'a>, op: &Op<'_, 'a>) -> Result<Option<Value>, OpenError> {
    let one_axis = match build.known(op, 1) {
        Some(Known::Constant(shape)) if op.node.op == "Reshape" => shape.sizes()? == [Some(-1)],
        _ => false,
    };
    if !one_axis {
        return Ok(None);
    }
    let x = build.value(op, 0)?;
    Ok(Some(build.renamed(op, x)))
}

/// `Gather` of all the values that `Reshape` put on one axis: another shape for them, if they are as many
/// and stay in order. PyTorch's exporter writes `as_strided` so, for as many photos as it was given.
pub fn gather<'a>(build: &mut Build<'a>, op: &Op<'_, 'a>) -> Result<Value, OpenError> {
    let (Some(Known::Line(x)), Some(places)) = (build.known(op, 0), build.constant(op, 1)?) else {
        return Err(op.refuse("its indices are missing"));
    };
    let x = x.clone();
    op.axis(op.int("axis", 0)?, 1)?;
    let sizes = places.dims();
    let (batch, target) = sizes.split_first().unwrap_or((&0, &[]));
    let own = target.iter().try_fold(1_usize, |n, &d| n.checked_mul(d));
    let keeps = build.batch == Some(*batch) && own.is_some() && own == count(&x.dims);
    if !keeps || target.is_empty() || !places.counts_up()? {
        return Err(op.refuse("it mixes the photos of the batch or their values"));
    }
    let x = in_order(build, op, x);
    let mut dims = vec![None];
    dims.extend(target.iter().copied().map(Some));
    let kind = LayerKind::Reshape(Reshape {
        target: dims[1..].to_vec(),
    });
    Ok(Value::plain(build.on(op, kind, Vec::new(), &x), dims))
}

/// Axes named by an attribute in older files, by an input in newer ones.
fn axes<'a>(
    build: &Build<'a>,
    op: &Op<'_, 'a>,
    rank: usize,
) -> Result<Option<Vec<usize>>, OpenError> {
    let named = match (op.ints("axes")?, build.constant(op, 1)?) {
        (Some(axes), _) => Some(axes),
        (None, Some(axes)) => Some(axes.ints()?),
        (None, None) => None,
    };
    let Some(named) = named else { return Ok(None) };
    let axes = named.into_iter().map(|a| op.axis(a, rank));
    let mut axes = axes.collect::<Result<Vec<_>, _>>()?;
    axes.sort_unstable();
    axes.dedup();
    Ok(Some(axes))
}

fn squeeze<'a>(build: &mut Build<'a>, op: &Op<'_, 'a>, x: Value) -> Result<Value, OpenError> {
    let mut x = in_order(build, op, x);
    let mut dims = x.file_dims();
    if op.node.op == "Squeeze" {
        let ones = || (1..dims.len()).filter(|&a| dims[a] == Some(1)).collect();
        let axes = axes(build, op, x.rank())?.unwrap_or_else(ones);
        for axis in axes.into_iter().rev() {
            if axis == 0 || dims[axis] != Some(1) {
                return Err(op.refuse(format!("axis {axis} is not of length 1")));
            }
            dims.remove(axis);
        }
    } else {
        let named = op
            .ints("axes")?
            .or(build.constant(op, 1)?.map(|c| c.ints()).transpose()?);
        let named = named.ok_or_else(|| op.refuse("its axes are missing"))?;
        let rank = x.rank() + named.len();
        if rank > MAX_RANK {
            return Err(op.refuse("it adds too many axes"));
        }
        let mut axes = named
            .into_iter()
            .map(|a| op.axis(a, rank))
            .collect::<Result<Vec<_>, _>>()?;
        axes.sort_unstable();
        if axes.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(op.refuse("it names an axis twice"));
        }
        for axis in axes {
            if axis == 0 || axis > dims.len() {
                return Err(op.refuse("it puts an axis before the batch"));
            }
            dims.insert(axis, Some(1));
        }
    }
    let target: Vec<_> = dims.iter().skip(1).copied().collect();
    if target.iter().filter(|d| d.is_none()).count() > 1 || target.is_empty() {
        return Err(op.refuse("the size of its input is left open in the file"));
    }
    let kind = LayerKind::Reshape(Reshape { target });
    x = Value::plain(build.on(op, kind, Vec::new(), &x), dims);
    Ok(x)
}

fn reduce<'a>(build: &mut Build<'a>, op: &Op<'_, 'a>, x: Value) -> Result<Value, OpenError> {
    let by = match op.node.op {
        "ReduceMax" => Reduction::Max,
        "ReduceMin" => Reduction::Min,
        "ReduceSum" => Reduction::Sum,
        _ => Reduction::Mean,
    };
    let named = axes(build, op, x.rank())?.filter(|axes| !axes.is_empty());
    let named = named.filter(|axes| !axes.contains(&0));
    let named = named.ok_or_else(|| op.refuse("it reduces over the photos of the batch too"))?;
    let keep_dims = op.int("keepdims", 1)? != 0;
    let mut inner: Vec<usize> = named.iter().map(|&a| x.axes[a]).collect();
    inner.sort_unstable();
    let kind = match by {
        Reduction::Mean | Reduction::Max if inner == [1, 2] && x.rank() == 4 => {
            LayerKind::GlobalPool2d(GlobalPool2d {
                pooling: if by == Reduction::Max {
                    Pooling::Max
                } else {
                    Pooling::Average
                },
                keep_dims,
            })
        }
        _ => LayerKind::Reduce(Reduce {
            by,
            axes: inner.iter().map(|&a| a as i64).collect(),
            keep_dims,
        }),
    };
    let node = build.on(op, kind, Vec::new(), &x);
    let Value {
        mut axes, mut dims, ..
    } = x;
    for &axis in inner.iter().rev() {
        dims[axis] = Some(1);
        if !keep_dims {
            dims.remove(axis);
            axes.retain(|&a| a != axis);
            axes.iter_mut().filter(|a| **a > axis).for_each(|a| *a -= 1);
        }
    }
    Ok(Value { node, axes, dims })
}

fn concatenate<'a>(build: &mut Build<'a>, op: &Op<'_, 'a>) -> Result<Value, OpenError> {
    let first = build.value(op, 0)?;
    let axis = op.axis(op.int("axis", 1)?, first.rank())?;
    if axis == 0 {
        return Err(op.refuse("it joins values along the batch axis"));
    }
    let axis = first.axes[axis];
    let mut inputs = vec![Input::Node(first.node)];
    let mut dims = first.dims.clone();
    for at in 1..op.node.inputs.len() {
        let next = build.value(op, at)?;
        if next.rank() != first.rank() {
            return Err(op.refuse("it joins values with different numbers of axes"));
        }
        let next = build.turned(op, next, &first.axes);
        for (i, (d, n)) in dims.iter_mut().zip(&next.dims).enumerate() {
            *d = match (*d, *n) {
                (Some(a), Some(b)) if i == axis => {
                    let sum = a.checked_add(b);
                    Some(sum.ok_or_else(|| op.refuse("it joins too many values"))?)
                }
                (Some(a), Some(b)) if a != b => {
                    return Err(op.refuse("it joins images of different sizes"));
                }
                _ if i == axis => None,
                (d, n) => d.or(n),
            };
        }
        inputs.push(Input::Node(next.node));
    }
    let kind = LayerKind::Merge(Merge::Concatenate(axis as i64));
    let node = build.emit(&op.name, "Concat", kind, Vec::new(), inputs);
    Ok(Value {
        node,
        dims,
        ..first
    })
}
