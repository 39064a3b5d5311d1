//! Paper and slides that figures are made for.

use crate::words::export as words;

/// The smallest text, in points of print, that is read without effort.
pub const LEGIBLE: f32 = 7.0;

/// Points of print per millimetre.
pub const POINTS_PER_MM: f32 = 72.0 / 25.4;

/// Where a figure goes, in points of print (72 per inch).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Paper {
    pub width: f32,
    /// The most height; `None`: as high as the view needs.
    pub height: Option<f32>,
    /// The wanted size of the smallest text.
    pub text: f32,
}

/// A page that figures are often made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Preset {
    /// One column of an IEEE paper: 3.5 inches.
    IeeeColumn,
    /// A4 with margins of 2 cm: 17 cm.
    A4,
    /// A whole slide of 13.33 x 7.5 inches, as PowerPoint, Keynote and Google Slides make it.
    #[value(name = "slide-16x9")]
    Slide16x9,
    /// A whole beamer frame with aspectratio=169: 16 x 9 cm.
    Beamer,
}

impl Preset {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::IeeeColumn, Self::A4, Self::Slide16x9, Self::Beamer];

    /// The name the window shows.
    pub fn label(self) -> &'static str {
        match self {
            Self::IeeeColumn => words::IEEE_COLUMN,
            Self::A4 => words::A4_PAGE,
            Self::Slide16x9 => words::SLIDE,
            Self::Beamer => words::BEAMER,
        }
    }

    /// The room of a figure, and the text that it is laid out for.
    pub fn paper(self) -> Paper {
        let mm = |width: f32, height: Option<f32>, text: f32| Paper {
            width: width * POINTS_PER_MM,
            height: height.map(|height| height * POINTS_PER_MM),
            text,
        };
        match self {
            Self::IeeeColumn => mm(88.9, None, 7.0),
            Self::A4 => mm(170.0, None, 7.2),
            Self::Slide16x9 => mm(338.667, Some(190.5), 14.0),
            Self::Beamer => mm(160.0, Some(90.0), LEGIBLE),
        }
    }
}

/// The background of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Background {
    /// Nothing: the page shows through.
    None,
    White,
    /// The background of the window.
    Theme,
}

impl Background {
    pub const ALL: [Self; 3] = [Self::Theme, Self::White, Self::None];

    /// The name the window shows.
    pub fn label(self) -> &'static str {
        match self {
            Self::None => words::NO_BACKGROUND,
            Self::White => words::WHITE,
            Self::Theme => words::OF_THEME,
        }
    }
}
