//! The moments of a view's animation, for a figure that moves.

use eframe::egui::Context;

use super::App;
use super::play::advance_walk;
use crate::model::Mode;
use crate::state::{CellPlace, Moment, RunState, View, WalkShown, WatchedPasses};
use modelens_jobs::Outcome;

/// How long a draw is shown, and the last moment of any animation.
const DRAW_MS: u16 = 900;
const END_MS: u16 = 2500;
/// How long an optimizer step is shown.
const STEP_MS: u16 = 150;
/// The parts of a pass or a batch, with the time each is shown.
const PARTS: [(f64, u16); 4] = [(0.2, 250), (0.45, 250), (0.8, 250), (1.0, 900)];
/// The most optimizer steps of an animation: longer runs show each second step, each third ...
const MOST_STEPS: usize = 60;

/// How many passes or batches are shown unless it is said otherwise.
const PASSES: usize = 8;

/// What the window shows, to return to after the moments of an animation.
pub struct Shown {
    cells: [Option<CellPlace>; 2],
    edits: bool,
    passes: WatchedPasses,
    walk: WalkShown,
    runs: Vec<RunState>,
    axes_of: Option<Vec<RunState>>,
}

impl App {
    /// The moments of the shown view's animation, of at most `count` draws, passes, batches or steps.
    /// Computes what they need. Empty if the view has none.
    pub fn moments(&mut self, ctx: &Context, count: Option<usize>) -> Vec<Moment> {
        if self.state.settings.view == View::BatchNorm {
            self.state.walk.steps = count.unwrap_or(PASSES);
            self.state.walk.play();
            self.settle(ctx);
            self.state.walk.stop();
        }
        self.known_moments(count)
    }

    /// The moments of the shown view's animation whose numbers are there.
    pub(super) fn known_moments(&self, count: Option<usize>) -> Vec<Moment> {
        let state = &self.state;
        let mut moments: Vec<Moment> = match state.settings.view {
            View::Augmentation => {
                let result = state.computed.result(View::Augmentation);
                let Some(Outcome::Augmentation(outcome)) = result.map(|looked| &looked.outcome)
                else {
                    return Vec::new();
                };
                let cells = outcome.training.len();
                let cells = cells.min(count.unwrap_or(cells));
                whole(0..cells, DRAW_MS).collect()
            }
            View::Dropout => {
                let passes = self.watched_passes().min(count.unwrap_or(PASSES));
                in_parts(passes)
            }
            View::BatchNorm => in_parts(state.walk.measured().min(count.unwrap_or(PASSES))),
            // Steps that arrive would be lost while the beginning of a run is shown.
            View::FineTune if state.training.is_active() => Vec::new(),
            View::FineTune => {
                let runs = state.training.runs.iter();
                let steps = runs.map(|run| run.steps.len()).max().unwrap_or(0);
                let stride = steps.div_ceil(count.unwrap_or(MOST_STEPS).max(1)).max(1);
                // Backwards from the last step, which is shown in any case.
                let mut shown: Vec<usize> = (0..steps).rev().step_by(stride).collect();
                shown.reverse();
                whole(shown.into_iter(), STEP_MS).collect()
            }
            View::Start | View::Trainable | View::Predict | View::Releases => Vec::new(),
        };
        if let Some(last) = moments.last_mut() {
            last.milliseconds = END_MS;
        }
        moments
    }

    /// Shows a moment of the animation.
    pub fn show_moment(&mut self, ctx: &Context, moment: Moment) {
        let Moment { number, played, .. } = moment;
        let state = &mut self.state;
        match state.settings.view {
            View::Augmentation => state.grid.show(Some(CellPlace {
                mode: Mode::Training,
                index: number,
            })),
            View::Dropout => state.passes.hold(number, played),
            View::BatchNorm => {
                state.walk.watches = true;
                state.walk.hold(number, played);
                advance_walk(ctx, &mut state.walk, false);
            }
            View::FineTune => {
                let training = &mut state.training;
                let whole = training
                    .axes_of
                    .get_or_insert_with(|| training.runs.clone());
                training.runs = whole
                    .iter()
                    .map(|run| first_steps(run, number + 1))
                    .collect();
            }
            View::Start | View::Trainable | View::Predict | View::Releases => {}
        }
    }

    /// What the window shows now.
    pub(super) fn shown(&self) -> Shown {
        let state = &self.state;
        let grid = &state.grid;
        Shown {
            cells: [grid.open, grid.last_open],
            edits: grid.editing,
            passes: state.passes.clone(),
            walk: state.walk.shown(),
            runs: state.training.runs.clone(),
            axes_of: state.training.axes_of.clone(),
        }
    }

    /// Shows again what was shown before the moments of an animation.
    pub(super) fn show_again(&mut self, shown: Shown) {
        let state = &mut self.state;
        [state.grid.open, state.grid.last_open] = shown.cells;
        state.grid.editing = shown.edits;
        state.passes = shown.passes;
        state.walk.show_again(shown.walk);
        state.training.runs = shown.runs;
        state.training.axes_of = shown.axes_of;
    }
}

fn whole(numbers: impl Iterator<Item = usize>, milliseconds: u16) -> impl Iterator<Item = Moment> {
    numbers.map(move |number| Moment {
        number,
        played: 1.0,
        milliseconds,
    })
}

fn in_parts(count: usize) -> Vec<Moment> {
    let parts = |number| {
        PARTS.map(|(played, milliseconds)| Moment {
            number,
            played,
            milliseconds,
        })
    };
    (0..count).flat_map(parts).collect()
}

/// A run as it was after this many steps.
fn first_steps(run: &RunState, steps: usize) -> RunState {
    let mut run = run.clone();
    if steps < run.steps.len() {
        run.steps.truncate(steps);
        run.summary = None;
        run.seeds.clear();
    }
    run
}
