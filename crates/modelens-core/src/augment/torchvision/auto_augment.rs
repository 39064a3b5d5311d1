//! `AutoAugment`, `RandAugment` and `TrivialAugmentWide`: operations that are chosen for each image.
//! Source: torchvision 0.29 `v2/_auto_augment.py`.

use serde::{Deserialize, Serialize};

use super::operation::{OperationsDraw, Resampling};
use super::policies::{CIFAR10, IMAGENET, Pair, SVHN};
use super::space::{Kind, Shift, Space};
use super::{
    Behaviour, Draw, Draws, Image, Named, Parameter, ParameterValue, PixelType, Semantics, happens,
};
use crate::augment::parameter::WholeLimits;

/// Steps of the strengths.
const STEPS: WholeLimits = WholeLimits::within(2, 1000);

/// The data set that a policy was found for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Policy {
    #[default]
    ImageNet,
    Cifar10,
    Svhn,
}

impl Named for Policy {
    const ALL: &'static [Self] = &[Self::ImageNet, Self::Cifar10, Self::Svhn];

    fn name(self) -> &'static str {
        match self {
            Self::ImageNet => "imagenet",
            Self::Cifar10 => "cifar10",
            Self::Svhn => "svhn",
        }
    }

    fn literal(self) -> String {
        format!("v2.AutoAugmentPolicy.{}", self.name().to_uppercase())
    }
}

impl Policy {
    fn pairs(self) -> &'static [Pair] {
        match self {
            Self::ImageNet => &IMAGENET,
            Self::Cifar10 => &CIFAR10,
            Self::Svhn => &SVHN,
        }
    }
}

/// One of the policy's 25 pairs of operations; each of the two happens with its own probability.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AutoAugment {
    pub policy: Policy,
    pub resampling: Resampling,
}

impl Behaviour for AutoAugment {
    fn example(_: usize, _: usize) -> Self {
        Self::default()
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        let policy = ParameterValue::Choice(&mut self.policy);
        let mut parameters = vec![Parameter::optional("policy", policy)];
        parameters.extend(self.resampling.parameters());
        parameters
    }

    fn draw(&self, _: Semantics, draws: &mut Draws, height: usize, width: usize) -> Draw {
        let space = Space::usual(10);
        let pairs = self.policy.pairs();
        let pair = pairs[draws.below(pairs.len())];
        let operations = pair.map(|(kind, tenths, step)| {
            let happens = happens(f64::from(tenths) / 10.0, draws);
            let drawn = space.draw(kind, step.into(), [height, width], draws);
            happens.then_some(drawn)
        });
        OperationsDraw::of(operations.into_iter().flatten())
    }

    applies!(|own, draw, image, pixels| own.resampling.apply_drawn(draw, image, pixels));
}

/// Some operations out of fourteen, with repetition, all of the same strength.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RandAugment {
    /// How many operations.
    pub num_ops: [usize; 1],
    /// The step of the strengths, from 0.
    pub magnitude: [usize; 1],
    /// Number of steps.
    pub num_magnitude_bins: [usize; 1],
    pub resampling: Resampling,
}

impl Default for RandAugment {
    fn default() -> Self {
        Self {
            num_ops: [2],
            magnitude: [9],
            num_magnitude_bins: [31],
            resampling: Resampling::default(),
        }
    }
}

impl Behaviour for RandAugment {
    fn example(_: usize, _: usize) -> Self {
        Self::default()
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        let ops = ParameterValue::Whole(&mut self.num_ops, WholeLimits::within(0, 16));
        let magnitude = ParameterValue::Whole(&mut self.magnitude, WholeLimits::within(0, 999));
        let bins = ParameterValue::Whole(&mut self.num_magnitude_bins, STEPS);
        let mut parameters = vec![
            Parameter::keyword("num_ops", ops),
            Parameter::keyword("magnitude", magnitude),
            Parameter::keyword("num_magnitude_bins", bins),
        ];
        parameters.extend(self.resampling.parameters());
        parameters
    }

    fn draw(&self, _: Semantics, draws: &mut Draws, height: usize, width: usize) -> Draw {
        let space = Space::usual(self.num_magnitude_bins[0]);
        let operations = (0..self.num_ops[0]).map(|_| {
            let kind = chosen(draws);
            space.draw(kind, self.magnitude[0], [height, width], draws)
        });
        OperationsDraw::of(operations)
    }

    applies!(|own, draw, image, pixels| own.resampling.apply_drawn(draw, image, pixels));
}

/// One of the fourteen kinds.
fn chosen(draws: &mut Draws) -> Kind {
    Kind::ALL_BUT_INVERT[draws.below(Kind::ALL_BUT_INVERT.len())]
}

/// One operation out of fourteen, of a strength that is drawn from a wide range.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrivialAugmentWide {
    /// Number of steps.
    pub num_magnitude_bins: [usize; 1],
    pub resampling: Resampling,
}

impl Default for TrivialAugmentWide {
    fn default() -> Self {
        Self {
            num_magnitude_bins: [31],
            resampling: Resampling::default(),
        }
    }
}

impl Behaviour for TrivialAugmentWide {
    fn example(_: usize, _: usize) -> Self {
        Self::default()
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        let bins = ParameterValue::Whole(&mut self.num_magnitude_bins, STEPS);
        let mut parameters = vec![Parameter::keyword("num_magnitude_bins", bins)];
        parameters.extend(self.resampling.parameters());
        parameters
    }

    fn draw(&self, _: Semantics, draws: &mut Draws, height: usize, width: usize) -> Draw {
        let steps = self.num_magnitude_bins[0];
        let space = Space {
            shear: 0.99,
            shift: Shift::Pixels(32.0),
            rotation: 135.0,
            factor: 0.99,
            bits: [8.0, 6.0],
            steps,
        };
        let (kind, step) = (chosen(draws), draws.below(steps));
        OperationsDraw::of([space.draw(kind, step, [height, width], draws)])
    }

    applies!(|own, draw, image, pixels| own.resampling.apply_drawn(draw, image, pixels));

    fn can_turn_upside_down(&self) -> bool {
        true
    }
}
