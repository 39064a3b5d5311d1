//! The memory of a recorded pass, known before anything is computed: a failed allocation would end
//! the program.

use super::{Learning, PassOptions, Plan, Segment};
use crate::model::error::PassError;
use crate::model::graph::{Input, NodeId};
use crate::model::layers::LayerKind;
use crate::model::layers::shape::{ImageShape, Shapes, Side, value_count};
use crate::model::{Model, array};

/// Largest values that the forward and backward pass hold besides those that are kept: a layer's
/// input, its output and the gradients at both.
const TRANSIENT: u64 = 3;

/// Bytes that [`super::record`] and its backward pass hold at their peak for an input of `shape`,
/// `[N, H, W, C]`: every output that the backward pass reads again, and [`TRANSIENT`] of the largest.
/// 0 if the shapes do not fit; the pass itself says why.
pub fn recorded_bytes(
    model: &Model,
    shape: &[usize],
    segment: Segment,
    options: &PassOptions<'_>,
    learning: &Learning,
) -> u64 {
    let graph = &model.graph;
    let plan = Plan::new(graph, options, segment, Some(learning));
    let (images, image) = match shape.split_first() {
        Some((images, image)) => (*images as u64, image.iter().copied().map(Some).collect()),
        None => return 0,
    };
    let shapes = shapes(model, &image, segment);
    if placed(model, segment).any(|id| shapes[id].is_none()) {
        return 0;
    }
    let values = |id: NodeId| shapes[id].as_deref().map_or(0, value_count) as u64;
    let mut is_kept = vec![false; graph.nodes.len()];
    for (id, node) in graph.nodes.iter().enumerate() {
        if !plan.needs_gradient[id] {
            continue;
        }
        is_kept[id] = true;
        for input in &node.inputs {
            if let Input::Node(input) = *input {
                is_kept[input] = true;
            }
        }
    }
    // Values that exist only inside of the next layer's kernel are never written.
    let is_written =
        |id: NodeId| plan.fused[id].is_none() && !plan.deferred[id] && !plan.absorbed[id];
    let kept = (0..graph.nodes.len()).filter(|&id| is_kept[id] && is_written(id));
    let kept: u64 = kept.map(values).sum();
    let largest = (0..graph.nodes.len()).map(values).max().unwrap_or(0);
    let a_value = size_of::<f32>() as u64;
    (kept + TRANSIENT * largest).saturating_mul(images * a_value)
}

/// Refuses a recorded pass that needs more memory than is free.
///
/// # Errors
/// [`PassError::Memory`], with both amounts.
pub fn check_recorded(
    model: &Model,
    shape: &[usize],
    segment: Segment,
    options: &PassOptions<'_>,
    learning: &Learning,
) -> Result<(), PassError> {
    let needed = recorded_bytes(model, shape, segment, options, learning);
    array::fits_into_memory(needed).map_err(|free| PassError::Memory {
        images: shape.first().copied().unwrap_or(0),
        needed_gb: needed as f64 / 1e9,
        free_gb: free as f64 / 1e9,
    })
}

/// The nodes of a segment.
fn placed(model: &Model, segment: Segment) -> std::ops::RangeInclusive<NodeId> {
    let first = segment.after.map_or(0, |after| after + 1);
    first..=segment.output(&model.graph)
}

/// The node and the shape of each layer's output where it is first called, without the batch axis: `[H, W, C]` of
/// an image, a side that the file leaves open as `None`. A nested model has the shape of its last
/// layer. `None` for a layer that is not called, or whose shape does not follow from the input's.
pub fn output_shapes(model: &Model) -> Vec<Option<(NodeId, ImageShape)>> {
    let graph = &model.graph;
    let of_nodes = shapes(model, &graph.input_hwc.to_vec(), Segment::default());
    let layers = 0..graph.layers.len();
    layers
        .map(|layer| {
            let own = graph.nodes.iter().position(|node| node.layer == layer);
            let inside = |id: usize| graph.subtree(layer).any(|l| l == graph.nodes[id].layer);
            let node = own.or_else(|| (0..graph.nodes.len()).rfind(|&id| inside(id)))?;
            Some((node, of_nodes[node].clone()?))
        })
        .collect()
}

/// The shape of each node's output, without the batch axis; `None` outside of the segment, and where a
/// layer does not fit.
fn shapes(model: &Model, input: &ImageShape, segment: Segment) -> Vec<Option<ImageShape>> {
    let graph = &model.graph;
    let mut shapes: Vec<Option<ImageShape>> = vec![None; graph.nodes.len()];
    if let Some(after) = segment.after {
        shapes[after] = Some(input.clone());
    }
    for id in placed(model, segment) {
        let node = &graph.nodes[id];
        let layer = &graph.layers[node.layer];
        if matches!(layer.kind, LayerKind::Input) {
            shapes[id] = Some(input.clone());
            continue;
        }
        let inputs = node.inputs.iter().map(|input| match *input {
            Input::Node(before) => shapes[before].as_deref(),
            Input::Number(_) => Some(&[][..]),
        });
        let Some(inputs) = inputs.collect::<Option<Vec<&[Side]>>>() else {
            continue;
        };
        let weights = |name: &str| {
            let weight = layer.weights.iter().find(|weight| weight.name == name);
            weight.map(|weight| weight.shape.clone())
        };
        let shape = layer.kind.op().output_shape(&Shapes {
            inputs: &inputs,
            weights: &weights,
        });
        shapes[id] = shape.ok();
    }
    shapes
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device, Tensor};

    use super::*;
    use crate::fixtures;
    use crate::model::array::most_bytes;
    use crate::model::pass::{record, run};
    use crate::model::{Flags, LayerId, Mode};

    /// Photos in the batch.
    const N: usize = 4;

    fn bytes(values: usize) -> usize {
        N * values * size_of::<f32>()
    }

    #[test]
    fn passes_hold_only_what_they_need() {
        let model = fixtures::lab_mobilenetv2();
        let x = Tensor::zeros((N, 160, 160, 3), DType::F32, &Device::Cpu).unwrap();
        let flags = Flags::all(&model.graph, true);
        let options = PassOptions::of(&model, &flags, Mode::Training);
        let largest = bytes(80 * 80 * 96);
        // Input and output of the first expansion, and what its depthwise convolution makes of it.
        let (pass, held) = most_bytes(|| run(&model, &x, &options, &|_, _| true).unwrap());
        assert!(held < largest * 3 / 2, "{held}");
        // Measuring every layer keeps none of them.
        let norms: Vec<LayerId> = pass.batch_norm.keys().copied().collect();
        let frozen = Flags::all(&model.graph, false);
        let measuring = PassOptions {
            moments: &norms,
            ..PassOptions::of(&model, &frozen, Mode::Training)
        };
        let (pass, held) = most_bytes(|| run(&model, &x, &measuring, &|_, _| true).unwrap());
        assert!(
            pass.batch_norm
                .values()
                .all(|done| done.batch.is_none() && done.measured.is_some())
        );
        assert!(held < largest * 3 / 2, "{held}");
    }

    #[test]
    fn a_recorded_pass_holds_no_more_than_was_foreseen() {
        let model = fixtures::lab_mobilenetv2();
        let x = Tensor::zeros((N, 160, 160, 3), DType::F32, &Device::Cpu).unwrap();
        let flags = Flags::all(&model.graph, true);
        let options = PassOptions::of(&model, &flags, Mode::Training);
        let learning: Learning = [("kernel"), ("depthwise_kernel"), "gamma", "beta", "bias"]
            .into_iter()
            .flat_map(|name| {
                let layers = model.graph.layers.iter().enumerate();
                let with = layers.filter(move |(_, l)| l.weights.iter().any(|w| w.name == name));
                with.map(move |(id, _)| (id, name))
            })
            .collect();
        let whole = Segment::default();
        let foreseen = recorded_bytes(&model, x.dims(), whole, &options, &learning);
        let (_, held) = most_bytes(|| {
            let recorded = record(&model, &x, whole, &options, learning, &|_| true).unwrap();
            let g = recorded.pass.output.ones_like().unwrap();
            recorded.backward(&g, &|_| true).unwrap()
        });
        assert!(held as u64 <= foreseen, "{held} of {foreseen}");
        // With every normalised value it would be 9 million values a photo.
        assert!(foreseen < bytes(6_000_000) as u64, "{foreseen}");
    }
}
