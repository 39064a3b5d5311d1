//! Removing an axis of length 1.

use candle_core::{Result, Tensor};
use serde::{Deserialize, Serialize};

use super::shape::{ImageShape, Shapes, inner_axis, misfit};
use super::{Call, CallMode, LayerOp, output_dims};
use crate::rules::Role;

/// Removes an axis of length 1. Source: `squeeze` of TensorFlow and Keras.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Squeeze {
    /// As the file writes it: 0 is the batch axis, negative axes count from the end.
    pub axis: i64,
}

impl LayerOp for Squeeze {
    fn role(&self) -> Role {
        Role::Plain
    }

    fn mixes_images(&self, _: CallMode) -> bool {
        false
    }

    fn output_shape(&self, shapes: &Shapes<'_>) -> std::result::Result<ImageShape, String> {
        let mut axes = shapes.x().to_vec();
        let axis = inner_axis(self.axis, axes.len())
            .filter(|&axis| axes[axis] == Some(1))
            .ok_or_else(|| misfit(shapes.x()))?;
        axes.remove(axis);
        Ok(axes)
    }

    fn forward(&self, call: &Call<'_>) -> Result<Tensor> {
        let x = call.x()?;
        x.reshape(output_dims(self, x)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_lengths_than_1_are_refused() {
        let shapes = Shapes {
            inputs: &[&[Some(4), Some(4), Some(2)]],
            weights: &|_| None,
        };
        assert!(Squeeze { axis: 1 }.output_shape(&shapes).is_err());
    }
}
