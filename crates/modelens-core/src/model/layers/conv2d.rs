//! Two-dimensional convolution.

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor};
use serde::{Deserialize, Serialize};

use super::shape::{ImageShape, Shapes, Side, window_side};
use super::{Activation, Call, CallMode, LayerOp};
use crate::rules::Role;
use modelens_kernels::affine_relu::AffineRelu;
use modelens_kernels::convolution::{ConvShape, forward};
use modelens_kernels::convolution_backward::{input_gradient, kernel_gradient};
use modelens_kernels::slices::{tensor, values, with_values};
use modelens_kernels::window::{Padding, Steps, Window2d};

/// Cross-correlation of `[N, H, W, C]` with `kernel` `[kh, kw, C / groups, out]`, plus `bias` `[out]`
/// (optional), then an activation. Source: Keras' `Conv2D`; the border rules are those of
/// [`modelens_kernels::window::Window::new`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Conv2d {
    pub strides: [usize; 2],
    pub dilation: [usize; 2],
    pub padding: Padding,
    pub groups: usize,
    pub activation: Activation,
}

impl LayerOp for Conv2d {
    fn role(&self) -> Role {
        Role::Weights
    }

    fn mixes_images(&self, _: CallMode) -> bool {
        false
    }

    fn output_shape(&self, shapes: &Shapes<'_>) -> std::result::Result<ImageShape, String> {
        let [height, width, channels] = shapes.image()?;
        if let Some(channels) = channels.filter(|c| !c.is_multiple_of(self.groups)) {
            return Err(format!(
                "its {channels} channels cannot be divided into {} groups",
                self.groups
            ));
        }
        let [kh, kw, _, out] = shapes.weight("kernel")?;
        let [height, width] = self.output_sides([height, width], [kh, kw])?;
        Ok(vec![height, width, Some(out)])
    }

    fn forward(&self, call: &Call<'_>) -> Result<Tensor> {
        let y = conv2d(call.x()?, call.weights.need("kernel")?, self)?;
        call.with_bias(&y, self.activation)
    }
}

impl Conv2d {
    /// How the kernel moves over the image.
    pub fn steps(&self) -> Steps {
        Steps {
            strides: self.strides,
            dilation: self.dilation,
            padding: self.padding,
        }
    }

    /// Height and width of the output.
    pub(super) fn output_sides(
        &self,
        [height, width]: [Side; 2],
        [kh, kw]: [usize; 2],
    ) -> std::result::Result<[Side; 2], String> {
        let Self {
            strides,
            dilation,
            padding,
            ..
        } = *self;
        Ok([
            window_side(height, kh, strides[0], dilation[0], padding)?,
            window_side(width, kw, strides[1], dilation[1], padding.transposed())?,
        ])
    }
}

/// Convolution without bias and activation.
pub(super) fn conv2d(x: &Tensor, kernel: &Tensor, settings: &Conv2d) -> Result<Tensor> {
    x.apply_op2(kernel, Convolution(settings.clone()))
}

struct Convolution(Conv2d);

impl CustomOp2 for Convolution {
    fn name(&self) -> &'static str {
        "conv2d-nhwc"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        kernel: &CpuStorage,
        kernel_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (x, kernel) = (values(x, x_layout)?, values(kernel, kernel_layout)?);
        let conv = ConvShape::new(
            x_layout.dims(),
            kernel_layout.dims(),
            self.0.steps(),
            self.0.groups,
        )?;
        let Window2d { rows, cols } = conv.window;
        let shape = Shape::from((x_layout.dims()[0], rows.output, cols.output, conv.out));
        let mut y = vec![0.0_f32; shape.elem_count()];
        let nothing = AffineRelu::default();
        forward(x, kernel, &mut y, conv, [&nothing, &nothing]);
        Ok((CpuStorage::F32(y), shape))
    }

    fn bwd(
        &self,
        x: &Tensor,
        kernel: &Tensor,
        _y: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let conv = ConvShape::new(x.dims(), kernel.dims(), self.0.steps(), self.0.groups)?;
        with_values(grad, |g| {
            let mut dx = None;
            if x.track_op() {
                let mut values = vec![0.0; x.elem_count()];
                with_values(kernel, |k| {
                    input_gradient(g, k, &mut values, conv);
                    Ok(())
                })?;
                dx = Some(tensor(values, x.shape())?);
            }
            let mut dk = None;
            if kernel.track_op() {
                let values = with_values(x, |x| Ok(kernel_gradient(x, g, conv)))?;
                dk = Some(tensor(values, kernel.shape())?);
            }
            Ok((dx, dk))
        })
    }
}
