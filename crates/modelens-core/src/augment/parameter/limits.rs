//! The limits of arguments, and what is wrong with one beyond them.

use thiserror::Error;

use crate::augment::values::Factor;

/// The longest side of an image that a transform may make, in pixels.
const MOST_PIXELS: f64 = 4096.0;

/// The limits of one end of a factor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EndLimits {
    /// What Keras' constructor accepts.
    pub accepted: [f64; 2],
    /// The part of it that a slider covers.
    pub slider: [f64; 2],
}

/// The limits of whole numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WholeLimits {
    pub least: usize,
    pub most: usize,
    /// True if only odd numbers are accepted.
    pub odd: bool,
}

impl WholeLimits {
    /// `[least, most]`.
    pub(in crate::augment) const fn within(least: usize, most: usize) -> Self {
        Self {
            least,
            most,
            odd: false,
        }
    }
}

impl EndLimits {
    /// A number above 0, such as the parameter of a distribution.
    pub(in crate::augment) const POSITIVE: Self = Self {
        accepted: [1e-6, f64::MAX],
        slider: [0.05, 2.0],
    };

    pub(in crate::augment) const fn all(range: [f64; 2]) -> Self {
        Self {
            accepted: range,
            slider: range,
        }
    }
}

/// How many numbers a list may have, and their limits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ListLimits {
    /// A list of length 0 is `None` in code, one of length 1 a bare number.
    pub lengths: &'static [usize],
    /// Of each number.
    pub each: EndLimits,
    /// True if each of them must be whole.
    pub whole: bool,
    /// True if code needs a tuple even for one number.
    pub tuple: bool,
}

impl ListLimits {
    /// Numbers within limits.
    pub(in crate::augment) const fn of(
        lengths: &'static [usize],
        accepted: [f64; 2],
        slider: [f64; 2],
    ) -> Self {
        Self {
            lengths,
            each: EndLimits { accepted, slider },
            whole: false,
            tuple: false,
        }
    }

    /// Whole numbers from `least` on.
    pub(in crate::augment) const fn whole(lengths: &'static [usize], least: f64) -> Self {
        Self {
            lengths,
            each: EndLimits {
                accepted: [least, MOST_PIXELS],
                slider: [least, 512.0],
            },
            whole: true,
            tuple: false,
        }
    }

    pub(super) fn check(
        &self,
        layer: &'static str,
        field: &'static str,
        numbers: &[f64],
    ) -> Result<(), ParameterError> {
        if !self.lengths.contains(&numbers.len()) {
            return Err(ParameterError::Length {
                layer,
                field,
                lengths: self.lengths,
            });
        }
        let [low, high] = self.each.accepted;
        for &value in numbers {
            within(layer, field, value, low, high)?;
            if self.whole && value.fract() != 0.0 {
                return Err(ParameterError::NotWhole {
                    layer,
                    field,
                    value,
                });
            }
        }
        Ok(())
    }
}

/// The limits of a factor in both of its forms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FactorLimits {
    /// Of one number.
    pub number: EndLimits,
    /// Of the lower end of a pair.
    pub low: EndLimits,
    /// Of the upper end of a pair.
    pub high: EndLimits,
}

impl FactorLimits {
    /// A number or a pair within [-1, 1]. As f and -f mean the same, a slider needs [0, 1] only.
    pub(in crate::augment) const FRACTION: Self = Self {
        number: EndLimits {
            accepted: [-1.0, 1.0],
            slider: [0.0, 1.0],
        },
        low: EndLimits::all([-1.0, 1.0]),
        high: EndLimits::all([-1.0, 1.0]),
    };

    /// As [`Self::FRACTION`], but one number must not be negative.
    pub(in crate::augment) const NO_NEGATIVE_NUMBER: Self = Self {
        number: EndLimits::all([0.0, 1.0]),
        ..Self::FRACTION
    };

    /// [`Self::FRACTION`] with a slider for negative numbers too.
    pub(in crate::augment) const FULL_SLIDER: Self = Self {
        number: EndLimits::all([-1.0, 1.0]),
        ..Self::FRACTION
    };

    /// A number or a pair within [0, 1].
    pub(in crate::augment) const UNIT: Self = Self {
        number: EndLimits::all([0.0, 1.0]),
        low: EndLimits::all([0.0, 1.0]),
        high: EndLimits::all([0.0, 1.0]),
    };

    /// Bits of a value: a number or a pair within [1, 8].
    pub(in crate::augment) const BITS: Self = Self {
        number: EndLimits::all([1.0, 8.0]),
        low: EndLimits::all([1.0, 8.0]),
        high: EndLimits::all([1.0, 8.0]),
    };

    /// A change of size: above -1, without an upper limit.
    pub(in crate::augment) const SIZE: Self = Self {
        number: EndLimits::all([0.0, 1.0]),
        low: EndLimits::all([-1.0, 1.0]),
        high: EndLimits {
            accepted: [-1.0, f64::MAX],
            slider: [-1.0, 1.0],
        },
    };

    /// A number within [0, 1]; the lower end of a pair within [0, 1], the upper one at least 0.
    pub(in crate::augment) const CONTRAST: Self = Self {
        number: EndLimits::all([0.0, 1.0]),
        low: EndLimits::all([0.0, 1.0]),
        high: EndLimits {
            accepted: [0.0, f64::MAX],
            slider: [0.0, 2.0],
        },
    };

    /// The numbers in the order they are given, each with the limits of its end.
    fn ends(&self, factor: Factor) -> Vec<(f64, EndLimits)> {
        match factor {
            Factor::Scalar(f) => vec![(f, self.number)],
            Factor::Pair(a, b) if a <= b => vec![(a, self.low), (b, self.high)],
            Factor::Pair(a, b) => vec![(a, self.high), (b, self.low)],
        }
    }

    pub(super) fn check(
        &self,
        layer: &'static str,
        field: &'static str,
        factor: Factor,
    ) -> Result<(), ParameterError> {
        for (value, limits) in self.ends(factor) {
            let [low, high] = limits.accepted;
            within(layer, field, value, low, high)?;
        }
        Ok(())
    }
}

/// Checks one number against both ends of its limits.
pub(super) fn within(
    layer: &'static str,
    field: &'static str,
    value: f64,
    low: f64,
    high: f64,
) -> Result<(), ParameterError> {
    // `contains` is false for NaN as well.
    if (low..=high).contains(&value) {
        return Ok(());
    }
    Err(ParameterError::OutOfRange {
        layer,
        field,
        value,
        low,
        high,
    })
}

/// A parameter that Keras' constructor rejects.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum ParameterError {
    #[error("{layer}: {field} is {value}, but must lie within [{low}, {high}]")]
    OutOfRange {
        layer: &'static str,
        field: &'static str,
        value: f64,
        low: f64,
        high: f64,
    },
    #[error("{layer}: {field} is not a finite number")]
    NotFinite {
        layer: &'static str,
        field: &'static str,
    },
    #[error("{layer}: {field} holds nothing, but must hold a layer")]
    NoLayers {
        layer: &'static str,
        field: &'static str,
    },
    #[error("{layer}: {field} is 0 pixels, but must be at least 1")]
    Empty {
        layer: &'static str,
        field: &'static str,
    },
    #[error("{layer}: {field} is {value}, but must be an odd number")]
    Even {
        layer: &'static str,
        field: &'static str,
        value: usize,
    },
    #[error("{layer}: {field} is {value}, but must be a whole number")]
    NotWhole {
        layer: &'static str,
        field: &'static str,
        value: f64,
    },
    #[error("{layer}: {field} takes {} numbers", counts(lengths))]
    Length {
        layer: &'static str,
        field: &'static str,
        lengths: &'static [usize],
    },
    #[error("{layer}: value_range is ({low}, {high}), but must rise from low to high")]
    ValueRange {
        layer: &'static str,
        low: f64,
        high: f64,
    },
}

/// `1, 2 or 4`.
fn counts(lengths: &[usize]) -> String {
    let counts: Vec<String> = lengths.iter().map(usize::to_string).collect();
    match counts.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => counts.concat(),
    }
}
