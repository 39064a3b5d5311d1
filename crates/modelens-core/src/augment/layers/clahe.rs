//! `ContrastLimitedAdaptiveHistogramEqualization`: equalises tile by tile, in both modes.

use serde::{Deserialize, Serialize};

use super::{Behaviour, Draw, Since};
use crate::augment::color::{BYTE, rescaled};
use crate::augment::parameter::{EndLimits, Parameter, ParameterValue, WholeLimits};
use crate::dataset::Image;

/// Bins of a histogram.
const BINS: usize = 256;

/// Equalises each tile of a grid with its own histogram, clipped at `clip_limit` times the mean count,
/// and blends the tables of the four nearest tiles. It acts with `training=False` as well.
/// Source: keras 3.15 `clahe.py`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ContrastLimitedAdaptiveHistogramEqualization {
    /// `[low, high]` of the values.
    pub value_range: [f64; 2],
    /// In mean counts of a bin; 0 does not clip.
    pub clip_limit: f64,
    /// Rows and columns of the grid.
    pub tile_grid_size: [usize; 2],
}

impl Default for ContrastLimitedAdaptiveHistogramEqualization {
    fn default() -> Self {
        Self {
            value_range: BYTE,
            clip_limit: 4.0,
            tile_grid_size: [8, 8],
        }
    }
}

/// One axis of the grid.
struct Tiles {
    /// Tiles.
    count: usize,
    /// Pixels of a tile; the last one may reach beyond the image.
    len: usize,
    /// Pixels of the image.
    side: usize,
}

impl Tiles {
    fn new(side: usize, count: usize) -> Self {
        let len = side.div_ceil(count);
        Self { count, len, side }
    }

    /// The pixel that padding by mirroring puts at `at`.
    fn mirrored(&self, at: usize) -> usize {
        let place = at % (2 * self.side);
        place.min(2 * self.side - 1 - place)
    }

    /// The two tiles whose tables a pixel takes, and the second one's weight.
    fn neighbours(&self, at: usize) -> ([usize; 2], f32) {
        let len = self.len as f32;
        let place = (at as f32 - len / 2.0) / len + 1.0;
        let first = place.floor();
        // Tile 0 of the table is a copy of the first tile, and the last one of the last.
        let tile = |place: f32| (place as usize).saturating_sub(1).min(self.count - 1);
        ([tile(first), tile(first + 1.0)], place - first)
    }
}

impl ContrastLimitedAdaptiveHistogramEqualization {
    /// What each value of a tile becomes.
    fn table(&self, counts: &mut [f32; BINS], pixels: f32) {
        if self.clip_limit > 0.0 {
            let limit = self.clip_limit as f32 * pixels / BINS as f32;
            let excess: f32 = counts.iter().map(|&count| count - count.min(limit)).sum();
            for count in counts.iter_mut() {
                *count = count.min(limit) + excess / BINS as f32;
            }
        }
        let mut sum = 0.0;
        for count in counts.iter_mut() {
            sum += *count;
            *count = sum;
        }
        let least = counts.iter().copied().fold(f32::INFINITY, f32::min);
        let spread = match pixels - least {
            0.0 => 1.0,
            spread => spread,
        };
        for count in counts {
            *count = ((*count - least) * 255.0 / spread).clamp(0.0, 255.0);
        }
    }

    fn equalize(&self, channel: usize, image: &Image, out: &mut [f32]) {
        let [rows, columns] = self.tile_grid_size;
        let [rows, columns] = [
            Tiles::new(image.height, rows),
            Tiles::new(image.width, columns),
        ];
        let at = |y: usize, x: usize| (y * image.width + x) * image.channels + channel;
        let values = image.pixels_hwc.iter().skip(channel);
        let byte = |&x: &f32| rescaled(x, self.value_range, BYTE).clamp(0.0, 255.0) as u8;
        let bytes: Vec<u8> = values.step_by(image.channels).map(byte).collect();
        let byte = |y: usize, x: usize| usize::from(bytes[y * image.width + x]);
        let mut tables = vec![[0.0_f32; BINS]; rows.count * columns.count];
        for y in 0..rows.len * rows.count {
            let of_row = &mut tables[y / rows.len * columns.count..][..columns.count];
            let y = rows.mirrored(y);
            for (tile, table) in of_row.iter_mut().enumerate() {
                for x in tile * columns.len..(tile + 1) * columns.len {
                    table[byte(y, columns.mirrored(x))] += 1.0;
                }
            }
        }
        let pixels = (rows.len * columns.len) as f32;
        for counts in &mut tables {
            self.table(counts, pixels);
        }
        let beside: Vec<_> = (0..image.width).map(|x| columns.neighbours(x)).collect();
        for y in 0..image.height {
            let ([top, bottom], below) = rows.neighbours(y);
            for (x, &([left, right], beside)) in beside.iter().enumerate() {
                let byte = byte(y, x);
                let row = |row: usize| {
                    let [a, b] = [left, right].map(|tile| tables[row * columns.count + tile][byte]);
                    a * (1.0 - beside) + b * beside
                };
                let y_value = row(top) * (1.0 - below) + row(bottom) * below;
                out[at(y, x)] = rescaled(y_value, BYTE, self.value_range);
            }
        }
    }
}

impl Behaviour for ContrastLimitedAdaptiveHistogramEqualization {
    fn example(_: usize, _: usize) -> Self {
        Self::default()
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        let limit = EndLimits {
            accepted: [0.0, f64::MAX],
            slider: [0.0, 10.0],
        };
        let limit = ParameterValue::Number(&mut self.clip_limit, limit);
        let tiles = ParameterValue::Whole(&mut self.tile_grid_size, WholeLimits::within(1, 64));
        vec![
            Parameter::value_range(&mut self.value_range),
            Parameter::keyword("clip_limit", limit),
            Parameter::keyword("tile_grid_size", tiles),
        ]
    }

    fn is_random(&self) -> bool {
        false
    }

    fn since(&self) -> Since {
        Since::Keras3(14)
    }

    fn apply(&self, _: &Draw, image: &Image) -> Image {
        let mut out = image.clone();
        for channel in 0..image.channels {
            self.equalize(channel, image, &mut out.pixels_hwc);
        }
        out
    }
}
