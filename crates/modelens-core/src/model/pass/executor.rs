//! Runs the nodes of a graph one by one: with a fast kernel if the kind has one, else through
//! [`LayerOp::forward`](crate::model::layers::LayerOp::forward).

use std::collections::BTreeMap;
use std::sync::Arc;

use candle_core::{Device, Error, Result, Tensor};

use super::backward::{Saved, Tape};
use super::batch_norm::applied;
use super::plan::{Plan, kernel_of, relu_max};
use super::pointwise::{rescaled, with_number};
use super::{BatchNormPass, PassOptions, Tap};
use crate::model::Model;
use crate::model::array::Array;
use crate::model::graph::{Graph, Input, LayerId, Node, NodeId};
use crate::model::layers::shape::check_size;
use crate::model::layers::{Activation, Call, CallMode, LayerKind, Merge, WeightMap, Weights};
use crate::random::StreamKey;
use crate::rules::{Effective, Statistics};
use modelens_kernels::affine_relu::{AffineRelu, add_to};

/// The state of a running pass.
pub struct Executor<'a> {
    pub graph: &'a Graph,
    /// The model's own weights.
    own: &'a WeightMap,
    pub options: &'a PassOptions<'a>,
    pub plan: &'a Plan,
    pub values: Vec<Option<Arc<Array>>>,
    /// By node: what its only reader must still apply to the value.
    pub(super) deferred: Vec<Option<AffineRelu>>,
    pub taps: BTreeMap<LayerId, ArrayTap>,
    pub batch_norm: BTreeMap<LayerId, BatchNormPass>,
    /// By layer: the number of calls so far.
    calls: Vec<u64>,
    /// By node: already computed, fused with an earlier one.
    pub(super) done: Vec<bool>,
    /// The sum of the penalties on activities so far.
    pub activity_loss: f64,
    /// What the backward pass needs; `None` if there will be none.
    pub tape: Option<Tape>,
}

/// A [`Tap`] inside the pass.
pub struct ArrayTap {
    pub effective: Effective,
    pub input: Arc<Array>,
    pub output: Arc<Array>,
    pub mask: Option<Tensor>,
}

impl ArrayTap {
    pub fn into_tap(self) -> Result<Tap> {
        Ok(Tap {
            effective: self.effective,
            input: self.input.tensor()?,
            output: self.output.tensor()?,
            mask: self.mask,
        })
    }
}

impl<'a> Executor<'a> {
    pub fn new(
        model: &'a Model,
        options: &'a PassOptions<'a>,
        plan: &'a Plan,
        tape: Option<Tape>,
    ) -> Self {
        let graph = &model.graph;
        Self {
            graph,
            own: &model.weights,
            options,
            plan,
            values: vec![None; graph.nodes.len()],
            deferred: vec![None; graph.nodes.len()],
            taps: BTreeMap::new(),
            batch_norm: BTreeMap::new(),
            calls: vec![0; graph.layers.len()],
            done: vec![false; graph.nodes.len()],
            activity_loss: 0.0,
            tape,
        }
    }

    /// Computes one node, unless it was fused with an earlier one. `x` is the input of the segment.
    pub fn step(&mut self, id: NodeId, x: &Arc<Array>) -> Result<()> {
        let node = &self.graph.nodes[id];
        if !self.done[id] {
            let (value, last) = self.call(id, node, x)?;
            self.penalise(last, &value)?;
            self.values[last] = Some(value);
            if last != id {
                self.done_with(id);
            }
        }
        // Values are dropped after their last use, so memory holds only a few layers' values.
        for input in &node.inputs {
            if let Input::Node(input) = *input
                && self.plan.last_use[input] == id
            {
                self.values[input] = None;
            }
        }
        Ok(())
    }

    /// Marks a node, and those fused with it, as computed.
    pub(super) fn done_with(&mut self, id: NodeId) {
        let plan = self.plan;
        for fused in std::iter::successors(Some(id), |&id| plan.fused[id]) {
            self.done[fused] = true;
        }
    }

    /// Adds the penalty on the value of a node, and saves its gradient for the backward pass.
    fn penalise(&mut self, id: NodeId, value: &Array) -> Result<()> {
        let layer = &self.graph.layers[self.graph.nodes[id].layer];
        let Some(penalty) = layer.activity_regularizer else {
            return Ok(());
        };
        let (loss, gradient) = penalty.at(&value.tensor()?)?;
        self.activity_loss += loss;
        if self.records(id)
            && let Some(tape) = &mut self.tape
        {
            tape.activity[id] = Some(Array::of(&gradient.contiguous()?)?);
        }
        Ok(())
    }

    /// The weights a layer runs with.
    pub(super) fn weights(&self, layer: LayerId) -> Weights<'a> {
        Weights::new(self.own, layer, self.options.weights)
    }

    /// True if the backward pass needs something of this node.
    pub(super) fn records(&self, id: NodeId) -> bool {
        self.tape.is_some() && self.plan.needs_gradient[id]
    }

    /// Saves what the backward pass needs of this node.
    pub(super) fn save(&mut self, id: NodeId, saved: impl FnOnce() -> Saved) {
        if self.records(id)
            && let Some(tape) = &mut self.tape
        {
            tape.saved[id] = Some(saved());
        }
    }

    /// The inputs of a node. A value with no later reader is taken, so that it can be changed in place.
    fn inputs(&mut self, id: NodeId, node: &Node, x: &Arc<Array>) -> Result<Vec<Arc<Array>>> {
        if node.inputs.is_empty() {
            return Ok(vec![Arc::clone(x)]);
        }
        let is_repeated = |input: &Input| node.inputs.iter().filter(|&i| i == input).count() > 1;
        let mut inputs = Vec::with_capacity(node.inputs.len());
        for input in &node.inputs {
            inputs.push(match *input {
                Input::Number(number) => {
                    let number = Tensor::new(&[number as f32], &Device::Cpu)?;
                    Arc::new(Array::of(&number)?)
                }
                Input::Node(at) => {
                    let value = if self.plan.last_use[at] == id && !is_repeated(input) {
                        self.values[at].take()
                    } else {
                        self.values[at].clone()
                    };
                    value.ok_or_else(|| Error::Msg("it is called before its input".into()))?
                }
            });
        }
        Ok(inputs)
    }

    /// Computes the value of a node; returns it with the node it belongs to, the last of the fused ones.
    fn call(&mut self, id: NodeId, node: &Node, x: &Arc<Array>) -> Result<(Arc<Array>, NodeId)> {
        let layer = &self.graph.layers[node.layer];
        let inputs = self.inputs(id, node, x)?;
        let padded = self.padded(id, &inputs);
        let dims: Vec<&[usize]> = padded.iter().map(Vec::as_slice).collect();
        check_size(&layer.kind, self.weights(node.layer), &dims)?;
        let tap_input = self
            .options
            .taps
            .contains(&node.layer)
            .then(|| inputs.first().unwrap_or(x).clone());
        let effective = self.plan.effective[id];
        let (output, mask, last) = self.compute(id, node, &layer.kind, inputs)?;
        self.calls[node.layer] += 1;
        if let Some(input) = tap_input {
            let tap = ArrayTap {
                effective,
                input,
                output: Arc::clone(&output),
                mask,
            };
            self.taps.insert(node.layer, tap);
        }
        Ok((output, last))
    }

    /// The dimensions of the inputs, with the zeros that a convolution adds itself.
    fn padded(&self, id: NodeId, inputs: &[Arc<Array>]) -> Vec<Vec<usize>> {
        let mut dims: Vec<Vec<usize>> = inputs.iter().map(|x| x.dims().to_vec()).collect();
        self.pad(id, &mut dims);
        dims
    }

    /// Adds the zeros that a convolution adds itself to the dimensions of its inputs.
    pub(super) fn pad(&self, id: NodeId, dims: &mut [Vec<usize>]) {
        let [top, bottom, left, right] = self.plan.padding[id];
        if let Some([_, h, w, _]) = dims.first_mut().map(Vec::as_mut_slice) {
            *h = h.saturating_add(top).saturating_add(bottom);
            *w = w.saturating_add(left).saturating_add(right);
        }
    }

    /// Returns the value, the mask of a noise layer, and the node that the value belongs to.
    fn compute(
        &mut self,
        id: NodeId,
        node: &Node,
        kind: &LayerKind,
        mut inputs: Vec<Arc<Array>>,
    ) -> Result<(Arc<Array>, Option<Tensor>, NodeId)> {
        let mode = self.plan.mode(id, self.options);
        let done = |value| Ok((value, None, id));
        match kind {
            LayerKind::BatchNorm(settings) if !inputs.is_empty() => {
                let x = inputs.swap_remove(0);
                let (value, last) = self.batch_norm(id, node.layer, settings, mode.effective, x)?;
                return Ok((value, None, last));
            }
            LayerKind::Conv2d(_) | LayerKind::DepthwiseConv2d(_)
                if kernel_of(&self.graph.layers[node.layer]).is_some() && inputs.len() == 1 =>
            {
                let (value, last) = if self.plan.chained[id].is_empty() {
                    self.convolution(id, &inputs[0])?
                } else {
                    self.chain(id, &inputs[0])?
                };
                return Ok((value, None, last));
            }
            LayerKind::Activation(Activation::Linear)
            | LayerKind::Input
            | LayerKind::Model
            | LayerKind::Identity => {
                self.save(id, || Saved::Identity);
                return done(inputs.swap_remove(0));
            }
            LayerKind::ZeroPadding2d(_) if self.plan.absorbed[id] => {
                self.save(id, || Saved::Identity);
                self.deferred[id] = self.take_deferred(node);
                return done(inputs.swap_remove(0));
            }
            LayerKind::Noise(_) if !mode.draws => {
                self.save(id, || Saved::Identity);
                return done(inputs.swap_remove(0));
            }
            LayerKind::Augment(layer)
                if !mode.draws && !layer.acts_in_inference(self.options.semantics) =>
            {
                self.save(id, || Saved::Identity);
                return done(inputs.swap_remove(0));
            }
            LayerKind::Activation(activation) => {
                if let Some(top) = relu_max(*activation) {
                    let relu = AffineRelu {
                        affine: None,
                        relu: Some(top),
                    };
                    let y = applied(inputs.swap_remove(0), &relu)?;
                    self.save(id, || Saved::Relu {
                        y: Arc::clone(&y),
                        top,
                    });
                    return done(y);
                }
            }
            LayerKind::Merge(Merge::Add)
                if inputs.len() == 2 && inputs[0].dims() == inputs[1].dims() =>
            {
                self.save(id, || Saved::Add);
                let b = inputs.swap_remove(1);
                return done(added(inputs.swap_remove(0), b)?);
            }
            // The backward pass of these repeats the generic call.
            LayerKind::Operator(operator) if !self.records(id) => {
                if let Some(y) = with_number(*operator, &mut inputs)? {
                    return done(y);
                }
            }
            LayerKind::Rescaling(rescaling) if !self.records(id) && inputs.len() == 1 => {
                return done(rescaled(rescaling, inputs.swap_remove(0))?);
            }
            // The others have no fast path.
            _ => {}
        }
        let generic = GenericCall {
            layer: node.layer,
            mode,
            earlier_calls: self.calls[node.layer],
        };
        let tensors = inputs.iter().map(|x| x.tensor());
        let tensors = tensors.collect::<Result<Vec<_>>>()?;
        let weights = self.weights(node.layer);
        let (y, mask) = generic.forward(kind, weights, &tensors, self.options)?;
        self.save(id, || Saved::Generic {
            inputs,
            call: generic,
        });
        Ok((Arc::new(Array::of(&y.contiguous()?)?), mask, id))
    }

    /// What must still be applied to the input of a node.
    pub(super) fn take_deferred(&mut self, node: &Node) -> Option<AffineRelu> {
        match node.inputs.first() {
            Some(&Input::Node(input)) => self.deferred[input].take(),
            _ => None,
        }
    }
}

/// A call through [`LayerOp::forward`](crate::model::layers::LayerOp::forward). The backward pass repeats
/// it with variables in the place of inputs and weights.
#[derive(Clone, Copy)]
pub struct GenericCall {
    layer: LayerId,
    mode: CallMode,
    /// A shared layer draws anew in each call.
    earlier_calls: u64,
}

impl GenericCall {
    /// The output, and the mask of a noise layer that drew one.
    pub fn forward(
        self,
        kind: &LayerKind,
        weights: Weights<'_>,
        inputs: &[Tensor],
        options: &PassOptions<'_>,
    ) -> Result<(Tensor, Option<Tensor>)> {
        let mut purpose = vec![self.layer as u64, options.repeat];
        purpose.extend(Some(self.earlier_calls).filter(|&calls| calls > 0));
        let key = StreamKey {
            seed: options.seed,
            purpose: &purpose,
        };
        kind.op().forward_with_mask(&Call {
            inputs,
            weights,
            semantics: options.semantics,
            statistics: self.mode.effective.statistics.unwrap_or(Statistics::Moving),
            draws: self.mode.draws.then_some(key),
        })
    }
}

/// `a + b`, written into one of them if nothing else reads it.
fn added(mut a: Arc<Array>, mut b: Arc<Array>) -> Result<Arc<Array>> {
    if Arc::get_mut(&mut a).is_none() {
        std::mem::swap(&mut a, &mut b);
    }
    if Arc::get_mut(&mut a).is_none() {
        a = Arc::new(a.copy()?);
    }
    if let Some(own) = Arc::get_mut(&mut a) {
        add_to(own.values_mut(), b.values());
    }
    Ok(a)
}
