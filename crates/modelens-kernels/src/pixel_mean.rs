//! Mean over the pixels of each image.

#![allow(
    clippy::inline_always,
    reason = "a kernel must be inlined into the function that is compiled for its vectors"
)]

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

use crate::simd::vectorized;
use crate::slices::{tensor, values, with_values};

/// `y = sum over P of x, times 1 / P`: `[N, P, C]` to `[N, C]`.
struct PixelMean;

impl CustomOp1 for PixelMean {
    fn name(&self) -> &'static str {
        "pixel-mean"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (images, pixels, channels) = layout.shape().dims3()?;
        let x = values(x, layout)?;
        let scale = (1.0 / pixels as f64) as f32;
        let start = if pixels == 0 { f32::NAN } else { 0.0 };
        let mut y = vec![start; images * channels];
        if !x.is_empty() {
            let each = y
                .par_chunks_mut(channels)
                .zip(x.par_chunks(pixels * channels));
            each.for_each(|(y, x)| {
                vectorized(
                    #[inline(always)]
                    || {
                        // One pixel after another, so that the sum does not depend on the vectors.
                        for x in x.chunks_exact(channels) {
                            y.iter_mut().zip(x).for_each(|(y, x)| *y += x);
                        }
                        for y in y {
                            *y *= scale;
                        }
                    },
                );
            });
        }
        Ok((CpuStorage::F32(y), Shape::from((images, channels))))
    }

    fn bwd(&self, x: &Tensor, _y: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let (_, pixels, channels) = x.dims3()?;
        let scale = (1.0 / pixels as f64) as f32;
        let mut dx = vec![0.0_f32; x.elem_count()];
        if !dx.is_empty() {
            with_values(grad, |g| {
                let each = dx
                    .par_chunks_mut(pixels * channels)
                    .zip(g.par_chunks(channels));
                each.for_each(|(dx, g)| {
                    for dx in dx.chunks_exact_mut(channels) {
                        dx.iter_mut().zip(g).for_each(|(dx, g)| *dx = g * scale);
                    }
                });
                Ok(())
            })?;
        }
        tensor(dx, x.shape()).map(Some)
    }
}

/// The mean over `P` of `[N, P, C]`: `[N, C]`; NaN for images without pixels.
///
/// # Errors
/// Another number of axes.
pub fn pixel_mean(x: &Tensor) -> Result<Tensor> {
    x.contiguous()?.apply_op1(PixelMean)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{Device, Var};

    /// candle's mean is far slower, and adds in the same order.
    #[test]
    fn the_bits_and_the_gradient_are_those_of_candle() {
        let values: Vec<f32> = (0..2 * 7 * 19).map(|i| (i as f32 * 0.7).sin()).collect();
        let x = Var::from_vec(values, (2, 7, 19), &Device::Cpu).unwrap();
        let [ours, candle] = [pixel_mean(&x).unwrap(), x.mean(1).unwrap()];
        let bits = |x: &Tensor| {
            let x: Vec<f32> = x.flatten_all().unwrap().to_vec1().unwrap();
            x.into_iter().map(f32::to_bits).collect::<Vec<_>>()
        };
        assert_eq!(bits(&ours), bits(&candle));
        let gradient = |y: &Tensor| {
            let gradients = y.sqr().unwrap().sum_all().unwrap().backward().unwrap();
            bits(gradients.get(&x).unwrap())
        };
        assert_eq!(gradient(&ours), gradient(&candle));
    }
}
