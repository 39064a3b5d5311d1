//! Moves values between channels and square blocks of pixels.

use candle_core::{Result, Tensor};
use serde::{Deserialize, Serialize};

use super::shape::{ImageShape, Shapes, misfit};
use super::{Call, CallMode, LayerOp};
use crate::rules::Role;

/// Spreads channels over blocks of pixels, or gathers blocks into channels. Source: ONNX' `DepthToSpace`
/// and `SpaceToDepth`, PyTorch's `PixelShuffle`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blocks {
    /// Pixels along a side of a block.
    pub side: usize,
    pub order: BlockOrder,
}

/// What the channels of a pixel count first. `b` is the place in the block, row by row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BlockOrder {
    /// Spreads: channel `b * C + c` (`DCR`).
    SpreadDepthFirst,
    /// Spreads: channel `c * side * side + b` (`CRD`, PyTorch's `PixelShuffle`).
    SpreadColumnFirst,
    /// Gathers into channel `b * C + c`.
    Gather,
}

impl LayerOp for Blocks {
    fn role(&self) -> Role {
        Role::Plain
    }

    fn mixes_images(&self, _: CallMode) -> bool {
        false
    }

    fn output_shape(&self, shapes: &Shapes<'_>) -> std::result::Result<ImageShape, String> {
        let [height, width, channels] = shapes.image()?;
        let area = self.side.checked_mul(self.side).filter(|&area| area > 0);
        let area = area.ok_or_else(|| misfit(shapes.x()))?;
        let times = |n: Option<usize>, by: usize| match n {
            None => Ok(None),
            Some(n) => n.checked_mul(by).map(Some).ok_or(misfit(shapes.x())),
        };
        let over = |n: Option<usize>, by: usize| match n {
            Some(n) if !n.is_multiple_of(by) => Err(misfit(shapes.x())),
            n => Ok(n.map(|n| n / by)),
        };
        match self.order {
            BlockOrder::SpreadDepthFirst | BlockOrder::SpreadColumnFirst => Ok(vec![
                times(height, self.side)?,
                times(width, self.side)?,
                over(channels, area)?,
            ]),
            BlockOrder::Gather => Ok(vec![
                over(height, self.side)?,
                over(width, self.side)?,
                times(channels, area)?,
            ]),
        }
    }

    fn forward(&self, call: &Call<'_>) -> Result<Tensor> {
        let (n, h, w, c) = call.x()?.dims4()?;
        let b = self.side;
        let x = call.x()?.contiguous()?;
        match self.order {
            BlockOrder::SpreadDepthFirst => {
                let own = c / (b * b);
                x.reshape(&[n, h, w, b, b, own])?
                    .permute([0, 1, 3, 2, 4, 5])?
                    .contiguous()?
                    .reshape((n, h * b, w * b, own))
            }
            BlockOrder::SpreadColumnFirst => {
                let own = c / (b * b);
                x.reshape(&[n, h, w, own, b, b])?
                    .permute([0, 1, 4, 2, 5, 3])?
                    .contiguous()?
                    .reshape((n, h * b, w * b, own))
            }
            BlockOrder::Gather => x
                .reshape(&[n, h / b, b, w / b, b, c])?
                .permute([0, 1, 3, 2, 4, 5])?
                .contiguous()?
                .reshape((n, h / b, w / b, b * b * c)),
        }
    }
}
