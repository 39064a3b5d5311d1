//! Convolution of every channel with one small kernel.

use modelens_kernels::simd::vectorized;

use crate::dataset::Image;

/// Convolves each channel with the same kernel of `rows` x `columns` values; pixels outside the image
/// are 0, as with `padding="same"`, so a blurred edge is darker.
pub(super) fn convolve(image: &Image, kernel: &[f32], [rows, columns]: [usize; 2]) -> Image {
    let mut out = Image {
        pixels_hwc: vec![0.0; image.pixels_hwc.len()],
        ..*image
    };
    let row_len = image.width * image.channels;
    // The pixel at the centre; TensorFlow pads an even kernel less before than after.
    let [centre_y, centre_x] = [rows, columns].map(|len| len.saturating_sub(1) / 2);
    // Row by row, because sums of a row stay in the processor's cache.
    vectorized(
        #[inline(always)]
        || {
            let lines = out.pixels_hwc.chunks_exact_mut(row_len.max(1));
            for (y, line) in lines.enumerate() {
                for (dy, weights) in kernel.chunks_exact(columns.max(1)).enumerate() {
                    let Some(from) = (y + dy).checked_sub(centre_y).filter(|&y| y < image.height)
                    else {
                        continue;
                    };
                    let source = &image.pixels_hwc[from * row_len..][..row_len];
                    for (dx, &weight) in weights.iter().enumerate() {
                        // Values of a row that the kernel's place moves to the left or to the right.
                        let [left, right] =
                            [centre_x.saturating_sub(dx), dx.saturating_sub(centre_x)]
                                .map(|pixels| (pixels * image.channels).min(row_len));
                        let len = row_len - left - right;
                        let target = &mut line[left..][..len];
                        for (sum, &value) in target.iter_mut().zip(&source[right..][..len]) {
                            *sum += weight * value;
                        }
                    }
                }
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
