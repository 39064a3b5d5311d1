//! The commands of the fine-tune view, and the events of its runs.

use eframe::egui::Context;

use super::App;
use crate::command::{Action, TrainCommand};
use crate::state::{MAX_BATCH, MAX_EPOCHS, MAX_PART, MAX_SEEDS, Status, TrainingState, View};
use crate::views::fine_tune::experiment;
use modelens_jobs::{Job, ModelSource, Request, Stage, TrainEvent, TrainRequest};

impl App {
    pub(super) fn train(&mut self, ctx: &Context, command: TrainCommand) {
        let train = &mut self.state.settings.train;
        match command {
            TrainCommand::SetPreset(preset) => train.preset = preset,
            TrainCommand::SetEvals(evals) => train.evals = evals,
            TrainCommand::SetOptimizer(kind) => train.optimizer = kind,
            TrainCommand::SetRate(rate) => train.rate = rate,
            TrainCommand::SetEpochs(epochs) => train.epochs = epochs.clamp(1, MAX_EPOCHS),
            TrainCommand::SetBatch(batch) => train.batch = batch.clamp(1, MAX_BATCH),
            TrainCommand::SetSeeds(seeds) => train.seeds = seeds.clamp(1, MAX_SEEDS),
            TrainCommand::TakeShown => self.take_shown(),
            TrainCommand::OwnHead(own) => train.own_head = own,
            TrainCommand::SetDropout(rate) => train.dropout = rate.clamp(0.0, MAX_PART),
            TrainCommand::Sigmoid(sigmoid) => train.sigmoid = sigmoid,
            TrainCommand::SetValidation(part) => train.validation = part.clamp(0.0, MAX_PART),
            TrainCommand::Use(run) => self.use_run(run),
            TrainCommand::Save(run) => self.save_run(ctx, run),
        }
    }

    pub(super) fn act_on_runs(&mut self, action: Action) {
        if action.why_not(&self.state).is_some() {
            return;
        }
        let status = self.state.training.status;
        match action {
            Action::StartRuns => self.start_runs(false),
            Action::StepRuns if matches!(status, Status::Idle | Status::Ended) => {
                self.start_runs(true);
            }
            Action::StepRuns => {
                // Until the event that it paused again.
                if status == Status::Paused {
                    self.state.training.status = Status::Running;
                }
                self.state.computed.start(Job::Train, Stage::Training);
                self.send(Request::Train(TrainRequest::Step));
            }
            Action::PauseRuns => self.send(Request::Train(TrainRequest::Pause)),
            Action::ResumeRuns if status == Status::Paused => {
                self.state.training.status = Status::Running;
                self.state.computed.start(Job::Train, Stage::Training);
                self.send(Request::Train(TrainRequest::Resume));
            }
            Action::StopRuns => self.stop_runs(),
            Action::ResetRuns => self.forget_runs(),
            _ => {}
        }
    }

    /// Starts the runs; with `one_step` they pause after the first step of each.
    fn start_runs(&mut self, one_step: bool) {
        let Some(experiment) = experiment(&self.state) else {
            return;
        };
        self.state.settings.view = View::FineTune;
        self.state.training = TrainingState::started(experiment.clone(), self.state.settings.train);
        self.state.computed.start(Job::Train, Stage::ReadingPhotos);
        self.send(Request::Train(TrainRequest::Start {
            experiment: Box::new(experiment),
            one_step,
        }));
    }

    /// Starts the runs of the current lesson step, once for each setting.
    pub(super) fn run_lesson(&mut self) {
        let Some(open) = self.state.lesson.as_ref().filter(|o| !o.free && !o.waits) else {
            return;
        };
        let starts = open.now().and_then(|s| s.run).is_some_and(|r| r.start);
        let wanted = experiment(&self.state).filter(|_| starts);
        if wanted.is_none() || wanted == open.ran {
            return;
        }
        let training = &self.state.training;
        let going = training.is_active() || training.status == Status::Paused;
        let there = training.experiment == wanted && (going || training.is_complete());
        if let Some(open) = &mut self.state.lesson {
            open.ran = wanted;
        }
        if !there {
            self.start_runs(false);
        }
    }

    /// Sets the controls to those that the shown runs were started with.
    fn take_shown(&mut self) {
        let training = &self.state.training;
        let (Some(experiment), Some(asked)) = (&training.experiment, training.asked) else {
            return;
        };
        let setup = &experiment.setup;
        let settings = &mut self.state.settings;
        settings.train = asked;
        settings.seed = setup.seed;
        settings.semantics = Some(setup.semantics);
        settings.augment_batch = setup.augment.is_some();
        if let Some(pipeline) = &setup.augment {
            settings.pipeline = pipeline.clone();
        }
    }

    /// Ends the runs and keeps their results.
    pub(super) fn stop_runs(&mut self) {
        let training = &mut self.state.training;
        if !matches!(training.status, Status::Idle | Status::Ended) {
            training.status = Status::Ended;
            self.state.computed.finish(Job::Train);
            self.send(Request::Train(TrainRequest::Stop));
        }
    }

    /// Ends the runs and forgets their results.
    pub(super) fn forget_runs(&mut self) {
        self.stop_runs();
        self.state.training = TrainingState::default();
    }

    pub(super) fn training_event(&mut self, event: TrainEvent) {
        let training = &mut self.state.training;
        training.event(event);
        if training.is_active() {
            if training.status == Status::Running {
                let [done, total] = training.steps();
                self.state.computed.progress(crate::state::Running {
                    job: Job::Train,
                    stage: Stage::TrainingStep,
                    done,
                    total,
                });
            }
        } else {
            self.state.computed.finish(Job::Train);
        }
    }

    /// Opens the model of a run for the other views.
    fn use_run(&mut self, run: usize) {
        let trained = self.state.training.runs.get(run).and_then(|r| r.trained);
        let Some(trained) = trained else {
            return;
        };
        self.stop_runs();
        self.state.opened.opening_model = None;
        self.state.opened.opening_trained = Some(trained);
        self.state.computed.start(Job::OpenModel, Stage::Opening);
        self.send(Request::OpenTrained(trained));
    }

    fn save_run(&mut self, ctx: &Context, run: usize) {
        let training = &self.state.training;
        let trained = training.runs.get(run).and_then(|r| r.trained);
        let (Some(network), Some(trained), Some(base)) =
            (&training.network, trained, &self.state.opened.base)
        else {
            return;
        };
        let name = match &base.source {
            ModelSource::File(path) | ModelSource::Weights { path, .. } => {
                path.file_stem().map(|s| s.to_string_lossy().into_owned())
            }
            ModelSource::Lab => Some("mobilenetv2".to_owned()),
            ModelSource::EfficientNetLite0 => Some("efficientnet_lite0".to_owned()),
        };
        let endings = network.format.saved_as;
        let ending = endings.first().copied().unwrap_or_default();
        let name = format!("{}_fine_tuned.{ending}", name.unwrap_or_default());
        self.held.saving = Some(trained);
        self.dialogs.save_model(ctx, trained, &name, endings);
    }
}
