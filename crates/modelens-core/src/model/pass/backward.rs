//! The backward pass: from the gradient at the output of a pass to those at the weights that learn.

use std::collections::BTreeMap;
use std::sync::Arc;

use candle_core::{Error, Result, Tensor, Var};

use super::PassOptions;
use super::executor::GenericCall;
use super::plan::{Learning, Plan};
use crate::model::Model;
use crate::model::PassError;
use crate::model::array::Array;
use crate::model::error::reason;
use crate::model::graph::{Graph, Input, Layer, LayerId, Node, NodeId};
use crate::model::layers::{LayerKind, WeightMap, Weights};
use modelens_kernels::affine_relu::{AffineRelu, add_to, relu_gradient};
use modelens_kernels::batch_norm_backward::BatchNormBackward;
use modelens_kernels::convolution::ConvShape;
use modelens_kernels::row_sums::column_sums;
use modelens_kernels::slices::{tensor, with_values};
use modelens_kernels::{convolution_backward, depthwise_backward};

/// What the backward pass of a node needs from its forward pass.
pub enum Saved {
    /// The gradient passes unchanged.
    Identity,
    Convolution {
        /// What the kernel read, and what it applied to it; `None` if the kernel does not learn.
        x: Option<(Arc<Array>, AffineRelu)>,
        x_dims: Vec<usize>,
        conv: ConvShape,
        /// The short name of the kernel.
        name: &'static str,
        /// The output and the largest value of the layer's own ReLU.
        relu: Option<(Arc<Array>, f32)>,
    },
    BatchNorm {
        x: Arc<Array>,
        norm: BatchNormBackward,
        through_moments: bool,
    },
    Relu {
        y: Arc<Array>,
        top: f32,
    },
    Add,
    /// Runs the layer again and lets candle differentiate it.
    Generic {
        inputs: Vec<Arc<Array>>,
        call: GenericCall,
    },
}

/// What a forward pass saves for the backward pass, by node.
pub struct Tape {
    pub learning: Learning,
    pub saved: Vec<Option<Saved>>,
    /// The gradient of the penalty on the value of each node.
    pub activity: Vec<Option<Array>>,
}

impl Tape {
    pub fn new(graph: &Graph, learning: Learning) -> Self {
        Self {
            learning,
            saved: graph.nodes.iter().map(|_| None).collect(),
            activity: graph.nodes.iter().map(|_| None).collect(),
        }
    }
}

/// The state of a running backward pass.
pub struct Backward<'a> {
    pub graph: &'a Graph,
    /// The model's own weights.
    own: &'a WeightMap,
    pub options: &'a PassOptions<'a>,
    pub plan: &'a Plan,
    pub tape: Tape,
    /// By node: the gradient at its value.
    at: Vec<Option<Arc<Array>>>,
    gradients: WeightMap,
}

impl<'a> Backward<'a> {
    pub fn new(model: &'a Model, options: &'a PassOptions<'a>, plan: &'a Plan, tape: Tape) -> Self {
        let graph = &model.graph;
        Self {
            graph,
            own: &model.weights,
            options,
            plan,
            tape,
            at: vec![None; graph.nodes.len()],
            gradients: BTreeMap::new(),
        }
    }

    /// The gradients at the weights that learn, from the gradient at the output. `proceed` is called
    /// before each node and returns false to cancel.
    ///
    /// # Errors
    /// Too little memory, or cancellation.
    pub fn run(
        mut self,
        output: &Tensor,
        proceed: impl Fn(usize) -> bool,
    ) -> std::result::Result<WeightMap, PassError> {
        let graph = self.graph;
        let failed = |layer: LayerId, error: &Error| PassError::Layer {
            layer: graph.layers[layer].name.clone(),
            reason: reason(error),
        };
        let last = self.graph.output;
        let array = Array::of(output);
        let array = array.map_err(|e| failed(self.graph.nodes[last].layer, &e))?;
        self.at[last] = Some(Arc::new(array));
        for id in (0..self.graph.nodes.len()).rev() {
            if !proceed(self.graph.nodes.len() - 1 - id) {
                return Err(PassError::Cancelled);
            }
            if let Some(g) = self.tape.activity[id].take() {
                let layer = self.graph.nodes[id].layer;
                let passed = self.pass_on(Some(id), Arc::new(g));
                passed.map_err(|e| failed(layer, &e))?;
            }
            let (Some(g), Some(saved)) = (self.at[id].take(), self.tape.saved[id].take()) else {
                continue;
            };
            let node = &self.graph.nodes[id];
            self.node(node, saved, g).map_err(|e| PassError::Layer {
                layer: self.graph.layers[node.layer].name.clone(),
                reason: reason(&e),
            })?;
        }
        Ok(self.gradients)
    }

    fn learns(&self, layer: LayerId, name: &'static str) -> bool {
        self.tape.learning.contains(&(layer, name))
    }

    /// Adds to the gradient at a weight; a shared layer has one from each call.
    fn accumulate(&mut self, layer: LayerId, name: &'static str, gradient: Tensor) -> Result<()> {
        let gradient = match self.gradients.remove(&(layer, name)) {
            Some(earlier) => earlier.add(&gradient)?,
            None => gradient,
        };
        self.gradients.insert((layer, name), gradient);
        Ok(())
    }

    /// The node of an input, if its gradient is needed.
    fn needed(&self, node: &Node, input: usize) -> Option<NodeId> {
        match node.inputs.get(input) {
            Some(Input::Node(id)) if self.plan.needs_gradient[*id] => Some(*id),
            _ => None,
        }
    }

    /// Adds `g` to the gradient at a node's value.
    fn pass_on(&mut self, to: Option<NodeId>, g: Arc<Array>) -> Result<()> {
        let Some(to) = to else { return Ok(()) };
        self.at[to] = Some(match self.at[to].take() {
            None => g,
            Some(earlier) => {
                let (mut sum, other) = if Arc::strong_count(&earlier) == 1 {
                    (earlier, g)
                } else {
                    (g, earlier)
                };
                owned(&mut sum)?;
                if let Some(own) = Arc::get_mut(&mut sum) {
                    add_to(own.values_mut(), other.values());
                }
                sum
            }
        });
        Ok(())
    }

    fn node(&mut self, node: &Node, saved: Saved, mut g: Arc<Array>) -> Result<()> {
        let below = self.needed(node, 0);
        match saved {
            Saved::Identity => self.pass_on(below, g),
            Saved::Add => {
                let other = self.needed(node, 1);
                self.pass_on(other, Arc::clone(&g))?;
                self.pass_on(below, g)
            }
            Saved::Relu { y, top } => {
                relu_gradient(y.values(), owned(&mut g)?, top);
                self.pass_on(below, g)
            }
            Saved::BatchNorm {
                x,
                norm,
                through_moments,
            } => {
                let values = owned(&mut g)?;
                let (dgamma, dbeta) =
                    norm.run(x.values(), values, below.is_some(), through_moments);
                for (name, gradient) in [("gamma", dgamma), ("beta", dbeta)] {
                    if self.learns(node.layer, name) {
                        let length = gradient.len();
                        self.accumulate(node.layer, name, tensor(gradient, length)?)?;
                    }
                }
                self.pass_on(below, g)
            }
            Saved::Convolution {
                x,
                x_dims,
                conv,
                name,
                relu,
            } => {
                if let Some((y, top)) = relu {
                    relu_gradient(y.values(), owned(&mut g)?, top);
                }
                if self.learns(node.layer, "bias") {
                    let sums = column_sums(g.values(), conv.out);
                    self.accumulate(node.layer, "bias", tensor(sums, conv.out)?)?;
                }
                let is_depthwise = name == "depthwise_kernel";
                let weights = Weights::new(self.own, node.layer, self.options.weights);
                let kernel = weights.get(name).cloned();
                let kernel = kernel.ok_or_else(|| Error::Msg("its kernel is missing".into()))?;
                if let Some((x, prologue)) = x {
                    let x = normalised(x, &prologue)?;
                    let dk = if is_depthwise {
                        depthwise_backward::kernel_gradient(
                            x.values(),
                            g.values(),
                            conv.channels,
                            conv.window,
                        )
                    } else {
                        convolution_backward::kernel_gradient(x.values(), g.values(), conv)
                    };
                    self.accumulate(node.layer, name, tensor(dk, kernel.shape())?)?;
                }
                let Some(below) = below else { return Ok(()) };
                let mut dx = Array::new(&x_dims)?;
                with_values(&kernel, |k| {
                    let (g, dx) = (g.values(), dx.values_mut());
                    if is_depthwise {
                        depthwise_backward::input_gradient(g, k, dx, conv.channels, conv.window);
                    } else {
                        convolution_backward::input_gradient(g, k, dx, conv);
                    }
                    Ok(())
                })?;
                self.pass_on(Some(below), Arc::new(dx))
            }
            Saved::Generic { inputs, call } => self.generic(node, &inputs, call, &g),
        }
    }

    /// Runs the layer again, with variables in the place of its inputs and weights.
    fn generic(
        &mut self,
        node: &Node,
        inputs: &[Arc<Array>],
        call: GenericCall,
        g: &Array,
    ) -> Result<()> {
        let layer: &Layer = &self.graph.layers[node.layer];
        if matches!(layer.kind, LayerKind::Augment(_)) {
            return Ok(());
        }
        let own = Weights::new(self.own, node.layer, self.options.weights);
        let mut variables = BTreeMap::new();
        for weight in &layer.weights {
            if self.learns(node.layer, weight.name)
                && let Some(tensor) = own.get(weight.name)
            {
                variables.insert((node.layer, weight.name), Var::from_tensor(tensor)?);
            }
        }
        let mut weights = self.options.weights.cloned().unwrap_or_default();
        weights.extend(variables.iter().map(|(k, v)| (*k, v.as_tensor().clone())));
        let inputs = inputs.iter().enumerate().map(|(i, x)| {
            let x = x.tensor()?;
            Ok(match self.needed(node, i) {
                Some(_) => Var::from_tensor(&x)?.as_tensor().clone(),
                None => x,
            })
        });
        let inputs = inputs.collect::<Result<Vec<_>>>()?;
        let with = Weights::new(self.own, node.layer, Some(&weights));
        let (y, _) = call.forward(&layer.kind, with, &inputs, self.options)?;
        let gradients = y.mul(&g.tensor()?)?.sum_all()?.backward()?;
        for (&(id, name), variable) in &variables {
            if let Some(gradient) = gradients.get(variable.as_tensor()) {
                self.accumulate(id, name, gradient.clone())?;
            }
        }
        for (i, input) in inputs.iter().enumerate() {
            if let (Some(below), Some(gradient)) = (self.needed(node, i), gradients.get(input)) {
                let gradient = Array::of(&gradient.contiguous()?)?;
                self.pass_on(Some(below), Arc::new(gradient))?;
            }
        }
        Ok(())
    }
}

/// What the prologue makes of `x`. The forward pass never wrote it to memory, so that half as much is kept.
fn normalised(x: Arc<Array>, prologue: &AffineRelu) -> Result<Arc<Array>> {
    if prologue.is_identity() {
        return Ok(x);
    }
    let mut y = Array::new(x.dims())?;
    prologue.apply_into(x.values(), y.values_mut(), x.channels());
    Ok(Arc::new(y))
}

/// The values, for writing; copies them if others read them too.
fn owned(g: &mut Arc<Array>) -> Result<&mut [f32]> {
    if Arc::get_mut(g).is_none() {
        *g = Arc::new(g.copy()?);
    }
    match Arc::get_mut(g) {
        Some(own) => Ok(own.values_mut()),
        None => Err(Error::Msg("the gradient is read elsewhere".into())),
    }
}
