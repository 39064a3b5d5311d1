//! The layer kinds: one file a kind, one line each in [`LayerKind`] and [`LayerKind::op`].
//!
//! A kind's file holds its parameters, its shape rule, its forward pass and its role. Its gradient
//! comes from candle's automatic differentiation, or from the `bwd` of a custom operation in the same
//! file. Tensors are `[N, H, W, C]` or `[N, C]`. The fast paths for the hottest kinds are in
//! [`crate::model::pass`] and [`modelens_kernels`].
//!
//! To add a kind: write its file, add the `mod` line, the variant and the arm below, and let a reader
//! (`keras`, `onnx`, `pytorch`) produce it.

mod activation;
mod adaptive_pool2d;
mod attention;
mod augmentation;
pub mod batch_norm;
mod center_crop;
mod channel_shuffle;
mod conv2d;
mod cropping2d;
mod dense;
mod depth_space;
mod depthwise_conv2d;
mod expand_dims;
mod flatten;
mod get_item;
mod global_pool2d;
#[cfg(test)]
mod gradient_tests;
mod group_norm;
mod identity;
mod insert_tokens;
mod layer_norm;
mod layer_scale;
mod merge;
pub mod noise;
#[cfg(test)]
mod norm_tests;
mod normalization;
mod operator;
mod permute;
mod pool2d;
mod position_embedding;
mod prelu;
mod product;
mod reduce;
mod repeat_vector;
mod rescaling;
mod reshape;
mod resize2d;
mod response_norm;
mod rms_norm;
mod roll;
mod scaled_sum;
mod separable_conv2d;
pub mod shape;
mod squeeze;
mod transposed_conv2d;
mod unit_norm;
mod up_sampling2d;
mod weight_operator;
mod weights;
mod window_attention;
mod with_constant;
mod zero_padding2d;

use candle_core::{Error, Result, Tensor};
use serde::{Deserialize, Serialize};

pub use activation::{Activation, activate};
pub use adaptive_pool2d::AdaptivePool2d;
pub use attention::Attention;
pub use batch_norm::BatchNorm;
pub use center_crop::CenterCrop;
pub use channel_shuffle::ChannelShuffle;
pub use conv2d::Conv2d;
pub use cropping2d::Cropping2d;
pub use dense::Dense;
pub use depth_space::DepthSpace;
pub use depthwise_conv2d::DepthwiseConv2d;
pub use expand_dims::ExpandDims;
pub use get_item::{GetItem, Slice};
pub use global_pool2d::GlobalPool2d;
pub use group_norm::GroupNorm;
pub use insert_tokens::InsertTokens;
pub use layer_norm::LayerNorm;
pub use merge::Merge;
pub use modelens_kernels::window::Padding;
pub use noise::Noise;
pub use normalization::Normalization;
pub use operator::Operator;
pub use permute::Permute;
pub use pool2d::{Pool2d, Pooling};
pub use product::Product;
pub use reduce::{Reduce, Reduction};
pub use repeat_vector::RepeatVector;
pub use rescaling::Rescaling;
pub use reshape::Reshape;
pub use resize2d::{NearestPixel, Resize2d, ResizePositions, ResizeTo};
pub use response_norm::ResponseNorm;
pub use rms_norm::RmsNorm;
pub use roll::Roll;
pub use scaled_sum::ScaledSum;
pub use separable_conv2d::SeparableConv2d;
pub use squeeze::Squeeze;
pub use transposed_conv2d::TransposedConv2d;
pub use up_sampling2d::UpSampling2d;
pub use weight_operator::WeightOperator;
pub use weights::{NewWeight, WeightMap, Weights};
pub use window_attention::WindowAttention;
pub use with_constant::WithConstant;
pub use zero_padding2d::ZeroPadding2d;

use crate::augment::AugmentLayer;
use crate::random::StreamKey;
use crate::rules::{Effective, Role, Semantics, Statistics};
use shape::{ImageShape, Shapes};

/// What a layer computes, with its parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum LayerKind {
    /// A nested model; its layers do the work.
    Model,
    Input,
    /// Returns its input, like layers that only matter to another backend.
    Identity,
    Activation(Activation),
    AdaptivePool2d(AdaptivePool2d),
    Attention(Attention),
    Augment(AugmentLayer),
    BatchNorm(BatchNorm),
    CenterCrop(CenterCrop),
    ChannelShuffle(ChannelShuffle),
    Conv2d(Conv2d),
    Cropping2d(Cropping2d),
    DepthSpace(DepthSpace),
    Dense(Dense),
    DepthwiseConv2d(DepthwiseConv2d),
    ExpandDims(ExpandDims),
    Flatten,
    GetItem(GetItem),
    GlobalPool2d(GlobalPool2d),
    GroupNorm(GroupNorm),
    InsertTokens(InsertTokens),
    LayerNorm(LayerNorm),
    LayerScale,
    Merge(Merge),
    Noise(Noise),
    Normalization(Normalization),
    Operator(Operator),
    PRelu,
    Permute(Permute),
    Pool2d(Pool2d),
    PositionEmbedding,
    Product(Product),
    Reduce(Reduce),
    RepeatVector(RepeatVector),
    Rescaling(Rescaling),
    Reshape(Reshape),
    Resize2d(Resize2d),
    ResponseNorm(ResponseNorm),
    RmsNorm(RmsNorm),
    Roll(Roll),
    ScaledSum(ScaledSum),
    SeparableConv2d(SeparableConv2d),
    Squeeze(Squeeze),
    TransposedConv2d(TransposedConv2d),
    UnitNorm,
    /// A layer that only matters in training and is not known here: it returns its input.
    Unknown,
    UpSampling2d(UpSampling2d),
    WindowAttention(WindowAttention),
    WeightOperator(WeightOperator),
    WithConstant(WithConstant),
    ZeroPadding2d(ZeroPadding2d),
}

impl LayerKind {
    /// The rules of this kind.
    pub fn op(&self) -> &dyn LayerOp {
        match self {
            Self::Model | Self::Input | Self::Identity | Self::Unknown => &identity::Identity,
            Self::Activation(op) => op,
            Self::AdaptivePool2d(op) => op,
            Self::Attention(op) => op,
            Self::Augment(op) => op,
            Self::BatchNorm(op) => op,
            Self::CenterCrop(op) => op,
            Self::ChannelShuffle(op) => op,
            Self::Conv2d(op) => op,
            Self::Cropping2d(op) => op,
            Self::DepthSpace(op) => op,
            Self::Dense(op) => op,
            Self::DepthwiseConv2d(op) => op,
            Self::ExpandDims(op) => op,
            Self::Flatten => &flatten::Flatten,
            Self::GetItem(op) => op,
            Self::GlobalPool2d(op) => op,
            Self::GroupNorm(op) => op,
            Self::InsertTokens(op) => op,
            Self::LayerNorm(op) => op,
            Self::LayerScale => &layer_scale::LayerScale,
            Self::Merge(op) => op,
            Self::Noise(op) => op,
            Self::Normalization(op) => op,
            Self::Operator(op) => op,
            Self::PRelu => &prelu::PRelu,
            Self::Permute(op) => op,
            Self::Pool2d(op) => op,
            Self::PositionEmbedding => &position_embedding::PositionEmbedding,
            Self::Product(op) => op,
            Self::Reduce(op) => op,
            Self::RepeatVector(op) => op,
            Self::Rescaling(op) => op,
            Self::Reshape(op) => op,
            Self::Resize2d(op) => op,
            Self::ResponseNorm(op) => op,
            Self::RmsNorm(op) => op,
            Self::Roll(op) => op,
            Self::ScaledSum(op) => op,
            Self::SeparableConv2d(op) => op,
            Self::Squeeze(op) => op,
            Self::TransposedConv2d(op) => op,
            Self::UnitNorm => &unit_norm::UnitNorm,
            Self::UpSampling2d(op) => op,
            Self::WindowAttention(op) => op,
            Self::WeightOperator(op) => op,
            Self::WithConstant(op) => op,
            Self::ZeroPadding2d(op) => op,
        }
    }

    /// Which rule the layer follows in the two modes.
    pub fn role(&self) -> Role {
        self.op().role()
    }
}

/// The rules of one layer kind.
pub trait LayerOp {
    /// Which rule the layer follows in the two modes.
    fn role(&self) -> Role;

    /// True if the output for an image depends on the other images of the batch or on its place among
    /// them. Such a layer runs on the whole batch at once.
    fn mixes_images(&self, mode: CallMode) -> bool;

    /// The shape of the output for one image.
    ///
    /// # Errors
    /// Inputs or parameters that do not fit, in words that follow "layer `name`: ".
    fn output_shape(&self, shapes: &Shapes<'_>) -> std::result::Result<ImageShape, String>;

    /// The output, `[N, ...]`, differentiable by candle with respect to inputs and weights.
    ///
    /// # Errors
    /// Shapes that do not fit.
    fn forward(&self, call: &Call<'_>) -> Result<Tensor>;

    /// [`Self::forward`], and what the layer multiplied its input with if it is a noise layer.
    ///
    /// # Errors
    /// Those of [`Self::forward`].
    fn forward_with_mask(&self, call: &Call<'_>) -> Result<(Tensor, Option<Tensor>)> {
        Ok((self.forward(call)?, None))
    }

    /// How many inputs a call takes.
    fn arity(&self) -> Arity {
        Arity::One
    }

    /// True if it scales its input: photos that meet it before any weights need no other scaling.
    fn scales_input(&self) -> bool {
        false
    }

    /// Values for one image in the largest tensor that [`Self::forward`] allocates besides its output.
    fn scratch_values(&self, _shapes: &Shapes<'_>) -> usize {
        0
    }
}

/// How many inputs a layer takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arity {
    /// One tensor.
    One,
    /// Two tensors.
    Two,
    /// A tensor and a tensor or number, in any order.
    TensorAndOperand,
    /// One tensor or more.
    Many,
}

impl Arity {
    /// Whether a call on this many tensors and numbers is possible.
    pub fn takes(self, tensors: usize, numbers: usize) -> bool {
        match self {
            Self::One => tensors == 1 && numbers == 0,
            Self::Two => tensors == 2 && numbers == 0,
            Self::TensorAndOperand => tensors > 0 && tensors + numbers == 2,
            Self::Many => tensors > 0 && numbers == 0,
        }
    }
}

/// How one call of a layer runs.
#[derive(Clone, Copy, Debug)]
pub struct CallMode {
    pub effective: Effective,
    /// Noise and augmentation draw.
    pub draws: bool,
}

/// The inputs of one call of a layer.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    pub inputs: &'a [Tensor],
    pub weights: Weights<'a>,
    pub semantics: Semantics,
    /// What a BatchNorm normalises with.
    pub statistics: Statistics,
    /// Where noise and augmentation take their draws from; `None`: they act as in inference.
    pub draws: Option<StreamKey<'a>>,
}

impl<'a> Call<'a> {
    /// A call in inference.
    pub fn inference(inputs: &'a [Tensor], weights: Weights<'a>, semantics: Semantics) -> Self {
        Self {
            inputs,
            weights,
            semantics,
            statistics: Statistics::Moving,
            draws: None,
        }
    }

    /// The first input.
    ///
    /// # Errors
    /// There is none.
    pub fn x(&self) -> Result<&'a Tensor> {
        self.inputs
            .first()
            .ok_or_else(|| Error::Msg("the layer has no input".into()))
    }

    /// Both inputs.
    ///
    /// # Errors
    /// Another number of inputs.
    pub fn pair(&self) -> Result<[&'a Tensor; 2]> {
        match self.inputs {
            [a, b] => Ok([a, b]),
            others => Err(Error::Msg(format!(
                "the layer takes two inputs, not {}",
                others.len()
            ))),
        }
    }

    /// `activation(y + bias)`; the layer may have no bias.
    fn with_bias(&self, y: &Tensor, activation: Activation) -> Result<Tensor> {
        let y = match self.weights.get("bias") {
            Some(bias) => &modelens_kernels::elementwise::add_bias(y, bias)?,
            None => y,
        };
        activate(y, activation)
    }

    /// `y * gamma + beta`; the layer may have neither.
    fn scaled(&self, y: &Tensor) -> Result<Tensor> {
        let y = match self.weights.get("gamma") {
            Some(gamma) => &y.broadcast_mul(gamma)?,
            None => y,
        };
        match self.weights.get("beta") {
            Some(beta) => y.broadcast_add(beta),
            None => Ok(y.clone()),
        }
    }
}

/// The dimensions of what a layer makes of `x`, for kinds that move values.
fn output_dims(op: &dyn LayerOp, x: &Tensor) -> Result<Vec<usize>> {
    let image: ImageShape = x.dims().iter().skip(1).copied().map(Some).collect();
    let shapes = Shapes {
        inputs: &[&image],
        weights: &|_| None,
    };
    let shape = op.output_shape(&shapes).map_err(Error::Msg)?;
    let image = shape.into_iter().map(|axis| axis.unwrap_or(1));
    Ok(std::iter::once(x.dim(0)?).chain(image).collect())
}
