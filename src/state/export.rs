//! The export dialog.

use std::sync::Arc;

use eframe::egui::TextureHandle;

use egui_svg::Width;

use super::{Background, POINTS_PER_MM, Paper, Preset};
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

/// What a figure is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FigureFormat {
    Png,
    Svg,
    /// A page has none: its code would be larger, and a browser prints to PDF.
    Pdf,
}

/// What is exported, and how.
#[allow(clippy::struct_excessive_bools, reason = "each is a box of the dialog")]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ExportChoice {
    pub part: Part,
    pub format: FigureFormat,
    /// Applies to an SVG too, unless it is a scale.
    pub width: Width,
    /// The page that the figure is for; it decides the width.
    pub page: Option<Preset>,
    /// The least size of text on paper, in points of print; `None`: the page's, or as it comes.
    pub text: Option<f64>,
    /// Outlines of letters in an SVG, for readers without the fonts.
    pub outline: bool,
    pub dark: bool,
    pub background: Background,
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

    /// The paper that the layout is for; `None`: a screen, or paper without a wanted size of text.
    pub fn paper(&self) -> Option<Paper> {
        let text = self.text.map(|text| text as f32);
        if let Some(page) = self.page {
            let paper = page.paper();
            let text = text.unwrap_or(paper.text);
            return Some(Paper { text, ..paper });
        }
        let Width::Millimetres { mm, .. } = self.width else {
            return None;
        };
        Some(Paper {
            width: mm as f32 * POINTS_PER_MM,
            height: None,
            text: text?,
        })
    }
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
    /// The size of the smallest text on paper, in points of print.
    pub text: Option<f32>,
    /// Whether the view has any.
    pub has_numbers: bool,
    /// The result of the last save or copy, or why there is no figure.
    pub message: Option<String>,
}
