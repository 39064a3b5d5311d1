//! The `trainable` flags of all layers, how an assignment reaches nested layers, the `training=` value that
//! the user records at the call of the base, and PyTorch's calls on single modules.

use serde::{Deserialize, Serialize};

use super::{
    CallModes, Effective, Graph, LayerId, Mode, ModelDescription, ModuleCalls, Outer,
    RecordedArgument, Semantics, effective_when,
};

/// The flags of all layers and of the outermost model, the value recorded at the call of the base, and what
/// single modules were told in PyTorch.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Flags {
    root: bool,
    layers: Vec<bool>,
    /// The nested base and the value at its call; `None` if it is the file's.
    recorded: Option<(LayerId, Option<bool>)>,
    /// Leave out the values that only the saver recorded.
    rebuilt: bool,
    /// What single modules were told after the outermost call; counts in PyTorch only.
    #[serde(default)]
    pub modules: ModuleCalls,
}

impl Flags {
    /// The flags in the file.
    pub fn of_file(graph: &Graph) -> Self {
        Self {
            root: graph.root_trainable,
            layers: graph.layers.iter().map(|l| l.trainable).collect(),
            recorded: None,
            rebuilt: false,
            modules: ModuleCalls::default(),
        }
    }

    /// All layers and models set to `trainable`.
    pub fn all(graph: &Graph, trainable: bool) -> Self {
        Self {
            root: trainable,
            layers: vec![trainable; graph.layers.len()],
            recorded: None,
            rebuilt: false,
            modules: ModuleCalls::default(),
        }
    }

    /// The layer's own flag.
    pub fn get(&self, layer: LayerId) -> bool {
        self.layers[layer]
    }

    /// True if the flag of every model around the layer is set.
    pub fn ancestors(&self, graph: &Graph, layer: LayerId) -> bool {
        self.root && graph.ancestors(layer).all(|a| self.layers[a])
    }

    /// `layer.trainable = value`, as the framework does it: a model assigns the value to its children,
    /// recursively. Keras 3 ignores an assignment that does not change the flag, on every level. A PyTorch
    /// module has no flag; the value goes to `requires_grad` of its parameters.
    pub fn set(&mut self, graph: &Graph, layer: LayerId, value: bool, semantics: Semantics) {
        if semantics.is_keras3() && self.layers[layer] == value {
            return;
        }
        self.layers[layer] = value;
        for child in graph.children(Some(layer)) {
            self.set(graph, child, value, semantics);
        }
    }

    /// `model.trainable = value` for the outermost model and all its layers.
    pub fn set_all(&mut self, value: bool) {
        self.root = value;
        self.layers.fill(value);
    }

    /// Sets the flag of the base ([`base_of`]) and of every layer in it; a flat model is its own base.
    /// Unlike [`Self::set`], this does not stop at a flag that already has the value. Layers outside the
    /// base keep their flags.
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

    /// Fine-tuning as in the course: makes the base trainable, then freezes its first `from` layers. Layers
    /// outside the base keep their flags. In a flat model, `from` counts the layers of the model.
    pub fn fine_tune_from(&mut self, graph: &Graph, from: usize) {
        let base = base_of(graph);
        // In Keras 2 a frozen model around the base would freeze it too.
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

    /// `layer.trainable = value` for each of these layers. To unfreeze them, the models around them are made
    /// trainable too: in Keras 2 a frozen one would keep their weights from learning.
    pub fn set_layers(&mut self, graph: &Graph, layers: &[LayerId], value: bool) {
        for &layer in layers {
            self.layers[layer] = value;
            if value {
                self.root = true;
                for model in graph.ancestors(layer) {
                    self.layers[model] = true;
                }
            }
        }
    }

    /// True if all `trainable` flags are equal; the recorded value may differ.
    pub fn same_trainable(&self, other: &Self) -> bool {
        self.root == other.root && self.layers == other.layers
    }

    /// Records `base(x, training=value)`; `None` leaves the argument out. A flat model has no such call, so
    /// nothing changes.
    pub fn record(&mut self, graph: &Graph, value: Option<bool>) {
        self.recorded = base_of(graph)
            .filter(|&base| graph.layers[base].recorded.value() != value)
            .map(|base| (base, value));
    }

    /// The `training=` value at the call of the nested base; `None` if the argument is left out or the model
    /// is flat.
    pub fn recorded(&self, graph: &Graph) -> Option<bool> {
        match self.recorded {
            Some((_, value)) => value,
            None => graph.layers[base_of(graph)?].recorded.value(),
        }
    }

    /// Whether to leave out the values that only the saver recorded, as if the release that runs the model
    /// had built it from code and had loaded the weights.
    pub fn set_rebuilt(&mut self, rebuilt: bool) {
        self.rebuilt = rebuilt;
    }

    /// See [`Self::set_rebuilt`].
    pub fn is_rebuilt(&self) -> bool {
        self.rebuilt
    }

    /// The flags of one of the two columns of a view. In the right one `model.eval()` comes last, so that it
    /// undoes what single modules were told.
    #[must_use]
    pub fn in_column(&self, column: Mode) -> Self {
        let mut flags = self.clone();
        if column == Mode::Inference {
            flags.modules.clear();
        }
        flags
    }

    /// The flags of a call: `predict` is `model.eval()` and a pass, see [`Self::in_column`].
    #[must_use]
    pub fn in_call(&self, outer: Outer) -> Self {
        match outer {
            Outer::Given(column) => self.in_column(column),
            Outer::NotGiven => self.clone(),
        }
    }

    /// The `training` argument at a call of the layer; `in_file` is the file's.
    pub fn argument(&self, layer: LayerId, in_file: RecordedArgument) -> RecordedArgument {
        match (self.recorded, in_file) {
            (Some((base, value)), _) if base == layer => {
                value.map_or(RecordedArgument::Absent, RecordedArgument::Value)
            }
            (_, RecordedArgument::Default(_)) if self.rebuilt => RecordedArgument::Absent,
            _ => in_file,
        }
    }

    /// The innermost `training=` value recorded around the first call of the layer, as far as it can count
    /// under these rules.
    pub fn recorded_at(&self, graph: &Graph, layer: LayerId, semantics: Semantics) -> Option<bool> {
        let mut around = std::iter::once(layer).chain(graph.ancestors(layer));
        around.find_map(|id| match self.argument(id, graph.layers[id].recorded) {
            RecordedArgument::Value(value) => Some(value),
            RecordedArgument::Default(value) => (semantics == Semantics::Keras316).then_some(value),
            RecordedArgument::Absent | RecordedArgument::Null => None,
        })
    }

    /// What the layer really does in the first of its calls. For many layers, [`CallModes`] follows the
    /// model once.
    pub fn effective(
        &self,
        model: &ModelDescription,
        layer: LayerId,
        outer: Outer,
        semantics: Semantics,
    ) -> Effective {
        CallModes::of(&model.graph, self, outer, semantics).effective(&model.graph, self, layer)
    }

    /// True if an optimizer may change weights of the layer.
    pub fn learns(&self, graph: &Graph, layer: LayerId, semantics: Semantics) -> bool {
        let ancestors = self.ancestors(graph, layer);
        let role = graph.layers[layer].kind.role();
        effective_when(role, self.layers[layer], ancestors, None, semantics).learns
    }
}

/// The base of a transfer-learning model: the nested model with the most layers. `None` if the model is
/// flat.
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
    // With ten layers or fewer it is an augmentation block, a wrapper or a head.
    sized
        .max()
        .filter(|&(count, _)| count > 10)
        .map(|(_, std::cmp::Reverse(id))| id)
}
