//! Pooling with a sliding window.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::shape::{ImageShape, Shapes, window_side};
use super::{Call, CallMode, LayerOp};
use crate::rules::Role;
use modelens_kernels::slices::{tensor, values, with_values};
use modelens_kernels::window::{Padding, Window};

/// Largest or mean value under a sliding window of `[N, H, W, C]`. Source: Keras' `MaxPooling2D` and
/// `AveragePooling2D`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool2d {
    pub pooling: Pooling,
    pub size: [usize; 2],
    pub strides: [usize; 2],
    pub padding: Padding,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Pooling {
    /// Padding never wins.
    Max,
    /// The mean over the input; padding does not count.
    Average,
}

impl LayerOp for Pool2d {
    fn role(&self) -> Role {
        Role::Plain
    }

    fn mixes_images(&self, _: CallMode) -> bool {
        false
    }

    fn output_shape(&self, shapes: &Shapes<'_>) -> std::result::Result<ImageShape, String> {
        let [height, width, channels] = shapes.image()?;
        let Self {
            size,
            strides,
            padding,
            ..
        } = *self;
        Ok(vec![
            window_side(height, size[0], strides[0], 1, padding)?,
            window_side(width, size[1], strides[1], 1, padding.transposed())?,
            channels,
        ])
    }

    fn forward(&self, call: &Call<'_>) -> Result<Tensor> {
        call.x()?.apply_op1(Pool(*self))
    }
}

struct Pool(Pool2d);

impl CustomOp1 for Pool {
    fn name(&self) -> &'static str {
        "pool2d-nhwc"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let x = values(x, layout)?;
        let (n, h, w, channels) = layout.shape().dims4()?;
        let Pool2d {
            pooling,
            size,
            strides,
            padding,
        } = self.0;
        let rows = Window::new(h, size[0], strides[0], 1, padding)?;
        let cols = Window::new(w, size[1], strides[1], 1, padding.transposed())?;
        let shape = Shape::from((n, rows.output, cols.output, channels));
        let start = match pooling {
            Pooling::Max => f32::NEG_INFINITY,
            Pooling::Average => 0.0,
        };
        let mut y = vec![start; shape.elem_count()];
        if y.is_empty() {
            return Ok((CpuStorage::F32(y), shape));
        }
        y.par_chunks_mut(cols.output * channels)
            .enumerate()
            .for_each(|(line, y)| {
                let (image, row) = (line / rows.output, line % rows.output);
                for (col, y) in y.chunks_mut(channels).enumerate() {
                    let mut count = 0;
                    for r in rows.inside(row) {
                        for c in cols.inside(col) {
                            count += 1;
                            let x = &x[((image * h + r) * w + c) * channels..][..channels];
                            match pooling {
                                Pooling::Max => {
                                    y.iter_mut().zip(x).for_each(|(y, &x)| *y = larger(*y, x));
                                }
                                Pooling::Average => y.iter_mut().zip(x).for_each(|(y, x)| *y += x),
                            }
                        }
                    }
                    if pooling == Pooling::Average {
                        for y in y.iter_mut() {
                            *y /= count as f32;
                        }
                    }
                }
            });
        Ok((CpuStorage::F32(y), shape))
    }

    /// The gradient goes to the first of the largest values under each window, or in equal parts to all
    /// values.
    fn bwd(&self, x: &Tensor, y: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let (n, h, w, channels) = x.dims4()?;
        let Pool2d {
            pooling,
            size,
            strides,
            padding,
        } = self.0;
        let rows = Window::new(h, size[0], strides[0], 1, padding)?;
        let cols = Window::new(w, size[1], strides[1], 1, padding.transposed())?;
        let (image, pixels) = (h * w * channels, rows.output * cols.output * channels);
        let mut dx = vec![0.0_f32; n * image];
        with_values(x, |x| {
            with_values(y, |y| {
                with_values(grad, |g| {
                    let images = dx
                        .par_chunks_mut(image.max(1))
                        .zip(x.par_chunks(image.max(1)));
                    let outputs = y.par_chunks(pixels.max(1)).zip(g.par_chunks(pixels.max(1)));
                    images.zip(outputs).for_each(|((dx, x), (y, g))| {
                        for (i, (&y, &g)) in y.iter().zip(g).enumerate() {
                            let (at, c) = (i / channels, i % channels);
                            let (row, col) = (at / cols.output, at % cols.output);
                            let positions = rows.inside(row).flat_map(|r| {
                                let cols = cols.inside(col);
                                cols.map(move |col| (r * w + col) * channels + c)
                            });
                            let positions: Vec<usize> = positions.collect();
                            match pooling {
                                Pooling::Max => {
                                    let is_largest = |p: &&usize| x[**p] == y || x[**p].is_nan();
                                    if let Some(&p) = positions.iter().find(is_largest) {
                                        dx[p] += g;
                                    }
                                }
                                Pooling::Average => {
                                    for &p in &positions {
                                        dx[p] += g / positions.len() as f32;
                                    }
                                }
                            }
                        }
                    });
                    Ok(())
                })
            })
        })?;
        tensor(dx, x.shape()).map(Some)
    }
}

/// The larger of two values; NaN wins, as in TensorFlow (`f32::max` would drop it).
fn larger(a: f32, b: f32) -> f32 {
    if b > a || b.is_nan() { b } else { a }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{Device, Var};

    #[test]
    fn the_largest_value_is_nan_if_any_is() {
        let x = [1.0, f32::NAN, 3.0, f32::NAN, f32::NAN, f32::NAN, 7.0, 8.0];
        let x = Tensor::from_slice(&x, (1, 4, 2, 1), &Device::Cpu).unwrap();
        let pool = Pool2d {
            pooling: Pooling::Max,
            size: [2, 1],
            strides: [2, 1],
            padding: Padding::Valid,
        };
        let y = x.apply_op1(Pool(pool)).unwrap().flatten_all().unwrap();
        let y = y.to_vec1::<f32>().unwrap();
        assert!(y[0] == 3.0 && y[1].is_nan() && y[2].is_nan(), "{y:?}");
        assert!(y[3].is_nan(), "{y:?}");
    }

    #[test]
    fn a_window_far_larger_than_the_image_takes_no_longer() {
        let x = Tensor::rand(0.0_f32, 1.0, (1, 3, 2, 1), &Device::Cpu).unwrap();
        let x = Var::from_tensor(&x).unwrap();
        for pooling in [Pooling::Max, Pooling::Average] {
            let pool = Pool2d {
                pooling,
                size: [1 << 40, 1],
                strides: [1, 1],
                padding: Padding::Same,
            };
            let y = x.apply_op1(Pool(pool)).unwrap();
            assert_eq!(y.dims(), [1, 3, 2, 1]);
            assert!(y.sum_all().unwrap().backward().unwrap().get(&x).is_some());
        }
    }
}
