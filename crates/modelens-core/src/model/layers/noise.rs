//! Dropout and the other noise layers.

use candle_core::{Result, Tensor};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::shape::{ImageShape, Shapes, Side, image};
use super::{Call, CallMode, LayerOp};
use crate::model::shape_text;
use crate::random::{Draws, StreamKey};
use crate::rules::{Role, Semantics};
use modelens_kernels::elementwise::product;

/// Layers that disturb their input in training mode and return it in inference. Every draw comes from a
/// seeded stream of its own, so the mask of a layer does not depend on the rest of the network. Source of
/// the formulas: Keras' layers of these names; `DropConnect` is `drop_connect` of EfficientNet and
/// torchvision's `StochasticDepth`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Noise {
    /// Keeps a value where `u >= rate` and multiplies it with `1 / (1 - rate)`. `noise_shape` covers all
    /// axes including the batch axis; `None` takes the input's length, 1 shares a draw along the axis.
    Dropout {
        rate: f64,
        noise_shape: Option<Vec<Option<usize>>>,
    },
    /// Drops whole channels: noise shape `[N, 1, 1, C]`.
    SpatialDropout2d { rate: f64 },
    /// Replaces dropped values with SELU's negative saturation value, then restores mean and variance.
    AlphaDropout { rate: f64 },
    /// Multiplies with normal draws with mean 1 and deviation `sqrt(rate / (1 - rate))`.
    GaussianDropout { rate: f64 },
    /// Adds normal draws with mean 0.
    GaussianNoise { stddev: f64 },
    /// Drops whole images, before a residual sum: noise shape `[N, 1, 1, 1]`.
    DropConnect { rate: f64 },
}

impl LayerOp for Noise {
    fn role(&self) -> Role {
        Role::Noise
    }

    /// The stream of an image is addressed by its place in the batch.
    fn mixes_images(&self, mode: CallMode) -> bool {
        mode.draws
    }

    fn output_shape(&self, shapes: &Shapes<'_>) -> std::result::Result<ImageShape, String> {
        Ok(shapes.x().to_vec())
    }

    fn forward(&self, call: &Call<'_>) -> Result<Tensor> {
        Ok(self.forward_with_mask(call)?.0)
    }

    fn forward_with_mask(&self, call: &Call<'_>) -> Result<(Tensor, Option<Tensor>)> {
        let x = call.x()?;
        match call.draws {
            Some(key) => {
                let Disturbed { output, mask } = self.disturb(x, key)?;
                Ok((output, mask))
            }
            None => Ok((x.clone(), None)),
        }
    }
}

/// The output of a noise layer in training mode.
#[derive(Clone, Debug)]
pub struct Disturbed {
    pub output: Tensor,
    /// What every value was multiplied with: 0 is dropped. `None` for additive noise.
    pub mask: Option<Tensor>,
}

/// SELU's negative saturation value, which `AlphaDropout` puts in the place of dropped units.
pub const ALPHA_PRIME: f64 = -1.758_099_3;

impl Noise {
    /// The layer in training mode. Streams are addressed by `key` and the place of the image in the batch.
    ///
    /// # Errors
    /// A noise shape that does not fit the input.
    pub fn disturb(&self, x: &Tensor, key: StreamKey<'_>) -> Result<Disturbed> {
        match *self {
            Self::Dropout {
                rate,
                ref noise_shape,
            } => {
                let shape = shape_of(x, noise_shape.as_deref())?;
                masked(x, rate, &shape, key)
            }
            Self::SpatialDropout2d { rate } => {
                let shape = shape_of(x, Some(&[None, Some(1), Some(1), None]))?;
                masked(x, rate, &shape, key)
            }
            Self::DropConnect { rate } => {
                let shape: Vec<usize> = x
                    .dims()
                    .iter()
                    .enumerate()
                    .map(|(i, &d)| if i == 0 { d } else { 1 })
                    .collect();
                masked(x, rate, &shape, key)
            }
            Self::AlphaDropout { rate } => {
                let a = 1.0 / ((1.0 - rate) * (1.0 + rate * ALPHA_PRIME * ALPHA_PRIME)).sqrt();
                let b = -a * ALPHA_PRIME * rate;
                let kept = draw(x.dims(), key, |d| f64::from(d.unit() >= rate))?;
                let dropped = kept.affine(-ALPHA_PRIME, ALPHA_PRIME)?;
                let output = ((x * &kept)? + dropped)?.affine(a, b)?;
                Ok(Disturbed {
                    output,
                    mask: Some(kept),
                })
            }
            Self::GaussianDropout { rate } => {
                let deviation = (rate / (1.0 - rate)).sqrt();
                let factor = draw(x.dims(), key, |d| 1.0 + deviation * d.normal())?;
                Ok(Disturbed {
                    output: (x * &factor)?,
                    mask: Some(factor),
                })
            }
            Self::GaussianNoise { stddev } => {
                let noise = draw(x.dims(), key, |d| stddev * d.normal())?;
                Ok(Disturbed {
                    output: (x + noise)?,
                    mask: None,
                })
            }
        }
    }

    /// Refuses a layer that could not disturb an input of this shape.
    ///
    /// # Errors
    /// The reason, in words.
    pub fn check_input(&self, x: &[Side]) -> std::result::Result<(), String> {
        match self {
            Self::Dropout {
                noise_shape: Some(noise),
                ..
            } => {
                let fits = |(n, axis): (&Side, &Side)| match (n, axis) {
                    (Some(n), Some(axis)) => *n == 1 || n == axis,
                    (None, _) | (_, None) => true,
                };
                if noise.len() != x.len() + 1 || !noise[1..].iter().zip(x).all(fits) {
                    return Err(format!(
                        "its noise shape {} does not fit the shape {}",
                        shape_text(noise),
                        shape_text(x)
                    ));
                }
                Ok(())
            }
            Self::SpatialDropout2d { .. } => image(x).map(|_| ()),
            Self::Dropout {
                noise_shape: None, ..
            }
            | Self::AlphaDropout { .. }
            | Self::GaussianDropout { .. }
            | Self::GaussianNoise { .. }
            | Self::DropConnect { .. } => Ok(()),
        }
    }
}

/// `x * mask`; the mask is `1 / (1 - rate)` where `u >= rate`, else 0. A rate of 1 drops everything.
fn masked(x: &Tensor, rate: f64, shape: &[usize], key: StreamKey<'_>) -> Result<Disturbed> {
    let kept = if rate < 1.0 { 1.0 / (1.0 - rate) } else { 0.0 };
    let mask = draw(shape, key, |d| if d.unit() >= rate { kept } else { 0.0 })?;
    let mask = mask.broadcast_as(x.shape())?.contiguous()?;
    Ok(Disturbed {
        output: product(x, &mask)?,
        mask: Some(mask),
    })
}

/// The noise shape with `None` filled in from the input. Lengths other than 1 and the input's do not
/// broadcast.
fn shape_of(x: &Tensor, noise_shape: Option<&[Option<usize>]>) -> Result<Vec<usize>> {
    let axes = x.dims().iter().enumerate();
    axes.map(|(i, &d)| {
        let length = noise_shape.and_then(|s| s.get(i).copied().flatten());
        match length {
            None => Ok(d),
            Some(length) if length == 1 || length == d => Ok(length),
            Some(length) => Err(candle_core::Error::Msg(format!(
                "its noise shape has {length} along axis {i} and does not fit the shape {:?}",
                x.dims()
            ))),
        }
    })
    .collect()
}

/// One draw a value; each image of the batch has its own stream.
fn draw(
    shape: &[usize],
    key: StreamKey<'_>,
    mut value: impl FnMut(&mut Draws) -> f64,
) -> Result<Tensor> {
    let images = shape.first().copied().unwrap_or(1);
    let each: usize = shape.iter().skip(1).product();
    let mut values = Vec::with_capacity(images * each);
    for image in 0..images {
        let mut draws = key.draws_for(image as u64);
        values.extend((0..each).map(|_| value(&mut draws) as f32));
    }
    Tensor::from_vec(values, shape, &candle_core::Device::Cpu)
}

/// What a noise layer does in training mode, by one framework's rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acts {
    /// It draws.
    Draws,
    /// It returns its input.
    Identity,
    /// It returns zeros, without a draw.
    Zeros,
}

/// Why a rate or a deviation is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RateError {
    #[error("A rate is a share from 0 to 1{0}")]
    Outside(Raises),
    #[error("At a rate of 1 the factor would be infinite: {0} raises ZeroDivisionError")]
    NoScale(&'static str),
    #[error("At a rate of 1 the deviation would be infinite")]
    NoDeviation,
    #[error("A deviation cannot be negative")]
    Negative,
    #[error("Keras 3 takes deviations from 0 to 1 and raises ValueError for others")]
    Deviation,
}

/// The framework that raises an error for a value, where one does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Raises(Option<&'static str>);

impl std::fmt::Display for Raises {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(framework) => write!(f, ": {framework} raises ValueError for others"),
            None => Ok(()),
        }
    }
}

impl Noise {
    /// The rate, for Gaussian noise the deviation.
    pub fn strength(&self) -> f64 {
        match *self {
            Self::Dropout { rate, .. }
            | Self::SpatialDropout2d { rate }
            | Self::AlphaDropout { rate }
            | Self::GaussianDropout { rate }
            | Self::DropConnect { rate } => rate,
            Self::GaussianNoise { stddev } => stddev,
        }
    }

    /// The same layer with another rate or deviation.
    #[must_use]
    pub fn with_strength(&self, strength: f64) -> Self {
        let mut noise = self.clone();
        match &mut noise {
            Self::Dropout { rate, .. }
            | Self::SpatialDropout2d { rate }
            | Self::AlphaDropout { rate }
            | Self::GaussianDropout { rate }
            | Self::DropConnect { rate } => *rate = strength,
            Self::GaussianNoise { stddev } => *stddev = strength,
        }
        noise
    }

    /// What the layer does in training mode.
    ///
    /// | | Keras 2 | Keras 3 | PyTorch |
    /// |---|---|---|---|
    /// | rate 0 | input | input | input |
    /// | `Dropout` and its relatives at 1 | zeros | zeros | zeros |
    /// | `AlphaDropout` at 1 | input | error | zeros |
    /// | `GaussianDropout` at 1 | input | error | there is none |
    ///
    /// Source: the layers' `call` in `tf_keras` and Keras 3; `dropout.cpp` in PyTorch and `StochasticDepth` in
    /// torchvision, as they run. `StochasticDepth` of Keras' ConvNeXt divides by 0 at 1 and returns NaN. Here it
    /// acts as `Dropout` with one draw per photo, which returns zeros.
    ///
    /// # Errors
    /// Values the framework refuses, and those that have no meaning.
    pub fn acts(&self, semantics: Semantics) -> std::result::Result<Acts, RateError> {
        let strength = self.strength();
        if let Self::GaussianNoise { .. } = self {
            return match strength {
                s if s.is_nan() || s < 0.0 => Err(RateError::Negative),
                s if s > 1.0 && semantics.is_keras3() => Err(RateError::Deviation),
                0.0 => Ok(Acts::Identity),
                _ => Ok(Acts::Draws),
            };
        }
        let gaussian = matches!(self, Self::GaussianDropout { .. });
        let scales_by_formula = gaussian || matches!(self, Self::AlphaDropout { .. });
        if !(0.0..=1.0).contains(&strength) {
            let framework = match semantics {
                // Keras 2 checks the rate in some of its classes only; torch has no Gaussian one.
                Semantics::Keras2 if scales_by_formula => None,
                Semantics::PyTorch if gaussian => None,
                Semantics::Keras2
                | Semantics::Keras3
                | Semantics::Keras316
                | Semantics::PyTorch => Some(semantics.framework()),
            };
            return Err(RateError::Outside(Raises(framework)));
        }
        if strength == 0.0 {
            return Ok(Acts::Identity);
        }
        if strength < 1.0 {
            return Ok(Acts::Draws);
        }
        if !scales_by_formula {
            return Ok(Acts::Zeros);
        }
        match semantics {
            Semantics::Keras2 => Ok(Acts::Identity),
            Semantics::Keras3 | Semantics::Keras316 => {
                Err(RateError::NoScale(semantics.framework()))
            }
            Semantics::PyTorch if gaussian => Err(RateError::NoDeviation),
            Semantics::PyTorch => Ok(Acts::Zeros),
        }
    }

    /// The same layer on one photo at a time: a length along the batch axis has no meaning there.
    #[must_use]
    pub fn for_one_photo(&self) -> Self {
        let mut noise = self.clone();
        if let Self::Dropout {
            noise_shape: Some(shape),
            ..
        } = &mut noise
            && let Some(batch) = shape.first_mut()
        {
            *batch = None;
        }
        noise
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(rate: f64) -> [Noise; 5] {
        [
            Noise::Dropout {
                rate,
                noise_shape: None,
            },
            Noise::SpatialDropout2d { rate },
            Noise::DropConnect { rate },
            Noise::AlphaDropout { rate },
            Noise::GaussianDropout { rate },
        ]
    }

    #[test]
    fn a_rate_of_zero_returns_the_input_and_a_share_draws() {
        for semantics in Semantics::ALL {
            for noise in all(0.0) {
                assert_eq!(noise.acts(semantics), Ok(Acts::Identity));
            }
            for noise in all(0.3) {
                assert_eq!(noise.acts(semantics), Ok(Acts::Draws));
            }
        }
    }

    #[test]
    fn a_rate_of_one_is_what_each_framework_makes_of_it() {
        for semantics in Semantics::ALL {
            for noise in &all(1.0)[..3] {
                assert_eq!(noise.acts(semantics), Ok(Acts::Zeros), "{noise:?}");
            }
        }
        let [.., alpha, gaussian] = all(1.0);
        assert_eq!(alpha.acts(Semantics::Keras2), Ok(Acts::Identity));
        assert_eq!(alpha.acts(Semantics::PyTorch), Ok(Acts::Zeros));
        assert_eq!(gaussian.acts(Semantics::Keras2), Ok(Acts::Identity));
        for noise in [&alpha, &gaussian] {
            let refused = noise.acts(Semantics::Keras3).expect_err("refused");
            assert!(refused.to_string().contains("ZeroDivisionError"));
        }
        assert!(gaussian.acts(Semantics::PyTorch).is_err());
    }

    #[test]
    fn what_is_no_share_is_refused_with_its_reason() {
        for rate in [-0.01, 1.01, f64::NAN, f64::INFINITY] {
            for noise in all(rate) {
                for semantics in Semantics::ALL {
                    let refused = noise.acts(semantics).expect_err("refused").to_string();
                    assert!(refused.starts_with("A rate is a share"), "{refused}");
                }
            }
        }
        let [dropout, .., gaussian] = all(2.0);
        let words = |noise: &Noise, semantics| noise.acts(semantics).expect_err("no").to_string();
        assert!(words(&dropout, Semantics::Keras2).contains("Keras 2 raises ValueError"));
        assert!(!words(&gaussian, Semantics::Keras2).contains("raises"));
    }

    #[test]
    fn only_keras_3_limits_a_deviation() {
        let wide = Noise::GaussianNoise { stddev: 1.5 };
        assert!(wide.acts(Semantics::Keras3).is_err());
        assert_eq!(wide.acts(Semantics::Keras2), Ok(Acts::Draws));
        let negative = Noise::GaussianNoise { stddev: -0.1 };
        assert!(negative.acts(Semantics::Keras2).is_err());
    }
}
