//! Resizing as Keras and TensorFlow do it: half-pixel centres, no antialiasing, 32-bit floats.
//!
//! Source: `tf.image.resize(antialias=False)`, the default of `image_dataset_from_directory` and of
//! the `Resizing` layer. It does not smooth while it shrinks, so fine texture aliases; a resize from
//! an image editor gives other pixels and other predictions.

use image::{GrayImage, RgbImage};

use super::Image;

/// A rectangle of pixels in an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PixelWindow {
    pub top: usize,
    pub left: usize,
    pub height: usize,
    pub width: usize,
}

impl PixelWindow {
    /// The largest central window of an image of `[height, width]` with the aspect ratio of `target`:
    /// `h = clamp(int(W th / tw), 1, H)`, `w = clamp(int(H tw / th), 1, W)`, starting at
    /// `int((H - h) / 2)`, `int((W - w) / 2)`. Source: tf_keras 2.21 `smart_resize`.
    pub fn central([height, width]: [usize; 2], target: [usize; 2]) -> Self {
        let [target_height, target_width] = target;
        let side = |len: usize, other: usize, target: usize, target_other: usize| {
            (other * target / target_other.max(1)).min(len).max(1)
        };
        let window_height = side(height, width, target_height, target_width);
        let window_width = side(width, height, target_width, target_height);
        Self {
            top: height.saturating_sub(window_height) / 2,
            left: width.saturating_sub(window_width) / 2,
            height: window_height,
            width: window_width,
        }
    }

    /// The pixels of the window; the part outside the image is left out.
    pub fn cut<T: Copy>(self, image: &Image<T>) -> Image<T> {
        let top = self.top.min(image.height);
        let left = self.left.min(image.width);
        let height = self.height.min(image.height - top);
        let width = self.width.min(image.width - left);
        let channels = image.channels;
        let mut pixels_hwc = Vec::with_capacity(height * width * channels);
        for row in top..top + height {
            let start = (row * image.width + left) * channels;
            pixels_hwc.extend_from_slice(&image.pixels_hwc[start..start + width * channels]);
        }
        Image {
            height,
            width,
            channels,
            pixels_hwc,
        }
    }
}

/// Interleaved pixels of an image, `[H, W, C]`.
#[derive(Clone, Copy)]
struct Pixels<'a, T> {
    values: &'a [T],
    height: usize,
    width: usize,
    channels: usize,
}

impl<'a, T> Pixels<'a, T> {
    fn row(self, y: usize) -> &'a [T] {
        let len = self.width * self.channels;
        &self.values[y * len..(y + 1) * len]
    }
}

impl<'a> From<&'a Image> for Pixels<'a, f32> {
    fn from(image: &'a Image) -> Self {
        Self {
            values: &image.pixels_hwc,
            height: image.height,
            width: image.width,
            channels: image.channels,
        }
    }
}

impl<'a> From<&'a RgbImage> for Pixels<'a, u8> {
    fn from(image: &'a RgbImage) -> Self {
        // u32 to usize loses nothing on the 32-bit and 64-bit targets this program builds for.
        Self {
            values: image.as_raw(),
            height: image.height() as usize,
            width: image.width() as usize,
            channels: 3,
        }
    }
}

impl<'a> From<&'a GrayImage> for Pixels<'a, u8> {
    fn from(image: &'a GrayImage) -> Self {
        Self {
            values: image.as_raw(),
            height: image.height() as usize,
            width: image.width() as usize,
            channels: 1,
        }
    }
}

/// Resizes to `height` by `width` with bilinear interpolation.
///
/// `src = (dst + 0.5) * in / out - 0.5`; the taps are `floor(src)` and `floor(src) + 1`, both
/// clamped to the image. Source: `tf.image.resize(method="bilinear", antialias=False)`.
pub fn resize_bilinear(image: &Image, height: usize, width: usize) -> Image {
    bilinear(image.into(), height, width)
}

/// [`resize_bilinear`] of an 8-bit photo; only the taps become floats (0 to 255).
pub fn resize_rgb8(image: &RgbImage, height: usize, width: usize) -> Image {
    bilinear(image.into(), height, width)
}

/// [`resize_bilinear`] of an 8-bit grey photo.
pub fn resize_grey8(image: &GrayImage, height: usize, width: usize) -> Image {
    bilinear(image.into(), height, width)
}

/// Resizes to `height` by `width`, each pixel a copy of the nearest source pixel.
///
/// `src = floor((dst + 0.5) * in / out)`. Source: `tf.image.resize(method="nearest")`.
pub fn resize_nearest(image: &Image, height: usize, width: usize) -> Image {
    let mut out = blank(height, width, image.channels);
    let pixels = Pixels::from(image);
    if is_empty(&pixels, &out) {
        return out;
    }
    let pick = |out_len: usize, len: usize| -> Vec<usize> {
        let scale = len as f32 / out_len as f32;
        (0..out_len)
            .map(|i| (((i as f32 + 0.5) * scale) as usize).min(len - 1))
            .collect()
    };
    let columns = pick(width, image.width);
    let out_rows = out.pixels_hwc.chunks_exact_mut(width * image.channels);
    for (y, out_row) in pick(height, image.height).into_iter().zip(out_rows) {
        let row = pixels.row(y);
        for (&x, pixel) in columns.iter().zip(out_row.chunks_exact_mut(image.channels)) {
            pixel.copy_from_slice(&row[x * image.channels..][..image.channels]);
        }
    }
    out
}

fn blank(height: usize, width: usize, channels: usize) -> Image {
    Image {
        height,
        width,
        channels,
        pixels_hwc: vec![0.0; height * width * channels],
    }
}

fn is_empty<T>(source: &Pixels<'_, T>, out: &Image) -> bool {
    source.height == 0 || source.width == 0 || out.pixels_hwc.is_empty()
}

/// The two source indices of one output index, and the weight of the second.
#[derive(Clone, Copy)]
struct Taps {
    low: usize,
    high: usize,
    weight: f32,
}

/// The taps along one axis, in 32-bit floats as in TensorFlow's kernel.
fn taps(out_len: usize, len: usize) -> Vec<Taps> {
    let scale = len as f32 / out_len as f32;
    (0..out_len)
        .map(|i| {
            let at = (i as f32 + 0.5) * scale - 0.5;
            let floor = at.floor();
            // The cast saturates: at the first pixels floor is -1, and both taps are pixel 0.
            Taps {
                low: (floor as usize).min(len - 1),
                high: ((floor + 1.0) as usize).min(len - 1),
                weight: at - floor,
            }
        })
        .collect()
}

fn bilinear<T: Copy + Into<f32>>(source: Pixels<'_, T>, height: usize, width: usize) -> Image {
    let channels = source.channels;
    let mut out = blank(height, width, channels);
    if is_empty(&source, &out) {
        return out;
    }
    let columns = taps(width, source.width);
    let out_rows = out.pixels_hwc.chunks_exact_mut(width * channels);
    for (y, out_row) in taps(height, source.height).into_iter().zip(out_rows) {
        let (upper, lower) = (source.row(y.low), source.row(y.high));
        for (x, pixel) in columns.iter().zip(out_row.chunks_exact_mut(channels)) {
            for (c, value) in pixel.iter_mut().enumerate() {
                let at = |row: &[T], x: usize| -> f32 { row[x * channels + c].into() };
                let top = lerp(at(upper, x.low), at(upper, x.high), x.weight);
                let bottom = lerp(at(lower, x.low), at(lower, x.high), x.weight);
                *value = lerp(top, bottom, y.weight);
            }
        }
    }
    out
}

/// `a + (b - a) * t`: TensorFlow's form, exact where `a = b`.
fn lerp(a: f32, b: f32, t: f32) -> f32 {
    a + (b - a) * t
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(height: usize, width: usize, pixels_hwc: Vec<f32>) -> Image {
        Image {
            height,
            width,
            channels: 1,
            pixels_hwc,
        }
    }

    #[test]
    fn doubling_uses_half_pixel_centres() {
        let doubled = resize_bilinear(&image(1, 2, vec![0.0, 4.0]), 1, 4);
        assert_eq!(doubled.pixels_hwc, [0.0, 1.0, 3.0, 4.0]);
    }

    #[test]
    fn shrinking_does_not_smooth() {
        // Output 0 sits at 1.5 and output 1 at 5.5: pixels 0, 3, 4 and 7 are never read.
        let row = vec![100.0, 0.0, 2.0, 100.0, 100.0, 4.0, 6.0, 100.0];
        assert_eq!(
            resize_bilinear(&image(1, 8, row), 1, 2).pixels_hwc,
            [1.0, 5.0]
        );
    }

    #[test]
    fn nearest_copies_pixels() {
        let small = resize_nearest(&image(1, 5, vec![0.0, 1.0, 2.0, 3.0, 4.0]), 1, 2);
        assert_eq!(small.pixels_hwc, [1.0, 3.0]);
    }

    #[test]
    fn one_pixel_fills_any_size_and_equal_sizes_copy() {
        let filled = resize_bilinear(&image(1, 1, vec![7.0]), 3, 2);
        assert_eq!(filled.pixels_hwc, [7.0; 6]);
        let same = image(2, 2, vec![1.0, 2.0, 3.0, 4.0]);
        assert_eq!(resize_bilinear(&same, 2, 2), same);
        assert!(resize_bilinear(&same, 0, 2).pixels_hwc.is_empty());
    }

    #[test]
    fn eight_bit_and_float_photos_agree() {
        let photo = RgbImage::from_fn(7, 5, |x, y| image::Rgb([(x * 30) as u8, (y * 50) as u8, 9]));
        let float = Image {
            height: 5,
            width: 7,
            channels: 3,
            pixels_hwc: photo.as_raw().iter().map(|&v| f32::from(v)).collect(),
        };
        assert_eq!(resize_rgb8(&photo, 3, 4), resize_bilinear(&float, 3, 4));
    }

    #[test]
    fn the_central_window_has_the_centre() {
        let wide = image(1, 5, vec![9.0, 9.0, 5.0, 9.0, 9.0]);
        let centre = PixelWindow::central([1, 5], [1, 1]);
        assert_eq!(centre.cut(&wide).pixels_hwc, [5.0]);
    }
}
