//! What JPEG compression loses. Huffman codes lose nothing, so no file is written: the values go to quantised
//! coefficients of 8 x 8 blocks and back, as in libjpeg-turbo, which torchvision uses (quality, chroma at
//! half the resolution, accurate integer DCT, triangle filter for chroma).

use super::at_least;
use crate::augment::behaviour::PixelType;
use crate::dataset::Image;
use crate::dataset::jpeg::rgb_of_ycc;

/// Bits of the fraction of the DCT's constants.
const FRACTION: u32 = 13;
/// Bits of the fraction that values keep between the two passes of the DCT.
const PASS: u32 = 2;

type Block = [i32; 64];

/// Compresses an image of one or three channels with a quality from 1 to 100, and decompresses it.
/// Source: libjpeg-turbo `jcsample.c`, `jfdctint.c`, `jcdctmgr.c`, `jidctint.c`, `jdsample.c`.
pub fn jpeg(image: &Image, quality: u32, pixels: PixelType) -> Image {
    let size = [image.height, image.width];
    if size.contains(&0) || !matches!(image.channels, 1 | 3) {
        return image.clone();
    }
    let (to_byte, half) = match pixels {
        PixelType::Uint8 => (1.0, 0.0),
        PixelType::Float => (255.0, 0.5),
    };
    let byte = |x: f32| at_least(x * to_byte + half, 0.0) as u8;
    let values = |bytes: &mut dyn Iterator<Item = u8>| Image {
        pixels_hwc: bytes.map(|byte| f32::from(byte) / to_byte).collect(),
        ..*image
    };
    if image.channels == 1 {
        let luma = image.pixels_hwc.iter().map(|&x| byte(x)).collect();
        let done = Plane::new(luma, size).lossy(&LUMA, quality);
        return values(&mut done.values.into_iter());
    }
    let colors = image.pixels_hwc.as_chunks::<3>().0;
    let ycc: Vec<[u8; 3]> = colors
        .iter()
        .map(|&rgb| ycc_of_rgb(rgb.map(byte)))
        .collect();
    let plane = |channel: usize| Plane::new(ycc.iter().map(|ycc| ycc[channel]).collect(), size);
    let luma = plane(0).lossy(&LUMA, quality);
    let [cb, cr] = [1, 2].map(|channel| {
        let half = plane(channel).halved();
        let half = half.lossy(&CHROMA, quality).cut(image.width.div_ceil(2));
        half.doubled(size)
    });
    let all = luma.values.iter().zip(&cb.values).zip(&cr.values);
    values(&mut all.flat_map(|((&y, &cb), &cr)| rgb_of_ycc([y, cb, cr])))
}

/// libjpeg's integer conversion, with 16 bits of fraction (`jccolor.c`).
fn ycc_of_rgb(rgb: [u8; 3]) -> [u8; 3] {
    const HALF: i32 = 1 << 15;
    /// 128, and a half less the smallest fraction, so that 255.5 is never reached.
    const CENTRE: i32 = (128 << 16) + HALF - 1;
    let [r, g, b] = rgb.map(i32::from);
    let luma = (19_595 * r + 38_470 * g + 7_471 * b + HALF) >> 16;
    let blue = (-11_059 * r - 21_709 * g + 32_768 * b + CENTRE) >> 16;
    let red = (32_768 * r - 27_439 * g - 5_329 * b + CENTRE) >> 16;
    [luma, blue, red].map(|x| x as u8)
}

/// One component of an image.
struct Plane {
    values: Vec<u8>,
    height: usize,
    width: usize,
}

impl Plane {
    fn new(values: Vec<u8>, [height, width]: [usize; 2]) -> Self {
        Self {
            values,
            height,
            width,
        }
    }

    /// The value at a place; beyond the last row and column those are repeated.
    fn at(&self, y: usize, x: usize) -> i32 {
        let (y, x) = (y.min(self.height - 1), x.min(self.width - 1));
        i32::from(self.values[y * self.width + x])
    }

    /// Means of 2 x 2 values, rounded down and up in turn. The columns fill whole blocks: libjpeg repeats the
    /// last one before it takes means, but rows only after that.
    fn halved(&self) -> Self {
        let size = [self.height.div_ceil(2), self.width.div_ceil(16) * 8];
        let mut values = Vec::with_capacity(size[0] * size[1]);
        for y in 0..size[0] {
            for x in 0..size[1] {
                let (y, left) = (2 * y, 2 * x);
                let upper = self.at(y, left) + self.at(y, left + 1);
                let lower = self.at(y + 1, left) + self.at(y + 1, left + 1);
                let bias = 1 + (x % 2) as i32;
                values.push(((upper + lower + bias) >> 2) as u8);
            }
        }
        Self::new(values, size)
    }

    /// The first columns.
    fn cut(self, width: usize) -> Self {
        let rows = self.values.chunks(self.width);
        let values = rows
            .flat_map(|row| row.iter().copied().take(width))
            .collect();
        Self::new(values, [self.height, width])
    }

    /// Twice as large, cut to `size`: 3/4 of the nearest value and 1/4 of the next one, along both axes.
    fn doubled(&self, [height, width]: [usize; 2]) -> Self {
        let mut values = Vec::with_capacity(height * width);
        // libjpeg repeats the values of planes that are too narrow for its filter.
        let narrow = self.width <= 2;
        for y in 0..height {
            let (near, far) = (
                y / 2,
                if y % 2 == 0 {
                    (y / 2).saturating_sub(1)
                } else {
                    y / 2 + 1
                },
            );
            for x in 0..width {
                if narrow {
                    values.push(self.at(near, x / 2) as u8);
                    continue;
                }
                let column = |x: usize| 3 * self.at(near, x) + self.at(far, x);
                let (own, odd) = (x / 2, x % 2);
                let next = if odd == 1 {
                    own + 1
                } else {
                    own.saturating_sub(1)
                };
                let bias = if odd == 1 { 7 } else { 8 };
                values.push(((3 * column(own) + column(next) + bias) >> 4) as u8);
            }
        }
        Self::new(values, [height, width])
    }

    /// Each block of 8 x 8 values to coefficients, quantised, and back.
    fn lossy(&self, table: &[u8; 64], quality: u32) -> Self {
        let quants = quants(table, quality);
        let mut out = vec![0; self.values.len()];
        for top in (0..self.height).step_by(8) {
            for left in (0..self.width).step_by(8) {
                let mut block: Block =
                    std::array::from_fn(|i| self.at(top + i / 8, left + i % 8) - 128);
                forward(&mut block);
                for (value, &quant) in block.iter_mut().zip(&quants) {
                    // Coefficients are eight times as large as the mathematical ones.
                    let step = 8 * quant;
                    let level = (value.abs() + step / 2) / step;
                    *value = level * quant * value.signum();
                }
                inverse(&mut block);
                for y in 0..8.min(self.height - top) {
                    for x in 0..8.min(self.width - left) {
                        let value = (block[8 * y + x] + 128).clamp(0, 255);
                        out[(top + y) * self.width + left + x] = value as u8;
                    }
                }
            }
        }
        Self::new(out, [self.height, self.width])
    }
}

/// The steps of the coefficients. Source: `jpeg_quality_scaling` and `jpeg_add_quant_table`.
fn quants(table: &[u8; 64], quality: u32) -> Block {
    let quality = quality.clamp(1, 100) as i32;
    let percent = if quality < 50 {
        5000 / quality
    } else {
        200 - 2 * quality
    };
    table.map(|base| ((i32::from(base) * percent + 50) / 100).clamp(1, 255))
}

/// Rounds a number with this many bits of fraction.
fn descale(x: i32, bits: u32) -> i32 {
    (x + (1 << (bits - 1))) >> bits
}

/// The eight places of row or column `line`, `step` values apart.
fn line(block: &Block, start: usize, step: usize) -> [i32; 8] {
    std::array::from_fn(|i| block[start + i * step])
}

/// The rotations by odd angles that both directions share.
fn odd(a: [i32; 4]) -> [i32; 4] {
    let [t0, t1, t2, t3] = a;
    let z5 = (t0 + t2 + t1 + t3) * 9_633;
    let z1 = -(t0 + t3) * 7_373;
    let z2 = -(t1 + t2) * 20_995;
    let z3 = -(t0 + t2) * 16_069 + z5;
    let z4 = -(t1 + t3) * 3_196 + z5;
    [
        t0 * 2_446 + z1 + z3,
        t1 * 16_819 + z2 + z4,
        t2 * 25_172 + z2 + z3,
        t3 * 12_299 + z1 + z4,
    ]
}

/// The forward DCT: rows, then columns. The results are eight times the mathematical ones. Source:
/// `jfdctint.c`.
fn forward(block: &mut Block) {
    for (starts, step, last) in [(8, 1, false), (1, 8, true)] {
        for start in (0..8).map(|n| n * starts) {
            let d = line(block, start, step);
            let sums: [i32; 4] = std::array::from_fn(|i| d[i] + d[7 - i]);
            let odds = odd([d[3] - d[4], d[2] - d[5], d[1] - d[6], d[0] - d[7]]);
            let [even_0, even_3] = [sums[0] + sums[3], sums[0] - sums[3]];
            let [even_1, even_2] = [sums[1] + sums[2], sums[1] - sums[2]];
            let z1 = (even_2 + even_3) * 4_433;
            let whole = |x: i32| if last { descale(x, PASS) } else { x << PASS };
            let bits = if last {
                FRACTION + PASS
            } else {
                FRACTION - PASS
            };
            let done = [
                whole(even_0 + even_1),
                descale(odds[3], bits),
                descale(z1 + even_3 * 6_270, bits),
                descale(odds[2], bits),
                whole(even_0 - even_1),
                descale(odds[1], bits),
                descale(z1 - even_2 * 15_137, bits),
                descale(odds[0], bits),
            ];
            for (i, value) in done.into_iter().enumerate() {
                block[start + i * step] = value;
            }
        }
    }
}

/// The inverse DCT: columns, then rows. Source: `jidctint.c`.
fn inverse(block: &mut Block) {
    for (starts, step, bits) in [(1, 8, FRACTION - PASS), (8, 1, FRACTION + PASS + 3)] {
        for start in (0..8).map(|n| n * starts) {
            let d = line(block, start, step);
            let z1 = (d[2] + d[6]) * 4_433;
            let (low, high) = (z1 - d[6] * 15_137, z1 + d[2] * 6_270);
            let [sum, difference] = [(d[0] + d[4]) << FRACTION, (d[0] - d[4]) << FRACTION];
            let even = [sum + high, difference + low, difference - low, sum - high];
            let odds = odd([d[7], d[5], d[3], d[1]]);
            let pairs = even.into_iter().zip(odds.into_iter().rev());
            for (i, (even, odd)) in pairs.enumerate() {
                block[start + i * step] = descale(even + odd, bits);
                block[start + (7 - i) * step] = descale(even - odd, bits);
            }
        }
    }
}

/// The steps of luma at quality 50 (ITU-T T.81, table K.1).
const LUMA: [u8; 64] = [
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56,
    14, 17, 22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113,
    92, 49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
];

/// The steps of chroma at quality 50 (ITU-T T.81, table K.2).
const CHROMA: [u8; 64] = [
    17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99,
    47, 66, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
];
