//! `AugMix`: mixes an image with chains of operations on it. Source: torchvision 0.29
//! `v2/_auto_augment.py`.

use modelens_kernels::simd::vectorized;
use serde::{Deserialize, Serialize};

use super::operation::{Resampling, TensorOperation};
use super::space::{Kind, Shift, Space};
use super::{
    Behaviour, Draw, Draws, Image, Parameter, ParameterValue, PixelType, Semantics, Value,
};
use crate::augment::behaviour::Drawn;
use crate::augment::layers::percent;
use crate::augment::parameter::{EndLimits, WholeLimits};

/// `y = m x + sum_k w_k chain_k(x)`, (m, 1 - m) ~ Dirichlet(alpha, alpha), w_k / (1 - m) ~ Dirichlet(alpha).
/// In `uint8` the sum's fraction is cut off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AugMix {
    /// From 1 to 10: the number of weakest steps, of ten, that strengths are drawn from.
    pub severity: [usize; 1],
    /// Number of chains.
    pub mixture_width: [usize; 1],
    /// Operations in a chain; not above 0: drawn from 1 to 3 for each chain.
    pub chain_depth: f64,
    /// The parameter of the distributions of the shares.
    pub alpha: f64,
    /// False leaves brightness, color, contrast and sharpness out.
    pub all_ops: bool,
    pub resampling: Resampling,
}

/// The mixture of one image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MixtureDraw {
    /// The image's own share m.
    pub own: f64,
    /// Each chain's share w_k, and its operations.
    pub chains: Vec<(f64, Vec<TensorOperation>)>,
}

impl Default for AugMix {
    fn default() -> Self {
        Self {
            severity: [3],
            mixture_width: [3],
            chain_depth: -1.0,
            alpha: 1.0,
            all_ops: true,
            resampling: Resampling::bilinear(),
        }
    }
}

/// Number of steps of the strengths.
const STEPS: usize = 10;

impl AugMix {
    fn chain(&self, draws: &mut Draws, size: [usize; 2]) -> Vec<TensorOperation> {
        let space = Space {
            shift: Shift::Share(1.0 / 3.0),
            bits: [4.0, 4.0],
            ..Space::usual(STEPS)
        };
        let kinds: Vec<Kind> = Kind::ALL_BUT_INVERT
            .into_iter()
            .filter(|kind| match kind {
                Kind::Identity | Kind::Invert => false,
                Kind::Brightness | Kind::Color | Kind::Contrast | Kind::Sharpness => self.all_ops,
                Kind::ShearX
                | Kind::ShearY
                | Kind::TranslateX
                | Kind::TranslateY
                | Kind::Rotate
                | Kind::Posterize
                | Kind::Solarize
                | Kind::AutoContrast
                | Kind::Equalize => true,
            })
            .collect();
        let depth = if self.chain_depth > 0.0 {
            self.chain_depth as usize
        } else {
            1 + draws.below(3)
        };
        let operations = (0..depth).map(|_| {
            let kind = kinds[draws.below(kinds.len())];
            space.draw(kind, draws.below(self.severity[0]), size, draws)
        });
        operations.collect()
    }
}

impl Behaviour for AugMix {
    fn example(_: usize, _: usize) -> Self {
        Self::default()
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        let severity = ParameterValue::Whole(&mut self.severity, WholeLimits::within(1, STEPS));
        let width = ParameterValue::Whole(&mut self.mixture_width, WholeLimits::within(1, 16));
        let depth = ParameterValue::Number(&mut self.chain_depth, EndLimits::all([-1.0, 16.0]));
        let alpha = ParameterValue::Number(&mut self.alpha, EndLimits::POSITIVE);
        let mut parameters = vec![
            Parameter::keyword("severity", severity),
            Parameter::keyword("mixture_width", width),
            Parameter::keyword("chain_depth", depth),
            Parameter::keyword("alpha", alpha),
            Parameter::keyword("all_ops", ParameterValue::Flag(&mut self.all_ops)),
        ];
        parameters.extend(self.resampling.parameters());
        parameters
    }

    fn draw(&self, _: Semantics, draws: &mut Draws, height: usize, width: usize) -> Draw {
        let own = draws.beta(self.alpha);
        let shares = draws.dirichlet(self.mixture_width[0], self.alpha);
        let chains = shares
            .into_iter()
            .map(|share| ((1.0 - own) * share, self.chain(draws, [height, width])));
        Draw::Mixture(MixtureDraw {
            own,
            chains: chains.collect(),
        })
    }

    applies!(|own, draw, image, pixels| {
        let Draw::Mixture(MixtureDraw { own: share, chains }) = draw else {
            return image.clone();
        };
        let share = *share as f32;
        let mut mixed = vec![0.0; image.pixels_hwc.len()];
        vectorized(
            #[inline(always)]
            || {
                for (sum, x) in mixed.iter_mut().zip(&image.pixels_hwc) {
                    *sum = share * x.get();
                }
            },
        );
        for (share, operations) in chains {
            let share = *share as f32;
            let done = own.resampling.apply(operations, image, pixels);
            vectorized(
                #[inline(always)]
                || {
                    for (sum, x) in mixed.iter_mut().zip(&done.pixels_hwc) {
                        *sum += share * x.get();
                    }
                },
            );
        }
        let mut out = image.clone();
        vectorized(
            #[inline(always)]
            || {
                for (out, &x) in out.pixels_hwc.iter_mut().zip(&mixed) {
                    *out = Value::put(match pixels {
                        PixelType::Uint8 => x.trunc(),
                        PixelType::Float => x,
                    });
                }
            },
        );
        out
    });
}

impl Drawn for MixtureDraw {
    fn words(&self) -> String {
        let chains = match self.chains.len() {
            1 => "1 chain".to_owned(),
            n => format!("{n} chains"),
        };
        let (own, rest) = (percent(self.own), percent(1.0 - self.own));
        format!("{own} photo, {rest} of {chains}")
    }

    fn meaning(&self) -> Option<String> {
        let chains = self.chains.iter().map(|(share, operations)| {
            let words: Vec<String> = operations.iter().map(TensorOperation::words).collect();
            format!("{} {}", percent(*share), words.join(", "))
        });
        Some(chains.collect::<Vec<String>>().join("; "))
    }

    fn quantities(&self) -> Vec<(&'static str, f64)> {
        let operations = self.chains.iter().flat_map(|(_, chain)| chain);
        [("own_share", self.own)]
            .into_iter()
            .chain(operations.map(TensorOperation::quantity))
            .collect()
    }

    fn bends(&self) -> bool {
        true
    }
}
