//! The export dialog.

use std::sync::Arc;

use eframe::egui::TextureHandle;

use egui_svg::Width;

use crate::model::Mode;
use modelens_jobs::Figure;

/// What of the window a figure shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Both columns of the view.
    View,
    /// One column.
    Side(Mode),
    /// One plot of the view, by its name.
    Plot(&'static str),
    /// Everything, with panels and controls.
    Window,
}

/// What is exported, and how.
#[allow(clippy::struct_excessive_bools, reason = "each is a box of the dialog")]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ExportChoice {
    pub part: Part,
    /// PNG, else SVG.
    pub png: bool,
    /// Applies to an SVG too, unless it is a scale.
    pub width: Width,
    /// Outlines of letters in an SVG, for readers without the fonts.
    pub outline: bool,
    pub dark: bool,
    pub caption: bool,
    /// Also writes the numbers of the view, as CSV.
    pub numbers: bool,
}

impl ExportChoice {
    /// The scales on offer.
    pub const SCALES: [f64; 3] = [1.0, 2.0, 3.0];
    /// What the widths begin with.
    pub const PIXELS: f64 = 1600.0;
    pub const MILLIMETRES: f64 = 160.0;
}

/// State of the dialog.
#[derive(Default)]
pub struct Export {
    /// `None`: not open.
    pub choice: Option<ExportChoice>,
    /// What the choice looks like now.
    pub drawn: Option<Arc<Figure>>,
    pub preview: Option<TextureHandle>,
    /// Another preview is being drawn.
    pub waits: bool,
    /// What of the view can be exported alone.
    pub plots: Vec<&'static str>,
    /// Whether the view has any.
    pub has_numbers: bool,
    /// The result of the last save or copy, or why there is no figure.
    pub message: Option<String>,
}
