//! Boxes of whole pixels, and sizes.

use serde::{Deserialize, Serialize};

use super::{Draws, ListLimits, pair};

/// The ratios of two sides.
pub(super) const RATIO: ListLimits = ListLimits::of(&[2], [1e-3, 1e3], [0.1, 4.0]);
/// Boxes that are tried.
const TRIES: usize = 10;

/// A box of whole pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoxDraw {
    pub top: usize,
    pub left: usize,
    pub height: usize,
    pub width: usize,
}

impl BoxDraw {
    /// `24 × 31 at 12, 80` (height, width, row, column).
    pub(super) fn words(self) -> String {
        let Self {
            top,
            left,
            height,
            width,
        } = self;
        format!("{height} × {width} at {top}, {left}")
    }
}

/// How large a box may be and of which shape.
pub(super) struct BoxShape<'a> {
    /// Shares of the image's area.
    pub scale: &'a [f64],
    /// From the least to the most.
    pub ratio: &'a [f64],
    /// True if a ratio is height over width, false if it is width over height.
    pub of_height: bool,
}

impl BoxShape<'_> {
    /// Draws boxes until one fits: U(scale) of the area, `exp(U(log ratio))`, and a place. `None` after ten
    /// that do not. Source: torchvision 0.29 `RandomResizedCrop` and `RandomErasing`.
    pub fn draw(
        &self,
        [height, width]: [usize; 2],
        draws: &mut Draws,
        fits: impl Fn(usize, usize) -> bool,
    ) -> Option<BoxDraw> {
        let [least, most] = pair(self.scale).unwrap_or([1.0; 2]);
        let [flat, tall] = pair(self.ratio).unwrap_or([1.0; 2]).map(f64::ln);
        let area = (height * width) as f64;
        for _ in 0..TRIES {
            let area = area * draws.uniform(least, most);
            let ratio = draws.uniform(flat, tall).exp();
            let [a, b] =
                [area * ratio, area / ratio].map(|side| side.sqrt().round_ties_even() as usize);
            let [h, w] = if self.of_height { [a, b] } else { [b, a] };
            if fits(h, w) {
                return Some(BoxDraw {
                    top: draws.below(height - h + 1),
                    left: draws.below(width - w + 1),
                    height: h,
                    width: w,
                });
            }
        }
        None
    }
}

/// `[height, width]` of one number for a square, or two.
pub(super) fn sides_of(size: &[f64]) -> [usize; 2] {
    match *size {
        [height, width] => [height as usize, width as usize],
        [side, ..] => [side as usize; 2],
        [] => [1; 2],
    }
}

/// The size as code has it: one number for a square.
pub(super) fn square(height: usize, width: usize) -> Vec<f64> {
    let [height, width] = [height.max(1) as f64, width.max(1) as f64];
    if height == width {
        vec![height]
    } else {
        vec![height, width]
    }
}
