//! Playback of an animation: steps that follow each other in time.

/// Which part of an animation is to be played, and how much of the present step has been.
#[derive(Clone, Debug, Default)]
pub struct Player {
    /// Steps still to play, the present one included; 0 while paused.
    left: usize,
    /// When the present step would have begun without pauses, in seconds of the window's clock.
    began_secs: Option<f64>,
    /// The part of the present step that has been played; kept while paused.
    played: f64,
}

/// What a moment of playback comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Playback {
    /// Nothing moves until something else happens.
    Still,
    /// The present step goes on.
    Moving,
    /// The present step is over.
    StepDone,
}

impl Player {
    /// Plays this many steps, the present one included.
    pub fn play(&mut self, steps: usize) {
        self.left = steps;
        self.began_secs = None;
    }

    /// Stops where the present step is.
    pub fn pause(&mut self) {
        self.play(0);
    }

    /// Goes back to the beginning of a step, paused.
    pub fn restart(&mut self) {
        *self = Self::default();
    }

    /// Goes back to the beginning of a step; a running playback runs on.
    pub fn rewind(&mut self) {
        self.began_secs = None;
        self.played = 0.0;
    }

    /// Lets the present step end at once.
    pub fn skip(&mut self) {
        self.played = 1.0;
    }

    /// Pauses at this part of a step, 0 to 1.
    pub fn hold(&mut self, played: f64) {
        self.restart();
        self.played = played;
    }

    /// Steps still to play.
    pub fn left(&self) -> usize {
        self.left
    }

    pub fn is_playing(&self) -> bool {
        self.left > 0
    }

    /// The part of the present step that has been played, 0 to 1.
    pub fn played(&self) -> f32 {
        self.played as f32
    }

    /// Advances to this time. A step lasts `step_secs`, and waits while it isn't ready.
    pub fn advance(&mut self, now_secs: f64, step_secs: f64, is_ready: bool) -> Playback {
        if self.left == 0 {
            return Playback::Still;
        }
        if !is_ready {
            self.began_secs = None;
            return Playback::Still;
        }
        let begins = now_secs - self.played * step_secs;
        let began = *self.began_secs.get_or_insert(begins);
        self.played = ((now_secs - began) / step_secs).clamp(0.0, 1.0);
        if self.played < 1.0 {
            return Playback::Moving;
        }
        self.left -= 1;
        self.began_secs = None;
        self.played = 0.0;
        Playback::StepDone
    }
}

/// How far a phase of a step is, which lasts from `from` to `to`: 0 before it, 1 after it, and slow at
/// both ends.
pub fn phase(played: f32, [from, to]: [f32; 2]) -> f32 {
    let x = ((played - from) / (to - from)).clamp(0.0, 1.0);
    x * x * (3.0 - 2.0 * x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_take_their_time_and_a_pause_keeps_the_place() {
        let mut player = Player::default();
        assert_eq!(player.advance(5.0, 2.0, true), Playback::Still);
        player.play(2);
        assert_eq!(player.advance(10.0, 2.0, true), Playback::Moving);
        assert_eq!(player.advance(11.0, 2.0, true), Playback::Moving);
        assert!((player.played() - 0.5).abs() < 1e-6);
        player.pause();
        assert_eq!(player.advance(20.0, 2.0, true), Playback::Still);
        assert!((player.played() - 0.5).abs() < 1e-6);
        player.play(2);
        assert_eq!(player.advance(30.0, 2.0, true), Playback::Moving);
        assert!((player.played() - 0.5).abs() < 1e-6);
        assert_eq!(player.advance(31.0, 2.0, true), Playback::StepDone);
        assert_eq!(player.left(), 1);
        // A late frame does not skip a step.
        assert_eq!(player.advance(31.1, 2.0, true), Playback::Moving);
        assert_eq!(player.advance(99.0, 2.0, true), Playback::StepDone);
        assert!(!player.is_playing());
    }

    #[test]
    fn a_step_waits_until_it_is_ready() {
        let mut player = Player::default();
        player.play(1);
        assert_eq!(player.advance(0.0, 1.0, false), Playback::Still);
        assert_eq!(player.advance(9.0, 1.0, true), Playback::Moving);
        assert_eq!(player.played(), 0.0);
        player.skip();
        player.play(1);
        assert_eq!(player.advance(9.0, 1.0, true), Playback::StepDone);
    }

    #[test]
    fn a_phase_runs_from_0_to_1() {
        assert_eq!(phase(0.1, [0.2, 0.6]), 0.0);
        assert!((phase(0.4, [0.2, 0.6]) - 0.5).abs() < 1e-6);
        assert_eq!(phase(0.9, [0.2, 0.6]), 1.0);
    }
}
