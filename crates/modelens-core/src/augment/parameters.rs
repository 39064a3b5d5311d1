//! Parameters that several layers share, and their limits.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::random::Draws;

/// A range of draws as Keras takes it: one number or a pair.
///
/// For most layers the number f means the pair (-f, f); [`super::RandomContrast`] reads both forms
/// in its own way, which is why the form is kept.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Factor {
    Scalar(f64),
    Pair(f64, f64),
}

impl Factor {
    /// The lower end: `-|f|`, or the smaller one of a pair (Keras 3 sorts pairs).
    pub fn low(self) -> f64 {
        match self {
            Self::Scalar(f) => -f.abs(),
            Self::Pair(a, b) => a.min(b),
        }
    }

    /// The upper end: `|f|`, or the greater one of a pair.
    pub fn high(self) -> f64 {
        match self {
            Self::Scalar(f) => f.abs(),
            Self::Pair(a, b) => a.max(b),
        }
    }

    /// Whether it was given as one number.
    pub fn is_scalar(self) -> bool {
        matches!(self, Self::Scalar(_))
    }

    /// Draws from U(low, high).
    pub(super) fn draw(self, draws: &mut Draws) -> f64 {
        draws.uniform(self.low(), self.high())
    }

    /// The numbers as given lie within `[low, high]`.
    pub(super) fn check(
        self,
        layer: &'static str,
        field: &'static str,
        low: f64,
        high: f64,
    ) -> Result<(), ParameterError> {
        let (a, b) = match self {
            Self::Scalar(f) => (f, f),
            Self::Pair(a, b) => (a, b),
        };
        for value in [a, b] {
            // `contains` is false for NaN as well.
            if !(low..=high).contains(&value) {
                return Err(ParameterError::OutOfRange {
                    layer,
                    field,
                    value,
                    low,
                    high,
                });
            }
        }
        Ok(())
    }
}

impl From<f64> for Factor {
    fn from(f: f64) -> Self {
        Self::Scalar(f)
    }
}

impl From<(f64, f64)> for Factor {
    fn from((low, high): (f64, f64)) -> Self {
        Self::Pair(low, high)
    }
}

/// What lies outside the image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum FillMode {
    /// `dcba|abcd|dcba`: mirrored about the outer edge of the last pixel.
    #[default]
    Reflect,
    /// `abcd|abcd|abcd`.
    Wrap,
    /// `kkkk|abcd|kkkk` with k = [`Sampling::fill_value`].
    Constant,
    /// `aaaa|abcd|dddd`.
    Nearest,
}

impl FillMode {
    /// In the order of Keras' documentation.
    pub const ALL: [Self; 4] = [Self::Reflect, Self::Wrap, Self::Constant, Self::Nearest];

    /// Keras' name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reflect => "reflect",
            Self::Wrap => "wrap",
            Self::Constant => "constant",
            Self::Nearest => "nearest",
        }
    }

    /// What it paints where the image ends, in one sentence.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Reflect => "Beside the photo, its mirror image continues it.",
            Self::Wrap => "Beside the photo, it begins again from its other side.",
            Self::Constant => "Beside the photo, every pixel has the fill value.",
            Self::Nearest => "Beside the photo, the pixel at its edge is repeated.",
        }
    }

    /// The mode of Keras' name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.name() == name)
    }
}

/// How a value between pixels is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Interpolation {
    /// Linear weights of the four pixels around.
    #[default]
    Bilinear,
    /// The nearest pixel.
    Nearest,
}

impl Interpolation {
    /// Default first.
    pub const ALL: [Self; 2] = [Self::Bilinear, Self::Nearest];

    /// Keras' name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bilinear => "bilinear",
            Self::Nearest => "nearest",
        }
    }

    /// The interpolation of Keras' name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name() == name)
    }
}

/// How the affine layers read the image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sampling {
    pub fill_mode: FillMode,
    pub interpolation: Interpolation,
    /// The value outside the image for [`FillMode::Constant`], in the image's units.
    pub fill_value: f32,
}

impl Sampling {
    pub(super) fn check(self, layer: &'static str) -> Result<(), ParameterError> {
        if self.fill_value.is_finite() {
            return Ok(());
        }
        Err(ParameterError::NotFinite {
            layer,
            field: "fill_value",
        })
    }
}

/// `[low, high]` of the values an image may have is a range.
pub(super) fn check_value_range(
    layer: &'static str,
    range: [f64; 2],
) -> Result<(), ParameterError> {
    let [low, high] = range;
    if low.is_finite() && high.is_finite() && low < high {
        return Ok(());
    }
    Err(ParameterError::ValueRange { layer, low, high })
}

/// Both sides of an image are at least one pixel.
pub(super) fn check_size(
    layer: &'static str,
    height: usize,
    width: usize,
) -> Result<(), ParameterError> {
    for (field, side) in [("height", height), ("width", width)] {
        if side == 0 {
            return Err(ParameterError::Empty { layer, field });
        }
    }
    Ok(())
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
    #[error("{layer}: {field} is 0 pixels, but must be at least 1")]
    Empty {
        layer: &'static str,
        field: &'static str,
    },
    #[error("{layer}: value_range is ({low}, {high}), but must rise from low to high")]
    ValueRange {
        layer: &'static str,
        low: f64,
        high: f64,
    },
}
