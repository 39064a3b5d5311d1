//! The two grids, one cell large, and the list of steps.

use eframe::egui::Ui;

use super::words;
use super::{cells, large_cell, pipeline_card, shown};
use crate::model::{Mode, Semantics};
use crate::theme::sizes;
use crate::views::parts::{self, Cut};
use crate::views::{Show, waiting_ui};
use crate::words::modes;

/// The two grids, or one cell large; at the right the steps, while they are edited.
pub fn body_ui(ui: &mut Ui, show: &mut Show<'_>, mut cut: Cut) {
    let state = show.state;
    if let (Some(place), Some(shown)) = (state.grid.open, shown(state)) {
        large_cell::large_cell_ui(ui, show, &shown, place, cut.0);
        return;
    }
    if state.grid.editing && !parts::is_figure(ui) {
        let left = cut.0.right() - sizes::PIPELINE_CARD;
        let (rest, card) = cut.0.split_left_right_at_x(left);
        pipeline_card::pipeline_card_ui(ui, show, card);
        cut = Cut(rest.with_max_x(rest.right() - sizes::COLUMN_GAP));
    }
    let semantics = state.semantics();
    for (mode, rect) in Mode::BOTH.into_iter().zip(parts::columns(ui, &cut)) {
        let never_off = state.settings.pipeline.is_never_off(semantics);
        let note = match mode {
            _ if never_off || semantics == Semantics::PyTorch => words::DRAWS_BOTH,
            Mode::Training => words::DRAWS,
            Mode::Inference => words::RETURNS,
        };
        let title = modes::mode_label(mode, semantics);
        let room = parts::column_ui(ui, rect, mode, title, note);
        match shown(state) {
            Some(shown) => cells::cells_ui(ui, show, &shown, mode, room),
            None => waiting_ui(ui, show, room, mode),
        }
    }
}
