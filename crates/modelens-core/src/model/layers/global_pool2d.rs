//! Pooling over the whole image.

use candle_core::{Result, Tensor};
use serde::{Deserialize, Serialize};

use super::shape::{ImageShape, Shapes};
use super::{Call, CallMode, LayerOp, Pooling};
use crate::rules::Role;
use modelens_kernels::elementwise::keep_nan;
use modelens_kernels::pixel_mean::pixel_mean;

/// Largest or mean value over H and W of `[N, H, W, C]`. Source: Keras' `GlobalMaxPooling2D` and
/// `GlobalAveragePooling2D`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GlobalPool2d {
    pub pooling: Pooling,
    /// The output is `[N, 1, 1, C]` instead of `[N, C]`.
    pub keep_dims: bool,
}

impl LayerOp for GlobalPool2d {
    fn role(&self) -> Role {
        Role::Plain
    }

    fn mixes_images(&self, _: CallMode) -> bool {
        false
    }

    fn output_shape(&self, shapes: &Shapes<'_>) -> std::result::Result<ImageShape, String> {
        let [_, _, channels] = shapes.image()?;
        Ok(if self.keep_dims {
            vec![Some(1), Some(1), channels]
        } else {
            vec![channels]
        })
    }

    fn forward(&self, call: &Call<'_>) -> Result<Tensor> {
        let (n, height, width, channels) = call.x()?.dims4()?;
        let x = call.x()?.reshape((n, height * width, channels))?;
        let y = match self.pooling {
            Pooling::Max => keep_nan(&x.max(1)?, &x.ne(&x)?.max(1)?)?,
            Pooling::Average => pixel_mean(&x)?,
        };
        if self.keep_dims {
            y.reshape((n, 1, 1, channels))
        } else {
            Ok(y)
        }
    }
}
