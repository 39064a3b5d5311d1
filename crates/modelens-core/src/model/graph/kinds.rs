//! What layers compute, with their settings.

use crate::augment::AugmentLayer;
use crate::model::layers::function::{Function, Reduce};
use crate::model::layers::normaliser::Normaliser;
use crate::model::layers::rearrange::Arrange;
use crate::model::layers::transposed::TransposedConv2d;
use crate::rules::Role;

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
    /// Over this many regions along height and width.
    AdaptivePool2d {
        pooling: Pooling,
        output: [usize; 2],
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
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
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
            | Self::Normaliser(
                Normaliser::Layer { .. } | Normaliser::Group { .. } | Normaliser::Rms { .. },
            )
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
