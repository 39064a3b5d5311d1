//! Reductions over axes.

use candle_core::{Error, Result, Tensor};
use serde::{Deserialize, Serialize};

use super::shape::{ImageShape, Shapes, inner_axis};
use super::{Call, CallMode, LayerOp};
use crate::rules::Role;
use modelens_kernels::elementwise::keep_nan;

/// The sum, mean, largest or smallest value over some axes of an image. Source: `reduce_mean`, `amax`
/// and the like of TensorFlow, Keras and ONNX.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reduce {
    pub by: Reduction,
    /// As the file writes them: 0 is the batch axis, negative axes count from the end.
    pub axes: Vec<i64>,
    pub keep_dims: bool,
}

/// What [`Reduce`] computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reduction {
    Sum,
    Mean,
    Max,
    Min,
}

impl LayerOp for Reduce {
    fn role(&self) -> Role {
        Role::Plain
    }

    fn mixes_images(&self, _: CallMode) -> bool {
        false
    }

    fn output_shape(&self, shapes: &Shapes<'_>) -> std::result::Result<ImageShape, String> {
        let mut shape = shapes.x().to_vec();
        for axis in self.inner_axes(shape.len())? {
            if self.keep_dims {
                shape[axis] = Some(1);
            } else {
                shape.remove(axis);
            }
        }
        Ok(shape)
    }

    fn forward(&self, call: &Call<'_>) -> Result<Tensor> {
        let x = call.x()?;
        let mut y = x.clone();
        let axes = self
            .inner_axes(x.rank().saturating_sub(1))
            .map_err(Error::Msg)?;
        for axis in axes.into_iter().map(|axis| axis + 1) {
            let reduced = match self.by {
                Reduction::Sum => y.sum_keepdim(axis)?,
                Reduction::Mean => y.mean_keepdim(axis)?,
                Reduction::Max => keep_nan(&y.max_keepdim(axis)?, &y.ne(&y)?.max_keepdim(axis)?)?,
                Reduction::Min => keep_nan(&y.min_keepdim(axis)?, &y.ne(&y)?.max_keepdim(axis)?)?,
            };
            y = if self.keep_dims {
                reduced
            } else {
                reduced.squeeze(axis)?
            };
        }
        y.contiguous()
    }
}

impl Reduce {
    /// The axes without the batch axis, the last one first, for an image with `rank` axes.
    fn inner_axes(&self, rank: usize) -> std::result::Result<Vec<usize>, String> {
        let inner = |&axis: &i64| inner_axis(axis, rank);
        let mut axes: Vec<usize> =
            self.axes
                .iter()
                .map(inner)
                .collect::<Option<_>>()
                .ok_or(format!(
                    "its axes {:?} are not those of one image",
                    self.axes
                ))?;
        axes.sort_unstable();
        axes.dedup();
        axes.reverse();
        Ok(axes)
    }
}
