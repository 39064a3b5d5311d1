//! A view without a window: the shapes it draws as SVG, and PNG of that.
//!
//! State -> [`mod@draw`] -> SVG -> [`egui_svg::png`]. The same state gives the same bytes.

mod caption;
mod draw;

pub use caption::title;
pub use draw::{DrawError, Drawn, LARGEST, What, draw};
