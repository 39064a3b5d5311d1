//! Kernels that look at neighbours, and noise.

use modelens_kernels::simd::vectorized;

use super::{at_least, at_most, floor, fused, round, stored};
use crate::augment::behaviour::PixelType;
use crate::augment::bytes::Value;
use crate::augment::color::map_values;
use crate::augment::kernel::weighted_sums;
use crate::dataset::Image;

/// `x + (1 - f) (blurred - x)`, stored; blurred with weights of 1/13 for the eight neighbours and 5/13 for
/// the pixel itself. Pixels at the edge stay. Source: torchvision `adjust_sharpness_image`.
pub fn sharpness<T: Value>(image: &Image<T>, factor: f64, pixels: PixelType) -> Image<T> {
    if image.height <= 2 || image.width <= 2 {
        return image.clone();
    }
    let mut out = map_values(
        image,
        #[inline(always)]
        |x| stored(pixels, x),
    );
    let share = (1.0 - factor) as f32;
    let channels = image.channels;
    let row_len = image.width * channels;
    let inner = row_len - 2 * channels;
    // Sums of three pixels in a column, for a row.
    let mut columns = vec![0.0_f32; row_len];
    let values = &image.pixels_hwc;
    vectorized(
        #[inline(always)]
        || {
            for y in 1..image.height - 1 {
                let row = |y: usize| &values[y * row_len..][..row_len];
                let three = row(y - 1).iter().zip(row(y)).zip(row(y + 1));
                for (sum, ((above, x), below)) in columns.iter_mut().zip(three) {
                    *sum = above.get() + x.get() + below.get();
                }
                let left = &columns[..inner];
                let middle = &columns[channels..][..inner];
                let right = &columns[2 * channels..][..inner];
                let own = &row(y)[channels..][..inner];
                let target = &mut out.pixels_hwc[y * row_len + channels..][..inner];
                let sums = left.iter().zip(middle).zip(right);
                for ((out, x), ((left, middle), right)) in target.iter_mut().zip(own).zip(sums) {
                    let x = x.get();
                    let blurred = (left + middle + right + 4.0 * x) * (1.0 / 13.0);
                    let sharp = match pixels {
                        // Whole numbers have thirteenths only, so no sum is near a half.
                        PixelType::Uint8 => fused(round(blurred) - x, share, x),
                        PixelType::Float => fused(blurred - x, share, x),
                    };
                    *out = T::put(stored(pixels, sharp));
                }
            }
        },
    );
    out
}

/// Convolves each channel with a Gaussian of `[columns, rows]` pixels and these standard deviations; beyond
/// the edge the image is mirrored about its last pixel. Rounded in `uint8`. Source: torchvision
/// `gaussian_blur_image`.
pub fn blur<T: Value>(
    image: &Image<T>,
    size: [usize; 2],
    sigma: [f64; 2],
    pixels: PixelType,
) -> Image<T> {
    // PyTorch refuses to mirror more pixels than there are.
    if size[0] / 2 >= image.width || size[1] / 2 >= image.height {
        return image.clone();
    }
    let [across, down] = [0, 1].map(|axis| gaussian(size[axis], sigma[axis]));
    let kernel = Blur {
        image,
        across: &across,
        down: &down,
    };
    let pixels_hwc = vectorized(
        #[inline(always)]
        || kernel.all(pixels),
    );
    Image {
        pixels_hwc,
        ..*image
    }
}

/// Two sums, down and across, differ by less than this from PyTorch's one sum over all weights.
const NEAR_HALF: f32 = 1e-3;
/// Values that are searched at once.
const PART: usize = 32;

#[inline(always)]
fn is_near_half(x: f32) -> bool {
    (x - floor(x) - 0.5).abs() < NEAR_HALF
}

/// An image and the weights of a Gaussian.
struct Blur<'a, T> {
    image: &'a Image<T>,
    across: &'a [f32],
    down: &'a [f32],
}

/// Buffers for a row.
#[derive(Default)]
struct Row {
    /// The sums down, with mirrored pixels at both ends.
    sums: Vec<f32>,
    blurred: Vec<f32>,
    taps: Vec<(usize, f32)>,
}

impl<T: Value> Blur<'_, T> {
    /// Every value of the result.
    #[inline(always)]
    fn all(&self, pixels: PixelType) -> Vec<T> {
        let mut out = vec![T::default(); self.image.pixels_hwc.len()];
        let mut row = Row::default();
        for y in 0..self.image.height {
            self.row(y, &mut row);
            let line = &mut out[y * row.blurred.len()..][..row.blurred.len()];
            for (part, (out, values)) in line
                .chunks_mut(PART)
                .zip(row.blurred.chunks(PART))
                .enumerate()
            {
                let mut near = 0_u32;
                for (out, &x) in out.iter_mut().zip(values) {
                    *out = T::put(match pixels {
                        PixelType::Float => x,
                        PixelType::Uint8 => round(x),
                    });
                    near += u32::from(is_near_half(x));
                }
                // Few parts have any.
                if pixels == PixelType::Float || near == 0 {
                    continue;
                }
                for (i, (out, &x)) in out.iter_mut().zip(values).enumerate() {
                    if is_near_half(x) {
                        *out = T::put(round(self.in_one_sum(y, PART * part + i)));
                    }
                }
            }
        }
        out
    }

    #[inline(always)]
    fn row(&self, y: usize, row: &mut Row) {
        let channels = self.image.channels;
        let len = self.image.width * channels;
        let half = self.across.len() / 2;
        row.sums.resize(len + 2 * half * channels, 0.0);
        let start = |dy| mirrored(y + dy, self.down.len() / 2, self.image.height) * len;
        let taps = self.down.iter().enumerate();
        row.taps.clear();
        row.taps
            .extend(taps.map(|(dy, &weight)| (start(dy), weight)));
        let inner = &mut row.sums[half * channels..][..len];
        weighted_sums(inner, &self.image.pixels_hwc, &row.taps);
        for x in (0..half).chain(half + self.image.width..2 * half + self.image.width) {
            let from = half + mirrored(x, half, self.image.width);
            row.sums
                .copy_within(from * channels..(from + 1) * channels, x * channels);
        }
        let taps = self.across.iter().enumerate();
        row.taps.clear();
        row.taps
            .extend(taps.map(|(dx, &weight)| (dx * channels, weight)));
        row.blurred.resize(len, 0.0);
        weighted_sums(&mut row.blurred, &row.sums, &row.taps);
    }

    /// One value in PyTorch's order: all weights row by row, each product added without rounding it first.
    #[inline(always)]
    fn in_one_sum(&self, y: usize, index: usize) -> f32 {
        let Image {
            height,
            width,
            channels,
            ref pixels_hwc,
        } = *self.image;
        let [x, channel] = [index / channels, index % channels];
        let mut sum = 0.0;
        for (dy, &weight) in self.down.iter().enumerate() {
            let row = mirrored(y + dy, self.down.len() / 2, height) * width;
            for (dx, &across) in self.across.iter().enumerate() {
                let column = mirrored(x + dx, self.across.len() / 2, width);
                let value = pixels_hwc[(row + column) * channels + channel].get();
                sum = fused(value, weight * across, sum);
            }
        }
        sum
    }
}

/// The pixel at `at - half` of an axis with `len` pixels, mirrored about its first and its last pixel.
fn mirrored(at: usize, half: usize, len: usize) -> usize {
    let at = at.abs_diff(half);
    if at < len { at } else { 2 * (len - 1) - at }
}

/// `exp(-x^2 / (2 sigma^2))` at `len` places around 0, with the sum 1. Source: torchvision
/// `_get_gaussian_kernel1d`.
fn gaussian(len: usize, sigma: f64) -> Vec<f32> {
    let end = (len as f64 - 1.0) / (2.0 * 2_f64.sqrt());
    let step = (end as f32 * 2.0) / (len as f32 - 1.0).max(1.0);
    let weight = |i: usize| {
        let from_end = i.min(len - 1 - i) as f32;
        let x = (end as f32 - step * from_end) / sigma as f32;
        f64::from(-(x * x)).exp() as f32
    };
    let weights: Vec<f32> = (0..len).map(weight).collect();
    let sum: f32 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / sum).collect()
}

/// Adds `mean + sigma n` to each value, with a standard normal n; in `uint8` the sum's fraction is cut off
/// towards zero before it is added. Source: torchvision `gaussian_noise_image`.
pub fn add_noise<T: Value>(
    image: &Image<T>,
    [mean, sigma]: [f64; 2],
    clip: bool,
    pixels: PixelType,
    mut normal: impl FnMut() -> f32,
) -> Image<T> {
    let mut out = image.clone();
    let bound = pixels.bound();
    let [mean, sigma] = [mean, sigma].map(|number| (f64::from(bound) * number) as f32);
    // Drawn first, so that the loop over the values is vectorised.
    let mut noise = [0.0_f32; 1024];
    for values in out.pixels_hwc.chunks_mut(noise.len()) {
        let noise = &mut noise[..values.len()];
        for noise in &mut *noise {
            *noise = normal();
        }
        vectorized(
            #[inline(always)]
            || {
                for (value, &normal) in values.iter_mut().zip(&*noise) {
                    let noise = normal * sigma + mean;
                    let sum = value.get()
                        + match pixels {
                            PixelType::Uint8 => noise.trunc(),
                            PixelType::Float => noise,
                        };
                    *value = T::put(match (clip, pixels) {
                        (true, _) => at_most(at_least(sum, 0.0), bound),
                        // The type has no other numbers.
                        (false, PixelType::Uint8) => sum - 256.0 * (sum / 256.0).floor(),
                        (false, PixelType::Float) => sum,
                    });
                }
            },
        );
    }
    out
}
