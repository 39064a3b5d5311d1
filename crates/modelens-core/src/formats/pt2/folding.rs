//! Operators on weights and constants that give other constants when the file is opened.

mod computed;

use candle_core::{DType, Device, Tensor};

use self::computed::computed;
use super::build::Build;
use super::memory::viewed;
use super::node::Op;
use super::schema::Argument;
use super::shapes::lengths;
use super::stored::MAX_RANK;
use super::value::{Batch, Constant, Known, Length};
use crate::formats::OpenError;

/// Values that a constant may have that no weight holds: the mask of Swin for 384 pixels has 1.3 million.
pub const MAX_VALUES: usize = 1 << 22;

/// An operator whose tensors all do not depend on the photo; `None` for others.
pub fn result<'a>(build: &mut Build<'a>, op: &Op<'a>) -> Result<Option<Known>, OpenError> {
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
    let x = build.constant(op, known, "self")?;
    if let Some(constant) = seen(build, op, &x)? {
        return Ok(Some(Known::Constant(constant)));
    }
    let tensor = computed(build, op, &x.tensor)?;
    if let Some(tensor) = &tensor {
        build.afford(op, tensor.elem_count())?;
    }
    Ok(tensor.map(|tensor| Known::Constant(Constant::new(tensor))))
}

/// The same values in another shape or order, or some of them; `None` for other operators.
#[allow(clippy::too_many_lines, reason = "one arm an operator")]
fn seen<'a>(
    build: &mut Build<'a>,
    op: &Op<'a>,
    x: &Constant,
) -> Result<Option<Constant>, OpenError> {
    let rank = x.tensor.rank();
    let constant = match op.op {
        "view" | "reshape" | "_unsafe_view" => {
            let target = lengths(build, op, op.arg("size").or(op.arg("shape")))?;
            let dims = whole(op, x, &target)?;
            let seen = viewed(build, op, x, true, |t| t.reshape(dims.as_slice()))?;
            // Of values that are no longer one after the other, it may be a copy.
            Constant {
                is_view: x.is_view && x.places.is_none(),
                ..seen
            }
        }
        "flatten" => {
            let (from, to) = (
                op.axis(op.int("start_dim", 0)?, rank)?,
                op.axis(op.int("end_dim", -1)?, rank)?,
            );
            let seen = viewed(build, op, x, true, |t| t.flatten(from, to))?;
            Constant {
                is_view: x.is_view && x.places.is_none(),
                ..seen
            }
        }
        "unsqueeze" if rank < MAX_RANK => {
            let axis = op.axis(op.int("dim", 0)?, rank + 1)?;
            viewed(build, op, x, true, |t| t.unsqueeze(axis))?
        }
        "squeeze" => {
            let named = match op.ints("dim")? {
                Some(dims) => op.axes(&dims, rank)?,
                None => (0..rank).collect(),
            };
            let dims = x.tensor.dims().iter().enumerate();
            let dims = dims.filter(|&(axis, &d)| !(d == 1 && named.contains(&axis)));
            let dims: Vec<usize> = dims.map(|(_, &d)| d).collect();
            viewed(build, op, x, true, |t| t.reshape(dims.as_slice()))?
        }
        "permute" => {
            let order = op.ints("dims")?.unwrap_or_default();
            let order = order.iter().map(|&a| op.axis(a, rank));
            let order = order.collect::<Result<Vec<_>, _>>()?;
            viewed(build, op, x, false, |t| t.permute(order.as_slice()))?
        }
        "transpose" => {
            let (a, b) = (
                op.axis(op.int("dim0", 0)?, rank)?,
                op.axis(op.int("dim1", 0)?, rank)?,
            );
            viewed(build, op, x, false, |t| t.transpose(a, b))?
        }
        "t" | "numpy_T" if rank == 2 => viewed(build, op, x, false, Tensor::t)?,
        "select" => {
            let axis = op.axis(op.int("dim", 0)?, rank)?;
            let at = op.axis(op.int("index", 0)?, x.tensor.dims()[axis])?;
            viewed(build, op, x, false, |t| {
                t.narrow(axis, at, 1)?.squeeze(axis)
            })?
        }
        "slice" => {
            let axis = op.axis(op.int("dim", 0)?, rank)?;
            let n = x.tensor.dims()[axis] as i64;
            let place =
                |at: i64| (if at < 0 { at.saturating_add(n) } else { at }).clamp(0, n) as usize;
            let (from, to) = (place(op.int("start", 0)?), place(op.int("end", i64::MAX)?));
            if op.int("step", 1)? != 1 || to <= from {
                return Ok(None);
            }
            if (from as i64, to as i64) == (0, n) {
                return Ok(Some(x.clone()));
            }
            viewed(build, op, x, false, |t| t.narrow(axis, from, to - from))?
        }
        "index" => {
            let one = match op.arg("indices") {
                Some(Argument::AsTensors(list)) => match list.as_slice() {
                    [one] => Argument::AsTensor(one.clone()),
                    _ => return Ok(None),
                },
                Some(Argument::AsOptionalTensors(list)) => match list.as_slice() {
                    [one] => one.clone(),
                    _ => return Ok(None),
                },
                _ => return Ok(None),
            };
            let Some(seen) = rows(build, op, x, &one)? else {
                return Ok(None);
            };
            seen
        }
        "embedding" => {
            let Some(indices) = op.arg("indices").cloned() else {
                return Ok(None);
            };
            let Some(seen) = rows(build, op, x, &indices)? else {
                return Ok(None);
            };
            seen
        }
        "contiguous" if x.places.is_some() => Constant {
            is_view: false,
            ..x.clone()
        },
        "contiguous" | "detach" | "alias" => x.clone(),
        "clone" | "lift_fresh_copy" => copied(x),
        "to" | "_to_copy" | "float" | "type_as" if x.tensor.dtype() == DType::F32 => {
            match op.arg("dtype") {
                None | Some(Argument::AsScalarType(6 | 7 | 8 | 13)) => x.clone(),
                Some(_) => return Ok(None),
            }
        }
        "expand" | "repeat" => repeated(build, op, x)?,
        _ => return Ok(None),
    };
    Ok(Some(constant))
}

/// A copy in memory of its own. Places count in a weight only.
fn copied(x: &Constant) -> Constant {
    Constant {
        places: x.places.clone().filter(|_| x.from.is_some()),
        is_view: true,
        ..x.clone()
    }
}

/// `x[indices]` along the first axis.
fn rows<'a>(
    build: &mut Build<'a>,
    op: &Op<'a>,
    x: &Constant,
    indices: &Argument,
) -> Result<Option<Constant>, OpenError> {
    let failed = |e: candle_core::Error| op.refuse(e.to_string());
    let known = build.known(op, Some(indices), "indices")?;
    let indices = build.constant(op, known, "indices")?.tensor;
    let Some(&length) = x.tensor.dims().first() else {
        return Ok(None);
    };
    let row = x.tensor.elem_count() / length.max(1);
    let count = indices.elem_count().checked_mul(row);
    if indices.dtype() != DType::I64 || count.is_none_or(|n| n > MAX_VALUES) {
        return Ok(None);
    }
    build.afford(op, count.unwrap_or(0))?;
    let mut dims = indices.dims().to_vec();
    dims.extend_from_slice(&x.tensor.dims()[1..]);
    let flat = indices.flatten_all().and_then(|p| p.to_vec1::<i64>());
    let n = length as i64;
    let flat = flat.map_err(failed)?.into_iter().map(|i| {
        let i = if i < 0 { i.saturating_add(n) } else { i };
        (0..n).contains(&i).then_some(i as u32)
    });
    let flat: Option<Vec<u32>> = flat.collect();
    let flat = flat.ok_or_else(|| op.refuse("its indices lie outside"))?;
    let at = flat.len();
    let at = Tensor::from_vec(flat, at, &Device::Cpu).map_err(failed)?;
    let seen = viewed(build, op, x, false, |t| {
        t.index_select(&at, 0)?.reshape(dims.as_slice())
    })?;
    Ok(Some(copied(&seen)))
}

/// The lengths of a constant's new shape.
fn whole(op: &Op<'_>, x: &Constant, list: &[Option<Length>]) -> Result<Vec<usize>, OpenError> {
    let count = x.tensor.elem_count();
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

/// `expand` and `repeat`: a weight that is repeated, perhaps for every photo.
fn repeated<'a>(build: &mut Build<'a>, op: &Op<'a>, x: &Constant) -> Result<Constant, OpenError> {
    let misfit = || op.refuse("its shape does not fit its input");
    let repeats = op.op == "repeat";
    let wanted = lengths(build, op, op.arg(if repeats { "repeats" } else { "size" }))?;
    let missing = wanted
        .len()
        .checked_sub(x.tensor.rank())
        .filter(|_| wanted.len() <= MAX_RANK);
    let mut dims = vec![1; missing.ok_or_else(misfit)?];
    dims.extend_from_slice(x.tensor.dims());
    let (mut batch, mut target) = (None, dims.clone());
    for (axis, length) in wanted.iter().enumerate() {
        let Some(length) = length else { continue };
        let of_photos = match build.batch {
            Batch::Any => length.of_batch,
            Batch::Fixed(n) => axis == 0 && length.count == Some(n),
            Batch::One => false,
        };
        if of_photos && dims[axis] == 1 && length.count.is_none_or(|n| n == 1 || !length.of_batch) {
            batch = Some(axis);
            continue;
        }
        match length.count.filter(|_| !length.of_batch) {
            Some(1) if repeats => {}
            Some(n) if dims[axis] == n && !repeats => {}
            Some(n) if dims[axis] == 1 && n <= MAX_VALUES => target[axis] = n,
            _ => return Err(misfit()),
        }
    }
    let count = target.iter().try_fold(1_usize, |n, &d| n.checked_mul(d));
    let count = count.filter(|&n| n <= x.tensor.elem_count().max(MAX_VALUES));
    let count = count.ok_or_else(|| op.refuse("it repeats values too often"))?;
    let is_longer = count > x.tensor.elem_count();
    if is_longer {
        build.afford(op, count)?;
    }
    let seen = viewed(build, op, x, !is_longer, |t| {
        t.reshape(dims.as_slice())?.broadcast_as(target.as_slice())
    })?;
    let seen = if repeats { copied(&seen) } else { seen };
    Ok(Constant { batch, ..seen })
}
