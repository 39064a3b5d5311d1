//! Pooling.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

use super::elementwise::keep_nan;
use super::kernel::{tensor, values, with_values};
use super::window::Window;
use crate::model::graph::{Pool2d, Pooling};

/// Largest or mean value under a window of `[N, H, W, C]`; padding never counts.
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
        let cols = Window::new(w, size[1], strides[1], 1, padding.across())?;
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

    /// The gradient goes to the first largest value under each window, or in equal parts to all.
    fn bwd(&self, x: &Tensor, y: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let (n, h, w, channels) = x.dims4()?;
        let Pool2d {
            pooling,
            size,
            strides,
            padding,
        } = self.0;
        let rows = Window::new(h, size[0], strides[0], 1, padding)?;
        let cols = Window::new(w, size[1], strides[1], 1, padding.across())?;
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
                            let places = rows.inside(row).flat_map(|r| {
                                let cols = cols.inside(col);
                                cols.map(move |col| (r * w + col) * channels + c)
                            });
                            let places: Vec<usize> = places.collect();
                            match pooling {
                                Pooling::Max => {
                                    let is_largest = |p: &&usize| x[**p] == y || x[**p].is_nan();
                                    if let Some(&p) = places.iter().find(is_largest) {
                                        dx[p] += g;
                                    }
                                }
                                Pooling::Average => {
                                    for &p in &places {
                                        dx[p] += g / places.len() as f32;
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

/// The larger of two; `f32::max` would drop what is not a number, which TensorFlow passes on.
fn larger(a: f32, b: f32) -> f32 {
    if b > a || b.is_nan() { b } else { a }
}

/// Largest or mean value under a window of `[N, H, W, C]`.
pub fn pool2d(x: &Tensor, settings: Pool2d) -> Result<Tensor> {
    x.apply_op1(Pool(settings))
}

/// Largest or mean value over H and W: `[N, C]`, or `[N, 1, 1, C]` with `keep_dims`.
pub fn global_pool2d(x: &Tensor, pooling: Pooling, keep_dims: bool) -> Result<Tensor> {
    let (n, h, w, channels) = x.dims4()?;
    let x = x.reshape((n, h * w, channels))?;
    let y = match pooling {
        Pooling::Max => keep_nan(&x.max(1)?, &x.ne(&x)?.max(1)?)?,
        Pooling::Average => x.mean(1)?,
    };
    if keep_dims {
        y.reshape((n, 1, 1, channels))
    } else {
        Ok(y)
    }
}

/// Largest or mean value over each of `output` regions of `[N, H, W, C]`. Along an axis of length
/// `n`, region `i` of `k` reaches from `floor(i n / k)` to before `ceil((i + 1) n / k)`, as in Keras 3
/// and PyTorch.
pub fn adaptive_pool2d(x: &Tensor, pooling: Pooling, output: [usize; 2]) -> Result<Tensor> {
    let along = |x: &Tensor, axis: usize, regions: usize| {
        let n = x.dim(axis)?;
        let region = |i: usize| {
            let start = i * n / regions;
            let end = ((i + 1) * n).div_ceil(regions);
            let x = x.narrow(axis, start, end - start)?;
            match pooling {
                Pooling::Max => keep_nan(&x.max_keepdim(axis)?, &x.ne(&x)?.max_keepdim(axis)?),
                Pooling::Average => x.mean_keepdim(axis),
            }
        };
        let regions: Vec<Tensor> = (0..regions).map(region).collect::<Result<_>>()?;
        Tensor::cat(&regions, axis)
    };
    along(&along(x, 1, output[0])?, 2, output[1])?.contiguous()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::graph::Padding;
    use candle_core::Device;

    #[test]
    fn what_is_not_a_number_stays_so() {
        let x = [1.0, f32::NAN, 3.0, f32::NAN, f32::NAN, f32::NAN, 7.0, 8.0];
        let x = Tensor::from_slice(&x, (1, 4, 2, 1), &Device::Cpu).unwrap();
        let pool = Pool2d {
            pooling: Pooling::Max,
            size: [2, 1],
            strides: [2, 1],
            padding: Padding::Valid,
        };
        let y = pool2d(&x, pool).unwrap().flatten_all().unwrap();
        let y = y.to_vec1::<f32>().unwrap();
        assert!(y[0] == 3.0 && y[1].is_nan() && y[2].is_nan(), "{y:?}");
        assert!(y[3].is_nan(), "{y:?}");
        let y = global_pool2d(&x, Pooling::Max, false).unwrap();
        let y = y.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert!(y[0].is_nan(), "{y:?}");
        let x = x.narrow(1, 3, 1).unwrap();
        let y = global_pool2d(&x, Pooling::Max, false).unwrap();
        assert_eq!(y.flatten_all().unwrap().to_vec1::<f32>().unwrap(), [8.0]);
    }

    #[test]
    fn a_window_far_larger_than_the_image_takes_no_longer() {
        let x = Tensor::rand(0.0_f32, 1.0, (1, 3, 2, 1), &Device::Cpu).unwrap();
        let x = candle_core::Var::from_tensor(&x).unwrap();
        for pooling in [Pooling::Max, Pooling::Average] {
            let pool = Pool2d {
                pooling,
                size: [1 << 40, 1],
                strides: [1, 1],
                padding: Padding::Same,
            };
            let y = pool2d(&x, pool).unwrap();
            assert_eq!(y.dims(), [1, 3, 2, 1]);
            assert!(y.sum_all().unwrap().backward().unwrap().get(&x).is_some());
        }
    }
}
