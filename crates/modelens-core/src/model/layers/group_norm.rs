//! Group normalisation.

use candle_core::{Error, Result, Tensor};
use serde::{Deserialize, Serialize};

use super::shape::{ImageShape, Shapes};
use super::{Call, CallMode, LayerOp};
use crate::model::shape_text;
use crate::rules::Role;
use modelens_kernels::standardise::standardise_rows;

/// `gamma * (x - mean) / sqrt(variance + epsilon) + beta`, with mean and variance over height, width
/// and the channels of one group; the same in both modes. Weights, each `[C]`: `gamma`, `beta` (both
/// optional). Source: Wu and He 2018; Keras' `GroupNormalization`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupNorm {
    /// `None`: every channel is its own group (instance normalisation).
    pub groups: Option<usize>,
    pub epsilon: f64,
}

impl LayerOp for GroupNorm {
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
        let x = shapes.x();
        let channels = x.last().copied().flatten();
        if let Some(groups) = self.groups
            && channels.is_none_or(|c| !c.is_multiple_of(groups))
        {
            return Err(format!(
                "the channels of {} cannot be divided into {groups} groups",
                shape_text(x)
            ));
        }
        Ok(x.to_vec())
    }

    fn forward(&self, call: &Call<'_>) -> Result<Tensor> {
        let x = call.x()?;
        let channels = x.dim(x.rank() - 1)?;
        let groups = self.groups.unwrap_or(channels);
        if groups == 0 || channels % groups != 0 {
            return Err(Error::Msg(format!(
                "{channels} channels cannot be divided into {groups} groups"
            )));
        }
        let (n, width) = (x.dim(0)?, channels / groups);
        let pixels = x.elem_count() / (n * channels).max(1);
        let by_group = x.reshape((n, pixels, groups, width))?.transpose(1, 2)?;
        let rows = by_group
            .contiguous()?
            .reshape((n * groups, pixels * width))?;
        let y = standardise_rows(&rows, self.epsilon)?;
        let y = y.reshape((n, groups, pixels, width))?.transpose(1, 2)?;
        call.scaled(&y.contiguous()?.reshape(x.dims())?)
    }
}
