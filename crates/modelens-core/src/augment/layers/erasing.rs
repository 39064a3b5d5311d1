//! `RandomErasing`: paints over a box.

use serde::{Deserialize, Serialize};

use super::{Behaviour, Draw, Drawn, Since};
use crate::augment::boxes::DrawnBox;
use crate::augment::color::{BYTE, clip};
use crate::augment::parameter::{FactorLimits, Parameter, ParameterValue};
use crate::augment::values::Factor;
use crate::dataset::Image;
use crate::number::trimmed;
use crate::random::Draws;
use crate::rules::Semantics;

/// Paints over a box with a probability that is itself drawn from U(low, high). Each side of the box is
/// the square root of U(scale) of the image's side. It gets a colour, or noise: `clip(high N(0, 1))`.
/// Source: keras 3.15 `random_erasing.py`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RandomErasing {
    /// Within [0, 1]. A number f means (0, f), so 1 erases in every second image.
    pub factor: Factor,
    /// Within [0, 1]; a number s means (0, s).
    pub scale: Factor,
    /// The colour; `None` is noise.
    pub fill_value: Option<[f64; 3]>,
    /// `[low, high]` of the values.
    pub value_range: [f64; 2],
}

/// What is erased from one image.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ErasingDraw {
    /// `None` leaves the image as it is.
    pub erased: Option<DrawnBox>,
    /// `[height, width]` of the image.
    pub size: [usize; 2],
    /// The seed of the noise.
    pub noise: u64,
}

impl Default for RandomErasing {
    fn default() -> Self {
        Self {
            factor: Factor::Scalar(1.0),
            scale: Factor::Pair(0.02, 0.33),
            fill_value: None,
            value_range: BYTE,
        }
    }
}

impl Behaviour for RandomErasing {
    fn example(_: usize, _: usize) -> Self {
        Self::default()
    }

    fn since(&self) -> Since {
        Since::Keras3(9)
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        let limits = FactorLimits::UNIT;
        let factor = ParameterValue::Factor(&mut self.factor, limits);
        vec![
            Parameter::optional("factor", factor),
            Parameter::keyword("scale", ParameterValue::Factor(&mut self.scale, limits)),
            Parameter::keyword("fill_value", ParameterValue::Fill(&mut self.fill_value)),
            Parameter::value_range(&mut self.value_range),
        ]
    }

    fn draw(&self, _: Semantics, draws: &mut Draws, height: usize, width: usize) -> Draw {
        let mut side = || self.scale.draw_from(0.0, draws).sqrt();
        let [share_of_width, share_of_height] = [side(), side()];
        let size = [height, width];
        let erased = DrawnBox::draw(draws, size, share_of_height, share_of_width);
        Draw::Erasing(ErasingDraw {
            erased: self.factor.happens(draws).then_some(erased),
            size,
            noise: draws.below(1 << 30) as u64,
        })
    }

    fn apply(&self, draw: &Draw, image: &Image) -> Image {
        let Draw::Erasing(ErasingDraw {
            erased: Some(erased),
            noise,
            ..
        }) = *draw
        else {
            return image.clone();
        };
        let mut noise = Draws::new(noise, &[]);
        let mut normal = noise.normals();
        erased.filled(image, |i| {
            let fill = match self.fill_value {
                Some(color) => color[i % image.channels % 3],
                None => f64::from(normal()) * self.value_range[1],
            };
            clip(fill as f32, self.value_range)
        })
    }

    fn torchvision(&self) -> Option<String> {
        let (low, high) = self.scale.ends_from(0.0);
        let (p, low, high) = (self.factor.mean_from_zero(), trimmed(low), trimmed(high));
        let value = if self.fill_value.is_none() {
            ", value=\"random\""
        } else {
            ""
        };
        Some(format!(
            "v2.RandomErasing({p}, scale=({low}, {high}){value})"
        ))
    }

    fn differences(&self, semantics: Semantics) -> Option<String> {
        super::drawn_probability("RandomErasing", self.factor, semantics)
    }
}

impl Drawn for ErasingDraw {
    fn words(&self) -> String {
        let [height, width] = self.size;
        self.erased.map_or_else(String::new, |erased| {
            format!("erased {}", erased.words(height, width))
        })
    }

    fn meaning(&self) -> Option<String> {
        Some("height × width at row, column".to_owned())
    }

    fn quantities(&self) -> Vec<(&'static str, f64)> {
        let erased = self.erased.unwrap_or_default();
        vec![
            ("erased", f64::from(u8::from(self.erased.is_some()))),
            ("erased_top", f64::from(erased.top)),
            ("erased_left", f64::from(erased.left)),
            ("erased_height", f64::from(erased.bottom - erased.top)),
            ("erased_width", f64::from(erased.right - erased.left)),
        ]
    }
}
