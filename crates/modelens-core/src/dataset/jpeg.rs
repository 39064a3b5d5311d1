//! JPEG pixels, equal to those of the library that each framework reads photos with.
//!
//! A JPEG file does not fix its pixels: decoders differ in the inverse DCT, in how they enlarge
//! subsampled chroma, and in how they turn CMYK into RGB. TensorFlow and Pillow both use
//! libjpeg-turbo with its triangle ("fancy") filter for chroma, but TensorFlow asks for the fast
//! integer DCT and Pillow for the accurate one.

use image::{GrayImage, RgbImage};
use libjpeg_turbo_rs::{DctMethod, DecodeLimits, Decoder, JpegError, PixelFormat, RawImage};

use super::decode::DecodeCause;
use super::grey;
use crate::rules::Semantics;

/// The library whose pixels a photo gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PhotoDecoder {
    /// `tf.io.decode_image`, which `image_dataset_from_directory` calls: Keras' rules.
    #[default]
    TensorFlow,
    /// `PIL.Image.open(...).convert("RGB")`, which torchvision's folders call: PyTorch's rules.
    Pillow,
}

impl PhotoDecoder {
    /// The library of the framework whose rules hold.
    pub fn of(semantics: Semantics) -> Self {
        match semantics {
            Semantics::Keras2 | Semantics::Keras3 | Semantics::Keras316 => Self::TensorFlow,
            Semantics::PyTorch => Self::Pillow,
        }
    }
}

/// Most passes over a progressive image. Encoders write about ten; a file of thousands only
/// costs time.
const MAX_SCANS: usize = 500;

/// Memory for each pixel of four components: coefficients, planes as stored and enlarged, and RGB.
const FOUR_COMPONENTS_BYTES: u64 = 4 * 2 + 4 + 4 + 3;

/// Decodes a complete JPEG to RGB, `[H, W, 3]`, in at most `max_bytes` of memory.
///
/// # Errors
/// A file that is no JPEG, is broken, needs more memory, or is of a kind that libjpeg-turbo does
/// not turn into RGB.
pub fn decode(bytes: &[u8], library: PhotoDecoder, max_bytes: u64) -> Result<RgbImage, JpegError> {
    let mut decoder = Decoder::new_with_limits(bytes, limits(max_bytes))?;
    decoder.set_dct_method(match library {
        PhotoDecoder::TensorFlow => DctMethod::IsFast,
        PhotoDecoder::Pillow => DctMethod::IsLow,
    });
    if decoder.header().components.len() == 4 {
        let pixels = decoder.header().width() as u64 * decoder.header().height() as u64;
        if FOUR_COMPONENTS_BYTES * pixels > max_bytes {
            return Err(JpegError::Unsupported(
                "more memory than allowed".to_owned(),
            ));
        }
        return four_components(decoder, bytes, library);
    }
    decoder.set_output_format(PixelFormat::Rgb);
    let image = decoder.decode_image()?;
    Ok(rgb(image.width, image.height, image.data))
}

/// Decodes a complete JPEG to grey, `[H, W]`, in at most `max_bytes` of memory.
///
/// TensorFlow asks libjpeg for grey: the stored luma, or a weighted sum where red, green and blue are
/// stored; libjpeg has no grey of four components. Pillow decodes to colours and converts these.
///
/// # Errors
/// As [`decode`], and four components in TensorFlow.
pub fn decode_grey(
    bytes: &[u8],
    library: PhotoDecoder,
    max_bytes: u64,
) -> Result<GrayImage, DecodeCause> {
    let broken =
        |error: JpegError| DecodeCause::Broken(super::decode::one_line(&error.to_string()));
    let colours = || decode(bytes, library, max_bytes).map_err(broken);
    if library == PhotoDecoder::Pillow {
        return Ok(grey::pillow(&colours()?));
    }
    match components(bytes) {
        Some(Components::Four) => Err(DecodeCause::NoGrey("a CMYK JPEG")),
        // libjpeg's weights (`rgb_gray_convert`) are those of Pillow.
        Some(Components::Rgb) => Ok(grey::pillow(&colours()?)),
        Some(Components::Luma) | None => {
            let mut decoder = Decoder::new_with_limits(bytes, limits(max_bytes)).map_err(broken)?;
            decoder.set_dct_method(DctMethod::IsFast);
            luma(decoder).map_err(broken)
        }
    }
}

/// The first component at the size of the image.
fn luma(decoder: Decoder<'_>) -> Result<GrayImage, JpegError> {
    let sampling = sampling(&decoder);
    let raw = decoder.decode_raw()?;
    let [width, height] = [raw.width, raw.height];
    let values = plane(&raw, &sampling, 0);
    // The decoder's sizes always agree; an image without pixels takes the impossible case.
    Ok(GrayImage::from_raw(width as u32, height as u32, values).unwrap_or_default())
}

/// What the planes of a JPEG hold.
enum Components {
    /// Luma alone, or luma and chroma.
    Luma,
    Rgb,
    Four,
}

/// Follows libjpeg's `default_decompress_parms`: three components are red, green and blue if Adobe's
/// marker says so, or if without it and without JFIF's they are called `R`, `G` and `B`.
fn components(bytes: &[u8]) -> Option<Components> {
    let frame = frame(bytes)?;
    let count = usize::from(*frame.get(5)?);
    let name = |i: usize| frame.get(6 + 3 * i).copied();
    Some(match count {
        4 => Components::Four,
        3 if is_jfif(bytes) => Components::Luma,
        3 if adobe_transform(bytes) == Some(0) => Components::Rgb,
        3 if adobe_transform(bytes).is_none()
            && [0, 1, 2].map(name) == [b'R', b'G', b'B'].map(Some) =>
        {
            Components::Rgb
        }
        _ => Components::Luma,
    })
}

fn is_jfif(bytes: &[u8]) -> bool {
    bytes.get(2..4) == Some(&[0xFF, 0xE0]) && bytes.get(6..11) == Some(b"JFIF\0")
}

fn limits(max_bytes: u64) -> DecodeLimits {
    DecodeLimits {
        max_scans: MAX_SCANS,
        max_memory: Some(max_bytes),
        ..DecodeLimits::default()
    }
}

fn rgb(width: usize, height: usize, pixels: Vec<u8>) -> RgbImage {
    // The decoder's sizes always agree; an image without pixels takes the impossible case.
    RgbImage::from_raw(width as u32, height as u32, pixels).unwrap_or_default()
}

/// CMYK, or YCCK that becomes CMYK first.
///
/// The planes are enlarged here: the crate's own path for four components reads beyond planes
/// whose black is subsampled too (which Pillow writes), and filters padding into the last column.
fn four_components(
    decoder: Decoder<'_>,
    bytes: &[u8],
    library: PhotoDecoder,
) -> Result<RgbImage, JpegError> {
    let sampling = sampling(&decoder);
    let raw = decoder.decode_raw()?;
    let (width, height) = (raw.width, raw.height);
    let planes: Vec<Vec<u8>> = (0..sampling.len())
        .map(|component| plane(&raw, &sampling, component))
        .collect();
    let adobe = adobe_transform(bytes);
    let mut pixels = Vec::with_capacity(width * height * 3);
    for i in 0..width * height {
        let mut cmyk = [0, 1, 2, 3].map(|c| planes.get(c).map_or(0, |p| p[i]));
        if adobe == Some(2) {
            let [c, m, y] = rgb_of_ycc([cmyk[0], cmyk[1], cmyk[2]]).map(|x| 255 - x);
            cmyk = [c, m, y, cmyk[3]];
        }
        pixels.extend(match library {
            PhotoDecoder::TensorFlow => tensorflow_rgb(cmyk, adobe.is_some()),
            PhotoDecoder::Pillow => pillow_rgb(cmyk),
        });
    }
    Ok(rgb(width, height, pixels))
}

/// How often each component is sampled, across and down.
fn sampling(decoder: &Decoder<'_>) -> Vec<[usize; 2]> {
    let components = decoder.header().components.iter();
    components
        .map(|c| [c.horizontal_sampling, c.vertical_sampling].map(usize::from))
        .collect()
}

/// A component enlarged to the size of the image; empty if there is none.
fn plane(raw: &RawImage, sampling: &[[usize; 2]], component: usize) -> Vec<u8> {
    let (width, height) = (raw.width, raw.height);
    let most = [0, 1].map(|axis| sampling.iter().map(|s| s[axis]).max().unwrap_or(1));
    let stored = (sampling.get(component))
        .zip(raw.planes.get(component))
        .zip(raw.plane_widths.get(component));
    let Some(((&[h, v], samples), &stride)) = stored else {
        return Vec::new();
    };
    let plane = Plane {
        samples,
        stride,
        width: (width * h).div_ceil(most[0]),
        height: (height * v).div_ceil(most[1]),
    };
    plane.enlarged(width, height, [most[0] / h.max(1), most[1] / v.max(1)])
}

/// TensorFlow's `jpeg_mem.cc`: files with Adobe's marker hold inverted ink.
fn tensorflow_rgb([c, m, y, k]: [u8; 4], inverted: bool) -> [u8; 3] {
    let of = |ink: u8| {
        let [ink, black] = [ink, k].map(|x| u16::from(if inverted { x } else { 255 - x }));
        (ink * black / 255) as u8
    };
    [c, m, y].map(of)
}

/// Pillow's `cmyk2rgb` on ink that it always takes as inverted.
fn pillow_rgb([c, m, y, k]: [u8; 4]) -> [u8; 3] {
    let light = u32::from(k);
    let of = |ink: u8| {
        let product = u32::from(255 - ink) * light + 128;
        let covered = ((product >> 8) + product) >> 8;
        light.saturating_sub(covered) as u8
    };
    [c, m, y].map(of)
}

/// libjpeg's integer conversion of luma and chroma to RGB (`jdcolor.c`, 16 bits of fraction).
#[inline(always)]
pub(crate) fn rgb_of_ycc([y, cb, cr]: [u8; 3]) -> [u8; 3] {
    const HALF: i32 = 1 << 15;
    let [y, cb, cr] = [i32::from(y), i32::from(cb) - 128, i32::from(cr) - 128];
    let red = y + ((91_881 * cr + HALF) >> 16);
    let green = y + ((-22_554 * cb - 46_802 * cr + HALF) >> 16);
    let blue = y + ((116_130 * cb + HALF) >> 16);
    // Without `map`, which is not inlined.
    [
        red.clamp(0, 255) as u8,
        green.clamp(0, 255) as u8,
        blue.clamp(0, 255) as u8,
    ]
}

/// Width and height as the frame header says them; `None` if the bytes end before it.
pub fn dimensions(bytes: &[u8]) -> Option<[u32; 2]> {
    let &[_, height_high, height_low, width_high, width_low] = frame(bytes)?.first_chunk::<5>()?;
    let side = |high, low| u32::from(u16::from_be_bytes([high, low]));
    Some([side(width_high, width_low), side(height_high, height_low)])
}

/// The frame header and all that follows it: bits per sample, height, width, components.
fn frame(bytes: &[u8]) -> Option<&[u8]> {
    let mut at = 2;
    while let Some(&[0xFF, marker, high, low]) = bytes.get(at..at + 4) {
        if marker == 0xFF {
            at += 1;
            continue;
        }
        // Frame headers of every process; between them are tables (C4, CC) and a reserved marker (C8).
        if matches!(marker, 0xC0..=0xCF) && !matches!(marker, 0xC4 | 0xC8 | 0xCC) {
            return bytes.get(at + 4..);
        }
        at += 2 + usize::from(u16::from_be_bytes([high, low]));
    }
    None
}

/// The colour transform in Adobe's `APP14` marker; `None` without the marker.
fn adobe_transform(bytes: &[u8]) -> Option<u8> {
    let mut at = 2;
    while let Some(&[0xFF, marker, high, low]) = bytes.get(at..at + 4) {
        if marker == 0xFF {
            at += 1;
            continue;
        }
        let content = bytes.get(at + 4..)?;
        if marker == 0xEE && content.starts_with(b"Adobe") {
            return content.get(11).copied();
        }
        if marker == 0xDA {
            return None;
        }
        at += 2 + usize::from(u16::from_be_bytes([high, low]));
    }
    None
}

/// One component, as stored.
struct Plane<'a> {
    samples: &'a [u8],
    /// Samples from one row to the next; rows are padded to whole blocks.
    stride: usize,
    width: usize,
    height: usize,
}

impl Plane<'_> {
    fn row(&self, y: usize) -> &[u8] {
        let start = y.min(self.height - 1) * self.stride;
        self.samples
            .get(start..start + self.width)
            .unwrap_or_default()
    }

    /// Enlarged by whole factors `[across, down]` to the image's size, as `jdsample.c` does: the
    /// triangle filter where the factors are 1 or 2 and there are more than two columns, else
    /// copies.
    fn enlarged(&self, width: usize, height: usize, factors: [usize; 2]) -> Vec<u8> {
        let mut out = Vec::with_capacity(width * height);
        for y in 0..height {
            let row = self.row(y / factors[1]);
            let near = if y % 2 == 0 {
                self.row((y / 2).saturating_sub(1))
            } else {
                self.row(y / 2 + 1)
            };
            let line: Vec<u8> = match factors {
                [1, 1] => row.to_vec(),
                [2, 1] if self.width > 2 => triangle_across(row),
                [1, 2] => {
                    let bias = if y % 2 == 0 { 1 } else { 2 };
                    (row.iter().zip(near))
                        .map(|(&a, &b)| ((u16::from(a) * 3 + u16::from(b) + bias) >> 2) as u8)
                        .collect()
                }
                [2, 2] if self.width > 2 => triangle_both(row, near),
                [across, _] => row
                    .iter()
                    .flat_map(|&x| std::iter::repeat_n(x, across))
                    .collect(),
            };
            out.extend(line.iter().take(width));
            // A plane that is too short is a broken file; its place is kept.
            out.resize(width * (y + 1), 0);
        }
        out
    }
}

/// `h2v1_fancy_upsample`: three quarters of the sample, one of its nearer neighbour.
fn triangle_across(row: &[u8]) -> Vec<u8> {
    let at = |i: usize| u16::from(row[i]);
    let last = row.len() - 1;
    (0..row.len())
        .flat_map(|i| {
            let left = if i == 0 {
                at(0)
            } else {
                (3 * at(i) + at(i - 1) + 1) >> 2
            };
            let right = if i == last {
                at(i)
            } else {
                (3 * at(i) + at(i + 1) + 2) >> 2
            };
            [left as u8, right as u8]
        })
        .collect()
}

/// `h2v2_fancy_upsample`: the same across and down.
fn triangle_both(row: &[u8], near: &[u8]) -> Vec<u8> {
    let sum = |i: usize| 3 * u16::from(row[i]) + u16::from(near[i]);
    let last = row.len() - 1;
    (0..row.len())
        .flat_map(|i| {
            let left = if i == 0 {
                (4 * sum(0) + 8) >> 4
            } else {
                (3 * sum(i) + sum(i - 1) + 8) >> 4
            };
            let right = if i == last {
                (4 * sum(i) + 7) >> 4
            } else {
                (3 * sum(i) + sum(i + 1) + 7) >> 4
            };
            [left as u8, right as u8]
        })
        .collect()
}
