//! Keras' `Normalization`: fixed statistics of the training data.

use candle_core::{Error, Result, Tensor};
use serde::{Deserialize, Serialize};

use super::shape::{ImageShape, Shapes, inner_axis};
use super::{Call, CallMode, LayerOp};
use crate::rules::Role;

/// `(x - mean) / max(sqrt(variance), 1e-7)`, or its inverse; the same in both modes. Weights, which no
/// optimizer changes: `mean` and `variance`, with one value for each place along `axes`. Source: Keras'
/// `Normalization`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Normalization {
    /// The axes that have statistics of their own: 0 is the batch axis, negative axes count from the
    /// end. Without any, one mean and one variance hold for all values.
    pub axes: Vec<i64>,
    /// `mean + x * max(sqrt(variance), 1e-7)`.
    pub invert: bool,
}

impl Normalization {
    /// The axes of an image with `rank` axes that have statistics of their own, in ascending order;
    /// `None` if they are not axes of one image.
    pub fn inner_axes(&self, rank: usize) -> Option<Vec<usize>> {
        let axes = self.axes.iter().map(|&axis| inner_axis(axis, rank));
        let mut axes = axes.collect::<Option<Vec<_>>>()?;
        axes.sort_unstable();
        axes.dedup();
        Some(axes)
    }
}

impl LayerOp for Normalization {
    fn role(&self) -> Role {
        Role::Plain
    }

    fn scales_input(&self) -> bool {
        true
    }

    fn mixes_images(&self, _: CallMode) -> bool {
        false
    }

    fn output_shape(&self, shapes: &Shapes<'_>) -> std::result::Result<ImageShape, String> {
        let x = shapes.x();
        match self.inner_axes(x.len()) {
            Some(_) => Ok(x.to_vec()),
            None => Err(format!(
                "its axes {:?} are not those of one image",
                self.axes
            )),
        }
    }

    fn forward(&self, call: &Call<'_>) -> Result<Tensor> {
        let x = call.x()?;
        let axes = self.inner_axes(x.rank().saturating_sub(1));
        let axes = axes.ok_or_else(|| Error::Msg("no such axis".into()))?;
        let mut shape = vec![1; x.rank()];
        for axis in axes {
            shape[axis + 1] = x.dim(axis + 1)?;
        }
        let mean = call.weights.need("mean")?.reshape(shape.as_slice())?;
        let deviation = call.weights.need("variance")?.reshape(shape)?.sqrt()?;
        let floor = Tensor::full(1e-7_f32, deviation.shape(), deviation.device())?;
        let deviation = deviation.maximum(&floor)?;
        if self.invert {
            x.broadcast_mul(&deviation)?.broadcast_add(&mean)
        } else {
            x.broadcast_sub(&mean)?.broadcast_div(&deviation)
        }
    }
}
