//! Reads an image at places between its pixels, as `grid_sample` does, with a fill value outside.

use modelens_kernels::simd::vectorized;
use serde::{Deserialize, Serialize};

use super::{Image, Named, PixelType, Value};
use crate::augment::tensors::{fused, integer};

/// How a transform that moves pixels reads between them; torchvision takes no other mode for tensors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum GridInterpolation {
    #[default]
    Nearest,
    Bilinear,
}

impl Named for GridInterpolation {
    const ALL: &'static [Self] = &[Self::Nearest, Self::Bilinear];

    fn name(self) -> &'static str {
        match self {
            Self::Nearest => "nearest",
            Self::Bilinear => "bilinear",
        }
    }

    fn literal(self) -> String {
        super::interpolation_mode(self.name())
    }
}

/// How an image is read, and of what type its values are.
#[derive(Clone, Copy)]
pub(in crate::augment) struct Reading<'a> {
    pub interpolation: GridInterpolation,
    /// The colour outside of the image, one number or one for each channel; `None` is black without an edge
    /// of its own, as the policies have it.
    pub fill: Option<&'a [f64]>,
    pub pixels: PixelType,
}

/// One axis of the image that is read.
#[derive(Clone, Copy)]
struct Axis {
    half: f32,
    len: f32,
}

impl Axis {
    fn new(len: usize) -> Self {
        Self {
            half: len as f32 / 2.0,
            len: len as f32,
        }
    }

    /// The place in pixels of a coordinate of the grid, -1 and 1 being the edges of the image.
    #[inline(always)]
    fn place(self, at: f32) -> f32 {
        fused(at + 1.0, self.half, -0.5)
    }

    /// False outside of the axis, and for NaN.
    #[inline(always)]
    #[expect(
        clippy::needless_bitwise_bool,
        reason = "a loop over `&&` is not vectorised"
    )]
    fn holds(self, at: f32) -> bool {
        (at >= 0.0) & (at < self.len)
    }
}

/// An image of `[height, width]` whose pixel (column, row) is read at the coordinates that `grid` gives for
/// it: (x, y) from -1 to 1, from edge to edge.
///
/// An 8-bit image is rounded, half to even.
/// Source: torchvision 0.29 `_apply_grid_transform`; torch `GridSamplerKernel.cpp`.
pub(in crate::augment) fn sample<T: Value>(
    image: &Image<T>,
    [height, width]: [usize; 2],
    reading: Reading<'_>,
    grid: impl Fn(usize, usize) -> [f32; 2],
) -> Image<T> {
    let channels = image.channels;
    let mut out = Image {
        height,
        width,
        channels,
        pixels_hwc: vec![T::default(); height * width * channels],
    };
    if out.pixels_hwc.is_empty() || image.pixels_hwc.is_empty() {
        return out;
    }
    let of_channel = |channel: usize| {
        let fill = reading.fill.unwrap_or_default();
        let own = fill.get(channel).or(fill.first());
        own.map_or(0.0, |&value| value as f32)
    };
    let source = Source {
        image,
        x: Axis::new(image.width),
        y: Axis::new(image.height),
        fill: (0..channels.next_multiple_of(LANES))
            .map(of_channel)
            .collect(),
        mixes_fill: reading.fill.is_some(),
        pixels: reading.pixels,
    };
    let mut row = Row::new(width, channels);
    let pixels = &mut out.pixels_hwc;
    // What the closure owns needs not be read again for each pixel.
    vectorized(
        #[inline(always)]
        move || {
            let lines = pixels.chunks_exact_mut(width * channels);
            for (y, line) in lines.enumerate() {
                source.place(
                    &mut row.xs,
                    &mut row.ys,
                    #[inline(always)]
                    |column| grid(column, y),
                );
                match (reading.interpolation, channels) {
                    // Loops over a number that is known in advance are unrolled.
                    (GridInterpolation::Nearest, 3) => source.nearest(&mut row, line, 3),
                    (GridInterpolation::Nearest, _) => source.nearest(&mut row, line, channels),
                    (GridInterpolation::Bilinear, 3) => source.bilinear(&mut row, line, 3),
                    (GridInterpolation::Bilinear, _) => source.bilinear(&mut row, line, channels),
                }
            }
        },
    );
    out
}

/// The image that is read.
struct Source<'a, T> {
    image: &'a Image<T>,
    x: Axis,
    y: Axis,
    /// The colour outside of the image, for each channel, and as many more as make [`LANES`].
    fill: Vec<f32>,
    /// False if the edge of the image is not mixed with the colour.
    mixes_fill: bool,
    pixels: PixelType,
}

/// Stands for a place outside of the image.
const OUTSIDE: i32 = -1;

/// Channels that are computed at once. Behind the last channel of a pixel stand those of the next.
const LANES: usize = 4;

/// What a row of the result is computed from. Its parts are filled one after the other, so that each loop but the
/// one that collects pixels is vectorised.
struct Row {
    /// The places that are read, in pixels of the image.
    xs: Vec<f32>,
    ys: Vec<f32>,
    /// The index of the neighbour at the top left, top right, bottom left and bottom right of each place.
    indices: [Vec<i32>; 4],
    weights: [Vec<f32>; 4],
    /// The sum of the weights of the neighbours inside of the image; 1 where no colour is mixed in.
    inside: Vec<f32>,
    /// The row of the result, with room for more channels of the last pixel.
    done: Vec<f32>,
}

impl Row {
    fn new(width: usize, channels: usize) -> Self {
        let zeros = || vec![0.0; width];
        let indices = || vec![OUTSIDE; width];
        Self {
            xs: zeros(),
            ys: zeros(),
            indices: std::array::from_fn(|_| indices()),
            weights: std::array::from_fn(|_| zeros()),
            inside: zeros(),
            done: vec![0.0; width * channels + LANES],
        }
    }
}

/// The weighted sum of four neighbours, in PyTorch's order.
#[inline(always)]
fn weighted([a, b, c, d]: [f32; 4], [nw, ne, sw, se]: [f32; 4]) -> f32 {
    fused(d, se, fused(c, sw, fused(b, ne, a * nw)))
}

impl<T: Value> Source<'_, T> {
    /// The places of a row. Its arguments are known not to overlap, so that the loop is vectorised.
    #[inline(always)]
    fn place(&self, xs: &mut [f32], ys: &mut [f32], grid: impl Fn(usize) -> [f32; 2]) {
        for (column, (place_x, place_y)) in xs.iter_mut().zip(ys).enumerate() {
            let [x, y] = grid(column);
            *place_x = self.x.place(x);
            *place_y = self.y.place(y);
        }
    }

    /// The index of the pixel at two whole numbers, or [`OUTSIDE`].
    #[inline(always)]
    fn index(&self, x: f32, y: f32) -> i32 {
        let inside = self.x.holds(x) & self.y.holds(y);
        // Far outside, it is any number; no image has more pixels than 32 bits can count.
        let start = integer(y).wrapping_mul(self.image.width as i32);
        let index = start.wrapping_add(integer(x));
        if inside { index } else { OUTSIDE }
    }

    /// The nearest pixel of each place.
    #[inline(always)]
    fn nearest(&self, row: &mut Row, line: &mut [T], channels: usize) {
        let Row {
            xs,
            ys,
            indices: [indices, ..],
            ..
        } = row;
        for ((index, &x), &y) in indices.iter_mut().zip(&*xs).zip(&*ys) {
            *index = self.index(x.round_ties_even(), y.round_ties_even());
        }
        for (out, &index) in line.chunks_exact_mut(channels).zip(&*indices) {
            match self.pixel(index, channels) {
                Some(found) => out.copy_from_slice(found),
                None => {
                    for (out, &fill) in out.iter_mut().zip(&self.fill) {
                        *out = T::put(self.stored(fill));
                    }
                }
            }
        }
    }

    /// The weighted sum of the four neighbours of each place.
    #[inline(always)]
    fn bilinear(&self, row: &mut Row, line: &mut [T], channels: usize) {
        let width = row.xs.len();
        self.weigh(row);
        let [i0, i1, i2, i3] = row.indices.each_ref().map(
            #[inline(always)]
            |indices| &indices[..width],
        );
        let [nw, ne, sw, se] = row.weights.each_ref().map(
            #[inline(always)]
            |weights| &weights[..width],
        );
        let inside = &row.inside[..width];
        let (fills, _) = self.fill.as_chunks::<LANES>();
        for i in 0..width {
            for (group, fill) in fills.iter().enumerate() {
                let at = |index: i32| self.lanes(index, channels, LANES * group);
                let [a, b, c, d] = [at(i0[i]), at(i1[i]), at(i2[i]), at(i3[i])];
                let weights = [nw[i], ne[i], sw[i], se[i]];
                let mixed: [f32; LANES] = std::array::from_fn(
                    #[inline(always)]
                    |lane| {
                        let sum = weighted([a[lane], b[lane], c[lane], d[lane]], weights);
                        (sum - fill[lane]) * inside[i] + fill[lane]
                    },
                );
                row.done[i * channels + LANES * group..][..LANES].copy_from_slice(&mixed);
            }
        }
        for (out, &mixed) in line.iter_mut().zip(&row.done) {
            *out = T::put(self.stored(mixed));
        }
    }

    /// Values of a pixel from this channel on, and those that follow them in memory; 0 outside of the image.
    #[inline(always)]
    fn lanes(&self, index: i32, channels: usize, channel: usize) -> [f32; LANES] {
        if index == OUTSIDE {
            return [0.0; LANES];
        }
        let rest = self
            .image
            .pixels_hwc
            .get(index as usize * channels + channel..);
        let rest = rest.unwrap_or_default();
        let lanes = rest.first_chunk().copied().unwrap_or_else(|| {
            let mut last = [T::default(); LANES];
            last[..rest.len()].copy_from_slice(rest);
            last
        });
        let mut floats = [0.0; LANES];
        for (float, x) in floats.iter_mut().zip(lanes) {
            *float = x.get();
        }
        floats
    }

    /// Fills in the neighbours of each place and their weights.
    #[inline(always)]
    fn weigh(&self, row: &mut Row) {
        let width = row.xs.len();
        let [xs, ys] = [&row.xs[..width], &row.ys[..width]];
        let [i0, i1, i2, i3] = &mut row.indices;
        let [i0, i1, i2, i3] = [
            &mut i0[..width],
            &mut i1[..width],
            &mut i2[..width],
            &mut i3[..width],
        ];
        let [w0, w1, w2, w3] = &mut row.weights;
        let [w0, w1, w2, w3] = [
            &mut w0[..width],
            &mut w1[..width],
            &mut w2[..width],
            &mut w3[..width],
        ];
        let all = &mut row.inside[..width];
        for i in 0..width {
            let [x, y] = [xs[i], ys[i]];
            let [left, top] = [x.floor(), y.floor()];
            let [to_left, to_top] = [x - left, y - top];
            let [to_right, to_bottom] = [1.0 - to_left, 1.0 - to_top];
            let [right, bottom] = [left + 1.0, top + 1.0];
            let indices = [
                self.index(left, top),
                self.index(right, top),
                self.index(left, bottom),
                self.index(right, bottom),
            ];
            let weights = [
                to_right * to_bottom,
                to_left * to_bottom,
                to_right * to_top,
                to_left * to_top,
            ];
            let mut inside = [0.0; 4];
            let mut is_any = false;
            for k in 0..4 {
                inside[k] = if indices[k] == OUTSIDE { 0.0 } else { 1.0 };
                is_any |= indices[k] != OUTSIDE;
            }
            // Far outside, the weights are no numbers.
            let [a, b, c, d] = if is_any { weights } else { [0.0; 4] };
            [w0[i], w1[i], w2[i], w3[i]] = [a, b, c, d];
            [i0[i], i1[i], i2[i], i3[i]] = indices;
            let sum = weighted(inside, [a, b, c, d]);
            all[i] = if self.mixes_fill { sum } else { 1.0 };
        }
    }

    /// The values of a pixel; `None` outside of the image.
    #[inline(always)]
    fn pixel(&self, index: i32, channels: usize) -> Option<&[T]> {
        let start = usize::try_from(index).ok()? * channels;
        self.image.pixels_hwc.get(start..start + channels)
    }

    /// The value as it is stored: 8-bit values are rounded, half to even.
    #[inline(always)]
    fn stored(&self, x: f32) -> f32 {
        match self.pixels {
            PixelType::Float => x,
            PixelType::Uint8 => {
                let x = x.round_ties_even();
                // Comparisons are one instruction each.
                let x = if x > 0.0 { x } else { 0.0 };
                if x < 255.0 { x } else { 255.0 }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_far_outside_and_no_places_show_the_colour() {
        let image = Image {
            height: 2,
            width: 3,
            channels: 1,
            pixels_hwc: vec![9_u8; 6],
        };
        for interpolation in [GridInterpolation::Nearest, GridInterpolation::Bilinear] {
            let reading = Reading {
                interpolation,
                fill: Some(&[5.0]),
                pixels: PixelType::Uint8,
            };
            for place in [1e30, -1e30, f32::INFINITY, f32::NEG_INFINITY, f32::NAN, 1e9] {
                let grids = [[place, 0.0], [0.0, place], [place, place]];
                for at in grids {
                    let out = sample(
                        &image,
                        [1, 20],
                        reading,
                        #[inline(always)]
                        move |_, _| at,
                    );
                    assert_eq!(out.pixels_hwc, [5; 20], "{interpolation:?} {at:?}");
                }
            }
        }
    }

    /// Each channel of the result is the result of that channel.
    fn assert_alike<T: Value + std::fmt::Debug>(image: &Image<T>, reading: Reading<'_>) {
        let grid = |x: usize, y: usize| [x as f32 * 0.061 - 1.2, y as f32 * 0.37 - x as f32 * 0.01];
        let sampled = |image: &Image<T>, fill: Option<&[f64]>| {
            let reading = Reading { fill, ..reading };
            sample(image, [6, 41], reading, grid)
        };
        let all = sampled(image, reading.fill);
        for channel in 0..image.channels {
            let of = |values: &[T]| -> Vec<T> {
                let own = values.iter().skip(channel).step_by(image.channels);
                own.copied().collect()
            };
            let alone = Image {
                channels: 1,
                pixels_hwc: of(&image.pixels_hwc),
                ..*image
            };
            let fill = reading.fill.map(|fill| &fill[channel % fill.len()..]);
            let alone = sampled(&alone, fill);
            assert_eq!(
                of(&all.pixels_hwc),
                alone.pixels_hwc,
                "channel {channel} of {} {:?}",
                image.channels,
                reading.interpolation
            );
        }
    }

    #[test]
    fn channels_are_read_alike_however_many_there_are() {
        for channels in [1, 2, 3, 4, 5, 9] {
            let values = (0..4 * 7 * channels).map(|i| (i * 37 % 251) as u8);
            let image = Image {
                height: 4,
                width: 7,
                channels,
                pixels_hwc: values.collect(),
            };
            let floats = Image {
                height: 4,
                width: 7,
                channels,
                pixels_hwc: (image.pixels_hwc.iter())
                    .map(|&x| f32::from(x) / 255.0)
                    .collect(),
            };
            let colors: Vec<f64> = (0..channels).map(|i| 0.1 * i as f64).collect();
            for interpolation in [GridInterpolation::Nearest, GridInterpolation::Bilinear] {
                for fill in [None, Some(&colors[..])] {
                    let reading = |pixels| Reading {
                        interpolation,
                        fill,
                        pixels,
                    };
                    assert_alike(&floats, reading(PixelType::Float));
                    assert_alike(&image, reading(PixelType::Uint8));
                }
            }
        }
    }
}
