//! The fine-tune view: what the person chose, and how the runs go.

use serde::{Deserialize, Serialize};

use crate::train::optimizer::Kind;
use crate::train::recipe::Preset;
use crate::train::summary::Summary;
use crate::train::trainer::Step;
use crate::worker::fine_tune::HeadChoice;
use crate::worker::{Experiment, NetworkDescription, TrainEvent, TrainedId};

/// What the person chose for the next experiment.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TrainSettings {
    pub preset: Preset,
    pub optimizer: Kind,
    pub rate: f64,
    /// Of each stage.
    pub epochs: usize,
    /// The file's own head instead of a new one.
    pub own_head: bool,
    /// Of the dropout in a new head.
    pub dropout: f64,
    /// Two classes as one output with a sigmoid instead of two with a softmax.
    pub sigmoid: bool,
    /// The part of the photos that validates.
    pub validation: f64,
}

impl TrainSettings {
    /// The head of the next runs, for photos of so many classes: one output is for two.
    pub fn head(&self, classes: usize) -> HeadChoice {
        if self.own_head {
            return HeadChoice::Own;
        }
        HeadChoice::New {
            dropout: self.dropout,
            sigmoid: self.sigmoid && classes == 2,
        }
    }
}

impl Default for TrainSettings {
    fn default() -> Self {
        Self {
            preset: Preset::FourWay,
            optimizer: Kind::Adam,
            rate: 1e-3,
            epochs: 3,
            own_head: false,
            dropout: DROPOUT,
            sigmoid: false,
            validation: VALIDATION,
        }
    }
}

/// Learning rates to choose from.
pub const RATES: [f64; 7] = [1e-1, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 1e-5];
/// The most epochs of a stage.
pub const MAX_EPOCHS: usize = 200;
/// The largest validation split, and the largest rate of dropout.
pub const MAX_PART: f64 = 0.9;
/// The part of the photos that validates, and the rate in a new head, as in the course.
const VALIDATION: f64 = 0.2;
const DROPOUT: f64 = 0.2;

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
    pub trained: Option<TrainedId>,
    /// Photos whose features are computed, and all of them, while that is under way.
    pub features: Option<[usize; 2]>,
    /// Why the run broke off.
    pub failure: Option<String>,
}

/// The experiment that was started last.
#[derive(Clone, Debug, Default)]
pub struct TrainingState {
    pub status: Status,
    pub experiment: Option<Experiment>,
    pub network: Option<NetworkDescription>,
    pub runs: Vec<RunState>,
    /// What is odd about photos and settings.
    pub notes: Vec<String>,
    /// Photos to train with, and to validate with.
    pub photos: [usize; 2],
    /// The same of each class.
    pub classes: Vec<(String, [usize; 2])>,
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

    /// Every run came to its end.
    pub fn is_complete(&self) -> bool {
        let whole = |r: &RunState| r.failure.is_none() && r.total > 0 && r.steps.len() == r.total;
        self.status == Status::Ended && self.failure.is_none() && self.runs.iter().all(whole)
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
                classes,
            } => {
                self.network = Some(network);
                self.notes = notes;
                self.photos = photos;
                self.classes = classes;
                for (run, total) in self.runs.iter_mut().zip(totals) {
                    run.total = total;
                }
                if self.status == Status::Preparing {
                    self.status = Status::Running;
                }
            }
            // Of the experiment before, where this one is not prepared.
            TrainEvent::StepDone(_) if self.network.is_none() => {}
            TrainEvent::StepDone(stepped) => {
                self.secs += stepped.secs;
                let Some(run) = self.runs.get_mut(stepped.run) else {
                    return;
                };
                run.steps.push(stepped.step);
                run.features = None;
                run.features_kept = stepped.features_kept;
                if let Some(end) = stepped.end {
                    run.summary = Some(end.summary);
                    run.trained = Some(end.id);
                }
            }
            TrainEvent::Features { run, done, total } => {
                if let Some(run) = self.runs.get_mut(run) {
                    run.features = Some([done, total]);
                }
            }
            TrainEvent::RunFailed { run, why } => {
                if let Some(run) = self.runs.get_mut(run) {
                    run.features = None;
                    // There is no more to come.
                    run.total = run.steps.len();
                    run.failure = Some(why);
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
