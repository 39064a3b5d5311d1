//! Convolutions in a pass, fused with the layers before and after them.

use std::sync::Arc;

use candle_core::{Error, Result, Tensor};

use super::BatchNormPass;
use super::backward::Saved;
use super::executor::Executor;
use super::plan::{ConvKernel, kernel_of, relu_max};
use crate::model::array::Array;
use crate::model::graph::{Input, LayerId, NodeId};
use crate::model::layers::batch_norm::{StoredWeights, affine};
use crate::model::layers::shape::check_size;
use crate::model::layers::{Conv2d, DepthwiseConv2d, LayerKind};
use modelens_kernels::affine_relu::{Affine, AffineRelu};
use modelens_kernels::chain::{self, Link};
use modelens_kernels::convolution::{self, ConvShape};
use modelens_kernels::depthwise;
use modelens_kernels::slices::{with_all_values, with_values};
use modelens_kernels::window::Window2d;

/// The short name of the kernel with one filter a channel.
const DEPTHWISE: &str = "depthwise_kernel";

/// A convolution that is ready to run.
struct Prepared<'a> {
    settings: &'a Conv2d,
    /// The short name of the kernel, and its values.
    name: &'static str,
    kernel: &'a Tensor,
    conv: ConvShape,
    epilogue: AffineRelu,
    /// The last of the nodes fused with it.
    last: NodeId,
    /// `[N, H, W, C]` of the output.
    dims: [usize; 4],
}

impl<'a> Executor<'a> {
    /// Runs a convolution, or a depthwise convolution with one filter a channel, together with the layers
    /// that the plan fuses with it. Returns the value and the node it belongs to.
    pub(super) fn convolution(
        &mut self,
        id: NodeId,
        x: &Arc<Array>,
    ) -> Result<(Arc<Array>, NodeId)> {
        let node = &self.graph.nodes[id];
        let prologue = self.take_deferred(node).unwrap_or_default();
        let ready = self.prepared(id, x.dims())?;
        let (name, conv) = (ready.name, ready.conv);
        let mut y = Array::new(&ready.dims)?;
        with_values(ready.kernel, |kernel| {
            let (x, values) = (x.values(), y.values_mut());
            let around = [&prologue, &ready.epilogue];
            if name == DEPTHWISE {
                depthwise::forward(x, kernel, values, conv.channels, conv.window, around);
            } else {
                convolution::forward(x, kernel, values, conv, around);
            }
            Ok(())
        })?;
        let y = Arc::new(y);
        let needs_kernel = self.learns(node.layer, name);
        let relu = relu_max(ready.settings.activation).map(|top| (Arc::clone(&y), top));
        self.save(id, || Saved::Convolution {
            x: needs_kernel.then(|| (Arc::clone(x), prologue)),
            x_dims: x.dims().to_vec(),
            conv,
            name,
            relu,
        });
        Ok((y, ready.last))
    }

    /// Runs a convolution and those that the plan chains to it, and the sum after them if its other summand
    /// is there already. Returns the value and the node it belongs to.
    pub(super) fn chain(&mut self, id: NodeId, x: &Arc<Array>) -> Result<(Arc<Array>, NodeId)> {
        let mut nodes = vec![id];
        nodes.extend(&self.plan.chained[id]);
        let Ok(chain) = self.prepared_chain(&nodes, x.dims()) else {
            // The one that does not fit says so itself, under its own name.
            return self.convolution(id, x);
        };
        let (dims, mut last) = chain
            .last()
            .map_or(([0; 4], id), |last| (last.dims, last.last));
        let mut y = Array::new(&dims)?;
        let residual = self.residual(last, &dims);
        let kernels: Vec<&Tensor> = chain.iter().map(|link| link.kernel).collect();
        with_all_values(&kernels, |kernels| {
            let links = chain.into_iter().zip(kernels).map(|(link, kernel)| Link {
                conv: link.conv,
                kernel,
                epilogue: link.epilogue,
            });
            let links: Vec<Link<'_>> = links.collect();
            let residual = residual.as_ref().map(|(_, value)| value.values());
            chain::forward(x.values(), &links, residual, y.values_mut());
            Ok(())
        })?;
        for &node in &nodes {
            self.done_with(node);
        }
        for &node in &nodes[1..] {
            for input in &self.graph.nodes[node].inputs {
                // A padding whose zeros the convolution has added.
                if let Input::Node(input) = *input
                    && self.plan.absorbed[input]
                {
                    self.done[input] = true;
                }
            }
        }
        if let Some((sum, _)) = residual {
            self.done[sum] = true;
            last = sum;
        }
        Ok((Arc::new(y), last))
    }

    /// The sum that alone reads this value, and its other summand, if it has the same dimensions and is there.
    fn residual(&self, id: NodeId, dims: &[usize]) -> Option<(NodeId, Arc<Array>)> {
        let sum = self.plan.summed[id]?;
        let [a, b] = self.graph.nodes[sum].inputs[..] else {
            return None;
        };
        let other = match (a, b) {
            (Input::Node(a), Input::Node(b)) if a != b => a + b - id,
            _ => return None,
        };
        let value = self.values[other].as_ref()?;
        (value.dims() == dims).then(|| (sum, Arc::clone(value)))
    }

    /// Some convolutions one after another, on an input with these dimensions.
    fn prepared_chain(&mut self, nodes: &[NodeId], dims: &[usize]) -> Result<Vec<Prepared<'a>>> {
        let mut dims = dims.to_vec();
        let mut chain = Vec::new();
        for &id in nodes {
            let mut padded = [dims.clone()];
            self.pad(id, &mut padded);
            let node = &self.graph.nodes[id];
            let kind = &self.graph.layers[node.layer].kind;
            check_size(kind, self.weights(node.layer), &[&padded[0]])?;
            let link = self.prepared(id, &dims)?;
            dims = link.dims.to_vec();
            chain.push(link);
        }
        Ok(chain)
    }

    /// A convolution on an input with these dimensions, without its padding.
    fn prepared(&mut self, id: NodeId, dims: &[usize]) -> Result<Prepared<'a>> {
        let graph = self.graph;
        let layer = graph.nodes[id].layer;
        let (settings, name) = match &graph.layers[layer].kind {
            LayerKind::DepthwiseConv2d(DepthwiseConv2d(settings)) => (settings, DEPTHWISE),
            LayerKind::Conv2d(settings) => (settings, "kernel"),
            _ => return Err(Error::Msg("it is no convolution".into())),
        };
        let kernel = self.weights(layer).need(name)?;
        let &[n, h, w, channels] = dims else {
            return Err(Error::Msg(format!("it cannot take {dims:?}")));
        };
        let (kh, kw, depth, out) = kernel.dims4()?;
        let window = Window2d::padded([h, w], [kh, kw], settings.steps(), self.plan.padding[id])?;
        let conv = if kernel_of(&graph.layers[layer]) == Some(ConvKernel::Depthwise) {
            if depth != channels {
                return Err(Error::Msg(format!(
                    "a kernel for {depth} channels cannot take {channels} channels"
                )));
            }
            ConvShape::with_window(window, channels, [1, depth], depth)?
        } else {
            ConvShape::with_window(window, channels, [depth, out], settings.groups)?
        };
        let (epilogue, last) = self.epilogue(id, layer, settings, n * window.outputs())?;
        Ok(Prepared {
            settings,
            name,
            kernel,
            conv,
            epilogue,
            last,
            dims: [n, window.rows.output, window.cols.output, conv.out],
        })
    }

    /// True if the backward pass needs the gradient at this weight.
    fn learns(&self, layer: LayerId, name: &'static str) -> bool {
        self.tape
            .as_ref()
            .is_some_and(|tape| tape.learning.contains(&(layer, name)))
    }

    /// What is applied to the convolution's output while it is in the cache: its bias, and the BatchNorm
    /// and ReLU fused with it. Returns also the last of the fused nodes. `n` is the number of values in a
    /// channel of the output.
    fn epilogue(
        &mut self,
        id: NodeId,
        layer: LayerId,
        settings: &Conv2d,
        n: usize,
    ) -> Result<(AffineRelu, NodeId)> {
        let mut epilogue = AffineRelu {
            affine: None,
            relu: relu_max(settings.activation),
        };
        let bias = self.weights(layer).get("bias");
        if let Some(bias) = bias {
            let shift = bias.to_vec1::<f32>()?;
            epilogue.affine = Some(Affine {
                centre: vec![0.0; shift.len()],
                scale: vec![1.0; shift.len()],
                shift,
            });
        }
        let mut last = id;
        if let Some(then) = self.plan.fused[id] {
            let node = &self.graph.nodes[then];
            if let LayerKind::BatchNorm(norm) = &self.graph.layers[node.layer].kind {
                let StoredWeights {
                    moving,
                    gamma,
                    beta,
                } = self.batch_norm_weights(node.layer)?;
                let mut folded = affine(&moving, &gamma, &beta, norm.epsilon);
                if let Some(bias) = epilogue.affine.take() {
                    let pairs = folded.centre.iter_mut().zip(bias.shift);
                    pairs.for_each(|(centre, bias)| *centre -= bias);
                }
                epilogue.affine = Some(folded);
                self.batch_norm.insert(
                    node.layer,
                    BatchNormPass {
                        effective: self.plan.effective[then],
                        n,
                        // A convolution's output has four axes.
                        rank: 4,
                        batch: None,
                        measured: None,
                        next: moving,
                    },
                );
                last = then;
            }
        }
        if let Some(then) = self.plan.fused[last]
            && let LayerKind::Activation(activation) =
                self.graph.layers[self.graph.nodes[then].layer].kind
        {
            epilogue.relu = relu_max(activation);
            last = then;
        }
        Ok((epilogue, last))
    }
}
