//! Builds layers in the order of a PyTorch module's `forward`. Widths are taken from the file; shapes
//! that do not fit together are refused.

use candle_core::Tensor;

use super::builder::Builder;
use super::families::listed;
use super::{Recognition, StateDict};
use crate::formats::OpenError;
use crate::model::graph::{Activation, Conv2d, LayerKind, Merge, Noise, Padding, Pool2d, Pooling};
use crate::model::layers::GlobalPool2d;
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
    style: Style,
    /// The name under which the file keeps its head, and the channels that the head takes.
    head: Option<(String, usize)>,
    warnings: Vec<String>,
}

impl<'a> Net<'a> {
    /// Starts with the input: photos of three channels, with `size` pixels a side if the network takes
    /// only these.
    pub fn new(state: &'a StateDict, style: Style, size: Option<usize>) -> (Self, Value) {
        let builder = Builder::new(state, [size, size, Some(3)]);
        let input = Value {
            node: 0,
            channels: 3,
        };
        let net = Self {
            builder,
            state,
            style,
            head: None,
            warnings: Vec::new(),
        };
        (net, input)
    }

    /// True if the file has this tensor.
    pub fn has(&self, key: &str) -> bool {
        self.builder.shape(key).is_some()
    }

    fn plain(&mut self, name: &str, class: &str, kind: LayerKind, x: Value) -> Value {
        let node = self.builder.plain(name, class, kind, &[x.node]);
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
                 BatchNorm, or only `named_parameters()` was saved. Save `model.state_dict()`, or export \
                 the network to ONNX"
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

    /// An activation, named after the layer before it.
    pub fn activation(&mut self, after: &str, x: Value, activation: Activation) -> Value {
        let (short, class) = match activation {
            Activation::Linear => return x,
            Activation::Silu => ("silu", "SiLU"),
            Activation::HardSilu => ("hardswish", "Hardswish"),
            Activation::Sigmoid => ("sigmoid", "Sigmoid"),
            Activation::HardSigmoid => ("hardsigmoid", "Hardsigmoid"),
            Activation::RELU6 => ("relu6", "ReLU6"),
            _ => ("relu", "ReLU"),
        };
        let kind = LayerKind::Activation(activation);
        self.plain(&format!("{after}.{short}"), class, kind, x)
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

    /// Concatenates the channels of both.
    pub fn concatenate(&mut self, name: &str, x: Value, y: Value) -> Value {
        let kind = LayerKind::Merge(Merge::Concatenate(-1));
        let node = self.builder.plain(name, "Cat", kind, &[x.node, y.node]);
        Value {
            node,
            channels: x.channels.saturating_add(y.channels),
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
        if self.linears(stem) != [format!("{stem}.1")] {
            return x;
        }
        self.dropout(&format!("{stem}.0"), x, rate)
    }

    /// The head: the dense layer called `published`, or another one whose name begins with `stem`. A
    /// head of several layers is left out, since the file does not tell what lies between them.
    pub fn head(&mut self, stem: &str, published: &str, x: Value) -> Result<Value, OpenError> {
        self.head = Some((stem.to_owned(), x.channels));
        let inside = format!("{stem}.");
        let all: Vec<String> = self
            .state
            .keys()
            .filter(|k| k.starts_with(&inside))
            .cloned()
            .collect();
        let linears = self.linears(stem);
        let of_one = |name: &str| {
            let its = [format!("{name}.weight"), format!("{name}.bias")];
            all.iter().all(|key| its.contains(key))
        };
        match linears.as_slice() {
            [] if all.is_empty() => {
                self.warnings.push(format!(
                    "the file has no head (`{published}`), so the outputs are the {} features before it",
                    x.channels
                ));
                Ok(x)
            }
            [one] if of_one(one) => {
                if one != published {
                    self.warnings.push(format!(
                        "the head is `{one}`, not `{published}`: a dropout before it is not in the \
                         file and is left out"
                    ));
                }
                self.linear(one, x, None)
            }
            _ => {
                let keys: Vec<&str> = all.iter().map(String::as_str).collect();
                self.warnings.push(format!(
                    "the head under `{stem}` is not the published one and is left out ({}): the \
                     outputs are the {} features before it",
                    listed(&keys),
                    x.channels
                ));
                Ok(x)
            }
        }
    }

    /// The names of the dense layers at `stem` or below it.
    fn linears(&self, stem: &str) -> Vec<String> {
        let inside = format!("{stem}.");
        let dense = self.state.iter().filter(|(_, tensor)| tensor.rank() == 2);
        let names = dense.filter_map(|(key, _)| key.strip_suffix(".weight"));
        let names = names.filter(|name| *name == stem || name.starts_with(&inside));
        names.map(str::to_owned).collect()
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
        assumed: Vec<Assumption>,
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
        Ok(Recognition {
            graph: self.builder.graph,
            weights: self.builder.weights,
            preprocessing,
            warnings: self.warnings,
            assumed,
        })
    }

    /// True for a tensor that takes no part in the outputs: of the head that was left out, of a second
    /// head on the same features, of an auxiliary classifier or a loss, or a lone counter.
    fn is_outside(&self, key: &str) -> bool {
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
