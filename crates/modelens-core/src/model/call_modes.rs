//! The value of `training` that reaches every call of a model: what the release that runs it makes of the
//! outer call and of what is recorded in the file.
//!
//! Keras keeps one *context* while a model runs. What a call leaves in it decides what later calls get:
//!
//! | | Keras 2 | Keras 3.0 to 3.15 | Keras 3.16 |
//! |---|---|---|---|
//! | 1 | the recorded value | the value that the model around it got | the recorded value |
//! | 2 | the value of the model around it | the recorded value, or else the signature's default, which loading a file records | what the last call with a value left in the context |
//! | 3 | the signature's default | what the last call left in the context | the signature's default |
//! | after the call | the context is restored | the context keeps the value | the context keeps a recorded value |
//!
//! So in Keras 3 a value reaches layers that are called *after* the layer at which it is recorded, whatever the
//! outer call says (3.16), or if the outer call says nothing (up to 3.15). A recorded `training=None` clears
//! the context in Keras 3 and counts as no value in Keras 2.
//!
//! PyTorch has no context: a module has the mode that the last call on it, or on a module around it, gave it
//! ([`ModuleCalls`](super::ModuleCalls)), or else that of the outermost call.
//!
//! Source: `Layer._resolve_and_populate_arg`, `Functional.call` and `operation_fn` of Keras 3.15.1 and
//! 3.16.0.dev2026102704, `base_layer._set_training_mode` of tf_keras 2.21; measured in
//! `tests/fixtures/golden/recorded` and `recorded_nested`.

use super::recorded::{RecordedArgument, signature_default};
use super::{Effective, Flags, Graph, LayerId, LayerKind, NodeId, Outer, Semantics};
use crate::rules::effective_when;

/// The value of `training` that one call gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ReachedTraining {
    /// `None`: no value is passed, and the default of the layer's signature applies.
    pub value: Option<bool>,
    pub reason: ReachedReason,
}

/// Why a call gets its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReachedReason {
    /// The outermost call gives it.
    Outer,
    /// It is recorded at this call.
    Recorded,
    /// It is recorded at the call of this model around the layer.
    Around(LayerId),
    /// It is recorded at the call of this layer, which ran before; Keras 3 keeps it.
    Earlier(LayerId),
    /// The call at this place of [`Flags::modules`] set the module's mode.
    Module(usize),
    /// Nothing gives a value: the signature's default.
    Default,
}

/// The values of `training` of every call of a model.
#[derive(Clone, Debug)]
pub struct CallModes {
    semantics: Semantics,
    nodes: Vec<ReachedTraining>,
    /// Of the first call of each layer, nested models included.
    layers: Vec<ReachedTraining>,
}

impl CallModes {
    /// Follows one call of the model in the order in which Keras runs its layers.
    pub fn of(graph: &Graph, flags: &Flags, outer: Outer, semantics: Semantics) -> Self {
        let outer = match outer {
            Outer::Given(mode) => Some(mode.training()),
            Outer::NotGiven => None,
        };
        let given = outer.map(|training| Given {
            training,
            source: Source::Outer,
        });
        let mut follower = Follower {
            graph,
            flags,
            semantics,
            root: given,
            context: given,
            frames: Vec::new(),
            modules: match semantics {
                Semantics::PyTorch => flags.modules.last_calls(graph.layers.len()),
                Semantics::Keras2 | Semantics::Keras3 | Semantics::Keras316 => Vec::new(),
            },
            layers: vec![None; graph.layers.len()],
        };
        let nodes = (0..graph.nodes.len()).map(|id| follower.node(id)).collect();
        let uncalled = ReachedTraining {
            value: outer,
            reason: outer.map_or(ReachedReason::Default, |_| ReachedReason::Outer),
        };
        let layers = follower.layers.into_iter();
        Self {
            semantics,
            nodes,
            layers: layers.map(|l| l.unwrap_or(uncalled)).collect(),
        }
    }

    /// What reaches a call.
    pub fn node(&self, node: NodeId) -> ReachedTraining {
        self.nodes[node]
    }

    /// What reaches the first call of a layer or nested model.
    pub fn layer(&self, layer: LayerId) -> ReachedTraining {
        self.layers[layer]
    }

    /// What a layer really does in its first call.
    pub fn effective(&self, graph: &Graph, flags: &Flags, layer: LayerId) -> Effective {
        self.effective_in(graph, flags, layer, self.layers[layer])
    }

    /// What a layer really does in one call.
    pub fn effective_at(&self, graph: &Graph, flags: &Flags, node: NodeId) -> Effective {
        self.effective_in(graph, flags, graph.nodes[node].layer, self.nodes[node])
    }

    fn effective_in(
        &self,
        graph: &Graph,
        flags: &Flags,
        layer: LayerId,
        reached: ReachedTraining,
    ) -> Effective {
        effective_when(
            graph.layers[layer].kind.role(),
            flags.get(layer),
            flags.ancestors(graph, layer),
            reached.value,
            self.semantics,
        )
    }
}

/// A value and where it comes from.
#[derive(Clone, Copy)]
struct Given {
    training: bool,
    source: Source,
}

#[derive(Clone, Copy)]
enum Source {
    Outer,
    /// Recorded at a call of this layer.
    Call(LayerId),
    /// The signature's default, which loading a file has recorded at a call of this layer.
    Default(LayerId),
    /// The call at this place of [`Flags::modules`].
    Module(usize),
}

/// A nested model that is running.
struct Frame {
    /// Index into [`Graph::model_calls`].
    call: usize,
    /// The value that its call got.
    given: Option<Given>,
}

struct Follower<'a> {
    graph: &'a Graph,
    flags: &'a Flags,
    semantics: Semantics,
    root: Option<Given>,
    context: Option<Given>,
    /// The outermost first.
    frames: Vec<Frame>,
    /// For each layer the place of the last call on its module; empty in Keras.
    modules: Vec<Option<usize>>,
    layers: Vec<Option<ReachedTraining>>,
}

impl Follower<'_> {
    fn node(&mut self, id: NodeId) -> ReachedTraining {
        let graph = self.graph;
        let node = &graph.nodes[id];
        let before = self.context;
        self.enter(node.within);
        let reached = if graph.layers[node.layer].kind == LayerKind::Input {
            // Keras does not call it.
            let around = self.module(node.layer).or(self.around());
            let reason = self.reason(node.layer, around);
            let value = around.map(|g| g.training);
            self.layers[node.layer].get_or_insert(ReachedTraining { value, reason });
            ReachedTraining { value, reason }
        } else {
            let recorded = self.flags.argument(node.layer, node.recorded);
            self.call(node.layer, recorded).1
        };
        if !node.runs {
            self.context = before;
        }
        reached
    }

    /// Leaves and enters nested models until `within` is the innermost one that runs.
    fn enter(&mut self, within: Option<usize>) {
        let graph = self.graph;
        let around = |&call: &usize| graph.model_calls[call].within;
        let mut path: Vec<usize> = std::iter::successors(within, around).collect();
        path.reverse();
        let same = std::iter::zip(&self.frames, &path)
            .take_while(|(frame, call)| frame.call == **call)
            .count();
        self.frames.truncate(same);
        for &call in &path[same..] {
            let model = &graph.model_calls[call];
            let recorded = self.flags.argument(model.layer, model.recorded);
            let given = self.call(model.layer, recorded).0;
            self.frames.push(Frame { call, given });
        }
    }

    /// The value of the innermost model that runs.
    fn around(&self) -> Option<Given> {
        self.frames.last().map_or(self.root, |frame| frame.given)
    }

    /// What the last call on its module gave a layer.
    fn module(&self, layer: LayerId) -> Option<Given> {
        let place = (*self.modules.get(layer)?)?;
        let call = self.flags.modules.get(place)?;
        Some(Given {
            training: call.mode.training(),
            source: Source::Module(place),
        })
    }

    /// One call: what it gets, and what it leaves in the context.
    fn call(
        &mut self,
        layer: LayerId,
        recorded: RecordedArgument,
    ) -> (Option<Given>, ReachedTraining) {
        let class = &self.graph.layers[layer].class;
        let default = signature_default(class, self.semantics).map(|training| Given {
            training,
            source: Source::Default(layer),
        });
        let own = recorded.value().map(|training| Given {
            training,
            source: Source::Call(layer),
        });
        let given = match self.semantics {
            // Files of Keras 2 hold no defaults, and those in a file of Keras 3 were written by no person.
            Semantics::Keras2 => match recorded {
                RecordedArgument::Value(_) => own,
                RecordedArgument::Absent
                | RecordedArgument::Null
                | RecordedArgument::Default(_) => self.around(),
            },
            Semantics::Keras3 => {
                let passed = self.around().or(own);
                self.context = match (passed, recorded) {
                    (Some(_), _) => passed,
                    // Loading a file calls every layer once and records its default.
                    (None, RecordedArgument::Absent) => default.or(self.context),
                    (None, _) => None,
                };
                self.context
            }
            Semantics::Keras316 => {
                match recorded {
                    RecordedArgument::Absent => {}
                    RecordedArgument::Null => self.context = None,
                    RecordedArgument::Value(_) | RecordedArgument::Default(_) => {
                        self.context = own;
                    }
                }
                self.context
            }
            Semantics::PyTorch => self.module(layer).or(self.root),
        };
        let reached = ReachedTraining {
            value: given.or(default).map(|g| g.training),
            reason: self.reason(layer, given),
        };
        self.layers[layer].get_or_insert(reached);
        (given, reached)
    }

    fn reason(&self, layer: LayerId, given: Option<Given>) -> ReachedReason {
        match given.map(|given| given.source) {
            None => ReachedReason::Default,
            Some(Source::Outer) => ReachedReason::Outer,
            Some(Source::Module(place)) => ReachedReason::Module(place),
            Some(Source::Default(by)) if by == layer => ReachedReason::Default,
            Some(Source::Call(by)) if by == layer => ReachedReason::Recorded,
            Some(Source::Call(by) | Source::Default(by)) => {
                if self.graph.ancestors(layer).any(|model| model == by) {
                    ReachedReason::Around(by)
                } else {
                    ReachedReason::Earlier(by)
                }
            }
        }
    }
}
