//! What a run did, in numbers and in sentences.

use serde::{Deserialize, Serialize};

use super::movement::Movement;
use super::network::Network;
use super::recipe::EvalCalls;
use super::trainer::{Score, Stage, Trainer, TrainingStep};
use crate::model::head_cut::base_layers;
use crate::model::{Mode, Role, Semantics};

/// What a run has done so far.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    pub semantics: Semantics,
    /// The value of `training` at the call of the base in the present stage; `None` if it is left out. In
    /// PyTorch false after `base.eval()`.
    pub base_call: Option<bool>,
    /// PyTorch: where the loop calls `base.eval()` without effect.
    pub lost_evals: Option<EvalCalls>,
    /// True if the flags let some weight of the base learn.
    pub base_learns: bool,
    /// The largest relative movement of the weights of a layer in the base.
    pub base_weights: f64,
    /// The same in the head.
    pub head_weights: f64,
    /// Number of BatchNorm layers in the base, and of those whose moving statistics moved.
    pub batch_norms: usize,
    pub statistics_moved: usize,
    /// The largest relative movement of moving statistics in the base.
    pub base_statistics: f64,
    pub steps: usize,
    /// Means over the steps of the last epoch.
    pub training: Score,
    /// With training=True and with training=False, after the last epoch.
    pub validation: Option<[Score; 2]>,
    /// Number of validation photos.
    pub validation_photos: usize,
}

impl Summary {
    /// Sums up the steps so far; `None` before the end of the first epoch.
    pub fn of(trainer: &Trainer, steps: &[TrainingStep]) -> Option<Self> {
        let (last, end) = steps
            .iter()
            .rev()
            .find_map(|s| Some((s, s.end.as_ref()?)))?;
        let plan = trainer.plan();
        let network = trainer.network();
        let stage = plan.stages.get(last.stage)?;
        let epoch: Vec<&TrainingStep> = steps.iter().filter(|s| s.epoch == last.epoch).collect();
        let photos: usize = epoch.iter().map(|s| s.photos).sum();
        let mean = |of: fn(&TrainingStep) -> f64| {
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
            base_call: call_of(network, stage, plan.semantics),
            lost_evals: stage.lost_evals,
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

    /// What happened: what moved, what protected it, how well the network does.
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

    /// What `training=False` at the call of the base achieved.
    fn protection(&self) -> Option<String> {
        if self.batch_norms == 0 {
            return None;
        }
        let moved = self.statistics_moved > 0;
        if moved && let Some(evals) = self.lost_evals {
            return Some(
                match evals {
                    EvalCalls::BeforeLoop | EvalCalls::EachEpoch => {
                        "eval() was called before the loop, and model.train() undid it in the \
                         first epoch: call it after every model.train()."
                    }
                    EvalCalls::Never => {
                        "eval() was never called: requires_grad=False keeps the weights and \
                         has no say in the statistics."
                    }
                }
                .to_owned(),
            );
        }
        if self.base_call != Some(false) {
            return None;
        }
        Some(match (self.semantics, moved) {
            (Semantics::Keras3, true) => {
                "base(x, training=False) did not protect them: in Keras 3 up to 3.15 the \
                 training=True that fit passes wins."
            }
            (Semantics::Keras3, false) if !self.base_learns => {
                "It is trainable=False that protected the statistics: in Keras 3 up to 3.15 the \
                 recorded training=False counts for nothing inside fit."
            }
            (Semantics::Keras2, false) => {
                "The recorded training=False protected the statistics: in Keras 2 it binds, inside \
                 fit too."
            }
            (Semantics::Keras316, false) => {
                "The recorded training=False protected the statistics: from Keras 3.16 on it binds, \
                 inside fit too. It also reaches what is called after the base: dropout in the \
                 head is off."
            }
            (Semantics::PyTorch, false) => {
                "base.eval() protected the statistics; requires_grad has no say in them."
            }
            _ => return None,
        }
        .to_owned())
    }

    /// Number of validation photos that are classified correctly in this mode.
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

fn call_of(network: &Network, stage: &Stage, semantics: Semantics) -> Option<bool> {
    if semantics == Semantics::PyTorch {
        let layers = base_layers(&network.model);
        let mode = |&layer: &usize| stage.flags.modules.of(layer);
        let first = mode(layers.first()?)?;
        let all = layers.iter().all(|layer| mode(layer) == Some(first));
        return all.then_some(first.training());
    }
    stage
        .base_call
        .or_else(|| stage.flags.recorded(&network.model.graph))
}

fn base_learns(network: &Network, stage: &Stage, semantics: Semantics) -> bool {
    let model = &network.model;
    let layers = model.graph.layers.iter().enumerate();
    let mut base = layers.filter(|(id, l)| !network.in_head[*id] && !l.weights.is_empty());
    base.any(|(id, _)| stage.flags.learns(&model.graph, id, semantics))
}

/// A fraction as a percentage with two significant digits, or `less than 0.001%`.
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
mod tests {
    use super::*;

    fn score(accuracy: f64) -> Score {
        Score {
            loss: 1.0,
            accuracy,
        }
    }

    fn summary() -> Summary {
        Summary {
            semantics: Semantics::Keras3,
            base_call: Some(false),
            lost_evals: None,
            base_learns: false,
            base_weights: 0.0,
            head_weights: 0.1,
            batch_norms: 52,
            statistics_moved: 0,
            base_statistics: 0.0,
            steps: 9,
            training: score(0.5),
            validation: Some([score(0.5), score(0.5)]),
            validation_photos: 18,
        }
    }

    fn text(summary: &Summary) -> String {
        summary.sentences().join(" ")
    }

    #[test]
    fn a_base_that_stayed_is_said_to_have_stayed() {
        let said = text(&summary());
        assert!(said.contains("stayed exactly as it was"), "{said}");
        assert!(said.contains("trainable=False that protected"), "{said}");
        assert!(said.contains("as many with training=True"), "{said}");
        let bare = Summary {
            batch_norms: 0,
            ..summary()
        };
        assert!(!text(&bare).contains("statistic"), "{}", text(&bare));
    }

    #[test]
    fn statistics_that_moved_are_never_said_to_be_protected() {
        for semantics in Semantics::ALL {
            for base_learns in [false, true] {
                for base_call in [None, Some(false), Some(true)] {
                    for base_weights in [0.0, 0.02] {
                        let moved = Summary {
                            semantics,
                            base_learns,
                            base_call,
                            base_weights,
                            statistics_moved: 17,
                            base_statistics: 0.3,
                            ..summary()
                        };
                        let said = text(&moved);
                        assert!(!said.contains("stayed exactly"), "{said}");
                        assert!(!said.contains("no moving statistic"), "{said}");
                        assert!(!said.contains("protected the statistics"), "{said}");
                        assert!(
                            said.contains("17 of its 52") && said.contains("30%"),
                            "{said}"
                        );
                        let overridden = said.contains("did not protect");
                        let keras3 = semantics == Semantics::Keras3 && base_call == Some(false);
                        assert_eq!(overridden, keras3, "{said}");
                    }
                }
            }
        }
    }

    #[test]
    fn each_framework_names_what_protected() {
        let by = |semantics| {
            text(&Summary {
                semantics,
                base_learns: true,
                base_weights: 0.0123,
                ..summary()
            })
        };
        assert!(by(Semantics::Keras2).contains("it binds"));
        assert!(by(Semantics::PyTorch).contains("base.eval()"));
        // Trainable, and nothing moved: neither switch can claim it in Keras 3.
        assert!(!by(Semantics::Keras3).contains("protected"));
        assert!(by(Semantics::Keras2).contains("1.2%"));
    }

    #[test]
    fn an_eval_that_was_lost_is_named() {
        let lost = |evals, moved| {
            text(&Summary {
                semantics: Semantics::PyTorch,
                base_call: None,
                lost_evals: Some(evals),
                statistics_moved: moved,
                base_statistics: 0.02,
                ..summary()
            })
        };
        assert!(lost(EvalCalls::BeforeLoop, 52).contains("model.train() undid it"));
        assert!(lost(EvalCalls::Never, 52).contains("never called"));
        let kept = lost(EvalCalls::BeforeLoop, 0);
        assert!(!kept.contains("undid"), "{kept}");
    }

    #[test]
    fn the_gap_is_counted_in_photos_on_the_right_side() {
        let with = |training, inference| {
            text(&Summary {
                validation: Some([score(training), score(inference)]),
                ..summary()
            })
        };
        let lower = with(9.0 / 18.0, 17.0 / 18.0);
        assert!(lower.contains("17 right in inference, but 9"), "{lower}");
        assert!(lower.contains("8 fewer"), "{lower}");
        let higher = with(1.0, 4.0 / 18.0);
        assert!(
            higher.contains("18 right with training=True, but only 4"),
            "{higher}"
        );
        let none = Summary {
            validation: None,
            ..summary()
        };
        assert!(!text(&none).contains("photos"));
    }

    #[test]
    fn percentages_never_round_to_nothing() {
        assert_eq!(percent(0.25), "25%");
        assert_eq!(percent(0.012), "1.2%");
        assert_eq!(percent(0.0012), "0.12%");
        assert_eq!(percent(1e-7), "less than 0.001%");
        assert_eq!(percent(f64::NAN), "no finite amount");
    }
}
