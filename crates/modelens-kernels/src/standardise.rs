//! Rows to mean 0 and variance 1.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

use crate::slices::{tensor, values, with_values};

/// `(x - mean) / sqrt(variance + epsilon)` over each row of `[rows, length]`.
pub fn standardise_rows(x: &Tensor, epsilon: f64) -> Result<Tensor> {
    x.apply_op1(Standardise(epsilon))
}

/// Holds epsilon.
struct Standardise(f64);

impl Standardise {
    /// Mean and inverse standard deviation of a row, summed in f64.
    fn moments(&self, row: &[f32]) -> (f64, f64) {
        let n = row.len().max(1) as f64;
        let mean = row.iter().map(|&x| f64::from(x)).sum::<f64>() / n;
        let squares = row.iter().map(|&x| (f64::from(x) - mean).powi(2));
        (mean, 1.0 / (squares.sum::<f64>() / n + self.0).sqrt())
    }
}

impl CustomOp1 for Standardise {
    fn name(&self) -> &'static str {
        "standardise"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let x = values(x, layout)?;
        let (_, length) = layout.shape().dims2()?;
        let mut y = vec![0.0_f32; x.len()];
        let rows = y
            .par_chunks_mut(length.max(1))
            .zip(x.par_chunks(length.max(1)));
        rows.with_min_len(16).for_each(|(y, x)| {
            let (mean, inverse) = self.moments(x);
            for (y, &x) in y.iter_mut().zip(x) {
                *y = ((f64::from(x) - mean) * inverse) as f32;
            }
        });
        Ok((CpuStorage::F32(y), layout.shape().clone()))
    }

    /// `dx = (g - mean(g) - y mean(g y)) / sqrt(variance + epsilon)`.
    fn bwd(&self, x: &Tensor, y: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let (_, length) = x.dims2()?;
        let n = length.max(1) as f64;
        let dx = with_values(x, |x| {
            with_values(y, |y| {
                with_values(grad, |g| {
                    let length = length.max(1);
                    let rows = x.par_chunks(length).zip(y.par_chunks(length));
                    let rows = rows.zip(g.par_chunks(length)).flat_map_iter(|((x, y), g)| {
                        let (_, inverse) = self.moments(x);
                        let sum = g.iter().map(|&g| f64::from(g)).sum::<f64>() / n;
                        let products = g.iter().zip(y).map(|(&g, &y)| f64::from(g) * f64::from(y));
                        let product = products.sum::<f64>() / n;
                        g.iter().zip(y).map(move |(&g, &y)| {
                            ((f64::from(g) - sum - f64::from(y) * product) * inverse) as f32
                        })
                    });
                    Ok(rows.collect::<Vec<f32>>())
                })
            })
        })?;
        tensor(dx, x.shape()).map(Some)
    }
}
