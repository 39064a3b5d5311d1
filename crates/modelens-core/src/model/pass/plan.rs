//! Decides before a pass which nodes are computed together: a convolution with the BatchNorm and the
//! ReLU after it, and a zero padding with the convolution that reads it. Values that are tapped, or that a
//! regularizer penalises, are never fused away.

use super::{PassOptions, Segment};
use crate::model::graph::{Graph, Input, Layer, NodeId};
use crate::model::layers::{
    Activation, CallMode, Conv2d, DepthwiseConv2d, LayerKind, Merge, Padding, ZeroPadding2d,
};
use crate::model::{CallModes, LayerId, Semantics};
use crate::rules::{Effective, Role, Statistics};

/// The weights that need a gradient.
pub type Learning = std::collections::BTreeSet<(LayerId, &'static str)>;

/// The plan of a pass; every field has one entry a node.
#[derive(Debug)]
pub struct Plan {
    pub effective: Vec<Effective>,
    /// The next node, if it is computed together with this one.
    pub fused: Vec<Option<NodeId>>,
    /// The zeros around its input that a convolution adds itself: `[top, bottom, left, right]`.
    pub padding: Vec<[usize; 4]>,
    /// True for a zero padding whose zeros the next convolution adds.
    pub absorbed: Vec<bool>,
    /// True for a BatchNorm (or the ReLU fused with it) whose scale and shift the next convolution applies
    /// to its input: the normalised value is never written to memory.
    pub deferred: Vec<bool>,
    /// The convolutions after this one that are computed together with it, band by band: what lies between them
    /// is never written to memory.
    pub chained: Vec<Vec<NodeId>>,
    /// The sum that alone reads the value, and that may be computed together with it.
    pub summed: Vec<Option<NodeId>>,
    /// The last node that reads the value; `usize::MAX` for the output.
    pub last_use: Vec<NodeId>,
    /// True if the value depends on a weight that learns.
    pub needs_gradient: Vec<bool>,
}

impl Plan {
    pub fn new(
        graph: &Graph,
        options: &PassOptions<'_>,
        segment: Segment,
        learning: Option<&Learning>,
    ) -> Self {
        let nodes = &graph.nodes;
        let readers = readers(graph);
        let layer = |id: NodeId| &graph.layers[nodes[id].layer];
        let effective = effective(graph, options, segment);
        let output = segment.until.unwrap_or(graph.output);
        let needs_gradient = needs_gradient(graph, learning);
        // A penalty needs the value too.
        let tapped = |id: NodeId| {
            options.taps.contains(&nodes[id].layer) || layer(id).activity_regularizer.is_some()
        };
        // The only reader of a value that is neither tapped nor the output.
        let next = |id: NodeId| match readers[id].as_slice() {
            [only]
                if id != output && Some(id) != segment.after && !tapped(id) && !tapped(*only) =>
            {
                Some(*only)
            }
            _ => None,
        };
        let mut plan = Self {
            fused: vec![None; nodes.len()],
            padding: vec![[0; 4]; nodes.len()],
            absorbed: vec![false; nodes.len()],
            deferred: vec![false; nodes.len()],
            chained: vec![Vec::new(); nodes.len()],
            summed: vec![None; nodes.len()],
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
                (LayerKind::ZeroPadding2d(ZeroPadding2d { pixels }), _)
                    if takes_padding(layer(then)) =>
                {
                    plan.padding[then] = *pixels;
                    plan.absorbed[id] = true;
                }
                // The backward pass needs the value in between.
                (_, LayerKind::BatchNorm(_))
                    if is_linear_convolution(layer(id))
                        && !records
                        && !options.moments.contains(&nodes[then].layer) =>
                {
                    let statistics = plan.effective[then].statistics;
                    let is_shared = nodes
                        .iter()
                        .filter(|n| n.layer == nodes[then].layer)
                        .count()
                        > 1;
                    if statistics == Some(Statistics::Moving) && !is_shared {
                        plan.fused[id] = Some(then);
                    }
                }
                (LayerKind::BatchNorm(_), LayerKind::Activation(a)) if relu_max(*a).is_some() => {
                    plan.fused[id] = Some(then);
                }
                (_, LayerKind::Activation(a))
                    if relu_max(*a).is_some() && is_linear_convolution(layer(id)) && !records =>
                {
                    plan.fused[id] = Some(then);
                }
                _ => {}
            }
        }
        for (id, node) in nodes.iter().enumerate() {
            if !matches!(graph.layers[node.layer].kind, LayerKind::BatchNorm(_)) {
                continue;
            }
            let last = plan.last_fused(id);
            let reader = plan.reader(last, &next);
            plan.deferred[last] = reader.is_some_and(|r| takes_prologue(layer(r)));
        }
        plan.chain(graph, &next);
        plan
    }

    /// Joins convolutions that pay to be computed together.
    fn chain(&mut self, graph: &Graph, next: &dyn Fn(NodeId) -> Option<NodeId>) {
        let layer = |id: NodeId| &graph.layers[graph.nodes[id].layer];
        let mut is_chained = vec![false; graph.nodes.len()];
        for first in 0..graph.nodes.len() {
            if is_chained[first] || self.needs_gradient[first] || self.reads_deferred(graph, first)
            {
                continue;
            }
            let Some(mut before) = kernel_of(layer(first)) else {
                continue;
            };
            let mut last = self.last_fused(first);
            while let Some(reader) = self.reader(last, next)
                && let Some(kernel) = kernel_of(layer(reader))
                && kernel.joins(before)
                && !self.needs_gradient[reader]
            {
                self.chained[first].push(reader);
                is_chained[reader] = true;
                (before, last) = (kernel, self.last_fused(reader));
            }
            self.summed[last] = next(last).filter(|&sum| {
                matches!(layer(sum).kind, LayerKind::Merge(Merge::Add)) && !self.needs_gradient[sum]
            });
        }
    }

    /// The last node that is computed together with this one.
    pub fn last_fused(&self, id: NodeId) -> NodeId {
        std::iter::successors(Some(id), |&id| self.fused[id])
            .last()
            .unwrap_or(id)
    }

    /// The layer that reads a value, past a padding whose zeros it adds itself.
    fn reader(&self, id: NodeId, next: &dyn Fn(NodeId) -> Option<NodeId>) -> Option<NodeId> {
        let reader = next(id)?;
        if self.absorbed[reader] {
            next(reader)
        } else {
            Some(reader)
        }
    }

    /// True if something must still be applied to the input of a node.
    fn reads_deferred(&self, graph: &Graph, id: NodeId) -> bool {
        graph.nodes[id].inputs.iter().any(|input| match *input {
            Input::Node(input) if self.absorbed[input] => self.reads_deferred(graph, input),
            Input::Node(input) => self.deferred[input],
            Input::Number(_) => false,
        })
    }

    /// How a node is called.
    pub fn mode(&self, id: NodeId, options: &PassOptions<'_>) -> CallMode {
        let effective = self.effective[id];
        CallMode {
            effective,
            draws: effective.active && options.random,
        }
    }

    /// True if the layer of a node draws.
    pub fn draws(&self, graph: &Graph, id: NodeId, options: &PassOptions<'_>) -> bool {
        let role = graph.layers[graph.nodes[id].layer].kind.role();
        CallEffect::new(role, self.effective[id], options).draws
    }

    /// True if some layer mixes the images of the batch, so that the batch can't be cut into parts.
    pub fn mixes_images(&self, graph: &Graph, options: &PassOptions<'_>) -> bool {
        graph.nodes.iter().enumerate().any(|(id, node)| {
            let op = graph.layers[node.layer].kind.op();
            op.mixes_images(self.mode(id, options))
        })
    }
}

/// What decides the value of a call, apart from its input, the weights and the seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallEffect {
    /// What a BatchNorm normalises with.
    statistics: Option<Statistics>,
    updates_statistics: bool,
    /// The layer draws.
    pub draws: bool,
}

impl CallEffect {
    /// The effect of a call of a layer with this role.
    pub fn new(role: Role, effective: Effective, options: &PassOptions<'_>) -> Self {
        let draws = match role {
            Role::Noise | Role::Augmentation => effective.active && options.random,
            Role::Weights | Role::BatchNorm | Role::Plain => false,
        };
        Self {
            statistics: effective.statistics,
            updates_statistics: effective.updates_statistics,
            draws,
        }
    }
}

/// The effective mode of every call.
pub fn effective(graph: &Graph, options: &PassOptions<'_>, segment: Segment) -> Vec<Effective> {
    let flags = options.flags;
    let follow = |outer| CallModes::of(graph, flags, outer, options.semantics);
    let modes = follow(options.outer);
    let own = segment.own_call.map(|(last, outer)| {
        let last = match options.semantics {
            // The context keeps the value for what is called after the base.
            Semantics::Keras316 => NodeId::MAX,
            Semantics::Keras2 | Semantics::Keras3 | Semantics::PyTorch => last,
        };
        (last, follow(outer))
    });
    let of = |id: NodeId| match &own {
        Some((last, own)) if id <= *last => own.effective_at(graph, flags, id),
        _ => modes.effective_at(graph, flags, id),
    };
    (0..graph.nodes.len()).map(of).collect()
}

/// For each node, the nodes that read its value, in order.
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

/// What computes a convolution.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum ConvKernel {
    Full,
    /// One filter a channel.
    Depthwise,
}

impl ConvKernel {
    /// True if it pays to compute the one together with the other: a depthwise convolution does little with
    /// each value, so that reading and writing it costs more than the arithmetic.
    fn joins(self, other: Self) -> bool {
        self == Self::Depthwise || other == Self::Depthwise
    }
}

/// The kernel for a layer; `None` for a layer that is no convolution, or that has an activation the kernels
/// do not know.
pub fn kernel_of(layer: &Layer) -> Option<ConvKernel> {
    let (settings, kernel) = match &layer.kind {
        LayerKind::Conv2d(settings) => (settings, ConvKernel::Full),
        LayerKind::DepthwiseConv2d(DepthwiseConv2d(settings)) if is_plain_depthwise(layer) => {
            (settings, ConvKernel::Depthwise)
        }
        _ => return None,
    };
    is_relu_or_linear(settings.activation).then_some(kernel)
}

/// True for a convolution without an activation.
fn is_linear_convolution(layer: &Layer) -> bool {
    match &layer.kind {
        LayerKind::Conv2d(settings) | LayerKind::DepthwiseConv2d(DepthwiseConv2d(settings)) => {
            settings.activation == Activation::Linear
        }
        _ => false,
    }
}

/// True for a convolution with a kernel that can add zeros around its input.
fn takes_padding(layer: &Layer) -> bool {
    let settings: &Conv2d = match &layer.kind {
        LayerKind::Conv2d(settings) => settings,
        LayerKind::DepthwiseConv2d(DepthwiseConv2d(settings)) if is_plain_depthwise(layer) => {
            settings
        }
        _ => return false,
    };
    settings.padding == Padding::Valid && is_relu_or_linear(settings.activation)
}

/// True for a convolution that can apply a BatchNorm to its input: it reads every value once, or from the
/// cache.
fn takes_prologue(layer: &Layer) -> bool {
    match &layer.kind {
        LayerKind::Conv2d(settings) => {
            let kernel = layer.shape("kernel");
            is_relu_or_linear(settings.activation)
                && settings.groups == 1
                && settings.strides == [1; 2]
                && kernel.is_some_and(|kernel| matches!(kernel, [1, 1, ..]))
                && !matches!(settings.padding, Padding::Around(_))
        }
        LayerKind::DepthwiseConv2d(DepthwiseConv2d(settings)) => {
            is_relu_or_linear(settings.activation) && is_plain_depthwise(layer)
        }
        _ => false,
    }
}

/// True for a depthwise convolution with one filter a channel.
fn is_plain_depthwise(layer: &Layer) -> bool {
    let kernel = layer.shape("depthwise_kernel");
    kernel.is_some_and(|kernel| kernel.last() == Some(&1))
}

/// True for an activation that a convolution can apply as its epilogue.
fn is_relu_or_linear(activation: Activation) -> bool {
    activation == Activation::Linear || relu_max(activation).is_some()
}

/// The largest value of a ReLU without slope and threshold, or infinity; `None` for other activations.
pub fn relu_max(activation: Activation) -> Option<f32> {
    match activation {
        Activation::Relu {
            max_value,
            negative_slope: 0.0,
            threshold: 0.0,
        } => Some(max_value.unwrap_or(f32::INFINITY)),
        _ => None,
    }
}
