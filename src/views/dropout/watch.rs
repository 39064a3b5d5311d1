//! One pass after another: units go out, the rest are scaled, and the mean closes in on inference.

use eframe::egui::Ui;

use super::outcome;
use crate::state::{State, phase};
use crate::views::{Show, parts};
use modelens_jobs::{DropoutOutcome, DropoutSide, WatchedPass};

/// The parts of a pass: units go out, the rest are scaled, the mean takes the pass in.
const GOES_OUT: [f32; 2] = [0.0, 0.4];
const SCALES: [f32; 2] = [0.35, 0.65];
const MEAN: [f32; 2] = [0.65, 0.95];

/// The pass that is shown, and how far it is.
pub struct Watched<'a> {
    /// Its number, from 0.
    pub number: usize,
    pub pass: &'a WatchedPass,
    /// How far dropped units have gone out, 0 to 1.
    pub gone: f32,
    /// How far the other units have their new values, 0 to 1.
    pub scaled: f32,
    /// How far the mean has taken the pass in, 0 to 1.
    pub meaned: f32,
    /// The pass as one side of the view; of a large layer, its first units.
    pub side: DropoutSide,
    /// False if the side leaves units out.
    pub whole: bool,
}

impl<'a> Watched<'a> {
    /// `None` before the first pass.
    pub fn of(state: &State, outcome: &'a DropoutOutcome) -> Option<Self> {
        let passes = &outcome.mean.watched;
        let reduced = state.settings.reduce_motion;
        let watched = &state.passes;
        let number = watched.shown(passes.len(), reduced)?;
        let pass = &passes[number];
        let played = if number == watched.taken() {
            watched.player.played()
        } else {
            1.0
        };
        let side = side_of(outcome, pass);
        Some(Self {
            number,
            pass,
            gone: phase(played, GOES_OUT),
            scaled: phase(played, SCALES),
            meaned: phase(played, MEAN),
            whole: side.input.len() == outcome.training.input.len(),
            side,
        })
    }

    /// A unit's value on the way from the input to the output.
    pub fn value(&self, unit: usize) -> f32 {
        let at = |values: &[f32]| values.get(unit).copied().unwrap_or(0.0);
        let [before, after] = [at(&self.side.input), at(&self.side.output)];
        if self.pass.dropped.get(unit) == Some(&true) {
            before
        } else {
            before + self.scaled * (after - before)
        }
    }

    /// The distance of the mean before this pass and after it; of the first pass twice that after it.
    pub fn distances(&self, outcome: &DropoutOutcome) -> [f64; 2] {
        let before = self.number.checked_sub(1).map(|i| &outcome.mean.watched[i]);
        [before.unwrap_or(self.pass).distance, self.pass.distance]
    }
}

/// A pass as one side of the view.
fn side_of(outcome: &DropoutOutcome, pass: &WatchedPass) -> DropoutSide {
    let own = &outcome.training;
    let input: Vec<f32> = own.input.iter().copied().take(pass.output.len()).collect();
    let factor = |unit: usize| {
        let [before, after] = [input[unit], pass.output[unit]];
        if pass.dropped[unit] {
            0.0
        } else if before == 0.0 {
            1.0
        } else {
            after / before
        }
    };
    let mask = own.mask.as_ref();
    let mask = mask.map(|_| (0..input.len()).map(factor).collect());
    DropoutSide {
        effective: own.effective,
        output: pass.output.clone(),
        mask,
        dropped: pass.drops,
        input,
    }
}

/// Whether there are passes to watch.
pub fn can_play(state: &State) -> bool {
    outcome(state).is_some_and(|outcome| !outcome.mean.watched.is_empty())
}

/// The buttons.
pub fn controls_ui(ui: &mut Ui, show: &mut Show<'_>) {
    if parts::is_figure(ui) || !can_play(show.state) {
        return;
    }
    let passes = &show.state.passes;
    let begun = passes.taken() > 0 || passes.player.played() > 0.0;
    parts::player_ui(ui, show, passes.player.is_playing(), begun);
}
