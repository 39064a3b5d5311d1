//! The width of a figure on paper or on a screen.

use super::png::{self, PngError};

/// The width of a figure. Its height follows from the proportions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Width {
    /// Pixels per point.
    Scale(f64),
    /// Pixels.
    Pixels(f64),
    /// Millimetres on paper, at a resolution.
    Millimetres {
        mm: f64,
        /// Pixels per inch.
        dpi: f64,
    },
}

impl Width {
    /// The width in whole pixels of a figure that is `points` wide.
    ///
    /// # Errors
    /// [`PngError::Width`] below [`png::MIN_WIDTH`] and above [`png::MAX_SIDE`].
    pub fn pixels(self, points: f32) -> Result<u32, PngError> {
        png::checked_width(match self {
            Self::Scale(scale) => f64::from(points) * scale,
            Self::Pixels(pixels) => pixels,
            Self::Millimetres { mm, dpi } => png::pixels_of_mm(mm, dpi),
        })
    }

    /// The resolution to note in a PNG, in pixels per inch; `None` for a width in pixels.
    pub fn dpi(self) -> Option<f64> {
        match self {
            Self::Millimetres { dpi, .. } => Some(dpi),
            Self::Scale(_) | Self::Pixels(_) => None,
        }
    }

    /// `svg`, whose size in points is `[width, height]`, with this width (and the height that
    /// follows) as its `width` and `height` attributes. The drawing itself does not change.
    pub fn svg(self, svg: &str, [width, height]: [f32; 2]) -> String {
        let (factor, unit) = match self {
            Self::Scale(scale) => (scale, ""),
            Self::Pixels(pixels) => (pixels / f64::from(width), ""),
            Self::Millimetres { mm, .. } => (mm / f64::from(width), "mm"),
        };
        let said = format!(" width=\"{width}\" height=\"{height}\" viewBox=");
        let [w, h] = [width, height].map(|side| {
            let side = (f64::from(side) * factor * 100.0).round() / 100.0;
            format!("{side}{unit}")
        });
        svg.replacen(&said, &format!(" width=\"{w}\" height=\"{h}\" viewBox="), 1)
    }
}
