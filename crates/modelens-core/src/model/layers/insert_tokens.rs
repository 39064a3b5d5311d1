//! Learned tokens among those of an image.

use candle_core::{Result, Tensor};
use serde::{Deserialize, Serialize};

use super::shape::{ImageShape, Shapes, misfit};
use super::{Call, CallMode, LayerOp};
use crate::rules::Role;

/// Puts `tokens` `[K, ...]`, the same for every image, before place `at` of the first axis of
/// `[N, T, ...]`: `[N, T + K, ...]`. The class token and the registers of vision transformers. Source: Dosovitskiy et
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
        let own = (shapes.weights)("tokens").ok_or("weight `tokens` is missing")?;
        let (Some((&count, rest)), Some((&length, sides))) =
            (own.split_first(), shapes.x().split_first())
        else {
            return Err(misfit(shapes.x()));
        };
        let mut both = rest.iter().zip(sides);
        let fits = rest.len() == sides.len()
            && both.all(|(own, side)| side.is_none_or(|side| side == *own))
            && length.is_none_or(|length| length >= self.at);
        if !fits {
            return Err(misfit(shapes.x()));
        }
        let length = length.map(|length| length.saturating_add(count));
        let rest = rest.iter().copied().map(Some);
        Ok(std::iter::once(length).chain(rest).collect())
    }

    fn forward(&self, call: &Call<'_>) -> Result<Tensor> {
        let x = call.x()?;
        let (n, length) = (x.dim(0)?, x.dim(1)?);
        let tokens = call.weights.need("tokens")?;
        let dims: Vec<usize> = std::iter::once(n)
            .chain(tokens.dims().iter().copied())
            .collect();
        let tokens = tokens.unsqueeze(0)?.broadcast_as(dims)?;
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
