//! The affine sampler: TensorFlow's `ImageProjectiveTransformV3`.
//!
//! Everything is computed in 32 bits and in TensorFlow's order of operations: at ties of `nearest`
//! and at the seam of `wrap` the last bit decides which pixel is read.

use modelens_kernels::simd::vectorized;

use super::layers::Draw;
use super::tensors::{integer, round_signed};
use super::values::{FillMode, Interpolation, Sampling};
use crate::dataset::Image;

/// Applies an affine draw; any other draw changes nothing.
pub(super) fn apply(draw: &Draw, image: &Image, sampling: Sampling) -> Image {
    match draw.input_from_output(image.height, image.width) {
        Some(vector) => sample(image, &vector, sampling),
        None => image.clone(),
    }
}

/// For each pixel of an output of the same size, reads the image at `input_from_output`.
///
/// `[a0, a1, a2, b0, b1, b2, c0, c1]` maps the output's (x = column, y = row) to the input:
/// `k = c0 x + c1 y + 1`, `ix = (a0 x + a1 y + a2) / k`, `iy = (b0 x + b1 y + b2) / k`; where k is 0
/// the output is the fill value. Pixel centres are whole numbers. Each coordinate is mapped into the image by the
/// fill mode. Then `nearest` rounds half away from zero, and `bilinear` weights the pixels at floor
/// and floor + 1; any of them outside the image has the fill value.
/// Source: tensorflow `image_ops.h` (functor `ProjectiveGenerator`).
pub(super) fn sample(image: &Image, input_from_output: &[f64; 8], sampling: Sampling) -> Image {
    let resampling = Resampling {
        image,
        vector: input_from_output.map(|value| value as f32),
        fill: sampling.fill_value,
    };
    let pixels_hwc = match sampling.fill_mode {
        FillMode::Reflect => resampling.run::<Reflect>(sampling.interpolation),
        FillMode::Wrap => resampling.run::<Wrap>(sampling.interpolation),
        FillMode::Constant => resampling.run::<Constant>(sampling.interpolation),
        FillMode::Nearest => resampling.run::<Nearest>(sampling.interpolation),
    };
    Image {
        pixels_hwc,
        ..*image
    }
}

/// The length of one axis.
#[derive(Clone, Copy)]
struct Axis {
    /// The length n.
    len: f32,
    /// n - 1.
    last: f32,
    /// n - 1 as an index.
    last_index: usize,
}

impl Axis {
    /// `len` is at least 1 wherever a pixel is read.
    fn new(len: usize) -> Self {
        let last_index = len.saturating_sub(1);
        Self {
            len: len as f32,
            last: last_index as f32,
            last_index,
        }
    }

    /// Within [0, n-1]; NaN becomes 0.
    #[inline(always)]
    fn clamp(self, c: f32) -> f32 {
        let c = if c > 0.0 { c } else { 0.0 };
        if c < self.last { c } else { self.last }
    }
}

/// Maps a coordinate outside the image into it.
trait Fill {
    /// True if every mapped coordinate lies within [0, n-1].
    const INSIDE: bool;

    /// TensorFlow's mapping.
    fn map(c: f32, axis: Axis) -> f32;

    /// The same for coordinates within [-n, 1.5 n]. It needs neither division nor branches there, so
    /// that a loop over it is vectorised.
    fn map_near(c: f32, axis: Axis) -> f32;
}

struct Reflect;
struct Wrap;
struct Constant;
struct Nearest;

impl Fill for Reflect {
    const INSIDE: bool = true;

    #[inline(always)]
    fn map(mut c: f32, axis: Axis) -> f32 {
        let period = 2.0 * axis.len;
        if c < 0.0 {
            c += period * (-c / period).trunc();
            c = if c < -axis.len { c + period } else { -c - 1.0 };
        } else if c > axis.last {
            c -= period * (c / period).trunc();
            if c >= axis.len {
                c = period - c - 1.0;
            }
        }
        // Also right for a length of 1: the range is the single pixel.
        axis.clamp(c)
    }

    #[inline(always)]
    fn map_near(c: f32, axis: Axis) -> f32 {
        let mirrored = if c < 0.0 { -c - 1.0 } else { c };
        let mirrored = if c >= axis.len {
            2.0 * axis.len - c - 1.0
        } else {
            mirrored
        };
        axis.clamp(mirrored)
    }
}

impl Fill for Wrap {
    const INSIDE: bool = true;

    /// The divisor n-1, where n would be right, is TensorFlow's. A length of 1 divides by 0, but
    /// its range is the single pixel.
    #[inline(always)]
    fn map(mut c: f32, axis: Axis) -> f32 {
        if c < 0.0 {
            c += axis.len * ((-c / axis.last).trunc() + 1.0);
        } else if c > axis.last {
            c -= axis.len * (c / axis.last).trunc();
        }
        axis.clamp(c)
    }

    #[inline(always)]
    fn map_near(c: f32, axis: Axis) -> f32 {
        Self::map(c, axis)
    }
}

impl Fill for Constant {
    const INSIDE: bool = false;

    #[inline(always)]
    fn map(c: f32, _: Axis) -> f32 {
        c
    }

    #[inline(always)]
    fn map_near(c: f32, _: Axis) -> f32 {
        c
    }
}

impl Fill for Nearest {
    const INSIDE: bool = true;

    #[inline(always)]
    fn map(c: f32, axis: Axis) -> f32 {
        axis.clamp(c)
    }

    #[inline(always)]
    fn map_near(c: f32, axis: Axis) -> f32 {
        axis.clamp(c)
    }
}

/// Writes the mapped coordinates `factor * column + share + offset` of a row of output pixels.
/// TensorFlow adds from left to right, so `share`, the row's part, is computed once.
#[inline(always)]
fn map_row<F: Fill>(out: &mut [f32], factor: f32, share: f32, offset: f32, axis: Axis) {
    let at = |column: usize| factor * column as i32 as f32 + share + offset;
    // The coordinate is monotonic along the row, so its ends bound it.
    let near = -axis.len..=1.5 * axis.len;
    if near.contains(&at(0)) && near.contains(&at(out.len().saturating_sub(1))) {
        for (column, c) in out.iter_mut().enumerate() {
            *c = F::map_near(at(column), axis);
        }
    } else {
        for (column, c) in out.iter_mut().enumerate() {
            *c = F::map(at(column), axis);
        }
    }
}

/// True if all coordinates are within the range of [`Fill::map_near`]; false for NaN.
#[inline(always)]
fn all_near(places: &[f32], axis: Axis) -> bool {
    let near = -axis.len..=1.5 * axis.len;
    // Without `all`, which would stop early, the loop is vectorised.
    places.iter().fold(true, |all, c| all & near.contains(c))
}

/// One resampling of one image.
struct Resampling<'a> {
    image: &'a Image,
    vector: [f32; 8],
    fill: f32,
}

impl Resampling<'_> {
    /// Chooses the code for the interpolation and the number of channels, outside the loops.
    fn run<F: Fill>(&self, interpolation: Interpolation) -> Vec<f32> {
        match (interpolation, self.image.channels) {
            (Interpolation::Bilinear, 3) => self.each_pixel::<F, 3>(
                #[inline(always)]
                |at, xs, ys, line| mix_row::<F>(at, xs, ys, line),
                #[inline(always)]
                |at, x, y, out| {
                    at.bilinear::<F, 3>(x, y, out);
                },
            ),
            (Interpolation::Bilinear, _) => self.each_alone::<F, 0>(
                #[inline(always)]
                |at, x, y, out| {
                    at.bilinear::<F, 0>(x, y, out);
                },
            ),
            (Interpolation::Nearest, 3) => self.each_alone::<F, 3>(
                #[inline(always)]
                |at, x, y, out| {
                    at.nearest::<3>(x, y, out);
                },
            ),
            (Interpolation::Nearest, _) => self.each_alone::<F, 0>(
                #[inline(always)]
                |at, x, y, out| {
                    at.nearest::<0>(x, y, out);
                },
            ),
        }
    }

    /// Calls `write` with the mapped input coordinates of each output pixel. `C` is the number of
    /// channels, 0 if it is not known in advance.
    #[inline(always)]
    fn each_alone<F: Fill, const C: usize>(
        &self,
        write: impl Fn(&PixelReader, f32, f32, &mut [f32]),
    ) -> Vec<f32> {
        self.each_pixel::<F, C>(
            #[inline(always)]
            |reader, xs, ys, line| write_row::<C>(reader, [xs, ys], line, &write),
            #[inline(always)]
            |reader, x, y, out| write(reader, x, y, out),
        )
    }

    /// Calls `write_row` with the mapped input coordinates of a row of output pixels, behind which one more value
    /// may be written, and `write` for single pixels of the rows that reach far outside of the image.
    #[inline(always)]
    fn each_pixel<F: Fill, const C: usize>(
        &self,
        mut write_row: impl FnMut(&PixelReader, &[f32], &[f32], &mut [f32]),
        write: impl Fn(&PixelReader, f32, f32, &mut [f32]),
    ) -> Vec<f32> {
        let Image {
            height,
            width,
            channels,
            ref pixels_hwc,
        } = *self.image;
        let channels = if C == 0 { channels } else { C };
        if pixels_hwc.is_empty() {
            return Vec::new();
        }
        let mut out = vec![0.0_f32; pixels_hwc.len() + 1];
        let taps = PixelReader {
            pixels: pixels_hwc,
            channels,
            x: Axis::new(width),
            y: Axis::new(height),
            fill: self.fill,
        };
        let [a0, a1, a2, b0, b1, b2, c0, c1] = self.vector;
        let affine = c0 == 0.0 && c1 == 0.0;
        let (mut xs, mut ys) = (vec![0.0_f32; width], vec![0.0_f32; width]);
        vectorized(
            #[inline(always)]
            || {
                for row in 0..height {
                    let line = &mut out[row * width * channels..][..=width * channels];
                    let y = row as f32;
                    if affine {
                        map_row::<F>(&mut xs, a0, a1 * y, a2, taps.x);
                        map_row::<F>(&mut ys, b0, b1 * y, b2, taps.y);
                        write_row(&taps, &xs, &ys, line);
                        continue;
                    }
                    for (column, (ix, iy)) in xs.iter_mut().zip(&mut ys).enumerate() {
                        let x = column as i32 as f32;
                        let k = c0 * x + c1 * y + 1.0;
                        // Not a number where k is 0.
                        let k = if k == 0.0 { f32::NAN } else { k };
                        *ix = (a0 * x + a1 * y + a2) / k;
                        *iy = (b0 * x + b1 * y + b2) / k;
                    }
                    let near = all_near(&xs, taps.x) && all_near(&ys, taps.y);
                    if near {
                        for x in &mut xs {
                            *x = F::map_near(*x, taps.x);
                        }
                        for y in &mut ys {
                            *y = F::map_near(*y, taps.y);
                        }
                    }
                    if near {
                        write_row(&taps, &xs, &ys, line);
                        continue;
                    }
                    let pixels = line.chunks_exact_mut(channels);
                    for ((&x, &y), pixel) in xs.iter().zip(&ys).zip(pixels) {
                        if x.is_nan() && y.is_nan() {
                            pixel.fill(self.fill);
                        } else {
                            write(&taps, F::map(x, taps.x), F::map(y, taps.y), pixel);
                        }
                    }
                }
            },
        );
        out.truncate(pixels_hwc.len());
        out
    }
}

/// Pixels of a row that are computed at once.
const PART: usize = 32;

/// Where the values of the two neighbours along an axis begin, and their weights.
struct Taps {
    before: [i32; PART],
    after: [i32; PART],
    to_before: [f32; PART],
    to_after: [f32; PART],
}

/// Begins what lies outside of the image. It stays negative in a sum with any other start.
const OUTSIDE: i32 = i32::MIN / 2;

/// Writes a row of pixels of three values. See [`PixelReader::bilinear`].
#[inline(always)]
fn mix_row<F: Fill>(reader: &PixelReader, xs: &[f32], ys: &[f32], line: &mut [f32]) {
    let row_len = 3 * (reader.x.last_index as i32 + 1);
    let four = |start: i32| -> Option<[f32; 4]> {
        let values = reader.pixels.get(start as usize..)?;
        values.first_chunk().copied()
    };
    for (part, (xs, ys)) in xs.chunks(PART).zip(ys.chunks(PART)).enumerate() {
        let x = Taps::new::<F>(xs, reader.x, 3);
        let y = Taps::new::<F>(ys, reader.y, row_len);
        let line = &mut line[3 * PART * part..];
        for i in 0..xs.len().min(PART) {
            let (l, r, t, b) = (x.before[i], x.after[i], y.before[i], y.after[i]);
            let (left, right) = (x.to_before[i], x.to_after[i]);
            let (top, bottom) = (y.to_before[i], y.to_after[i]);
            let taps = (four(t + l), four(t + r), four(b + l), four(b + r));
            let out = &mut line[3 * i..];
            if let (Some(p00), Some(p10), Some(p01), Some(p11)) = taps
                && let Some(out) = out.first_chunk_mut::<4>()
            {
                // All four values are computed and stored, one instruction for each step: the next pixel writes
                // over the last one.
                *out = std::array::from_fn(
                    #[inline(always)]
                    |channel| {
                        let upper = left * p00[channel] + right * p10[channel];
                        let lower = left * p01[channel] + right * p11[channel];
                        top * upper + bottom * lower
                    },
                );
            } else if (l & r < 0 || t & b < 0) && reader.fill == 0.0 {
                out[..3].fill(0.0);
            } else {
                // At the border of the image, or its last pixel, behind which there is no fourth value.
                reader.bilinear_alone::<F>(xs[i], ys[i], &mut out[..3]);
            }
        }
    }
}

impl Taps {
    /// Those of at most [`PART`] places along an axis whose pixels are `stride` values apart.
    #[inline(always)]
    fn new<F: Fill>(places: &[f32], axis: Axis, stride: i32) -> Self {
        let mut padded = [0.0; PART];
        padded[..places.len()].copy_from_slice(places);
        let mut taps = Self {
            before: [OUTSIDE; PART],
            after: [OUTSIDE; PART],
            to_before: [0.0; PART],
            to_after: [0.0; PART],
        };
        let [last, row_end] = [axis.last_index as i32, axis.last_index as i32 * stride];
        for (i, &c) in padded.iter().enumerate() {
            // Far outside of the image all places are alike. NaN is -2.
            let near = if c > -2.0 { c } else { -2.0 };
            let near = if near < axis.len + 1.0 {
                near
            } else {
                axis.len + 1.0
            };
            let rounded = round_signed(near);
            let floor = if rounded > near {
                rounded - 1.0
            } else {
                rounded
            };
            taps.to_before[i] = floor + 1.0 - c;
            taps.to_after[i] = c - floor;
            let index = integer(floor);
            let start = index * stride;
            let after = start + stride;
            if F::INSIDE {
                taps.before[i] = start;
                taps.after[i] = if index < last { after } else { row_end };
            } else {
                let holds = |at: i32| at >= 0 && at <= last;
                taps.before[i] = if holds(index) { start } else { OUTSIDE };
                taps.after[i] = if holds(index + 1) { after } else { OUTSIDE };
            }
        }
        taps
    }
}

/// Writes a row of output pixels, each with what stands at its place. A function, whose arguments are known not to
/// overlap: else the compiler reads all numbers again for each pixel.
#[inline(always)]
fn write_row<const C: usize>(
    reader: &PixelReader,
    [xs, ys]: [&[f32]; 2],
    line: &mut [f32],
    write: &impl Fn(&PixelReader, f32, f32, &mut [f32]),
) {
    let channels = if C == 0 { reader.channels } else { C };
    let pixels = line.chunks_exact_mut(channels);
    for ((&x, &y), pixel) in xs.iter().zip(ys).zip(pixels) {
        write(reader, x, y, pixel);
    }
}

/// Reads pixels around a coordinate.
struct PixelReader<'a> {
    pixels: &'a [f32],
    channels: usize,
    x: Axis,
    y: Axis,
    fill: f32,
}

impl PixelReader<'_> {
    /// The values of one pixel inside the image.
    #[inline(always)]
    fn pixel<const C: usize>(&self, x: usize, y: usize) -> &[f32] {
        let channels = if C == 0 { self.channels } else { C };
        let start = (y * (self.x.last_index + 1) + x) * channels;
        &self.pixels[start..start + channels]
    }

    /// The whole number `at` as an index; `None` outside the axis.
    #[inline(always)]
    fn index(at: f32, axis: Axis) -> Option<usize> {
        // Compared as floats, because numbers may be too large for an integer; NaN fails both.
        (at >= 0.0 && at <= axis.last).then(|| whole(at))
    }

    #[inline(always)]
    fn nearest<const C: usize>(&self, x: f32, y: f32, out: &mut [f32]) {
        let found = (Self::index(round(x), self.x), Self::index(round(y), self.y));
        match found {
            (Some(x), Some(y)) => out.copy_from_slice(self.pixel::<C>(x, y)),
            _ => out.fill(self.fill),
        }
    }

    /// `(1-wy) ((1-wx) p00 + wx p10) + wy ((1-wx) p01 + wx p11)`, with the weights as TensorFlow
    /// computes them: floor + 1 - c and c - floor.
    #[inline(always)]
    fn bilinear<F: Fill, const C: usize>(&self, x: f32, y: f32, out: &mut [f32]) {
        let inside = |c: f32, axis: Axis| c >= 0.0 && c < axis.last;
        if !(F::INSIDE || inside(x, self.x) && inside(y, self.y)) {
            return self.bilinear_at_border(x, y, out);
        }
        // Coordinates are not negative here, so truncation is floor. floor + 1 lies outside the
        // image only where its weight is 0, and then any finite value will do.
        let (x0, y0) = (whole(x), whole(y));
        let (x1, y1) = (
            (x0 + 1).min(self.x.last_index),
            (y0 + 1).min(self.y.last_index),
        );
        let (floor_x, floor_y) = (x0 as f32, y0 as f32);
        let (left, right) = (floor_x + 1.0 - x, x - floor_x);
        let (above, below) = (floor_y + 1.0 - y, y - floor_y);
        let (p00, p10) = (self.pixel::<C>(x0, y0), self.pixel::<C>(x1, y0));
        let (p01, p11) = (self.pixel::<C>(x0, y1), self.pixel::<C>(x1, y1));
        for (channel, value) in out.iter_mut().enumerate() {
            let upper = left * p00[channel] + right * p10[channel];
            let lower = left * p01[channel] + right * p11[channel];
            *value = above * upper + below * lower;
        }
    }

    /// The same for one pixel of a row.
    #[cold]
    fn bilinear_alone<F: Fill>(&self, x: f32, y: f32, out: &mut [f32]) {
        self.bilinear::<F, 3>(x, y, out);
    }

    /// The same where some of the four pixels may lie outside and have the fill value.
    #[cold]
    fn bilinear_at_border(&self, x: f32, y: f32, out: &mut [f32]) {
        let (floor_x, floor_y) = (x.floor(), y.floor());
        let (left, right) = (floor_x + 1.0 - x, x - floor_x);
        let (above, below) = (floor_y + 1.0 - y, y - floor_y);
        let tap = |x: f32, y: f32| {
            let x = Self::index(x, self.x)?;
            let y = Self::index(y, self.y)?;
            Some(self.pixel::<0>(x, y))
        };
        let (p00, p10) = (tap(floor_x, floor_y), tap(floor_x + 1.0, floor_y));
        let (p01, p11) = (
            tap(floor_x, floor_y + 1.0),
            tap(floor_x + 1.0, floor_y + 1.0),
        );
        let read = |tap: Option<&[f32]>, channel: usize| tap.map_or(self.fill, |p| p[channel]);
        for (channel, value) in out.iter_mut().enumerate() {
            let upper = left * read(p00, channel) + right * read(p10, channel);
            let lower = left * read(p01, channel) + right * read(p11, channel);
            *value = above * upper + below * lower;
        }
    }
}

/// The index of a coordinate that is not negative. Converts through 32 bits, for which processors
/// have an instruction; no image is larger.
#[inline(always)]
fn whole(c: f32) -> usize {
    c as i32 as usize
}

/// Rounds half away from zero. `f32::round` does the same, but is a function call where the processor
/// has no instruction for it. Numbers beyond 32 bits stay beyond, outside every image.
#[inline(always)]
fn round(c: f32) -> f32 {
    let truncated = c as i32 as f32;
    let half = (c - truncated).abs() >= 0.5;
    truncated + if half { 1.0_f32.copysign(c) } else { 0.0 }
}
