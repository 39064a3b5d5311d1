//! Resizes an image as torchvision does, with or without antialiasing.

use serde::{Deserialize, Serialize};

use super::{Image, Named, PixelType};

/// How a resized image is computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ResizeInterpolation {
    /// `floor(i in / out)`.
    Nearest,
    /// `floor((i + 1/2) in / out)`.
    NearestExact,
    #[default]
    Bilinear,
    Bicubic,
}

impl Named for ResizeInterpolation {
    const ALL: &'static [Self] = &[
        Self::Nearest,
        Self::NearestExact,
        Self::Bilinear,
        Self::Bicubic,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Nearest => "nearest",
            Self::NearestExact => "nearest-exact",
            Self::Bilinear => "bilinear",
            Self::Bicubic => "bicubic",
        }
    }

    fn literal(self) -> String {
        super::interpolation_mode(self.name())
    }
}

/// The curve that weights pixels by their distance.
#[derive(Clone, Copy)]
enum Kernel {
    /// `1 - |x|` within 1.
    Triangle,
    /// Keys' cubic with this parameter, within 2.
    Cubic(f64),
}

impl Kernel {
    fn support(self) -> f64 {
        match self {
            Self::Triangle => 1.0,
            Self::Cubic(_) => 2.0,
        }
    }

    fn at(self, x: f64) -> f64 {
        let x = x.abs();
        match self {
            Self::Triangle => (1.0 - x).max(0.0),
            Self::Cubic(a) if x < 1.0 => ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0,
            Self::Cubic(a) if x < 2.0 => (((x - 5.0) * x + 8.0) * x - 4.0) * a,
            Self::Cubic(_) => 0.0,
        }
    }
}

/// The pixels that one output pixel is the weighted sum of.
struct Taps {
    first: usize,
    weights: Vec<f64>,
}

/// The taps of each of `out` pixels along an axis of `len`, pixel `i` at `(i + 1/2) len / out`.
/// With antialiasing, the kernel is as wide as an output pixel where the image shrinks. Without, pixels
/// beyond the edge are those at the edge.
/// Source: torch `UpSampleKernelAVXAntialias.h` and `UpSample.h`.
fn taps(len: usize, out: usize, kernel: Kernel, antialias: bool) -> Vec<Taps> {
    let scale = len as f64 / out as f64;
    let widened = scale.max(1.0);
    let smoothed = |i: usize| {
        let center = scale * (i as f64 + 0.5);
        let support = kernel.support() * widened;
        // `as` turns what is negative into 0.
        let first = (center - support + 0.5) as usize;
        let end = ((center + support + 0.5) as usize).min(len);
        let weight = |at: usize| kernel.at((at as f64 - center + 0.5) / widened);
        let weights: Vec<f64> = (first..end).map(weight).collect();
        let sum: f64 = weights.iter().sum();
        Taps {
            first,
            weights: weights.into_iter().map(|weight| weight / sum).collect(),
        }
    };
    let plain = |i: usize| {
        let at = scale * (i as f64 + 0.5) - 0.5;
        let at = match kernel {
            Kernel::Triangle => at.max(0.0),
            Kernel::Cubic(_) => at,
        };
        let reach = kernel.support() as isize;
        let floor = at.floor();
        let places = (1 - reach..=reach).map(|offset| {
            let place = (floor as isize + offset).clamp(0, len as isize - 1) as usize;
            (place, kernel.at(at - floor - offset as f64))
        });
        let places: Vec<(usize, f64)> = places.collect();
        let first = places.first().map_or(0, |(place, _)| *place);
        let last = places.last().map_or(0, |(place, _)| *place);
        let mut weights = vec![0.0; last - first + 1];
        for (place, weight) in places {
            weights[place - first] += weight;
        }
        Taps { first, weights }
    };
    (0..out)
        .map(|i| if antialias { smoothed(i) } else { plain(i) })
        .collect()
}

/// Makes the weights whole numbers of at most 15 bits and returns the number of bits that 1 is shifted by.
/// Source: torch `UpSampleKernelAVXAntialias.h`, as Pillow does it.
fn quantize(taps: &mut [Taps]) -> u32 {
    let weights = taps.iter().flat_map(|taps| &taps.weights);
    let most = weights.copied().fold(0.0, f64::max);
    let fits = |bits: &u32| (0.5 + most * f64::from(1_u32 << (bits + 1))).trunc() < 32_768.0;
    let bits = (0..22).take_while(fits).count() as u32;
    let one = f64::from(1_u32 << bits);
    for weight in taps.iter_mut().flat_map(|taps| &mut taps.weights) {
        *weight = (*weight * one + 0.5_f64.copysign(*weight)).trunc();
    }
    bits
}

/// What becomes of a weighted sum: 8-bit values are rounded after each of the two passes.
fn finish(sum: f64, bits: Option<u32>) -> f32 {
    match bits {
        None => sum as f32,
        Some(bits) => {
            let one = f64::from(1_u32 << bits);
            // The sum is a whole number, and so is half of `one` from 1 bit on.
            ((sum + (one / 2.0).floor()) / one)
                .floor()
                .clamp(0.0, 255.0) as f32
        }
    }
}

/// Resizes one axis at a time, the columns first.
fn filtered(
    image: &Image,
    [height, width]: [usize; 2],
    kernel: Kernel,
    antialias: bool,
    pixels: PixelType,
) -> Image {
    let prepared = |len: usize, out: usize| {
        let mut taps = taps(len, out, kernel, antialias);
        let bits = (pixels == PixelType::Uint8).then(|| quantize(&mut taps));
        (taps, bits)
    };
    let channels = image.channels;
    let wide = (width != image.width).then(|| {
        let (taps, bits) = prepared(image.width, width);
        let mut pixels_hwc = Vec::with_capacity(image.height * width * channels);
        for row in image.pixels_hwc.chunks_exact(image.width * channels) {
            for Taps { first, weights } in &taps {
                for channel in 0..channels {
                    let values = row[first * channels + channel..].iter().step_by(channels);
                    let products = weights.iter().zip(values);
                    let sum = products
                        .map(|(weight, &value)| weight * f64::from(value))
                        .sum();
                    pixels_hwc.push(finish(sum, bits));
                }
            }
        }
        Image {
            width,
            pixels_hwc,
            ..*image
        }
    });
    let wide = wide.as_ref().unwrap_or(image);
    if height == image.height {
        return wide.clone();
    }
    let (taps, bits) = prepared(image.height, height);
    let row_len = width * channels;
    let mut pixels_hwc = Vec::with_capacity(height * row_len);
    let mut sums = vec![0.0_f64; row_len];
    for Taps { first, weights } in &taps {
        sums.fill(0.0);
        let rows = wide.pixels_hwc[first * row_len..].chunks_exact(row_len);
        for (weight, row) in weights.iter().zip(rows) {
            for (sum, &value) in sums.iter_mut().zip(row) {
                *sum += weight * f64::from(value);
            }
        }
        pixels_hwc.extend(sums.iter().map(|&sum| finish(sum, bits)));
    }
    Image {
        height,
        width,
        channels,
        pixels_hwc,
    }
}

/// Resizes to `[height, width]`. Images of no pixels stay as they are.
/// Source: torchvision 0.29 `resize_image`, on a processor with AVX2, where 8-bit images are resized in whole
/// numbers.
pub(in crate::augment) fn resize(
    image: &Image,
    size: [usize; 2],
    interpolation: ResizeInterpolation,
    antialias: bool,
    pixels: PixelType,
) -> Image {
    let [height, width] = size;
    if [image.height, image.width] == size || image.pixels_hwc.is_empty() || height * width == 0 {
        return image.clone();
    }
    let pick = |len: usize, out: usize, shift: f32| -> Vec<usize> {
        let scale = len as f32 / out as f32;
        (0..out)
            .map(|i| (((i as f32 + shift) * scale) as usize).min(len - 1))
            .collect()
    };
    let nearest = |shift: f32| {
        let columns = pick(image.width, width, shift);
        let mut pixels_hwc = Vec::with_capacity(height * width * image.channels);
        for y in pick(image.height, height, shift) {
            for x in &columns {
                let start = (y * image.width + x) * image.channels;
                pixels_hwc.extend_from_slice(&image.pixels_hwc[start..start + image.channels]);
            }
        }
        Image {
            height,
            width,
            channels: image.channels,
            pixels_hwc,
        }
    };
    let kernel = match (interpolation, antialias) {
        (ResizeInterpolation::Nearest, _) => return nearest(0.0),
        (ResizeInterpolation::NearestExact, _) => return nearest(0.5),
        (ResizeInterpolation::Bilinear, _) => Kernel::Triangle,
        // Pillow's parameter with antialiasing, OpenCV's without.
        (ResizeInterpolation::Bicubic, true) => Kernel::Cubic(-0.5),
        (ResizeInterpolation::Bicubic, false) => Kernel::Cubic(-0.75),
    };
    filtered(image, size, kernel, antialias, pixels)
}

/// `[height, width]` of an image of `[height, width]` whose shorter side becomes `shorter`, unless the other
/// one would be longer than `longest`.
/// Source: torchvision 0.29 `_compute_resized_output_size`.
pub(super) fn size_of_shorter(
    [height, width]: [usize; 2],
    shorter: usize,
    longest: Option<usize>,
) -> [usize; 2] {
    let [short, long] = [height.min(width).max(1), height.max(width)];
    let mut new = [shorter, shorter * long / short];
    if let Some(longest) = longest.filter(|longest| new[1] > *longest) {
        new = [longest * new[0] / new[1], longest];
    }
    let [short, long] = new.map(|side| side.max(1));
    if width <= height {
        [long, short]
    } else {
        [short, long]
    }
}
