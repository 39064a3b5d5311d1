//! Images whose values move round.

use candle_core::{Error, Result, Tensor};
use serde::{Deserialize, Serialize};

use super::shape::{ImageShape, Shapes};
use super::{Call, CallMode, LayerOp};
use crate::rules::Role;

/// Moves the values along each axis of an image by `shifts`, to higher indices if positive; what leaves
/// an axis enters at its other end. Source: PyTorch's `roll`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roll {
    /// One entry an axis, without the batch axis.
    pub shifts: Vec<i64>,
}

impl LayerOp for Roll {
    fn role(&self) -> Role {
        Role::Plain
    }

    fn mixes_images(&self, _: CallMode) -> bool {
        false
    }

    fn output_shape(&self, shapes: &Shapes<'_>) -> std::result::Result<ImageShape, String> {
        let x = shapes.x();
        if x.len() != self.shifts.len() {
            return Err(format!(
                "it rolls {} axes of an input with {}",
                self.shifts.len(),
                x.len()
            ));
        }
        Ok(x.to_vec())
    }

    fn forward(&self, call: &Call<'_>) -> Result<Tensor> {
        let mut y = call.x()?.clone();
        if y.rank() != self.shifts.len() + 1 {
            return Err(Error::Msg("it rolls another number of axes".into()));
        }
        for (axis, &by) in self.shifts.iter().enumerate() {
            y = rolled(&y, axis + 1, by)?;
        }
        y.contiguous()
    }
}

/// The tensor with the values along one axis moved by `by`.
pub(super) fn rolled(x: &Tensor, axis: usize, by: i64) -> Result<Tensor> {
    let side = x.dim(axis)?;
    // Below the length, so the casts are exact.
    let by = by.rem_euclid(side.max(1) as i64) as usize;
    if by == 0 {
        return Ok(x.clone());
    }
    let parts = [
        x.narrow(axis, side - by, by)?,
        x.narrow(axis, 0, side - by)?,
    ];
    Tensor::cat(&parts, axis)
}
