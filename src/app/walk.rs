//! The background measurements of the BatchNorm view, and the walk of the moving statistics that is
//! shown step by step.

use std::time::Duration;

use eframe::egui::Context;

use super::{App, play};
use crate::command::WalkCommand;
use crate::state::View;
use crate::views::current;
use modelens_jobs::{BatchNormEvent, Job, Look, Outcome, Request, Stage};

impl App {
    /// Asks for the measurements that the shown BatchNorm result still lacks, and advances the walk.
    pub(super) fn walk(&mut self, ctx: &Context) {
        if self.state.settings.view != View::BatchNorm {
            self.state.walk.stop();
            return;
        }
        // While the result is outdated, wait for the new one.
        let shown = current(&self.state, View::BatchNorm).cloned();
        let Some(shown) = shown else {
            return;
        };
        let (Look::BatchNorm { pass, layer }, Outcome::BatchNorm(outcome)) =
            (&shown.look, &shown.outcome)
        else {
            return;
        };
        // The channel that differs most stays chosen, even if another batch would choose another:
        // batches can only be compared on one channel.
        if let Some(base) = &mut self.state.opened.base
            && base.channel.is_none()
        {
            base.channel = outcome.most_different().first().copied();
        }
        let walk = &mut self.state.walk;
        walk.keep(pass, *layer);
        play::advance_walk(ctx, walk, self.state.settings.reduce_motion);
        if let Some(secs) = walk.step(ctx.input(|i| i.time)) {
            ctx.request_repaint_after(Duration::from_secs_f64(secs));
        }
        let Some(job) = walk.wanted(pass, *layer, &outcome.layers) else {
            return;
        };
        let computed = &mut self.state.computed;
        let asked = walk.sent.as_ref().is_some_and(|sent| sent.covers(&job));
        if asked || computed.running(Job::Look).is_some() {
            return;
        }
        walk.sent = Some(job.clone());
        computed.start(Job::BatchNorm, Stage::MeasuringBatches);
        self.send(Request::BatchNorm(Box::new(job)));
    }

    /// Forgets the background measurement of the look before; it is asked for again when it is
    /// needed.
    pub(super) fn forget_walk_job(&mut self) {
        self.state.walk.stop();
        self.state.walk.sent = None;
        self.state.computed.finish(Job::BatchNorm);
    }

    /// Stores a part of the measurements.
    pub(super) fn measured(&mut self, event: BatchNormEvent) {
        if let BatchNormEvent::Done(job) = &event
            && self.state.walk.sent.as_ref() == Some(job)
        {
            self.state.computed.finish(Job::BatchNorm);
        }
        self.state.walk.take(event);
    }

    /// Carries out a command of the walk over batches.
    pub(super) fn apply_walk(&mut self, command: WalkCommand) {
        let walk = &mut self.state.walk;
        match command {
            WalkCommand::SetSteps(steps) => walk.steps = steps.clamp(1, crate::state::MAX_STEPS),
            WalkCommand::SetMomentum(momentum) => walk.momentum = momentum,
            WalkCommand::Run => {
                walk.run();
                // Asks again after a cancelled measurement.
                if self.state.computed.running(Job::BatchNorm).is_none() {
                    self.state.walk.sent = None;
                }
            }
            WalkCommand::Stop => {
                walk.stop();
                self.stop_measuring();
            }
            WalkCommand::Watch(watches) => {
                walk.watches = watches;
                walk.player.pause();
            }
            WalkCommand::Reset => {
                walk.reset();
                self.stop_measuring();
            }
        }
    }

    fn stop_measuring(&mut self) {
        if self.state.computed.running(Job::BatchNorm).is_some() {
            self.jobs.cancel_background();
            self.forget_walk_job();
        }
    }
}
