//! The optimizers of the course, with the formulas and defaults of Keras or PyTorch.
//!
//! candle-nn's do not fit: its SGD has no momentum, it has no RMSprop, and its AdamW adds epsilon
//! (1e-8) to the corrected second moment, where Keras adds 1e-7 to the uncorrected one.

use std::collections::BTreeMap;

use candle_core::{Device, Result, Tensor};
use serde::{Deserialize, Serialize};

use crate::model::LayerId;
use crate::model::layers::WeightMap;
use crate::rules::Semantics;

/// Adam's `beta_1` and `beta_2`.
const BETA_1: f32 = 0.9;
const BETA_2: f32 = 0.999;

/// The defaults of one framework for the settings that the window does not show.
#[derive(Clone, Copy, Debug)]
struct Defaults {
    /// RMSprop's `rho`; `alpha` in PyTorch.
    rho: f32,
    epsilon: f32,
    /// AdamW's `weight_decay`.
    weight_decay: f32,
    /// The epsilon of RMSprop is added to the root of the second moment, and that of Adam to the root of
    /// the corrected one.
    torch: bool,
}

impl Defaults {
    fn of(semantics: Semantics) -> Self {
        match semantics {
            Semantics::Keras2 | Semantics::Keras3 | Semantics::Keras316 => Self {
                rho: 0.9,
                epsilon: 1e-7,
                weight_decay: 0.004,
                torch: false,
            },
            Semantics::PyTorch => Self {
                rho: 0.99,
                epsilon: 1e-8,
                weight_decay: 0.01,
                torch: true,
            },
        }
    }
}

/// Which rule turns gradients into new weights. The formulas are Keras' (2 and 3 agree); PyTorch's are
/// beside them where they differ.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum OptimizerKind {
    /// `v := momentum v - rate g; w := w + v`
    Sgd { momentum: f32 },
    /// `v := 0.9 v + 0.1 g^2; w := w - rate g / sqrt(v + 1e-7)`
    ///
    /// PyTorch: `v := 0.99 v + 0.01 g^2; w := w - rate g / (sqrt(v) + 1e-8)`
    RmsProp,
    /// `m := m + 0.1 (g - m); v := v + 0.001 (g^2 - v);`
    /// `w := w - rate sqrt(1 - 0.999^t) / (1 - 0.9^t) m / (sqrt(v) + 1e-7)`
    ///
    /// PyTorch: `w := w - rate / (1 - 0.9^t) m / (sqrt(v / (1 - 0.999^t)) + 1e-8)`
    Adam,
    /// First `w := w - 0.004 rate w` (PyTorch: 0.01), then as Adam.
    AdamW,
}

impl OptimizerKind {
    /// SGD with the momentum that most courses use.
    pub const SGD: Self = Self::Sgd { momentum: 0.9 };
    /// Every optimizer, in the order of the window's menu.
    pub const ALL: [Self; 4] = [Self::Adam, Self::AdamW, Self::RmsProp, Self::SGD];

    /// The name in lessons and on the command line.
    pub fn id(self) -> &'static str {
        match self {
            Self::Sgd { .. } => "sgd",
            Self::RmsProp => "rmsprop",
            Self::Adam => "adam",
            Self::AdamW => "adamw",
        }
    }

    /// Keras' class name.
    pub fn label(self) -> &'static str {
        match self {
            Self::Sgd { .. } => "SGD",
            Self::RmsProp => "RMSprop",
            Self::Adam => "Adam",
            Self::AdamW => "AdamW",
        }
    }
}

/// An optimizer with its moving averages.
#[derive(Clone, Debug)]
pub struct Optimizer {
    kind: OptimizerKind,
    defaults: Defaults,
    /// Number of steps so far.
    steps: i32,
    slots: BTreeMap<(LayerId, &'static str), Slots>,
}

/// The moving averages of one weight, in the order of its values.
#[derive(Clone, Debug, Default)]
struct Slots {
    first: Vec<f32>,
    second: Vec<f32>,
}

impl Optimizer {
    /// An optimizer with the defaults of this framework.
    pub fn new(kind: OptimizerKind, semantics: Semantics) -> Self {
        Self {
            kind,
            defaults: Defaults::of(semantics),
            steps: 0,
            slots: BTreeMap::new(),
        }
    }

    /// Does one step and returns the new value of every weight. A weight without a gradient does not
    /// change.
    ///
    /// # Errors
    /// A gradient whose shape is not that of its weight.
    pub fn step(
        &mut self,
        rate: f64,
        weights: &WeightMap,
        gradients: &WeightMap,
    ) -> Result<WeightMap> {
        self.steps += 1;
        let mut after = WeightMap::new();
        for (key, weight) in weights {
            let new = match gradients.get(key) {
                Some(gradient) => {
                    let slots = self.slots.entry(*key).or_default();
                    let with = (self.kind, self.defaults);
                    update(with, self.steps, rate as f32, slots, weight, gradient)?
                }
                None => weight.clone(),
            };
            after.insert(*key, new);
        }
        Ok(after)
    }
}

fn update(
    (kind, defaults): (OptimizerKind, Defaults),
    step: i32,
    rate: f32,
    slots: &mut Slots,
    weight: &Tensor,
    gradient: &Tensor,
) -> Result<Tensor> {
    let mut w = weight.flatten_all()?.to_vec1::<f32>()?;
    let g = gradient.flatten_all()?.to_vec1::<f32>()?;
    if w.len() != g.len() {
        candle_core::bail!("{} gradients for {} weights", g.len(), w.len());
    }
    slots.first.resize(w.len(), 0.0);
    slots.second.resize(w.len(), 0.0);
    let decay = if kind == OptimizerKind::AdamW {
        defaults.weight_decay * rate
    } else {
        0.0
    };
    let (first, second) = (1.0 - BETA_1.powi(step), (1.0 - BETA_2.powi(step)).sqrt());
    let Defaults {
        rho,
        epsilon,
        torch,
        ..
    } = defaults;
    // Dividing PyTorch's formula by the second correction moves it to epsilon.
    let epsilon_of_adam = if torch { epsilon * second } else { epsilon };
    let averages = slots.first.iter_mut().zip(&mut slots.second);
    for ((w, &g), (m, v)) in w.iter_mut().zip(&g).zip(averages) {
        match kind {
            OptimizerKind::Sgd { momentum } => {
                *m = momentum * *m - rate * g;
                *w += *m;
            }
            OptimizerKind::RmsProp => {
                *v = rho * *v + (1.0 - rho) * g * g;
                *w -= rate * g
                    / if torch {
                        v.sqrt() + epsilon
                    } else {
                        (*v + epsilon).sqrt()
                    };
            }
            OptimizerKind::Adam | OptimizerKind::AdamW => {
                *w -= decay * *w;
                *m += (g - *m) * (1.0 - BETA_1);
                *v += (g * g - *v) * (1.0 - BETA_2);
                *w -= rate * second / first * *m / (v.sqrt() + epsilon_of_adam);
            }
        }
    }
    Tensor::from_vec(w, weight.shape(), &Device::Cpu)
}
