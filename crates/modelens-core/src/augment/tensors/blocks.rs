//! Images of three channels, block by block: each channel of a block is an array, so that loops over it are
//! vectorised.

use modelens_kernels::simd::vectorized;

use crate::augment::bytes::Value;
use crate::dataset::Image;

/// Pixels in a block.
pub(in crate::augment) const LEN: usize = 64;

/// One value for each pixel of a block.
pub(in crate::augment) type Channel = [f32; LEN];

/// A copy of the image with `change` done to each block; an image of another number of channels stays as it
/// is.
pub(in crate::augment) fn map<T: Value>(
    image: &Image<T>,
    change: impl Fn([&mut Channel; 3]),
) -> Image<T> {
    if image.channels != 3 {
        return image.clone();
    }
    let mut out = image.clone();
    vectorized(
        #[inline(always)]
        || {
            let mut block = [[0.0; LEN]; 3];
            for values in out.pixels_hwc.chunks_mut(3 * LEN) {
                let pixels = values.as_chunks_mut::<3>().0;
                split(pixels, &mut block);
                let [r, g, b] = &mut block;
                change([r, g, b]);
                for (i, pixel) in pixels.iter_mut().enumerate() {
                    *pixel = [T::put(r[i]), T::put(g[i]), T::put(b[i])];
                }
            }
        },
    );
    out
}

/// The sum over an image of three channels of `value` of each pixel. Sums of a block must be exact in 32
/// bits.
pub(super) fn sum<T: Value>(image: &Image<T>, value: impl Fn([f32; 3]) -> f32) -> f64 {
    let mut sum = 0.0_f64;
    vectorized(
        #[inline(always)]
        || {
            let mut block = [[0.0; LEN]; 3];
            for values in image.pixels_hwc.chunks(3 * LEN) {
                let pixels = values.as_chunks::<3>().0;
                split(pixels, &mut block);
                let [r, g, b] = &block;
                let mut values: Channel = [0.0; LEN];
                for i in 0..LEN {
                    values[i] = value([r[i], g[i], b[i]]);
                }
                // Sixteen sums at a time.
                let mut sums = [0.0_f32; 16];
                for values in values[..pixels.len()].chunks(16) {
                    for (sum, value) in sums.iter_mut().zip(values) {
                        *sum += value;
                    }
                }
                sum += f64::from(sums.iter().sum::<f32>());
            }
        },
    );
    sum
}

#[inline(always)]
fn split<T: Value>(pixels: &[[T; 3]], [r, g, b]: &mut [Channel; 3]) {
    for (i, &pixel) in pixels.iter().take(LEN).enumerate() {
        [r[i], g[i], b[i]] = [pixel[0].get(), pixel[1].get(), pixel[2].get()];
    }
}
