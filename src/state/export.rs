//! The export dialog.

use std::sync::Arc;

use eframe::egui::TextureHandle;

use egui_svg::Width;

use super::{Background, POINTS_PER_MM, Paper, Preset};
use crate::model::Mode;
use modelens_jobs::{Figure, FigureFrame};

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
    Gif,
    Apng,
}

/// The colours of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FigureTheme {
    Light,
    Dark,
    /// Both, in an SVG that follows the page that it is on.
    Auto,
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
    /// A page for each frame of the animation, in a PDF.
    pub frame_pages: bool,
    pub theme: FigureTheme,
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

    /// Whether the figure is an animation.
    pub fn moves(&self) -> bool {
        match self.format {
            FigureFormat::Gif | FigureFormat::Apng => true,
            FigureFormat::Pdf => self.frame_pages,
            FigureFormat::Png | FigureFormat::Svg => false,
        }
    }

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

/// The size that a choice came to.
#[derive(Clone, Copy, Debug)]
pub struct Laid {
    /// In points.
    pub size: [f32; 2],
    pub width: Width,
}

/// An animation as far as it is drawn.
#[derive(Clone, Debug, Default)]
pub struct DrawnFrames {
    pub moments: Vec<Moment>,
    pub frames: Vec<FigureFrame>,
}

/// A moment of an animation, and how long it is shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moment {
    /// The draw, pass, batch or optimizer step, counted from 0.
    pub number: usize,
    /// The part of it that has been played, above 0 up to 1.
    pub played: f64,
    pub milliseconds: u16,
}

/// State of the dialog.
#[derive(Default)]
pub struct Export {
    /// `None`: not open.
    pub choice: Option<ExportChoice>,
    /// What the choice looks like now.
    pub drawn: Option<Arc<Figure>>,
    pub laid: Option<Laid>,
    /// The number of frames of the view's animation; 0 if the view does not move.
    pub moments: usize,
    pub preview: Option<TextureHandle>,
    /// Another preview is being drawn.
    pub waits: bool,
    /// What of the view can be exported alone.
    pub plots: Vec<&'static str>,
    /// The size of the smallest text on paper, in points of print.
    pub text: Option<f32>,
    /// Whether the view has any.
    pub has_numbers: bool,
    /// The animation that is being drawn for a file.
    pub animation: Option<DrawnFrames>,
    /// The result of the last save or copy, or why there is no figure.
    pub message: Option<String>,
}
