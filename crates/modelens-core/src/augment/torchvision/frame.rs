//! Pads and crops.

use serde::{Deserialize, Serialize};

use super::{Image, ListLimits, Named};
use crate::augment::bytes::Value;
use crate::dataset::resize::PixelWindow;

/// What stands beyond the edge of a padded image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PaddingMode {
    /// The fill value.
    #[default]
    Constant,
    /// `aaaa|abcd|dddd`.
    Edge,
    /// `dcb|abcd|cba`.
    Reflect,
    /// `dcba|abcd|dcba`.
    Symmetric,
}

impl Named for PaddingMode {
    const ALL: &'static [Self] = &[Self::Constant, Self::Edge, Self::Reflect, Self::Symmetric];

    fn name(self) -> &'static str {
        match self {
            Self::Constant => "constant",
            Self::Edge => "edge",
            Self::Reflect => "reflect",
            Self::Symmetric => "symmetric",
        }
    }
}

impl PaddingMode {
    /// The pixel of an axis of `len` that stands at `at`; `None` is the fill value.
    fn index(self, at: isize, len: usize) -> Option<usize> {
        let last = len as isize - 1;
        let inside = match self {
            Self::Constant => return (0..=last).contains(&at).then_some(at as usize),
            Self::Edge => at,
            Self::Reflect if last == 0 => 0,
            Self::Reflect => last - (at.rem_euclid(2 * last) - last).abs(),
            Self::Symmetric => {
                let place = at.rem_euclid(2 * len as isize);
                place.min(2 * last + 1 - place)
            }
        };
        Some(inside.clamp(0, last) as usize)
    }
}

/// Pixels on each side. In torchvision: one number, `(left and right, top and bottom)`, or `(left, top, right,
/// bottom)`.
pub(super) const PADDING: ListLimits = ListLimits::whole(&[1, 2, 4], 0.0);
/// The same, or none.
pub(super) const OPTIONAL_PADDING: ListLimits = ListLimits::whole(&[0, 1, 2, 4], 0.0);

/// `[left, top, right, bottom]`.
pub(super) fn sides(padding: &[f64]) -> [usize; 4] {
    let [left, top, right, bottom] = match *padding {
        [all] => [all; 4],
        [x, y] => [x, y, x, y],
        [left, top, right, bottom] => [left, top, right, bottom],
        _ => [0.0; 4],
    };
    [left, top, right, bottom].map(|side| side as usize)
}

/// Adds pixels on each side. A fill value of an 8-bit image is cut to a whole number.
/// Source: torchvision 0.29 `pad_image`.
pub(super) fn pad<T: Value>(
    image: &Image<T>,
    [left, top, right, bottom]: [usize; 4],
    mode: PaddingMode,
    fill: &[f64],
    whole: bool,
) -> Image<T> {
    let channels = image.channels;
    let [height, width] = [image.height + top + bottom, image.width + left + right];
    let of_channel = |channel: usize| {
        let own = fill.get(channel).or(fill.first());
        let value = own.copied().unwrap_or_default() as f32;
        T::put(if whole { value.trunc() } else { value })
    };
    let filled: Vec<T> = (0..channels)
        .map(of_channel)
        .cycle()
        .take(width * channels)
        .collect();
    let outside = |x: usize| mode.index(x as isize - left as isize, image.width);
    let sides = [0..left, left + image.width..width];
    let [on_left, on_right] = sides.map(|side| side.map(outside).collect::<Vec<_>>());
    let row_len = image.width * channels;
    let mut pixels_hwc = Vec::with_capacity(height * width * channels);
    for y in 0..height {
        let Some(y) = mode.index(y as isize - top as isize, image.height) else {
            pixels_hwc.extend_from_slice(&filled);
            continue;
        };
        let row = &image.pixels_hwc[y * row_len..][..row_len];
        let side = |out: &mut Vec<T>, columns: &[Option<usize>]| {
            if mode == PaddingMode::Constant {
                return out.extend_from_slice(&filled[..columns.len() * channels]);
            }
            for x in columns.iter().flatten() {
                out.extend_from_slice(&row[x * channels..][..channels]);
            }
        };
        side(&mut pixels_hwc, &on_left);
        pixels_hwc.extend_from_slice(row);
        side(&mut pixels_hwc, &on_right);
    }
    Image {
        height,
        width,
        channels,
        pixels_hwc,
    }
}

/// The window of `[height, width]` at (top, left), which lies inside of the image.
pub(super) fn crop<T: Copy>(
    image: &Image<T>,
    [top, left]: [usize; 2],
    [height, width]: [usize; 2],
) -> Image<T> {
    let window = PixelWindow {
        top,
        left,
        height,
        width,
    };
    window.cut(image)
}

/// The middle of an image; black pixels around a smaller one. Halves are rounded to the even number.
/// Source: torchvision 0.29 `center_crop_image`.
pub(super) fn center<T: Value>(image: &Image<T>, [height, width]: [usize; 2]) -> Image<T> {
    let missing = |own: usize, wanted: usize| {
        let missing = wanted.saturating_sub(own);
        [missing / 2, missing.div_ceil(2)]
    };
    let [top, bottom] = missing(image.height, height);
    let [left, right] = missing(image.width, width);
    let padded;
    let image = if top + bottom + left + right > 0 {
        padded = pad(
            image,
            [left, top, right, bottom],
            PaddingMode::Constant,
            &[0.0],
            false,
        );
        &padded
    } else {
        image
    };
    let start =
        |own: usize, wanted: usize| ((own - wanted) as f64 / 2.0).round_ties_even() as usize;
    let at = [start(image.height, height), start(image.width, width)];
    crop(image, at, [height, width])
}
