//! Plays the animations of views: frames are asked for only while something moves.

use std::time::Duration;

use eframe::egui::{ColorImage, Context};

use super::App;
use super::textures::load_smooth;
use crate::command::PlayCommand;
use crate::state::{Playback, Player, View, WATCHED_PASS_SECS, WATCHED_STEP_SECS, Walk};
use crate::theme;
use crate::views::current;
use modelens_jobs::{Job, Outcome, SmallPhoto};

impl App {
    /// Plays the animation of the shown view, or pauses it.
    pub(super) fn play_or_pause(&mut self) {
        let playing = match self.state.settings.view {
            View::BatchNorm => self.state.walk.player.is_playing(),
            View::Dropout => self.state.passes.player.is_playing(),
            View::Start
            | View::Augmentation
            | View::Trainable
            | View::FineTune
            | View::Predict
            | View::Releases => return,
        };
        self.play(if playing {
            PlayCommand::Pause
        } else {
            PlayCommand::Play
        });
    }

    /// Carries out a command for the animation of the shown view.
    pub(super) fn play(&mut self, command: PlayCommand) {
        match self.state.settings.view {
            View::BatchNorm => self.play_walk(command),
            View::Dropout => self.play_passes(command),
            View::Start
            | View::Augmentation
            | View::Trainable
            | View::FineTune
            | View::Predict
            | View::Releases => {}
        }
    }

    fn play_passes(&mut self, command: PlayCommand) {
        let reduce_motion = self.state.settings.reduce_motion;
        let count = self.watched_passes();
        let passes = &mut self.state.passes;
        match command {
            PlayCommand::Play => passes.play(count),
            PlayCommand::Pause => passes.player.pause(),
            PlayCommand::Step => {
                passes.play_one(count);
                if reduce_motion {
                    passes.player.skip();
                }
            }
            PlayCommand::Restart => passes.restart(),
        }
    }

    /// Number of passes of the Dropout view's result that can be watched.
    pub(super) fn watched_passes(&self) -> usize {
        let looked = self.state.computed.result(View::Dropout);
        let Some(Outcome::Dropout(outcome)) = looked.map(|looked| &looked.outcome) else {
            return 0;
        };
        outcome.mean.watched.len()
    }

    /// Advances the passes that are watched.
    pub(super) fn watch_passes(&mut self, ctx: &Context) {
        if self.state.settings.view != View::Dropout {
            self.state.passes.player.pause();
            return;
        }
        let Some(looked) = current(&self.state, View::Dropout).map(|looked| looked.look.clone())
        else {
            return;
        };
        let count = self.watched_passes();
        let passes = &mut self.state.passes;
        passes.keep(&looked);
        let playback = passes.advance(ctx.input(|i| i.time), count);
        let reduce_motion = self.state.settings.reduce_motion;
        repaint(
            ctx,
            playback,
            &passes.player,
            WATCHED_PASS_SECS,
            reduce_motion,
        );
    }

    fn play_walk(&mut self, command: PlayCommand) {
        let reduce_motion = self.state.settings.reduce_motion;
        let walk = &mut self.state.walk;
        walk.watches = true;
        match command {
            PlayCommand::Play => walk.play(),
            PlayCommand::Pause => walk.stop(),
            PlayCommand::Step => {
                walk.play_one();
                if reduce_motion {
                    walk.player.skip();
                }
            }
            PlayCommand::Restart => walk.restart(),
        }
        // Asks again after a cancelled measurement.
        if walk.player.is_playing() && self.state.computed.running(Job::BatchNorm).is_none() {
            walk.sent = None;
        }
    }
}

/// Advances the walk that is watched, and makes the photos of its batch ready for the screen.
pub fn advance_walk(ctx: &Context, walk: &mut Walk, reduce_motion: bool) {
    let playback = walk.advance(ctx.input(|i| i.time));
    repaint(
        ctx,
        playback,
        &walk.player,
        WATCHED_STEP_SECS,
        reduce_motion,
    );
    let shown = walk.shown_batch(reduce_motion).filter(|_| walk.watches);
    let Some(number) = shown else {
        return;
    };
    if walk.textures.as_ref().is_some_and(|(of, _)| *of == number) {
        return;
    }
    let texture = |photo: &SmallPhoto| load_smooth(ctx, "small photo", small_image(photo));
    let textures = walk.photos(number).iter().map(texture).collect();
    walk.textures = Some((number, textures));
}

/// The pixels of a small photo.
pub fn small_image(photo: &SmallPhoto) -> ColorImage {
    let pixels = photo.rgb.iter().map(|rgb| theme::pixel(rgb)).collect();
    ColorImage::new([SmallPhoto::SIDE; 2], pixels)
}

/// Asks for the next frame while something moves; with reduced motion only for the end of the step.
fn repaint(
    ctx: &Context,
    playback: Playback,
    player: &Player,
    step_secs: f64,
    reduce_motion: bool,
) {
    match playback {
        Playback::Still => {}
        Playback::Moving if reduce_motion => {
            let left = (1.0 - f64::from(player.played())) * step_secs;
            ctx.request_repaint_after(Duration::from_secs_f64(left.max(0.0)));
        }
        Playback::Moving | Playback::StepDone => ctx.request_repaint(),
    }
}
