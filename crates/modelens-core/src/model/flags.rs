//! The `trainable` flags of all layers, how setting one spreads, and the `training=` value that a
//! person records at the call of the base.

use serde::{Deserialize, Serialize};

use super::{Effective, Graph, LayerId, Model, Outer, Semantics, effective};

/// One flag a layer, and the outermost model's; and what is recorded at the call of the base.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Flags {
    root: bool,
    layers: Vec<bool>,
    /// The nested base and the value at its call, where it is another than the file's.
    recorded: Option<(LayerId, Option<bool>)>,
}

impl Flags {
    /// The flags as they are in the file.
    pub fn of_file(graph: &Graph) -> Self {
        Self {
            root: graph.root_trainable,
            layers: graph.layers.iter().map(|l| l.trainable).collect(),
            recorded: None,
        }
    }

    /// Every layer, and every model around, set to `trainable`.
    pub fn all(graph: &Graph, trainable: bool) -> Self {
        Self {
            root: trainable,
            layers: vec![trainable; graph.layers.len()],
            recorded: None,
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

    /// `layer.trainable = value`, as the framework does it: a model passes the value on to its
    /// children, and they to theirs, except that Keras 3 ignores an assignment that does not change
    /// the flag, on every level. In PyTorch a module has no flag of its own; setting it sets its
    /// parameters.
    pub fn set(&mut self, graph: &Graph, layer: LayerId, value: bool, semantics: Semantics) {
        if semantics == Semantics::Keras3 && self.layers[layer] == value {
            return;
        }
        self.layers[layer] = value;
        for child in graph.children(Some(layer)) {
            self.set(graph, child, value, semantics);
        }
    }

    /// `model.trainable = value` for the outermost model and everything in it.
    pub fn set_all(&mut self, value: bool) {
        self.root = value;
        self.layers.fill(value);
    }

    /// `base.trainable = value` reaching every layer of the base ([`base_of`]); a flat model is its
    /// own base. Unlike [`Self::set`] it never stops at a flag that has the value already: it is
    /// what a person gets who toggles the flag first. Layers outside keep their flags.
    pub fn set_base(&mut self, graph: &Graph, value: bool) {
        match base_of(graph) {
            Some(base) => {
                for id in graph.subtree(base) {
                    self.layers[id] = value;
                }
            }
            None => self.set_all(value),
        }
    }

    /// The course's fine-tuning: the base trainable, then its first `from` layers frozen.
    /// Layers outside of the base keep their flags. Without a nested model, `from` counts
    /// the layers of the model itself.
    pub fn fine_tune_from(&mut self, graph: &Graph, from: usize) {
        let base = base_of(graph);
        // A frozen model around the base would keep it from learning by Keras 2's rule.
        if let Some(id) = base {
            for model in graph.ancestors(id).chain([id]) {
                self.layers[model] = true;
            }
        }
        self.root = true;
        let children = graph.children(base).filter(|&id| graph.layers[id].listed);
        for (i, child) in children.enumerate() {
            for id in graph.subtree(child) {
                self.layers[id] = i >= from;
            }
        }
    }

    /// Whether every `trainable` flag is the same, whatever is recorded.
    pub fn same_trainable(&self, other: &Self) -> bool {
        self.root == other.root && self.layers == other.layers
    }

    /// Builds the model anew with `base(x, training=value)`; `None` leaves the argument out. A flat
    /// model has no such call.
    pub fn record(&mut self, graph: &Graph, value: Option<bool>) {
        self.recorded = base_of(graph)
            .filter(|&base| graph.layers[base].recorded_training != value)
            .map(|base| (base, value));
    }

    /// The `training=` value at the call of the nested base; `None` where the argument is left out
    /// or the model is flat.
    pub fn recorded(&self, graph: &Graph) -> Option<bool> {
        match self.recorded {
            Some((_, value)) => value,
            None => graph.layers[base_of(graph)?].recorded_training,
        }
    }

    /// The innermost value recorded around a call of the layer, given the file's.
    pub fn recorded_around(
        &self,
        graph: &Graph,
        layer: LayerId,
        in_file: Option<bool>,
    ) -> Option<bool> {
        let Some((base, value)) = self.recorded else {
            return in_file;
        };
        for id in std::iter::once(layer).chain(graph.ancestors(layer)) {
            if id == base {
                let outside = || graph.ancestors(base);
                return value.or_else(|| outside().find_map(|a| graph.layers[a].recorded_training));
            }
            // A value at a call inside of the base is nearer.
            if graph.layers[id].recorded_training.is_some() {
                return in_file;
            }
        }
        in_file
    }

    /// The innermost `training=` value recorded around the layer.
    pub fn recorded_at(&self, graph: &Graph, layer: LayerId) -> Option<bool> {
        let mut around = std::iter::once(layer).chain(graph.ancestors(layer));
        let in_file = around.find_map(|id| graph.layers[id].recorded_training);
        self.recorded_around(graph, layer, in_file)
    }

    /// What the layer really does in a call: [`effective()`] with the flags and the recorded value.
    pub fn effective(
        &self,
        model: &Model,
        layer: LayerId,
        outer: Outer,
        semantics: Semantics,
    ) -> Effective {
        let graph = &model.graph;
        effective(
            graph.layers[layer].kind.role(),
            self.layers[layer],
            self.ancestors(graph, layer),
            outer,
            self.recorded_at(graph, layer),
            semantics,
        )
    }
}

/// The nested model with the most layers of its own: what a transfer-learning course calls the
/// base. `None` where the model is flat.
pub fn base_of(graph: &Graph) -> Option<LayerId> {
    let models = graph.layers.iter().enumerate();
    let models = models.filter(|(_, l)| l.kind == super::LayerKind::Model);
    let own = |id: LayerId| {
        graph
            .children(Some(id))
            .filter(|&c| graph.layers[c].listed)
            .count()
    };
    let sized = models.map(|(id, _)| (own(id), std::cmp::Reverse(id)));
    // A handful of layers is an augmentation block, a wrapper or a head, not a base.
    sized
        .max()
        .filter(|&(count, _)| count > 10)
        .map(|(_, std::cmp::Reverse(id))| id)
}
