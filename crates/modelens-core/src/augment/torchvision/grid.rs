//! Reads an image at places between its pixels, as `grid_sample` does, with a fill value outside.

use modelens_kernels::simd::run;
use serde::{Deserialize, Serialize};

use super::{Image, Named, PixelType, Value};

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

/// `a b + c` with one rounding, as torch's vector code computes it.
#[inline]
fn fused(a: f32, b: f32, c: f32) -> f32 {
    (f64::from(a) * f64::from(b) + f64::from(c)) as f32
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
    #[inline]
    fn place(self, at: f32) -> f32 {
        fused(at + 1.0, self.half, -0.5)
    }

    #[inline]
    fn index(self, at: f32) -> Option<usize> {
        // False for NaN as well.
        (at >= 0.0 && at < self.len).then_some(at as usize)
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
        fill: (0..channels)
            .map(of_channel)
            .cycle()
            .take(width * channels)
            .collect(),
        mixes_fill: reading.fill.is_some(),
        pixels: reading.pixels,
    };
    let [mut xs, mut ys] = [vec![0.0; width], vec![0.0; width]];
    let mut row = Row::new(width * channels);
    run(|| {
        let lines = out.pixels_hwc.chunks_exact_mut(width * channels);
        for (y, line) in lines.enumerate() {
            for (column, (place_x, place_y)) in xs.iter_mut().zip(&mut ys).enumerate() {
                let [x, y] = grid(column, y);
                [*place_x, *place_y] = [source.x.place(x), source.y.place(y)];
            }
            let places = xs.iter().copied().zip(ys.iter().copied());
            match (reading.interpolation, channels) {
                (GridInterpolation::Nearest, _) => source.nearest(places, line),
                // Loops over a number that is known in advance are unrolled.
                (GridInterpolation::Bilinear, 3) => source.bilinear(places, &mut row, line, 3),
                (GridInterpolation::Bilinear, _) => {
                    source.bilinear(places, &mut row, line, channels);
                }
            }
        }
    });
    out
}

/// The image that is read.
struct Source<'a, T> {
    image: &'a Image<T>,
    x: Axis,
    y: Axis,
    /// The colour outside of the image, for each value of a row of the result.
    fill: Vec<f32>,
    /// False if the edge of the image is not mixed with the colour.
    mixes_fill: bool,
    pixels: PixelType,
}

/// What a row of the result is computed from, value by value.
struct Row {
    /// The neighbours at the top left, top right, bottom left and bottom right of each place.
    corners: [Vec<f32>; 4],
    weights: [Vec<f32>; 4],
    /// The sum of the weights of the neighbours inside of the image.
    inside: Vec<f32>,
}

impl Row {
    fn new(values: usize) -> Self {
        let zeros = || vec![0.0; values];
        let four = || [zeros(), zeros(), zeros(), zeros()];
        Self {
            corners: four(),
            weights: four(),
            inside: zeros(),
        }
    }
}

/// The weighted sum of four neighbours, in PyTorch's order.
#[inline]
fn weighted([a, b, c, d]: [f32; 4], [nw, ne, sw, se]: [f32; 4]) -> f32 {
    fused(d, se, fused(c, sw, fused(b, ne, a * nw)))
}

impl<T: Value> Source<'_, T> {
    /// The nearest pixel of each place.
    #[inline]
    fn nearest(&self, places: impl Iterator<Item = (f32, f32)>, line: &mut [T]) {
        let channels = self.image.channels;
        for (out, (x, y)) in line.chunks_exact_mut(channels).zip(places) {
            let [x, y] = [x.round_ties_even(), y.round_ties_even()];
            match self.pixel(self.x.index(x), self.y.index(y), channels) {
                Some(found) => out.copy_from_slice(found),
                None => {
                    for (out, &fill) in out.iter_mut().zip(&self.fill) {
                        *out = T::put(self.stored(fill));
                    }
                }
            }
        }
    }

    /// The weighted sum of the four neighbours of each place. They are collected first, so that the loop over
    /// the values is vectorised.
    #[inline]
    fn bilinear(
        &self,
        places: impl Iterator<Item = (f32, f32)>,
        row: &mut Row,
        line: &mut [T],
        channels: usize,
    ) {
        for (i, (x, y)) in places.enumerate() {
            let [left, top] = [x.floor(), y.floor()];
            let [to_left, to_top] = [x - left, y - top];
            let [to_right, to_bottom] = [1.0 - to_left, 1.0 - to_top];
            let mut weights = [
                to_right * to_bottom,
                to_left * to_bottom,
                to_right * to_top,
                to_left * to_top,
            ];
            let [x0, x1] = [left, left + 1.0].map(|x| self.x.index(x));
            let [y0, y1] = [top, top + 1.0].map(|y| self.y.index(y));
            let found =
                [(x0, y0), (x1, y0), (x0, y1), (x1, y1)].map(|(x, y)| self.pixel(x, y, channels));
            if found.iter().all(Option::is_none) {
                // Far outside, the weights are no numbers.
                weights = [0.0; 4];
            }
            let is_inside = found.map(|found| f32::from(u8::from(found.is_some())));
            let values = i * channels..(i + 1) * channels;
            row.inside[values.clone()].fill(weighted(is_inside, weights));
            for (corner, found) in row.corners.iter_mut().zip(found) {
                let corner = &mut corner[values.clone()];
                match found {
                    Some(found) => {
                        for (corner, value) in corner.iter_mut().zip(found) {
                            *corner = value.get();
                        }
                    }
                    None => corner.fill(0.0),
                }
            }
            for (of_corner, weight) in row.weights.iter_mut().zip(weights) {
                of_corner[values.clone()].fill(weight);
            }
        }
        let n = line.len();
        let [a, b, c, d] = row.corners.each_ref().map(|corner| &corner[..n]);
        let [nw, ne, sw, se] = row.weights.each_ref().map(|weights| &weights[..n]);
        let [inside, fill] = [&row.inside[..n], &self.fill[..n]];
        for (i, out) in line.iter_mut().enumerate() {
            let sum = weighted([a[i], b[i], c[i], d[i]], [nw[i], ne[i], sw[i], se[i]]);
            let mixed = (sum - fill[i]) * inside[i] + fill[i];
            *out = T::put(self.stored(if self.mixes_fill { mixed } else { sum }));
        }
    }

    /// A pixel; `None` outside of the image.
    #[inline]
    fn pixel(&self, x: Option<usize>, y: Option<usize>, channels: usize) -> Option<&[T]> {
        let start = (y? * self.image.width + x?) * channels;
        self.image.pixels_hwc.get(start..start + channels)
    }

    /// The value as it is stored: 8-bit values are rounded, half to even.
    #[inline]
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
