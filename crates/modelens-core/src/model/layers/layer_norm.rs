//! Layer normalisation.

use candle_core::{Error, Result, Tensor};
use serde::{Deserialize, Serialize};

use super::shape::{ImageShape, Shapes};
use super::{Call, CallMode, LayerOp};
use crate::rules::Role;
use modelens_kernels::standardise::standardise_rows;

/// `gamma * (x - mean) / sqrt(variance + epsilon) + beta`, with mean and variance over the last `axes`
/// axes of each image; the same in both modes. Weights, over those axes: `gamma`, `beta` (both
/// optional). Source: Ba et al. 2016; Keras' `LayerNormalization`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerNorm {
    pub axes: usize,
    pub epsilon: f64,
}

impl LayerOp for LayerNorm {
    fn role(&self) -> Role {
        Role::Weights
    }

    fn scales_input(&self) -> bool {
        true
    }

    fn mixes_images(&self, _: CallMode) -> bool {
        false
    }

    fn output_shape(&self, shapes: &Shapes<'_>) -> std::result::Result<ImageShape, String> {
        Ok(shapes.x().to_vec())
    }

    fn forward(&self, call: &Call<'_>) -> Result<Tensor> {
        let x = call.x()?;
        let first = x.rank().checked_sub(self.axes).filter(|&first| first > 0);
        let first = first.ok_or_else(|| Error::Msg("too many axes".into()))?;
        let length: usize = x.dims()[first..].iter().product();
        let rows = x.reshape(((), length.max(1)))?;
        let y = standardise_rows(&rows, self.epsilon)?;
        call.scaled(&y.reshape(x.dims())?)
    }
}
