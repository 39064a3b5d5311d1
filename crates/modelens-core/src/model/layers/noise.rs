//! Dropout and its relatives. Every draw comes from a seeded stream of its own, so the mask of one
//! layer does not depend on what else is in the network.

use candle_core::{Error, Result, Tensor};

use crate::model::graph::Noise;
use crate::random::Draws;

/// A disturbed tensor, and the mask where there is one.
#[derive(Clone, Debug)]
pub struct Disturbed {
    pub output: Tensor,
    /// What every value was multiplied with: 0 is dropped. `None` for additive noise.
    pub mask: Option<Tensor>,
}

/// The negative saturation value of SELU, which `AlphaDropout` puts in the place of dropped units.
pub const ALPHA_PRIME: f64 = -1.758_099_3;

/// The layer in training mode. Source of the formulas: Keras' layers of the same names.
///
/// Streams are made from `seed` and `purpose` and, one level down, the image's place in the batch.
pub fn disturb(x: &Tensor, noise: &Noise, seed: u64, purpose: &[u64]) -> Result<Disturbed> {
    match *noise {
        Noise::Dropout {
            rate,
            ref noise_shape,
        } => {
            let shape = shape_of(x, noise_shape.as_deref())?;
            masked(x, rate, &shape, seed, purpose)
        }
        Noise::SpatialDropout2d { rate } => {
            let shape = shape_of(x, Some(&[None, Some(1), Some(1), None]))?;
            masked(x, rate, &shape, seed, purpose)
        }
        Noise::DropConnect { rate } => {
            let shape: Vec<usize> = x
                .dims()
                .iter()
                .enumerate()
                .map(|(i, &d)| if i == 0 { d } else { 1 })
                .collect();
            masked(x, rate, &shape, seed, purpose)
        }
        Noise::AlphaDropout { rate } => {
            let a = 1.0 / ((1.0 - rate) * (1.0 + rate * ALPHA_PRIME * ALPHA_PRIME)).sqrt();
            let b = -a * ALPHA_PRIME * rate;
            let kept = draw(x.dims(), seed, purpose, |d| f64::from(d.unit() >= rate))?;
            let dropped = kept.affine(-ALPHA_PRIME, ALPHA_PRIME)?;
            let output = ((x * &kept)? + dropped)?.affine(a, b)?;
            Ok(Disturbed {
                output,
                mask: Some(kept),
            })
        }
        Noise::GaussianDropout { rate } => {
            let deviation = (rate / (1.0 - rate)).sqrt();
            let factor = draw(x.dims(), seed, purpose, |d| 1.0 + deviation * d.normal())?;
            Ok(Disturbed {
                output: (x * &factor)?,
                mask: Some(factor),
            })
        }
        Noise::GaussianNoise { stddev } => {
            let noise = draw(x.dims(), seed, purpose, |d| stddev * d.normal())?;
            Ok(Disturbed {
                output: (x + noise)?,
                mask: None,
            })
        }
    }
}

/// `x * mask`; the mask is `1 / (1 - rate)` where `u >= rate`, else 0. A rate of 1 gives zeros.
fn masked(x: &Tensor, rate: f64, shape: &[usize], seed: u64, purpose: &[u64]) -> Result<Disturbed> {
    let kept = if rate < 1.0 { 1.0 / (1.0 - rate) } else { 0.0 };
    let mask = draw(shape, seed, purpose, |d| {
        if d.unit() >= rate { kept } else { 0.0 }
    })?;
    let mask = mask.broadcast_as(x.shape())?.contiguous()?;
    Ok(Disturbed {
        output: (x * &mask)?,
        mask: Some(mask),
    })
}

/// The noise shape with `None` filled in from the input; other lengths than 1 and the input's would
/// draw more numbers than there are places for.
fn shape_of(x: &Tensor, noise_shape: Option<&[Option<usize>]>) -> Result<Vec<usize>> {
    let axes = x.dims().iter().enumerate();
    axes.map(|(i, &d)| {
        let length = noise_shape.and_then(|s| s.get(i).copied().flatten());
        match length {
            None => Ok(d),
            Some(length) if length == 1 || length == d => Ok(length),
            Some(length) => Err(Error::Msg(format!(
                "its noise shape has {length} along axis {i} and does not fit the shape {:?}",
                x.dims()
            ))),
        }
    })
    .collect()
}

/// One draw a value; each image of the batch has a stream of its own.
fn draw(
    shape: &[usize],
    seed: u64,
    purpose: &[u64],
    mut value: impl FnMut(&mut Draws) -> f64,
) -> Result<Tensor> {
    let images = shape.first().copied().unwrap_or(1);
    let each: usize = shape.iter().skip(1).product();
    let mut values = Vec::with_capacity(images * each);
    for image in 0..images {
        let purpose: Vec<u64> = purpose.iter().copied().chain([image as u64]).collect();
        let mut draws = Draws::new(seed, &purpose);
        values.extend((0..each).map(|_| value(&mut draws) as f32));
    }
    Tensor::from_vec(values, shape, &candle_core::Device::Cpu)
}
