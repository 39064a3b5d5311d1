//! Operators that cut a value into parts.

use super::build::Build;
use super::node::Op;
use super::value::Value;
use crate::model::OpenError;
use crate::model::graph::{LayerKind, Slice};

/// The whole of an axis.
const WHOLE: Slice = Slice::Range {
    start: None,
    stop: None,
    step: 1,
};

/// From the first to before the last, every so many.
type Range = (usize, usize, usize);

/// `Slice`: ranges of some axes, given by attributes in older files and by inputs in newer ones.
pub fn slice<'a>(build: &mut Build<'a>, op: &Op<'_, 'a>) -> Result<Value, OpenError> {
    let x = build.value(op, 0)?;
    let setting = |name: &str, at: usize| match op.ints(name)? {
        Some(list) => Ok(Some(list)),
        None => build.constant(op, at)?.map(|c| c.ints()).transpose(),
    };
    let missing = || op.refuse("where it starts or ends is missing");
    let starts = setting("starts", 1)?.ok_or_else(missing)?;
    let ends = setting("ends", 2)?.ok_or_else(missing)?;
    let count = starts.len();
    let axes = setting("axes", 3)?.unwrap_or_else(|| (0..count as i64).collect());
    let steps = setting("steps", 4)?.unwrap_or_else(|| vec![1; count]);
    if [ends.len(), axes.len(), steps.len()] != [count; 3] {
        return Err(op.refuse("its lists of starts, ends and axes have different lengths"));
    }
    let dims = x.file_dims();
    let mut ranges = vec![None; x.rank()];
    for (i, &axis) in axes.iter().enumerate() {
        let axis = op.axis(axis, x.rank())?;
        let step = usize::try_from(steps[i]).ok().filter(|&step| step > 0);
        let step = step.ok_or_else(|| op.refuse("only steps forward are supported"))?;
        if axis == 0 && (starts[i], step) == (0, 1) && ends[i] >= i64::from(i32::MAX) {
            continue;
        }
        if axis == 0 {
            return Err(op.refuse("it cuts the batch axis"));
        }
        let length = dims[axis]
            .ok_or_else(|| op.refuse("the size of its input is left open in the file"))?;
        let place = |at: i64| {
            let from_start = if at < 0 {
                at.saturating_add(length as i64)
            } else {
                at
            };
            from_start.clamp(0, length as i64) as usize
        };
        if ranges[axis].is_some() {
            return Err(op.refuse(format!("it names axis {axis} twice")));
        }
        ranges[axis] = Some((place(starts[i]), place(ends[i]), step));
    }
    cut(build, op, &x, &ranges)
}

/// `Split`: the parts of one axis, each after the other.
pub fn split<'a>(build: &mut Build<'a>, op: &Op<'_, 'a>) -> Result<Vec<Value>, OpenError> {
    let x = build.value(op, 0)?;
    let axis = op.axis(op.int("axis", 0)?, x.rank())?;
    if axis == 0 {
        return Err(op.refuse("it cuts the batch axis"));
    }
    let length = x.file_dims()[axis]
        .ok_or_else(|| op.refuse("the size of its input is left open in the file"))?;
    let parts = op.node.outputs.len();
    let sizes = match (op.ints("split")?, build.constant(op, 1)?) {
        (Some(sizes), _) => Some(sizes),
        (None, Some(sizes)) => Some(sizes.ints()?),
        (None, None) => None,
    };
    let sizes: Vec<usize> = if let Some(sizes) = sizes {
        let sizes = sizes.into_iter().map(usize::try_from);
        let sizes = sizes.collect::<Result<_, _>>();
        sizes.map_err(|_| op.refuse("its parts are not understood"))?
    } else {
        // As large as each other; the last may be smaller.
        let each = length.div_ceil(parts);
        let ends = (1..=parts).map(|i| i.saturating_mul(each).min(length));
        let mut before = 0;
        ends.map(|end| end - std::mem::replace(&mut before, end))
            .collect()
    };
    let whole = sizes.iter().try_fold(0_usize, |n, &d| n.checked_add(d));
    if sizes.len() != parts || whole != Some(length) {
        return Err(op.refuse(format!("its parts {sizes:?} are not the {length} values")));
    }
    let mut start = 0;
    let values = sizes.into_iter().map(|size| {
        let mut ranges = vec![None; x.rank()];
        ranges[axis] = Some((start, start + size, 1));
        start += size;
        cut(build, op, &x, &ranges)
    });
    values.collect()
}

/// These ranges of the file's axes; `None` for the whole.
fn cut<'a>(
    build: &mut Build<'a>,
    op: &Op<'_, 'a>,
    x: &Value,
    ranges: &[Option<Range>],
) -> Result<Value, OpenError> {
    let mut slices = vec![WHOLE; x.rank()];
    let mut dims = x.dims.clone();
    for (&axis, range) in x.axes.iter().zip(ranges) {
        let Some((start, stop, step)) = *range else {
            continue;
        };
        if start >= stop {
            return Err(op.refuse("it leaves nothing"));
        }
        slices[axis] = Slice::Range {
            start: Some(start as i64),
            stop: Some(stop as i64),
            step,
        };
        dims[axis] = Some((stop - start).div_ceil(step));
    }
    let node = build.on(op, LayerKind::GetItem(slices), Vec::new(), x);
    Ok(Value {
        node,
        axes: x.axes.clone(),
        dims,
    })
}
