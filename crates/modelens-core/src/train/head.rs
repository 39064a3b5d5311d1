//! A new head for other classes: global average pooling, dropout, dense.

use std::collections::BTreeMap;

use candle_core::{Device, Tensor};

use super::network::TrainError;
use crate::model::graph::{
    Activation, Graph, Input, Layer, LayerKind, ModelCall, Node, NodeId, Noise, Pooling,
};
use crate::model::head_cut::{after_cut, cut_of};
use crate::model::layers::{Dense, GlobalPool2d, NewWeight, WeightMap};
use crate::model::pass::{PassOptions, Segment, run_segment};
use crate::model::{Flags, LayerId, Mode, Model, ModelDescription, Semantics};
use crate::random::Draws;

/// The stream of the head's draws.
const HEAD: u64 = u64::from_le_bytes(*b"head\0\0\0\0");

/// Settings of a new head.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NewHead {
    pub classes: usize,
    /// The rate of the dropout between pooling and dense, in `[0, 1)`.
    pub dropout: f64,
    /// One output with a sigmoid instead of two with a softmax.
    pub sigmoid: bool,
    /// Seed of the initial weights.
    pub seed: u64,
}

/// Replaces everything after the cut with a new head. The layers of the head come last, and the last
/// of them outputs logits.
///
/// The kernel is drawn from the Glorot-uniform distribution: `U(-l, l)` with
/// `l = sqrt(6 / (in + out))`; the bias is 0. `size` is the height and width of the photos.
///
/// Also returns the new index of each layer of `model`; `None` for those that are gone.
///
/// # Errors
/// A model whose last layers are of kinds that no head can replace.
pub fn with_new_head(
    model: &Model,
    head: NewHead,
    size: [usize; 2],
) -> Result<(Model, Vec<Option<LayerId>>), TrainError> {
    let cut = cut_of(&model.graph, model.semantics).ok_or(TrainError::NoPlaceForHead)?;
    let dims = dims_at(model, cut, size)?;
    let (features, pooled) = match dims.as_slice() {
        [_, _, _, channels] => (*channels, false),
        [_, channels] => (*channels, true),
        _ => return Err(TrainError::NoPlaceForHead),
    };
    let (graph, places) = without_head(&model.graph, cut);
    let kept = model.weights.iter().filter_map(|((id, name), tensor)| {
        let place = (*places.get(*id)?)?;
        Some(((place, *name), tensor.clone()))
    });
    let mut new = Model {
        weights: kept.collect(),
        description: ModelDescription {
            graph,
            labels: Vec::new(),
            ..model.description.clone()
        },
    };
    new.graph.root_trainable = true;
    let torch = model.semantics == Semantics::PyTorch;
    let gone = || {
        let layers = model.graph.layers.iter().zip(&places);
        layers.filter(|(_, place)| place.is_none()).map(|(l, _)| l)
    };
    // In a state dict the new layers take the names of those they replace.
    let named = |keras: &str, pytorch: &str, same: fn(&LayerKind) -> bool| {
        let replaced = gone().rfind(|l| torch && same(&l.kind));
        match replaced {
            Some(layer) => layer.name.clone(),
            None if torch => pytorch.to_owned(),
            None => keras.to_owned(),
        }
    };
    let class = |keras: &'static str, pytorch: &'static str| if torch { pytorch } else { keras };
    if !pooled {
        let kind = LayerKind::GlobalPool2d(GlobalPool2d {
            pooling: Pooling::Average,
            keep_dims: false,
        });
        let is_pool = |kind: &LayerKind| matches!(kind, LayerKind::GlobalPool2d(_));
        let name = named("global_average_pooling2d", "avgpool", is_pool);
        let class = class("GlobalAveragePooling2D", "AdaptiveAvgPool2d");
        append(&mut new, &name, class, kind, Vec::new());
    }
    let rate = head.dropout;
    let noise_shape = None;
    let kind = LayerKind::Noise(Noise::Dropout { rate, noise_shape });
    let is_noise = |kind: &LayerKind| matches!(kind, LayerKind::Noise(_));
    let name = named("dropout", "dropout", is_noise);
    append(&mut new, &name, "Dropout", kind, Vec::new());
    let outputs = if head.sigmoid { 1 } else { head.classes };
    let weights = dense_weights(features, outputs, head.seed).map_err(TrainError::Tensor)?;
    let kind = LayerKind::Dense(Dense {
        activation: Activation::Linear,
    });
    let is_dense = |kind: &LayerKind| matches!(kind, LayerKind::Dense(_));
    let name = named("dense", "fc", is_dense);
    append(&mut new, &name, class("Dense", "Linear"), kind, weights);
    Ok((new, places))
}

fn dense_weights(inputs: usize, outputs: usize, seed: u64) -> candle_core::Result<Vec<NewWeight>> {
    let limit = (6.0 / (inputs + outputs) as f64).sqrt();
    let mut draws = Draws::new(seed, &[HEAD]);
    let kernel: Vec<f32> = (0..inputs * outputs)
        .map(|_| draws.uniform(-limit, limit) as f32)
        .collect();
    let weight = |name, tensor| NewWeight {
        name,
        tensor,
        learnable: true,
    };
    Ok(vec![
        weight(
            "kernel",
            Tensor::from_vec(kernel, (inputs, outputs), &Device::Cpu)?,
        ),
        weight(
            "bias",
            Tensor::from_vec(vec![0.0_f32; outputs], outputs, &Device::Cpu)?,
        ),
    ])
}

/// Adds a layer at the top level, called on the present output.
fn append(model: &mut Model, name: &str, class: &str, kind: LayerKind, weights: Vec<NewWeight>) {
    let graph = &mut model.description.graph;
    let taken = |name: &str| graph.layers.iter().any(|l| l.name == name);
    let mut names = std::iter::once(name.to_owned()).chain((1..).map(|i| format!("{name}_{i}")));
    let name = names.find(|n| !taken(n)).unwrap_or_default();
    let id = graph.layers.len();
    let mut layer = Layer::new(name, class, kind);
    for weight in weights {
        weight.add_to(&mut layer, id, &mut model.weights);
    }
    graph.layers.push(layer);
    graph
        .nodes
        .push(Node::new(id, vec![Input::Node(graph.output)]));
    graph.output = graph.nodes.len() - 1;
}

/// The graph up to the cut, without the layers that are only called after it, and the new index of
/// each layer.
fn without_head(graph: &Graph, cut: NodeId) -> (Graph, Vec<Option<LayerId>>) {
    let after_cut = after_cut(graph, cut);
    let mut places: Vec<Option<LayerId>> = Vec::with_capacity(after_cut.len());
    let mut layers: Vec<Layer> = Vec::new();
    for (layer, gone) in graph.layers.iter().zip(&after_cut) {
        places.push((!gone).then_some(layers.len()));
        if !gone {
            let parent = layer.parent.and_then(|p| places[p]);
            layers.push(Layer {
                parent,
                ..layer.clone()
            });
        }
    }
    let nodes = graph.nodes.iter().take(cut + 1).map(|node| Node {
        layer: places[node.layer].unwrap_or_default(),
        ..node.clone()
    });
    let graph = Graph {
        nodes: nodes.collect(),
        model_calls: graph
            .model_calls
            .iter()
            .map(|call| ModelCall {
                layer: places[call.layer].unwrap_or_default(),
                ..call.clone()
            })
            .collect(),
        layers,
        output: cut,
        name: graph.name.clone(),
        layouts: BTreeMap::new(),
        ..*graph
    };
    (graph, places)
}

/// The shape of a node's value for one photo of `[h, w]` pixels.
fn dims_at(model: &Model, node: NodeId, [h, w]: [usize; 2]) -> Result<Vec<usize>, TrainError> {
    let channels = model.graph.input_hwc[2].unwrap_or(3);
    let x = Tensor::zeros((1, h, w, channels), candle_core::DType::F32, &Device::Cpu);
    let flags = Flags::all(&model.graph, false);
    let options = PassOptions {
        outer: Mode::Inference.into(),
        semantics: Semantics::Keras3,
        flags: &flags,
        random: false,
        seed: 0,
        repeat: 0,
        taps: &[],
        moments: &[],
        weights: None::<&WeightMap>,
    };
    let segment = Segment {
        after: None,
        until: Some(node),
        ..Segment::default()
    };
    let x = x.map_err(TrainError::Tensor)?;
    let pass = run_segment(model, &x, segment, &options, &|_, _| true)?;
    Ok(pass.output.dims().to_vec())
}
