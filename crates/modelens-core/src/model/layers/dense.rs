//! The dense (fully connected) layer.

use candle_core::{CpuStorage, CustomOp2, Error, Layout, Result, Shape, Tensor};
use serde::{Deserialize, Serialize};

use super::shape::{ImageShape, Shapes};
use super::{Activation, Call, CallMode, LayerOp};
use crate::rules::Role;
use modelens_kernels::affine_relu::AffineRelu;
use modelens_kernels::matmul::{matmul, plain, transposed};
use modelens_kernels::slices::{tensor, values, with_values};

/// `activation(x kernel + bias)` over the last axis: `[..., in]` with `kernel` `[in, units]` and `bias`
/// `[units]` (optional) gives `[..., units]`. Source: Keras' `Dense`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dense {
    pub activation: Activation,
}

impl LayerOp for Dense {
    fn role(&self) -> Role {
        Role::Weights
    }

    fn mixes_images(&self, _: CallMode) -> bool {
        false
    }

    fn output_shape(&self, shapes: &Shapes<'_>) -> std::result::Result<ImageShape, String> {
        let [_, units] = shapes.weight("kernel")?;
        let mut shape = shapes.x().to_vec();
        *shape.last_mut().ok_or("it is called on a single number")? = Some(units);
        Ok(shape)
    }

    fn forward(&self, call: &Call<'_>) -> Result<Tensor> {
        let y = dense(call.x()?, call.weights.need("kernel")?)?;
        call.with_bias(&y, self.activation)
    }
}

/// `x kernel` over the last axis, without bias and activation.
pub(super) fn dense(x: &Tensor, kernel: &Tensor) -> Result<Tensor> {
    x.apply_op2(kernel, Product)
}

struct Product;

impl CustomOp2 for Product {
    fn name(&self) -> &'static str {
        "dense"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        kernel: &CpuStorage,
        kernel_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (x, kernel) = (values(x, x_layout)?, values(kernel, kernel_layout)?);
        let (k, n) = kernel_layout.shape().dims2()?;
        let mut dims = x_layout.dims().to_vec();
        if dims.last() != Some(&k) {
            return Err(Error::Msg(format!(
                "a kernel for {k} units cannot take {dims:?}"
            )));
        }
        let last = dims.len() - 1;
        dims[last] = n;
        let rows = x.len().checked_div(k).unwrap_or(0);
        let mut y = vec![0.0_f32; rows * n];
        let nothing = AffineRelu::default();
        matmul(
            plain(x),
            plain(kernel),
            &mut y,
            [rows, k, n],
            false,
            &nothing,
        );
        Ok((CpuStorage::F32(y), Shape::from(dims)))
    }

    fn bwd(
        &self,
        x: &Tensor,
        kernel: &Tensor,
        _y: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let (k, n) = kernel.dims2()?;
        let rows = x.elem_count() / k.max(1);
        let nothing = AffineRelu::default();
        with_values(x, |x_values| {
            with_values(kernel, |kernel_values| {
                with_values(grad, |g| {
                    let mut dx = None;
                    if x.track_op() {
                        let mut values = vec![0.0; rows * k];
                        let shape = [rows, n, k];
                        let k = transposed(kernel_values);
                        matmul(plain(g), k, &mut values, shape, false, &nothing);
                        dx = Some(tensor(values, x.shape())?);
                    }
                    let mut dk = None;
                    if kernel.track_op() {
                        let mut values = vec![0.0; k * n];
                        let shape = [k, rows, n];
                        let x = transposed(x_values);
                        matmul(x, plain(g), &mut values, shape, false, &nothing);
                        dk = Some(tensor(values, kernel.shape())?);
                    }
                    Ok((dx, dk))
                })
            })
        })
    }
}
