#![cfg_attr(feature = "shapes", doc = include_str!("../README.md"))]
#![forbid(unsafe_code)]
#![cfg_attr(
    not(feature = "shapes"),
    doc = "Turns SVG into PNG, into PDF, or into SVG whose text is outlines."
)]

pub mod animation;
#[cfg(feature = "shapes")]
mod document;
mod fonts;
mod ids;
#[cfg(feature = "shapes")]
mod images;
#[cfg(feature = "shapes")]
mod meshes;
mod missing;
mod number;
mod outline;
pub mod pdf;
pub mod png;
#[cfg(feature = "shapes")]
mod shapes;
#[cfg(all(test, feature = "shapes"))]
mod shapes_tests;
#[cfg(feature = "shapes")]
mod text;
mod text_size;
mod themes;
mod width;
#[cfg(feature = "shapes")]
mod write;

#[cfg(feature = "shapes")]
pub use document::{Document, frame_svg};
pub use fonts::FontFiles;
#[cfg(feature = "shapes")]
pub use fonts::Typography;
#[cfg(feature = "shapes")]
pub use images::{Images, Picture};
pub use missing::missing_glyphs;
pub use outline::outlined;
pub use text_size::smallest_text;
pub use themes::with_dark_theme;
pub use width::Width;
