//! The two grids of units, and below them the many passes.

use eframe::egui::Ui;

use super::watch::Watched;
use super::{call, outcome, passes, side, unit_grid, without, words};
use crate::model::Mode;
use crate::theme::{self, sizes};
use crate::views::parts::{self, Cut};
use crate::views::{Show, waiting_ui};
use crate::words::call::{self as call_words, Call};
use modelens_jobs::{DropoutOutcome, DropoutSide};

/// The two grids of units, and below them the many passes.
pub fn body_ui(ui: &mut Ui, show: &mut Show<'_>, mut cut: Cut) {
    let state = show.state;
    let Some(base) = &state.opened.base else {
        return;
    };
    if base.noise.is_none() {
        without::without_ui(ui, show, base, &cut);
        return;
    }
    let row = if parts::stacks(ui, cut.0.width()) {
        passes_height(cut.0.width()) - sizes::S3
    } else {
        (cut.0.height() * sizes::PASSES_ROW_SHARE)
            .clamp(sizes::PASSES_ROW_MIN, sizes::PASSES_ROW_MAX)
            .floor()
    };
    let row = cut.bottom(row);
    cut.bottom(sizes::S3);
    let found = outcome(state);
    let call = call(state, base);
    columns_ui(ui, show, &call, found, cut);
    parts::card(ui.painter(), row, theme::palette(ui));
    if let Some(outcome) = found {
        let look = parts::column_mode(call.outer, call.semantics);
        passes::passes_ui(ui, show, outcome, &base.model.labels, look, row);
    }
}

/// The height of the passes below stacked columns, with the gap above them.
pub fn passes_height(width: f32) -> f32 {
    let rows = if passes::is_tall(width) { 2.0 } else { 1.0 };
    sizes::S3 + rows * sizes::PASSES_TALL
}

fn columns_ui(
    ui: &mut Ui,
    show: &mut Show<'_>,
    call: &Call,
    found: Option<&DropoutOutcome>,
    cut: Cut,
) {
    let full = found.map_or(1.0, |o| {
        unit_grid::full_value([&o.training.output, &o.inference.output])
    });
    for (mode, rect) in Mode::BOTH.into_iter().zip(parts::columns(ui, &cut)) {
        let outer = match mode {
            Mode::Training => call.outer,
            Mode::Inference => mode.into(),
        };
        let title = call_words::label(outer, call.semantics);
        let look = parts::column_mode(outer, call.semantics);
        let watched = found.and_then(|outcome| Watched::of(show.state, outcome));
        let watched = watched.filter(|_| mode == Mode::Training);
        let note = found.map_or_else(String::new, |outcome| match &watched {
            Some(watched) => {
                let does = words::heading(outcome, &watched.side);
                let does = if watched.whole { does.as_str() } else { "" };
                words::pass_heading(watched.number + 1, does)
            }
            None => words::heading(outcome, side_of(outcome, mode)),
        });
        let room = parts::column_ui(ui, rect, look, title, &note);
        if let Some(outcome) = found {
            side::side_ui(ui, outcome, [mode, look], full, room, watched.as_ref());
        } else {
            waiting_ui(ui, show, room, mode);
        }
    }
}

pub fn side_of(outcome: &DropoutOutcome, mode: Mode) -> &DropoutSide {
    match mode {
        Mode::Training => &outcome.training,
        Mode::Inference => &outcome.inference,
    }
}
