//! Turns layers with calls into nodes, in the order in which Keras runs them. Nested models are inlined.
//!
//! The order matters where a layer with a state, such as a BatchNorm, is called several times.

use super::calls::{Call, CallArg, TensorRef};
use super::parse::{LayerEntry, ModelConfig, ParsedModel};
use crate::formats::OpenError;
use crate::model::graph::{Input, Layer, LayerKind, ModelCall, Node};
use crate::model::{LayerId, NodeId, RecordedArgument, Semantics};

/// Maximum number of calls after nested models are inlined: models that call models twice, nested,
/// would grow without bound.
const MAX_NODES: usize = 60_000;

/// The calls of a whole model.
pub(super) struct OrderedCalls {
    /// The input first.
    pub nodes: Vec<Node>,
    pub model_calls: Vec<ModelCall>,
    pub output: NodeId,
}

/// The calls of the whole model, in order.
pub(super) fn in_order(
    parsed: &ParsedModel,
    semantics: Semantics,
) -> Result<OrderedCalls, OpenError> {
    let mut inliner = Inliner {
        layers: &parsed.layers,
        after_input: &parsed.after_input,
        nodes: Vec::new(),
        model_calls: Vec::new(),
        semantics,
    };
    let place = Place {
        within: None,
        runs: true,
    };
    let output = inliner.model(&parsed.root, None, place)?;
    Ok(OrderedCalls {
        nodes: inliner.nodes,
        model_calls: inliner.model_calls,
        output,
    })
}

struct Inliner<'a> {
    layers: &'a [Layer],
    /// What the outermost input goes through first.
    after_input: &'a [LayerId],
    nodes: Vec<Node>,
    model_calls: Vec<ModelCall>,
    semantics: Semantics,
}

/// Where a call is made.
#[derive(Clone, Copy)]
struct Place {
    /// The call of the model around it.
    within: Option<usize>,
    /// False if the model's output does not need it.
    runs: bool,
}

/// Where a reference is written: call indices in `output_layers` count differently from those
/// beside calls.
#[derive(Clone, Copy, PartialEq)]
enum RefPlace {
    Call,
    Output,
}

impl Inliner<'_> {
    /// Inlines one call of a model on `input`; the outermost model has none.
    fn model(
        &mut self,
        container: &ModelConfig,
        input: Option<NodeId>,
        place: Place,
    ) -> Result<NodeId, OpenError> {
        let mut values = self.schedule(container)?;
        let (order, needed) = values.in_order(container.name)?;
        for (i, slot) in order.into_iter().enumerate() {
            let place = Place {
                runs: place.runs && i < needed,
                ..place
            };
            let (e, c) = (values.slots[slot].entry, values.slots[slot].call);
            let entry = &container.entries[e];
            let value = if container.input == Some(e) {
                let inputs = input.map(Input::Node).into_iter().collect();
                let mut value = self.node(Node {
                    layer: entry.layer,
                    inputs,
                    recorded: RecordedArgument::Absent,
                    within: place.within,
                    runs: place.runs,
                })?;
                let then = if input.is_none() {
                    self.after_input
                } else {
                    &[]
                };
                for &layer in then {
                    value = self.node(Node {
                        layer,
                        inputs: vec![Input::Node(value)],
                        recorded: RecordedArgument::Absent,
                        within: place.within,
                        runs: place.runs,
                    })?;
                }
                value
            } else {
                self.call(container, entry, &entry.calls[c], &values, input, place)?
            };
            values.slots[slot].value = Some(value);
        }
        match (container.outputs.last().copied(), input) {
            (Some(_), Some(_)) if container.outputs.len() > 1 => {
                Err(OpenError::UnsupportedSetting {
                    layer: container.name.to_owned(),
                    reason: format!(
                        "it has {} outputs inside of another model, which is not supported. Save it as a \
                         model of its own",
                        container.outputs.len()
                    ),
                })
            }
            (Some(output), _) => {
                let (e, c) = self.resolve(container, output, RefPlace::Output, container.name)?;
                values
                    .get(e, c)
                    .ok_or_else(|| broken(format!("{} has no output", container.name)))
            }
            (None, Some(input)) => Ok(input),
            (None, None) => Err(broken(format!("{} has no layers", container.name))),
        }
    }

    fn call(
        &mut self,
        container: &ModelConfig,
        entry: &LayerEntry,
        call: &Call,
        values: &Calls,
        outer: Option<NodeId>,
        place: Place,
    ) -> Result<NodeId, OpenError> {
        let mut inputs = Vec::with_capacity(call.args.len());
        for arg in &call.args {
            let input = match *arg {
                CallArg::Number(x) => Some(Input::Number(x)),
                // The parser has made a layer with constants of such a call.
                CallArg::Channels(_) => None,
                CallArg::Outer => outer.map(Input::Node),
                CallArg::Tensor(r) => {
                    let (e, c) = self.resolve(container, r, RefPlace::Call, entry.name)?;
                    values.get(e, c).map(Input::Node)
                }
            };
            inputs.push(input.ok_or_else(|| broken(format!("`{}` has no input", entry.name)))?);
        }
        self.check_inputs(entry, &inputs)?;
        match (&entry.nested, inputs.as_slice()) {
            (Some(nested), [Input::Node(input)]) => {
                if self.model_calls.len() >= MAX_NODES {
                    return Err(too_many_calls());
                }
                self.model_calls.push(ModelCall {
                    layer: entry.layer,
                    recorded: call.training,
                    within: place.within,
                });
                let within = Some(self.model_calls.len() - 1);
                self.model(nested, Some(*input), Place { within, ..place })
            }
            _ => self.node(Node {
                layer: entry.layer,
                inputs,
                recorded: call.training,
                within: place.within,
                runs: place.runs,
            }),
        }
    }

    fn node(&mut self, node: Node) -> Result<NodeId, OpenError> {
        if self.nodes.len() >= MAX_NODES {
            return Err(too_many_calls());
        }
        self.nodes.push(node);
        Ok(self.nodes.len() - 1)
    }

    /// Refuses a call with more or fewer inputs than the kind of layer takes.
    fn check_inputs(&self, entry: &LayerEntry, inputs: &[Input]) -> Result<(), OpenError> {
        let kind = &self.layers[entry.layer].kind;
        let tensors = inputs
            .iter()
            .filter(|i| matches!(i, Input::Node(_)))
            .count();
        let numbers = inputs.len() - tensors;
        if kind.op().arity().takes(tensors, numbers) {
            return Ok(());
        }
        Err(OpenError::UnsupportedSetting {
            layer: entry.name.to_owned(),
            reason: format!(
                "it is called on {tensors} tensors and {numbers} numbers, which it cannot take"
            ),
        })
    }

    /// The entry and the call that a reference means. Building a nested model counts as its first
    /// call, so in some places its indices start at one.
    fn resolve(
        &self,
        container: &ModelConfig,
        r: TensorRef,
        place: RefPlace,
        user: &str,
    ) -> Result<(usize, usize), OpenError> {
        let e = container.by_name.get(r.layer).copied();
        let e = e.ok_or_else(|| {
            broken(format!(
                "`{user}` refers to `{}`, which is not among the layers",
                r.layer
            ))
        })?;
        let entry = &container.entries[e];
        let calls = if container.input == Some(e) {
            1
        } else {
            entry.calls.len()
        };
        let from_one = match &entry.nested {
            None => false,
            Some(nested) if self.semantics == Semantics::Keras2 => nested.input.is_some(),
            Some(nested) => place == RefPlace::Output && !nested.sequential,
        };
        let c = match calls {
            // Output indices of Keras 3 also count calls made in other models.
            1 => 0,
            _ => r.call.saturating_sub(usize::from(from_one)),
        };
        if c >= calls {
            return Err(broken(format!(
                "`{user}` refers to call {c} of `{}`, which has {calls}",
                r.layer
            )));
        }
        Ok((e, c))
    }

    /// The calls of a model, each with the calls that it reads.
    fn schedule(&self, container: &ModelConfig) -> Result<Calls, OpenError> {
        let mut calls = Calls::default();
        for (e, entry) in container.entries.iter().enumerate() {
            calls.first.push(calls.slots.len());
            let is_input = container.input == Some(e);
            let count = if is_input { 1 } else { entry.calls.len() };
            let kind = &self.layers[entry.layer].kind;
            if *kind == LayerKind::Input && !is_input && !container.sequential {
                return Err(broken(format!(
                    "`{}` is an input that {} does not name",
                    entry.name, container.name
                )));
            }
            calls.slots.extend((0..count).map(|call| Slot {
                entry: e,
                call,
                inputs: Vec::new(),
                value: None,
            }));
        }
        for (e, entry) in container.entries.iter().enumerate() {
            if container.input == Some(e) {
                continue;
            }
            for (c, call) in entry.calls.iter().enumerate() {
                for arg in &call.args {
                    let CallArg::Tensor(r) = arg else { continue };
                    let (from, k) = self.resolve(container, *r, RefPlace::Call, entry.name)?;
                    let from = calls.first[from] + k;
                    let to = calls.first[e] + c;
                    calls.slots[to].inputs.push(from);
                }
            }
        }
        calls.input = container.input.map(|e| calls.first[e]);
        for &output in &container.outputs {
            let (e, c) = self.resolve(container, output, RefPlace::Output, container.name)?;
            calls.outputs.push(calls.first[e] + c);
        }
        Ok(calls)
    }
}

/// One call of one entry of a model.
struct Slot {
    entry: usize,
    call: usize,
    /// The calls that it reads, in the order of its arguments.
    inputs: Vec<usize>,
    value: Option<NodeId>,
}

/// The calls of one model while it is being inlined.
#[derive(Default)]
struct Calls {
    slots: Vec<Slot>,
    /// The first slot of each entry.
    first: Vec<usize>,
    input: Option<usize>,
    /// The one that is shown comes last.
    outputs: Vec<usize>,
}

impl Calls {
    fn get(&self, entry: usize, call: usize) -> Option<NodeId> {
        self.slots.get(self.first[entry] + call)?.value
    }

    /// The calls in the order in which Keras runs them: by depth, the deepest first, and within a depth as
    /// `_nodes_by_depth` lists them (`map_graph` in Keras 3, `_map_graph_network` in Keras 2). The input
    /// comes first; calls that no output needs come last. Of several outputs, nothing comes after the one
    /// that is shown but what reads it: a pass ends there, and it updates the statistics of all. Also the
    /// number of calls before those that no output needs.
    fn in_order(&self, model: &str) -> Result<(Vec<usize>, usize), OpenError> {
        let mut walk = Walk {
            calls: self,
            states: vec![State::New; self.slots.len()],
            finished: Vec::with_capacity(self.slots.len()),
        };
        let circle = || {
            broken(format!(
                "the layers of {model} wait for each other in a circle, or for a layer that is never called"
            ))
        };
        for &output in &self.outputs {
            walk.from(output).ok_or_else(circle)?;
        }
        let needed = walk.finished.len();
        for slot in 0..self.slots.len() {
            walk.from(slot).ok_or_else(circle)?;
        }
        let finished = walk.finished;
        let mut order: Vec<usize> = self.input.into_iter().collect();
        let mut called = self.by_depth(&finished[..needed]);
        if let [_, .., shown] = *self.outputs.as_slice()
            && !self.slots.iter().any(|slot| slot.inputs.contains(&shown))
        {
            called.retain(|&slot| slot != shown);
            called.push(shown);
        }
        order.extend(called);
        let mut seen = vec![false; self.slots.len()];
        order.retain(|&slot| !std::mem::replace(&mut seen[slot], true));
        let runs = order.len();
        order.extend(&finished[needed..]);
        let mut seen = vec![false; self.slots.len()];
        order.retain(|&slot| !std::mem::replace(&mut seen[slot], true));
        Ok((order, runs))
    }

    /// The calls sorted by depth: the number of calls between a call and the output. All calls of a layer
    /// are at least as deep as those of its calls that come after them in `finished`.
    fn by_depth(&self, finished: &[usize]) -> Vec<usize> {
        let mut depth_of_call: Vec<Option<usize>> = vec![None; self.slots.len()];
        let mut depth_of_entry = vec![0; self.first.len()];
        // The order in which depths are first set is the order within a depth.
        let mut order = Vec::with_capacity(finished.len());
        for &slot in finished.iter().rev() {
            let own = &self.slots[slot];
            if depth_of_call[slot].is_none() {
                order.push(slot);
            }
            let depth = depth_of_call[slot].unwrap_or(0);
            let depth = depth.max(depth_of_entry[own.entry]);
            depth_of_entry[own.entry] = depth;
            depth_of_call[slot] = Some(depth);
            for &input in &own.inputs {
                if depth_of_call[input].is_none() {
                    order.push(input);
                }
                let before = depth_of_call[input].unwrap_or(0);
                depth_of_call[input] = Some(before.max(depth + 1));
            }
        }
        order.sort_by_key(|&slot| std::cmp::Reverse(depth_of_call[slot]));
        order
    }
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    New,
    Open,
    Finished,
}

/// A depth-first walk from calls to the calls that they read.
struct Walk<'a> {
    calls: &'a Calls,
    states: Vec<State>,
    /// Each call after those that it reads.
    finished: Vec<usize>,
}

impl Walk<'_> {
    /// Finishes a call and everything that it reads; `None` if they form a circle.
    fn from(&mut self, slot: usize) -> Option<()> {
        if self.states[slot] == State::Finished {
            return Some(());
        }
        self.states[slot] = State::Open;
        // Each open call, and the number of its inputs that are done. Not recursive: a file may chain
        // calls to any depth.
        let mut open = vec![(slot, 0)];
        while let Some((slot, done)) = open.last_mut() {
            let inputs = &self.calls.slots[*slot].inputs;
            #[allow(clippy::single_match_else, reason = "both arms are steps of the walk")]
            match inputs.get(*done) {
                Some(&input) => {
                    *done += 1;
                    match self.states[input] {
                        State::New => {
                            self.states[input] = State::Open;
                            open.push((input, 0));
                        }
                        State::Open => return None,
                        State::Finished => {}
                    }
                }
                None => {
                    self.states[*slot] = State::Finished;
                    self.finished.push(*slot);
                    open.pop();
                }
            }
        }
        Some(())
    }
}

fn too_many_calls() -> OpenError {
    OpenError::TooLarge(format!("its layers are called more than {MAX_NODES} times"))
}

fn broken(reason: String) -> OpenError {
    OpenError::Broken(reason)
}
