//! How wide a figure is on paper or screen.

use super::png::{self, PngError};

/// The width of a figure; its height follows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Width {
    /// Pixels for each point.
    Scale(f64),
    Pixels(f64),
    /// With the pixels of an inch.
    Millimetres {
        mm: f64,
        dpi: f64,
    },
}

impl Width {
    /// In pixels, of a figure so many points wide.
    ///
    /// # Errors
    /// Too few, or more than a PNG may have.
    pub fn pixels(self, points: f32) -> Result<u32, PngError> {
        png::width(match self {
            Self::Scale(scale) => f64::from(points) * scale,
            Self::Pixels(pixels) => pixels,
            Self::Millimetres { mm, dpi } => png::pixels_of_mm(mm, dpi),
        })
    }

    /// What a PNG notes, so that other programs give it its size in millimetres.
    pub fn dpi(self) -> Option<f64> {
        match self {
            Self::Millimetres { dpi, .. } => Some(dpi),
            Self::Scale(_) | Self::Pixels(_) => None,
        }
    }

    /// The drawing of a size in points, with the size it says it has.
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
