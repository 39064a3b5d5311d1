//! What each layer computes, one file a family. Tensors are `[N, H, W, C]` or `[N, C]`: rows of
//! channels lie side by side, which depthwise convolution and BatchNorm walk along.

pub mod arrange;
pub mod conv;
pub mod elementwise;
mod kernel;
pub mod noise;
pub mod norm;
pub mod pool;
pub mod window;

use candle_core::{Error, Result, Tensor};

use super::graph::{Layer, LayerKind};

/// A layer that computes the same in both modes, on the values of its inputs.
///
/// # Errors
/// Shapes that do not fit, and kinds whose behaviour depends on the mode: BatchNorm, noise and
/// augmentation are the pass's own business.
pub fn forward(layer: &Layer, inputs: &[Tensor]) -> Result<Tensor> {
    let x = inputs
        .first()
        .ok_or_else(|| Error::Msg("the layer has no input".into()))?;
    match &layer.kind {
        LayerKind::Input | LayerKind::Model | LayerKind::Identity => Ok(x.clone()),
        LayerKind::Rescaling { scale, offset } => elementwise::scale_shift(x, scale, offset),
        LayerKind::Conv2d(settings) => {
            let y = conv::conv2d(x, weight(layer, "kernel")?, settings)?;
            elementwise::activate(&biased(layer, y)?, settings.activation)
        }
        LayerKind::DepthwiseConv2d(settings) => {
            let y = conv::depthwise_conv2d(x, weight(layer, "depthwise_kernel")?, settings)?;
            elementwise::activate(&biased(layer, y)?, settings.activation)
        }
        LayerKind::SeparableConv2d(settings) => {
            let y = conv::depthwise_conv2d(x, weight(layer, "depthwise_kernel")?, settings)?;
            let pointwise = super::graph::Conv2d {
                strides: [1, 1],
                dilation: [1, 1],
                groups: 1,
                ..settings.clone()
            };
            let y = conv::conv2d(&y, weight(layer, "pointwise_kernel")?, &pointwise)?;
            elementwise::activate(&biased(layer, y)?, settings.activation)
        }
        LayerKind::Dense(activation) => {
            let y = conv::dense(x, weight(layer, "kernel")?)?;
            elementwise::activate(&biased(layer, y)?, *activation)
        }
        LayerKind::Activation(activation) => elementwise::activate(x, *activation),
        LayerKind::ZeroPadding2d(amounts) => arrange::zero_padding2d(x, *amounts),
        LayerKind::Merge(merge) => arrange::merge(inputs, *merge),
        LayerKind::Operator(operator) => match inputs {
            [a, b] => arrange::binary(a, b, *operator),
            _ => Err(Error::Msg("an operator takes two inputs".into())),
        },
        LayerKind::GetItem(slices) => arrange::get_item(x, slices),
        LayerKind::Pool2d(settings) => pool::pool2d(x, *settings),
        LayerKind::GlobalPool2d { pooling, keep_dims } => {
            pool::global_pool2d(x, *pooling, *keep_dims)
        }
        LayerKind::Flatten => arrange::flatten(x),
        LayerKind::BatchNorm(_) | LayerKind::Noise(_) | LayerKind::Augment(_) => {
            Err(Error::Msg("the layer depends on the mode".into()))
        }
    }
}

/// The weight of this name, which the layer cannot do without.
fn weight<'a>(layer: &'a Layer, name: &str) -> Result<&'a Tensor> {
    layer
        .weight(name)
        .ok_or_else(|| Error::Msg(format!("weight `{name}` is missing")))
}

/// `y + bias` where the layer has a bias.
fn biased(layer: &Layer, y: Tensor) -> Result<Tensor> {
    match layer.weight("bias") {
        Some(bias) => elementwise::add_bias(&y, bias),
        None => Ok(y),
    }
}
