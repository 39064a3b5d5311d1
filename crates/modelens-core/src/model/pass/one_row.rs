//! The output for one image of a batch. Where no layer looks at the others, they need not run.

use candle_core::Tensor;

use super::plan::Plan;
use super::{PassOptions, Segment, input, run_segment};
use crate::model::graph::{Graph, NodeId};
use crate::model::{Model, PassError};

/// The output, `[1, ...]`, for the image at `row` of a batch `x`, with the draws that it has in a pass of the whole
/// batch. `None` if a layer that does not draw mixes the images, so that the whole batch has to run.
///
/// The layers that draw see the whole batch, since the place in it tells which draw is the image's. Between them the
/// image runs alone.
///
/// # Errors
/// Those of [`run`](super::run).
pub fn run_row(
    model: &Model,
    x: &Tensor,
    row: usize,
    options: &PassOptions<'_>,
    proceed: &dyn Fn(usize, usize) -> bool,
) -> Result<Option<Tensor>, PassError> {
    let Some(parts) = parts(model, options) else {
        return Ok(None);
    };
    let images = x.dims().first().copied().unwrap_or(0);
    let mut after = None;
    let mut value = x.clone();
    for Part { until, draws } in parts {
        let is_one = value.dims().first() == Some(&1);
        if draws && is_one && images > 1 {
            value = Tensor::cat(&vec![&value; images], 0).map_err(input)?;
        } else if !draws && !is_one {
            value = value.narrow(0, row, 1).map_err(input)?;
        }
        let segment = Segment {
            after,
            until: Some(until),
            own_call: None,
        };
        value = run_segment(model, &value, segment, options, proceed)?.output;
        after = Some(until);
    }
    if value.dims().first() != Some(&1) {
        value = value.narrow(0, row, 1).map_err(input)?;
    }
    Ok(Some(value))
}

/// The nodes up to `until`, after those of the part before.
struct Part {
    until: NodeId,
    draws: bool,
}

/// The network as parts that draw and parts that do not, as long as possible; `None` if a layer that does not draw
/// mixes images.
fn parts(model: &Model, options: &PassOptions<'_>) -> Option<Vec<Part>> {
    let graph = &model.graph;
    let plan = Plan::new(graph, options, Segment::default(), None);
    let mut parts: Vec<Part> = Vec::new();
    let mut draws = false;
    for (id, node) in graph.nodes.iter().enumerate().take(graph.output + 1) {
        let mode = plan.mode(id, options);
        if graph.layers[node.layer].kind.op().mixes_images(mode) {
            if !plan.draws(graph, id, options) {
                return None;
            }
            draws = true;
        }
        if id != graph.output && !can_part_at(graph, id) {
            continue;
        }
        match parts.last_mut() {
            Some(last) if last.draws == draws => last.until = id,
            _ => parts.push(Part { until: id, draws }),
        }
        draws = false;
    }
    Some(parts)
}

/// True if all that comes after a node depends on its value alone. A layer that is called before and
/// after it goes on from its own earlier call.
pub fn can_part_at(graph: &Graph, id: NodeId) -> bool {
    let (before, after) = graph.nodes.split_at(id + 1);
    let is_shared = |layer| before.iter().any(|node| node.layer == layer);
    graph.is_cut(id) && !after.iter().any(|node| is_shared(node.layer))
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;
    use crate::fixtures;
    use crate::model::pass::run;
    use crate::model::{Flags, Mode};
    use crate::random::Draws;

    #[test]
    fn a_row_is_that_of_the_whole_batch() {
        let model = fixtures::lab_mobilenetv2();
        let mut draws = Draws::new(5, &[]);
        let values = (0..3 * 160 * 160 * 3).map(|_| (draws.normal() * 50.0 + 128.0) as f32);
        let x = Tensor::from_vec(values.collect::<Vec<_>>(), (3, 160, 160, 3), &Device::Cpu);
        let x = x.unwrap();
        let mut flags = Flags::of_file(&model.graph);
        flags.set_base(&model.graph, false);
        for (mode, random) in [(Mode::Training, true), (Mode::Inference, false)] {
            let options = PassOptions {
                random,
                seed: 3,
                ..PassOptions::of(&model, &flags, mode)
            };
            let row = run_row(&model, &x, 1, &options, &|_, _| true)
                .unwrap()
                .unwrap();
            let whole = run(&model, &x, &options, &|_, _| true).unwrap().output;
            let values = |t: Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
            let whole = values(whole.narrow(0, 1, 1).unwrap());
            for (a, b) in values(row).into_iter().zip(whole) {
                assert!((a - b).abs() < 1e-5, "{mode:?}: {a} {b}");
            }
        }
        let open = Flags::all(&model.graph, true);
        let options = PassOptions::of(&model, &open, Mode::Training);
        let row = run_row(&model, &x, 1, &options, &|_, _| true).unwrap();
        assert!(row.is_none(), "BatchNorm uses the batch");
    }
}
