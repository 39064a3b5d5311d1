//! The optimizers of the course, with Keras' formulas and defaults.
//!
//! candle-nn's do not fit: its SGD has no momentum, it has no RMSprop, and its AdamW adds epsilon
//! (1e-8) to the corrected second moment, where Keras adds 1e-7 to the uncorrected one.

use std::collections::BTreeMap;

use candle_core::{Device, Result, Tensor};
use serde::{Deserialize, Serialize};

use crate::model::LayerId;
use crate::model::layers::WeightMap;

/// Keras' `epsilon`.
const EPSILON: f32 = 1e-7;
/// RMSprop's `rho`.
const RHO: f32 = 0.9;
/// Adam's `beta_1` and `beta_2`.
const BETA_1: f32 = 0.9;
const BETA_2: f32 = 0.999;
/// AdamW's `weight_decay`.
const WEIGHT_DECAY: f32 = 0.004;

/// Which rule turns gradients into new weights. The formulas and all settings that the window does not
/// show are Keras 3's; PyTorch's differ slightly (epsilon, RMSprop's rho).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum OptimizerKind {
    /// `v := momentum v - rate g; w := w + v`
    Sgd { momentum: f32 },
    /// `v := 0.9 v + 0.1 g^2; w := w - rate g / sqrt(v + 1e-7)`
    RmsProp,
    /// `m := m + 0.1 (g - m); v := v + 0.001 (g^2 - v);`
    /// `w := w - rate sqrt(1 - 0.999^t) / (1 - 0.9^t) m / (sqrt(v) + 1e-7)`
    Adam,
    /// First `w := w - 0.004 rate w`, then as Adam.
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
    pub fn new(kind: OptimizerKind) -> Self {
        Self {
            kind,
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
                    update(self.kind, self.steps, rate as f32, slots, weight, gradient)?
                }
                None => weight.clone(),
            };
            after.insert(*key, new);
        }
        Ok(after)
    }
}

fn update(
    kind: OptimizerKind,
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
        WEIGHT_DECAY * rate
    } else {
        0.0
    };
    let correction = (1.0 - BETA_2.powi(step)).sqrt() / (1.0 - BETA_1.powi(step));
    let averages = slots.first.iter_mut().zip(&mut slots.second);
    for ((w, &g), (m, v)) in w.iter_mut().zip(&g).zip(averages) {
        match kind {
            OptimizerKind::Sgd { momentum } => {
                *m = momentum * *m - rate * g;
                *w += *m;
            }
            OptimizerKind::RmsProp => {
                *v = RHO * *v + (1.0 - RHO) * g * g;
                *w -= rate * g / (*v + EPSILON).sqrt();
            }
            OptimizerKind::Adam | OptimizerKind::AdamW => {
                *w -= decay * *w;
                *m += (g - *m) * (1.0 - BETA_1);
                *v += (g * g - *v) * (1.0 - BETA_2);
                *w -= rate * correction * *m / (v.sqrt() + EPSILON);
            }
        }
    }
    Tensor::from_vec(w, weight.shape(), &Device::Cpu)
}
