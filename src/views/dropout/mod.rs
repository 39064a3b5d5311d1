//! One noise layer: which units it drops, and what many passes make of them.

pub(super) mod code;
mod controls;
mod numbers;
mod passes;
mod plots;
mod side;
mod ui;
mod unit_grid;
mod values;
mod watch;
mod without;
mod words;

use eframe::egui::Ui;

pub(super) use watch::can_play;

use super::parts::Cut;
use super::{Explanation, Page, Show, current, pass};
use crate::lesson::Value;
use crate::model::{LayerId, LayerKind, Role, graph::Noise};
use crate::state::{Base, State, View};
use crate::theme::sizes;
use crate::words::call::Call;
use crate::words::{common, modes};
use modelens_jobs::{
    DropoutOutcome, DropoutSetting, Look, LookResult, ModesOutcome, Outcome, PassLook,
};

/// The Dropout view.
pub struct Dropout;

impl Page for Dropout {
    fn label(&self) -> &'static str {
        words::LABEL
    }

    fn tooltip(&self) -> &'static str {
        words::TOOLTIP
    }

    fn role(&self) -> Option<Role> {
        Some(Role::Noise)
    }

    fn wanted(&self, state: &State) -> Option<Look> {
        let base = state.opened.base.as_ref()?;
        let Some(layer) = self.layer(base) else {
            return Some(Look::Modes(pass(state)?));
        };
        Some(Look::Dropout {
            pass: PassLook {
                batch: 1,
                ..pass(state)?
            },
            layer,
            setting: DropoutSetting {
                rate: base.noise_rates.get(&layer).copied(),
                passes: state.settings.monte_carlo,
            },
        })
    }

    fn explanation(&self, state: &State) -> Explanation {
        let semantics = state.semantics();
        let base = state.opened.base.as_ref();
        let Some((base, own)) = base.and_then(|base| Some((base, own_noise(base)?))) else {
            let outcome = modes_outcome(state);
            let measured = outcome.map(|outcome| words::without_dropout(outcome, semantics));
            let lines = measured.map_or_else(String::new, |lines| lines.join(" "));
            return Explanation {
                text: format!("{} {lines}", words::NONE),
                code: code::without_a_layer(semantics),
            };
        };
        let call = call(state, base);
        let text = outcome(state).map_or_else(String::new, |outcome| {
            let pixels = modes::augmented_batch(state.augmented_by(View::Dropout));
            let calls = state.module_calls();
            let watched = watch::Watched::of(state, outcome).filter(|watched| watched.whole);
            let shown = watched
                .as_ref()
                .map_or(&outcome.training, |watched| &watched.side);
            let seen = words::dropout(outcome, shown, &base.model.labels, &call);
            common::sentences(&[&seen, &calls, &pixels])
        });
        let layer = base.noise.and_then(|id| base.model.graph.layers.get(id));
        let setting = code::Setting {
            file: own,
            rate: rate(base, own),
            all: base
                .noises
                .iter()
                .filter_map(|&id| noise_of(base, id))
                .collect(),
            layer: layer.map_or("", |layer| &layer.name),
            nested: layer.is_some_and(|layer| layer.parent.is_some()),
            passes: state.settings.monte_carlo,
        };
        Explanation {
            text,
            code: code::snippet(&setting, semantics),
        }
    }

    fn controls_ui(&self, ui: &mut Ui, show: &mut Show<'_>) {
        controls::controls_ui(ui, show);
    }

    fn body_ui(&self, ui: &mut Ui, show: &mut Show<'_>, cut: Cut) {
        ui::body_ui(ui, show, cut);
    }

    fn least_height(&self, _state: &State) -> f32 {
        sizes::DROPOUT_COLUMNS_MIN + sizes::S3 + sizes::PASSES_ROW_MIN
    }

    fn figure_height(&self, _ui: &Ui, state: &State, width: f32) -> f32 {
        let base = state.opened.base.as_ref();
        let has_noise = base.is_some_and(|base| base.noise.is_some());
        if width < sizes::FIGURE_LEAST && has_noise {
            return 2.0 * sizes::DROPOUT_NARROW + sizes::COLUMN_GAP + ui::passes_height(width);
        }
        sizes::FIGURE_BODY
    }

    fn took(&self, looked: &LookResult) -> String {
        let is_augmented =
            matches!(&looked.look, Look::Dropout { pass, .. } if pass.augment.is_some());
        if let Outcome::Modes(outcome) = &looked.outcome {
            return words::took_modes(outcome.photos, looked.secs);
        }
        let passes = outcome_of(looked).and_then(|outcome| outcome.monte_carlo.as_ref());
        words::took(is_augmented, passes, looked.secs)
    }

    fn value_names(&self) -> Vec<(&'static str, &'static str)> {
        super::values::meanings_of(values::TABLE)
    }

    fn value(&self, state: &State, name: &str) -> Option<Value> {
        let value = super::values::find(values::TABLE, name)?;
        value(outcome_of(current(state, View::Dropout)?)?)
    }

    fn numbers(&self, state: &State) -> Option<String> {
        outcome(state).map(numbers::csv)
    }

    fn sidecar(&self, state: &State) -> Vec<(&'static str, serde_json::Value)> {
        let rate = outcome(state).map(|outcome| outcome.noise.strength());
        vec![("rate", rate.into())]
    }
}

/// The chosen layer as the file has it.
fn own_noise(base: &Base) -> Option<&Noise> {
    noise_of(base, base.noise?)
}

fn noise_of(base: &Base, layer: LayerId) -> Option<&Noise> {
    match &base.model.graph.layers.get(layer)?.kind {
        LayerKind::Noise(noise) => Some(noise),
        _ => None,
    }
}

/// The rate in force: the chosen one, else the file's.
fn rate(base: &Base, own: &Noise) -> f64 {
    let chosen = base.noise.and_then(|id| base.noise_rates.get(&id));
    chosen.copied().unwrap_or(own.strength())
}

/// The latest outcome, up to date or not.
fn outcome(state: &State) -> Option<&DropoutOutcome> {
    outcome_of(state.computed.result(View::Dropout)?)
}

fn outcome_of(looked: &LookResult) -> Option<&DropoutOutcome> {
    let Outcome::Dropout(outcome) = &looked.outcome else {
        return None;
    };
    Some(outcome)
}

/// What was measured of a network without dropout.
fn modes_outcome(state: &State) -> Option<&ModesOutcome> {
    let Outcome::Modes(outcome) = &state.computed.result(View::Dropout)?.outcome else {
        return None;
    };
    Some(outcome)
}

/// The call of the training column: that of the shown result, else that of the settings.
fn call(state: &State, base: &Base) -> Call {
    let shown = state.computed.result(View::Dropout);
    match shown.map(|looked| &looked.look) {
        Some(Look::Dropout { pass, layer, .. }) => Call::of(&base.model.graph, pass, *layer),
        _ => state.call_of(base, base.noise.unwrap_or(0)),
    }
}
