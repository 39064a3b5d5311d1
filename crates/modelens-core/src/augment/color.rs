//! Colours and value ranges, shared by the layers that change them. All in 32 bits, as the frameworks
//! compute them.

use modelens_kernels::simd::run;

use crate::dataset::Image;

/// The values of bytes, which the layers of Keras take unless they are told otherwise.
pub const BYTE: [f64; 2] = [0.0, 255.0];

/// A copy of the image with `change` done to each pixel, a slice with one value per channel.
pub(super) fn map_pixels(image: &Image, mut change: impl FnMut(&mut [f32])) -> Image {
    let mut out = image.clone();
    for pixel in out.pixels_hwc.chunks_exact_mut(image.channels.max(1)) {
        change(pixel);
    }
    out
}

/// A copy of the image with `change` done to each value.
pub(super) fn map_values(image: &Image, change: impl Fn(f32) -> f32) -> Image {
    Image {
        pixels_hwc: run(|| {
            image
                .pixels_hwc
                .iter()
                .map(|&value| change(value))
                .collect()
        }),
        ..*image
    }
}

/// As [`map_pixels`] for images of three channels; any other image stays as it is.
pub(super) fn map_rgb(image: &Image, change: impl Fn([f32; 3]) -> [f32; 3]) -> Image {
    map_pixels(image, |pixel| {
        if let Ok(rgb) = <[f32; 3]>::try_from(&*pixel) {
            pixel.copy_from_slice(&change(rgb));
        }
    })
}

/// `(x - from low) / (from high - from low) (to high - to low) + to low`; x where the ranges are equal.
/// Source: keras 3.15 `_transform_value_range`.
pub(super) fn rescaled(x: f32, from: [f64; 2], to: [f64; 2]) -> f32 {
    if from == to {
        return x;
    }
    let [low, high] = from.map(|end| end as f32);
    let [to_low, to_high] = to.map(|end| end as f32);
    (x - low) / (high - low) * (to_high - to_low) + to_low
}

/// Within `[low, high]`. Not `clamp`, which panics where a file holds an empty range.
pub(super) fn clip(x: f32, [low, high]: [f64; 2]) -> f32 {
    x.max(low as f32).min(high as f32)
}

/// The grey value of a pixel, with the weights of Keras and torchvision.
pub(super) fn grey([r, g, b]: [f32; 3]) -> f32 {
    0.2989 * r + 0.587 * g + 0.114 * b
}

/// Hue and saturation within [0, 1], and the value in the units of the image.
/// Source: tensorflow `colorspace_op.h`.
pub(super) fn hsv_from_rgb([r, g, b]: [f32; 3]) -> [f32; 3] {
    let value = r.max(g).max(b);
    let range = value - r.min(g).min(b);
    let saturation = if value > 0.0 { range / value } else { 0.0 };
    if range <= 0.0 {
        return [0.0, saturation, value];
    }
    let norm = range.recip() * (1.0 / 6.0);
    let hue = if r == value {
        norm * (g - b)
    } else if g == value {
        norm * (b - r) + 2.0 / 6.0
    } else {
        norm * (r - g) + 4.0 / 6.0
    };
    [if hue < 0.0 { hue + 1.0 } else { hue }, saturation, value]
}

/// The inverse of [`hsv_from_rgb`]. Source: tensorflow `colorspace_op.h`.
pub(super) fn rgb_from_hsv([hue, saturation, value]: [f32; 3]) -> [f32; 3] {
    let sixths = hue * 6.0;
    let unit = |x: f32| x.clamp(0.0, 1.0);
    let r = unit((sixths - 3.0).abs() - 1.0);
    let g = unit(2.0 - (sixths - 2.0).abs());
    let b = unit(2.0 - (sixths - 4.0).abs());
    [r, g, b].map(|share| (1.0 - saturation + saturation * share) * value)
}
