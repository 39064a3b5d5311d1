//! Normalisation of a channel's response by those of the other channels.

use candle_core::{Result, Tensor};
use serde::{Deserialize, Serialize};

use super::shape::{ImageShape, Shapes};
use super::{Call, CallMode, LayerOp};
use crate::rules::Role;

/// `x + gamma x r + beta` for `[N, H, W, C]`, where `r` is the length of a channel's map, `sqrt(sum(x^2))`
/// over its pixels, divided by the mean length of the image's channels plus `epsilon`. Weights `gamma` and
/// `beta`: `[C]`. The same in both modes. Source: Woo et al. 2023 (ConvNeXt V2); timm's
/// `GlobalResponseNorm`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResponseNorm {
    pub epsilon: f64,
}

impl LayerOp for ResponseNorm {
    fn role(&self) -> Role {
        Role::Weights
    }

    fn mixes_images(&self, _: CallMode) -> bool {
        false
    }

    fn output_shape(&self, shapes: &Shapes<'_>) -> std::result::Result<ImageShape, String> {
        shapes.image()?;
        Ok(shapes.x().to_vec())
    }

    fn forward(&self, call: &Call<'_>) -> Result<Tensor> {
        let x = call.x()?;
        let lengths = x.sqr()?.sum_keepdim((1, 2))?.sqrt()?;
        let mean = (lengths.mean_keepdim(3)? + self.epsilon)?;
        let response = x.broadcast_mul(&lengths.broadcast_div(&mean)?)?;
        call.scaled(&response)? + x
    }
}
