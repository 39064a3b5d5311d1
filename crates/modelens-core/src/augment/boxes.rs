//! The boxes that erasing and `CutMix` draw.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::dataset::Image;
use crate::random::Draws;

/// A box in pixels, with ends between pixels: it holds the pixels from `ceil(start)` to below the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DrawnBox {
    pub top: f32,
    pub bottom: f32,
    pub left: f32,
    pub right: f32,
}

impl DrawnBox {
    /// Draws the place of a box whose sides are these shares of the image's, the columns first.
    /// Source: keras 3.15 `_compute_crop_bounds`.
    pub(super) fn draw(
        draws: &mut Draws,
        [height, width]: [usize; 2],
        share_of_height: f64,
        share_of_width: f64,
    ) -> Self {
        let mut ends = |len: usize, share: f64| {
            let len = len as f32;
            let side = share as f32 * len;
            let start = draws.unit() as f32 * (len - side);
            (start, start + side)
        };
        let (left, right) = ends(width, share_of_width);
        let (top, bottom) = ends(height, share_of_height);
        Self {
            top,
            bottom,
            left,
            right,
        }
    }

    /// The pixels inside, `[top, bottom, left, right]`, the ends not included.
    fn pixels(self, height: usize, width: usize) -> [usize; 4] {
        // `as` turns what is negative into 0.
        let within = |end: f32, len: usize| (end.ceil() as usize).min(len);
        let [top, left] = [within(self.top, height), within(self.left, width)];
        let bottom = within(self.bottom, height).max(top);
        [top, bottom, left, within(self.right, width).max(left)]
    }

    /// The pixels inside as words: `24 × 31 at 12, 80` (height, width, row, column).
    pub(super) fn words(self, height: usize, width: usize) -> String {
        let [top, bottom, left, right] = self.pixels(height, width);
        format!("{} × {} at {top}, {left}", bottom - top, right - left)
    }

    /// The box's share of an image's area.
    pub(super) fn share(self, height: usize, width: usize) -> f32 {
        let area = (self.right - self.left) * (self.bottom - self.top);
        area / (height * width) as f32
    }

    /// The indices of the values of each row of pixels inside.
    pub(super) fn rows<T>(self, image: &Image<T>) -> impl Iterator<Item = Range<usize>> {
        let [width, channels] = [image.width, image.channels];
        let [top, bottom, left, right] = self.pixels(image.height, width);
        (top..bottom)
            .map(move |row| (row * width + left) * channels..(row * width + right) * channels)
    }

    /// A copy of the image with `value` of the index of each value inside the box.
    pub(super) fn filled(self, image: &Image, mut value: impl FnMut(usize) -> f32) -> Image {
        let mut out = image.clone();
        for i in self.rows(image).flatten() {
            out.pixels_hwc[i] = value(i);
        }
        out
    }
}
