//! The question that brings people here: two switches, and three lamps for what they stop, measured in one
//! training step on the present photos. Below them the lessons.

mod lamps;
mod pictures;
mod ui;
mod words;

use eframe::egui::{Ui, Vec2, vec2};

use super::parts::Cut;
use super::{Explanation, Page, Show, pass, trainable};
use crate::lesson::Value;
use crate::model::{Mode, Outer, flags};
use crate::state::{State, View};
use crate::theme::sizes;
use crate::words::common;
use lamps::Switches;
use modelens_jobs::{Look, LookResult, TrainableLook, TrainableOutcome};

/// The view Start.
pub struct Start;

impl Page for Start {
    fn label(&self) -> &'static str {
        words::LABEL
    }

    fn tooltip(&self) -> &'static str {
        words::TOOLTIP
    }

    fn wanted(&self, state: &State) -> Option<Look> {
        let graph = &state.opened.base.as_ref()?.model.graph;
        let mut pass = pass(state)?;
        // What `fit` passes, whatever the other views call.
        pass.call = Outer::Given(Mode::Training);
        Some(Look::Trainable(TrainableLook::new(pass, graph)))
    }

    fn explanation(&self, state: &State) -> Explanation {
        let mut explanation = View::Trainable.page().explanation(state);
        if let (Some(switches), Some(outcome)) = (Switches::of(state), outcome(state)) {
            let card = switches.card(outcome);
            let semantics = outcome.semantics;
            let base = state.opened.base.as_ref();
            let nested = base.is_some_and(|b| flags::base_of(&b.model.graph).is_some());
            explanation.code =
                trainable::code::switches(nested, switches.trainable, switches.call, semantics);
            explanation.text = common::concluded(
                &words::conclusion(card, outcome),
                &format!(
                    "{}\n{}",
                    trainable::sentence(card, outcome, semantics),
                    words::why_both(semantics)
                ),
            );
        }
        explanation
    }

    fn controls_ui(&self, ui: &mut Ui, show: &mut Show<'_>) {
        ui::question_ui(ui, show);
    }

    fn body_ui(&self, ui: &mut Ui, show: &mut Show<'_>, cut: Cut) {
        ui::body_ui(ui, show, cut);
    }

    fn least_height(&self, _state: &State) -> f32 {
        ui::HEIGHT
    }

    fn figure_height(&self, _ui: &Ui, _state: &State, width: f32) -> f32 {
        if width < sizes::FIGURE_LEAST {
            ui::HEIGHT_STACKED
        } else {
            ui::HEIGHT_OF_FIGURE
        }
    }

    fn least_size(&self, ui: &Ui, state: &State, width: f32) -> Vec2 {
        vec2(sizes::FIGURE_NARROW, self.figure_height(ui, state, width))
    }

    fn sides(&self, _state: &State) -> Option<[&'static str; 2]> {
        None
    }

    fn took(&self, looked: &LookResult) -> String {
        View::Trainable.page().took(looked)
    }

    fn value_names(&self) -> Vec<(&'static str, &'static str)> {
        Vec::new()
    }

    fn value(&self, _state: &State, _name: &str) -> Option<Value> {
        None
    }

    fn numbers(&self, state: &State) -> Option<String> {
        View::Trainable.page().numbers(state)
    }
}

/// The latest outcome, up to date or not.
fn outcome(state: &State) -> Option<&TrainableOutcome> {
    trainable::outcome(state)
}
