//! Convolutions in a pass, fused with the layers before and after them.

use std::sync::Arc;

use candle_core::{Error, Result};

use super::BatchNormPass;
use super::backward::Saved;
use super::executor::Executor;
use super::plan::relu_max;
use crate::model::array::Array;
use crate::model::graph::{LayerId, Node, NodeId};
use crate::model::layers::batch_norm::{StoredWeights, affine};
use crate::model::layers::{Conv2d, LayerKind};
use modelens_kernels::affine_relu::{Affine, AffineRelu};
use modelens_kernels::convolution::{self, ConvShape};
use modelens_kernels::depthwise;
use modelens_kernels::slices::with_values;
use modelens_kernels::window::Window2d;

impl Executor<'_> {
    /// Runs a convolution, or a depthwise convolution with one filter a channel, together with the layers
    /// that the plan fuses with it. Returns the value and the node it belongs to.
    pub(super) fn convolution(
        &mut self,
        id: NodeId,
        node: &Node,
        settings: &Conv2d,
        x: &Arc<Array>,
    ) -> Result<(Arc<Array>, NodeId)> {
        let layer = node.layer;
        let prologue = self.take_deferred(node).unwrap_or_default();
        let is_depthwise = matches!(self.graph.layers[layer].kind, LayerKind::DepthwiseConv2d(_));
        let name = if is_depthwise {
            "depthwise_kernel"
        } else {
            "kernel"
        };
        let kernel = self.weights(layer).need(name)?;
        let &[n, h, w, channels] = x.dims() else {
            return Err(Error::Msg(format!("it cannot take {:?}", x.dims())));
        };
        let (kh, kw, depth, out) = kernel.dims4()?;
        let window = Window2d::padded([h, w], [kh, kw], settings.steps(), self.plan.padding[id])?;
        let conv = if is_depthwise {
            if depth != channels {
                return Err(Error::Msg(format!(
                    "a kernel for {depth} channels cannot take {channels} channels"
                )));
            }
            ConvShape {
                window,
                channels,
                out: channels,
                groups: channels,
            }
        } else {
            ConvShape::with_window(window, channels, [depth, out], settings.groups)?
        };
        let Window2d { rows, cols } = window;
        let (epilogue, last) = self.epilogue(id, layer, settings, n * window.outputs())?;
        let mut y = Array::new(&[n, rows.output, cols.output, conv.out])?;
        with_values(kernel, |kernel| {
            let (x, values) = (x.values(), y.values_mut());
            if is_depthwise {
                depthwise::forward(x, kernel, values, channels, window, [&prologue, &epilogue]);
            } else {
                convolution::forward(x, kernel, values, conv, [&prologue, &epilogue]);
            }
            Ok(())
        })?;
        let y = Arc::new(y);
        let needs_kernel = self.learns(layer, name);
        let relu = relu_max(settings.activation).map(|top| (Arc::clone(&y), top));
        self.save(id, || Saved::Convolution {
            x: needs_kernel.then(|| (Arc::clone(x), prologue)),
            x_dims: x.dims().to_vec(),
            conv,
            name,
            relu,
        });
        Ok((y, last))
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
