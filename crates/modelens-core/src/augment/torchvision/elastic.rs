//! `ElasticTransform`: bends the image by smoothed noise.

use modelens_kernels::simd::vectorized;
use serde::{Deserialize, Serialize};

use super::grid::{GridInterpolation, Reading, sample};
use super::{
    Behaviour, Draw, Drawn, Draws, FILL, Image, ListLimits, Parameter, ParameterValue, PixelType,
    Semantics, Value,
};
use crate::augment::kernel::gaussian;

/// Pixels along x and y; one number for both.
const ALPHA: ListLimits = ListLimits::of(&[1, 2], [0.0, 1e4], [0.0, 200.0]);
/// Pixels of the blur along x and y; one number for both.
const SIGMA: ListLimits = ListLimits::of(&[1, 2], [0.0, 100.0], [0.0, 10.0]);

/// Shows at each pixel what stands at a place moved by `alpha` times noise from U(-1, 1), in half pixels,
/// that was blurred with `sigma`. torchvision refuses an image that is smaller than half of the blur; here, its
/// mirror images go on. Source: torchvision 0.29 `v2/_geometry.py`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ElasticTransform {
    /// One number, or those of x and y.
    pub alpha: Vec<f64>,
    /// One number, or those of x and y.
    pub sigma: Vec<f64>,
    pub interpolation: GridInterpolation,
    pub fill: Vec<f64>,
}

/// The noise of one image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct V2ElasticDraw {
    /// The seed of the noise.
    pub noise: u64,
}

impl Default for ElasticTransform {
    fn default() -> Self {
        Self {
            alpha: vec![50.0],
            sigma: vec![5.0],
            interpolation: GridInterpolation::Bilinear,
            fill: vec![0.0],
        }
    }
}

/// One number for both axes, or one for each.
fn both(numbers: &[f64]) -> [f64; 2] {
    match *numbers {
        [x, y] => [x, y],
        [one, ..] => [one; 2],
        [] => [0.0; 2],
    }
}

impl ElasticTransform {
    /// The displacement of each pixel along x and y, as a share of half of the side, row by row; from noise
    /// within [-1, 1) for x and for y.
    pub(in crate::augment) fn displacement(
        &self,
        [height, width]: [usize; 2],
        noise: [Vec<f32>; 2],
    ) -> [Vec<f32>; 2] {
        let sigma = both(&self.sigma);
        let mut axes = both(&self.alpha)
            .into_iter()
            .zip([width, height])
            .zip(sigma);
        noise.map(|noise| {
            let ((alpha, len), own) = axes.next().unwrap_or(((0.0, 1), 0.0));
            let blurred = if own > 0.0 && sigma.iter().all(|&sigma| sigma > 0.0) {
                // As long as the own sigma asks for, and odd.
                let taps = (8.0 * own + 1.0) as usize | 1;
                blurred(&noise, [height, width], taps, sigma)
            } else {
                noise
            };
            let scale = |value: f32| value * alpha as f32 / len as f32;
            blurred.into_iter().map(scale).collect()
        })
    }

    /// Noise for x and y of `n` pixels.
    pub(in crate::augment) fn noise(seed: u64, n: usize) -> [Vec<f32>; 2] {
        let mut draws = Draws::new(seed, &[]);
        let mut noise = || (0..n).map(|_| draws.uniform(-1.0, 1.0) as f32).collect();
        [noise(), noise()]
    }

    /// Bends the image by a displacement.
    pub(in crate::augment) fn bend<T: Value>(
        &self,
        image: &Image<T>,
        [dx, dy]: &[Vec<f32>; 2],
        pixels: PixelType,
    ) -> Image<T> {
        let size = [image.height, image.width];
        let [ys, xs] = size.map(centers);
        let reading = Reading {
            interpolation: self.interpolation,
            fill: Some(&self.fill),
            pixels,
        };
        sample(
            image,
            size,
            reading,
            #[inline(always)]
            |x, y| {
                let place = y * image.width + x;
                [xs[x] + dx[place], ys[y] + dy[place]]
            },
        )
    }
}

/// The centres of `len` pixels from -1 to 1, as `torch.linspace` computes them: from both ends.
fn centers(len: usize) -> Vec<f32> {
    let n = len as f32;
    let [start, end] = [(-n + 1.0) / n, (n - 1.0) / n];
    let step = (end - start) / (n - 1.0).max(1.0);
    (0..len)
        .map(|i| {
            if i < len / 2 {
                start + step * i as f32
            } else {
                end - step * (len - i - 1) as f32
            }
        })
        .collect()
}

/// Blurs one channel with a kernel of `taps` x `taps`; beyond the edges stands the mirror image without the
/// edge. Source: torchvision 0.29 `gaussian_blur_image`.
fn blurred(
    values: &[f32],
    [height, width]: [usize; 2],
    taps: usize,
    [sigma_x, sigma_y]: [f64; 2],
) -> Vec<f32> {
    let half = (taps / 2) as isize;
    // The place of each pixel of an axis and of `half` more on both sides.
    let mirrored = |len: usize| -> Vec<usize> {
        let last = (len as isize - 1).max(1);
        let place = |at: isize| last - (at.rem_euclid(2 * last) - last).abs();
        let all = -half..len as isize + half;
        all.map(|at| place(at).min(len as isize - 1) as usize)
            .collect()
    };
    let add = |sums: &mut [f32], weight: f32, values: &[f32]| {
        for (sum, value) in sums.iter_mut().zip(values) {
            *sum += weight * value;
        }
    };
    let mut rows = vec![0.0; values.len()];
    let columns = mirrored(width);
    let kernel = gaussian(taps, sigma_x as f32);
    vectorized(
        #[inline(always)]
        || {
            let lines = values.chunks(width.max(1));
            for (row, sums) in lines.zip(rows.chunks_mut(width.max(1))) {
                let padded: Vec<f32> = columns.iter().map(|&x| row[x]).collect();
                for (offset, &weight) in kernel.iter().enumerate() {
                    add(sums, weight, &padded[offset..]);
                }
            }
        },
    );
    let mut out = vec![0.0; values.len()];
    let places = mirrored(height);
    let kernel = gaussian(taps, sigma_y as f32);
    vectorized(
        #[inline(always)]
        || {
            for (y, sums) in out.chunks_mut(width.max(1)).enumerate() {
                for (place, &weight) in places[y..].iter().zip(&kernel) {
                    add(sums, weight, &rows[place * width..]);
                }
            }
        },
    );
    out
}

impl Behaviour for ElasticTransform {
    fn example(_: usize, _: usize) -> Self {
        Self::default()
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        let interpolation = ParameterValue::Choice(&mut self.interpolation);
        vec![
            Parameter::list("alpha", &mut self.alpha, ALPHA),
            Parameter::list("sigma", &mut self.sigma, SIGMA),
            Parameter::keyword("interpolation", interpolation),
            Parameter::list("fill", &mut self.fill, FILL),
        ]
    }

    fn draw(&self, _: Semantics, draws: &mut Draws, _: usize, _: usize) -> Draw {
        Draw::V2Elastic(V2ElasticDraw {
            noise: draws.below(1 << 30) as u64,
        })
    }

    applies!(|own, draw, image, pixels| {
        let Draw::V2Elastic(V2ElasticDraw { noise }) = *draw else {
            return image.clone();
        };
        let size = [image.height, image.width];
        let noise = Self::noise(noise, image.height * image.width);
        own.bend(image, &own.displacement(size, noise), pixels)
    });
}

impl Drawn for V2ElasticDraw {
    fn words(&self) -> String {
        "bent".to_owned()
    }

    fn bends(&self) -> bool {
        true
    }

    fn quantities(&self) -> Vec<(&'static str, f64)> {
        vec![("elastic", 1.0)]
    }
}
