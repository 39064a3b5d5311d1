//! The optimizers of the course, by Keras' formulas and defaults.

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

/// Which rule turns gradients into new weights. The formulas and the values of all settings that
/// are not shown are Keras 3's; PyTorch's own differ slightly (epsilon, RMSprop's rho).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Kind {
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

impl Kind {
    /// SGD with the momentum most courses take.
    pub const SGD: Self = Self::Sgd { momentum: 0.9 };
    /// Every optimizer, in the order of the window's menu.
    pub const ALL: [Self; 4] = [Self::Adam, Self::AdamW, Self::RmsProp, Self::SGD];

    /// The name in lessons.
    pub fn id(self) -> &'static str {
        match self {
            Self::Sgd { .. } => "sgd",
            Self::RmsProp => "rmsprop",
            Self::Adam => "adam",
            Self::AdamW => "adamw",
        }
    }

    /// The class in Keras.
    pub fn label(self) -> &'static str {
        match self {
            Self::Sgd { .. } => "SGD",
            Self::RmsProp => "RMSprop",
            Self::Adam => "Adam",
            Self::AdamW => "AdamW",
        }
    }
}

/// An optimizer and what it remembers of earlier steps.
#[derive(Clone, Debug)]
pub struct Optimizer {
    kind: Kind,
    /// Steps done.
    steps: i32,
    slots: BTreeMap<(LayerId, &'static str), Slots>,
}

/// The moving averages of one weight, in its order of values.
#[derive(Clone, Debug, Default)]
struct Slots {
    first: Vec<f32>,
    second: Vec<f32>,
}

impl Optimizer {
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            steps: 0,
            slots: BTreeMap::new(),
        }
    }

    /// One step: the new value of every weight. A weight without a gradient stays as it is.
    ///
    /// # Errors
    /// A gradient of another shape than its weight.
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
    kind: Kind,
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
    let decay = if kind == Kind::AdamW {
        WEIGHT_DECAY * rate
    } else {
        0.0
    };
    let correction = (1.0 - BETA_2.powi(step)).sqrt() / (1.0 - BETA_1.powi(step));
    let averages = slots.first.iter_mut().zip(&mut slots.second);
    for ((w, &g), (m, v)) in w.iter_mut().zip(&g).zip(averages) {
        match kind {
            Kind::Sgd { momentum } => {
                *m = momentum * *m - rate * g;
                *w += *m;
            }
            Kind::RmsProp => {
                *v = RHO * *v + (1.0 - RHO) * g * g;
                *w -= rate * g / (*v + EPSILON).sqrt();
            }
            Kind::Adam | Kind::AdamW => {
                *w -= decay * *w;
                *m += (g - *m) * (1.0 - BETA_1);
                *v += (g * g - *v) * (1.0 - BETA_2);
                *w -= rate * correction * *m / (v.sqrt() + EPSILON);
            }
        }
    }
    Tensor::from_vec(w, weight.shape(), &Device::Cpu)
}
