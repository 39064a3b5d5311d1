//! What the model says of the chosen photo in both modes: the top five, repeated passes, and the
//! same photo among other batch-mates, all on one axis from 0 to 1.

pub(super) mod code;
mod marks;
mod numbers;
mod ui;
mod words;

use eframe::egui::Ui;

use super::parts::Cut;
use super::{Explanation, Page, Show, pass};
use crate::lesson::Value;
use crate::model::Reading;
use crate::state::{Base, State, View};
use crate::theme::sizes;
use crate::words::{common, modes};
use modelens_jobs::{Job, Look, LookResult, Outcome, PredictLook, PredictOutcome};
use words::Names;

/// The Predict view.
pub struct Predict;

impl Page for Predict {
    fn label(&self) -> &'static str {
        words::LABEL
    }

    fn tooltip(&self) -> &'static str {
        words::TOOLTIP
    }

    fn wanted(&self, state: &State) -> Option<Look> {
        let base = state.opened.base.as_ref()?;
        Reading::of(&base.model.graph)?;
        let look = PredictLook::new(pass(state)?, state.settings.passes);
        Some(Look::Predict(look))
    }

    fn missing(&self, base: &Base) -> Option<String> {
        match Reading::of(&base.model.graph) {
            Some(_) => None,
            None => Some(words::NO_CLASSES.to_owned()),
        }
    }

    fn explanation(&self, state: &State) -> Explanation {
        let semantics = state.semantics();
        let mut text = String::new();
        if let Some(outcome) = outcome(state)
            && let Some(names) = names(state, outcome.outputs)
        {
            let pixels = modes::augmented_batch(state.augmented_by(View::Predict));
            let seen = match missing(state) {
                Some(missing) => words::early(outcome, &names, semantics, missing),
                None => words::explain(outcome, &names, semantics),
            };
            text = common::sentences(&[&seen, &pixels]);
        }
        let base = state.opened.base.as_ref();
        let reading = base.and_then(|b| Reading::of(&b.model.graph));
        let code = reading.map_or(String::new(), |reading| {
            let outputs = outcome(state).map_or(PredictLook::TOP, |o| o.outputs);
            code::snippet(reading, outputs, state.settings.passes, semantics)
        });
        Explanation { text, code }
    }

    fn controls_ui(&self, ui: &mut Ui, show: &mut Show<'_>) {
        ui::controls_ui(ui, show);
    }

    fn body_ui(&self, ui: &mut Ui, show: &mut Show<'_>, cut: Cut) {
        ui::body_ui(ui, show, cut);
    }

    fn least_height(&self, state: &State) -> f32 {
        let rows = outcome(state).map_or(PredictLook::TOP, |o| o.rows.len());
        let strips = 2.0 * sizes::STRIP_ROW + sizes::TITLE_ROW;
        let below = sizes::AXIS_LABEL + 2.0 * sizes::S2;
        sizes::HEADER_BAND + rows as f32 * sizes::PREDICT_ROW_MIN + strips + below
    }

    fn figure_height(&self, _ui: &Ui, state: &State, width: f32) -> f32 {
        let least = self.least_height(state);
        if width < sizes::FIGURE_LEAST {
            return 2.0 * least + sizes::COLUMN_GAP;
        }
        least.max(sizes::FIGURE_BODY_LOW)
    }

    fn took(&self, looked: &LookResult) -> String {
        outcome_of(looked).map_or_else(String::new, |outcome| words::took(outcome, looked.secs))
    }

    fn value_names(&self) -> Vec<(&'static str, &'static str)> {
        Vec::new()
    }

    fn value(&self, _state: &State, _name: &str) -> Option<Value> {
        None
    }

    fn numbers(&self, state: &State) -> Option<String> {
        outcome(state).map(numbers::csv)
    }
}

/// The latest outcome, up to date or not.
fn outcome(state: &State) -> Option<&PredictOutcome> {
    outcome_of(state.computed.result(View::Predict)?)
}

fn outcome_of(looked: &LookResult) -> Option<&PredictOutcome> {
    let Outcome::Predict(outcome) = &looked.outcome else {
        return None;
    };
    Some(outcome)
}

/// What to say of the passes after the first one while they are not there.
fn missing(state: &State) -> Option<&'static str> {
    let looked = state.computed.result(View::Predict)?;
    let running = state.computed.running(Job::Look).is_some();
    looked.early.then_some(if running {
        words::UNDER_WAY
    } else {
        words::NOT_COMPUTED
    })
}

fn names(state: &State, outputs: usize) -> Option<Names<'_>> {
    let model = &state.opened.base.as_ref()?.model;
    Some(Names { model, outputs })
}
