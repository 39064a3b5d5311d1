//! Normalisations that are the same in both modes: over a layer, over groups of channels, to unit
//! length, and with fixed statistics.

use candle_core::{CpuStorage, CustomOp1, Error, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

use super::Weights;
use super::kernel::{tensor, values, with_values};

/// A normalisation of each image by itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Normaliser {
    /// Mean and variance over the last so many axes: `gamma * (x - mean) / sqrt(variance + epsilon)
    /// + beta`.
    Layer { axes: usize, epsilon: f64 },
    /// Mean and variance over height, width and the channels of one group.
    /// Without a number every channel is a group of its own.
    Group { groups: Option<usize>, epsilon: f64 },
    /// By the root of the mean square over the last so many axes, times the weight `scale`:
    /// `scale * x / sqrt(mean(x^2) + epsilon)`.
    Rms { axes: usize, epsilon: f64 },
    /// Each pixel's channels to length 1: `x / sqrt(max(sum(x^2), 1e-12))`.
    Unit,
    /// With the mean and variance of the training data, which are weights that no optimizer moves:
    /// `(x - mean) / max(sqrt(variance), 1e-7)`.
    Fixed,
}

impl Normaliser {
    /// `[N, ..., C]` normalised.
    pub fn forward(self, x: &Tensor, weights: Weights<'_>) -> Result<Tensor> {
        match self {
            Self::Layer { axes, epsilon } => {
                let at = x.rank().checked_sub(axes).filter(|&at| at > 0);
                let at = at.ok_or_else(|| Error::Msg("too many axes".into()))?;
                let length: usize = x.dims()[at..].iter().product();
                let rows = x.reshape(((), length.max(1)))?;
                let y = rows.apply_op1(Standardise(epsilon))?.reshape(x.dims())?;
                scaled(&y, weights)
            }
            Self::Group { groups, epsilon } => {
                let channels = x.dim(x.rank() - 1)?;
                let groups = groups.unwrap_or(channels);
                if groups == 0 || channels % groups != 0 {
                    return Err(Error::Msg(format!(
                        "{channels} channels do not fall into {groups} groups"
                    )));
                }
                let (n, width) = (x.dim(0)?, channels / groups);
                let pixels = x.elem_count() / (n * channels).max(1);
                let apart = x.reshape((n, pixels, groups, width))?.transpose(1, 2)?;
                let rows = apart.contiguous()?.reshape((n * groups, pixels * width))?;
                let y = rows.apply_op1(Standardise(epsilon))?;
                let y = y.reshape((n, groups, pixels, width))?.transpose(1, 2)?;
                scaled(&y.contiguous()?.reshape(x.dims())?, weights)
            }
            Self::Rms { axes, epsilon } => {
                let at = x.rank().checked_sub(axes).filter(|&at| at > 0);
                let at = at.ok_or_else(|| Error::Msg("too many axes".into()))?;
                let squares = x.sqr()?.mean_keepdim((at..x.rank()).collect::<Vec<_>>())?;
                x.broadcast_div(&(squares + epsilon)?.sqrt()?)?
                    .broadcast_mul(weights.need("scale")?)
            }
            Self::Unit => {
                let squares = x.sqr()?.sum_keepdim(x.rank() - 1)?;
                let floor = Tensor::full(1e-12_f32, squares.shape(), x.device())?;
                x.broadcast_div(&squares.maximum(&floor)?.sqrt()?)
            }
            Self::Fixed => {
                let deviation = weights.need("variance")?.sqrt()?;
                let floor = Tensor::full(1e-7_f32, deviation.shape(), x.device())?;
                x.broadcast_sub(weights.need("mean")?)?
                    .broadcast_div(&deviation.maximum(&floor)?)
            }
        }
    }
}

/// `y * gamma + beta`, where the layer has them.
fn scaled(y: &Tensor, weights: Weights<'_>) -> Result<Tensor> {
    let y = match weights.get("gamma") {
        Some(gamma) => y.broadcast_mul(gamma)?,
        None => y.clone(),
    };
    match weights.get("beta") {
        Some(beta) => y.broadcast_add(beta),
        None => Ok(y),
    }
}

/// Each row of `[rows, length]` to mean 0 and variance 1: `(x - mean) / sqrt(variance + epsilon)`.
struct Standardise(f64);

impl Standardise {
    /// Mean and inverse deviation of a row, summed in f64.
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
