//! What each layer computes, one file a family. Tensors are `[N, H, W, C]` or `[N, C]`: rows of
//! channels lie side by side, which depthwise convolution and BatchNorm walk along.

pub mod arrange;
pub mod channels;
pub mod conv;
pub mod conv_grad;
pub mod depthwise;
pub mod depthwise_grad;
pub mod elementwise;
pub mod function;
#[cfg(test)]
mod gradient_tests;
pub mod kernel;
pub mod noise;
pub mod norm;
pub mod norm_gradient;
pub mod normaliser;
pub mod pool;
pub mod product;
#[cfg(test)]
mod product_tests;
#[cfg(test)]
mod rare_gradient_tests;
pub mod rearrange;
pub mod simd;
pub mod size;
pub mod sums;
pub mod transposed;
pub mod window;

use std::collections::BTreeMap;

use candle_core::{Error, Result, Tensor};

use super::graph::{Graph, Layer, LayerId, LayerKind};

/// The weights of one layer: those of the file, or others in their place.
#[derive(Clone, Copy)]
pub struct Weights<'a> {
    layer: &'a Layer,
    id: LayerId,
    instead: Option<&'a Overrides>,
}

/// Weights to take instead of the model's, by layer and short name: a training step works on
/// copies, and the model stays as it is.
pub type Overrides = BTreeMap<(LayerId, &'static str), Tensor>;

impl<'a> Weights<'a> {
    pub fn new(graph: &'a Graph, id: LayerId, instead: Option<&'a Overrides>) -> Self {
        Self {
            layer: &graph.layers[id],
            id,
            instead,
        }
    }

    /// The weight of this short name.
    pub fn get(&self, name: &str) -> Option<&'a Tensor> {
        let own = self.layer.weights.iter().find(|w| w.name == name)?;
        let other = self
            .instead
            .and_then(|instead| instead.get(&(self.id, own.name)));
        Some(other.unwrap_or(&own.tensor))
    }

    /// The weight of this name, which the layer cannot do without.
    fn need(&self, name: &str) -> Result<&'a Tensor> {
        self.get(name)
            .ok_or_else(|| Error::Msg(format!("weight `{name}` is missing")))
    }
}

/// A layer that computes the same in both modes, on the values of its inputs.
///
/// # Errors
/// Shapes that do not fit, and kinds whose behaviour depends on the mode: BatchNorm, noise and
/// augmentation are the pass's own business.
pub fn forward(layer: &Layer, weights: Weights<'_>, inputs: &[Tensor]) -> Result<Tensor> {
    let x = inputs
        .first()
        .ok_or_else(|| Error::Msg("the layer has no input".into()))?;
    match &layer.kind {
        LayerKind::Input | LayerKind::Model | LayerKind::Identity => Ok(x.clone()),
        LayerKind::Rescaling { scale, offset } => elementwise::scale_shift(x, scale, offset),
        LayerKind::Conv2d(settings) => {
            let y = conv::conv2d(x, weights.need("kernel")?, settings)?;
            elementwise::activate(&biased(weights, y)?, settings.activation)
        }
        LayerKind::DepthwiseConv2d(settings) => {
            let y = conv::depthwise_conv2d(x, weights.need("depthwise_kernel")?, settings)?;
            elementwise::activate(&biased(weights, y)?, settings.activation)
        }
        LayerKind::SeparableConv2d(settings) => {
            let y = conv::depthwise_conv2d(x, weights.need("depthwise_kernel")?, settings)?;
            let pointwise = super::graph::Conv2d {
                strides: [1, 1],
                dilation: [1, 1],
                groups: 1,
                ..settings.clone()
            };
            let y = conv::conv2d(&y, weights.need("pointwise_kernel")?, &pointwise)?;
            elementwise::activate(&biased(weights, y)?, settings.activation)
        }
        LayerKind::TransposedConv2d(settings) => {
            let y = transposed::transposed_conv2d(x, weights.need("kernel")?, settings)?;
            elementwise::activate(&biased(weights, y)?, settings.activation)
        }
        LayerKind::Normaliser(normaliser) => normaliser.forward(x, weights),
        LayerKind::PRelu => function::prelu(x, weights.need("alpha")?),
        LayerKind::LayerScale => x.broadcast_mul(weights.need("gamma")?),
        LayerKind::ScaledSum(scale) => match inputs {
            [a, b] => a + (b * f64::from(*scale))?,
            _ => Err(Error::Msg("a scaled sum takes two inputs".into())),
        },
        LayerKind::Arrange(arrange) => arrange.forward(x),
        LayerKind::Reduce(reduce) => reduce.forward(x),
        LayerKind::Dense(activation) => {
            let y = conv::dense(x, weights.need("kernel")?)?;
            elementwise::activate(&biased(weights, y)?, *activation)
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
        LayerKind::AdaptivePool2d { pooling, output } => {
            pool::adaptive_pool2d(x, *pooling, *output)
        }
        LayerKind::Flatten => arrange::flatten(x),
        LayerKind::BatchNorm(_) | LayerKind::Noise(_) | LayerKind::Augment(_) => {
            Err(Error::Msg("the layer depends on the mode".into()))
        }
    }
}

/// `y + bias` where the layer has a bias.
fn biased(weights: Weights<'_>, y: Tensor) -> Result<Tensor> {
    match weights.get("bias") {
        Some(bias) => elementwise::add_bias(&y, bias),
        None => Ok(y),
    }
}
