//! Writes what egui drew as SVG, and turns SVG into PNG.
//!
//! Text stays text, and pictures are embedded. The same shapes give the same bytes.

pub mod boxes;
#[cfg(feature = "shapes")]
mod document;
mod fonts;
#[cfg(feature = "shapes")]
mod ids;
#[cfg(feature = "shapes")]
mod images;
#[cfg(feature = "shapes")]
mod meshes;
mod number;
mod outline;
pub mod png;
#[cfg(feature = "shapes")]
mod shapes;
#[cfg(all(test, feature = "shapes"))]
mod shapes_tests;
#[cfg(feature = "shapes")]
mod text;
mod width;
#[cfg(feature = "shapes")]
mod write;

#[cfg(feature = "shapes")]
pub use document::{Document, frame_svg};
pub use fonts::FontFiles;
#[cfg(feature = "shapes")]
pub use fonts::Typography;
#[cfg(feature = "shapes")]
pub use images::Images;
pub use outline::outlined;
pub use width::Width;
