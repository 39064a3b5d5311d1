//! `RandomBrightness`: adds one number to all values.

use serde::{Deserialize, Serialize};

use super::parameters::check_value_range;
use super::{Behaviour, Draw, Factor, ParameterError, keras_code};
use crate::dataset::Image;
use crate::random::Draws;
use crate::rules::Semantics;

/// `y = clip(x + delta)`, delta ~ U(low, high) * (range high - range low), for all channels alike.
/// Source: keras 3.15 `random_brightness.py`; tf_keras 2.21 does the same.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RandomBrightness {
    /// Fractions of the value range, within [-1, 1].
    pub factor: Factor,
    /// `[low, high]` of the values.
    pub value_range: [f64; 2],
}

impl Behaviour for RandomBrightness {
    fn class(&self) -> &'static str {
        "RandomBrightness"
    }

    fn validate(&self) -> Result<(), ParameterError> {
        self.factor.check(self.class(), "factor", -1.0, 1.0)?;
        check_value_range(self.class(), self.value_range)
    }

    fn draw(&self, _: Semantics, draws: &mut Draws, _: usize, _: usize) -> Draw {
        let [low, high] = self.value_range;
        Draw::Brightness {
            delta: self.factor.draw(draws) * (high - low),
        }
    }

    fn apply(&self, draw: &Draw, image: &Image) -> Image {
        let Draw::Brightness { delta } = *draw else {
            return image.clone();
        };
        let [low, high] = self.value_range.map(|end| end as f32);
        let delta = delta as f32;
        let mut out = image.clone();
        for value in &mut out.pixels_hwc {
            // Not `clamp`, which panics where a file holds an empty range.
            *value = (*value + delta).max(low).min(high);
        }
        out
    }

    fn arguments(&self) -> Vec<String> {
        let mut arguments = vec![keras_code::factor(self.factor)];
        keras_code::push_value_range(&mut arguments, self.value_range);
        arguments
    }
}
