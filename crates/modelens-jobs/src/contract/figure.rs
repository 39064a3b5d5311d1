//! Figures that are written, copied or previewed.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A figure to write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figure {
    /// One drawing, or the frames of an animation, which have the same size.
    pub frames: Vec<FigureFrame>,
    pub kind: FigureKind,
    /// CSV that is written beside the figure's file.
    pub numbers: Option<String>,
}

/// One drawing of a figure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FigureFrame {
    pub svg: String,
    /// How long an animation shows it.
    pub milliseconds: u16,
}

/// What a figure is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FigureKind {
    Svg {
        /// Writes letters as outlines instead of text.
        outline: bool,
    },
    Png {
        /// In pixels.
        width: u32,
        /// Pixels per inch, noted in the file.
        dpi: Option<u32>,
    },
    /// A page for each frame, as large as the SVG says.
    Pdf,
    Gif {
        /// In pixels.
        width: u32,
    },
    Apng {
        /// In pixels.
        width: u32,
    },
}

impl FigureKind {
    /// The ending of a file name.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Svg { .. } => "svg",
            Self::Png { .. } => "png",
            Self::Pdf => "pdf",
            Self::Gif { .. } => "gif",
            Self::Apng { .. } => "apng",
        }
    }

    /// Width in pixels; `None` for vectors.
    pub fn pixels(self) -> Option<u32> {
        match self {
            Self::Svg { .. } | Self::Pdf => None,
            Self::Png { width, .. } | Self::Gif { width } | Self::Apng { width } => Some(width),
        }
    }
}

impl Figure {
    /// A figure that does not move.
    pub fn still(svg: String, kind: FigureKind) -> Self {
        let milliseconds = 0;
        Self {
            frames: vec![FigureFrame { svg, milliseconds }],
            kind,
            numbers: None,
        }
    }

    /// The drawing, or the first frame of an animation.
    pub fn svg(&self) -> &str {
        self.frames.first().map_or("", |frame| &frame.svg)
    }
}

/// Where a figure goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FigureTo {
    File(PathBuf),
    Clipboard,
    Preview,
}
