//! `ColorJitter`, `RandomPhotometricDistort` and `RandomChannelPermutation`: colours.

use serde::{Deserialize, Serialize};

use super::operation::{self, OperationsDraw, TensorOperation};
use super::{
    Behaviour, Draw, Draws, Image, ListLimits, Parameter, ParameterValue, PixelType, Semantics,
    happens,
};

const FACTOR: ListLimits = ListLimits::of(&[0, 1, 2], [0.0, 1e6], [0.0, 2.0]);
const HUE: ListLimits = ListLimits::of(&[0, 1, 2], [-0.5, 0.5], [-0.5, 0.5]);
const FACTORS: ListLimits = ListLimits::of(&[2], [0.0, 1e6], [0.0, 2.0]);
const HUES: ListLimits = ListLimits::of(&[2], [-0.5, 0.5], [-0.5, 0.5]);

/// Brightness, contrast, saturation and hue in an order that is drawn. A number f means factors from
/// max(0, 1 - f) to 1 + f, and turns of the hue from -f to f. Source: torchvision 0.29 `v2/_color.py`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ColorJitter {
    pub brightness: Vec<f64>,
    pub contrast: Vec<f64>,
    pub saturation: Vec<f64>,
    /// Turns of the colour circle.
    pub hue: Vec<f64>,
}

/// The range of a factor; `None` if it is not given, or is always 1.
fn factors(given: &[f64]) -> Option<[f64; 2]> {
    let range = match *given {
        [] => return None,
        [f] => [(1.0 - f).max(0.0), 1.0 + f],
        [low, high, ..] => [low, high],
    };
    (range != [1.0, 1.0]).then_some(range)
}

/// The range of the turns; `None` if it is not given, or is always 0.
fn turns(given: &[f64]) -> Option<[f64; 2]> {
    let range = match *given {
        [] => return None,
        [f] => [-f, f],
        [low, high, ..] => [low, high],
    };
    (range != [0.0, 0.0]).then_some(range)
}

impl Behaviour for ColorJitter {
    fn example(_: usize, _: usize) -> Self {
        Self {
            brightness: vec![0.4],
            contrast: vec![0.4],
            saturation: vec![0.4],
            hue: vec![0.1],
        }
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        let list = |name, numbers, limits| {
            Parameter::optional(name, ParameterValue::List(numbers, limits))
        };
        vec![
            list("brightness", &mut self.brightness, FACTOR),
            list("contrast", &mut self.contrast, FACTOR),
            list("saturation", &mut self.saturation, FACTOR),
            list("hue", &mut self.hue, HUE),
        ]
    }

    fn draw(&self, _: Semantics, draws: &mut Draws, _: usize, _: usize) -> Draw {
        let order = draws.permutation(4);
        let mut draw = |range: Option<[f64; 2]>| range.map(|[low, high]| draws.uniform(low, high));
        let drawn = [
            draw(factors(&self.brightness)).map(TensorOperation::Brightness),
            draw(factors(&self.contrast)).map(TensorOperation::Contrast),
            draw(factors(&self.saturation)).map(TensorOperation::Saturation),
            draw(turns(&self.hue)).map(TensorOperation::Hue),
        ];
        OperationsDraw::of(order.into_iter().filter_map(|place| drawn[place].clone()))
    }

    applies!(|_own, draw, image, pixels| operation::apply_colors(draw, image, pixels));
}

/// Each of brightness, contrast, saturation, hue and the order of channels with the probability `p`, as the
/// detector SSD was trained. The contrast comes before saturation and hue in every second image, and after
/// them in the others. Source: torchvision 0.29 `v2/_color.py`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RandomPhotometricDistort {
    pub brightness: Vec<f64>,
    pub contrast: Vec<f64>,
    pub saturation: Vec<f64>,
    /// Turns of the colour circle.
    pub hue: Vec<f64>,
    pub p: f64,
}

impl Default for RandomPhotometricDistort {
    fn default() -> Self {
        Self {
            brightness: vec![0.875, 1.125],
            contrast: vec![0.5, 1.5],
            saturation: vec![0.5, 1.5],
            hue: vec![-0.05, 0.05],
            p: 0.5,
        }
    }
}

impl Behaviour for RandomPhotometricDistort {
    fn example(_: usize, _: usize) -> Self {
        Self::default()
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        vec![
            Parameter::list("brightness", &mut self.brightness, FACTORS),
            Parameter::list("contrast", &mut self.contrast, FACTORS),
            Parameter::list("saturation", &mut self.saturation, FACTORS),
            Parameter::list("hue", &mut self.hue, HUES),
            Parameter::probability(&mut self.p),
        ]
    }

    fn draw(&self, _: Semantics, draws: &mut Draws, _: usize, _: usize) -> Draw {
        let mut draw = |range: &[f64]| {
            let happens = happens(self.p, draws);
            let [low, high] = [range.first(), range.last()].map(|end| end.copied().unwrap_or(1.0));
            let drawn = draws.uniform(low, high);
            happens.then_some(drawn)
        };
        let brightness = draw(&self.brightness).map(TensorOperation::Brightness);
        let contrast = draw(&self.contrast).map(TensorOperation::Contrast);
        let saturation = draw(&self.saturation).map(TensorOperation::Saturation);
        let hue = draw(&self.hue).map(TensorOperation::Hue);
        let contrast_first = draws.unit() < 0.5;
        let permuted = happens(self.p, draws);
        let channels = channels(draws);
        let [before, after] = if contrast_first {
            [contrast, None]
        } else {
            [None, contrast]
        };
        let channels = permuted.then_some(channels);
        let all = [brightness, before, saturation, hue, after, channels];
        OperationsDraw::of(all.into_iter().flatten())
    }

    applies!(|_own, draw, image, pixels| operation::apply_colors(draw, image, pixels));
}

/// An order of three channels.
fn channels(draws: &mut Draws) -> TensorOperation {
    let order = draws.permutation(3);
    TensorOperation::Channels([order[0], order[1], order[2]])
}

/// Puts the channels in an order that is drawn. Source: torchvision 0.29 `v2/_color.py`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RandomChannelPermutation {}

impl Behaviour for RandomChannelPermutation {
    fn example(_: usize, _: usize) -> Self {
        Self {}
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        Vec::new()
    }

    fn draw(&self, _: Semantics, draws: &mut Draws, _: usize, _: usize) -> Draw {
        match channels(draws) {
            TensorOperation::Channels([0, 1, 2]) => OperationsDraw::of([]),
            other => OperationsDraw::of([other]),
        }
    }

    applies!(|_own, draw, image, pixels| operation::apply_colors(draw, image, pixels));
}
