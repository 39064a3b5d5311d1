//! Where a network's base ends and its classifier head begins.

use super::flags::base_of;
use super::graph::{Graph, Input, LayerKind, NodeId};
use super::{LayerId, ModelDescription, Semantics};

/// The node whose value a head takes: in PyTorch see [`before_last_linear`]; in Keras the output of the
/// nested base, or in a flat model the input of the pooling or flattening before the last dense
/// layers, or the output if it ends without dense layers. `None` if the last layers are of other
/// kinds.
pub fn cut_of(graph: &Graph, semantics: Semantics) -> Option<NodeId> {
    if semantics == Semantics::PyTorch
        && let Some(cut) = before_last_linear(graph)
    {
        return Some(cut);
    }
    if let Some(base) = base_of(graph) {
        let inside: Vec<LayerId> = graph.subtree(base).collect();
        let is_inside = |&id: &NodeId| inside.contains(&graph.nodes[id].layer);
        let outside = graph.nodes.iter().filter(|n| !inside.contains(&n.layer));
        let read = outside.flat_map(|n| &n.inputs).filter_map(of_node);
        return read.chain([graph.output]).filter(is_inside).max();
    }
    let mut node = graph.output;
    let (mut found, mut dense) = (None, false);
    loop {
        let call = graph.nodes.get(node)?;
        let input = call.inputs.iter().find_map(of_node);
        match graph.layers[call.layer].kind {
            LayerKind::GlobalPool2d(_) | LayerKind::Flatten => found = input.or(found),
            LayerKind::Dense(_) => dense = true,
            LayerKind::Activation(_) | LayerKind::Noise(_) | LayerKind::Identity => {}
            _ => break,
        }
        match (input, call.inputs.len()) {
            (Some(input), 1) => node = input,
            _ => break,
        }
    }
    found.or((!dense).then_some(graph.output))
}

/// The input of the last linear layer of a state dict's network, and of the dropout and the global
/// pooling right before it. Only the last linear layer is replaced (VGG and MobileNetV3 have more), so
/// that PyTorch loads the trained file into the same module with another number of classes.
fn before_last_linear(graph: &Graph) -> Option<NodeId> {
    let input_of = |node: NodeId| match graph.nodes.get(node)?.inputs[..] {
        [Input::Node(input)] => Some(input),
        _ => None,
    };
    let kind = |node: NodeId| Some(&graph.layers[graph.nodes.get(node)?.layer].kind);
    if !matches!(kind(graph.output)?, LayerKind::Dense(_)) {
        return None;
    }
    let mut node = input_of(graph.output)?;
    while matches!(kind(node)?, LayerKind::Noise(_) | LayerKind::Identity) {
        node = input_of(node)?;
    }
    match kind(node)? {
        LayerKind::GlobalPool2d(_) => input_of(node),
        _ => Some(node),
    }
}

fn of_node(input: &Input) -> Option<NodeId> {
    match *input {
        Input::Node(id) => Some(id),
        Input::Number(_) => None,
    }
}

/// For each layer, whether all its calls come after the cut; a nested model counts if all its layers
/// do.
pub fn after_cut(graph: &Graph, cut: NodeId) -> Vec<bool> {
    let is_after = |id: LayerId| {
        let mut calls = graph
            .nodes
            .iter()
            .enumerate()
            .filter(|(_, n)| n.layer == id);
        let first = calls.next().map(|(node, _)| node);
        first.map(|first| first > cut)
    };
    let mut after_cut: Vec<bool> = (0..graph.layers.len())
        .map(|id| is_after(id) == Some(true))
        .collect();
    for id in (0..graph.layers.len()).rev() {
        if graph.layers[id].kind == LayerKind::Model {
            let mut inside = graph.children(Some(id)).peekable();
            after_cut[id] = inside.peek().is_some() && inside.all(|child| after_cut[child]);
        }
    }
    after_cut
}

/// The layers of the base: the nested model with everything in it, or in a flat model the layers before the
/// head. All layers if base and head cannot be told apart.
pub fn base_layers(model: &ModelDescription) -> Vec<LayerId> {
    let graph = &model.graph;
    if let Some(base) = base_of(graph) {
        return graph.subtree(base).collect();
    }
    let all = 0..graph.layers.len();
    match cut_of(graph, model.semantics).filter(|&cut| graph.is_cut(cut)) {
        Some(cut) => {
            let in_head = after_cut(graph, cut);
            all.filter(|&id| !in_head[id]).collect()
        }
        None => all.collect(),
    }
}
