//! The export dialog, and the caption of a figure.

use super::common::photos;

// The dialog.
pub const TITLE: &str = "Export";
pub const WHAT: &str = "WHAT";
pub const LEFT_CARDS: &str = "Left cards";
pub const RIGHT_CARDS: &str = "Right cards";
pub const LEFT_COLUMN: &str = "Left column";
pub const RIGHT_COLUMN: &str = "Right column";
pub const THE_VIEW: &str = "The view";
pub const THE_WINDOW: &str = "The whole window";
pub const WITH_CAPTION: &str = "With a caption";
pub const NO_COLUMNS: &str = "The runs are side by side, so there are no two columns";
pub const PIXELS: &str = "px wide";
pub const MILLIMETRES: &str = "mm wide";
pub const DPI: &str = "dpi";
pub const OUTLINE: &str = "Letters as outlines";
pub const FORMAT: &str = "FORMAT";
pub const GIF: &str = "GIF";
pub const APNG: &str = "APNG";
pub const FRAME_PAGES: &str = "A page for each frame";
pub const AUTO: &str = "Auto";
pub const AUTO_TIP: &str =
    "Both in one file: light or dark as the page or the system that shows the SVG";
pub const AUTO_NEEDS_SVG: &str = "For SVG: other formats have one theme";
pub const DOES_NOT_MOVE: &str = "Nothing moves here yet. Augmentation, Dropout and BatchNorm move, \
     and Fine-tune after its runs.";
pub const WHOLE_VIEW_MOVES: &str = "An animation shows the view";
pub const WHITE_IS_LIGHT: &str = "White does not follow the theme of a page";
pub const GIF_IS_OPAQUE: &str = "A GIF has no smooth edges: choose APNG";
pub const PDF_BY_BROWSER: &str = "For PDF, open the SVG in the browser and print it.";
pub const SIZE: &str = "SIZE";
pub const FOR: &str = "For";
pub const TEXT_SIZE: &str = "Text at least";
pub const POINTS: &str = "pt";
pub const BACKGROUND: &str = "BACKGROUND";
pub const OF_THEME: &str = "Theme";
pub const WHITE: &str = "White";
pub const NO_BACKGROUND: &str = "None";
pub const ANY_PAGE: &str = "Any page";
pub const IEEE_COLUMN: &str = "IEEE column";
pub const A4_PAGE: &str = "A4 page";
pub const SLIDE: &str = "Slide, 16:9";
pub const BEAMER: &str = "Beamer, 16:9";
pub const THEME: &str = "THEME";
pub const WITH_NUMBERS: &str = "With the numbers, as CSV";
pub const ONE_PLOT: &str = "One plot";
pub const PLOT: &str = "Plot";
pub const PREVIEW: &str = "Preview of the figure";
pub const DRAWING: &str = "Drawing ...";

// Why there is no figure of a part.
pub const NOTHING_HAS_RUN: &str = "Nothing has run yet, so there are no curves to export. Press Start \
     in the Fine-tune view first, or export the whole window.";
pub const NO_SIDES: &str = "this view has no columns to show alone";

pub fn small_text(points: f32) -> String {
    format!("The smallest text is {points:.1} pt high on paper: under 7 pt it is hard to read.")
}

/// What is written as an animation.
pub fn frames(count: usize) -> String {
    format!("{count} frames. The preview shows the last one.")
}

pub fn drawing_frame(number: usize, count: usize) -> String {
    format!("Drawing frame {number} of {count} ...")
}

pub fn too_many_pixels(frames: usize, width: u32, height: f64) -> String {
    format!("{frames} frames of {width} x {height:.0} pixels are too many for one animation")
}

pub fn too_large(why: &str) -> String {
    format!("{why}: choose a smaller width.")
}

pub fn no_plot(name: &str) -> String {
    format!("this view has no {name:?} to show alone")
}

// The message after copying.
pub const SVG_COPIED: &str = "The SVG is on the clipboard, as text";

pub fn picture_copied(width: usize, height: usize) -> String {
    format!("The picture is on the clipboard, {width} × {height} pixels")
}

pub fn learned_from(learn: usize, validate: usize) -> String {
    let learn = photos(learn);
    format!("trained on {learn}, validated on {validate}")
}

pub fn batch_of(n: usize) -> String {
    let photos = photos(n);
    format!("batch of {photos}")
}

/// What a column or a plot is: `**BatchNorm**: Left histogram, training=True, channel 5`.
pub fn part(view: &str, shown: &[String], channel: Option<usize>) -> String {
    let channel = channel.map(|channel| format!("channel {channel}"));
    let shown: Vec<String> = shown.iter().cloned().chain(channel).collect();
    format!("**{view}**: {}", shown.join(", "))
}

pub fn seed(seed: u64) -> String {
    format!("seed {seed}")
}
