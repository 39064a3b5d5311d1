//! Reads an image at places between its pixels, as `grid_sample` does, with a fill value outside.

use serde::{Deserialize, Serialize};

use super::{Image, Named, PixelType};

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
    fn place(self, at: f32) -> f32 {
        fused(at + 1.0, self.half, -0.5)
    }

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
pub(in crate::augment) fn sample(
    image: &Image,
    [height, width]: [usize; 2],
    reading: Reading<'_>,
    grid: impl Fn(usize, usize) -> [f32; 2],
) -> Image {
    let channels = image.channels;
    let mut out = Image {
        height,
        width,
        channels,
        pixels_hwc: vec![0.0; height * width * channels],
    };
    if out.pixels_hwc.is_empty() || image.pixels_hwc.is_empty() {
        return out;
    }
    let [x_axis, y_axis] = [image.width, image.height].map(Axis::new);
    let of_channel = |fill: &[f64], channel: usize| {
        let own = fill.get(channel).or(fill.first());
        own.map_or(0.0, |&value| value as f32)
    };
    let fill: Option<Vec<f32>> = reading
        .fill
        .map(|fill| (0..channels).map(|c| of_channel(fill, c)).collect());
    let pixel = |x: Option<usize>, y: Option<usize>| {
        let start = (y? * image.width + x?) * channels;
        image.pixels_hwc.get(start..start + channels)
    };
    for (y, row) in out
        .pixels_hwc
        .chunks_exact_mut(width * channels)
        .enumerate()
    {
        for (x, pixel_out) in row.chunks_exact_mut(channels).enumerate() {
            let [x, y] = grid(x, y);
            let [x, y] = [x_axis.place(x), y_axis.place(y)];
            match reading.interpolation {
                GridInterpolation::Nearest => {
                    let [x, y] = [x.round_ties_even(), y.round_ties_even()];
                    match (pixel(x_axis.index(x), y_axis.index(y)), &fill) {
                        (Some(found), _) => pixel_out.copy_from_slice(found),
                        (None, Some(fill)) => pixel_out.copy_from_slice(fill),
                        (None, None) => {}
                    }
                }
                GridInterpolation::Bilinear => {
                    let [left, top] = [x.floor(), y.floor()];
                    let [to_left, to_top] = [x - left, y - top];
                    let [to_right, to_bottom] = [1.0 - to_left, 1.0 - to_top];
                    let weights = [
                        to_right * to_bottom,
                        to_left * to_bottom,
                        to_right * to_top,
                        to_left * to_top,
                    ];
                    let [x0, x1] = [left, left + 1.0].map(|x| x_axis.index(x));
                    let [y0, y1] = [top, top + 1.0].map(|y| y_axis.index(y));
                    let corners = [pixel(x0, y0), pixel(x1, y0), pixel(x0, y1), pixel(x1, y1)];
                    let sum = |value: &dyn Fn(&[f32]) -> f32| {
                        let [a, b, c, d] = corners.map(|corner| corner.map_or(0.0, value));
                        let [nw, ne, sw, se] = weights;
                        fused(d, se, fused(c, sw, fused(b, ne, a * nw)))
                    };
                    let inside = sum(&|_| 1.0);
                    for (channel, out) in pixel_out.iter_mut().enumerate() {
                        let value = sum(&|corner| corner[channel]);
                        *out = match &fill {
                            Some(fill) => (value - fill[channel]) * inside + fill[channel],
                            None => value,
                        };
                    }
                }
            }
        }
    }
    if reading.pixels == PixelType::Uint8 {
        for value in &mut out.pixels_hwc {
            *value = value.round_ties_even().clamp(0.0, reading.pixels.bound());
        }
    }
    out
}
