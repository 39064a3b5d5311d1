//! Builds a graph layer by layer from a state dict and checks the shape of every tensor.

use std::collections::{BTreeMap, BTreeSet};

use candle_core::{DType, Tensor};

use super::StateDict;
use super::net::reordered;
use crate::formats::OpenError;
use crate::model::Role;
use crate::model::graph::{
    Activation, BatchNorm, Conv2d, Graph, Input, Layer, LayerId, LayerKind, Node, NodeId, Padding,
};
use crate::model::layers::{Dense, DepthwiseConv2d, LayerNorm, NewWeight, WeightMap};

/// A graph under construction.
pub struct Builder<'a> {
    state: &'a StateDict,
    used: BTreeSet<String>,
    pub graph: Graph,
    pub weights: WeightMap,
    /// Where each weight comes from.
    pub keys: Keys,
    /// The tensors that were read for the next layer.
    pending: Vec<Stored>,
}

/// A tensor of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    pub key: String,
    pub shape: Vec<usize>,
}

/// The tensor of each weight.
pub type Keys = BTreeMap<(LayerId, &'static str), Stored>;

/// The geometry of a convolution with TensorFlow's `same` padding.
#[derive(Clone, Copy, Debug)]
pub struct Convolution {
    pub input: usize,
    pub output: usize,
    pub size: usize,
    pub stride: usize,
    pub depthwise: bool,
}

impl<'a> Builder<'a> {
    /// Starts with the input node.
    pub fn new(state: &'a StateDict, input_hwc: [Option<usize>; 3]) -> Self {
        let graph = Graph {
            root_trainable: true,
            input_hwc,
            ..Graph::default()
        };
        let mut builder = Self {
            state,
            used: BTreeSet::new(),
            graph,
            weights: WeightMap::new(),
            keys: Keys::new(),
            pending: Vec::new(),
        };
        let input = builder.layer("input", "Input", LayerKind::Input, Vec::new());
        builder.graph.layers[input].listed = false;
        builder.graph.nodes.push(Node::new(input, Vec::new()));
        builder
    }

    /// Adds a layer that is not called yet.
    pub fn layer(
        &mut self,
        name: &str,
        class: &str,
        kind: LayerKind,
        weights: Vec<NewWeight>,
    ) -> LayerId {
        debug_assert!(kind.role() != Role::Weights || !weights.is_empty());
        let id = self.graph.layers.len();
        let mut layer = Layer::new(name.trim_start_matches('/'), class, kind);
        let stored = std::mem::take(&mut self.pending);
        debug_assert_eq!(stored.len(), weights.len(), "each weight is one tensor");
        for (weight, stored) in weights.iter().zip(stored) {
            self.keys.insert((id, weight.name), stored);
        }
        for weight in weights {
            weight.add_to(&mut layer, id, &mut self.weights);
        }
        self.graph.layers.push(layer);
        id
    }

    /// Calls a layer on earlier values.
    pub fn call(&mut self, layer: LayerId, inputs: &[NodeId]) -> NodeId {
        let inputs = inputs.iter().map(|&id| Input::Node(id)).collect();
        self.graph.nodes.push(Node::new(layer, inputs));
        self.graph.nodes.len() - 1
    }

    /// Adds a layer without weights and calls it once.
    pub fn plain(&mut self, name: &str, class: &str, kind: LayerKind, inputs: &[NodeId]) -> NodeId {
        let layer = self.layer(name, class, kind, Vec::new());
        self.call(layer, inputs)
    }

    /// `nn.Conv2d` without bias, with TensorFlow's `same` padding.
    pub fn conv(&mut self, name: &str, x: NodeId, c: Convolution) -> Result<NodeId, OpenError> {
        let settings = Conv2d {
            strides: [c.stride; 2],
            dilation: [1, 1],
            padding: Padding::Same,
            groups: 1,
            activation: Activation::Linear,
        };
        let depth = if c.depthwise { 1 } else { c.input };
        let kernel = self.tensor(name, "weight", &[c.output, depth, c.size, c.size])?;
        // PyTorch stores [out, in, kh, kw] or, depthwise, [channels, 1, kh, kw].
        let (axes, short, kind) = if c.depthwise {
            (
                (2, 3, 0, 1),
                "depthwise_kernel",
                LayerKind::DepthwiseConv2d(DepthwiseConv2d(settings)),
            )
        } else {
            ((2, 3, 1, 0), "kernel", LayerKind::Conv2d(settings))
        };
        let kernel = permuted(name, kernel.permute(axes))?;
        let weights = vec![NewWeight {
            name: short,
            tensor: kernel,
            learnable: true,
        }];
        let layer = self.layer(name, "Conv2d", kind, weights);
        Ok(self.call(layer, &[x]))
    }

    /// The shape of a tensor in the file.
    pub fn shape(&self, key: &str) -> Option<&'a [usize]> {
        self.state.get(key).map(Tensor::dims)
    }

    /// `nn.Conv2d` of this kernel `[out, in / groups, kh, kw]`, with a bias if the file has one.
    pub fn convolution(
        &mut self,
        name: &str,
        x: NodeId,
        shape: &[usize],
        settings: Conv2d,
    ) -> Result<NodeId, OpenError> {
        let kernel = self.tensor(name, "weight", shape)?;
        let depthwise = settings.groups > 1 && shape.get(1) == Some(&1);
        let multiplier = shape[0] / settings.groups.max(1);
        let (kernel, short, kind) = if depthwise {
            // Output channel `c * multiplier + m` in both frameworks.
            let (kh, kw) = (shape[2], shape[3]);
            let kernel = kernel.reshape((settings.groups, multiplier, kh, kw));
            let kernel = kernel.and_then(|k| k.permute((2, 3, 0, 1)));
            let settings = Conv2d {
                groups: 1,
                ..settings
            };
            let kind = LayerKind::DepthwiseConv2d(DepthwiseConv2d(settings));
            (kernel, "depthwise_kernel", kind)
        } else {
            let kernel = kernel.permute((2, 3, 1, 0));
            (kernel, "kernel", LayerKind::Conv2d(settings))
        };
        let weight = |name, tensor| NewWeight {
            name,
            tensor,
            learnable: true,
        };
        let mut weights = vec![weight(short, permuted(name, kernel)?)];
        if self.shape(&format!("{name}.bias")).is_some() {
            weights.push(weight("bias", self.tensor(name, "bias", &shape[..1])?));
        }
        let layer = self.layer(name, "Conv2d", kind, weights);
        Ok(self.call(layer, &[x]))
    }

    /// `nn.BatchNorm2d`. `momentum` is in PyTorch's convention: 1 minus Keras'.
    pub fn batch_norm(
        &mut self,
        name: &str,
        x: NodeId,
        channels: usize,
        momentum: f64,
        epsilon: f64,
    ) -> Result<NodeId, OpenError> {
        let names = [
            ("weight", "gamma", true),
            ("bias", "beta", true),
            ("running_mean", "moving_mean", false),
            ("running_var", "moving_variance", false),
        ];
        let weights = names.into_iter().map(|(file, name_here, learnable)| {
            let tensor = self.tensor(name, file, &[channels])?;
            Ok(NewWeight {
                name: name_here,
                tensor,
                learnable,
            })
        });
        let weights = weights.collect::<Result<Vec<_>, OpenError>>()?;
        let kind = LayerKind::BatchNorm(BatchNorm {
            momentum: 1.0 - momentum,
            epsilon,
        });
        let layer = self.layer(name, "BatchNorm2d", kind, weights);
        Ok(self.call(layer, &[x]))
    }

    /// `nn.Linear`, with a bias if the file has one; `image` is the `[C, H, W]` that was flattened before it.
    pub fn linear(
        &mut self,
        name: &str,
        x: NodeId,
        [input, output]: [usize; 2],
        image: Option<[usize; 3]>,
    ) -> Result<NodeId, OpenError> {
        let mut kernel = self.tensor(name, "weight", &[output, input])?;
        if let Some(image) = image.filter(|_| !is_constant(&kernel)) {
            kernel = permuted(name, reordered(&kernel, image))?;
        }
        let kernel = permuted(name, kernel.t())?;
        let weight = |name, tensor| NewWeight {
            name,
            tensor,
            learnable: true,
        };
        let mut weights = vec![weight("kernel", kernel)];
        if self.shape(&format!("{name}.bias")).is_some() {
            weights.push(weight("bias", self.tensor(name, "bias", &[output])?));
        }
        let layer = self.layer(
            name,
            "Linear",
            LayerKind::Dense(Dense {
                activation: Activation::Linear,
            }),
            weights,
        );
        Ok(self.call(layer, &[x]))
    }

    /// The names of the file's tensors that no layer has taken, without those that are counters.
    pub fn unused(&self) -> impl Iterator<Item = &'a str> {
        let left = self.state.keys().filter(|k| !self.used.contains(*k));
        left.map(String::as_str)
            .filter(|k| !k.ends_with("num_batches_tracked"))
    }

    /// `nn.LayerNorm` over the channels, with a bias if the file has one.
    pub fn layer_norm(
        &mut self,
        name: &str,
        x: NodeId,
        channels: usize,
        epsilon: f64,
    ) -> Result<NodeId, OpenError> {
        let mut weights = vec![self.learnable("gamma", name, "weight", &[channels])?];
        if self.shape(&format!("{name}.bias")).is_some() {
            weights.push(self.learnable("beta", name, "bias", &[channels])?);
        }
        let kind = LayerKind::LayerNorm(LayerNorm { axes: 1, epsilon });
        let layer = self.layer(name, "LayerNorm", kind, weights);
        Ok(self.call(layer, &[x]))
    }

    /// `nn.PReLU` with one slope, or one for each channel.
    pub fn prelu(&mut self, name: &str, x: NodeId, channels: usize) -> Result<NodeId, OpenError> {
        let one = self.shape(&format!("{name}.weight")) == Some(&[1]);
        let shape = [if one { 1 } else { channels }];
        let weights = vec![self.learnable("alpha", name, "weight", &shape)?];
        let layer = self.layer(name, "PReLU", LayerKind::PRelu, weights);
        Ok(self.call(layer, &[x]))
    }

    /// A weight called `short` here, from the tensor `weight` of a layer.
    pub fn learnable(
        &mut self,
        short: &'static str,
        layer: &str,
        weight: &str,
        shape: &[usize],
    ) -> Result<NewWeight, OpenError> {
        Ok(NewWeight {
            name: short,
            tensor: self.tensor(layer, weight, shape)?,
            learnable: true,
        })
    }

    /// A weight with a name of its own in the file, such as `cls_token`; of the shape `[1, ..., n]` or
    /// `[n, 1, ...]` its axes of length 1 are dropped.
    pub fn parameter(
        &mut self,
        short: &'static str,
        key: &str,
        expected: &[usize],
        kept: &[usize],
    ) -> Result<NewWeight, OpenError> {
        let (layer, weight) = key.rsplit_once('.').unwrap_or((key, key));
        let tensor = self.keyed(key.to_owned(), layer, weight, expected)?;
        let tensor = permuted(key, tensor.reshape(kept))?;
        Ok(NewWeight {
            name: short,
            tensor,
            learnable: true,
        })
    }

    /// The kernel `[in, out]` of a linear layer whose tensor `[out, in]` has this name.
    pub fn transposed(&mut self, key: &str, shape: [usize; 2]) -> Result<NewWeight, OpenError> {
        let (layer, weight) = key.rsplit_once('.').unwrap_or((key, key));
        let tensor = self.keyed(key.to_owned(), layer, weight, &shape)?;
        Ok(NewWeight {
            name: "kernel",
            tensor: permuted(key, tensor.t())?,
            learnable: true,
        })
    }

    /// Counts a tensor as one that has its place.
    pub fn mark_used(&mut self, key: &str) {
        self.used.insert(key.to_owned());
    }

    fn tensor(
        &mut self,
        layer: &str,
        weight: &str,
        expected: &[usize],
    ) -> Result<Tensor, OpenError> {
        self.keyed(format!("{layer}.{weight}"), layer, weight, expected)
    }

    fn keyed(
        &mut self,
        key: String,
        layer: &str,
        weight: &str,
        expected: &[usize],
    ) -> Result<Tensor, OpenError> {
        let layer = layer.trim_start_matches('/');
        let missing = || OpenError::WeightMissing {
            layer: layer.to_owned(),
            weight: weight.to_owned(),
        };
        let tensor = self.state.get(&key).ok_or_else(missing)?;
        if tensor.dims() != expected {
            return Err(OpenError::WeightShape {
                layer: layer.to_owned(),
                weight: weight.to_owned(),
                found: tensor.dims().to_vec(),
                expected: expected.to_vec(),
            });
        }
        self.used.insert(key.clone());
        self.pending.push(Stored {
            key,
            shape: expected.to_vec(),
        });
        permuted(layer, tensor.to_dtype(DType::F32))
    }
}

/// True for one value that is broadcast.
fn is_constant(tensor: &Tensor) -> bool {
    let mut axes = tensor.dims().iter().zip(tensor.stride());
    tensor.elem_count() > 1 && axes.all(|(&length, &step)| length == 1 || step == 0)
}

/// The tensor, contiguous in the order of its axes. A single value that is broadcast stays so: that is
/// how tests check shapes without weights.
fn permuted(layer: &str, tensor: candle_core::Result<Tensor>) -> Result<Tensor, OpenError> {
    tensor
        .and_then(|t| {
            if is_constant(&t) {
                Ok(t)
            } else {
                t.contiguous()
            }
        })
        .map_err(|error| OpenError::Broken(format!("layer `{layer}`: {error}")))
}
