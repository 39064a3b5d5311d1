//! The fine-tune view: what the person chose, and how the runs go.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::layers::Overrides;
use crate::train::network::Network;
use crate::train::optimizer::Kind;
use crate::train::recipe::Preset;
use crate::train::summary::Summary;
use crate::train::trainer::Step;
use crate::worker::{Experiment, TrainEvent};

/// What the person chose for the next experiment.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainSettings {
    pub preset: Preset,
    pub optimizer: Kind,
    pub rate: f64,
    /// Of each stage.
    pub epochs: usize,
}

impl Default for TrainSettings {
    fn default() -> Self {
        Self {
            preset: Preset::FourWay,
            optimizer: Kind::Adam,
            rate: 1e-3,
            epochs: 3,
        }
    }
}

/// Learning rates to choose from.
pub const RATES: [f64; 7] = [1e-1, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 1e-5];
/// The most epochs of a stage.
pub const MAX_EPOCHS: usize = 200;
/// The part of the photos that validates.
pub const VALIDATION: f64 = 0.2;
/// Of the dropout in a new head, as in the course.
pub const DROPOUT: f64 = 0.2;

/// Where the experiment stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Status {
    /// None was started.
    #[default]
    Idle,
    Preparing,
    Running,
    Paused,
    /// Done, stopped or failed: nothing runs any more.
    Ended,
}

/// One run as far as it has come.
#[derive(Clone, Debug, Default)]
pub struct RunState {
    pub name: String,
    pub steps: Vec<Step>,
    /// Steps in all; 0 before the photos are read.
    pub total: usize,
    pub features_kept: bool,
    /// After the latest epoch.
    pub summary: Option<Summary>,
    pub weights: Option<Arc<Overrides>>,
}

/// The experiment that was started last.
#[derive(Clone, Debug, Default)]
pub struct TrainingState {
    pub status: Status,
    pub experiment: Option<Experiment>,
    pub network: Option<Arc<Network>>,
    pub runs: Vec<RunState>,
    /// What is odd about photos and settings.
    pub notes: Vec<String>,
    /// Photos to train with, and to validate with.
    pub photos: [usize; 2],
    /// Why the runs ended early.
    pub failure: Option<String>,
    /// Wall time of all steps so far.
    pub secs: f64,
}

impl TrainingState {
    /// An experiment that was just asked for.
    pub fn started(experiment: Experiment) -> Self {
        let names = experiment.recipes.iter().map(|recipe| RunState {
            name: recipe.name.clone(),
            ..RunState::default()
        });
        Self {
            status: Status::Preparing,
            runs: names.collect(),
            experiment: Some(experiment),
            ..Self::default()
        }
    }

    /// Whether the worker has something to do for it.
    pub fn is_active(&self) -> bool {
        matches!(self.status, Status::Preparing | Status::Running)
    }

    /// Steps done, and in all.
    pub fn steps(&self) -> [usize; 2] {
        let done = self.runs.iter().map(|r| r.steps.len()).sum();
        [done, self.runs.iter().map(|r| r.total).sum()]
    }

    /// Takes what the worker says; a late word about an experiment that was given up is ignored.
    pub fn event(&mut self, event: TrainEvent) {
        if matches!(self.status, Status::Idle | Status::Ended) {
            return;
        }
        match event {
            TrainEvent::Prepared {
                network,
                notes,
                totals,
                photos,
            } => {
                self.network = Some(network);
                self.notes = notes;
                self.photos = photos;
                for (run, total) in self.runs.iter_mut().zip(totals) {
                    run.total = total;
                }
                if self.status == Status::Preparing {
                    self.status = Status::Running;
                }
            }
            // Of the experiment before, where this one is not prepared.
            TrainEvent::Stepped(_) if self.network.is_none() => {}
            TrainEvent::Stepped(stepped) => {
                self.secs += stepped.secs;
                let Some(run) = self.runs.get_mut(stepped.run) else {
                    return;
                };
                run.steps.push(stepped.step);
                run.features_kept = stepped.features_kept;
                if let Some((summary, weights)) = stepped.end {
                    run.summary = Some(summary);
                    run.weights = Some(weights);
                }
            }
            TrainEvent::Paused => self.status = Status::Paused,
            TrainEvent::Finished => self.status = Status::Ended,
            TrainEvent::Failed(why) => {
                self.status = Status::Ended;
                self.failure = Some(why);
            }
        }
    }
}
