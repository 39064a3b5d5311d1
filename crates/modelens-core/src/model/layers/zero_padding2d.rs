//! A border of zeros.

use candle_core::{Result, Tensor};
use serde::{Deserialize, Serialize};

use super::shape::{ImageShape, Shapes, Side};
use super::{Call, CallMode, LayerOp};
use crate::rules::Role;

/// Adds zeros around height and width. Source: Keras' `ZeroPadding2D`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZeroPadding2d {
    /// `[top, bottom, left, right]`.
    pub pixels: [usize; 4],
}

impl LayerOp for ZeroPadding2d {
    fn role(&self) -> Role {
        Role::Plain
    }

    fn mixes_images(&self, _: CallMode) -> bool {
        false
    }

    fn output_shape(&self, shapes: &Shapes<'_>) -> std::result::Result<ImageShape, String> {
        let [height, width, channels] = shapes.image()?;
        let [top, bottom, left, right] = self.pixels;
        let side = |n: Side, before: usize, after: usize| match n {
            None => Ok(None),
            Some(n) => n
                .checked_add(before)
                .and_then(|n| n.checked_add(after))
                .map(Some)
                .ok_or_else(|| "its border is larger than can be counted".to_owned()),
        };
        Ok(vec![
            side(height, top, bottom)?,
            side(width, left, right)?,
            channels,
        ])
    }

    fn forward(&self, call: &Call<'_>) -> Result<Tensor> {
        let [top, bottom, left, right] = self.pixels;
        call.x()?
            .pad_with_zeros(1, top, bottom)?
            .pad_with_zeros(2, left, right)
    }
}
