//! Both switches at once: what one optimizer step does under each of their four settings, and what
//! the present flags make of every layer.

mod blocks;
mod cards;
pub(super) mod code;
mod diagram;
mod numbers;
mod table;
mod ui;
mod values;
mod words;

use eframe::egui::{Ui, Vec2, vec2};

pub(super) use words::sentence;

use super::parts::Cut;
use super::{Explanation, Page, Show, current, pass};
use crate::lesson::Value;
use crate::model::flags;
use crate::state::{State, View};
use crate::theme::sizes;
use crate::words::{common, export, modes};
use modelens_jobs::{Look, LookResult, Outcome, TrainableLook, TrainableOutcome};

/// The Trainable view.
pub struct Trainable;

impl Page for Trainable {
    fn label(&self) -> &'static str {
        words::LABEL
    }

    fn tooltip(&self) -> &'static str {
        words::TOOLTIP
    }

    fn wanted(&self, state: &State) -> Option<Look> {
        let graph = &state.opened.base.as_ref()?.model.graph;
        let look = TrainableLook::new(pass(state)?, graph);
        Some(Look::Trainable(look))
    }

    fn explanation(&self, state: &State) -> Explanation {
        let semantics = state.semantics();
        let seen = outcome(state);
        let seen = seen.map_or_else(String::new, |o| words::why_both(o, o.semantics));
        let changed = if is_changed(state) {
            let badge = common::sentence_case(words::badge(semantics));
            format!("\n{badge}: {}", words::changed(semantics))
        } else {
            String::new()
        };
        let pixels = modes::augmented_batch(state.augmented_by(View::Trainable));
        let text = common::sentences(&[&seen, &state.module_calls(), &pixels]) + &changed;
        let base = state.opened.base.as_ref();
        let nested = base.is_some_and(|b| flags::base_of(&b.model.graph).is_some());
        Explanation {
            text,
            code: code::snippet(nested, semantics),
        }
    }

    fn controls_ui(&self, ui: &mut Ui, show: &mut Show<'_>) {
        ui::controls_ui(ui, show);
    }

    fn body_ui(&self, ui: &mut Ui, show: &mut Show<'_>, cut: Cut) {
        ui::body_ui(ui, show, cut);
    }

    fn wanted_height(&self, state: &State) -> f32 {
        ui::wanted_height(state)
    }

    fn figure_height(&self, ui: &Ui, state: &State, width: f32) -> f32 {
        ui::figure_height(ui, state, width)
    }

    fn least_size(&self, ui: &Ui, state: &State, width: f32) -> Vec2 {
        let height = ui::least_figure_height(ui, state, width);
        let width = if state.settings.only_layers {
            sizes::FIGURE_LEAST
        } else {
            sizes::FIGURE_NARROW
        };
        vec2(width, height)
    }

    fn sides(&self, _state: &State) -> Option<[&'static str; 2]> {
        Some([export::LEFT_CARDS, export::RIGHT_CARDS])
    }

    fn took(&self, looked: &LookResult) -> String {
        let photos = outcome_of(looked).map_or(0, |outcome| outcome.photos);
        words::took(photos, looked.secs)
    }

    fn value_names(&self) -> Vec<(&'static str, &'static str)> {
        super::values::meanings_of(values::TABLE)
    }

    fn value(&self, state: &State, name: &str) -> Option<Value> {
        let value = super::values::find(values::TABLE, name)?;
        value(outcome_of(current(state, View::Trainable)?)?)
    }

    fn numbers(&self, state: &State) -> Option<String> {
        outcome(state).map(numbers::csv)
    }
}

/// The latest outcome, up to date or not.
pub(super) fn outcome(state: &State) -> Option<&TrainableOutcome> {
    outcome_of(state.computed.result(View::Trainable)?)
}

fn outcome_of(looked: &LookResult) -> Option<&TrainableOutcome> {
    let Outcome::Trainable(outcome) = &looked.outcome else {
        return None;
    };
    Some(outcome)
}

/// True if training would go on with other flags than those shown.
fn is_changed(state: &State) -> bool {
    let base = state.opened.base.as_ref();
    base.is_some_and(|base| !base.flags.same_trainable(&base.compiled))
}
