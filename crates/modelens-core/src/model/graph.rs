//! The network as a list of layers and a list of calls: the common result of all file formats.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use serde::de::Deserializer;
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::penalties::{ActivityRegularizer, Constraint, Regularizer};

pub use super::recorded::{RecordedArgument, RecordedBy};

pub use super::layers::{
    Activation, BatchNorm, Conv2d, LayerKind, Merge, Noise, Operator, Padding, Pool2d, Pooling,
    Slice,
};

/// Index into [`Graph::layers`].
pub type LayerId = usize;
/// Index into [`Graph::nodes`].
pub type NodeId = usize;

/// A network without its weights' values: layers say what is computed, nodes in which order they are
/// called on what.
///
/// Nested models are inlined: a nested model is a layer of kind [`LayerKind::Model`] without a node, and
/// its children's nodes take the place of its call.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Graph {
    /// The outermost model's name in the file; empty if it has none.
    pub name: String,
    /// Depth-first in file order; a nested model comes before its children.
    pub layers: Vec<Layer>,
    /// In the order in which the framework runs them; the first is the input.
    pub nodes: Vec<Node>,
    /// The calls of nested models, the outer ones before those inside them.
    pub model_calls: Vec<ModelCall>,
    /// The node whose value is the model's output.
    pub output: NodeId,
    /// The `trainable` flag of the outermost model.
    pub root_trainable: bool,
    /// `[height, width, channels]` of the input; `None` if the file leaves it open.
    pub input_hwc: [Option<usize>; 3],
    /// The axes of a node's value in the file: for each of them its index here. Nodes without an entry
    /// have the usual order of their framework (`[N, C, H, W]` for PyTorch's images).
    pub layouts: BTreeMap<NodeId, Vec<usize>>,
}

/// One layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Layer {
    /// The name in the file.
    pub name: String,
    /// The class in the file, such as `Conv2D` or `TFOpLambda`.
    pub class: String,
    /// What it computes.
    pub kind: LayerKind,
    /// The nested model that contains it.
    pub parent: Option<LayerId>,
    /// Whether the framework lists it in `model.layers` (Keras 3 does not list operators).
    pub listed: bool,
    /// The layer's own `trainable` flag in the file.
    pub trainable: bool,
    /// The `training=` value written into the file where this layer is first called.
    pub recorded: RecordedArgument,
    /// In the order in which the framework creates them.
    pub weights: Vec<Weight>,
    /// The penalty on the layer's output.
    pub activity_regularizer: Option<ActivityRegularizer>,
}

/// Describes one weight of a layer. Its values are in a [`WeightMap`](super::layers::WeightMap).
#[derive(Clone, Debug, PartialEq)]
pub struct Weight {
    /// Keras' short name: `kernel`, `bias`, `gamma`, `beta`, `moving_mean`, `moving_variance`,
    /// `depthwise_kernel`, `pointwise_kernel`.
    pub name: &'static str,
    /// In Keras' layout for every file format: convolution `[kh, kw, in / groups, out]`,
    /// depthwise `[kh, kw, in, multiplier]`, dense `[in, out]`.
    pub shape: Vec<usize>,
    /// False for weights that no optimizer changes, such as moving statistics.
    pub learnable: bool,
    /// The penalty on its values.
    pub regularizer: Option<Regularizer>,
    /// What becomes of it after each optimizer step.
    pub constraint: Option<Constraint>,
}

impl Weight {
    /// Number of values.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// True if there are no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A weight as it is written: names are static in the code, but not in bytes.
#[derive(Serialize, Deserialize)]
struct WrittenWeight<'a> {
    name: Cow<'a, str>,
    shape: Cow<'a, [usize]>,
    learnable: bool,
    regularizer: Option<Regularizer>,
    constraint: Cow<'a, Option<Constraint>>,
}

impl Serialize for Weight {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        WrittenWeight {
            name: self.name.into(),
            shape: (&self.shape).into(),
            learnable: self.learnable,
            regularizer: self.regularizer,
            constraint: Cow::Borrowed(&self.constraint),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Weight {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = WrittenWeight::deserialize(deserializer)?;
        Ok(Self {
            name: interned(&written.name),
            shape: written.shape.into_owned(),
            learnable: written.learnable,
            regularizer: written.regularizer,
            constraint: written.constraint.into_owned(),
        })
    }
}

/// The one copy of a name that lives as long as the program. Readers use a handful of names.
fn interned(name: &str) -> &'static str {
    static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    // A name is added whole or not at all, so a poisoned lock is still sound.
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = names.get(name) {
        return known;
    }
    let name: &'static str = Box::leak(name.into());
    names.insert(name);
    name
}

/// One call of one layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Node {
    pub layer: LayerId,
    pub inputs: Vec<Input>,
    /// The `training=` value written into the file at this call.
    pub recorded: RecordedArgument,
    /// The call of the nested model around it: an index into [`Graph::model_calls`].
    pub within: Option<usize>,
    /// False if the output does not depend on it, so that the framework does not run it.
    pub runs: bool,
}

/// One call of a nested model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelCall {
    /// The nested model.
    pub layer: LayerId,
    /// The `training=` value written into the file at this call.
    pub recorded: RecordedArgument,
    /// The call of the model around it: an index into [`Graph::model_calls`].
    pub within: Option<usize>,
}

impl Node {
    /// A call at the top level at which nothing is recorded.
    pub fn new(layer: LayerId, inputs: Vec<Input>) -> Self {
        Self {
            layer,
            inputs,
            recorded: RecordedArgument::Absent,
            within: None,
            runs: true,
        }
    }
}

/// One argument of a call.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Input {
    /// The value of an earlier node.
    Node(NodeId),
    /// A number written into the file (operators only).
    Number(f64),
}

/// A name that does not tell which layer is meant.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LayerNameError {
    #[error("the model has no layer `{0}`")]
    Unknown(String),
    #[error("{count} layers are called `{name}`; write the path of one of them: {paths}")]
    Ambiguous {
        name: String,
        count: usize,
        paths: String,
    },
}

/// Number of paths in a message.
const SHOWN: usize = 6;

/// The paths with commas between; of a long list the first ones.
fn shown(paths: impl ExactSizeIterator<Item = String>) -> String {
    let count = paths.len();
    let first = paths.take(SHOWN).collect::<Vec<_>>().join(", ");
    match count.checked_sub(SHOWN) {
        None | Some(0) => first,
        Some(more) => format!("{first} and {more} more"),
    }
}

impl Layer {
    /// A trainable layer outside of any nested model, without weights; nothing is recorded at its call.
    pub fn new(name: impl Into<String>, class: impl Into<String>, kind: LayerKind) -> Self {
        Self {
            name: name.into(),
            class: class.into(),
            kind,
            parent: None,
            listed: true,
            trainable: true,
            recorded: RecordedArgument::Absent,
            activity_regularizer: None,
            weights: Vec::new(),
        }
    }

    /// The shape of the weight with this short name.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        let weight = self.weights.iter().find(|w| w.name == name)?;
        Some(&weight.shape)
    }
}

impl Graph {
    /// The layer with this name, or with this path ([`Self::reference`]).
    ///
    /// # Errors
    /// No layer or several layers have this name.
    pub fn find(&self, name: &str) -> Result<LayerId, LayerNameError> {
        let all = 0..self.layers.len();
        let named: Vec<LayerId> = all
            .clone()
            .filter(|&id| self.layers[id].name == name)
            .collect();
        match named.as_slice() {
            [only] => Ok(*only),
            [] => {
                let path = name.strip_prefix('/').unwrap_or(name);
                let mut with_path = all.filter(|&id| self.path(id) == path);
                with_path
                    .next()
                    .ok_or_else(|| LayerNameError::Unknown(name.to_owned()))
            }
            several => Err(LayerNameError::Ambiguous {
                name: name.to_owned(),
                count: several.len(),
                paths: shown(several.iter().map(|&id| self.reference(id))),
            }),
        }
    }

    /// What [`Self::find`] finds this layer by: its name, or its path if another layer has the same name.
    /// Such a path starts with `/` at the top level.
    pub fn reference(&self, layer: LayerId) -> String {
        let name = self.unique_name(layer);
        let is_shared = self.layers.iter().filter(|l| l.name == name).count() > 1;
        if is_shared { format!("/{name}") } else { name }
    }

    /// The layer's name, or its path `model/layer` if another layer has the same name.
    pub fn unique_name(&self, layer: LayerId) -> String {
        let name = &self.layers[layer].name;
        let same = self.layers.iter().filter(|l| l.name == *name).count();
        if same > 1 {
            self.path(layer)
        } else {
            name.clone()
        }
    }

    /// The names of the models around a layer and of the layer, separated by `/`.
    fn path(&self, layer: LayerId) -> String {
        let mut names: Vec<&str> = self
            .ancestors(layer)
            .map(|a| self.layers[a].name.as_str())
            .collect();
        names.reverse();
        names.push(&self.layers[layer].name);
        names.join("/")
    }

    /// The layers directly inside a model, or at the top level.
    pub fn children(&self, model: Option<LayerId>) -> impl Iterator<Item = LayerId> + '_ {
        let all = self.layers.iter().enumerate();
        all.filter(move |(_, l)| l.parent == model)
            .map(|(id, _)| id)
    }

    /// The layer whose output is the output of `layer`: the layer itself, or for a nested model the layer
    /// inside it whose value is read outside. `None` if nothing calls it.
    pub fn output_of(&self, layer: LayerId) -> Option<LayerId> {
        if self.nodes.iter().any(|n| n.layer == layer) {
            return Some(layer);
        }
        let inside: Vec<LayerId> = self.subtree(layer).collect();
        let is_inside = |node: NodeId| inside.contains(&self.nodes[node].layer);
        let outside = self.nodes.iter().filter(|n| !inside.contains(&n.layer));
        let read = outside
            .flat_map(|n| &n.inputs)
            .filter_map(|input| match *input {
                Input::Node(id) => Some(id),
                Input::Number(_) => None,
            });
        let mut read = read.chain([self.output]).filter(|&id| is_inside(id));
        read.next().map(|id| self.nodes[id].layer)
    }

    /// True if the nodes after this one depend on its value alone: none of them reads an earlier node.
    pub fn is_cut(&self, node: NodeId) -> bool {
        let later = self.nodes.iter().skip(node + 1);
        let mut read = later.flat_map(|n| &n.inputs);
        node <= self.output && read.all(|i| !matches!(*i, Input::Node(id) if id < node))
    }

    /// The models that contain a layer, the innermost first.
    pub fn ancestors(&self, layer: LayerId) -> impl Iterator<Item = LayerId> + '_ {
        std::iter::successors(self.layers[layer].parent, |&id| self.layers[id].parent)
    }

    /// The layer itself and everything inside it.
    pub fn subtree(&self, layer: LayerId) -> impl Iterator<Item = LayerId> + '_ {
        (layer..self.layers.len())
            .take_while(move |&id| id == layer || self.ancestors(id).any(|a| a == layer))
    }
}
