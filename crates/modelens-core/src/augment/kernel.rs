//! Convolution of every channel with one small kernel.

use modelens_kernels::simd::vectorized;

use super::bytes::Value;
use crate::dataset::Image;

/// Values whose sums stay in registers.
const BLOCK: usize = 32;

/// `out[i] = sum of w x[start + i]` over all taps `(start, w)` in their order, the products rounded.
#[inline(always)]
pub(super) fn weighted_sums<T: Value>(out: &mut [f32], values: &[T], taps: &[(usize, f32)]) {
    let (blocks, rest) = out.as_chunks_mut::<BLOCK>();
    for (block, sums) in blocks.iter_mut().enumerate() {
        let mut own = [0.0; BLOCK];
        for &(start, weight) in taps {
            let source = &values[start + BLOCK * block..][..BLOCK];
            for (sum, x) in own.iter_mut().zip(source) {
                *sum += weight * x.get();
            }
        }
        *sums = own;
    }
    let done = BLOCK * blocks.len();
    rest.fill(0.0);
    for &(start, weight) in taps {
        for (sum, x) in rest.iter_mut().zip(&values[start + done..]) {
            *sum += weight * x.get();
        }
    }
}

/// Convolves each channel with the same kernel of `rows` x `columns` values; pixels outside the image
/// are 0, as with `padding="same"`, so a blurred edge is darker.
pub(super) fn convolve(image: &Image, kernel: &[f32], [rows, columns]: [usize; 2]) -> Image {
    let mut out = Image {
        pixels_hwc: vec![0.0; image.pixels_hwc.len()],
        ..*image
    };
    if image.pixels_hwc.is_empty() || kernel.is_empty() {
        return out;
    }
    let row_len = image.width * image.channels;
    // The pixel at the centre; TensorFlow pads an even kernel less before than after.
    let [centre_y, centre_x] = [rows, columns].map(|len| len.saturating_sub(1) / 2);
    // The last rows that were read, with the zeros beside them.
    let padded_len = row_len + columns.saturating_sub(1) * image.channels;
    let mut padded = vec![0.0; rows * padded_len];
    let mut unread = image.pixels_hwc.chunks_exact(row_len).enumerate();
    let mut taps = Vec::with_capacity(kernel.len());
    vectorized(
        #[inline(always)]
        || {
            for (y, line) in out.pixels_hwc.chunks_exact_mut(row_len).enumerate() {
                let most = if y == 0 { rows - centre_y } else { 1 };
                for (from, row) in unread.by_ref().take(most) {
                    let start = from % rows * padded_len + centre_x * image.channels;
                    padded[start..][..row_len].copy_from_slice(row);
                }
                taps.clear();
                for (dy, weights) in kernel.chunks_exact(columns).enumerate() {
                    let from = (y + dy).checked_sub(centre_y);
                    if let Some(from) = from.filter(|&from| from < image.height) {
                        let start = |dx| from % rows * padded_len + dx * image.channels;
                        let weights = weights.iter().enumerate();
                        taps.extend(weights.map(|(dx, &weight)| (start(dx), weight)));
                    }
                }
                weighted_sums(line, &padded, &taps);
            }
        },
    );
    out
}

/// `exp(-x^2 / (2 sigma^2))` at `len` places around 0, with the sum 1.
pub(super) fn gaussian(len: usize, sigma: f32) -> Vec<f32> {
    let middle = (len as f32 - 1.0) / 2.0;
    let weight = |i: usize| (-0.5 * ((i as f32 - middle) / sigma).powi(2)).exp();
    let weights: Vec<f32> = (0..len).map(weight).collect();
    let sum: f32 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_convolution_is_the_sum_of_its_products() {
        for (kernel_size, [height, width]) in [
            ([1, 1], [3, 4]),
            ([3, 3], [5, 40]),
            ([1, 7], [4, 3]),
            ([5, 1], [2, 11]),
            ([4, 2], [6, 6]),
            ([7, 7], [2, 2]),
        ] {
            let [rows, columns] = kernel_size;
            let channels = 3;
            let value = |i: usize| (i * 29 % 31) as f32 - 11.0;
            let image = Image {
                height,
                width,
                channels,
                pixels_hwc: (0..height * width * channels).map(value).collect(),
            };
            let kernel: Vec<f32> = (0..rows * columns).map(|i| value(i) / 16.0).collect();
            let done = convolve(&image, &kernel, kernel_size);
            for y in 0..height {
                for x in 0..width * channels {
                    let mut sum = 0.0;
                    for (i, &weight) in kernel.iter().enumerate() {
                        let from_y = (y + i / columns).checked_sub((rows - 1) / 2);
                        let from_x =
                            (x + i % columns * channels).checked_sub((columns - 1) / 2 * channels);
                        if let (Some(from_y), Some(from_x)) = (from_y, from_x)
                            && from_y < height
                            && from_x < width * channels
                        {
                            sum += weight * image.pixels_hwc[from_y * width * channels + from_x];
                        }
                    }
                    let found = done.pixels_hwc[y * width * channels + x];
                    assert_eq!(found, sum, "{kernel_size:?}, row {y}, value {x}");
                }
            }
        }
    }
}
