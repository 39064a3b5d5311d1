//! `AugMix`: mixes an image with chains of operations on it.

use serde::{Deserialize, Serialize};

use super::operations::{self, ChosenDraw, Operation, Strength};
use super::{Behaviour, Draw, Drawing, Drawn, Since, percent};
use crate::augment::behaviour::PixelType;
use crate::augment::color::{BYTE, clip};
use crate::augment::parameter::{EndLimits, FactorLimits, Parameter, ParameterValue, WholeLimits};
use crate::augment::values::{Factor, Interpolation};
use crate::dataset::Image;
use crate::random::Draws;
use crate::rules::Semantics;

/// `y = clip(w x + (1 - w) sum_k w_k chain_k(x))`, w ~ Beta(alpha, alpha), w_k ~ Dirichlet(alpha).
///
/// Each of `num_chains` chains has up to `chain_depth` operations: each place takes one of the
/// operations or none. All of that is drawn once for a batch; how strong the operations are is drawn for
/// each image. Source: keras 3.15 `aug_mix.py`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AugMix {
    /// `[low, high]` of the values.
    pub value_range: [f64; 2],
    pub num_chains: [usize; 1],
    pub chain_depth: [usize; 1],
    /// Within [0, 1]; a number f means (0, f).
    pub factor: Factor,
    /// The parameter of the distributions of the shares.
    pub alpha: f64,
    /// False leaves brightness, grey, contrast and sharpness out.
    pub all_ops: bool,
    pub interpolation: Interpolation,
}

/// The mixture of one image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AugMixDraw {
    /// The image's own share w.
    pub own: f64,
    /// Each chain's share w_k, and its operations.
    pub chains: Vec<(f64, Vec<ChosenDraw>)>,
}

impl Default for AugMix {
    fn default() -> Self {
        Self {
            value_range: BYTE,
            num_chains: [3],
            chain_depth: [3],
            factor: Factor::Scalar(0.3),
            alpha: 1.0,
            all_ops: true,
            interpolation: Interpolation::Bilinear,
        }
    }
}

impl AugMix {
    fn strength(&self) -> Strength {
        Strength {
            factor: self.factor,
            value_range: self.value_range,
            interpolation: self.interpolation,
        }
    }

    /// One of the operations, or none.
    fn choose(&self, draws: &mut Draws) -> Option<Operation> {
        let taken = |operation: &Operation| {
            let extra = [
                Operation::Brightness,
                Operation::ColorDegeneration,
                Operation::Contrast,
                Operation::Sharpness,
            ];
            self.all_ops || !extra.contains(operation)
        };
        let operations: Vec<Operation> = Operation::ALL.into_iter().filter(taken).collect();
        operations.get(draws.below(operations.len() + 1)).copied()
    }
}

impl Behaviour for AugMix {
    fn example(_: usize, _: usize) -> Self {
        Self::default()
    }

    fn since(&self) -> Since {
        Since::Keras3(9)
    }

    fn mixes_images(&self) -> bool {
        true
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        let limits = WholeLimits::within(1, 16);
        let chains = ParameterValue::Whole(&mut self.num_chains, limits);
        let depth = ParameterValue::Whole(&mut self.chain_depth, limits);
        let factor = ParameterValue::Factor(&mut self.factor, FactorLimits::UNIT);
        let alpha = ParameterValue::Number(&mut self.alpha, EndLimits::POSITIVE);
        let interpolation = ParameterValue::Choice(&mut self.interpolation);
        vec![
            Parameter::value_range(&mut self.value_range),
            Parameter::keyword("num_chains", chains),
            Parameter::keyword("chain_depth", depth),
            Parameter::keyword("factor", factor),
            Parameter::keyword("alpha", alpha),
            Parameter::keyword("all_ops", ParameterValue::Flag(&mut self.all_ops)),
            Parameter::keyword("interpolation", interpolation),
        ]
    }

    fn draw_in_batch(&self, drawing: &mut Drawing<'_>) -> Draw {
        let mut shared = drawing.shared();
        let weights = shared.dirichlet(self.num_chains[0], self.alpha);
        let own = shared.beta(self.alpha);
        let chains = weights.into_iter().map(|weight| {
            let places = (0..self.chain_depth[0]).filter_map(|_| self.choose(&mut shared));
            let chosen = places.map(|operation| operation.draw(self.strength(), drawing));
            (weight, chosen.collect())
        });
        Draw::AugMix(AugMixDraw {
            own,
            chains: chains.collect(),
        })
    }

    fn apply(&self, draw: &Draw, image: &Image) -> Image {
        let mut done = self.apply_batch(&[draw], &[image], PixelType::Uint8);
        done.pop().unwrap_or_else(|| image.clone())
    }

    fn apply_batch(&self, draws: &[&Draw], images: &[&Image], _: PixelType) -> Vec<Image> {
        let mixtures: Vec<Option<&AugMixDraw>> = draws
            .iter()
            .map(|draw| {
                let Draw::AugMix(mixture) = draw else {
                    return None;
                };
                Some(mixture)
            })
            .collect();
        let mut sums: Vec<Vec<f32>> = images
            .iter()
            .map(|image| vec![0.0; image.pixels_hwc.len()])
            .collect();
        for chain in 0..self.num_chains[0] {
            let of_chain = |i: usize| mixtures[i].and_then(|mixture| mixture.chains.get(chain));
            let mut done: Vec<Image> = images.iter().map(|&image| image.clone()).collect();
            for place in 0..self.chain_depth[0] {
                let chosen = (0..done.len()).map(|i| of_chain(i)?.1.get(place));
                let chosen: Vec<Option<&ChosenDraw>> = chosen.collect();
                operations::apply(self.strength(), &chosen, &mut done);
            }
            for (i, (sum, image)) in sums.iter_mut().zip(done).enumerate() {
                let weight = of_chain(i).map_or(0.0, |(weight, _)| *weight) as f32;
                for (sum, value) in sum.iter_mut().zip(image.pixels_hwc) {
                    *sum += value * weight;
                }
            }
        }
        let all = images.iter().zip(sums).zip(mixtures);
        all.map(|((image, mut mixed), mixture)| {
            let own = mixture.map_or(1.0, |mixture| mixture.own) as f32;
            for (sum, &x) in mixed.iter_mut().zip(&image.pixels_hwc) {
                *sum = clip(own * x + (1.0 - own) * *sum, self.value_range);
            }
            Image {
                pixels_hwc: mixed,
                ..**image
            }
        })
        .collect()
    }

    fn torchvision(&self) -> Option<String> {
        let severity = (10.0 * self.factor.high()).round().max(1.0);
        let [width, depth] = [self.num_chains[0], self.chain_depth[0]];
        Some(format!("v2.AugMix({severity}, {width}, {depth})"))
    }

    fn differences(&self, semantics: Semantics) -> Option<String> {
        (semantics != Semantics::PyTorch).then(|| {
            "Keras chooses the chains of AugMix once for a batch; inside fit or Dataset.map it chooses \
             them once, when the function is traced."
                .to_owned()
        })
    }
}

impl Drawn for AugMixDraw {
    fn words(&self) -> String {
        let n = self.chains.len();
        let (own, rest) = (percent(self.own), percent(1.0 - self.own));
        format!("{own} photo, {rest} of {n} chains")
    }

    fn meaning(&self) -> Option<String> {
        let chains = self.chains.iter().map(|(weight, chosen)| {
            let words: Vec<String> = chosen.iter().map(ChosenDraw::words).collect();
            let words = if words.is_empty() {
                "unchanged".to_owned()
            } else {
                words.join(", ")
            };
            format!("{} {words}", percent(*weight))
        });
        Some(chains.collect::<Vec<String>>().join("; "))
    }

    fn quantities(&self) -> Vec<(&'static str, f64)> {
        let shares = self
            .chains
            .iter()
            .map(|(weight, _)| ("chain_share", *weight));
        [("own_share", self.own)]
            .into_iter()
            .chain(shares)
            .collect()
    }

    fn bends(&self) -> bool {
        true
    }
}
