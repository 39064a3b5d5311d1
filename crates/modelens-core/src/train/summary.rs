//! What a run did, in numbers and in sentences made from them.

use serde::{Deserialize, Serialize};

use super::movement::Movement;
use super::network::Network;
use super::trainer::{Score, Stage, Step, Trainer};
use crate::model::{Mode, Outer, Role, Semantics};

/// What a run has done so far.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    pub semantics: Semantics,
    /// The value at the call of the base in the present stage; `None` where it is left out.
    pub base_call: Option<bool>,
    /// The flags let some weight of the base learn.
    pub base_learns: bool,
    /// The largest relative movement of a layer's weights in the base.
    pub base_weights: f64,
    /// The same in the head.
    pub head_weights: f64,
    /// BatchNorm layers of the base, and how many of them have moving statistics that moved.
    pub batch_norms: usize,
    pub statistics_moved: usize,
    /// The largest relative movement of moving statistics in the base.
    pub base_statistics: f64,
    pub steps: usize,
    /// Mean over the steps of the last epoch.
    pub training: Score,
    /// With training=True and in inference, after the last epoch.
    pub validation: Option<[Score; 2]>,
    /// Photos to validate with.
    pub validation_photos: usize,
}

impl Summary {
    /// `None` before the first epoch has ended.
    pub fn of(trainer: &Trainer, steps: &[Step]) -> Option<Self> {
        let (last, end) = steps
            .iter()
            .rev()
            .find_map(|s| Some((s, s.end.as_ref()?)))?;
        let plan = trainer.plan();
        let network = trainer.network();
        let stage = plan.stages.get(last.stage)?;
        let epoch: Vec<&Step> = steps.iter().filter(|s| s.epoch == last.epoch).collect();
        let photos: usize = epoch.iter().map(|s| s.photos).sum();
        let mean = |of: fn(&Step) -> f64| {
            let sum: f64 = epoch.iter().map(|s| of(s) * s.photos as f64).sum();
            sum / photos.max(1) as f64
        };
        let layers = &network.model.graph.layers;
        let in_base = |m: &&Movement| !network.in_head[m.layer];
        let base = || end.movement.iter().filter(in_base);
        let head = end.movement.iter().filter(|m| network.in_head[m.layer]);
        let statistics = || base().filter(|m| layers[m.layer].kind.role() == Role::BatchNorm);
        let largest = |values: &mut dyn Iterator<Item = f64>| values.fold(0.0, f64::max);
        Some(Self {
            semantics: plan.semantics,
            base_call: call_of(network, stage),
            base_learns: base_learns(network, stage, plan.semantics),
            base_weights: largest(&mut base().filter_map(|m| m.weights)),
            head_weights: largest(&mut head.filter_map(|m| m.weights)),
            batch_norms: statistics().count(),
            statistics_moved: statistics()
                .filter(|m| m.statistics.is_some_and(|s| s != 0.0))
                .count(),
            base_statistics: largest(&mut statistics().filter_map(|m| m.statistics)),
            steps: last.step,
            training: Score {
                loss: mean(|s| s.batch.loss),
                accuracy: mean(|s| s.batch.accuracy),
            },
            validation: end.validation,
            validation_photos: plan.validation.len(),
        })
    }

    /// What happened, from the numbers.
    pub fn sentences(&self) -> Vec<String> {
        let mut sentences = vec![self.movement()];
        sentences.extend(self.protection());
        sentences.extend(self.accuracy());
        sentences
    }

    fn movement(&self) -> String {
        let (weights, moved) = (percent(self.base_weights), self.statistics_moved);
        let all = self.batch_norms;
        let statistics = percent(self.base_statistics);
        match (self.base_weights == 0.0, moved == 0) {
            (true, true) if all == 0 => {
                "The base stayed exactly as it was: no weight moved.".to_owned()
            }
            (true, true) => {
                "The base stayed exactly as it was: no weight and no moving statistic moved."
                    .to_owned()
            }
            (true, false) => format!(
                "No weight of the base moved, but the moving statistics of {moved} of its {all} \
                 BatchNorm layers did, by up to {statistics}: the base is no longer the one in the file."
            ),
            (false, true) if all == 0 => {
                format!("The base's weights moved by up to {weights} a layer.")
            }
            (false, true) => format!(
                "The base's weights moved by up to {weights} a layer; no moving statistic moved."
            ),
            (false, false) => format!(
                "The base's weights moved by up to {weights} a layer, and so did the moving \
                 statistics of {moved} of its {all} BatchNorm layers, by up to {statistics}."
            ),
        }
    }

    /// What `training=False` at the call of the base was good for.
    fn protection(&self) -> Option<String> {
        if self.base_call != Some(false) || self.batch_norms == 0 {
            return None;
        }
        let moved = self.statistics_moved > 0;
        Some(match (self.semantics, moved) {
            (Semantics::Keras3, true) => {
                "base(x, training=False) did not protect them: in Keras 3 the training=True that \
                 fit passes wins."
            }
            (Semantics::Keras3, false) if !self.base_learns => {
                "It is trainable=False that protected the statistics: in Keras 3 the recorded \
                 training=False counts for nothing inside fit."
            }
            (Semantics::Keras2, false) => {
                "The recorded training=False protected the statistics: in Keras 2 it binds, inside \
                 fit too."
            }
            (Semantics::PyTorch, false) => {
                "base.eval() protected the statistics; requires_grad has no say in them."
            }
            _ => return None,
        }
        .to_owned())
    }

    /// Validation photos named right in this mode.
    pub fn right(&self, mode: Mode) -> Option<usize> {
        let score = self.validation?[mode as usize];
        Some((score.accuracy * self.validation_photos as f64).round() as usize)
    }

    fn accuracy(&self) -> Option<String> {
        let n = self.validation_photos;
        let (a, b) = (self.right(Mode::Inference)?, self.right(Mode::Training)?);
        Some(match a.cmp(&b) {
            std::cmp::Ordering::Equal => format!(
                "Of {n} validation photos it names {a} right in inference, and as many with training=True."
            ),
            std::cmp::Ordering::Greater => format!(
                "Of {n} validation photos it names {a} right in inference, but {b} with \
                 training=True: {} fewer, with the same weights.",
                a - b
            ),
            std::cmp::Ordering::Less => format!(
                "Of {n} validation photos it names {b} right with training=True, but only {a} in \
                 inference, where it will be used: {} fewer, with the same weights.",
                b - a
            ),
        })
    }
}

fn call_of(network: &Network, stage: &Stage) -> Option<bool> {
    stage
        .base_call
        .or_else(|| stage.flags.recorded(&network.model.graph))
}

fn base_learns(network: &Network, stage: &Stage, semantics: Semantics) -> bool {
    let model = &network.model;
    let layers = model.graph.layers.iter().enumerate();
    let mut base = layers.filter(|(id, l)| !network.in_head[*id] && !l.weights.is_empty());
    base.any(|(id, _)| {
        stage
            .flags
            .effective(model, id, Outer::NotGiven, semantics)
            .learns
    })
}

/// A part as a percentage with two significant digits; what is below a hundred-thousandth says so.
pub fn percent(part: f64) -> String {
    let percent = part * 100.0;
    match percent {
        p if !p.is_finite() => "no finite amount".to_owned(),
        p if p >= 9.95 => format!("{p:.0}%"),
        p if p >= 0.995 => format!("{p:.1}%"),
        p if p >= 0.0995 => format!("{p:.2}%"),
        p if p >= 0.001 => format!("{p:.3}%"),
        _ => "less than 0.001%".to_owned(),
    }
}

#[cfg(test)]
#[path = "summary_tests.rs"]
mod tests;
