//! One file by the rules of every release, side by side: in each outer call, which layers draw, drop, use the
//! batch and move their statistics, measured on this batch.

pub(super) mod code;
mod numbers;
mod ui;
mod values;
mod words;

use eframe::egui::{Ui, Vec2, vec2};

use super::parts::Cut;
use super::{Explanation, Page, Show, current, pass};
use crate::lesson::Value;
use crate::model::releases::{ReleaseChange, next_reader};
use crate::state::{State, View};
use crate::theme::sizes;
use modelens_jobs::{Look, LookResult, Outcome, ReleasesLook, ReleasesOutcome};

/// The Releases view.
pub struct Releases;

impl Page for Releases {
    fn label(&self) -> &'static str {
        words::LABEL
    }

    fn tooltip(&self) -> &'static str {
        words::TOOLTIP
    }

    fn wanted(&self, state: &State) -> Option<Look> {
        Some(Look::Releases(ReleasesLook::new(pass(state)?)))
    }

    fn explanation(&self, state: &State) -> Explanation {
        let Some(change) = change(state) else {
            return Explanation::default();
        };
        let framework = state.opened.base.as_ref().map(|b| &*b.model.framework);
        Explanation {
            text: words::explain(&change, framework.unwrap_or_default()),
            code: code::snippet(change.runner),
        }
    }

    fn controls_ui(&self, ui: &mut Ui, show: &mut Show<'_>) {
        ui::controls_ui(ui, show);
    }

    fn body_ui(&self, ui: &mut Ui, show: &mut Show<'_>, cut: Cut) {
        ui::body_ui(ui, show, cut);
    }

    fn figure_height(&self, _ui: &Ui, state: &State, width: f32) -> f32 {
        ui::figure_height(outcome(state), width)
    }

    fn least_size(&self, _ui: &Ui, state: &State, width: f32) -> Vec2 {
        vec2(
            sizes::FIGURE_NARROW,
            ui::least_height(outcome(state), width),
        )
    }

    fn sides(&self, _state: &State) -> Option<[&'static str; 2]> {
        None
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
        value(outcome_of(current(state, View::Releases)?)?)
    }

    fn numbers(&self, state: &State) -> Option<String> {
        outcome(state).map(numbers::csv)
    }
}

/// The latest outcome, up to date or not.
fn outcome(state: &State) -> Option<&ReleasesOutcome> {
    outcome_of(state.computed.result(View::Releases)?)
}

fn outcome_of(looked: &LookResult) -> Option<&ReleasesOutcome> {
    let Outcome::Releases(outcome) = &looked.outcome else {
        return None;
    };
    Some(outcome)
}

/// What changes by the chosen rules; by those of the next release if the chosen ones wrote the file.
fn change(state: &State) -> Option<ReleaseChange> {
    let base = state.opened.base.as_ref()?;
    let chosen = state.semantics();
    let runner = if chosen == base.model.semantics {
        next_reader(chosen)?
    } else {
        chosen
    };
    Some(ReleaseChange::of(&base.model, &base.flags, runner))
}
