//! `JPEG`: compresses and decompresses an image. Source: torchvision 0.29 `v2/_augment.py`.

use serde::{Deserialize, Serialize};

use super::operation::{self, OperationsDraw, TensorOperation};
use super::{
    Behaviour, Draw, Draws, EndLimits, Image, ListLimits, Parameter, ParameterValue, PixelType,
    Semantics, TypeError,
};

const QUALITY: ListLimits = ListLimits {
    lengths: &[1, 2],
    each: EndLimits::all([1.0, 100.0]),
    whole: true,
    tuple: false,
};

/// JPEG compression with a quality that is drawn from all whole numbers between the two ends. torchvision
/// takes bytes only.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[allow(clippy::upper_case_acronyms, reason = "torchvision's name")]
pub struct JPEG {
    /// One number or a pair, from 1 to 100.
    pub quality: Vec<f64>,
}

impl Behaviour for JPEG {
    fn example(_: usize, _: usize) -> Self {
        Self {
            quality: vec![5.0, 50.0],
        }
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        let quality = ParameterValue::List(&mut self.quality, QUALITY);
        vec![Parameter::required("quality", quality)]
    }

    fn refuses(&self, before: PixelType) -> Option<TypeError> {
        (before == PixelType::Float).then_some(TypeError::Floats("JPEG"))
    }

    fn draw(&self, _: Semantics, draws: &mut Draws, _: usize, _: usize) -> Draw {
        let ends = [self.quality.first(), self.quality.last()];
        let [low, high] = ends.map(|end| end.map_or(75, |&end| end as usize));
        let quality = low + draws.below(high.saturating_sub(low) + 1);
        OperationsDraw::of([TensorOperation::Jpeg(quality as u32)])
    }

    applies!(|_own, draw, image, pixels| operation::apply_colors(draw, image, pixels));
}
