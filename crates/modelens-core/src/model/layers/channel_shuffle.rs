//! Shuffling channels between groups.

use candle_core::{Error, Result, Tensor};
use serde::{Deserialize, Serialize};

use super::shape::{ImageShape, Shapes, misfit};
use super::{Call, CallMode, LayerOp};
use crate::rules::Role;

/// Takes one channel of each of `groups` groups in turn: channel `c * groups + g` of the output is
/// channel `g * C / groups + c` of the input. Source: Zhang et al. 2017; `nn.ChannelShuffle` of PyTorch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelShuffle {
    pub groups: usize,
}

impl LayerOp for ChannelShuffle {
    fn role(&self) -> Role {
        Role::Plain
    }

    fn mixes_images(&self, _: CallMode) -> bool {
        false
    }

    fn output_shape(&self, shapes: &Shapes<'_>) -> std::result::Result<ImageShape, String> {
        let x = shapes.x();
        let channels = x.last().copied().ok_or_else(|| misfit(x))?;
        if self.groups == 0 || channels.is_some_and(|c| !c.is_multiple_of(self.groups)) {
            return Err(misfit(x));
        }
        Ok(x.to_vec())
    }

    fn forward(&self, call: &Call<'_>) -> Result<Tensor> {
        let x = call.x()?;
        let channels = x.dim(x.rank() - 1)?;
        if self.groups == 0 || channels % self.groups != 0 {
            return Err(Error::Msg("channels and groups do not fit".into()));
        }
        let pixels = x.elem_count() / channels.max(1);
        let y = x.reshape((pixels, self.groups, channels / self.groups))?;
        y.transpose(1, 2)?.contiguous()?.reshape(x.dims())
    }
}
