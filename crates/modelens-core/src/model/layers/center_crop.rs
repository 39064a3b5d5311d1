//! Cropping to the centre.

use candle_core::{Error, Result, Tensor};
use serde::{Deserialize, Serialize};

use super::shape::{ImageShape, Shapes};
use super::{Call, CallMode, LayerOp};
use crate::model::shape_text;
use crate::rules::Role;

/// The central `height` x `width` pixels; an odd pixel is cut off at the bottom and at the right. Source:
/// Keras' `CenterCrop`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CenterCrop {
    pub height: usize,
    pub width: usize,
}

impl LayerOp for CenterCrop {
    fn role(&self) -> Role {
        Role::Plain
    }

    fn mixes_images(&self, _: CallMode) -> bool {
        false
    }

    fn output_shape(&self, shapes: &Shapes<'_>) -> std::result::Result<ImageShape, String> {
        let [height, width, channels] = shapes.image()?;
        let fits = |n: Option<usize>, kept: usize| n.is_none_or(|n| kept > 0 && kept <= n);
        if !fits(height, self.height) || !fits(width, self.width) {
            return Err(format!(
                "it takes the middle {} by {} pixels of {}; enlarging first is not supported",
                self.height,
                self.width,
                shape_text(shapes.x())
            ));
        }
        Ok(vec![Some(self.height), Some(self.width), channels])
    }

    fn forward(&self, call: &Call<'_>) -> Result<Tensor> {
        let x = call.x()?;
        let (_, height, width, _) = x.dims4()?;
        let too_small = || Error::Msg("the image is smaller than the crop".into());
        let top = height.checked_sub(self.height).ok_or_else(too_small)? / 2;
        let left = width.checked_sub(self.width).ok_or_else(too_small)? / 2;
        x.narrow(1, top, self.height)?
            .narrow(2, left, self.width)?
            .contiguous()
    }
}
