//! Pooling.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

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
        let cols = Window::new(w, size[1], strides[1], 1, padding)?;
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
                    for r in (0..rows.size).filter_map(|tap| rows.position(row, tap)) {
                        for c in (0..cols.size).filter_map(|tap| cols.position(col, tap)) {
                            count += 1;
                            let x = &x[((image * h + r) * w + c) * channels..][..channels];
                            match pooling {
                                Pooling::Max => {
                                    y.iter_mut().zip(x).for_each(|(y, &x)| *y = y.max(x));
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
        let cols = Window::new(w, size[1], strides[1], 1, padding)?;
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
                            let places = (0..rows.size).filter_map(|t| rows.position(row, t));
                            let places = places.flat_map(|r| {
                                let cols = (0..cols.size).filter_map(|t| cols.position(col, t));
                                cols.map(move |col| (r * w + col) * channels + c)
                            });
                            let places: Vec<usize> = places.collect();
                            match pooling {
                                Pooling::Max => {
                                    if let Some(&p) = places.iter().find(|&&p| x[p] == y) {
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

/// Largest or mean value under a window of `[N, H, W, C]`.
pub fn pool2d(x: &Tensor, settings: Pool2d) -> Result<Tensor> {
    x.apply_op1(Pool(settings))
}

/// Largest or mean value over H and W: `[N, C]`, or `[N, 1, 1, C]` with `keep_dims`.
pub fn global_pool2d(x: &Tensor, pooling: Pooling, keep_dims: bool) -> Result<Tensor> {
    let (n, h, w, channels) = x.dims4()?;
    let x = x.reshape((n, h * w, channels))?;
    let y = match pooling {
        Pooling::Max => x.max(1)?,
        Pooling::Average => x.mean(1)?,
    };
    if keep_dims {
        y.reshape((n, 1, 1, channels))
    } else {
        Ok(y)
    }
}
