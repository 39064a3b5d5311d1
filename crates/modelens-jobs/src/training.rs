//! The experiment that the thread works on whenever nothing else waits, one step at a time.

use std::sync::Arc;
use std::time::Instant;

use super::fine_tune::Prepared;
use super::job::{Event, Experiment, Job, Stepped, TrainEvent, TrainRequest};
use modelens_core::guarded;

use super::Thread;
use crate::words;
use modelens_core::train::network::TrainError;
use modelens_core::train::summary::Summary;
use modelens_core::train::trainer::{Step, Trainer};

/// An experiment under way.
pub struct Training {
    experiment: Experiment,
    /// Goes stale when the person stops or starts anew.
    ticket: u64,
    /// `None` before the photos are read.
    ready: Option<Ready>,
    /// Steps to take before the next pause; `None`: no pause.
    left: Option<usize>,
}

struct Ready {
    prepared: Prepared,
    runs: Vec<Run>,
}

struct Run {
    trainer: Trainer,
    steps: Vec<Step>,
    /// It cannot go on.
    broken: bool,
}

impl Ready {
    /// The run whose turn it is: the one with the fewest steps that is not done.
    fn next(&self) -> Option<usize> {
        let open = self
            .runs
            .iter()
            .enumerate()
            .filter(|(_, run)| !run.broken && !run.trainer.is_done());
        open.min_by_key(|(i, run)| (run.steps.len(), *i))
            .map(|(i, _)| i)
    }
}

impl Thread {
    /// Follows a command; cheap.
    pub(super) fn train_command(&mut self, request: TrainRequest) {
        let ticket = self.slots.training_ticket();
        match request {
            TrainRequest::Start(experiment) => {
                self.training = Some(Training {
                    experiment: *experiment,
                    ticket,
                    ready: None,
                    left: None,
                });
            }
            TrainRequest::Stop => self.training = None,
            TrainRequest::Pause => {
                if let Some(training) = &mut self.training {
                    training.left = Some(0);
                }
                self.say(Event::Training(TrainEvent::Paused));
            }
            TrainRequest::Resume => {
                if let Some(training) = &mut self.training {
                    training.left = None;
                }
            }
            TrainRequest::Step => {
                if let Some(training) = &mut self.training {
                    training.left = Some(training.experiment.recipes.len());
                }
            }
        }
        self.mark_training();
    }

    fn mark_training(&self) {
        let wants = self.training.as_ref().is_some_and(|t| t.left != Some(0));
        self.slots.train(wants);
    }

    /// Takes one step, or reads the photos before the first.
    pub(super) fn train_on(&mut self) {
        let Some(mut training) = self.training.take() else {
            return self.slots.train(false);
        };
        let done = guarded(|| self.train_once(&mut training));
        let done = done.unwrap_or_else(|panic| Err(TrainError::Photos(words::broke_off(&panic))));
        match done {
            Ok(true) => {
                if training.left == Some(0) {
                    self.say(Event::Training(TrainEvent::Paused));
                }
                self.training = Some(training);
            }
            Ok(false) => self.say(Event::Training(TrainEvent::Finished)),
            // Stopped, or another one waits: the person knows.
            Err(TrainError::Cancelled) => {}
            Err(error) => self.say(Event::Training(TrainEvent::Failed(error.to_string()))),
        }
        self.mark_training();
    }

    /// Whether there is more to do.
    fn train_once(&self, training: &mut Training) -> Result<bool, TrainError> {
        let (slots, ticket) = (&self.slots, training.ticket);
        let proceed = || slots.training_ticket() == ticket;
        let Some(ready) = &mut training.ready else {
            training.ready = Some(self.train_prepare(&training.experiment, &proceed)?);
            return Ok(true);
        };
        let Some(run) = ready.next() else {
            return Ok(false);
        };
        let begin = Instant::now();
        let place = run;
        let Run {
            trainer,
            steps,
            broken,
        } = &mut ready.runs[place];
        let step = match trainer.advance(&mut ready.prepared.photos, &proceed) {
            Ok(Some(step)) => step,
            Ok(None) => return Ok(true),
            Err(TrainError::Cancelled) => return Err(TrainError::Cancelled),
            Err(error) => {
                *broken = true;
                let why = error.to_string();
                self.say(Event::Training(TrainEvent::RunFailed { run: place, why }));
                training.left = training.left.map(|left| left.saturating_sub(1));
                return Ok(ready.next().is_some());
            }
        };
        steps.push(step.clone());
        let end = step.end.is_some().then(|| {
            let summary = Summary::of(trainer, steps);
            summary.map(|s| (s, Arc::new(trainer.weights().clone())))
        });
        self.say(Event::Training(TrainEvent::Stepped(Box::new(Stepped {
            run,
            step,
            secs: (self.clock)(&begin).as_secs_f64(),
            features_kept: trainer.features_kept(),
            end: end.flatten(),
        }))));
        training.left = training.left.map(|left| left.saturating_sub(1));
        Ok(ready.next().is_some())
    }

    fn train_prepare(
        &self,
        experiment: &Experiment,
        proceed: &(dyn Fn() -> bool + Sync),
    ) -> Result<Ready, TrainError> {
        self.progress(Job::Train, words::READING_PHOTOS);
        let network = Arc::new(experiment.setup.network()?);
        let (sender, wake) = (self.sender.clone(), Arc::clone(&self.wake));
        let told = |done, total| {
            // The window may be gone; the thread ends with its next task.
            drop(sender.send(Event::Progress {
                job: Job::Train,
                stage: words::READING_PHOTOS,
                done,
                total,
            }));
            wake();
        };
        let prepared = experiment.setup.prepare(network, &told, proceed)?;
        let mut runs = Vec::new();
        for (run, recipe) in experiment.recipes.iter().enumerate() {
            let plan = recipe.plan(&prepared.network, &prepared.common);
            let mut trainer = Trainer::new(Arc::clone(&prepared.network), plan)?;
            let (sender, wake) = (self.sender.clone(), Arc::clone(&self.wake));
            trainer.tell_features(Box::new(move |done, total| {
                let event = TrainEvent::Features { run, done, total };
                // The window may be gone; the thread ends with its next task.
                drop(sender.send(Event::Training(event)));
                wake();
            }));
            runs.push(Run {
                trainer,
                steps: Vec::new(),
                broken: false,
            });
        }
        self.say(Event::Training(TrainEvent::Prepared {
            network: Arc::clone(&prepared.network),
            notes: prepared.notes.clone(),
            totals: runs.iter().map(|r| r.trainer.plan().steps()).collect(),
            classes: prepared.classes.clone(),
            photos: [
                prepared.common.training.len(),
                prepared.common.validation.len(),
            ],
        }));
        Ok(Ready { prepared, runs })
    }
}
