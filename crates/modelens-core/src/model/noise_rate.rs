//! The rates of noise layers: which values a framework takes, and what it makes of the ends.

use thiserror::Error;

use super::Semantics;
use super::graph::Noise;

/// What a noise layer does in training mode under one framework's rules.
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
    /// torchvision, as they run. `StochasticDepth` of Keras' ConvNeXt divides by 0 at 1 and returns NaN; here it is the
    /// `Dropout` with one draw a photo that it stands for, which returns zeros.
    ///
    /// # Errors
    /// Values the framework refuses, and those that have no meaning.
    pub fn acts(&self, semantics: Semantics) -> Result<Acts, RateError> {
        let strength = self.strength();
        if let Self::GaussianNoise { .. } = self {
            return match strength {
                s if s.is_nan() || s < 0.0 => Err(RateError::Negative),
                s if s > 1.0 && semantics == Semantics::Keras3 => Err(RateError::Deviation),
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
                _ => Some(semantics.label()),
            };
            return Err(RateError::Outside(Raises(framework)));
        }
        if strength == 0.0 {
            return Ok(Acts::Identity);
        }
        if strength < 1.0 {
            return Ok(Acts::Draws);
        }
        match semantics {
            _ if !scales_by_formula => Ok(Acts::Zeros),
            Semantics::Keras2 => Ok(Acts::Identity),
            Semantics::Keras3 => Err(RateError::NoScale(semantics.label())),
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
