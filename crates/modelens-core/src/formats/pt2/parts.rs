//! Operators that cut a value into parts.

use super::build::Build;
use super::node::Op;
use super::value::Value;
use crate::formats::OpenError;
use crate::model::layers::{GetItem, LayerKind, Slice};

/// The outputs of such an operator; `None` for other operators.
#[allow(clippy::too_many_lines, reason = "one arm an operator")]
pub fn results<'a>(build: &mut Build<'a>, op: &Op<'a>) -> Result<Option<Vec<Value>>, OpenError> {
    if !matches!(
        op.op,
        "slice" | "select" | "narrow" | "chunk" | "split" | "split_with_sizes" | "unbind"
    ) {
        return Ok(None);
    }
    let x = build.value(op, 0)?;
    let axis = op.axis(op.int("dim", 0)?, x.rank())?;
    let length = x.length(axis);
    let whole = op.int("start", 0)? == 0
        && op.int("step", 1)? == 1
        && op.int("end", i64::MAX)? >= i64::from(i32::MAX);
    if op.op == "slice" && whole {
        return Ok(Some(vec![x]));
    }
    if length.of_batch || build.photos(op, &x)? == Some(axis) {
        return Err(op.refuse("it picks photos out of the batch, which is not supported"));
    }
    let n = length.count.ok_or_else(|| {
        op.refuse("the size of its input is left open in the file; export the network for photos of one size")
    })?;
    let place = |at: i64| {
        let at = if at < 0 {
            at.saturating_add(n as i64)
        } else {
            at
        };
        at.clamp(0, n as i64) as usize
    };
    let outputs = op.outputs().len();
    let one = |start: usize, end: usize, step: usize| vec![(start, end, step)];
    let parts = match op.op {
        "slice" => {
            let step = usize::try_from(op.int("step", 1)?)
                .ok()
                .filter(|&step| step > 0);
            let step = step.ok_or_else(|| op.refuse("only steps forward are supported"))?;
            one(
                place(op.int("start", 0)?),
                place(op.int("end", i64::MAX)?),
                step,
            )
        }
        "select" => {
            let at = op.axis(op.int("index", 0)?, n)?;
            one(at, at + 1, 1)
        }
        "narrow" => {
            let (start, count) = (place(op.int("start", 0)?), op.int("length", 0)?);
            one(
                start,
                start.saturating_add(usize::try_from(count).unwrap_or(0)),
                1,
            )
        }
        "unbind" => (0..n)
            .map(|i| (i, i + 1, 1))
            .take(outputs.saturating_add(1))
            .collect(),
        _ => {
            let sizes = match op.op {
                "chunk" => {
                    let parts = usize::try_from(op.int("chunks", 1)?).unwrap_or(0).max(1);
                    vec![n.div_ceil(parts)]
                }
                "split" => vec![usize::try_from(op.int("split_size", 0)?).unwrap_or(0)],
                _ => {
                    let sizes = op.ints("split_sizes")?.unwrap_or_default();
                    let sizes = sizes
                        .into_iter()
                        .map(usize::try_from)
                        .collect::<Result<Vec<_>, _>>();
                    sizes.map_err(|_| op.refuse("its parts are not understood"))?
                }
            };
            let mut parts = Vec::new();
            let mut start = 0;
            while start < n && parts.len() <= outputs {
                let size = if sizes.len() == 1 {
                    sizes.first()
                } else {
                    sizes.get(parts.len())
                };
                let size = size.copied().filter(|&size| size > 0);
                let size = size.ok_or_else(|| op.refuse("its parts are not understood"))?;
                parts.push((start, (start + size).min(n), 1));
                start += size;
            }
            parts
        }
    };
    if parts.len() != outputs {
        return Err(op.refuse(format!(
            "it has {outputs} outputs for {} parts",
            parts.len()
        )));
    }
    let x = build.simple(op, &x)?;
    let mut values = Vec::new();
    for (start, end, step) in parts {
        if start >= end || end > n {
            return Err(op.refuse("it leaves nothing"));
        }
        let mut value = if (start, end, step) == (0, n, 1) {
            x.clone()
        } else {
            let mut slices = vec![Slice::WHOLE; x.dims.len()];
            // At most the length of an axis, so the casts are exact.
            slices[x.axes[axis][0]] = Slice::Range {
                start: Some(start as i64),
                stop: Some(end as i64),
                step: step as i64,
            };
            build.on(op, LayerKind::GetItem(GetItem { slices }), Vec::new(), &x)?
        };
        if matches!(op.op, "select" | "unbind") {
            value.axes.remove(axis);
        }
        values.push(value);
    }
    Ok(Some(values))
}
