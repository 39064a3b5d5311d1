//! Reshaping.

use candle_core::{Result, Tensor};
use serde::{Deserialize, Serialize};

use super::shape::{ImageShape, Shapes, Side};
use super::{Call, CallMode, LayerOp, output_dims};
use crate::model::shape_text;
use crate::rules::Role;

/// The same values in another shape. Source: Keras' `Reshape`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reshape {
    /// Without the batch axis; at most one `None`, which takes the remaining values.
    pub target: ImageShape,
}

impl LayerOp for Reshape {
    fn role(&self) -> Role {
        Role::Plain
    }

    fn mixes_images(&self, _: CallMode) -> bool {
        false
    }

    fn output_shape(&self, shapes: &Shapes<'_>) -> std::result::Result<ImageShape, String> {
        reshaped(&self.target, shapes.x())
    }

    fn forward(&self, call: &Call<'_>) -> Result<Tensor> {
        let x = call.x()?;
        x.reshape(output_dims(self, x)?)
    }
}

/// The shape that `x` takes; a `None` in `target` is filled in from the number of values.
fn reshaped(target: &[Side], x: &[Side]) -> std::result::Result<ImageShape, String> {
    let mut axes = target.iter().flatten();
    let given = axes.try_fold(1_usize, |product, &n| product.checked_mul(n));
    let given = given.ok_or("its shape is larger than can be counted")?;
    let Some(whole) = x.iter().copied().collect::<Option<Vec<usize>>>() else {
        return Ok(target.to_vec());
    };
    let whole: usize = whole.into_iter().fold(1, usize::saturating_mul);
    let open = target.iter().filter(|axis| axis.is_none()).count();
    let fits = match open {
        0 => given == whole,
        1 => given > 0 && whole.is_multiple_of(given),
        _ => false,
    };
    if !fits {
        return Err(format!(
            "it cannot reshape {} to {}",
            shape_text(x),
            shape_text(target)
        ));
    }
    let left = whole / given.max(1);
    Ok(target
        .iter()
        .map(|axis| Some(axis.unwrap_or(left)))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_open_axis_takes_the_remaining_values() {
        let to = |target: &[Side]| reshaped(target, &[Some(4), Some(6)]);
        assert_eq!(to(&[None, Some(3)]), Ok(vec![Some(8), Some(3)]));
        assert_eq!(to(&[Some(24)]), Ok(vec![Some(24)]));
        for wrong in [
            &[Some(5)][..],
            &[None, None],
            &[None, Some(5)],
            &[None, Some(0)],
        ] {
            assert!(to(wrong).is_err(), "{wrong:?}");
        }
    }
}
