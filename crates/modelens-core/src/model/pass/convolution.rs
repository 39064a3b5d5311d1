//! Convolutions in a pass, with what stands before and behind them.

use std::sync::Arc;

use candle_core::{Error, Result};

use super::BatchNormPass;
use super::forward::Running;
use super::plan::relu_top;
use super::tape::Saved;
use crate::model::array::Array;
use crate::model::graph::{Conv2d, LayerId, LayerKind, Node, NodeId, Padding};
use crate::model::layers::channels::{Affine, Finish};
use crate::model::layers::kernel::with_values;
use crate::model::layers::norm::affine;
use crate::model::layers::window::Place;
use crate::model::layers::{conv, depthwise};

impl Running<'_> {
    /// A convolution, dense along the channels or one filter a channel, with what stands behind it
    /// as far as the plan takes it along.
    pub(super) fn convolution(
        &mut self,
        id: NodeId,
        node: &Node,
        settings: &Conv2d,
        x: &Arc<Array>,
    ) -> Result<(Arc<Array>, NodeId)> {
        let layer = node.layer;
        let before = self.take_deferred(node).unwrap_or_default();
        let weights = self.weights(layer);
        let is_depthwise = matches!(self.graph.layers[layer].kind, LayerKind::DepthwiseConv2d(_));
        let name = if is_depthwise {
            "depthwise_kernel"
        } else {
            "kernel"
        };
        let kernel = weights
            .get(name)
            .ok_or_else(|| Error::Msg(format!("weight `{name}` is missing")))?;
        let (finish, last) = self.behind(id, layer, settings, x)?;
        let &[n, h, w, channels] = x.dims() else {
            return Err(Error::Msg(format!("it cannot take {:?}", x.dims())));
        };
        let (kh, kw, depth, out) = kernel.dims4()?;
        let mut sizes = if is_depthwise {
            if depth != channels {
                return Err(Error::Msg(format!(
                    "a kernel for {depth} channels cannot take {channels} channels"
                )));
            }
            conv::Sizes {
                place: Place::new([h, w], [kh, kw], &unpadded(settings))?,
                channels,
                out: channels,
                groups: channels,
            }
        } else {
            conv::Sizes::new(
                &[1, h, w, channels],
                &[kh, kw, depth, out],
                &unpadded(settings),
            )?
        };
        sizes.place = Place::padded([h, w], [kh, kw], settings, self.plan.padding[id])?;
        let Place { rows, cols } = sizes.place;
        let mut y = Array::new(&[n, rows.output, cols.output, sizes.out])?;
        with_values(kernel, |kernel| {
            let (x, values) = (x.values(), y.values_mut());
            if is_depthwise {
                let around = [&before, &finish];
                depthwise::forward(x, kernel, values, channels, sizes.place, around);
            } else {
                conv::forward(x, kernel, values, sizes, [&before, &finish]);
            }
            Ok(())
        })?;
        let y = Arc::new(y);
        let needs_kernel = self.learns(layer, name);
        let relu = relu_top(settings.activation).map(|top| (Arc::clone(&y), top));
        self.save(id, || Saved::Convolution {
            x: needs_kernel.then(|| Arc::clone(x)),
            x_dims: x.dims().to_vec(),
            sizes,
            name,
            relu,
        });
        Ok((y, last))
    }

    /// Whether a step changes this weight.
    fn learns(&self, layer: LayerId, name: &'static str) -> bool {
        self.tape
            .as_ref()
            .is_some_and(|tape| tape.learning.contains(&(layer, name)))
    }

    /// What is done to a convolution's values while they are in the cache: bias, and the BatchNorm
    /// and the ReLU behind it; and the node that this is the value of.
    fn behind(
        &mut self,
        id: NodeId,
        layer: LayerId,
        settings: &Conv2d,
        x: &Arc<Array>,
    ) -> Result<(Finish, NodeId)> {
        let mut finish = Finish {
            affine: None,
            relu: relu_top(settings.activation),
        };
        let bias = self.weights(layer).get("bias");
        if let Some(bias) = bias {
            let shift = bias.to_vec1::<f32>()?;
            finish.affine = Some(Affine {
                centre: vec![0.0; shift.len()],
                scale: vec![1.0; shift.len()],
                shift,
            });
        }
        let mut last = id;
        if let Some(then) = self.plan.with[id] {
            let node = &self.graph.nodes[then];
            if let LayerKind::BatchNorm(norm) = &self.graph.layers[node.layer].kind {
                let (moving, gamma, beta) = self.norm_weights(node.layer)?;
                let mut folded = affine(&moving, &gamma, &beta, norm.epsilon);
                if let Some(bias) = finish.affine.take() {
                    let pairs = folded.centre.iter_mut().zip(bias.shift);
                    pairs.for_each(|(centre, bias)| *centre -= bias);
                }
                finish.affine = Some(folded);
                let place = self.output_pixels(id, layer, settings, x)?;
                self.batch_norm.insert(
                    node.layer,
                    BatchNormPass {
                        effective: self.plan.effective[then],
                        n: place,
                        batch: None,
                        next: moving,
                    },
                );
                last = then;
            }
        }
        if let Some(then) = self.plan.with[last]
            && let LayerKind::Activation(activation) =
                self.graph.layers[self.graph.nodes[then].layer].kind
        {
            finish.relu = relu_top(activation);
            last = then;
        }
        Ok((finish, last))
    }

    /// Pixels of all images behind a convolution.
    fn output_pixels(
        &self,
        id: NodeId,
        layer: LayerId,
        settings: &Conv2d,
        x: &Array,
    ) -> Result<usize> {
        let kernel = match self.graph.layers[layer].kind {
            LayerKind::DepthwiseConv2d(_) => "depthwise_kernel",
            _ => "kernel",
        };
        let (&[n, h, w, _], Some(kernel)) = (x.dims(), self.weights(layer).get(kernel)) else {
            return Ok(0);
        };
        let (kh, kw, ..) = kernel.dims4()?;
        let place = Place::padded([h, w], [kh, kw], settings, self.plan.padding[id])?;
        Ok(n * place.outputs())
    }
}

/// Settings that fit any image: the true place is worked out with the zeros around it.
fn unpadded(settings: &Conv2d) -> Conv2d {
    Conv2d {
        padding: Padding::Same,
        ..settings.clone()
    }
}
