//! Blocks of pixels as channels, and channels as blocks of pixels.

use candle_core::{Result, Tensor};
use serde::{Deserialize, Serialize};

use super::shape::{ImageShape, Shapes, Side, misfit};
use super::{Call, CallMode, LayerOp, output_dims};
use crate::rules::Role;

/// Moves channels into blocks of `block` x `block` pixels, or such blocks into channels. Source: ONNX'
/// `DepthToSpace` and `SpaceToDepth`; with `channels_first`, PyTorch's `PixelShuffle` and
/// `PixelUnshuffle`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DepthSpace {
    /// Pixels along each side of a block, at least 1.
    pub block: usize,
    /// True from pixels to channels.
    pub to_depth: bool,
    /// Where a channel of the deep image lies: `(c * block + row) * block + column` if true, else
    /// `(row * block + column) * channels + c`.
    pub channels_first: bool,
}

impl LayerOp for DepthSpace {
    fn role(&self) -> Role {
        Role::Plain
    }

    fn mixes_images(&self, _: CallMode) -> bool {
        false
    }

    fn output_shape(&self, shapes: &Shapes<'_>) -> std::result::Result<ImageShape, String> {
        let [height, width, channels] = shapes.image()?;
        let many = |n: Side, factor: Option<usize>| match (n, factor) {
            (None, _) => Ok(None),
            (Some(n), Some(factor)) => match n.checked_mul(factor) {
                Some(product) => Ok(Some(product)),
                None => Err(misfit(shapes.x())),
            },
            (Some(_), None) => Err(misfit(shapes.x())),
        };
        let part = |n: Side, what: &str, factor: Option<usize>| match (n, factor) {
            (None, _) => Ok(None),
            (Some(n), Some(factor)) if factor > 0 && n.is_multiple_of(factor) => {
                Ok(Some(n / factor))
            }
            (Some(n), _) => Err(format!(
                "it cannot divide {n} {what} into blocks of {0} x {0} pixels",
                self.block
            )),
        };
        let (side, area) = (Some(self.block), self.block.checked_mul(self.block));
        Ok(if self.to_depth {
            vec![
                part(height, "rows", side)?,
                part(width, "columns", side)?,
                many(channels, area)?,
            ]
        } else {
            vec![
                many(height, side)?,
                many(width, side)?,
                part(channels, "channels", area)?,
            ]
        })
    }

    fn forward(&self, call: &Call<'_>) -> Result<Tensor> {
        let x = call.x()?;
        let dims = output_dims(self, x)?;
        let n = x.dim(0)?;
        let b = self.block;
        // Of the image with fewer channels: blocks along its sides, and its channels.
        let (rows, columns, c) = if self.to_depth {
            (dims[1], dims[2], x.dim(3)?)
        } else {
            (x.dim(1)?, x.dim(2)?, dims[3])
        };
        let y = match (self.to_depth, self.channels_first) {
            (false, false) => x
                .reshape(vec![n, rows, columns, b, b, c])?
                .permute(vec![0, 1, 3, 2, 4, 5])?,
            (false, true) => x
                .reshape(vec![n, rows, columns, c, b, b])?
                .permute(vec![0, 1, 4, 2, 5, 3])?,
            (true, false) => x
                .reshape(vec![n, rows, b, columns, b, c])?
                .permute(vec![0, 1, 3, 2, 4, 5])?,
            (true, true) => x
                .reshape(vec![n, rows, b, columns, b, c])?
                .permute(vec![0, 1, 3, 5, 2, 4])?,
        };
        y.contiguous()?.reshape((n, dims[1], dims[2], dims[3]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_that_no_block_divides_are_refused() {
        let shapes = Shapes {
            inputs: &[&[Some(4), None, Some(6)]],
            weights: &|_| None,
        };
        let shape = |block, to_depth| {
            let channels_first = false;
            DepthSpace {
                block,
                to_depth,
                channels_first,
            }
            .output_shape(&shapes)
        };
        assert_eq!(shape(2, true).unwrap(), [Some(2), None, Some(24)]);
        assert!(shape(3, true).unwrap_err().contains("4 rows"));
        assert!(shape(2, false).unwrap_err().contains("6 channels"));
        assert!(shape(usize::MAX, false).is_err());
        assert!(shape(0, true).is_err());
    }
}
