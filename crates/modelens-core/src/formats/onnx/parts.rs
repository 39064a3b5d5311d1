//! Operators that cut a value into parts.

use super::build::Build;
use super::node::Op;
use super::value::Value;
use crate::formats::OpenError;
use crate::model::layers::{GetItem, LayerKind, Slice};

/// The whole of an axis.
const WHOLE: Slice = Slice::Range {
    start: None,
    stop: None,
    step: 1,
};

/// First index, last index (exclusive) and step. With a negative step the range runs backwards, and its last
/// index may be -1.
type Range = (i64, i64, i64);

/// `Slice`: ranges of some axes, given by attributes in older files and by inputs in newer ones.
pub fn slice<'a>(build: &mut Build<'a>, op: &Op<'_, 'a>) -> Result<Value, OpenError> {
    let x = build.value(op, 0)?;
    let setting = |name: &str, at: usize| match op.ints(name)? {
        Some(list) => Ok(Some(list)),
        None => build.constant(op, at)?.map(|c| c.ints()).transpose(),
    };
    let missing = || op.refuse("its starts or ends are missing");
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
        let step = steps[i];
        if step == 0 {
            return Err(op.refuse("its step is 0"));
        }
        if axis == 0 && (starts[i], step) == (0, 1) && ends[i] >= i64::from(i32::MAX) {
            continue;
        }
        if axis == 0 {
            return Err(op.refuse("it cuts the batch axis"));
        }
        let length = dims[axis]
            .ok_or_else(|| op.refuse("the size of its input is left open in the file"))?;
        let length = length as i64;
        let (lowest, highest) = if step > 0 {
            (0, length)
        } else {
            (-1, length - 1)
        };
        let place = |at: i64| {
            let from_start = if at < 0 {
                at.saturating_add(length)
            } else {
                at
            };
            from_start.clamp(lowest, highest)
        };
        if ranges[axis].is_some() {
            return Err(op.refuse(format!("it names axis {axis} twice")));
        }
        ranges[axis] = Some((place(starts[i]), place(ends[i]), step));
    }
    cut(build, op, &x, &ranges)
}

/// `Gather` of constant places along one axis: one of them, or some at equal distances.
pub fn gather<'a>(build: &mut Build<'a>, op: &Op<'_, 'a>) -> Result<Value, OpenError> {
    let x = build.value(op, 0)?;
    let axis = op.axis(op.int("axis", 0)?, x.rank())?;
    if axis == 0 {
        return Err(op.refuse("it picks photos out of the batch"));
    }
    let places = build.constant(op, 1)?;
    let places = places.ok_or_else(|| op.refuse("its indices are missing"))?;
    let length = x.file_dims()[axis];
    let length = length.ok_or_else(|| op.refuse("it gathers along an axis of unknown length"))?;
    let in_file = |at: i64| if at < 0 { at + length as i64 } else { at };
    let list: Vec<i64> = places.ints()?.into_iter().map(in_file).collect();
    if list.is_empty() || list.iter().any(|at| !(0..length as i64).contains(at)) {
        return Err(op.refuse("its indices lie outside"));
    }
    let first = list[0];
    if places.dims().is_empty() {
        let own = x.axes[axis];
        let mut slices = vec![WHOLE; x.rank()];
        slices[own] = Slice::Index(first);
        let node = build.on(op, LayerKind::GetItem(GetItem { slices }), Vec::new(), &x);
        let (mut axes, mut dims) = (x.axes, x.dims);
        dims.remove(own);
        axes.remove(axis);
        axes.iter_mut().filter(|a| **a > own).for_each(|a| *a -= 1);
        return Ok(Value { node, axes, dims });
    }
    let step = list.get(1).map_or(1, |second| second - first);
    let is_regular = list.windows(2).all(|pair| pair[1] - pair[0] == step);
    if places.dims().len() != 1 || step == 0 || !is_regular {
        return Err(op.refuse("it picks values in an order that is not supported"));
    }
    let mut ranges = vec![None; x.rank()];
    ranges[axis] = Some((first, first + step * list.len() as i64, step));
    if let Some((_, stop, _)) = &mut ranges[axis] {
        *stop = (*stop).clamp(-1, length as i64);
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
        ranges[axis] = Some((start as i64, (start + size) as i64, 1));
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
        let between = if step > 0 { stop - start } else { start - stop };
        if between <= 0 {
            return Err(op.refuse("it leaves nothing"));
        }
        slices[axis] = Slice::Range {
            start: Some(start),
            // Before the first value of all; -1 would count from the end.
            stop: Some(stop).filter(|&stop| stop >= 0),
            step,
        };
        dims[axis] = Some((between as u64).div_ceil(step.unsigned_abs()) as usize);
    }
    let node = build.on(op, LayerKind::GetItem(GetItem { slices }), Vec::new(), x);
    Ok(Value {
        node,
        axes: x.axes.clone(),
        dims,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::onnx::build::build;
    use crate::formats::onnx::proto::{Attribute, Graph, Model, Node, ValueInfo};

    type Settings = Vec<(&'static str, Attribute<'static>)>;

    /// A network of this one operator on an image `[n, 8, 6, 5]`, as the slices of its last part.
    fn parts(op: &'static str, outputs: usize, attributes: Settings) -> Result<Vec<Slice>, String> {
        let names = ["a", "b", "c", "d"];
        let value = |name, dims| ValueInfo {
            name,
            dims,
            element: 1,
        };
        let graph = Graph {
            nodes: vec![Node {
                op,
                inputs: vec!["x"],
                outputs: names[..outputs].to_vec(),
                attributes,
                ..Node::default()
            }],
            inputs: vec![value("x", Some(vec![None, Some(8), Some(6), Some(5)]))],
            outputs: vec![value(names[outputs - 1], None)],
            ..Graph::default()
        };
        let model = Model {
            opset: 9,
            graph: Some(graph),
            ..Model::default()
        };
        let (graph, _) = build(&model, None).map_err(|e| e.to_string())?;
        let layer = graph.nodes[graph.output].layer;
        match &graph.layers[layer].kind {
            LayerKind::GetItem(GetItem { slices }) => Ok(slices.clone()),
            other => Err(format!("{other:?}")),
        }
    }

    fn range(start: i64, stop: i64, step: i64) -> Slice {
        Slice::Range {
            start: Some(start),
            stop: Some(stop),
            step,
        }
    }

    fn ints(name: &'static str, list: &[i64]) -> (&'static str, Attribute<'static>) {
        (name, Attribute::Ints(list.to_vec()))
    }

    #[test]
    fn slices_are_of_the_axes_here() {
        let slice = |starts: &[i64], ends: &[i64], axes: &[i64]| {
            let all = [("starts", starts), ("ends", ends), ("axes", axes)];
            parts("Slice", 1, all.map(|(name, list)| ints(name, list)).into())
        };
        // Channels stand last here, and second in the file.
        let channels = slice(&[2], &[i64::MAX], &[1]);
        assert_eq!(channels.unwrap(), [WHOLE, WHOLE, WHOLE, range(2, 8, 1)]);
        let sides = slice(&[1, -2], &[-1, 100], &[2, -1]);
        assert_eq!(
            sides.unwrap(),
            [WHOLE, range(1, 5, 1), range(3, 5, 1), WHOLE]
        );
        let whole_batch = slice(&[0, 0], &[i64::MAX, 1], &[0, 1]);
        assert_eq!(whole_batch.unwrap()[3], range(0, 1, 1));
        for (starts, ends, axes, why) in [
            (&[0][..], &[1][..], &[0][..], "batch axis"),
            (&[3], &[3], &[1], "leaves nothing"),
            (&[9], &[i64::MAX], &[1], "leaves nothing"),
            (&[0], &[1], &[4], "axis 4"),
            (&[0], &[1, 2], &[1], "different lengths"),
            (&[0, 0], &[1, 2], &[1, 1], "twice"),
            (&[i64::MIN], &[i64::MIN], &[1], "leaves nothing"),
        ] {
            let refused = slice(starts, ends, axes).unwrap_err();
            assert!(refused.contains(why), "{why}: {refused}");
        }
    }

    #[test]
    fn steps_go_both_ways() {
        let by = |step: i64| {
            let mut all: Settings = ["starts", "axes"].map(|name| ints(name, &[1])).into();
            all.extend([ints("ends", &[8]), ints("steps", &[step])]);
            parts("Slice", 1, all)
        };
        assert_eq!(by(3).unwrap()[3], range(1, 8, 3));
        // From 1 down to 8 there is nothing.
        assert!(by(-1).unwrap_err().contains("leaves nothing"));
        assert!(by(0).unwrap_err().contains("step is 0"));
        let lists = [
            ("starts", -1),
            ("axes", 1),
            ("ends", i64::MIN),
            ("steps", -1),
        ];
        let reversed = parts("Slice", 1, lists.map(|(name, n)| ints(name, &[n])).into());
        let whole = Slice::Range {
            start: Some(7),
            stop: None,
            step: -1,
        };
        assert_eq!(reversed.unwrap()[3], whole);
    }

    #[test]
    fn parts_stand_behind_each_other() {
        let axis = |n| ("axis", Attribute::Int(n));
        let even = parts("Split", 3, vec![axis(1)]);
        assert_eq!(even.unwrap()[3], range(6, 8, 1), "3, 3 and 2 channels");
        let given = parts("Split", 2, vec![axis(-1), ints("split", &[4, 1])]);
        assert_eq!(given.unwrap()[2], range(4, 5, 1));
        for (outputs, settings) in [
            (2, vec![axis(0)]),
            (2, vec![axis(7)]),
            (2, vec![axis(1), ints("split", &[4, 5])]),
            (2, vec![axis(1), ints("split", &[8])]),
            (2, vec![axis(1), ints("split", &[-1, 9])]),
            (2, vec![axis(1), ints("split", &[i64::MAX, i64::MAX])]),
            (2, vec![axis(1), ints("split", &[8, 0])]),
        ] {
            let shown = format!("{settings:?}");
            assert!(parts("Split", outputs, settings).is_err(), "{shown}");
        }
    }
}
