//! Permuting axes.

use candle_core::{Result, Tensor};
use serde::{Deserialize, Serialize};

use super::shape::{ImageShape, Shapes, misfit};
use super::{Call, CallMode, LayerOp};
use crate::rules::Role;

/// Axis `i` of the output is axis `order[i]` of the input, the batch axis not counted. Source: Keras' `Permute`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Permute {
    pub order: Vec<usize>,
}

impl LayerOp for Permute {
    fn role(&self) -> Role {
        Role::Plain
    }

    fn mixes_images(&self, _: CallMode) -> bool {
        false
    }

    fn output_shape(&self, shapes: &Shapes<'_>) -> std::result::Result<ImageShape, String> {
        let x = shapes.x();
        let mut sorted = self.order.clone();
        sorted.sort_unstable();
        if sorted != (0..x.len()).collect::<Vec<_>>() {
            return Err(misfit(x));
        }
        Ok(self.order.iter().map(|&axis| x[axis]).collect())
    }

    fn forward(&self, call: &Call<'_>) -> Result<Tensor> {
        let order = self.order.iter().map(|axis| axis + 1);
        let order: Vec<usize> = std::iter::once(0).chain(order).collect();
        call.x()?.permute(order)?.contiguous()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_that_are_no_permutation_are_refused() {
        let shapes = Shapes {
            inputs: &[&[Some(4), Some(4), Some(2)]],
            weights: &|_| None,
        };
        for order in [vec![0, 0, 1], vec![1], vec![0, 1, 3]] {
            assert!(Permute { order }.output_shape(&shapes).is_err());
        }
    }
}
