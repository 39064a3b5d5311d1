//! A view without a window: the shapes it draws as SVG, and PNG and PDF of that.
//!
//! State -> [`mod@draw`] -> SVG -> [`egui_svg::png`] or [`egui_svg::pdf`]. The same state gives the same
//! bytes. On paper, [`on_paper`] finds the layout whose words are large enough.

mod animation;
mod caption;
mod draw;
mod paper;

pub use crate::state::{Background, LEGIBLE, POINTS_PER_MM, Paper, Preset};
pub use animation::{SCREEN_DPI, animation_fits};
pub use caption::{description, title};
pub use draw::{DrawError, Drawn, LARGEST, PageSize, What, draw};
pub use paper::{OnPaper, on_paper, with_both_themes};
