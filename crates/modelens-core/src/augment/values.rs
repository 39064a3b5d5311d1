//! The values that constructor arguments take: factors, fill modes, interpolations.

use serde::{Deserialize, Serialize};

use crate::random::Draws;

/// The range of a draw, as Keras takes it: one number or a pair.
///
/// For most layers the number f means the pair (-f, f). [`super::RandomContrast`] reads both forms
/// in its own way, which is why the form is kept.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Factor {
    Scalar(f64),
    Pair(f64, f64),
}

impl Factor {
    /// The lower end: `-|f|`, or the smaller number of a pair (Keras 3 sorts pairs).
    pub fn low(self) -> f64 {
        match self {
            Self::Scalar(f) => -f.abs(),
            Self::Pair(a, b) => a.min(b),
        }
    }

    /// The upper end: `|f|`, or the larger number of a pair.
    pub fn high(self) -> f64 {
        match self {
            Self::Scalar(f) => f.abs(),
            Self::Pair(a, b) => a.max(b),
        }
    }

    /// True for one number, false for a pair.
    pub fn is_scalar(self) -> bool {
        matches!(self, Self::Scalar(_))
    }

    /// `(least, f)` for one number, or the sorted pair: what layers take whose factors have no sign.
    pub(super) fn ends_from(self, least: f64) -> (f64, f64) {
        match self {
            Self::Scalar(f) => (least, f.abs()),
            Self::Pair(..) => (self.low(), self.high()),
        }
    }

    /// Draws a probability from U(0, f), or from the pair, and then whether it happens. So a factor of 1
    /// happens to every second image only. Source: keras 3.15, such as `random_invert.py`.
    pub(super) fn happens(self, draws: &mut Draws) -> bool {
        let probability = self.draw_from(0.0, draws);
        draws.unit() < probability
    }

    /// The mean of the probability that [`Self::happens`] draws.
    pub(super) fn mean_from_zero(self) -> f64 {
        let (low, high) = self.ends_from(0.0);
        f64::midpoint(low, high)
    }

    /// Draws from U(least, f), or from the pair.
    pub(super) fn draw_from(self, least: f64, draws: &mut Draws) -> f64 {
        let (low, high) = self.ends_from(least);
        draws.uniform(low, high)
    }

    /// Draws from U(low, high).
    pub(super) fn draw(self, draws: &mut Draws) -> f64 {
        draws.uniform(self.low(), self.high())
    }
}

/// A range without extent: the draw is always 0.
impl Default for Factor {
    fn default() -> Self {
        Self::Scalar(0.0)
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

/// A value that Keras writes as one of a few names.
pub trait Named: Copy + PartialEq + 'static {
    /// In the order of Keras' documentation.
    const ALL: &'static [Self];

    /// Keras' name.
    fn name(self) -> &'static str;

    /// The value as Python text.
    fn literal(self) -> String {
        format!("\"{}\"", self.name())
    }

    /// The value of this name.
    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|value| value.name() == name)
    }
}

/// A [`Named`] value of any type, for editors and readers that know only the names.
pub trait Choice {
    /// Every name, in the order of Keras' documentation.
    fn names(&self) -> Vec<&'static str>;

    /// The name of the present value.
    fn chosen(&self) -> &'static str;

    /// The present value as Python text.
    fn code(&self) -> String;

    /// Takes the value of this name; false if there is none.
    fn choose(&mut self, name: &str) -> bool;
}

impl<T: Named> Choice for T {
    fn names(&self) -> Vec<&'static str> {
        T::ALL.iter().map(|value| value.name()).collect()
    }

    fn chosen(&self) -> &'static str {
        self.name()
    }

    fn code(&self) -> String {
        self.literal()
    }

    fn choose(&mut self, name: &str) -> bool {
        let found = T::from_name(name);
        *self = found.unwrap_or(*self);
        found.is_some()
    }
}

/// What a layer reads outside the image.
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

impl Named for FillMode {
    const ALL: &'static [Self] = &[Self::Reflect, Self::Wrap, Self::Constant, Self::Nearest];

    fn name(self) -> &'static str {
        match self {
            Self::Reflect => "reflect",
            Self::Wrap => "wrap",
            Self::Constant => "constant",
            Self::Nearest => "nearest",
        }
    }
}

impl FillMode {
    /// What it paints beyond the edge of the photo, in one sentence.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Reflect => "Beside the photo, its mirror image continues it.",
            Self::Wrap => "Beside the photo, it begins again from its other side.",
            Self::Constant => "Beside the photo, every pixel has the fill value.",
            Self::Nearest => "Beside the photo, the pixel at its edge is repeated.",
        }
    }
}

/// How a value between pixel centres is computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Interpolation {
    /// The four surrounding pixels, linearly weighted.
    #[default]
    Bilinear,
    /// The nearest pixel.
    Nearest,
}

impl Named for Interpolation {
    const ALL: &'static [Self] = &[Self::Bilinear, Self::Nearest];

    fn name(self) -> &'static str {
        match self {
            Self::Bilinear => "bilinear",
            Self::Nearest => "nearest",
        }
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
