//! What is computed together: a convolution with the BatchNorm and the ReLU behind it, and zeros
//! around an image with the convolution that reads them. Only where nobody looks at the values in
//! between.

use candle_core::Tensor;

use crate::model::LayerId;
use crate::model::graph::{
    Activation, Conv2d, Graph, Input, Layer, LayerKind, Node, NodeId, Padding,
};
use crate::model::layers::Overrides;
use crate::model::pass::{PassOptions, Stretch};
use crate::rules::{Effective, Outer, Statistics, effective};

/// The weights a step may change.
pub type Learning = std::collections::BTreeSet<(LayerId, &'static str)>;

/// By node.
#[derive(Debug)]
pub struct Plan {
    pub effective: Vec<Effective>,
    /// The node that is computed with this one, directly behind it.
    pub with: Vec<Option<NodeId>>,
    /// The zeros around the input that a convolution adds itself: `[top, bottom, left, right]`.
    pub padding: Vec<[usize; 4]>,
    /// The value goes on unchanged: the node behind adds the zeros.
    pub skipped: Vec<bool>,
    /// A BatchNorm (or the ReLU with it) whose scale and shift the convolution behind it applies to
    /// what it reads: the value is never written down.
    pub deferred: Vec<bool>,
    /// The last node that reads the value; the output is never dropped.
    pub last_use: Vec<NodeId>,
    /// The value depends on a weight that learns.
    pub needs_gradient: Vec<bool>,
}

impl Plan {
    pub fn new(
        graph: &Graph,
        options: &PassOptions<'_>,
        stretch: Stretch,
        learning: Option<&Learning>,
    ) -> Self {
        let nodes = &graph.nodes;
        let readers = readers(graph);
        let layer = |id: NodeId| &graph.layers[nodes[id].layer];
        let effective: Vec<Effective> = nodes
            .iter()
            .enumerate()
            .map(|(id, node)| {
                let own = stretch.own_call.filter(|&(last, _)| id <= last);
                effective_of(graph, options, own.map_or(options.outer, |own| own.1), node)
            })
            .collect();
        let output = stretch.until.unwrap_or(graph.output);
        let needs_gradient = needs_gradient(graph, learning);
        let tapped = |id: NodeId| options.taps.contains(&nodes[id].layer);
        // The only reader of a value that nobody else looks at.
        let next = |id: NodeId| match readers[id].as_slice() {
            [only]
                if id != output && Some(id) != stretch.after && !tapped(id) && !tapped(*only) =>
            {
                Some(*only)
            }
            _ => None,
        };
        let mut plan = Self {
            with: vec![None; nodes.len()],
            padding: vec![[0; 4]; nodes.len()],
            skipped: vec![false; nodes.len()],
            deferred: vec![false; nodes.len()],
            last_use: readers
                .iter()
                .enumerate()
                .map(|(id, readers)| readers.last().copied().unwrap_or(id))
                .collect(),
            effective,
            needs_gradient,
        };
        if let Some(last) = plan.last_use.get_mut(output) {
            *last = usize::MAX;
        }
        for id in 0..nodes.len() {
            let Some(then) = next(id) else { continue };
            let records = plan.needs_gradient[then];
            match (&layer(id).kind, &layer(then).kind) {
                (LayerKind::ZeroPadding2d(amounts), _) if takes_padding(layer(then)) => {
                    plan.padding[then] = *amounts;
                    plan.skipped[id] = true;
                }
                // Its gradient needs the value in between.
                (_, LayerKind::BatchNorm(_)) if is_convolution(layer(id)) && !records => {
                    let statistics = plan.effective[then].statistics;
                    let once = nodes
                        .iter()
                        .filter(|n| n.layer == nodes[then].layer)
                        .count()
                        == 1;
                    if statistics == Some(Statistics::Moving) && once {
                        plan.with[id] = Some(then);
                    }
                }
                (LayerKind::BatchNorm(_), LayerKind::Activation(a)) if relu_top(*a).is_some() => {
                    plan.with[id] = Some(then);
                }
                (_, LayerKind::Activation(a))
                    if relu_top(*a).is_some() && is_convolution(layer(id)) && !records =>
                {
                    plan.with[id] = Some(then);
                }
                _ => {}
            }
        }
        for (id, node) in nodes.iter().enumerate() {
            if !matches!(graph.layers[node.layer].kind, LayerKind::BatchNorm(_)) {
                continue;
            }
            let last = plan.with[id].unwrap_or(id);
            let reader = next(last).and_then(|reader| {
                if plan.skipped[reader] {
                    next(reader)
                } else {
                    Some(reader)
                }
            });
            plan.deferred[last] =
                reader.is_some_and(|r| !plan.needs_gradient[r] && takes_finish(layer(r)));
        }
        plan
    }

    /// Whether each image goes its own way: the batch can be worked on in parts.
    pub fn is_by_image(&self, graph: &Graph, options: &PassOptions<'_>) -> bool {
        graph
            .nodes
            .iter()
            .zip(&self.effective)
            .all(|(node, effective)| match &graph.layers[node.layer].kind {
                LayerKind::BatchNorm(_) => effective.statistics == Some(Statistics::Moving),
                LayerKind::Noise(_) | LayerKind::Augment(_) => {
                    !(effective.active && options.random)
                }
                LayerKind::GetItem(_) | LayerKind::Merge(_) => {
                    is_by_image(&graph.layers[node.layer].kind)
                }
                _ => true,
            })
    }
}

/// Of what joins or cuts values: whether it leaves the batch axis alone (reductions and changes of
/// shape refuse that axis when a file is opened).
fn is_by_image(kind: &LayerKind) -> bool {
    use crate::model::graph::{Merge, Slice};
    match kind {
        LayerKind::GetItem(slices) => {
            let whole = Slice::Range {
                start: None,
                stop: None,
                step: 1,
            };
            slices.first().is_some_and(|s| *s == whole)
        }
        LayerKind::Merge(Merge::Concatenate(axis)) => *axis == -1 || *axis > 0,
        _ => true,
    }
}

/// The rule of one call.
fn effective_of(graph: &Graph, options: &PassOptions<'_>, outer: Outer, node: &Node) -> Effective {
    effective(
        graph.layers[node.layer].kind.role(),
        options.flags.get(node.layer),
        options.flags.ancestors(graph, node.layer),
        outer,
        options
            .flags
            .recorded_around(graph, node.layer, node.recorded),
        options.semantics,
    )
}

/// For each node, the nodes that read it, in order.
fn readers(graph: &Graph) -> Vec<Vec<NodeId>> {
    let mut readers = vec![Vec::new(); graph.nodes.len()];
    for (id, node) in graph.nodes.iter().enumerate() {
        for input in &node.inputs {
            if let Input::Node(input) = *input {
                readers[input].push(id);
            }
        }
    }
    readers
}

fn needs_gradient(graph: &Graph, learning: Option<&Learning>) -> Vec<bool> {
    let mut needs = vec![false; graph.nodes.len()];
    let Some(learning) = learning else {
        return needs;
    };
    for (id, node) in graph.nodes.iter().enumerate() {
        let own = learning.iter().any(|(layer, _)| *layer == node.layer);
        let below = node
            .inputs
            .iter()
            .any(|input| matches!(*input, Input::Node(input) if needs[input]));
        needs[id] = own || below;
    }
    needs
}

fn is_convolution(layer: &Layer) -> bool {
    match &layer.kind {
        LayerKind::Conv2d(settings) | LayerKind::DepthwiseConv2d(settings) => {
            settings.activation == Activation::Linear
        }
        _ => false,
    }
}

fn takes_padding(layer: &Layer) -> bool {
    let settings: &Conv2d = match &layer.kind {
        LayerKind::Conv2d(settings) => settings,
        LayerKind::DepthwiseConv2d(settings) if is_plain_depthwise(layer, None, 0) => settings,
        _ => return false,
    };
    settings.padding == Padding::Valid && is_fast(settings.activation)
}

/// A convolution that can do to its input what a BatchNorm does: every value is read once, or from
/// the cache.
fn takes_finish(layer: &Layer) -> bool {
    match &layer.kind {
        LayerKind::Conv2d(settings) => {
            let kernel = layer.weight("kernel").map_or(&[][..], Tensor::dims);
            is_fast(settings.activation)
                && settings.groups == 1
                && settings.strides == [1; 2]
                && matches!(kernel, [1, 1, ..])
                && !matches!(settings.padding, Padding::Around(_))
        }
        LayerKind::DepthwiseConv2d(settings) => {
            is_fast(settings.activation) && is_plain_depthwise(layer, None, 0)
        }
        _ => false,
    }
}

/// One output channel a channel.
pub fn is_plain_depthwise(layer: &Layer, instead: Option<&Overrides>, id: LayerId) -> bool {
    let own = layer.weight("depthwise_kernel");
    let kernel = instead
        .and_then(|instead| instead.get(&(id, "depthwise_kernel")))
        .or(own);
    kernel.is_some_and(|kernel| kernel.dims().last() == Some(&1))
}

/// An activation that a convolution can take along.
pub fn is_fast(activation: Activation) -> bool {
    activation == Activation::Linear || relu_top(activation).is_some()
}

/// The largest value of a plain ReLU, or infinity; `None` for other activations.
pub fn relu_top(activation: Activation) -> Option<f32> {
    match activation {
        Activation::Relu {
            max_value,
            negative_slope: 0.0,
            threshold: 0.0,
        } => Some(max_value.unwrap_or(f32::INFINITY)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_mixes_photos_keeps_the_batch_together() {
        let joined = |axis| LayerKind::Merge(crate::model::graph::Merge::Concatenate(axis));
        assert!(is_by_image(&joined(-1)) && is_by_image(&joined(3)));
        assert!(!is_by_image(&joined(0)));
    }
}
