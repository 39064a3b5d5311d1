//! The network as a list of layers and a list of calls: what every file format ends in.

use candle_core::Tensor;

use super::effective::Role;
use super::layers::function::{Function, Reduce};
use super::layers::normaliser::Normaliser;
use super::layers::rearrange::Arrange;
use super::layers::transposed::TransposedConv2d;
use crate::augment::AugmentLayer;

/// Index into [`Graph::layers`].
pub type LayerId = usize;
/// Index into [`Graph::nodes`].
pub type NodeId = usize;

/// A network: layers own the weights, nodes say in which order they are called on what.
///
/// Nested models are inlined: a nested model is a layer of kind [`LayerKind::Model`] without a node
/// of its own, and its children's nodes stand where it is called.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// The outermost model's name in the file; empty where it has none.
    pub name: String,
    /// Depth-first in file order, a nested model before its children.
    pub layers: Vec<Layer>,
    /// In an order in which every input comes before its use; the first is the input.
    pub nodes: Vec<Node>,
    /// The node whose value is the model's output.
    pub output: NodeId,
    /// The flag of the outermost model.
    pub root_trainable: bool,
    /// `[height, width, channels]` of the input; `None` where the file leaves it open.
    pub input_hwc: [Option<usize>; 3],
}

/// One layer, with its weights.
#[derive(Clone, Debug)]
pub struct Layer {
    /// The name in the file.
    pub name: String,
    /// The class in the file, such as `Conv2D` or `TFOpLambda`.
    pub class: String,
    /// What it computes.
    pub kind: LayerKind,
    /// The nested model around it.
    pub parent: Option<LayerId>,
    /// Whether the framework lists it in `model.layers` (Keras 3 does not list operators).
    pub listed: bool,
    /// The flag of the layer itself, as in the file.
    pub trainable: bool,
    /// The `training=` value written into the file where this layer is called.
    pub recorded_training: Option<bool>,
    /// In the framework's order of creation.
    pub weights: Vec<Weight>,
}

/// One weight tensor of a layer.
#[derive(Clone, Debug)]
pub struct Weight {
    /// Keras' short name: `kernel`, `bias`, `gamma`, `beta`, `moving_mean`, `moving_variance`,
    /// `depthwise_kernel`, `pointwise_kernel`.
    pub name: &'static str,
    /// In Keras' layout, whatever the file: convolution `[kh, kw, in / groups, out]`,
    /// depthwise `[kh, kw, in, multiplier]`, dense `[in, out]`. Always f32.
    pub tensor: Tensor,
    /// An optimizer may change it at all; false for moving statistics.
    pub learnable: bool,
}

/// One call of one layer.
#[derive(Clone, Debug)]
pub struct Node {
    pub layer: LayerId,
    pub inputs: Vec<Input>,
    /// The innermost `training=` value recorded around this call.
    pub recorded: Option<bool>,
}

/// One argument of a call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Input {
    /// The value of an earlier node.
    Node(NodeId),
    /// A number written into the file (operators only).
    Number(f64),
}

/// What a layer computes. Tensors are `[N, H, W, C]` or `[N, C]`.
#[derive(Clone, Debug, PartialEq)]
pub enum LayerKind {
    /// A nested model; computes nothing itself.
    Model,
    Input,
    /// `x * scale + offset`, each of length 1 or C.
    Rescaling {
        scale: Vec<f32>,
        offset: Vec<f32>,
    },
    Conv2d(Conv2d),
    DepthwiseConv2d(Conv2d),
    TransposedConv2d(TransposedConv2d),
    /// A depthwise convolution, then a 1x1 convolution with bias and activation.
    SeparableConv2d(Conv2d),
    BatchNorm(BatchNorm),
    /// A normalisation that is the same in both modes.
    Normaliser(Normaliser),
    Activation(Activation),
    /// `x` where it is positive, else `alpha x`, with a learnable alpha.
    PRelu,
    /// `gamma x`, with a learnable gamma by channel.
    LayerScale,
    /// `a + scale b` of two inputs.
    ScaledSum(f32),
    Arrange(Arrange),
    Reduce(Reduce),
    /// `[top, bottom, left, right]`.
    ZeroPadding2d([usize; 4]),
    Merge(Merge),
    /// Exactly two inputs, with broadcasting.
    Operator(Binary),
    /// One entry an axis, the batch axis first; axes left out are whole.
    GetItem(Vec<Slice>),
    Pool2d(Pool2d),
    GlobalPool2d {
        pooling: Pooling,
        keep_dims: bool,
    },
    /// `[N, ...]` to `[N, product]`.
    Flatten,
    Dense(Activation),
    Noise(Noise),
    Augment(AugmentLayer),
    /// Returns its input (Identity, and layers that only matter to other backends).
    Identity,
}

/// Parameters of a convolution.
#[derive(Clone, Debug, PartialEq)]
pub struct Conv2d {
    pub strides: [usize; 2],
    pub dilation: [usize; 2],
    pub padding: Padding,
    pub groups: usize,
    pub activation: Activation,
}

/// Batch normalisation over the last axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatchNorm {
    /// In Keras' convention, whatever the file: `moving = momentum * moving + (1 - momentum) * batch`.
    pub momentum: f64,
    pub epsilon: f64,
}

/// How a window meets the border.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    Valid,
    /// TensorFlow's `same`: the odd pixel after.
    Same,
    /// PyTorch's: so many pixels on every side.
    Around(usize),
    /// ONNX's: `[top, bottom, left, right]`, and whether a last window may reach beyond the end.
    Sides {
        pixels: [usize; 4],
        ceil: bool,
    },
}

impl Padding {
    /// As seen along the columns: what was left and right comes first.
    #[must_use]
    pub fn across(self) -> Self {
        match self {
            Self::Sides {
                pixels: [top, bottom, left, right],
                ceil,
            } => Self::Sides {
                pixels: [left, right, top, bottom],
                ceil,
            },
            other => other,
        }
    }
}

/// Pooling with a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool2d {
    pub pooling: Pooling,
    pub size: [usize; 2],
    pub strides: [usize; 2],
    pub padding: Padding,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pooling {
    Max,
    /// Padding does not count.
    Average,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Merge {
    Add,
    Subtract,
    Multiply,
    Average,
    Maximum,
    Minimum,
    /// The sum of products of two inputs `[N, C]`: `[N, 1]`.
    Dot,
    /// Along this axis, the batch axis being 0; negative counts from the end.
    Concatenate(i64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    /// To the power of a number.
    Power,
    Maximum,
    Minimum,
}

/// Python's indexing of one axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slice {
    /// `start:stop:step` with a positive step.
    Range {
        start: Option<i64>,
        stop: Option<i64>,
        step: usize,
    },
    /// One index; the axis disappears.
    Index(i64),
    /// `...`
    Ellipsis,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Activation {
    Linear,
    /// `min(max(x, threshold...), max_value)`; below the threshold `negative_slope * (x - threshold)`.
    Relu {
        max_value: Option<f32>,
        negative_slope: f32,
        threshold: f32,
    },
    Elu {
        alpha: f32,
    },
    Selu,
    Gelu {
        approximate: bool,
    },
    Sigmoid,
    HardSigmoid,
    /// `x * sigmoid(x)`, also called swish.
    Silu,
    /// `x * hard_sigmoid(x)`, also called hard swish.
    HardSilu,
    Softmax,
    Softplus,
    Softsign,
    Tanh,
    Exponential,
    Function(Function),
}

impl Activation {
    pub const RELU: Self = Self::Relu {
        max_value: None,
        negative_slope: 0.0,
        threshold: 0.0,
    };
    pub const RELU6: Self = Self::Relu {
        max_value: Some(6.0),
        negative_slope: 0.0,
        threshold: 0.0,
    };
}

/// Layers that disturb their input in training mode.
#[derive(Clone, Debug, PartialEq)]
pub enum Noise {
    /// Keep where `u >= rate`, times `1 / (1 - rate)`. `noise_shape` covers all axes, the batch
    /// axis included; `None` entries take the input's length, 1 shares one draw along the axis.
    Dropout {
        rate: f64,
        noise_shape: Option<Vec<Option<usize>>>,
    },
    /// Whole channels: noise shape `[N, 1, 1, C]`.
    SpatialDropout2d {
        rate: f64,
    },
    AlphaDropout {
        rate: f64,
    },
    /// Times a normal draw around 1 with deviation `sqrt(rate / (1 - rate))`.
    GaussianDropout {
        rate: f64,
    },
    /// Plus a normal draw around 0.
    GaussianNoise {
        stddev: f64,
    },
    /// Whole images, before a residual sum: noise shape `[N, 1, 1, 1]`.
    DropConnect {
        rate: f64,
    },
}

impl LayerKind {
    /// Which rule the layer follows in the two modes.
    pub fn role(&self) -> Role {
        match self {
            Self::Conv2d(_)
            | Self::DepthwiseConv2d(_)
            | Self::SeparableConv2d(_)
            | Self::TransposedConv2d(_)
            | Self::Normaliser(Normaliser::Layer { .. } | Normaliser::Group { .. })
            | Self::PRelu
            | Self::LayerScale
            | Self::Dense(_) => Role::Weights,
            Self::BatchNorm(_) => Role::BatchNorm,
            Self::Noise(_) => Role::Noise,
            Self::Augment(layer) if layer.is_random() => Role::Augmentation,
            _ => Role::Plain,
        }
    }
}

impl Layer {
    /// The weight of this short name.
    pub fn weight(&self, name: &str) -> Option<&Tensor> {
        self.weights
            .iter()
            .find(|w| w.name == name)
            .map(|w| &w.tensor)
    }
}

impl Graph {
    /// The layer of this name; the first one where a name occurs twice. `model/layer` tells them
    /// apart: see [`Self::unique_name`].
    pub fn find(&self, name: &str) -> Option<LayerId> {
        let by_name = self.layers.iter().position(|l| l.name == name);
        by_name.or_else(|| (0..self.layers.len()).find(|&id| self.path(id) == name))
    }

    /// The layer's name, with the models around it in front where another layer has the same name.
    pub fn unique_name(&self, layer: LayerId) -> String {
        let name = &self.layers[layer].name;
        let same = self.layers.iter().filter(|l| l.name == *name).count();
        if same > 1 {
            self.path(layer)
        } else {
            name.clone()
        }
    }

    /// The names of the models around a layer and its own, with `/` between.
    fn path(&self, layer: LayerId) -> String {
        let mut names: Vec<&str> = self
            .ancestors(layer)
            .map(|a| self.layers[a].name.as_str())
            .collect();
        names.reverse();
        names.push(&self.layers[layer].name);
        names.join("/")
    }

    /// The layers directly inside a model, or at the top.
    pub fn children(&self, model: Option<LayerId>) -> impl Iterator<Item = LayerId> + '_ {
        let all = self.layers.iter().enumerate();
        all.filter(move |(_, l)| l.parent == model)
            .map(|(id, _)| id)
    }

    /// The layer whose output is the output of `layer`: itself where it is called, and for a nested
    /// model the layer inside that a call outside reads. `None` where nothing calls it.
    pub fn output_of(&self, layer: LayerId) -> Option<LayerId> {
        if self.nodes.iter().any(|n| n.layer == layer) {
            return Some(layer);
        }
        let inside: Vec<LayerId> = self.subtree(layer).collect();
        let is_inside = |node: NodeId| inside.contains(&self.nodes[node].layer);
        let outside = self.nodes.iter().filter(|n| !inside.contains(&n.layer));
        let read = outside
            .flat_map(|n| &n.inputs)
            .filter_map(|input| match *input {
                Input::Node(id) => Some(id),
                Input::Number(_) => None,
            });
        let mut read = read.chain([self.output]).filter(|&id| is_inside(id));
        read.next().map(|id| self.nodes[id].layer)
    }

    /// Whether nothing behind the node reads anything before it, so that the nodes behind can run
    /// from its value alone.
    pub fn is_cut(&self, node: NodeId) -> bool {
        let behind = self.nodes.iter().skip(node + 1);
        let mut read = behind.flat_map(|n| &n.inputs);
        node <= self.output && read.all(|i| !matches!(*i, Input::Node(id) if id < node))
    }

    /// The models around a layer, the innermost first.
    pub fn ancestors(&self, layer: LayerId) -> impl Iterator<Item = LayerId> + '_ {
        std::iter::successors(self.layers[layer].parent, |&id| self.layers[id].parent)
    }

    /// The layer itself and everything inside it.
    pub fn subtree(&self, layer: LayerId) -> impl Iterator<Item = LayerId> + '_ {
        (layer..self.layers.len())
            .take_while(move |&id| id == layer || self.ancestors(id).any(|a| a == layer))
    }
}
