//! `RandAugment`: a few operations out of eleven, with drawn strengths.

use serde::{Deserialize, Serialize};

use super::operations::{self, ChosenDraw, Operation, Strength};
use super::{Behaviour, Draw, Drawing, Drawn, Since};
use crate::augment::behaviour::PixelType;
use crate::augment::color::BYTE;
use crate::augment::parameter::{FactorLimits, Parameter, ParameterValue, WholeLimits};
use crate::augment::values::{Factor, Interpolation};
use crate::dataset::Image;
use crate::number::fixed;
use crate::rules::Semantics;

/// Does `num_ops` operations one after the other. Which ones is drawn once for a batch, with repetition;
/// how strong they are is drawn for each image, once for each of the eleven operations.
/// Source: keras 3.15 `rand_augment.py`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RandAugment {
    /// `[low, high]` of the values.
    pub value_range: [f64; 2],
    /// How many operations.
    pub num_ops: [usize; 1],
    /// Within [0, 1]; a number f means (0, f).
    pub factor: Factor,
    pub interpolation: Interpolation,
}

/// The operations on one image, in order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RandAugmentDraw {
    pub operations: Vec<ChosenDraw>,
}

impl Default for RandAugment {
    fn default() -> Self {
        Self {
            value_range: BYTE,
            num_ops: [2],
            factor: Factor::Scalar(0.5),
            interpolation: Interpolation::Bilinear,
        }
    }
}

impl RandAugment {
    fn strength(&self) -> Strength {
        Strength {
            factor: self.factor,
            value_range: self.value_range,
            interpolation: self.interpolation,
        }
    }
}

impl Behaviour for RandAugment {
    fn example(_: usize, _: usize) -> Self {
        Self::default()
    }

    fn since(&self) -> Since {
        Since::Keras3(8)
    }

    fn mixes_images(&self) -> bool {
        true
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        let ops = ParameterValue::Whole(&mut self.num_ops, WholeLimits::within(1, 16));
        let factor = ParameterValue::Factor(&mut self.factor, FactorLimits::UNIT);
        let interpolation = ParameterValue::Choice(&mut self.interpolation);
        vec![
            Parameter::value_range(&mut self.value_range),
            Parameter::keyword("num_ops", ops),
            Parameter::keyword("factor", factor),
            Parameter::keyword("interpolation", interpolation),
        ]
    }

    fn draw_in_batch(&self, drawing: &mut Drawing<'_>) -> Draw {
        let mut shared = drawing.shared();
        let strength = self.strength();
        let drawn = Operation::ALL.map(|operation| operation.draw(strength, drawing));
        let chosen = (0..self.num_ops[0]).map(|_| drawn[shared.below(drawn.len())].clone());
        Draw::RandAugment(RandAugmentDraw {
            operations: chosen.collect(),
        })
    }

    fn apply(&self, draw: &Draw, image: &Image) -> Image {
        let mut done = self.apply_batch(&[draw], &[image], PixelType::Uint8);
        done.pop().unwrap_or_else(|| image.clone())
    }

    fn apply_batch(&self, draws: &[&Draw], images: &[&Image], _: PixelType) -> Vec<Image> {
        let mut images: Vec<Image> = images.iter().map(|&image| image.clone()).collect();
        for step in 0..self.num_ops[0] {
            let chosen = draws.iter().map(|draw| {
                let Draw::RandAugment(draw) = draw else {
                    return None;
                };
                draw.operations.get(step)
            });
            let chosen: Vec<Option<&ChosenDraw>> = chosen.collect();
            operations::apply(self.strength(), &chosen, &mut images);
        }
        images
    }

    fn can_turn_upside_down(&self) -> bool {
        self.factor.high() > 0.25
    }

    fn torchvision(&self) -> Option<String> {
        let magnitude = fixed(30.0 * self.factor.high(), 0);
        Some(format!("v2.RandAugment({}, {magnitude})", self.num_ops[0]))
    }

    fn differences(&self, semantics: Semantics) -> Option<String> {
        (semantics != Semantics::PyTorch).then(|| {
            "Keras chooses the operations of RandAugment once for a batch; torchvision does for each \
             photo. Keras' shifts go down and to the right only, and its rotations counter-clockwise."
                .to_owned()
        })
    }
}

impl Drawn for RandAugmentDraw {
    fn words(&self) -> String {
        let words: Vec<String> = self.operations.iter().map(ChosenDraw::words).collect();
        words.join(", ")
    }

    fn meaning(&self) -> Option<String> {
        let names: Vec<&str> = self.operations.iter().map(|o| o.operation.name()).collect();
        Some(names.join(", then "))
    }

    fn quantities(&self) -> Vec<(&'static str, f64)> {
        self.operations
            .iter()
            .flat_map(|chosen| chosen.draw.quantities())
            .collect()
    }

    fn input_from_output(&self, height: usize, width: usize) -> Option<[f32; 8]> {
        operations::input_from_output(&self.operations, height, width)
    }

    fn is_upside_down(&self) -> bool {
        self.operations
            .iter()
            .any(|chosen| chosen.draw.is_upside_down())
    }
}
