//! A pass under way, node by node.

use std::collections::BTreeMap;
use std::sync::Arc;

use candle_core::{Device, Error, Result, Tensor};

use super::normalise::finished;
use super::plan::{Plan, is_fast, is_plain_depthwise, relu_top};
use super::tape::{Saved, Tape};
use super::{BatchNormPass, PassOptions, Tap};
use crate::augment::AugmentLayer;
use crate::dataset::Image;
use crate::model::array::Array;
use crate::model::graph::{
    Activation, Graph, Input, Layer, LayerId, LayerKind, Merge, Node, NodeId,
};
use crate::model::layers::channels::{Finish, add_to};
use crate::model::layers::{self, Weights, noise, size};
use crate::rules::Effective;

/// A pass under way.
pub struct Running<'a> {
    pub graph: &'a Graph,
    pub options: &'a PassOptions<'a>,
    pub plan: &'a Plan,
    pub values: Vec<Option<Arc<Array>>>,
    /// By node: what is still to be done to its value, by the only one that reads it.
    pub(super) deferred: Vec<Option<Finish>>,
    pub taps: BTreeMap<LayerId, ArrayTap>,
    pub batch_norm: BTreeMap<LayerId, BatchNormPass>,
    /// How often each layer was called so far.
    calls: Vec<u64>,
    /// By node: computed together with an earlier one.
    done: Vec<bool>,
    /// What the way back needs, where there is one.
    pub tape: Option<Tape>,
}

/// [`Tap`] before it leaves the pass.
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
            input: tensor_of(self.input)?,
            output: tensor_of(self.output)?,
            mask: self.mask,
        })
    }
}

/// Without a copy where nothing else holds the values.
fn tensor_of(array: Arc<Array>) -> Result<Tensor> {
    match Arc::try_unwrap(array) {
        Ok(own) => own.into_tensor(),
        Err(shared) => shared.tensor(),
    }
}

impl<'a> Running<'a> {
    pub fn new(
        graph: &'a Graph,
        options: &'a PassOptions<'a>,
        plan: &'a Plan,
        tape: Option<Tape>,
    ) -> Self {
        Self {
            graph,
            options,
            plan,
            values: vec![None; graph.nodes.len()],
            deferred: vec![None; graph.nodes.len()],
            taps: BTreeMap::new(),
            batch_norm: BTreeMap::new(),
            calls: vec![0; graph.layers.len()],
            done: vec![false; graph.nodes.len()],
            tape,
        }
    }

    /// Computes one node, unless it was computed together with an earlier one.
    pub fn step(&mut self, id: NodeId, x: &Arc<Array>) -> Result<()> {
        let node = &self.graph.nodes[id];
        if !self.done[id] {
            let (value, last) = self.call(id, node, x)?;
            self.values[last] = Some(value);
            let mut together = self.plan.with[id].filter(|_| last != id);
            while let Some(then) = together {
                self.done[then] = true;
                together = self.plan.with[then].filter(|_| last != then);
            }
        }
        // Values are dropped after their last use: memory stays at a few layers' worth.
        for input in &node.inputs {
            if let Input::Node(input) = *input
                && self.plan.last_use[input] == id
            {
                self.values[input] = None;
            }
        }
        Ok(())
    }

    pub(super) fn weights(&self, layer: LayerId) -> Weights<'a> {
        Weights::new(self.graph, layer, self.options.weights)
    }

    pub(super) fn records(&self, id: NodeId) -> bool {
        self.tape.is_some() && self.plan.needs_gradient[id]
    }

    pub(super) fn save(&mut self, id: NodeId, saved: impl FnOnce() -> Saved) {
        if self.records(id)
            && let Some(tape) = &mut self.tape
        {
            tape.saved[id] = Some(saved());
        }
    }

    /// The inputs of a node; those that nobody reads later are taken, so that they can be changed
    /// in place.
    fn inputs(&mut self, id: NodeId, node: &Node, x: &Arc<Array>) -> Result<Vec<Arc<Array>>> {
        if node.inputs.is_empty() {
            return Ok(vec![Arc::clone(x)]);
        }
        let twice = |input: &Input| node.inputs.iter().filter(|&i| i == input).count() > 1;
        let mut inputs = Vec::with_capacity(node.inputs.len());
        for input in &node.inputs {
            inputs.push(match *input {
                Input::Number(number) => {
                    let number = Tensor::new(&[number as f32], &Device::Cpu)?;
                    Arc::new(Array::of(&number)?)
                }
                Input::Node(at) => {
                    let value = if self.plan.last_use[at] == id && !twice(input) {
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

    /// The value, and the node it belongs to: the last of those that are computed together.
    fn call(&mut self, id: NodeId, node: &Node, x: &Arc<Array>) -> Result<(Arc<Array>, NodeId)> {
        let layer = &self.graph.layers[node.layer];
        let inputs = self.inputs(id, node, x)?;
        let padded = self.padded(id, &inputs);
        let dims: Vec<&[usize]> = padded.iter().map(Vec::as_slice).collect();
        size::check(
            layer,
            self.weights(node.layer),
            &dims,
            self.options.semantics,
        )?;
        let tap_input = self
            .options
            .taps
            .contains(&node.layer)
            .then(|| inputs.first().unwrap_or(x).clone());
        let effective = self.plan.effective[id];
        let (output, mask, last) = self.compute(id, node, layer, inputs)?;
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

    /// The inputs' dimensions, with the zeros that the layer adds itself.
    fn padded(&self, id: NodeId, inputs: &[Arc<Array>]) -> Vec<Vec<usize>> {
        let [top, bottom, left, right] = self.plan.padding[id];
        let mut dims: Vec<Vec<usize>> = inputs.iter().map(|x| x.dims().to_vec()).collect();
        if let Some([_, h, w, _]) = dims.first_mut().map(Vec::as_mut_slice) {
            *h = h.saturating_add(top).saturating_add(bottom);
            *w = w.saturating_add(left).saturating_add(right);
        }
        dims
    }

    fn compute(
        &mut self,
        id: NodeId,
        node: &Node,
        layer: &Layer,
        mut inputs: Vec<Arc<Array>>,
    ) -> Result<(Arc<Array>, Option<Tensor>, NodeId)> {
        let effective = self.plan.effective[id];
        let draws = effective.active && self.options.random;
        let done = |value| Ok((value, None, id));
        match &layer.kind {
            LayerKind::BatchNorm(settings) if !inputs.is_empty() => {
                let x = inputs.swap_remove(0);
                let (value, last) = self.batch_norm(id, node.layer, settings, effective, x)?;
                return Ok((value, None, last));
            }
            LayerKind::Conv2d(settings) if is_fast(settings.activation) && inputs.len() == 1 => {
                let (value, last) = self.convolution(id, node, settings, &inputs[0])?;
                return Ok((value, None, last));
            }
            LayerKind::DepthwiseConv2d(settings)
                if is_fast(settings.activation)
                    && is_plain_depthwise(layer, self.options.weights, node.layer) =>
            {
                let (value, last) = self.convolution(id, node, settings, &inputs[0])?;
                return Ok((value, None, last));
            }
            LayerKind::Activation(Activation::Linear)
            | LayerKind::Input
            | LayerKind::Model
            | LayerKind::Identity => {
                self.save(id, || Saved::Same);
                return done(inputs.swap_remove(0));
            }
            LayerKind::ZeroPadding2d(_) if self.plan.skipped[id] => {
                self.save(id, || Saved::Same);
                self.deferred[id] = self.take_deferred(node);
                return done(inputs.swap_remove(0));
            }
            LayerKind::Noise(_) if !draws => {
                self.save(id, || Saved::Same);
                return done(inputs.swap_remove(0));
            }
            LayerKind::Activation(activation) => {
                if let Some(top) = relu_top(*activation) {
                    let finish = Finish {
                        affine: None,
                        relu: Some(top),
                    };
                    let y = finished(inputs.swap_remove(0), &finish)?;
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
            LayerKind::Augment(augment) => {
                let value = self.augment(node.layer, augment, draws, &inputs[0].tensor()?)?;
                return done(Arc::new(Array::of(&value)?));
            }
            _ => {}
        }
        let call = self.calls[node.layer];
        let tensors = inputs.iter().map(|x| x.tensor());
        let tensors = tensors.collect::<Result<Vec<_>>>()?;
        let (y, mask) = by_candle(
            self.options,
            node.layer,
            layer,
            self.weights(node.layer),
            call,
            &tensors,
            draws,
        )?;
        self.save(id, || Saved::Candle {
            inputs,
            call,
            draws,
        });
        Ok((Arc::new(Array::of(&y.contiguous()?)?), mask, id))
    }

    /// What is still to be done to the input of a node.
    pub(super) fn take_deferred(&mut self, node: &Node) -> Option<Finish> {
        match node.inputs.first() {
            Some(&Input::Node(input)) => self.deferred[input].take(),
            _ => None,
        }
    }

    /// Each image of the batch through a preprocessing layer.
    fn augment(
        &self,
        id: LayerId,
        layer: &AugmentLayer,
        active: bool,
        x: &Tensor,
    ) -> Result<Tensor> {
        let (n, height, width, channels) = x.dims4()?;
        let semantics = self.options.semantics;
        let draws = active.then(|| {
            let purpose = purpose(self.options, id, self.calls[id]);
            layer.draw_batch(semantics, self.options.seed, &purpose, n, height, width)
        });
        let mut out = Vec::with_capacity(x.elem_count());
        let mut size = [height, width, channels];
        for image in 0..n {
            let pixels_hwc = x.get(image)?.flatten_all()?.to_vec1::<f32>()?;
            let image_hwc = Image {
                height,
                width,
                channels,
                pixels_hwc,
            };
            let done = match draws.as_ref().and_then(|d| d.get(image)) {
                Some(draw) => layer.apply(draw, &image_hwc),
                None => layer.inference(semantics, &image_hwc),
            };
            size = [done.height, done.width, done.channels];
            out.extend(done.pixels_hwc);
        }
        Tensor::from_vec(out, (n, size[0], size[1], size[2]), &Device::Cpu)
    }
}

/// What the draws of one call of a layer are addressed by: a shared layer draws anew each time.
fn purpose(options: &PassOptions<'_>, layer: LayerId, call: u64) -> Vec<u64> {
    let mut purpose = vec![layer as u64, options.repeat];
    purpose.extend(Some(call).filter(|&earlier| earlier > 0));
    purpose
}

/// A layer without a kernel of its own here: through candle. Also what its mask was.
pub fn by_candle(
    options: &PassOptions<'_>,
    id: LayerId,
    layer: &Layer,
    weights: Weights<'_>,
    call: u64,
    inputs: &[Tensor],
    draws: bool,
) -> Result<(Tensor, Option<Tensor>)> {
    match (&layer.kind, inputs.first()) {
        (LayerKind::Noise(kind), Some(x)) if draws => {
            let done = noise::disturb(x, kind, options.seed, &purpose(options, id, call))?;
            Ok((done.output, done.mask))
        }
        (LayerKind::Noise(_), Some(x)) => Ok((x.clone(), None)),
        _ => Ok((layers::forward(layer, weights, inputs)?, None)),
    }
}

/// `a + b`, into either where nothing else reads it.
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
