//! Operations on single values, and scale, shift and bias by channel, with their gradients.

use candle_core::{CpuStorage, CustomOp1, CustomOp2, Error, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

use crate::affine_relu::{Affine, AffineRelu};
use crate::row_sums::column_sums;
use crate::slices::{tensor, values, with_all_values, with_values};

/// Values in one task.
const CHUNK: usize = 1 << 14;

/// `y = f(x)` for every value; the gradient is `g * derivative(x)`.
struct Map<F, D> {
    f: F,
    derivative: D,
}

impl<F, D> CustomOp1 for Map<F, D>
where
    F: Fn(f32) -> f32 + Sync,
    D: Fn(f32) -> f32 + Sync,
{
    fn name(&self) -> &'static str {
        "elementwise"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let x = values(x, layout)?;
        let mut y = vec![0.0_f32; x.len()];
        map_into(x, &mut y, &self.f);
        Ok((CpuStorage::F32(y), layout.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, _y: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let shape = x.shape();
        let dx = with_values(x, |x| {
            with_values(grad, |g| {
                Ok(x.par_iter()
                    .zip(g)
                    .map(|(&x, g)| g * (self.derivative)(x))
                    .collect())
            })
        })?;
        tensor(dx, shape).map(Some)
    }
}

/// Writes `f` of every value of `x` into `y`.
pub fn map_into(x: &[f32], y: &mut [f32], f: impl Fn(f32) -> f32 + Sync) {
    let chunks = y.par_chunks_mut(CHUNK).zip(x.par_chunks(CHUNK));
    chunks.for_each(|(y, x)| y.iter_mut().zip(x).for_each(|(y, &x)| *y = f(x)));
}

/// Replaces every value by `f` of it.
pub fn change(x: &mut [f32], f: impl Fn(f32) -> f32 + Sync) {
    x.par_chunks_mut(CHUNK)
        .for_each(|x| x.iter_mut().for_each(|x| *x = f(*x)));
}

/// `y = x * scale + shift` along the last axis. Each vector has length 1 or C and is a
/// constant without a gradient.
struct ScaleShift {
    scale: Vec<f32>,
    shift: Vec<f32>,
}

/// Extends a vector of length 1 to length C.
fn spread(vector: &[f32], channels: usize) -> Result<Vec<f32>> {
    match vector {
        [one] => Ok(vec![*one; channels]),
        many if many.len() == channels => Ok(many.to_vec()),
        many => Err(Error::Msg(format!(
            "{} values for {channels} channels",
            many.len()
        ))),
    }
}

/// `x * scale + shift` for this many channels; each vector has length 1 or C.
///
/// # Errors
/// Another length.
pub fn affine(scale: &[f32], shift: &[f32], channels: usize) -> Result<AffineRelu> {
    Ok(AffineRelu {
        affine: Some(Affine {
            centre: vec![0.0; channels],
            scale: spread(scale, channels)?,
            shift: spread(shift, channels)?,
        }),
        relu: None,
    })
}

impl CustomOp1 for ScaleShift {
    fn name(&self) -> &'static str {
        "scale-shift"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let x = values(x, layout)?;
        let channels = layout.dims().last().copied().unwrap_or(1).max(1);
        let epilogue = affine(&self.scale, &self.shift, channels)?;
        let mut y = vec![0.0_f32; x.len()];
        epilogue.apply_into(x, &mut y, channels);
        Ok((CpuStorage::F32(y), layout.shape().clone()))
    }

    fn bwd(&self, _x: &Tensor, _y: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        scale_shift(&grad.contiguous()?, &self.scale, &[0.0]).map(Some)
    }
}

/// `y = x * scale + shift` along the last axis; each vector has length 1 or C.
pub fn scale_shift(x: &Tensor, scale: &[f32], shift: &[f32]) -> Result<Tensor> {
    let (scale, shift) = (scale.to_vec(), shift.to_vec());
    x.apply_op1(ScaleShift { scale, shift })
}

/// `y = x + bias` along the last axis.
struct AddBias;

impl CustomOp2 for AddBias {
    fn name(&self) -> &'static str {
        "add-bias"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let bias = values(bias, bias_layout)?;
        let op = ScaleShift {
            scale: vec![1.0],
            shift: bias.to_vec(),
        };
        op.cpu_fwd(x, x_layout)
    }

    fn bwd(
        &self,
        x: &Tensor,
        bias: &Tensor,
        _y: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let dbias = if bias.track_op() {
            let channels = bias.elem_count();
            let sums = with_values(grad, |grad| Ok(column_sums(grad, channels)))?;
            Some(tensor(sums, channels)?)
        } else {
            None
        };
        Ok((x.track_op().then(|| grad.clone()), dbias))
    }
}

/// `y = x + bias` along the last axis.
pub fn add_bias(x: &Tensor, bias: &Tensor) -> Result<Tensor> {
    x.apply_op2(bias, AddBias)
}

/// `y = a * b` for tensors of one shape.
struct Product;

/// `a * b` for every pair of values.
fn products(a: &[f32], b: &[f32]) -> Vec<f32> {
    let mut y = vec![0.0_f32; a.len()];
    let factors = a.par_chunks(CHUNK).zip(b.par_chunks(CHUNK));
    y.par_chunks_mut(CHUNK)
        .zip(factors)
        .for_each(|(y, (a, b))| {
            y.iter_mut()
                .zip(a.iter().zip(b))
                .for_each(|(y, (a, b))| *y = a * b);
        });
    y
}

impl CustomOp2 for Product {
    fn name(&self) -> &'static str {
        "product"
    }

    fn cpu_fwd(
        &self,
        a: &CpuStorage,
        a_layout: &Layout,
        b: &CpuStorage,
        b_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let y = products(values(a, a_layout)?, values(b, b_layout)?);
        Ok((CpuStorage::F32(y), a_layout.shape().clone()))
    }

    fn bwd(
        &self,
        a: &Tensor,
        b: &Tensor,
        _y: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let by = |factor: &Tensor| {
            let product = with_all_values(&[grad, factor], |all| Ok(products(all[0], all[1])))?;
            tensor(product, grad.shape())
        };
        let da = a.track_op().then(|| by(b)).transpose()?;
        let db = b.track_op().then(|| by(a)).transpose()?;
        Ok((da, db))
    }
}

/// `a * b` for two tensors of one shape. candle's own threads, which wait for each other by spinning, would take the
/// cores from what else runs.
///
/// # Errors
/// Tensors of different shapes.
pub fn product(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    if a.dims() != b.dims() {
        let (a, b) = (a.dims(), b.dims());
        return Err(Error::Msg(format!(
            "a product of the shapes {a:?} and {b:?}"
        )));
    }
    a.contiguous()?.apply_op2(&b.contiguous()?, Product)
}

/// `y`, but NaN where `nan` is not 0: candle's comparisons drop NaN, TensorFlow's propagate it.
pub fn keep_nan(y: &Tensor, nan: &Tensor) -> Result<Tensor> {
    let nans = Tensor::full(f32::NAN, y.shape(), y.device())?;
    nan.broadcast_as(y.shape())?
        .contiguous()?
        .where_cond(&nans, y)
}

/// Applies `f` to every value; `derivative` gives the gradient.
pub fn map(
    x: &Tensor,
    f: impl Fn(f32) -> f32 + Send + Sync + 'static,
    derivative: impl Fn(f32) -> f32 + Send + Sync + 'static,
) -> Result<Tensor> {
    x.apply_op1(Map { f, derivative })
}
