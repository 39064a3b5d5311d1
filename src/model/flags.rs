//! The `trainable` flags of all layers, and how setting one spreads.

use super::{Effective, Graph, LayerId, Model, Outer, Semantics, effective};

/// One flag a layer, and the outermost model's.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Flags {
    root: bool,
    layers: Vec<bool>,
}

impl Flags {
    /// The flags as they are in the file.
    pub fn of_file(graph: &Graph) -> Self {
        Self {
            root: graph.root_trainable,
            layers: graph.layers.iter().map(|l| l.trainable).collect(),
        }
    }

    /// Every layer, and every model around, set to `trainable`.
    pub fn all(graph: &Graph, trainable: bool) -> Self {
        Self {
            root: trainable,
            layers: vec![trainable; graph.layers.len()],
        }
    }

    /// The layer's own flag.
    pub fn get(&self, layer: LayerId) -> bool {
        self.layers[layer]
    }

    /// Whether every model around the layer has its flag set.
    pub fn ancestors(&self, graph: &Graph, layer: LayerId) -> bool {
        self.root && graph.ancestors(layer).all(|a| self.layers[a])
    }

    /// `layer.trainable = value`, as the framework does it: a model passes the value on to all its
    /// children, except that Keras 3 ignores an assignment that does not change the flag.
    /// In PyTorch a module has no flag of its own; setting it sets its parameters.
    pub fn set(&mut self, graph: &Graph, layer: LayerId, value: bool, semantics: Semantics) {
        if semantics == Semantics::Keras3 && self.layers[layer] == value {
            return;
        }
        for id in graph.subtree(layer) {
            self.layers[id] = value;
        }
    }

    /// `model.trainable = value` for the outermost model and everything in it.
    pub fn set_all(&mut self, value: bool) {
        self.root = value;
        self.layers.fill(value);
    }

    /// The course's fine-tuning: the base trainable, then its first `from` layers frozen.
    /// Layers outside of the base keep their flags. Without a nested model, `from` counts
    /// the layers of the model itself.
    pub fn fine_tune_from(&mut self, graph: &Graph, from: usize) {
        let base = base_of(graph);
        if let Some(id) = base {
            self.layers[id] = true;
        }
        self.root = true;
        let children = graph.layers.iter().enumerate();
        let children = children.filter(|(_, l)| l.parent == base && l.listed);
        let children: Vec<LayerId> = children.map(|(id, _)| id).collect();
        for (i, &child) in children.iter().enumerate() {
            for id in graph.subtree(child) {
                self.layers[id] = i >= from;
            }
        }
    }

    /// What the layer really does in a call: [`effective`] with the flags and the recorded value.
    pub fn effective(
        &self,
        model: &Model,
        layer: LayerId,
        outer: Outer,
        semantics: Semantics,
    ) -> Effective {
        let graph = &model.graph;
        let recorded = graph.layers[layer].recorded_training.or_else(|| {
            graph
                .ancestors(layer)
                .find_map(|a| graph.layers[a].recorded_training)
        });
        effective(
            graph.layers[layer].kind.role(),
            self.layers[layer],
            self.ancestors(graph, layer),
            outer,
            recorded,
            semantics,
        )
    }
}

/// The nested model with the most layers: what a transfer-learning course calls the base.
/// `None` where the model is flat.
pub fn base_of(graph: &Graph) -> Option<LayerId> {
    let models = graph.layers.iter().enumerate();
    let models = models.filter(|(_, l)| l.kind == super::LayerKind::Model);
    let sized = models.map(|(id, _)| (graph.subtree(id).count(), std::cmp::Reverse(id)));
    // A handful of layers is an augmentation block or a head, not a base.
    sized
        .max()
        .filter(|&(count, _)| count > 10)
        .map(|(_, std::cmp::Reverse(id))| id)
}
