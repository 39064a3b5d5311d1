//! Builds layers in the order of a PyTorch module's `forward`. Widths are taken from the file; shapes
//! that do not fit together are refused.

use candle_core::Tensor;

mod head;
mod tokens;

pub use self::head::{activation as head_activation, activations as head_activations};
use super::builder::Builder;
use super::choice::Told;
use super::families::listed;
use super::{Recognition, StateDict};
use crate::formats::OpenError;
use crate::model::graph::{Activation, Conv2d, LayerKind, Merge, Noise, Padding, Pool2d, Pooling};
use crate::model::layers::{GlobalPool2d, NewWeight};
use crate::model::{Assumption, NodeId, Preprocessing};

/// Settings that all modules of one architecture share.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// True for TensorFlow's `same` padding, false for half a kernel on every side.
    pub same: bool,
    /// Epsilon of BatchNorm.
    pub epsilon: f64,
    /// Momentum of BatchNorm in PyTorch's convention.
    pub momentum: f64,
}

impl Style {
    /// Symmetric padding, and the defaults of `nn.BatchNorm2d`.
    pub const PLAIN: Self = Self {
        same: false,
        epsilon: 1e-5,
        momentum: 0.1,
    };
}

/// The output of a call, of shape `[N, H, W, channels]`.
#[derive(Clone, Copy, Debug)]
pub struct Value {
    pub node: NodeId,
    pub channels: usize,
}

/// A network under construction.
pub struct Net<'a> {
    pub builder: Builder<'a>,
    state: &'a StateDict,
    told: &'a Told,
    style: Style,
    /// The name under which the file keeps its head, and the channels that the head takes.
    head: Option<(String, usize)>,
    warnings: Vec<String>,
    assumed: Vec<Assumption>,
}

impl<'a> Net<'a> {
    /// Starts with the input: photos with the channels of the convolution called `stem`, and with
    /// `size` pixels a side if the network takes only these.
    pub fn new(
        state: &'a StateDict,
        told: &'a Told,
        style: Style,
        stem: &str,
        size: Option<usize>,
    ) -> (Self, Value) {
        let stem = state.get(&format!("{stem}.weight")).map(Tensor::dims);
        let channels = match stem {
            Some(&[_, channels, _, _]) if channels > 0 => channels,
            _ => 3,
        };
        let builder = Builder::new(state, [size, size, Some(channels)]);
        let net = Self {
            builder,
            state,
            told,
            style,
            head: None,
            warnings: Vec::new(),
            assumed: Vec::new(),
        };
        (net, Value { node: 0, channels })
    }

    /// True if the file has this tensor.
    pub fn has(&self, key: &str) -> bool {
        self.builder.shape(key).is_some()
    }

    fn plain(&mut self, name: &str, class: &str, kind: LayerKind, x: Value) -> Value {
        let node = self.builder.plain(name, class, kind, &[x.node]);
        Value { node, ..x }
    }

    /// A layer with weights, called on one value.
    fn weighted(
        &mut self,
        name: &str,
        class: &str,
        kind: LayerKind,
        weights: Vec<NewWeight>,
        x: Value,
    ) -> Value {
        let layer = self.builder.layer(name, class, kind, weights);
        let node = self.builder.call(layer, &[x.node]);
        Value { node, ..x }
    }

    /// `nn.Conv2d` whose kernel size, groups and bias follow from the shapes in the file.
    pub fn conv(&mut self, name: &str, x: Value, stride: usize) -> Result<Value, OpenError> {
        self.dilated_conv(name, x, stride, 1)
    }

    /// As [`Net::conv`], with a dilation.
    pub fn dilated_conv(
        &mut self,
        name: &str,
        x: Value,
        stride: usize,
        dilation: usize,
    ) -> Result<Value, OpenError> {
        let key = format!("{name}.weight");
        let shape = self.builder.shape(&key).map(<[usize]>::to_vec);
        let shape = shape.ok_or_else(|| missing(name, "weight"))?;
        let [out, depth, kh, kw] = *shape.as_slice() else {
            return Err(misfit(name, "weight", &shape, &[0, x.channels, 1, 1]));
        };
        let fits = depth > 0 && kh > 0 && kw > 0 && out > 0 && x.channels.is_multiple_of(depth);
        let groups = x.channels / depth.max(1);
        if !fits || !out.is_multiple_of(groups.max(1)) {
            return Err(misfit(name, "weight", &shape, &[out, x.channels, kh, kw]));
        }
        let padding = match (self.style.same, kh) {
            (true, _) => Padding::Same,
            (false, 1) => Padding::Valid,
            (false, size) => Padding::Around(size / 2 * dilation),
        };
        self.conv_with(
            name,
            x,
            &shape,
            Conv2d {
                strides: [stride; 2],
                dilation: [dilation; 2],
                padding,
                groups,
                activation: Activation::Linear,
            },
        )
    }

    /// `nn.Conv2d` with these settings; the caller has checked the kernel `[out, in / groups, kh, kw]`.
    pub fn conv_with(
        &mut self,
        name: &str,
        x: Value,
        shape: &[usize],
        settings: Conv2d,
    ) -> Result<Value, OpenError> {
        let node = self.builder.convolution(name, x.node, shape, settings)?;
        Ok(Value {
            node,
            channels: shape[0],
        })
    }

    /// `nn.BatchNorm2d`.
    pub fn batch_norm(&mut self, name: &str, x: Value) -> Result<Value, OpenError> {
        let statistic = format!("{name}.running_mean");
        if self.has(&format!("{name}.weight")) && !self.has(&statistic) {
            return Err(OpenError::Refused(format!(
                "its norms have no running statistics (`{statistic}` is missing): they are no \
                 BatchNorm, or only `named_parameters()` was saved. Save `model.state_dict()`, or an \
                 exported program (torch.export.save, a .pt2 file)"
            )));
        }
        let Style {
            momentum, epsilon, ..
        } = self.style;
        let node = self
            .builder
            .batch_norm(name, x.node, x.channels, momentum, epsilon)?;
        Ok(Value { node, ..x })
    }

    /// `nn.BatchNorm1d` of a head, with the settings of `nn.BatchNorm1d`.
    pub fn batch_norm_1d(&mut self, name: &str, x: Value) -> Result<Value, OpenError> {
        let Style {
            momentum, epsilon, ..
        } = Style::PLAIN;
        let node = self
            .builder
            .batch_norm(name, x.node, x.channels, momentum, epsilon)?;
        if let Some(layer) = self.builder.graph.layers.last_mut() {
            "BatchNorm1d".clone_into(&mut layer.class);
        }
        Ok(Value { node, ..x })
    }

    /// `nn.LayerNorm` over the channels.
    pub fn layer_norm(&mut self, name: &str, x: Value, epsilon: f64) -> Result<Value, OpenError> {
        let node = self.builder.layer_norm(name, x.node, x.channels, epsilon)?;
        Ok(Value { node, ..x })
    }

    /// `nn.PReLU`.
    pub fn prelu(&mut self, name: &str, x: Value) -> Result<Value, OpenError> {
        let node = self.builder.prelu(name, x.node, x.channels)?;
        Ok(Value { node, ..x })
    }

    /// An activation, named after the layer before it.
    pub fn activation(&mut self, after: &str, x: Value, activation: Activation) -> Value {
        if activation == Activation::Linear {
            return x;
        }
        let name = format!("{after}.{}", class_of(activation).to_ascii_lowercase());
        self.named_activation(&name, x, activation)
    }

    /// An activation with a name of its own.
    pub fn named_activation(&mut self, name: &str, x: Value, activation: Activation) -> Value {
        let kind = LayerKind::Activation(activation);
        self.plain(name, class_of(activation), kind, x)
    }

    /// Convolution, BatchNorm, activation.
    pub fn unit(
        &mut self,
        [conv, norm]: [&str; 2],
        x: Value,
        stride: usize,
        activation: Activation,
    ) -> Result<Value, OpenError> {
        let x = self.conv(conv, x, stride)?;
        let x = self.batch_norm(norm, x)?;
        Ok(self.activation(norm, x, activation))
    }

    /// Squeeze-and-excite: `x` times a gate per channel that is computed from the mean over the image.
    pub fn squeeze(
        &mut self,
        [reduce, expand]: [&str; 2],
        x: Value,
        inner: Activation,
        gate: Activation,
    ) -> Result<Value, OpenError> {
        let stem = reduce.rsplit_once('.').map_or(reduce, |(stem, _)| stem);
        let y = self.global_average(&format!("{stem}.avgpool"), x, true);
        let y = self.conv(reduce, y, 1)?;
        let y = self.activation(reduce, y, inner);
        let y = self.conv(expand, y, 1)?;
        if y.channels != x.channels {
            return Err(misfit(expand, "weight", &[y.channels], &[x.channels]));
        }
        let y = self.activation(expand, y, gate);
        let kind = LayerKind::Merge(Merge::Multiply);
        let name = format!("{stem}.mul");
        let node = self.builder.plain(&name, "Mul", kind, &[x.node, y.node]);
        Ok(Value { node, ..x })
    }

    /// `x + y`.
    pub fn add(&mut self, name: &str, x: Value, y: Value) -> Result<Value, OpenError> {
        if x.channels != y.channels {
            return Err(misfit(name, "input", &[y.channels], &[x.channels]));
        }
        let kind = LayerKind::Merge(Merge::Add);
        let node = self.builder.plain(name, "Add", kind, &[x.node, y.node]);
        Ok(Value { node, ..x })
    }

    /// `(x + y) / 2`
    pub fn average(&mut self, name: &str, x: Value, y: Value) -> Result<Value, OpenError> {
        if x.channels != y.channels {
            return Err(misfit(name, "input", &[y.channels], &[x.channels]));
        }
        let kind = LayerKind::Merge(Merge::Average);
        let node = self.builder.plain(name, "Average", kind, &[x.node, y.node]);
        Ok(Value { node, ..x })
    }

    /// Concatenates the channels of both.
    pub fn concatenate(&mut self, name: &str, x: Value, y: Value) -> Value {
        self.concatenate_all(name, &[x, y])
    }

    /// Concatenates the channels of all.
    pub fn concatenate_all(&mut self, name: &str, all: &[Value]) -> Value {
        let kind = LayerKind::Merge(Merge::Concatenate(-1));
        let nodes: Vec<NodeId> = all.iter().map(|x| x.node).collect();
        let channels = all.iter().map(|x| x.channels);
        Value {
            node: self.builder.plain(name, "Cat", kind, &nodes),
            channels: channels.fold(0, usize::saturating_add),
        }
    }

    /// `nn.MaxPool2d` or `nn.AvgPool2d`.
    pub fn pool(
        &mut self,
        name: &str,
        x: Value,
        pooling: Pooling,
        [size, stride, padding]: [usize; 3],
    ) -> Value {
        let class = match pooling {
            Pooling::Max => "MaxPool2d",
            Pooling::Average => "AvgPool2d",
        };
        let kind = LayerKind::Pool2d(Pool2d {
            pooling,
            size: [size; 2],
            strides: [stride; 2],
            padding: if padding == 0 {
                Padding::Valid
            } else {
                Padding::Around(padding)
            },
        });
        self.plain(name, class, kind, x)
    }

    /// As [`Net::pool`], where the last window may reach beyond the end.
    pub fn ceil_pool(
        &mut self,
        name: &str,
        x: Value,
        pooling: Pooling,
        [size, stride, padding]: [usize; 3],
    ) -> Value {
        let kind = LayerKind::Pool2d(Pool2d {
            pooling,
            size: [size; 2],
            strides: [stride; 2],
            padding: Padding::Sides {
                pixels: [padding; 4],
                ceil: true,
            },
        });
        self.plain(name, "MaxPool2d", kind, x)
    }

    /// Checks the shape of a kernel.
    ///
    /// # Errors
    /// Another shape, or none.
    pub fn expect(&self, name: &str, shape: &[usize], like: &str) -> Result<(), OpenError> {
        let key = format!("{name}.weight");
        let but = match self.builder.shape(&key) {
            Some(found) if found == shape && !shape.contains(&0) => return Ok(()),
            Some(found) => format!("`{key}` has shape {found:?}, not {shape:?}"),
            None => format!("it has no `{key}`"),
        };
        let like = like.to_owned();
        Err(OpenError::OtherNetwork { like, but })
    }

    /// `nn.AdaptiveAvgPool2d(1)`.
    pub fn global_average(&mut self, name: &str, x: Value, keep_dims: bool) -> Value {
        let kind = LayerKind::GlobalPool2d(GlobalPool2d {
            pooling: Pooling::Average,
            keep_dims,
        });
        self.plain(name, "AdaptiveAvgPool2d", kind, x)
    }

    /// `nn.Flatten` of `[N, H, W, channels]` with `pixels` = H W.
    pub fn flatten(&mut self, name: &str, x: Value, pixels: usize) -> Value {
        let x = self.plain(name, "Flatten", LayerKind::Flatten, x);
        Value {
            channels: x.channels.saturating_mul(pixels),
            ..x
        }
    }

    pub fn dropout(&mut self, name: &str, x: Value, rate: f64) -> Value {
        let noise = Noise::Dropout {
            rate,
            noise_shape: None,
        };
        self.plain(name, "Dropout", LayerKind::Noise(noise), x)
    }

    /// Drops whole images before a residual sum; adds no layer at a rate of 0.
    pub fn drop_connect(&mut self, name: &str, x: Value, rate: f64) -> Value {
        if rate == 0.0 {
            return x;
        }
        let kind = LayerKind::Noise(Noise::DropConnect { rate });
        self.plain(name, "StochasticDepth", kind, x)
    }

    /// `nn.Linear` with a bias; `image` is the `[channels, height, width]` that was flattened before it.
    pub fn linear(
        &mut self,
        name: &str,
        x: Value,
        image: Option<[usize; 3]>,
    ) -> Result<Value, OpenError> {
        let shape = self.builder.shape(&format!("{name}.weight"));
        let out = shape.and_then(|s| s.first().copied());
        let out = out.ok_or_else(|| missing(name, "weight"))?;
        let node = self
            .builder
            .linear(name, x.node, [x.channels, out], image)?;
        Ok(Value {
            node,
            channels: out,
        })
    }

    /// The dropout before the head of `stem`, if the head is the published one.
    pub fn head_dropout(&mut self, stem: &str, x: Value, rate: f64) -> Value {
        let inside = format!("{stem}.");
        let published = format!("{stem}.1.");
        let mut keys = self.state.keys().filter(|k| k.starts_with(&inside));
        let is_linear = self.rank(&format!("{stem}.1.weight")) == Some(2);
        if !is_linear || !keys.all(|key| key.starts_with(&published)) {
            return x;
        }
        self.dropout(&format!("{stem}.0"), x, rate)
    }

    /// True if the file has a tensor whose name begins like this.
    pub fn has_any(&self, start: &str) -> bool {
        self.state.keys().any(|key| key.starts_with(start))
    }

    /// The number of axes of a tensor in the file.
    pub fn rank(&self, key: &str) -> Option<usize> {
        self.builder.shape(key).map(<[usize]>::len)
    }

    /// The network, if no tensor is left over that belongs inside it. `title` is what messages call the
    /// family.
    ///
    /// # Errors
    /// A tensor that is neither part of the network nor clearly outside it.
    pub fn finish(
        mut self,
        title: &str,
        output: Value,
        name: &str,
        preprocessing: Preprocessing,
        mut assumed: Vec<Assumption>,
    ) -> Result<Recognition, OpenError> {
        let left: Vec<&str> = self.builder.unused().collect();
        let inside: Vec<&str> = left
            .iter()
            .copied()
            .filter(|key| !self.is_outside(key))
            .collect();
        if !inside.is_empty() {
            return Err(OpenError::OtherNetwork {
                like: title.to_owned(),
                but: format!(
                    "{} of its tensors have no place in one: {}",
                    inside.len(),
                    listed(&inside)
                ),
            });
        }
        let is_of_head = |key: &&&str| {
            let head = self.head.as_ref();
            head.is_some_and(|(stem, _)| key.starts_with(&format!("{stem}.")))
        };
        let (beside, left): (Vec<&str>, Vec<&str>) =
            left.iter().partition(|key| key.starts_with('/'));
        let outside: Vec<&str> = left
            .iter()
            .filter(|key| !is_of_head(key))
            .copied()
            .collect();
        if !outside.is_empty() {
            self.warnings.push(format!(
                "{} tensors of the file are not part of the network and were left out: {}",
                outside.len(),
                listed(&outside)
            ));
        }
        self.builder.graph.output = output.node;
        name.clone_into(&mut self.builder.graph.name);
        assumed.append(&mut self.assumed);
        let mut preprocessing = preprocessing;
        let channels = self.builder.graph.input_hwc[2];
        if channels != Some(3) && preprocessing == Preprocessing::ImageNet {
            // ImageNet's mean and deviation are those of three colours.
            preprocessing = Preprocessing::ZeroToOne;
            assumed.push(Assumption {
                sentence: format!(
                    "the first layer takes {} channel{}, and the file does not tell how they are scaled: \
                     x / 255 is taken",
                    channels.unwrap_or_default(),
                    if channels == Some(1) { "" } else { "s" }
                ),
                choices: Vec::new(),
            });
        }
        Ok(Recognition {
            graph: self.builder.graph,
            weights: self.builder.weights,
            keys: self.builder.keys,
            beside: beside.iter().map(|key| key[1..].to_owned()).collect(),
            preprocessing,
            warnings: self.warnings,
            assumed,
        })
    }

    /// True for a tensor that takes no part in the outputs: of the head that was left out, of a second
    /// head on the same features, of an auxiliary classifier or a loss, or a lone counter.
    fn is_outside(&self, key: &str) -> bool {
        if key.starts_with('/') {
            return true;
        }
        let Some((stem, features)) = &self.head else {
            return false;
        };
        let first = key
            .split('.')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        let layer = key.rsplit_once('.').map_or(key, |(layer, _)| layer);
        let shape = self
            .builder
            .shape(&format!("{layer}.weight"))
            .unwrap_or_default();
        let second_head = shape.len() == 2 && shape[1] == *features && !layer.contains('.');
        key.starts_with(&format!("{stem}."))
            || second_head
            || ["aux", "criterion", "loss"]
                .iter()
                .any(|word| first.contains(word))
            || key == "n_averaged"
    }
}

/// The module of an activation.
fn class_of(activation: Activation) -> &'static str {
    match activation {
        Activation::Linear => "Identity",
        Activation::Silu => "SiLU",
        Activation::HardSilu => "Hardswish",
        Activation::Sigmoid => "Sigmoid",
        Activation::HardSigmoid => "Hardsigmoid",
        Activation::RELU6 => "ReLU6",
        Activation::Gelu { .. } => "GELU",
        Activation::Tanh => "Tanh",
        Activation::Elu { .. } => "ELU",
        Activation::Relu { negative_slope, .. } if negative_slope != 0.0 => "LeakyReLU",
        _ => "ReLU",
    }
}

/// Reorders the kernel of a linear layer from inputs flattened as `[C, H, W]` (PyTorch) to inputs
/// flattened as `[H, W, C]`: from `[out, C H W]` to `[out, H W C]`.
pub fn reordered(kernel: &Tensor, [c, h, w]: [usize; 3]) -> candle_core::Result<Tensor> {
    let out = kernel.dim(0)?;
    kernel
        .reshape((out, c, h, w))?
        .permute((0, 2, 3, 1))?
        .contiguous()?
        .reshape((out, c * h * w))
}

fn missing(layer: &str, weight: &str) -> OpenError {
    OpenError::WeightMissing {
        layer: layer.to_owned(),
        weight: weight.to_owned(),
    }
}

fn misfit(layer: &str, weight: &str, found: &[usize], expected: &[usize]) -> OpenError {
    OpenError::WeightShape {
        layer: layer.to_owned(),
        weight: weight.to_owned(),
        found: found.to_vec(),
        expected: expected.to_vec(),
    }
}
