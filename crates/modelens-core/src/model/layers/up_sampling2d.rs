//! Enlarging images.

use candle_core::{Result, Tensor};
use serde::{Deserialize, Serialize};

use super::shape::{ImageShape, Shapes, Side, misfit};
use super::{Call, CallMode, LayerOp, output_dims};
use crate::rules::Role;

/// Enlarges height and width by whole factors. Source: Keras' `UpSampling2D`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpSampling2d {
    /// Factors along height and width.
    pub size: [usize; 2],
    /// Interpolates between pixel centres; otherwise repeats pixels.
    pub bilinear: bool,
}

impl LayerOp for UpSampling2d {
    fn role(&self) -> Role {
        Role::Plain
    }

    fn mixes_images(&self, _: CallMode) -> bool {
        false
    }

    fn output_shape(&self, shapes: &Shapes<'_>) -> std::result::Result<ImageShape, String> {
        let [height, width, channels] = shapes.image()?;
        let side = |n: Side, factor: usize| match n {
            None => Ok(None),
            Some(n) => match n.checked_mul(factor) {
                Some(length) => Ok(Some(length)),
                None => Err(misfit(shapes.x())),
            },
        };
        Ok(vec![
            side(height, self.size[0])?,
            side(width, self.size[1])?,
            channels,
        ])
    }

    fn forward(&self, call: &Call<'_>) -> Result<Tensor> {
        let x = call.x()?;
        let dims = output_dims(self, x)?;
        let rows = resize_axis(x, 1, dims[1], self.bilinear)?;
        resize_axis(&rows, 2, dims[2], self.bilinear)
    }
}

/// Enlarges one axis to `length`. Output `i` lies at `(i + 0.5) * n / length - 0.5` of the input: the
/// nearest pixel, or an interpolation of the two around it.
fn resize_axis(x: &Tensor, axis: usize, length: usize, bilinear: bool) -> Result<Tensor> {
    let n = x.dim(axis)?;
    let position = |i: usize| (i as f64 + 0.5) * n as f64 / length as f64 - 0.5;
    let pick = |picks: Vec<u32>| {
        let picks = Tensor::new(picks, x.device())?;
        x.contiguous()?.index_select(&picks, axis)
    };
    let last = (n - 1) as f64;
    if !bilinear {
        return pick((0..length).map(|i| (i * n / length) as u32).collect());
    }
    let below = (0..length).map(|i| position(i).floor().clamp(0.0, last) as u32);
    let above = (0..length).map(|i| (position(i).floor() + 1.0).clamp(0.0, last) as u32);
    let weights: Vec<f32> = (0..length)
        .map(|i| (position(i) - position(i).floor()) as f32)
        .collect();
    let mut shape = vec![1; x.rank()];
    shape[axis] = length;
    let weights = Tensor::new(weights, x.device())?.reshape(shape)?;
    let (below, above) = (pick(below.collect())?, pick(above.collect())?);
    let step = (above - &below)?.broadcast_mul(&weights)?;
    below + step
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn bilinear_interpolates_between_pixel_centres() {
        let x = Tensor::new(&[[[[0.0_f32], [4.0]]]], &Device::Cpu).unwrap();
        let y = resize_axis(&x, 2, 4, true).unwrap().flatten_all().unwrap();
        assert_eq!(y.to_vec1::<f32>().unwrap(), [0.0, 1.0, 3.0, 4.0]);
    }
}
