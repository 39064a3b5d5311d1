//! Pooling to a given size.

use candle_core::{Result, Tensor};
use serde::{Deserialize, Serialize};

use super::shape::{ImageShape, Shapes};
use super::{Call, CallMode, LayerOp, Pooling};
use crate::rules::Role;
use modelens_kernels::elementwise::keep_nan;

/// Largest or mean value over each of `output` regions along H and W of `[N, H, W, C]`. Along an axis of
/// length `n`, region `i` of `k` is `floor(i n / k) .. ceil((i + 1) n / k)`. Source: Keras 3's
/// `AdaptiveMaxPooling2D` and `AdaptiveAveragePooling2D`; PyTorch's `AdaptiveAvgPool2d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdaptivePool2d {
    pub pooling: Pooling,
    pub output: [usize; 2],
}

impl LayerOp for AdaptivePool2d {
    fn role(&self) -> Role {
        Role::Plain
    }

    fn mixes_images(&self, _: CallMode) -> bool {
        false
    }

    fn output_shape(&self, shapes: &Shapes<'_>) -> std::result::Result<ImageShape, String> {
        let [height, width, channels] = shapes.image()?;
        if height.is_none() || width.is_none() {
            return Err("it needs images of a known size".to_owned());
        }
        Ok(vec![Some(self.output[0]), Some(self.output[1]), channels])
    }

    fn forward(&self, call: &Call<'_>) -> Result<Tensor> {
        let rows = self.pool_axis(call.x()?, 1, self.output[0])?;
        self.pool_axis(&rows, 2, self.output[1])?.contiguous()
    }
}

impl AdaptivePool2d {
    fn pool_axis(&self, x: &Tensor, axis: usize, regions: usize) -> Result<Tensor> {
        let n = x.dim(axis)?;
        let region = |i: usize| {
            let start = i * n / regions;
            let end = ((i + 1) * n).div_ceil(regions);
            let x = x.narrow(axis, start, end - start)?;
            match self.pooling {
                Pooling::Max => keep_nan(&x.max_keepdim(axis)?, &x.ne(&x)?.max_keepdim(axis)?),
                Pooling::Average => x.mean_keepdim(axis),
            }
        };
        let regions: Vec<Tensor> = (0..regions).map(region).collect::<Result<_>>()?;
        Tensor::cat(&regions, axis)
    }
}
