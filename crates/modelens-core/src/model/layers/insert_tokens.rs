//! Learned tokens among those of an image.

use candle_core::{Result, Tensor};
use serde::{Deserialize, Serialize};

use super::shape::{ImageShape, Shapes, misfit};
use super::{Call, CallMode, LayerOp};
use crate::rules::Role;

/// Puts `tokens` `[K, C]`, the same for every image, before token `at` of `[N, T, C]`:
/// `[N, T + K, C]`. The class token and the registers of vision transformers. Source: Dosovitskiy et
/// al. 2020; timm's `VisionTransformer`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InsertTokens {
    pub at: usize,
}

impl LayerOp for InsertTokens {
    fn role(&self) -> Role {
        Role::Weights
    }

    fn mixes_images(&self, _: CallMode) -> bool {
        false
    }

    fn output_shape(&self, shapes: &Shapes<'_>) -> std::result::Result<ImageShape, String> {
        let [count, width] = shapes.weight("tokens")?;
        match *shapes.x() {
            [tokens, channels] if channels.is_none_or(|c| c == width) => {
                if tokens.is_some_and(|tokens| tokens < self.at) {
                    return Err(misfit(shapes.x()));
                }
                let tokens = tokens.map(|tokens| tokens.saturating_add(count));
                Ok(vec![tokens, Some(width)])
            }
            _ => Err(misfit(shapes.x())),
        }
    }

    fn forward(&self, call: &Call<'_>) -> Result<Tensor> {
        let x = call.x()?;
        let (n, length, _) = x.dims3()?;
        let tokens = call.weights.need("tokens")?;
        let (count, width) = tokens.dims2()?;
        let tokens = tokens.unsqueeze(0)?.broadcast_as((n, count, width))?;
        let mut parts = vec![tokens.contiguous()?];
        if self.at > 0 {
            parts.insert(0, x.narrow(1, 0, self.at)?);
        }
        if self.at < length {
            parts.push(x.narrow(1, self.at, length - self.at)?);
        }
        Tensor::cat(&parts, 1)
    }
}
