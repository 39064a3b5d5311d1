//! Pictures of bytes for the screen, and how far they are from the photo.

use modelens_kernels::simd::vectorized;

use super::bytes::{AnyImage, Value};
use super::color::TILE;
use super::{Pipeline, color};
use crate::dataset::Image;

impl Pipeline {
    /// The two ends of the range of values `[0, 255]` after the steps that rescale, channel by channel.
    pub fn ranges(&self, channels: usize) -> Vec<[f64; 2]> {
        (0..channels)
            .map(|channel| self.value_range(channel))
            .collect()
    }
}

/// The range of the finite values of images; `[0, 255]` if all are equal.
pub fn range_of<'a>(images: impl IntoIterator<Item = &'a Image>) -> [f64; 2] {
    let values = images.into_iter().flat_map(|image| &image.pixels_hwc);
    let finite = values
        .copied()
        .map(f64::from)
        .filter(|value| value.is_finite());
    let [low, high] = finite.fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], value| {
        [low.min(value), high.max(value)]
    });
    if low < high { [low, high] } else { color::BYTE }
}

/// The lower end of the range of each value, and what a step of it is of `[0, 255]`; for `TILE` pixels.
fn shades(channels: usize, ranges: &[[f64; 2]]) -> [Vec<f32>; 2] {
    let of_value = |i: usize| {
        let [low, high] = ranges.get(i % channels).copied().unwrap_or(color::BYTE);
        // After a rescaling by 0 all values are equal: any scale will do.
        let scale = if low == high {
            1.0
        } else {
            255.0 / (high - low)
        };
        [low as f32, scale as f32]
    };
    let shades: Vec<[f32; 2]> = (0..TILE * channels).map(of_value).collect();
    [0, 1].map(|of| shades.iter().map(|shade| shade[of]).collect())
}

/// The image with bytes for values: of each channel, the lower end of its range becomes 0 and the upper end 255.
pub fn picture(image: &Image, ranges: &[[f64; 2]]) -> Image<u8> {
    let [low, scale] = shades(image.channels.max(1), ranges);
    let mut pixels_hwc = vec![0_u8; image.pixels_hwc.len()];
    vectorized(
        #[inline(always)]
        || {
            let tiles = image.pixels_hwc.chunks(low.len());
            for (out, values) in pixels_hwc.chunks_mut(low.len()).zip(tiles) {
                let shades = low.iter().zip(&scale);
                for ((out, &x), (&low, &scale)) in out.iter_mut().zip(values).zip(shades) {
                    let x = (x - low) * scale;
                    // Comparisons, which NaN fails, are one instruction each.
                    let x = if x > 0.0 { x } else { 0.0 };
                    let x = if x < 255.0 { x } else { 255.0 } + 0.5;
                    let near = f32::from(u8::put(if x < 255.0 { x } else { 255.0 }));
                    *out = u8::put(if near > x { near - 1.0 } else { near });
                }
            }
        },
    );
    Image {
        pixels_hwc,
        height: image.height,
        width: image.width,
        channels: image.channels,
    }
}

/// The largest absolute difference of two images over all values; `None` if their sizes differ.
pub fn largest_difference(a: &AnyImage, b: &AnyImage) -> Option<f32> {
    match (a, b) {
        (AnyImage::Bytes(a), AnyImage::Bytes(b)) => difference_of_bytes(a, b),
        (AnyImage::Bytes(_) | AnyImage::Floats(_), _) => difference(&a.floats(), &b.floats()),
    }
}

/// As [`largest_difference`], of two images of bytes.
pub fn difference_of_bytes(a: &Image<u8>, b: &Image<u8>) -> Option<f32> {
    between(a, b, u8::abs_diff, u8::max).map(f32::from)
}

/// As [`largest_difference`], of two images of floats.
pub fn difference(a: &Image, b: &Image) -> Option<f32> {
    let larger = |a: f32, b: f32| if b > a { b } else { a };
    between(a, b, |a, b| (a - b).abs(), larger)
}

/// As [`difference`] from a photo, of an image whose channels have these ranges instead of `[0, 255]`, in thousandths:
/// less than that is what the scaling itself rounds off.
pub fn difference_rescaled(image: &Image, ranges: &[[f64; 2]], photo: &Image) -> Option<f32> {
    let [low, scale] = shades(image.channels.max(1), ranges);
    let mut image = image.clone();
    vectorized(
        #[inline(always)]
        || {
            for values in image.pixels_hwc.chunks_mut(low.len()) {
                for ((x, &low), &scale) in values.iter_mut().zip(&low).zip(&scale) {
                    *x = (*x - low) * scale;
                }
            }
        },
    );
    difference(&image, photo).map(|difference| (difference * 1e3).round() * 1e-3)
}

fn between<T: Value>(
    a: &Image<T>,
    b: &Image<T>,
    distance: impl Fn(T, T) -> T,
    larger: impl Fn(T, T) -> T,
) -> Option<T> {
    if (a.height, a.width, a.channels) != (b.height, b.width, b.channels) {
        return None;
    }
    // Independent maxima, so that comparisons need not wait for each other.
    let mut largest = [T::default(); 64];
    vectorized(
        #[inline(always)]
        || {
            let (a, a_rest) = a.pixels_hwc.as_chunks::<64>();
            let (b, b_rest) = b.pixels_hwc.as_chunks::<64>();
            for (a, b) in a.iter().zip(b) {
                for ((largest, &a), &b) in largest.iter_mut().zip(a).zip(b) {
                    *largest = larger(*largest, distance(a, b));
                }
            }
            for ((largest, &a), &b) in largest.iter_mut().zip(a_rest).zip(b_rest) {
                *largest = larger(*largest, distance(a, b));
            }
        },
    );
    Some(largest.into_iter().fold(T::default(), larger))
}
