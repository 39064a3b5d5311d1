//! Colours and value ranges, shared by the layers that change them. All in 32 bits, as the frameworks
//! compute them.

use modelens_kernels::simd::vectorized;

use super::bytes::Value;
use super::tensors::{at_least, at_most, blocks};
use crate::dataset::Image;

/// The values of bytes, which the layers of Keras take unless they are told otherwise.
pub const BYTE: [f64; 2] = [0.0, 255.0];

/// Pixels that are computed at once, so that loops over their values are vectorised.
pub(super) const TILE: usize = 64;

/// A copy of the image with `change` done to each pixel, a slice with one value per channel.
pub(super) fn map_pixels<T: Clone>(image: &Image<T>, mut change: impl FnMut(&mut [T])) -> Image<T> {
    let mut out = image.clone();
    for pixel in out.pixels_hwc.chunks_exact_mut(image.channels.max(1)) {
        change(pixel);
    }
    out
}

/// A copy of the image with `change` done to each value.
pub(super) fn map_values<T: Value>(image: &Image<T>, change: impl Fn(f32) -> f32) -> Image<T> {
    changed_values(image.clone(), change)
}

/// The image with `change` done to each value.
pub(super) fn changed_values<T: Value>(
    mut image: Image<T>,
    change: impl Fn(f32) -> f32,
) -> Image<T> {
    // A function, whose arguments are known not to overlap: else the compiler does not vectorise the loop.
    #[inline(always)]
    fn each<T: Value>(values: &mut [T], change: &impl Fn(f32) -> f32) {
        for value in values {
            *value = T::put(change(value.get()));
        }
    }

    vectorized(
        #[inline(always)]
        || each(&mut image.pixels_hwc, &change),
    );
    image
}

/// As [`map_values`], for values within `range` that are changed as those of bytes.
pub(super) fn map_bytes(image: &Image, range: [f64; 2], change: impl Fn(f32) -> f32) -> Image {
    // The usual range has a loop without a rescaling.
    if range == BYTE {
        return map_values(image, change);
    }
    map_values(
        image,
        #[inline(always)]
        |x| rescaled(change(rescaled(x, range, BYTE)), BYTE, range),
    )
}

/// A copy of an image of three channels with `change` done to each pixel; any other image stays as it is.
pub(super) fn map_rgb(image: &Image, change: impl Fn([f32; 3]) -> [f32; 3]) -> Image {
    blocks::map(
        image,
        #[inline(always)]
        |[r, g, b]| {
            for ((r, g), b) in r.iter_mut().zip(g).zip(b) {
                [*r, *g, *b] = change([*r, *g, *b]);
            }
        },
    )
}

/// A copy of the image with `change` done to each value, with the one of `numbers` that belongs to its channel.
pub(super) fn map_channels(
    image: &Image,
    numbers: &[f32],
    change: impl Fn(f32, f32) -> f32,
) -> Image {
    #[inline(always)]
    fn each(values: &mut [f32], numbers: &[f32], change: &impl Fn(f32, f32) -> f32) {
        for (value, &number) in values.iter_mut().zip(numbers) {
            *value = change(*value, number);
        }
    }

    let tile: Vec<f32> = numbers
        .iter()
        .copied()
        .cycle()
        .take(TILE * numbers.len())
        .collect();
    let mut out = image.clone();
    vectorized(
        #[inline(always)]
        || {
            for values in out.pixels_hwc.chunks_mut(tile.len().max(1)) {
                each(values, &tile, &change);
            }
        },
    );
    out
}

/// The sum of each channel.
pub(super) fn channel_sums(image: &Image) -> Vec<f64> {
    let channels = image.channels;
    let mut sums = vec![0.0_f64; TILE * channels];
    vectorized(
        #[inline(always)]
        || {
            for values in image.pixels_hwc.chunks(sums.len().max(1)) {
                for (sum, &value) in sums.iter_mut().zip(values) {
                    *sum += f64::from(value);
                }
            }
        },
    );
    let of_channel = |channel: usize| sums.iter().skip(channel).step_by(channels).sum();
    (0..channels).map(of_channel).collect()
}

/// `(x - from low) / (from high - from low) (to high - to low) + to low`; x where the ranges are equal.
/// Source: keras 3.15 `_transform_value_range`.
#[inline(always)]
pub(super) fn rescaled(x: f32, from: [f64; 2], to: [f64; 2]) -> f32 {
    if from == to {
        return x;
    }
    let [low, high] = from.map(|end| end as f32);
    let [to_low, to_high] = to.map(|end| end as f32);
    (x - low) / (high - low) * (to_high - to_low) + to_low
}

/// Within `[low, high]`. Not `clamp`, which panics where a file holds an empty range.
#[inline(always)]
pub(super) fn clip(x: f32, [low, high]: [f64; 2]) -> f32 {
    at_most(at_least(x, low as f32), high as f32)
}

/// The grey value of a pixel, with the weights of Keras and torchvision.
#[inline(always)]
pub(super) fn grey([r, g, b]: [f32; 3]) -> f32 {
    0.2989 * r + 0.587 * g + 0.114 * b
}

/// Hue and saturation within [0, 1], and the value in the units of the image.
/// Source: tensorflow `colorspace_op.h`.
#[inline(always)]
pub(super) fn hsv_from_rgb([r, g, b]: [f32; 3]) -> [f32; 3] {
    let value = at_least(at_least(r, g), b);
    let range = value - at_most(at_most(r, g), b);
    let saturation = if value > 0.0 { range / value } else { 0.0 };
    let is_grey = range <= 0.0;
    // Without branches, so that a loop over pixels is vectorised.
    let norm = if is_grey { 1.0 } else { range }.recip() * (1.0 / 6.0);
    let of_red = norm * (g - b);
    let of_green = norm * (b - r) + 2.0 / 6.0;
    let of_blue = norm * (r - g) + 4.0 / 6.0;
    let not_red = if g == value { of_green } else { of_blue };
    let hue = if r == value { of_red } else { not_red };
    let hue = if hue < 0.0 { hue + 1.0 } else { hue };
    [if is_grey { 0.0 } else { hue }, saturation, value]
}

/// The inverse of [`hsv_from_rgb`]. Source: tensorflow `colorspace_op.h`.
#[inline(always)]
pub(super) fn rgb_from_hsv([hue, saturation, value]: [f32; 3]) -> [f32; 3] {
    let sixths = hue * 6.0;
    let unit = |x: f32| at_most(at_least(x, 0.0), 1.0);
    let r = unit((sixths - 3.0).abs() - 1.0);
    let g = unit(2.0 - (sixths - 2.0).abs());
    let b = unit(2.0 - (sixths - 4.0).abs());
    [r, g, b].map(|share| (1.0 - saturation + saturation * share) * value)
}
