//! Depthwise separable convolution.

use candle_core::{Result, Tensor};
use serde::{Deserialize, Serialize};

use super::conv2d::conv2d;
use super::depthwise_conv2d::depthwise_conv2d;
use super::shape::{ImageShape, MAX_VALUES, Shapes, value_count};
use super::{Call, CallMode, Conv2d, LayerOp};
use crate::rules::Role;

/// A depthwise convolution with `depthwise_kernel` `[kh, kw, C, multiplier]`, then a 1x1 convolution
/// with `pointwise_kernel` `[1, 1, C * multiplier, out]`, plus `bias` `[out]` (optional), then an
/// activation. `groups` is not used. Source: Keras' `SeparableConv2D`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SeparableConv2d(pub Conv2d);

impl SeparableConv2d {
    /// The shapes after the depthwise and the pointwise convolution.
    fn shapes(&self, shapes: &Shapes<'_>) -> std::result::Result<[ImageShape; 2], String> {
        let [height, width, _] = shapes.image()?;
        let [kh, kw, channels, multiplier] = shapes.weight("depthwise_kernel")?;
        let [.., out] = shapes.weight::<4>("pointwise_kernel")?;
        let inner = channels
            .checked_mul(multiplier)
            .ok_or("it has more channels than can be counted")?;
        let [height, width] = self.0.output_sides([height, width], [kh, kw])?;
        Ok([inner, out].map(|channels| vec![height, width, Some(channels)]))
    }
}

impl LayerOp for SeparableConv2d {
    fn role(&self) -> Role {
        Role::Weights
    }

    fn mixes_images(&self, _: CallMode) -> bool {
        false
    }

    fn output_shape(&self, shapes: &Shapes<'_>) -> std::result::Result<ImageShape, String> {
        let [inner, output] = self.shapes(shapes)?;
        if value_count(&inner) > MAX_VALUES {
            return Err(format!(
                "it makes more than {MAX_VALUES} values of one image before its pointwise step"
            ));
        }
        Ok(output)
    }

    fn forward(&self, call: &Call<'_>) -> Result<Tensor> {
        let kernel = call.weights.need("depthwise_kernel")?;
        let inner = depthwise_conv2d(call.x()?, kernel, &self.0)?;
        let pointwise = Conv2d {
            strides: [1, 1],
            dilation: [1, 1],
            groups: 1,
            ..self.0.clone()
        };
        let y = conv2d(&inner, call.weights.need("pointwise_kernel")?, &pointwise)?;
        call.with_bias(&y, self.0.activation)
    }

    fn scratch_values(&self, shapes: &Shapes<'_>) -> usize {
        self.shapes(shapes)
            .map_or(0, |[inner, _]| value_count(&inner))
    }
}
