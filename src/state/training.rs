//! The training runs of the Fine-tune view.

use crate::settings::TrainSettings;
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
    /// What it came to with the seeds after the first, or why it broke off.
    pub seeds: Vec<Result<Summary, String>>,
}

impl RunState {
    /// What the run came to with each seed so far, the first first; empty before its last step.
    pub fn results(&self) -> Vec<&Summary> {
        let is_done = self.failure.is_none() && self.total > 0 && self.steps.len() == self.total;
        let first = self.summary.as_ref().filter(|_| is_done);
        let further = self.seeds.iter().filter_map(|seed| seed.as_ref().ok());
        first.into_iter().chain(further).collect()
    }
}

/// The experiment that was started last.
#[derive(Clone, Debug, Default)]
pub struct TrainingState {
    pub status: Status,
    pub experiment: Option<Experiment>,
    /// The controls it was started with.
    pub asked: Option<TrainSettings>,
    pub network: Option<Box<NetworkDescription>>,
    pub runs: Vec<RunState>,
    /// The runs that the axes are made for, while `runs` holds only the beginning of each.
    pub axes_of: Option<Vec<RunState>>,
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
    /// Steps done with the seeds after the first.
    pub further_steps: usize,
}

impl TrainingState {
    /// An experiment that was just asked for.
    pub fn started(experiment: Experiment, asked: TrainSettings) -> Self {
        let names = experiment.recipes.iter().map(|recipe| RunState {
            name: recipe.name.clone(),
            ..RunState::default()
        });
        Self {
            status: Status::Preparing,
            runs: names.collect(),
            experiment: Some(experiment),
            asked: Some(asked),
            ..Self::default()
        }
    }

    /// Whether steps are being computed for it.
    pub fn is_active(&self) -> bool {
        matches!(self.status, Status::Preparing | Status::Running)
    }

    /// Every run came to its end.
    pub fn is_complete(&self) -> bool {
        let further = self.seeds() - 1;
        let whole = |r: &RunState| {
            let is_done = r.failure.is_none() && r.total > 0 && r.steps.len() == r.total;
            is_done && r.seeds.len() == further && r.seeds.iter().all(Result::is_ok)
        };
        self.status == Status::Ended && self.failure.is_none() && self.runs.iter().all(whole)
    }

    /// Steps done, and in all.
    pub fn steps(&self) -> [usize; 2] {
        let done: usize = self.runs.iter().map(|r| r.steps.len()).sum();
        let each: usize = self.runs.iter().map(|r| r.total).sum();
        [done + self.further_steps, each * self.seeds()]
    }

    /// Number of seeds that are run.
    pub fn seeds(&self) -> usize {
        self.experiment.as_ref().map_or(1, |e| e.seeds.max(1))
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
            TrainEvent::StepDone(_) | TrainEvent::FurtherStep(_) if self.network.is_none() => {}
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
            TrainEvent::FurtherStep(stepped) => {
                self.secs += stepped.secs;
                self.further_steps += 1;
                if let Some(run) = self.runs.get_mut(stepped.run) {
                    run.seeds.extend(stepped.end);
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
