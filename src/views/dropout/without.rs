//! A network without dropout: what the mode changes there, measured on the batch.

use eframe::egui::{Align, Layout, Ui, vec2};

use super::{modes_outcome, words};
use crate::command::Action;
use crate::model::Mode;
use crate::state::{Base, View};
use crate::theme::{self, sizes, text};
use crate::views::parts::{self, Cut};
use crate::views::{Show, waiting_ui};

/// The card in the place of the two grids.
pub fn without_ui(ui: &mut Ui, show: &mut Show<'_>, base: &Base, cut: &Cut) {
    let palette = theme::palette(ui);
    parts::card(ui.painter(), cut.0, palette);
    let Some(outcome) = modes_outcome(show.state) else {
        waiting_ui(ui, show, cut.0, Mode::Training);
        return;
    };
    let lines = words::without_dropout(outcome, show.state.semantics());
    let room = cut.0.shrink2(vec2(2.0 * sizes::S4, 2.0 * sizes::S4));
    parts::inside_ui(ui, room, Layout::top_down(Align::Min), |ui| {
        parts::wrapped_ui(ui, text::strong(words::NONE_SHORT));
        ui.add_space(sizes::S2);
        parts::title_ui(ui, words::INSTEAD);
        ui.add_space(sizes::S1);
        for line in lines {
            let job = text::small_prose(&line, ui.available_width(), palette);
            ui.label(job);
            ui.add_space(sizes::S1);
        }
        if !base.batch_norms.is_empty() {
            ui.add_space(sizes::S2);
            show.button_ui(ui, Action::Show(View::BatchNorm), words::SHOW_BATCH_NORM);
        }
    });
}
