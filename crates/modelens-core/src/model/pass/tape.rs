//! The way back: from the gradient at a pass's output to those at the weights that learn.

use std::collections::BTreeMap;
use std::sync::Arc;

use candle_core::{Error, Result, Tensor, Var};

use super::PassOptions;
use super::forward::by_candle;
use super::plan::{Learning, Plan};
use crate::model::PassError;
use crate::model::array::Array;
use crate::model::error::reason;
use crate::model::graph::{Graph, Input, Layer, LayerId, LayerKind, Node, NodeId};
use crate::model::layers::channels::{add_to, relu_gradient};
use crate::model::layers::conv::Sizes;
use crate::model::layers::kernel::{tensor, with_values};
use crate::model::layers::norm_gradient::NormGradient;
use crate::model::layers::{Overrides, Weights, conv_grad, depthwise_grad};

/// What a node's gradient needs of the forward pass.
pub enum Saved {
    /// The gradient goes on unchanged.
    Same,
    Convolution {
        /// Kept where the kernel learns.
        x: Option<Arc<Array>>,
        x_dims: Vec<usize>,
        sizes: Sizes,
        name: &'static str,
        /// Output and largest value of the ReLU in the same layer.
        relu: Option<(Arc<Array>, f32)>,
    },
    Norm {
        x: Arc<Array>,
        norm: NormGradient,
        through_moments: bool,
    },
    Relu {
        y: Arc<Array>,
        top: f32,
    },
    Add,
    /// Computed once more, through candle.
    Candle {
        inputs: Vec<Arc<Array>>,
        call: u64,
        draws: bool,
    },
}

/// What a pass keeps for the way back, by node.
pub struct Tape {
    pub learning: Learning,
    pub saved: Vec<Option<Saved>>,
}

impl Tape {
    pub fn new(graph: &Graph, learning: Learning) -> Self {
        Self {
            learning,
            saved: graph.nodes.iter().map(|_| None).collect(),
        }
    }
}

/// The way back under way.
pub struct Backward<'a> {
    pub graph: &'a Graph,
    pub options: &'a PassOptions<'a>,
    pub plan: &'a Plan,
    pub tape: Tape,
    /// By node, the gradient at its value.
    at: Vec<Option<Arc<Array>>>,
    gradients: Overrides,
}

impl<'a> Backward<'a> {
    pub fn new(graph: &'a Graph, options: &'a PassOptions<'a>, plan: &'a Plan, tape: Tape) -> Self {
        Self {
            graph,
            options,
            plan,
            tape,
            at: vec![None; graph.nodes.len()],
            gradients: BTreeMap::new(),
        }
    }

    /// The gradients at the weights that learn, from the one at the output. `proceed` is called
    /// before each node and returns false to cancel.
    ///
    /// # Errors
    /// Too little memory, or cancellation.
    pub fn run(
        mut self,
        output: &Tensor,
        proceed: impl Fn(usize) -> bool,
    ) -> std::result::Result<Overrides, PassError> {
        let failed = |layer: LayerId, error: &Error| PassError::Layer {
            layer: self.graph.layers[layer].name.clone(),
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

    /// Adds to the gradient at a weight: a shared layer has one from each call.
    fn note(&mut self, layer: LayerId, name: &'static str, gradient: Tensor) -> Result<()> {
        let gradient = match self.gradients.remove(&(layer, name)) {
            Some(earlier) => earlier.add(&gradient)?,
            None => gradient,
        };
        self.gradients.insert((layer, name), gradient);
        Ok(())
    }

    /// Whether anything below an input learns.
    fn wanted(&self, node: &Node, input: usize) -> Option<NodeId> {
        match node.inputs.get(input) {
            Some(Input::Node(id)) if self.plan.needs_gradient[*id] => Some(*id),
            _ => None,
        }
    }

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
        let below = self.wanted(node, 0);
        match saved {
            Saved::Same => self.pass_on(below, g),
            Saved::Add => {
                let other = self.wanted(node, 1);
                self.pass_on(other, Arc::clone(&g))?;
                self.pass_on(below, g)
            }
            Saved::Relu { y, top } => {
                relu_gradient(y.values(), owned(&mut g)?, top);
                self.pass_on(below, g)
            }
            Saved::Norm {
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
                        self.note(node.layer, name, tensor(gradient, length)?)?;
                    }
                }
                self.pass_on(below, g)
            }
            Saved::Convolution {
                x,
                x_dims,
                sizes,
                name,
                relu,
            } => {
                if let Some((y, top)) = relu {
                    relu_gradient(y.values(), owned(&mut g)?, top);
                }
                if self.learns(node.layer, "bias") {
                    let sums = column_sums(g.values(), sizes.out);
                    self.note(node.layer, "bias", tensor(sums, sizes.out)?)?;
                }
                let is_depthwise = name == "depthwise_kernel";
                let weights = Weights::new(self.graph, node.layer, self.options.weights);
                let kernel = weights.get(name).cloned();
                let kernel = kernel.ok_or_else(|| Error::Msg("its kernel is missing".into()))?;
                if let Some(x) = x {
                    let dk = if is_depthwise {
                        depthwise_grad::kernel_gradient(
                            x.values(),
                            g.values(),
                            sizes.channels,
                            sizes.place,
                        )
                    } else {
                        conv_grad::kernel_gradient(x.values(), g.values(), sizes)
                    };
                    self.note(node.layer, name, tensor(dk, kernel.shape())?)?;
                }
                let Some(below) = below else { return Ok(()) };
                let mut dx = Array::new(&x_dims)?;
                with_values(&kernel, |k| {
                    let (g, dx) = (g.values(), dx.values_mut());
                    if is_depthwise {
                        depthwise_grad::input_gradient(g, k, dx, sizes.channels, sizes.place);
                    } else {
                        conv_grad::input_gradient(g, k, dx, sizes);
                    }
                    Ok(())
                })?;
                self.pass_on(Some(below), Arc::new(dx))
            }
            Saved::Candle {
                inputs,
                call,
                draws,
            } => self.candle(node, &inputs, call, draws, &g),
        }
    }

    /// The layer once more with variables in the place of its inputs and weights.
    fn candle(
        &mut self,
        node: &Node,
        inputs: &[Arc<Array>],
        call: u64,
        draws: bool,
        g: &Array,
    ) -> Result<()> {
        let layer: &Layer = &self.graph.layers[node.layer];
        if matches!(layer.kind, LayerKind::Augment(_)) {
            return Ok(());
        }
        let own = Weights::new(self.graph, node.layer, self.options.weights);
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
            Ok(match self.wanted(node, i) {
                Some(_) => Var::from_tensor(&x)?.as_tensor().clone(),
                None => x,
            })
        });
        let inputs = inputs.collect::<Result<Vec<_>>>()?;
        let with = Weights::new(self.graph, node.layer, Some(&weights));
        let (y, _) = by_candle(self.options, node.layer, layer, with, call, &inputs, draws)?;
        let gradients = y.mul(&g.tensor()?)?.sum_all()?.backward()?;
        for (&(id, name), variable) in &variables {
            if let Some(gradient) = gradients.get(variable.as_tensor()) {
                self.note(id, name, gradient.clone())?;
            }
        }
        for (i, input) in inputs.iter().enumerate() {
            if let (Some(below), Some(gradient)) = (self.wanted(node, i), gradients.get(input)) {
                let gradient = Array::of(&gradient.contiguous()?)?;
                self.pass_on(Some(below), Arc::new(gradient))?;
            }
        }
        Ok(())
    }
}

/// The values to change: a copy where others read them too.
fn owned(g: &mut Arc<Array>) -> Result<&mut [f32]> {
    if Arc::get_mut(g).is_none() {
        *g = Arc::new(g.copy()?);
    }
    match Arc::get_mut(g) {
        Some(own) => Ok(own.values_mut()),
        None => Err(Error::Msg("the gradient is read elsewhere".into())),
    }
}

/// By channel, the sum down all rows, kept in f64.
fn column_sums(x: &[f32], channels: usize) -> Vec<f32> {
    let mut sums = vec![0.0_f64; channels];
    for row in x.chunks(channels.max(1)) {
        let pairs = sums.iter_mut().zip(row);
        pairs.for_each(|(sum, &x)| *sum += f64::from(x));
    }
    sums.into_iter().map(|s| s as f32).collect()
}
