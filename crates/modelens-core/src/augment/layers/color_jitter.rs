//! `RandomColorJitter`: brightness, contrast, saturation and hue, one after the other.

use serde::{Deserialize, Serialize};

use super::{
    Behaviour, Draw, Drawing, Drawn, RandomBrightness, RandomContrast, RandomHue, RandomSaturation,
    Since, Transform,
};
use crate::augment::color::BYTE;
use crate::augment::parameter::{FactorLimits, Parameter, ParameterValue};
use crate::augment::values::Factor;
use crate::dataset::Image;
use crate::number::trimmed;
use crate::rules::Semantics;

/// [`RandomBrightness`], [`RandomContrast`], [`RandomSaturation`] and [`RandomHue`] in this order, those
/// whose factor is given. Source: keras 3.15 `random_color_jitter.py`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RandomColorJitter {
    /// `[low, high]` of the values.
    pub value_range: [f64; 2],
    pub brightness_factor: Option<Factor>,
    pub contrast_factor: Option<Factor>,
    pub saturation_factor: Option<Factor>,
    pub hue_factor: Option<Factor>,
}

/// What each of the layers drew, in order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ColorJitterDraw {
    pub draws: Vec<Draw>,
}

impl Default for RandomColorJitter {
    fn default() -> Self {
        Self {
            value_range: BYTE,
            brightness_factor: None,
            contrast_factor: None,
            saturation_factor: None,
            hue_factor: None,
        }
    }
}

impl RandomColorJitter {
    /// The layers whose factor is given.
    fn layers(&self) -> Vec<Transform> {
        let value_range = self.value_range;
        let brightness = self.brightness_factor.map(|factor| {
            Transform::Brightness(RandomBrightness {
                factor,
                value_range,
            })
        });
        let contrast = self.contrast_factor.map(|factor| {
            Transform::Contrast(RandomContrast {
                factor,
                value_range,
            })
        });
        let saturation = self.saturation_factor.map(|factor| {
            Transform::Saturation(RandomSaturation {
                factor,
                value_range,
            })
        });
        let hue = self.hue_factor.map(|factor| {
            Transform::Hue(RandomHue {
                factor,
                value_range,
            })
        });
        [brightness, contrast, saturation, hue]
            .into_iter()
            .flatten()
            .collect()
    }
}

impl Behaviour for RandomColorJitter {
    fn example(_: usize, _: usize) -> Self {
        Self {
            brightness_factor: Some(Factor::Scalar(0.2)),
            contrast_factor: Some(Factor::Scalar(0.4)),
            saturation_factor: Some(Factor::Pair(0.3, 0.7)),
            hue_factor: Some(Factor::Scalar(0.1)),
            ..Self::default()
        }
    }

    fn since(&self) -> Since {
        Since::Keras3(8)
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        fn optional(factor: &mut Option<Factor>, limits: FactorLimits) -> ParameterValue<'_> {
            ParameterValue::OptionalFactor {
                factor,
                fallback: Factor::Scalar(0.2),
                limits,
            }
        }
        let wide = FactorLimits::FULL_SLIDER;
        let brightness = optional(&mut self.brightness_factor, wide);
        let contrast = optional(&mut self.contrast_factor, FactorLimits::CONTRAST);
        let saturation = optional(&mut self.saturation_factor, wide);
        let hue = optional(&mut self.hue_factor, FactorLimits::UNIT);
        vec![
            Parameter::value_range(&mut self.value_range),
            Parameter::keyword("brightness_factor", brightness),
            Parameter::keyword("contrast_factor", contrast),
            Parameter::keyword("saturation_factor", saturation),
            Parameter::keyword("hue_factor", hue),
        ]
    }

    fn draw_in_batch(&self, drawing: &mut Drawing<'_>) -> Draw {
        let layers = self.layers();
        let draws = layers
            .iter()
            .map(|layer| layer.behaviour().draw_in_batch(drawing));
        Draw::ColorJitter(ColorJitterDraw {
            draws: draws.collect(),
        })
    }

    fn apply(&self, draw: &Draw, image: &Image) -> Image {
        let Draw::ColorJitter(ColorJitterDraw { draws }) = draw else {
            return image.clone();
        };
        let layers = self.layers();
        let mut done: Option<Image> = None;
        for (layer, draw) in layers.iter().zip(draws) {
            done = Some(
                layer
                    .behaviour()
                    .apply(draw, done.as_ref().unwrap_or(image)),
            );
        }
        done.unwrap_or_else(|| image.clone())
    }

    fn torchvision(&self) -> Option<String> {
        let of = |factor: Option<Factor>| trimmed(factor.map_or(0.0, Factor::high));
        let hue = trimmed(self.hue_factor.map_or(0.0, |factor| factor.high() / 2.0));
        Some(format!(
            "v2.ColorJitter({}, {}, {}, {hue})",
            of(self.brightness_factor),
            of(self.contrast_factor),
            of(self.saturation_factor)
        ))
    }

    fn differences(&self, semantics: Semantics) -> Option<String> {
        let layers = self.layers();
        let notes = layers
            .iter()
            .filter_map(|layer| layer.behaviour().differences(semantics));
        let notes: Vec<String> = notes.collect();
        (!notes.is_empty()).then(|| notes.join(" "))
    }
}

impl Drawn for ColorJitterDraw {
    fn words(&self) -> String {
        let words = self.draws.iter().map(Draw::words);
        let words: Vec<String> = words.filter(|words| !words.is_empty()).collect();
        words.join(", ")
    }

    fn quantities(&self) -> Vec<(&'static str, f64)> {
        self.draws.iter().flat_map(Draw::quantities).collect()
    }
}
