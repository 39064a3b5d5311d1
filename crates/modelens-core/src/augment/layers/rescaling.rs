//! `Rescaling`: brings values into the range a network was trained on, in both modes.

use serde::{Deserialize, Serialize};

use super::{Behaviour, Draw};
use crate::augment::color::map_values;
use crate::augment::parameter::{Parameter, ParameterValue};
use crate::dataset::Image;

/// `y = x * scale + offset`. Source: keras 3.15 `rescaling.py`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rescaling {
    pub scale: f64,
    pub offset: f64,
}

impl Default for Rescaling {
    fn default() -> Self {
        Self {
            scale: 1.0,
            offset: 0.0,
        }
    }
}

impl Behaviour for Rescaling {
    fn example(_: usize, _: usize) -> Self {
        Self {
            scale: 1.0 / 255.0,
            ..Self::default()
        }
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        vec![
            Parameter::required("scale", ParameterValue::Scale(&mut self.scale)),
            Parameter::keyword("offset", ParameterValue::Offset(&mut self.offset)),
        ]
    }

    fn is_random(&self) -> bool {
        false
    }

    fn apply(&self, _: &Draw, image: &Image) -> Image {
        let (scale, offset) = (self.scale as f32, self.offset as f32);
        map_values(
            image,
            #[inline(always)]
            |value| value * scale + offset,
        )
    }

    fn value_range(&self, range: [f64; 2], _: usize) -> [f64; 2] {
        range.map(|value| value * self.scale + self.offset)
    }
}
