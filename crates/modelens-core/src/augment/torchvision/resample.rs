//! Resizes an image as torchvision does, with or without antialiasing.

use modelens_kernels::simd::vectorized;
use serde::{Deserialize, Serialize};

use super::{Image, Named, Parameter, ParameterValue, PixelType, Value};

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

/// How a transform resizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resampler {
    pub interpolation: ResizeInterpolation,
    pub antialias: bool,
}

impl Default for Resampler {
    fn default() -> Self {
        Self {
            interpolation: ResizeInterpolation::Bilinear,
            antialias: true,
        }
    }
}

impl Resampler {
    /// The arguments `interpolation` and `antialias`.
    pub(super) fn parameters(&mut self) -> [Parameter<'_>; 2] {
        let interpolation = ParameterValue::Choice(&mut self.interpolation);
        [
            Parameter::keyword("interpolation", interpolation),
            Parameter::keyword("antialias", ParameterValue::Flag(&mut self.antialias)),
        ]
    }

    /// The image with `[height, width]`.
    pub(super) fn resize<T: Value>(
        self,
        image: &Image<T>,
        size: [usize; 2],
        pixels: PixelType,
    ) -> Image<T> {
        resize(image, size, self.interpolation, self.antialias, pixels)
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

/// How weighted sums are computed.
trait Weighing<T> {
    type Number: Copy + Default + std::ops::AddAssign + std::ops::Mul<Output = Self::Number>;

    fn weight(&self, weight: f64) -> Self::Number;

    fn value(&self, value: T) -> Self::Number;

    fn finish(&self, sum: Self::Number) -> T;
}

/// Floats, summed in 64 bits.
struct Exact;

impl<T: Value> Weighing<T> for Exact {
    type Number = f64;

    #[inline(always)]
    fn weight(&self, weight: f64) -> f64 {
        weight
    }

    #[inline(always)]
    fn value(&self, value: T) -> f64 {
        f64::from(value.get())
    }

    #[inline(always)]
    fn finish(&self, sum: f64) -> T {
        T::put(sum as f32)
    }
}

/// 8-bit values with weights of this many bits; each of the two passes rounds.
struct Quantized(u32);

impl<T: Value> Weighing<T> for Quantized {
    type Number = i32;

    #[inline(always)]
    fn weight(&self, weight: f64) -> i32 {
        weight as i32
    }

    #[inline(always)]
    fn value(&self, value: T) -> i32 {
        value.whole()
    }

    #[inline(always)]
    fn finish(&self, sum: i32) -> T {
        let rounded = (sum + ((1 << self.0) >> 1)) >> self.0;
        T::put_whole(rounded.clamp(0, 255))
    }
}

/// Resizes one axis at a time, the columns first.
fn filtered<T: Value>(
    image: &Image<T>,
    [height, width]: [usize; 2],
    kernel: Kernel,
    antialias: bool,
    pixels: PixelType,
) -> Image<T> {
    let axis = |image: &Image<T>, len: usize, out: usize, is_wide: bool| {
        let mut taps = taps(len, out, kernel, antialias);
        let bits = (pixels == PixelType::Uint8).then(|| quantize(&mut taps));
        vectorized(
            #[inline(always)]
            || match (bits, is_wide) {
                (Some(bits), true) => across(image, &taps, &Quantized(bits)),
                (Some(bits), false) => down(image, &taps, &Quantized(bits)),
                (None, true) => across(image, &taps, &Exact),
                (None, false) => down(image, &taps, &Exact),
            },
        )
    };
    let wide = (width != image.width).then(|| axis(image, image.width, width, true));
    let wide = wide.as_ref().unwrap_or(image);
    if height == image.height {
        return wide.clone();
    }
    axis(wide, image.height, height, false)
}

/// The sums of three channels over a number of pixels that is known in advance.
#[inline(always)]
fn weighted_sum<T: Value, W: Weighing<T>, const N: usize>(
    weights: &[W::Number],
    pixels: &[[T; 3]],
    weighing: &W,
) -> [W::Number; 3] {
    match (weights.first_chunk::<N>(), pixels.first_chunk::<N>()) {
        (Some(weights), Some(pixels)) => weighted_sums(weights, pixels, weighing),
        _ => weighted_sums(weights, pixels, weighing),
    }
}

#[inline(always)]
fn weighted_sums<T: Value, W: Weighing<T>>(
    weights: &[W::Number],
    pixels: &[[T; 3]],
    weighing: &W,
) -> [W::Number; 3] {
    let mut sums = [W::Number::default(); 3];
    for (&weight, pixel) in weights.iter().zip(pixels) {
        for (sum, &value) in sums.iter_mut().zip(pixel) {
            *sum += weight * weighing.value(value);
        }
    }
    sums
}

/// Resizes the rows.
#[inline(always)]
fn across<T: Value, W: Weighing<T>>(image: &Image<T>, taps: &[Taps], weighing: &W) -> Image<T> {
    let channels = image.channels;
    let width = taps.len();
    let mut pixels_hwc = vec![T::default(); image.height * width * channels];
    // The weights of all pixels one after the other.
    let weights = taps.iter().flat_map(|taps| &taps.weights);
    let weights: Vec<W::Number> = weights.map(|&weight| weighing.weight(weight)).collect();
    let rows = image.pixels_hwc.chunks_exact(image.width * channels);
    for (line, row) in pixels_hwc.chunks_exact_mut(width * channels).zip(rows) {
        let mut rest = &weights[..];
        for (out, taps) in line.chunks_exact_mut(channels).zip(taps) {
            let (own, others) = rest.split_at(taps.weights.len());
            rest = others;
            let source = &row[taps.first * channels..];
            // The common case has a fixed length, which the compiler unrolls.
            if let (Ok(out), (source, _)) =
                (<&mut [T; 3]>::try_from(&mut *out), source.as_chunks::<3>())
            {
                // So have the sums that a slightly larger or smaller image needs.
                let sums = match own.len() {
                    2 => weighted_sum::<T, W, 2>(own, source, weighing),
                    3 => weighted_sum::<T, W, 3>(own, source, weighing),
                    4 => weighted_sum::<T, W, 4>(own, source, weighing),
                    n => weighted_sums(own, &source[..n], weighing),
                };
                for (out, sum) in out.iter_mut().zip(sums) {
                    *out = weighing.finish(sum);
                }
                continue;
            }
            for (channel, out) in out.iter_mut().enumerate() {
                let mut sum = W::Number::default();
                let values = source[channel..].iter().step_by(channels);
                for (&weight, &value) in own.iter().zip(values) {
                    sum += weight * weighing.value(value);
                }
                *out = weighing.finish(sum);
            }
        }
    }
    Image {
        width,
        pixels_hwc,
        ..*image
    }
}

/// Resizes the columns.
#[inline(always)]
fn down<T: Value, W: Weighing<T>>(image: &Image<T>, taps: &[Taps], weighing: &W) -> Image<T> {
    let row_len = image.width * image.channels;
    let height = taps.len();
    let mut pixels_hwc = vec![T::default(); height * row_len];
    let mut sums = vec![W::Number::default(); row_len];
    for (line, Taps { first, weights }) in pixels_hwc.chunks_exact_mut(row_len).zip(taps) {
        sums.fill(W::Number::default());
        let rows = image.pixels_hwc[first * row_len..].chunks_exact(row_len);
        for (&weight, row) in weights.iter().zip(rows) {
            let weight = weighing.weight(weight);
            for (sum, &value) in sums.iter_mut().zip(row) {
                *sum += weight * weighing.value(value);
            }
        }
        for (out, &sum) in line.iter_mut().zip(&sums) {
            *out = weighing.finish(sum);
        }
    }
    Image {
        height,
        pixels_hwc,
        ..*image
    }
}

/// Resizes to `[height, width]`. Images of no pixels stay as they are.
/// Source: torchvision 0.29 `resize_image`, on a processor with AVX2, where 8-bit images are resized in whole
/// numbers.
pub(in crate::augment) fn resize<T: Value>(
    image: &Image<T>,
    size: [usize; 2],
    interpolation: ResizeInterpolation,
    antialias: bool,
    pixels: PixelType,
) -> Image<T> {
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
