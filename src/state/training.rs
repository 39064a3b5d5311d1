//! The training runs of the Fine-tune view.

use crate::train::summary::Summary;
use crate::train::trainer::TrainingStep;
use modelens_jobs::{Experiment, NetworkDescription, TrainEvent, TrainedId};

/// Progress of the experiment.
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
    pub steps: Vec<TrainingStep>,
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
    pub network: Option<Box<NetworkDescription>>,
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

    /// Whether steps are being computed for it.
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

    /// Takes an event; late events of an experiment that was given up are ignored.
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
            // A step of the experiment before: this one is not prepared yet.
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
                    // No further steps follow.
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
