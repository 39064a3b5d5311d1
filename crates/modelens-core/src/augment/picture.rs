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

/// The image with bytes for values: of each channel, the lower end of its range becomes 0 and the upper end 255.
pub fn picture(image: &Image, ranges: &[[f64; 2]]) -> Image<u8> {
    pictured(image, ranges, None).0
}

/// As [`picture`], with the largest absolute difference from a photo with values within `range`, in its units; `None`
/// if the sizes differ. Channels with another range are scaled back before. Then it is a thousandth of 1/255 of the
/// range at least: less is what the scaling rounds off.
pub fn picture_beside(
    image: &Image,
    ranges: &[[f64; 2]],
    photo: &Image,
    range: [f64; 2],
) -> (Image<u8>, Option<f32>) {
    if (image.height, image.width, image.channels) != (photo.height, photo.width, photo.channels) {
        return (picture(image, ranges), None);
    }
    let (picture, bytes) = pictured(image, ranges, Some((photo, range)));
    let is_rescaled = ranges.iter().any(|own| *own != range);
    let bytes = if is_rescaled {
        (bytes * 1e3).round() * 1e-3
    } else {
        bytes
    };
    let [_, scale] = shade(range);
    (picture, Some(bytes / scale))
}

/// The picture, and the largest difference from a photo on the scale of bytes.
fn pictured(
    image: &Image,
    ranges: &[[f64; 2]],
    beside: Option<(&Image, [f64; 2])>,
) -> (Image<u8>, f32) {
    // A function, whose arguments are known not to overlap.
    #[inline(always)]
    fn tile(
        out: &mut [u8],
        largest: &mut [f32],
        values: &[f32],
        photo: &[f32],
        [low, scale]: [&[f32]; 2],
        [photo_low, photo_scale]: [f32; 2],
    ) {
        let outs = out.iter_mut().zip(largest);
        let values = values.iter().zip(photo);
        for (((out, largest), (&x, &photo)), (&low, &scale)) in
            outs.zip(values).zip(low.iter().zip(scale))
        {
            let x = (x - low) * scale;
            let difference = (x - (photo - photo_low) * photo_scale).abs();
            // Comparisons, which NaN fails, are one instruction each.
            *largest = if difference > *largest {
                difference
            } else {
                *largest
            };
            let x = if x > 0.0 { x } else { 0.0 };
            let x = if x < 255.0 { x } else { 255.0 } + 0.5;
            let near = f32::from(u8::put(if x < 255.0 { x } else { 255.0 }));
            *out = u8::put(if near > x { near - 1.0 } else { near });
        }
    }

    let channels = image.channels.max(1);
    let shades: Vec<[f32; 2]> = (0..TILE * channels)
        .map(|i| shade(ranges.get(i % channels).copied().unwrap_or(color::BYTE)))
        .collect();
    let [low, scale] = [0, 1].map(|of| shades.iter().map(|shade| shade[of]).collect::<Vec<f32>>());
    let (photo, range) = beside.unwrap_or((image, color::BYTE));
    let photo_shade = shade(range);
    let mut largest = vec![0.0; low.len()];
    let mut pixels_hwc = vec![0_u8; image.pixels_hwc.len()];
    vectorized(
        #[inline(always)]
        || {
            let values = image.pixels_hwc.chunks(low.len());
            let values = values.zip(photo.pixels_hwc.chunks(low.len()));
            for (out, (values, photo)) in pixels_hwc.chunks_mut(low.len()).zip(values) {
                tile(
                    out,
                    &mut largest,
                    values,
                    photo,
                    [&low, &scale],
                    photo_shade,
                );
            }
        },
    );
    let picture = Image {
        pixels_hwc,
        height: image.height,
        width: image.width,
        channels: image.channels,
    };
    (picture, largest.into_iter().fold(0.0, f32::max))
}

/// The lower end of a range, and how many 255ths of it 1 is.
fn shade([low, high]: [f64; 2]) -> [f32; 2] {
    // After a rescaling by 0 all values are equal: any scale will do.
    let scale = if low == high {
        1.0
    } else {
        255.0 / (high - low)
    };
    [low as f32, scale as f32]
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
    between(
        a,
        b,
        #[inline(always)]
        |a: f32, b: f32| (a - b).abs(),
        #[inline(always)]
        |a: f32, b: f32| if b > a { b } else { a },
    )
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

#[cfg(test)]
mod tests {
    use super::*;

    fn row(pixels_hwc: Vec<f32>) -> Image {
        Image {
            height: 1,
            width: pixels_hwc.len(),
            channels: 1,
            pixels_hwc,
        }
    }

    #[test]
    fn differences_are_in_the_units_of_the_photo() {
        let photo = row(vec![-1.0, 0.0, 0.5, 1.0]);
        let range = [-1.0, 1.0];
        let moved = row(vec![-1.0, 0.25, 0.5, 1.0]);
        let (picture, difference) = picture_beside(&moved, &[range], &photo, range);
        assert_eq!(picture.pixels_hwc, [0, 159, 191, 255]);
        assert_eq!(difference, Some(0.25));
        // The same with values that a step has scaled to [0, 1].
        let scaled = row(moved.pixels_hwc.iter().map(|x| (x + 1.0) / 2.0).collect());
        let (again, difference) = picture_beside(&scaled, &[[0.0, 1.0]], &photo, range);
        assert_eq!(again, picture);
        let difference = difference.expect("one size");
        assert!((difference - 0.25).abs() < 1e-5, "{difference}");
        let (_, none) = picture_beside(&photo, &[range], &photo, range);
        assert_eq!(none, Some(0.0));
        let other = row(vec![0.0; 3]);
        assert_eq!(picture_beside(&other, &[range], &photo, range).1, None);
    }
}
