//! A model prepared for training: where its head begins, and logits as its output.

use thiserror::Error;

use super::head::{NewHead, with_new_head};
use crate::model::flags::base_of;
use crate::model::graph::{Activation, LayerKind};
use crate::model::head_cut::{after_cut, cut_of};
use crate::model::layers::{Dense, WeightMap};
use crate::model::{Flags, LayerId, Mode, Model, NodeId, Outer, PassError, Semantics};

/// Why a run cannot begin or go on. Each message is shown as it is.
#[derive(Debug, Error)]
pub enum TrainError {
    #[error("cancelled")]
    Cancelled,
    #[error("the model ends in layers that no new head can replace; train with its own head")]
    NoPlaceForHead,
    #[error("the model has no classifier of its own: its output is {0}; train a new head")]
    NoClassifier(String),
    #[error(
        "there are {classes} classes of photos, but the model's own head has {outputs} outputs; train a new head"
    )]
    TooFewOutputs { classes: usize, outputs: usize },
    #[error("all photos are of one class (`{0}`); training needs at least two classes")]
    OneClass(String),
    #[error("one output with a sigmoid tells two classes apart, but there are {0}; choose softmax")]
    SigmoidNeedsTwo(usize),
    #[error("no photo is left to train with; choose a smaller validation split")]
    NothingToTrainWith,
    #[error("none of the photos can be read")]
    NoPhotos,
    #[error("no weight learns: every `trainable` flag that counts is off")]
    NothingLearns,
    #[error(
        "the loss is not a number at step {step} (epoch {epoch}); layer `{layer}` is the first whose output \
         is not finite; try a smaller learning rate"
    )]
    NotANumber {
        step: usize,
        epoch: usize,
        layer: String,
    },
    #[error(
        "a weight of layer `{layer}` is not a number at step {step} (epoch {epoch}); try a smaller \
         learning rate"
    )]
    WeightNotANumber {
        step: usize,
        epoch: usize,
        layer: String,
    },
    /// The file's format is the reason.
    #[error("{0}")]
    Untrainable(&'static str),
    #[error("{0}")]
    Pass(PassError),
    /// Photos that cannot be read or do not fit the model; the reader of the photos says why.
    #[error("{0}")]
    Photos(String),
    #[error("the numbers cannot be computed: {}", crate::model::error::reason(.0))]
    Tensor(candle_core::Error),
}

impl From<PassError> for TrainError {
    fn from(error: PassError) -> Self {
        match error {
            PassError::Cancelled => Self::Cancelled,
            other => Self::Pass(other),
        }
    }
}

/// Which head is trained.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Head {
    /// The head in the file.
    Own,
    New(NewHead),
}

/// A model whose output is logits, and where its head begins.
#[derive(Debug)]
pub struct Network {
    /// As in the file or with a new head, without the last activation.
    pub model: Model,
    /// The activation that was removed: softmax, sigmoid, or linear if there was none.
    pub ending: Activation,
    /// The layer whose activation was removed.
    last: LayerId,
    /// The node whose value the head takes; `None` if head and base cannot be told apart.
    pub cut: Option<NodeId>,
    /// For each layer, whether it is in the head.
    pub in_head: Vec<bool>,
    pub head: Head,
    /// The index of each layer of the file in `model`; `None` for layers that a new head replaced.
    pub places: Vec<Option<LayerId>>,
    /// The output that belongs to each class of the photos.
    pub targets: Vec<u32>,
}

impl Network {
    /// Prepares `model` to learn `classes` from photos of `size` (height, width).
    ///
    /// # Errors
    /// Only one class, or a head that does not fit the classes or the model.
    pub fn new(
        model: &Model,
        head: Head,
        classes: &[String],
        size: [usize; 2],
    ) -> Result<Self, TrainError> {
        if let Some(why) = model.format.untrainable {
            return Err(TrainError::Untrainable(why));
        }
        if let [only] = classes {
            return Err(TrainError::OneClass(only.clone()));
        }
        match head {
            Head::Own => Self::own(model, classes),
            Head::New(new) if new.sigmoid && classes.len() != 2 => {
                Err(TrainError::SigmoidNeedsTwo(classes.len()))
            }
            Head::New(new) => {
                let (mut changed, places) = with_new_head(model, new, size)?;
                changed.labels = classes.to_vec();
                let mut network = Self::ready(changed, head)?;
                network.places = places;
                // A state dict holds no activation: PyTorch's classifiers end in logits.
                network.ending = if model.semantics == Semantics::PyTorch {
                    Activation::Linear
                } else if new.sigmoid {
                    Activation::Sigmoid
                } else {
                    Activation::Softmax
                };
                network.targets = (0..classes.len() as u32).collect();
                Ok(network)
            }
        }
    }

    fn own(model: &Model, classes: &[String]) -> Result<Self, TrainError> {
        let mut network = Self::ready(model.clone(), Head::Own)?;
        let layers = &network.model.graph.layers;
        let bias = layers[network.last].shape("bias");
        let kernel = layers[network.last].shape("kernel");
        let outputs = bias.or(kernel).and_then(|shape| shape.last().copied());
        let outputs = outputs.unwrap_or_default();
        if classes.len() > outputs.max(2) || (outputs == 1 && classes.len() > 2) {
            let classes = classes.len();
            return Err(TrainError::TooFewOutputs { classes, outputs });
        }
        // Folders with the names of the model's classes belong to those; otherwise class i is output i.
        let place = |class: &String| network.model.labels.iter().position(|l| l == class);
        let named: Option<Vec<u32>> = classes.iter().map(|c| place(c).map(|p| p as u32)).collect();
        network.targets = named.unwrap_or_else(|| (0..classes.len() as u32).collect());
        Ok(network)
    }

    fn ready(mut model: Model, head: Head) -> Result<Self, TrainError> {
        let semantics = model.semantics;
        let graph = &mut model.graph;
        let last_node = graph.nodes.get(graph.output).cloned();
        let last_node = last_node.ok_or(TrainError::NoPlaceForHead)?;
        let (mut last, mut ending) = (last_node.layer, Activation::Linear);
        if let LayerKind::Activation(activation) = graph.layers[last].kind
            && let [crate::model::graph::Input::Node(before)] = last_node.inputs[..]
        {
            ending = activation;
            graph.layers[last].kind = LayerKind::Activation(Activation::Linear);
            last = graph.nodes[before].layer;
        }
        let LayerKind::Dense(Dense { activation }) = &mut graph.layers[last].kind else {
            let what = format!("of a {} layer", graph.layers[last].class);
            return Err(TrainError::NoClassifier(what));
        };
        // The layer with the activation.
        let mut ended = last_node.layer;
        if ending == Activation::Linear {
            ending = std::mem::replace(activation, Activation::Linear);
            ended = last;
        }
        // A penalty on the classifier's output needs the activation that is removed here.
        if let Some(penalty) = &mut graph.layers[ended].activity_regularizer {
            penalty.activation = ending;
        }
        if !matches!(
            ending,
            Activation::Linear | Activation::Softmax | Activation::Sigmoid
        ) {
            let what = "of another activation than softmax or sigmoid".to_owned();
            return Err(TrainError::NoClassifier(what));
        }
        let cut = cut_of(graph, semantics).filter(|&cut| graph.is_cut(cut));
        let in_head = match cut {
            Some(cut) => after_cut(graph, cut),
            None => vec![false; graph.layers.len()],
        };
        Ok(Self {
            places: (0..graph.layers.len()).map(Some).collect(),
            model,
            ending,
            last,
            cut,
            in_head,
            head,
            targets: Vec::new(),
        })
    }

    /// The flags of a run: those of `base` for the layers of the base. A new head learns, and the model
    /// around it is not frozen; the file's own head keeps its flags.
    pub fn flags(&self, base: &Flags) -> Flags {
        if self.head == Head::Own {
            return base.clone();
        }
        self.flags_with_head(base)
    }

    /// The flags of `base` for the layers of the base; the head learns.
    pub fn flags_with_head(&self, base: &Flags) -> Flags {
        let graph = &self.model.graph;
        let mut flags = Flags::all(graph, true);
        for (id, in_head) in self.in_head.iter().enumerate() {
            // From the front, because setting a model's flag sets those of its layers.
            flags.set(graph, id, *in_head || base.get(id), Semantics::PyTorch);
        }
        flags.record(graph, base.recorded(graph));
        flags.set_rebuilt(base.is_rebuilt());
        flags.modules = base.modules.clone();
        flags
    }

    /// `base.trainable = value`; the head learns.
    pub fn base_flags(&self, value: bool) -> Flags {
        let mut flags = Flags::of_file(&self.model.graph);
        flags.set_all(value);
        self.flags_with_head(&flags)
    }

    /// True if `base(x, training=...)` can be recorded in the flags.
    pub fn is_nested(&self) -> bool {
        base_of(&self.model.graph).is_some()
    }

    /// The outer call that the base of a flat Keras model sees when the loop calls the model with `outer`
    /// and the base is called with `call`. In Keras 2 and from 3.16 on `call` binds; in Keras 3 up to 3.15
    /// the outer value wins. PyTorch has no such value: see [`ModuleCalls`](crate::model::ModuleCalls).
    pub fn base_outer(semantics: Semantics, call: Option<bool>, outer: Outer) -> Outer {
        let Some(call) = call else { return outer };
        let own = Outer::Given(if call {
            Mode::Training
        } else {
            Mode::Inference
        });
        match (semantics, outer) {
            (Semantics::Keras2 | Semantics::Keras316, _) | (Semantics::Keras3, Outer::NotGiven) => {
                own
            }
            (Semantics::Keras3, Outer::Given(_)) | (Semantics::PyTorch, _) => outer,
        }
    }

    /// True if some weight learns under the flags.
    pub fn learns(&self, flags: &Flags, semantics: Semantics) -> bool {
        let model = &self.model;
        model.graph.layers.iter().enumerate().any(|(id, layer)| {
            layer.weights.iter().any(|w| w.learnable) && flags.learns(&model.graph, id, semantics)
        })
    }

    /// The model with these weights instead of its own, and with its last activation again.
    pub fn finished(&self, weights: &WeightMap) -> Model {
        let mut model = self.model.clone();
        let trained = weights.iter();
        model
            .weights
            .extend(trained.map(|(key, tensor)| (*key, tensor.clone())));
        let last = model.graph.nodes[model.graph.output].layer;
        for id in [last, self.last] {
            if let Some(penalty) = &mut model.graph.layers[id].activity_regularizer {
                penalty.activation = Activation::Linear;
            }
            match &mut model.graph.layers[id].kind {
                LayerKind::Dense(Dense { activation }) if last == self.last => {
                    *activation = self.ending;
                }
                LayerKind::Activation(activation) if id == last => *activation = self.ending,
                _ => {}
            }
        }
        model
    }
}
