//! Cropping.

use candle_core::{Result, Tensor};
use serde::{Deserialize, Serialize};

use super::shape::{ImageShape, Shapes, Side};
use super::{Call, CallMode, LayerOp, output_dims};
use crate::rules::Role;

/// Cuts off rows and columns at the border. Source: Keras' `Cropping2D`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cropping2d {
    /// `[top, bottom, left, right]`.
    pub pixels: [usize; 4],
}

impl LayerOp for Cropping2d {
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
            Some(n) => before
                .checked_add(after)
                .and_then(|cut| n.checked_sub(cut))
                .filter(|&left| left > 0)
                .map(Some)
                .ok_or_else(|| format!("it cuts off more than the {n} pixels there are")),
        };
        Ok(vec![
            side(height, top, bottom)?,
            side(width, left, right)?,
            channels,
        ])
    }

    fn forward(&self, call: &Call<'_>) -> Result<Tensor> {
        let x = call.x()?;
        let dims = output_dims(self, x)?;
        let [top, _, left, _] = self.pixels;
        x.narrow(1, top, dims[1])?
            .narrow(2, left, dims[2])?
            .contiguous()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crops_larger_than_the_image_are_refused() {
        let shapes = Shapes {
            inputs: &[&[Some(4), Some(4), Some(2)]],
            weights: &|_| None,
        };
        for pixels in [[2, 2, 0, 0], [usize::MAX, 2, 0, 0]] {
            assert!(Cropping2d { pixels }.output_shape(&shapes).is_err());
        }
    }
}
