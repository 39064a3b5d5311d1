//! Root mean square normalisation.

use candle_core::{Error, Result, Tensor};
use serde::{Deserialize, Serialize};

use super::shape::{ImageShape, Shapes};
use super::{Call, CallMode, LayerOp};
use crate::rules::Role;

/// `scale * x / sqrt(mean(x^2) + epsilon)`, with the mean over the last `axes` axes of each image; the
/// same in both modes. Weight, over those axes: `scale`. Source: Zhang and Sennrich 2019; Keras'
/// `RMSNormalization`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RmsNorm {
    pub axes: usize,
    pub epsilon: f64,
}

impl LayerOp for RmsNorm {
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
        let axes: Vec<usize> = (first..x.rank()).collect();
        let squares = x.sqr()?.mean_keepdim(axes)?;
        x.broadcast_div(&(squares + self.epsilon)?.sqrt()?)?
            .broadcast_mul(call.weights.need("scale")?)
    }
}
