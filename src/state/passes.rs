//! The passes of the Dropout view that are watched.

use super::{Playback, Player};
use modelens_jobs::Look;

/// How long a pass takes while it is watched.
pub const WATCHED_PASS_SECS: f64 = 1.5;

/// How many of the first passes have been played.
#[derive(Clone, Default)]
pub struct WatchedPasses {
    pub player: Player,
    taken: usize,
    /// What the passes belong to.
    of: Option<Look>,
}

impl WatchedPasses {
    /// Number of passes whose mean is shown.
    pub fn taken(&self) -> usize {
        self.taken
    }

    /// The pass that is shown, of `passes`: the one that is played, or else the last one played. With
    /// reduced motion none is shown half-way.
    pub fn shown(&self, passes: usize, reduce_motion: bool) -> Option<usize> {
        let half_way = !reduce_motion && (self.player.is_playing() || self.player.played() > 0.0);
        let number = if half_way {
            self.taken
        } else {
            self.taken.checked_sub(1)?
        };
        (number < passes).then_some(number)
    }

    /// Starts from the first pass again if the passes belong to another look.
    pub fn keep(&mut self, look: &Look) {
        if self.of.as_ref() != Some(look) {
            self.of = Some(look.clone());
            self.taken = 0;
            self.player.rewind();
        }
    }

    /// Plays the passes that are left of `passes`; after the last one, all of them again.
    pub fn play(&mut self, passes: usize) {
        if self.taken >= passes {
            self.restart();
        }
        self.player.play(passes - self.taken);
    }

    /// Plays one pass.
    pub fn play_one(&mut self, passes: usize) {
        self.player.play(passes.saturating_sub(self.taken).min(1));
    }

    /// Back to the state before the first pass.
    pub fn restart(&mut self) {
        self.taken = 0;
        self.player.restart();
    }

    /// Holds still in a pass, of which this part has been played.
    pub fn hold(&mut self, pass: usize, played: f64) {
        let is_over = played >= 1.0;
        self.taken = pass + usize::from(is_over);
        self.player.hold(if is_over { 0.0 } else { played });
    }

    /// Plays on to this time.
    pub fn advance(&mut self, now_secs: f64, passes: usize) -> Playback {
        let is_ready = self.taken < passes;
        let playback = self.player.advance(now_secs, WATCHED_PASS_SECS, is_ready);
        if playback == Playback::StepDone {
            self.taken += 1;
        }
        playback
    }
}
