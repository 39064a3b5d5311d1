//! A view without a window: the shapes it draws as SVG, and PNG of that.
//!
//! State -> [`mod@draw`] -> SVG -> [`png`]. The same state gives the same bytes.

pub mod boxes;
mod caption;
mod document;
mod draw;
mod images;
mod meshes;
mod outline;
pub mod png;
mod shapes;
#[cfg(test)]
mod shapes_tests;
mod table;
mod text;
mod width;
mod write;

pub use draw::{DrawError, Drawn, LARGEST, Part, What, draw, frame_svg};
pub use images::Images;
pub use outline::outlined;
pub use table::numbers;
pub use width::Width;

use crate::theme::text::BODY as BODY_SIZE;
