//! Colours as grey, as each framework converts them.

use image::{DynamicImage, GrayImage, Luma, RgbImage};

use super::Image;
use super::jpeg::PhotoDecoder;

/// Pillow's `convert("L")`: ITU-R 601-2 with 16 bits of fraction, rounded. libjpeg's `rgb_gray_convert`
/// has the same weights. Source: Pillow 13 `Convert.c`, `L24`.
pub(super) fn pillow(image: &RgbImage) -> GrayImage {
    each(image, pillow_pixel)
}

fn pillow_pixel([r, g, b]: [u8; 3]) -> u8 {
    let [r, g, b] = [r, g, b].map(u32::from);
    ((19_595 * r + 38_470 * g + 7_471 * b + 0x8000) >> 16) as u8
}

/// `tf.image.rgb_to_grayscale` of 8-bit colours: scaled to 0..1 in 32-bit floats, the weighted sum,
/// and back by 255.5, cut off. Source: TensorFlow 2.21 `image_ops_impl.py`.
pub(super) fn tensorflow_colours(image: &RgbImage) -> GrayImage {
    each(image, tensorflow_pixel)
}

fn tensorflow_pixel(rgb: [u8; 3]) -> u8 {
    const WEIGHTS: [f32; 3] = [0.2989, 0.5870, 0.1140];
    let [r, g, b] = rgb.map(|v| f32::from(v) * (1.0 / 255.0));
    let sum = r * WEIGHTS[0] + g * WEIGHTS[1] + b * WEIGHTS[2];
    (sum * 255.5) as u8
}

/// A PNG as `tf.io.decode_png(channels=1)` reads it: alpha dropped, colours by libpng's
/// `png_set_rgb_to_gray` with 15 bits of fraction, which rounds 16-bit values alone, and these lose
/// their low byte afterwards.
pub(super) fn tensorflow_png(image: &DynamicImage) -> GrayImage {
    // 0.299 and 0.587 of 32,768, cut off, and the rest.
    let weighted = |[r, g, b]: [u16; 3]| {
        let [r, g, b] = [r, g, b].map(u32::from);
        9_797 * r + 19_234 * g + 3_737 * b
    };
    let of8 = |r: u8, g: u8, b: u8| (weighted([r, g, b].map(u16::from)) >> 15) as u8;
    let of16 = |rgb: [u16; 3]| ((weighted(rgb) + 16_384) >> 23) as u8;
    let (width, height) = (image.width(), image.height());
    let values: Vec<u8> = match image {
        DynamicImage::ImageLuma8(p) => p.as_raw().clone(),
        DynamicImage::ImageLumaA8(p) => p.pixels().map(|p| p.0[0]).collect(),
        DynamicImage::ImageLuma16(p) => p.as_raw().iter().map(|v| (v >> 8) as u8).collect(),
        DynamicImage::ImageLumaA16(p) => p.pixels().map(|p| (p.0[0] >> 8) as u8).collect(),
        DynamicImage::ImageRgb16(p) => p.pixels().map(|p| of16(p.0)).collect(),
        DynamicImage::ImageRgba16(p) => {
            let pixels = p.pixels();
            pixels.map(|p| of16([p.0[0], p.0[1], p.0[2]])).collect()
        }
        _ => {
            let rgb = image.to_rgb8();
            rgb.pixels().map(|p| of8(p.0[0], p.0[1], p.0[2])).collect()
        }
    };
    GrayImage::from_raw(width, height, values).unwrap_or_default()
}

fn each(image: &RgbImage, of: impl Fn([u8; 3]) -> u8) -> GrayImage {
    GrayImage::from_fn(image.width(), image.height(), |x, y| {
        Luma([of(image.get_pixel(x, y).0)])
    })
}

/// An image of numbers with as many channels as a model takes: as it is, grey copied to three
/// channels, or colours (0 to 255) turned into grey; `None` for any other number of channels.
pub(super) fn with_channels(image: Image, channels: usize, library: PhotoDecoder) -> Option<Image> {
    let pixels_hwc = match (image.channels, channels) {
        (own, wanted) if own == wanted => return Some(image),
        (1, 3) => image.pixels_hwc.iter().flat_map(|&v| [v; 3]).collect(),
        (3, 1) => {
            let of = match library {
                PhotoDecoder::TensorFlow => tensorflow_pixel,
                PhotoDecoder::Pillow => pillow_pixel,
            };
            let pixels = image.pixels_hwc.as_chunks::<3>().0.iter();
            pixels
                .map(|rgb| f32::from(of(rgb.map(|v| v.round() as u8))))
                .collect()
        }
        _ => return None,
    };
    Some(Image {
        channels,
        pixels_hwc,
        ..image
    })
}
