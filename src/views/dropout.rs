//! One noise layer: which units it drops, and what many passes make of them.

use eframe::egui::Ui;

mod code;
mod controls;
mod passes;
mod plots;
mod side;

pub use controls::controls_ui;

use super::call;
use super::explain::Explanation;
use super::parts::{self, Cut};
use super::{Show, centre, unit_grid};
use crate::model::{LayerId, LayerKind, Mode, graph::Noise};
use crate::state::{Base, State, View};
use crate::theme::{self, sizes};
use crate::words::call as call_words;
use crate::words::call::Call;
use crate::words::dropout as words;
use crate::words::modes;
use crate::worker::{DropoutOutcome, DropoutSide, Look, Outcome};

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

/// The rate in force: the person's, else the file's.
fn rate(base: &Base, own: &Noise) -> f64 {
    let chosen = base.noise.and_then(|id| base.noise_rates.get(&id));
    chosen.copied().unwrap_or(own.strength())
}

/// The latest outcome, up to date or not.
fn outcome(state: &State) -> Option<&DropoutOutcome> {
    match &state.computed.result(View::Dropout)?.outcome {
        Outcome::Dropout(outcome) => Some(outcome),
        _ => None,
    }
}

/// The call of the training column: of the shown result, else of the settings.
fn call(state: &State, base: &Base) -> Call {
    let shown = state.computed.result(View::Dropout);
    match shown.map(|looked| &looked.look) {
        Some(Look::Dropout { pass, layer, .. }) => Call::of(&base.model.graph, pass, *layer),
        _ => Call::now(state, base, base.noise.unwrap_or(0)),
    }
}

/// Sentences and code.
pub fn explanation(state: &State) -> Explanation {
    let semantics = state.semantics();
    let base = state.opened.base.as_ref();
    let Some((base, own)) = base.and_then(|base| Some((base, own_noise(base)?))) else {
        return Explanation {
            text: words::NONE.to_owned(),
            code: code::without_a_layer(semantics),
        };
    };
    let call = call(state, base);
    let text = outcome(state).map_or_else(String::new, |outcome| {
        let first = modes::augmented_batch(state.augmented_by(View::Dropout));
        first + &words::dropout(outcome, &base.model.labels, call)
    });
    let setting = code::Setting {
        file: own,
        rate: rate(base, own),
        all: base
            .noises
            .iter()
            .filter_map(|&id| noise_of(base, id))
            .collect(),
        layer: base
            .noise
            .and_then(|id| base.model.graph.layers.get(id))
            .map_or("", |layer| &layer.name),
        nested: base
            .noise
            .is_some_and(|id| base.model.graph.layers[id].parent.is_some()),
        passes: state.settings.monte_carlo,
    };
    Explanation {
        text,
        code: code::dropout(&setting, semantics),
    }
}

/// The two grids of units, and below them the many passes.
pub fn body_ui(ui: &mut Ui, show: &mut Show<'_>, mut cut: Cut) {
    let state = show.state;
    let Some(base) = &state.opened.base else {
        return;
    };
    if base.noise.is_none() {
        parts::card(ui.painter(), cut.0, theme::palette(ui));
        parts::empty_ui(ui, cut.0, words::NONE_SHORT);
        return;
    }
    let row = (cut.0.height() * sizes::PASSES_ROW_SHARE)
        .clamp(sizes::PASSES_ROW_MIN, sizes::PASSES_ROW_MAX)
        .floor();
    let row = cut.bottom(row);
    cut.bottom(sizes::S3);
    let found = outcome(state);
    let call = call(state, base);
    columns_ui(ui, show, call, found, cut);
    parts::card(ui.painter(), row, theme::palette(ui));
    if let Some(outcome) = found {
        let look = call::column_mode(call.outer, call.semantics);
        passes::passes_ui(ui, show, outcome, &base.model.labels, look, row);
    }
}

fn columns_ui(
    ui: &mut Ui,
    show: &mut Show<'_>,
    call: Call,
    found: Option<&DropoutOutcome>,
    cut: Cut,
) {
    let full = found.map_or(1.0, |o| {
        unit_grid::full_value([&o.training.output, &o.inference.output])
    });
    for (mode, rect) in Mode::BOTH.into_iter().zip(cut.halves(sizes::COLUMN_GAP)) {
        let outer = match mode {
            Mode::Training => call.outer,
            Mode::Inference => mode.into(),
        };
        let title = call_words::label(outer, call.semantics);
        let look = call::column_mode(outer, call.semantics);
        let note = found.map_or_else(String::new, |outcome| {
            words::heading(outcome, side(outcome, mode))
        });
        let room = parts::column_ui(ui, rect, look, title, &note);
        if let Some(outcome) = found {
            side::side_ui(ui, outcome, [mode, look], full, room);
        } else {
            centre::waiting_ui(ui, show, room, mode);
        }
    }
}

fn side(outcome: &DropoutOutcome, mode: Mode) -> &DropoutSide {
    match mode {
        Mode::Training => &outcome.training,
        Mode::Inference => &outcome.inference,
    }
}

/// The code of a layer `dropout` outside of the base, as the tests keep it.
#[cfg(test)]
pub fn snippet(
    file: &Noise,
    rate: f64,
    passes: usize,
    semantics: crate::model::Semantics,
) -> String {
    let setting = code::Setting {
        file,
        rate,
        all: vec![file],
        layer: "dropout",
        nested: false,
        passes,
    };
    code::dropout(&setting, semantics)
}
