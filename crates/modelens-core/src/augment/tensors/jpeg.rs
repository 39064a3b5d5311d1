//! What JPEG compression loses. Huffman codes lose nothing, so no file is written: the values go to quantised
//! coefficients of 8 x 8 blocks and back, as in libjpeg-turbo, which torchvision uses (quality, chroma at
//! half the resolution, accurate integer DCT, triangle filter for chroma).

use modelens_kernels::simd::vectorized;

use super::{at_least, at_most, floor, integer};
use crate::augment::behaviour::PixelType;
use crate::augment::bytes::Value;
use crate::dataset::Image;
use crate::dataset::jpeg::rgb_of_ycc;

/// Bits of the fraction of the DCT's constants.
const FRACTION: u32 = 13;
/// Bits of the fraction that values keep between the two passes of the DCT.
const PASS: u32 = 2;

/// The rows of a block.
type Block = [[i32; 8]; 8];

/// Compresses an image of one or three channels with a quality from 1 to 100, and decompresses it.
/// Source: libjpeg-turbo `jcsample.c`, `jfdctint.c`, `jcdctmgr.c`, `jidctint.c`, `jdsample.c`.
pub fn jpeg<T: Value>(image: &Image<T>, quality: u32, pixels: PixelType) -> Image<T> {
    let size = [image.height, image.width];
    if size.contains(&0) || !matches!(image.channels, 1 | 3) {
        return image.clone();
    }
    let (to_byte, half) = match pixels {
        PixelType::Uint8 => (1.0, 0.0),
        PixelType::Float => (255.0, 0.5),
    };
    let byte = |x: T| byte_of(x, [to_byte, half]);
    let values = |bytes: &mut dyn Iterator<Item = u8>| Image {
        pixels_hwc: bytes.map(|byte| value_of(byte, to_byte)).collect(),
        ..*image
    };
    if image.channels == 1 {
        let luma = image.pixels_hwc.iter().map(|&x| byte(x)).collect();
        let done = Plane::new(luma, size).lossy(&LUMA, quality);
        return values(&mut done.values.into_iter());
    }
    let colors = image.pixels_hwc.as_chunks::<3>().0;
    let plane = || vec![0_u8; colors.len()];
    let mut ycc = [plane(), plane(), plane()];
    let mut out = image.clone();
    vectorized(
        #[inline(always)]
        || {
            let [luma, cb, cr] = &mut ycc;
            let planes = luma.iter_mut().zip(cb).zip(cr);
            for (((luma, cb), cr), &[r, g, b]) in planes.zip(colors) {
                [*luma, *cb, *cr] = ycc_of_rgb([
                    byte_of(r, [to_byte, half]),
                    byte_of(g, [to_byte, half]),
                    byte_of(b, [to_byte, half]),
                ]);
            }
            let [luma, cb, cr] = ycc
                .each_mut()
                .map(|values| Plane::new(std::mem::take(values), size));
            let luma = luma.lossy(&LUMA, quality);
            let [cb, cr] = [cb.lossy_chroma(quality), cr.lossy_chroma(quality)];
            let all = luma.values.iter().zip(&cb.values).zip(&cr.values);
            let pixels = out.pixels_hwc.as_chunks_mut::<3>().0;
            for (pixel, ((&y, &cb), &cr)) in pixels.iter_mut().zip(all) {
                let [r, g, b] = rgb_of_ycc([y, cb, cr]);
                *pixel = [
                    value_of(r, to_byte),
                    value_of(g, to_byte),
                    value_of(b, to_byte),
                ];
            }
        },
    );
    out
}

#[inline(always)]
fn byte_of<T: Value>(x: T, [to_byte, half]: [f32; 2]) -> u8 {
    u8::put(floor(at_most(
        at_least(x.get() * to_byte + half, 0.0),
        255.0,
    )))
}

#[inline(always)]
fn value_of<T: Value>(byte: u8, to_byte: f32) -> T {
    T::put(f32::from(byte) / to_byte)
}

/// libjpeg's integer conversion, with 16 bits of fraction (`jccolor.c`).
#[inline(always)]
fn ycc_of_rgb(rgb: [u8; 3]) -> [u8; 3] {
    const HALF: i32 = 1 << 15;
    /// 128, and a half less the smallest fraction, so that 255.5 is never reached.
    const CENTRE: i32 = (128 << 16) + HALF - 1;
    // Without `map`, which is not inlined.
    let [r, g, b] = [i32::from(rgb[0]), i32::from(rgb[1]), i32::from(rgb[2])];
    let luma = (19_595 * r + 38_470 * g + 7_471 * b + HALF) >> 16;
    let blue = (-11_059 * r - 21_709 * g + 32_768 * b + CENTRE) >> 16;
    let red = (32_768 * r - 27_439 * g - 5_329 * b + CENTRE) >> 16;
    [luma as u8, blue as u8, red as u8]
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

    /// A row; beyond the last one that is repeated.
    #[inline(always)]
    fn row(&self, y: usize) -> &[u8] {
        &self.values[y.min(self.height - 1) * self.width..][..self.width]
    }

    /// Means of 2 x 2 values, rounded down and up in turn. The columns fill whole blocks: libjpeg repeats the
    /// last one before it takes means, but rows only after that.
    #[inline(always)]
    fn halved(&self) -> Self {
        let size = [self.height.div_ceil(2), self.width.div_ceil(16) * 8];
        let mut values = vec![0; size[0] * size[1]];
        let mut sums = vec![0; 2 * size[1]];
        for (y, out) in values.chunks_exact_mut(size[1]).enumerate() {
            let rows = self.row(2 * y).iter().zip(self.row(2 * y + 1));
            for (sum, (&upper, &lower)) in sums.iter_mut().zip(rows) {
                *sum = u16::from(upper) + u16::from(lower);
            }
            let last = sums[self.width - 1];
            sums[self.width..].fill(last);
            let pairs = sums.as_chunks::<2>().0.iter().enumerate();
            for (out, (x, [left, right])) in out.iter_mut().zip(pairs) {
                *out = ((left + right + 1 + (x % 2) as u16) >> 2) as u8;
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
    #[inline(always)]
    fn doubled(&self, [height, width]: [usize; 2]) -> Self {
        let mut values = vec![0; height * width];
        let mut sums = vec![0; self.width];
        for (y, out) in values.chunks_exact_mut(width).enumerate() {
            let near = self.row(y / 2);
            let pairs = out.chunks_mut(2).enumerate();
            // libjpeg repeats the values of planes that are too narrow for its filter.
            if self.width <= 2 {
                pairs.for_each(|(x, pair)| pair.fill(near[x.min(self.width - 1)]));
                continue;
            }
            let far = if y % 2 == 0 {
                (y / 2).saturating_sub(1)
            } else {
                y / 2 + 1
            };
            for (sum, (&near, &far)) in sums.iter_mut().zip(near.iter().zip(self.row(far))) {
                *sum = 3 * u16::from(near) + u16::from(far);
            }
            let last = self.width - 1;
            for (x, pair) in pairs {
                let [before, own, after] = [x.saturating_sub(1), x, (x + 1).min(last)];
                let own = 3 * sums[own.min(last)];
                let both = [own + sums[before] + 8, own + sums[after] + 7];
                for (out, sum) in pair.iter_mut().zip(both) {
                    *out = (sum >> 4) as u8;
                }
            }
        }
        Self::new(values, [height, width])
    }

    /// As [`Self::lossy`], at half the resolution.
    #[inline(always)]
    fn lossy_chroma(&self, quality: u32) -> Self {
        let half = self.halved().lossy(&CHROMA, quality);
        let size = [self.height, self.width];
        half.cut(self.width.div_ceil(2)).doubled(size)
    }

    /// Each block of 8 x 8 values to coefficients, quantised, and back.
    #[inline(always)]
    fn lossy(&self, table: &[u8; 64], quality: u32) -> Self {
        let quants = quants(table, quality);
        let mut out = vec![0; self.values.len()];
        for top in (0..self.height).step_by(8) {
            for left in (0..self.width).step_by(8) {
                let mut block: Block = [[0; 8]; 8];
                for (y, out) in block.iter_mut().enumerate() {
                    let row = self.row(top + y);
                    if let Some(whole) = row[left..].first_chunk::<8>() {
                        for x in 0..8 {
                            out[x] = i32::from(whole[x]) - 128;
                        }
                    } else {
                        for (x, out) in out.iter_mut().enumerate() {
                            *out = i32::from(row[(left + x).min(self.width - 1)]) - 128;
                        }
                    }
                }
                forward(&mut block);
                for (row, quants) in block.iter_mut().zip(&quants) {
                    for (value, &quant) in row.iter_mut().zip(quants) {
                        // Coefficients are eight times as large as the mathematical ones. The quotient of such
                        // small numbers as floats has the right whole part.
                        let step = 8 * quant;
                        let level = floor((value.abs() + step / 2) as f32 / step as f32);
                        *value = integer(level) * quant * value.signum();
                    }
                }
                inverse(&mut block);
                for (y, row) in block.iter().enumerate().take(self.height - top) {
                    let start = (top + y) * self.width + left;
                    let out = &mut out[start..start + 8.min(self.width - left)];
                    for (out, value) in out.iter_mut().zip(row) {
                        *out = (value + 128).clamp(0, 255) as u8;
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
    let quant = |i: usize| ((i32::from(table[i]) * percent + 50) / 100).clamp(1, 255);
    std::array::from_fn(|y| std::array::from_fn(|x| quant(8 * y + x)))
}

/// Rounds a number with this many bits of fraction.
#[inline(always)]
fn descale(x: i32, bits: u32) -> i32 {
    (x + (1 << (bits - 1))) >> bits
}

/// Without a closure, which the compiler may not inline.
#[inline(always)]
fn of_column(block: &Block, column: usize) -> [i32; 8] {
    let mut values = [0; 8];
    for i in 0..8 {
        values[i] = block[i][column];
    }
    values
}

/// Rows as columns.
#[inline(always)]
fn transposed(block: &Block) -> Block {
    let mut rows = [[0; 8]; 8];
    for y in 0..8 {
        for x in 0..8 {
            rows[y][x] = block[x][y];
        }
    }
    rows
}

/// The rotations by odd angles that both directions share.
#[inline(always)]
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
#[inline(always)]
fn forward(block: &mut Block) {
    let mut rows = transposed(block);
    forward_columns::<false>(&mut rows);
    *block = transposed(&rows);
    forward_columns::<true>(block);
}

/// All columns at once: each place of them is a row of the block, so the loop is vectorised.
#[inline(always)]
fn forward_columns<const LAST: bool>(block: &mut Block) {
    let bits = if LAST {
        FRACTION + PASS
    } else {
        FRACTION - PASS
    };
    let whole = |x: i32| if LAST { descale(x, PASS) } else { x << PASS };
    for column in 0..8 {
        let d = of_column(block, column);
        let sums = [d[0] + d[7], d[1] + d[6], d[2] + d[5], d[3] + d[4]];
        let odds = odd([d[3] - d[4], d[2] - d[5], d[1] - d[6], d[0] - d[7]]);
        let [even_0, even_3] = [sums[0] + sums[3], sums[0] - sums[3]];
        let [even_1, even_2] = [sums[1] + sums[2], sums[1] - sums[2]];
        let z1 = (even_2 + even_3) * 4_433;
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
        for i in 0..8 {
            block[i][column] = done[i];
        }
    }
}

/// The inverse DCT: columns, then rows. Source: `jidctint.c`.
#[inline(always)]
fn inverse(block: &mut Block) {
    inverse_columns::<{ FRACTION - PASS }>(block);
    let mut rows = transposed(block);
    inverse_columns::<{ FRACTION + PASS + 3 }>(&mut rows);
    *block = transposed(&rows);
}

/// As [`forward_columns`].
#[inline(always)]
fn inverse_columns<const BITS: u32>(block: &mut Block) {
    for column in 0..8 {
        let d = of_column(block, column);
        let z1 = (d[2] + d[6]) * 4_433;
        let (low, high) = (z1 - d[6] * 15_137, z1 + d[2] * 6_270);
        let [sum, difference] = [(d[0] + d[4]) << FRACTION, (d[0] - d[4]) << FRACTION];
        let [e0, e1, e2, e3] = [sum + high, difference + low, difference - low, sum - high];
        let [o3, o2, o1, o0] = odd([d[7], d[5], d[3], d[1]]);
        let sums = [
            e0 + o0,
            e1 + o1,
            e2 + o2,
            e3 + o3,
            e3 - o3,
            e2 - o2,
            e1 - o1,
            e0 - o0,
        ];
        for i in 0..8 {
            block[i][column] = descale(sums[i], BITS);
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
