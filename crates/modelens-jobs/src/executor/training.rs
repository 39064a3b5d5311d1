//! Training in the background: one step of one run whenever nothing else waits.

use std::sync::Arc;

use super::Executor;
use crate::fine_tune::Prepared;
use crate::store::{Released, Trained};
use crate::{
    Event, Experiment, FurtherStep, Job, ModelSource, NetworkDescription, Stage, StepDone,
    TrainEvent, TrainRequest, TrainedWeights, words,
};
use modelens_core::guarded;
use modelens_core::train::network::TrainError;
use modelens_core::train::summary::Summary;
use modelens_core::train::trainer::{Trainer, TrainingStep};

/// An experiment under way.
pub struct Training {
    experiment: Experiment,
    /// Out of date once the person stops the experiment or starts another.
    ticket: u64,
    /// `None` before the photos are read.
    ready: Option<Ready>,
    /// The seed that is being run, counted from 0.
    seed: usize,
    /// Number of steps before the next pause; `None`: no pause.
    left: Option<usize>,
}

/// An experiment whose photos are read.
struct Ready {
    source: ModelSource,
    prepared: Prepared,
    runs: Vec<ExperimentRun>,
}

struct ExperimentRun {
    trainer: Trainer,
    steps: Vec<TrainingStep>,
    /// It cannot go on.
    broken: bool,
}

impl Ready {
    /// The run whose turn it is: the one with the fewest steps that is not done.
    fn next(&self) -> Option<usize> {
        let runs = self.runs.iter().enumerate();
        runs.filter(|(_, run)| !run.broken && !run.trainer.is_done())
            .min_by_key(|(i, run)| (run.steps.len(), *i))
            .map(|(i, _)| i)
    }
}

impl From<Released> for TrainError {
    fn from(_: Released) -> Self {
        Self::Cancelled
    }
}

impl Executor {
    /// Follows a command; cheap.
    pub(super) fn train_command(&mut self, request: TrainRequest) {
        let ticket = self.queue.training_ticket();
        match request {
            TrainRequest::Start {
                experiment,
                one_step,
            } => {
                self.training = Some(Training {
                    left: one_step.then_some(experiment.recipes.len()),
                    experiment: *experiment,
                    ticket,
                    ready: None,
                    seed: 0,
                });
            }
            TrainRequest::Stop => self.training = None,
            TrainRequest::Pause => {
                if let Some(training) = &mut self.training {
                    training.left = Some(0);
                }
                self.emit(Event::Training(TrainEvent::Paused));
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
        self.queue_training();
    }

    fn queue_training(&self) {
        let has_steps = self.training.as_ref().is_some_and(|t| t.left != Some(0));
        self.queue.train(has_steps);
    }

    /// Takes one step, or reads the photos before the first.
    pub(super) fn training_step(&mut self) {
        let Some(mut training) = self.training.take() else {
            return self.queue.train(false);
        };
        let done = guarded(|| self.step_of(&mut training))
            .unwrap_or_else(|panic| Err(TrainError::Photos(words::broke_off(&panic))));
        match done {
            Ok(true) => {
                if training.left == Some(0) {
                    self.emit(Event::Training(TrainEvent::Paused));
                }
                self.training = Some(training);
            }
            Ok(false) => self.emit(Event::Training(TrainEvent::Finished)),
            // Stopped, or replaced by another one: the person knows.
            Err(TrainError::Cancelled) => {}
            Err(error) => self.emit(Event::Training(TrainEvent::Failed(error.to_string()))),
        }
        self.queue_training();
    }

    /// Takes one step; returns whether there is more to do.
    fn step_of(&mut self, training: &mut Training) -> Result<bool, TrainError> {
        let (queue, ticket) = (Arc::clone(&self.queue), training.ticket);
        let proceed = || queue.training_ticket() == ticket;
        let Some(ready) = &mut training.ready else {
            training.ready = Some(self.prepare(&training.experiment, training.seed, &proceed)?);
            return Ok(true);
        };
        let Some(index) = ready.next() else {
            if training.seed + 1 >= training.experiment.seeds {
                return Ok(false);
            }
            training.seed += 1;
            training.ready = None;
            return Ok(true);
        };
        let further = (training.seed > 0).then(|| {
            training
                .experiment
                .setup
                .seed
                .wrapping_add(training.seed as u64)
        });
        let seeds_follow = training.seed + 1 < training.experiment.seeds;
        let begin = (self.options.clock)();
        let run = &mut ready.runs[index];
        let step = match run.trainer.advance(&mut ready.prepared.photos, &proceed) {
            Ok(Some(step)) => step,
            Ok(None) => return Ok(true),
            Err(TrainError::Cancelled) => return Err(TrainError::Cancelled),
            Err(error) => {
                run.broken = true;
                let why = error.to_string();
                let event = match further {
                    Some(seed) => TrainEvent::FurtherStep(Box::new(FurtherStep {
                        run: index,
                        seed,
                        secs: (self.options.clock)().saturating_sub(begin).as_secs_f64(),
                        end: Some(Err(why)),
                    })),
                    None => TrainEvent::RunFailed { run: index, why },
                };
                self.emit(Event::Training(event));
                training.left = training.left.map(|left| left.saturating_sub(1));
                return Ok(seeds_follow || ready.next().is_some());
            }
        };
        run.steps.push(step.clone());
        let summary = step.end.as_ref();
        let summary = summary.and_then(|_| Summary::of(&run.trainer, &run.steps));
        if let Some(seed) = further {
            let end = summary.filter(|_| run.trainer.is_done()).map(Ok);
            self.emit(Event::Training(TrainEvent::FurtherStep(Box::new(
                FurtherStep {
                    run: index,
                    seed,
                    secs: (self.options.clock)().saturating_sub(begin).as_secs_f64(),
                    end,
                },
            ))));
            training.left = training.left.map(|left| left.saturating_sub(1));
            return Ok(seeds_follow || ready.next().is_some());
        }
        let end = summary.map(|summary| TrainedWeights {
            id: self.store.add_trained(Trained {
                source: ready.source.clone(),
                network: Arc::clone(&ready.prepared.network),
                weights: Arc::new(run.trainer.weights().clone()),
            }),
            summary,
        });
        let features_kept = run.trainer.features_kept();
        self.emit(Event::Training(TrainEvent::StepDone(Box::new(StepDone {
            run: index,
            step,
            secs: (self.options.clock)().saturating_sub(begin).as_secs_f64(),
            features_kept,
            end,
        }))));
        training.left = training.left.map(|left| left.saturating_sub(1));
        Ok(seeds_follow || ready.next().is_some())
    }

    /// Splits and reads the photos for the seed of this number, and begins its runs.
    fn prepare(
        &self,
        experiment: &Experiment,
        seed: usize,
        proceed: &(dyn Fn() -> bool + Sync),
    ) -> Result<Ready, TrainError> {
        self.begin(Job::Train, Stage::ReadingPhotos);
        let photos = self.store.photos(experiment.photos)?;
        let stored = self.store.model(experiment.model)?;
        let setup = experiment.setup.with_seed(seed);
        let network = Arc::new(setup.network(&stored.model, photos)?);
        let emit = Arc::clone(&self.emit);
        let progress = move |done, total| {
            emit(Event::Progress {
                job: Job::Train,
                stage: Stage::ReadingPhotos,
                done,
                total,
            });
        };
        let prepared = setup.prepare(network, photos, &progress, proceed)?;
        let mut runs = Vec::new();
        for (run, recipe) in experiment.recipes.iter().enumerate() {
            let plan = recipe.plan(&prepared.network, &prepared.common);
            let mut trainer = Trainer::new(Arc::clone(&prepared.network), plan)?;
            let emit = Arc::clone(&self.emit);
            if seed == 0 {
                trainer.tell_features(Box::new(move |done, total| {
                    emit(Event::Training(TrainEvent::Features { run, done, total }));
                }));
            }
            runs.push(ExperimentRun {
                trainer,
                steps: Vec::new(),
                broken: false,
            });
        }
        if seed == 0 {
            self.emit(Event::Training(TrainEvent::Prepared {
                network: Box::new(NetworkDescription::of(&prepared.network)),
                notes: prepared.notes.clone(),
                totals: runs.iter().map(|r| r.trainer.plan().steps()).collect(),
                classes: prepared.classes.clone(),
                photos: [
                    prepared.common.training.len(),
                    prepared.common.validation.len(),
                ],
            }));
        }
        Ok(Ready {
            source: stored.source.clone(),
            prepared,
            runs,
        })
    }
}
