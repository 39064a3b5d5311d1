//! Brightness, contrast, saturation, grey and the order of channels.

use super::{blocks, floor, fused, stored};
use crate::augment::behaviour::PixelType;
use crate::augment::bytes::Value;
use crate::augment::color::map_values;
use crate::dataset::Image;

/// `x f`, stored. Source: torchvision `adjust_brightness_image`.
pub fn brightness<T: Value>(image: &Image<T>, factor: f64, pixels: PixelType) -> Image<T> {
    let factor = factor as f32;
    map_values(
        image,
        #[inline(always)]
        |x| stored(pixels, x * factor),
    )
}

/// `f x + (1 - f) mean`, stored; the mean of the grey values. Source: torchvision
/// `adjust_contrast_image`.
pub fn contrast<T: Value>(image: &Image<T>, factor: f64, pixels: PixelType) -> Image<T> {
    let sum = match image.channels {
        3 => blocks::sum(
            image,
            #[inline(always)]
            |rgb| grey_of(rgb, pixels),
        ),
        _ => image.pixels_hwc.iter().map(|x| f64::from(x.get())).sum(),
    };
    let mean = sum as f32 / (image.height * image.width) as f32;
    let blend = Blend::new(factor, pixels);
    map_values(
        image,
        #[inline(always)]
        |x| blend.of(x, mean),
    )
}

/// `f x + (1 - f) grey`, stored. Source: torchvision `adjust_saturation_image`.
pub fn saturation<T: Value>(image: &Image<T>, factor: f64, pixels: PixelType) -> Image<T> {
    let blend = Blend::new(factor, pixels);
    blocks::map(
        image,
        #[inline(always)]
        |[r, g, b]| {
            for ((r, g), b) in r.iter_mut().zip(g).zip(b) {
                let grey = grey_of([*r, *g, *b], pixels);
                [*r, *g, *b] = [*r, *g, *b].map(|x| blend.of(x, grey));
            }
        },
    )
}

/// Three equal channels. Source: torchvision `rgb_to_grayscale_image`.
pub fn grayscale<T: Value>(image: &Image<T>, pixels: PixelType) -> Image<T> {
    blocks::map(
        image,
        #[inline(always)]
        |[r, g, b]| {
            for ((r, g), b) in r.iter_mut().zip(g).zip(b) {
                let grey = grey_of([*r, *g, *b], pixels);
                [*r, *g, *b] = [grey; 3];
            }
        },
    )
}

/// Channel `i` of the result is channel `order[i]`. Source: torchvision `permute_channels_image`.
pub fn permute<T: Value>(image: &Image<T>, order: [usize; 3]) -> Image<T> {
    if image.channels != 3 || order.iter().any(|&from| from > 2) {
        return image.clone();
    }
    let mut out = image.clone();
    for pixel in out.pixels_hwc.as_chunks_mut::<3>().0 {
        *pixel = order.map(|from| pixel[from]);
    }
    out
}

/// `0.2989 r + 0.587 g + 0.114 b`, without a fraction in `uint8`. Equal to PyTorch for all 2^24 colours.
#[inline(always)]
pub(super) fn grey_of([r, g, b]: [f32; 3], pixels: PixelType) -> f32 {
    let grey = fused(b, 0.114, fused(g, 0.587, r * 0.2989));
    match pixels {
        PixelType::Uint8 => floor(grey),
        PixelType::Float => grey,
    }
}

/// Mixes two images. Source: torchvision `_blend`.
#[derive(Clone, Copy)]
struct Blend {
    own: f32,
    other: f32,
    pixels: PixelType,
}

impl Blend {
    fn new(factor: f64, pixels: PixelType) -> Self {
        Self {
            own: factor as f32,
            other: (1.0 - factor) as f32,
            pixels,
        }
    }

    #[inline(always)]
    fn of(self, x: f32, other: f32) -> f32 {
        stored(self.pixels, fused(other, self.other, x * self.own))
    }
}
