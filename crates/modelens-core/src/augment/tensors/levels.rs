//! What depends on a value, and on the histogram of its channel, but not on other pixels.

use modelens_kernels::simd::vectorized;

use super::{at_least, at_most, floor, stored};
use crate::augment::behaviour::PixelType;
use crate::augment::bytes::Value;
use crate::augment::color::{TILE, map_pixels, map_values};
use crate::dataset::Image;

/// `bound - x`. Source: torchvision `invert_image`.
pub fn invert<T: Value>(image: &Image<T>, pixels: PixelType) -> Image<T> {
    let bound = pixels.bound();
    map_values(
        image,
        #[inline(always)]
        |x| bound - x,
    )
}

/// Inverts values from the threshold on. Source: torchvision `solarize_image`.
pub fn solarize<T: Value>(image: &Image<T>, threshold: f64, pixels: PixelType) -> Image<T> {
    let (bound, threshold) = (pixels.bound(), threshold as f32);
    match pixels {
        // An addition instead of a choice, because the compiler makes a jump of that, which no processor foresees.
        PixelType::Uint8 => map_values(
            image,
            #[inline(always)]
            |x| x + f32::from(u8::from(x >= threshold)) * (bound - 2.0 * x),
        ),
        PixelType::Float => map_values(
            image,
            #[inline(always)]
            |x| if x >= threshold { bound - x } else { x },
        ),
    }
}

/// Keeps this number of bits of a value: of its eight, or 2^bits levels of [0, 1].
/// Source: torchvision `posterize_image`.
pub fn posterize<T: Value>(image: &Image<T>, bits: u32, pixels: PixelType) -> Image<T> {
    match pixels {
        PixelType::Uint8 => {
            let step = (1_u32 << 8_u32.saturating_sub(bits)) as f32;
            let steps = step.recip();
            map_values(
                image,
                #[inline(always)]
                |x| floor(x * steps) * step,
            )
        }
        PixelType::Float => {
            let levels = (1_u32 << bits.min(23)) as f32;
            let width = levels.recip();
            map_values(
                image,
                #[inline(always)]
                |x| at_most(floor(at_least(x * levels, 0.0)), levels - 1.0) * width,
            )
        }
    }
}

/// Stretches each channel to all values: `(x - least) / ((most - least) / bound)`, stored; a channel with one
/// value stays as it is. Source: torchvision `autocontrast_image`.
pub fn auto_contrast<T: Value>(image: &Image<T>, pixels: PixelType) -> Image<T> {
    let channels = image.channels.max(1);
    let tile = TILE * channels;
    let (mut least, mut most) = (vec![f32::INFINITY; tile], vec![f32::NEG_INFINITY; tile]);
    vectorized(
        #[inline(always)]
        || {
            for values in image.pixels_hwc.chunks(tile) {
                for ((least, most), &x) in least.iter_mut().zip(&mut most).zip(values) {
                    *least = at_most(*least, x.get());
                    *most = at_least(*most, x.get());
                }
            }
        },
    );
    let inverse_bound = pixels.bound().recip();
    let mut scales = vec![1.0; tile];
    for channel in 0..channels {
        let of_channel = |all: &[f32]| -> Vec<f32> {
            all.iter()
                .copied()
                .skip(channel)
                .step_by(channels)
                .collect()
        };
        let low = of_channel(&least).into_iter().fold(f32::INFINITY, at_most);
        let high = of_channel(&most)
            .into_iter()
            .fold(f32::NEG_INFINITY, at_least);
        let (low, scale) = if low == high {
            (0.0, 1.0)
        } else {
            (low, (high - low) * inverse_bound)
        };
        for i in (channel..tile).step_by(channels) {
            (least[i], scales[i]) = (low, scale);
        }
    }
    let mut out = image.clone();
    vectorized(
        #[inline(always)]
        || {
            for values in out.pixels_hwc.chunks_mut(tile) {
                for ((x, &least), &scale) in values.iter_mut().zip(&least).zip(&scales) {
                    *x = T::put(stored(pixels, (x.get() - least) / scale));
                }
            }
        },
    );
    out
}

/// Spreads the values of each channel so that all become about equally frequent, on 256 levels, as Pillow
/// does. Source: torchvision `equalize_image`.
pub fn equalize<T: Value>(image: &Image<T>, pixels: PixelType) -> Image<T> {
    let (to_level, from_level) = match pixels {
        PixelType::Uint8 => (1.0, 1.0),
        PixelType::Float => (255.999, 1.0 / 255.0),
    };
    let level = |x: T| usize::from((x.get() * to_level) as u8);
    let channels = image.channels;
    let mut counts = vec![[0_u32; 256]; channels];
    for pixel in image.pixels_hwc.chunks_exact(channels.max(1)) {
        for (counts, &x) in counts.iter_mut().zip(pixel) {
            counts[level(x)] += 1;
        }
    }
    let tables: Vec<[T; 256]> = counts
        .iter()
        .map(|counts| equalizing(counts).map(|level| T::put(f32::from(level) * from_level)))
        .collect();
    map_pixels(image, |pixel| {
        for (x, table) in pixel.iter_mut().zip(&tables) {
            *x = table[level(*x)];
        }
    })
}

/// The new level of each level of a channel.
fn equalizing(counts: &[u32; 256]) -> [u8; 256] {
    let all: u32 = counts.iter().sum();
    let of_brightest = counts.iter().rev().find(|&&count| count > 0).unwrap_or(&0);
    let step = (all - of_brightest) / 255;
    let mut below = 0;
    std::array::from_fn(|level| {
        let darker = below;
        below += counts[level];
        match (step, level) {
            (0, level) => level as u8,
            (_, 0) => 0,
            (step, _) => ((darker + step / 2) / step).min(255) as u8,
        }
    })
}
