//! Turns layers with calls into nodes, each after its inputs. Nested models are inlined.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::calls::{Call, CallArg, TensorRef};
use super::parse::{LayerEntry, ModelConfig, ParsedModel};
use crate::formats::OpenError;
use crate::model::graph::{Input, Layer, LayerKind, Node};
use crate::model::{NodeId, Semantics};

/// Maximum number of calls after nested models are inlined: models that call models twice, nested,
/// would grow without bound.
const MAX_NODES: usize = 60_000;

/// The nodes of the whole model, the input first, and which of them is the output.
pub(super) fn in_order(
    parsed: &ParsedModel,
    semantics: Semantics,
) -> Result<(Vec<Node>, NodeId), OpenError> {
    let mut inliner = Inliner {
        layers: &parsed.layers,
        nodes: Vec::new(),
        semantics,
    };
    let output = inliner.model(&parsed.root, None, None)?;
    Ok((inliner.nodes, output))
}

struct Inliner<'a> {
    layers: &'a [Layer],
    nodes: Vec<Node>,
    semantics: Semantics,
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
        recorded: Option<bool>,
    ) -> Result<NodeId, OpenError> {
        let mut values = self.schedule(container)?;
        while let Some(Reverse(item)) = values.ready.pop() {
            let QueuedCall {
                entry: e, call: c, ..
            } = item;
            let entry = &container.entries[e];
            let value = if container.input == Some(e) {
                let inputs = input.map(Input::Node).into_iter().collect();
                self.node(Node {
                    layer: entry.layer,
                    inputs,
                    recorded,
                })?
            } else {
                self.call(container, entry, &entry.calls[c], &values, input, recorded)?
            };
            values.done(item, value);
        }
        if values.waiting > 0 {
            return Err(broken(format!(
                "the layers of {} wait for each other in a circle, or for a layer that is never called",
                container.name
            )));
        }
        match (container.output, input) {
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
        values: &CallQueue,
        outer: Option<NodeId>,
        recorded: Option<bool>,
    ) -> Result<NodeId, OpenError> {
        let mut inputs = Vec::with_capacity(call.args.len());
        for arg in &call.args {
            let input = match *arg {
                CallArg::Number(x) => Some(Input::Number(x)),
                CallArg::Outer => outer.map(Input::Node),
                CallArg::Tensor(r) => {
                    let (e, c) = self.resolve(container, r, RefPlace::Call, entry.name)?;
                    values.get(e, c).map(Input::Node)
                }
            };
            inputs.push(input.ok_or_else(|| broken(format!("`{}` has no input", entry.name)))?);
        }
        let recorded = call.training.or(recorded);
        self.check_inputs(entry, &inputs)?;
        match (&entry.nested, inputs.as_slice()) {
            (Some(nested), [Input::Node(input)]) => self.model(nested, Some(*input), recorded),
            _ => self.node(Node {
                layer: entry.layer,
                inputs,
                recorded,
            }),
        }
    }

    fn node(&mut self, node: Node) -> Result<NodeId, OpenError> {
        if self.nodes.len() >= MAX_NODES {
            return Err(OpenError::TooLarge(format!(
                "its layers are called more than {MAX_NODES} times"
            )));
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

    /// Counts the inputs that each call of a model waits for.
    fn schedule(&self, container: &ModelConfig) -> Result<CallQueue, OpenError> {
        let mut values = CallQueue::default();
        for (e, entry) in container.entries.iter().enumerate() {
            values.first.push(values.slots.len());
            let is_input = container.input == Some(e);
            let calls = if is_input { 1 } else { entry.calls.len() };
            let kind = &self.layers[entry.layer].kind;
            if *kind == LayerKind::Input && !is_input && !container.sequential {
                return Err(broken(format!(
                    "`{}` is an input that {} does not name",
                    entry.name, container.name
                )));
            }
            values.slots.extend((0..calls).map(|call| {
                Slot::new(QueuedCall {
                    late: !is_input,
                    entry: e,
                    call,
                })
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
                    let (from, to) = (values.first[from] + k, values.first[e] + c);
                    values.slots[from].users.push(to);
                    values.slots[to].missing += 1;
                }
            }
        }
        values.start();
        Ok(values)
    }
}

/// One call. Calls that are ready are taken in this order: the input first, then as in the file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct QueuedCall {
    late: bool,
    entry: usize,
    call: usize,
}

struct Slot {
    item: QueuedCall,
    value: Option<NodeId>,
    missing: usize,
    users: Vec<usize>,
}

impl Slot {
    fn new(item: QueuedCall) -> Self {
        Self {
            item,
            value: None,
            missing: 0,
            users: Vec::new(),
        }
    }
}

/// The calls of one model while it is being inlined.
#[derive(Default)]
struct CallQueue {
    slots: Vec<Slot>,
    /// The first slot of each entry.
    first: Vec<usize>,
    ready: BinaryHeap<Reverse<QueuedCall>>,
    waiting: usize,
}

impl CallQueue {
    fn start(&mut self) {
        let ready = self.slots.iter().filter(|s| s.missing == 0);
        self.ready = ready.map(|s| Reverse(s.item)).collect();
        self.waiting = self.slots.len();
    }

    fn done(&mut self, item: QueuedCall, value: NodeId) {
        let slot = self.first[item.entry] + item.call;
        self.slots[slot].value = Some(value);
        self.waiting -= 1;
        for user in std::mem::take(&mut self.slots[slot].users) {
            self.slots[user].missing -= 1;
            if self.slots[user].missing == 0 {
                self.ready.push(Reverse(self.slots[user].item));
            }
        }
    }

    fn get(&self, entry: usize, call: usize) -> Option<NodeId> {
        self.slots.get(self.first[entry] + call)?.value
    }
}

fn broken(reason: String) -> OpenError {
    OpenError::Broken(reason)
}
