//! The table of all norms, and below it the plot.

use eframe::egui::Ui;

use super::{Compared, plot, table, words};
use crate::model::Mode;
use crate::theme::{self, sizes};
use crate::views::parts::{self, Cut};
use crate::views::{Show, waiting_ui};

/// The height of the whole comparison, as a figure has it.
pub fn height() -> f32 {
    table::height() + sizes::S2 + sizes::NORMS_PLOT
}

/// The height that the comparison needs.
pub fn least_height() -> f32 {
    table::height() + sizes::S2 + sizes::NORMS_PLOT_MIN
}

/// A card with the table and one with the plot.
pub fn body_ui(ui: &mut Ui, show: &mut Show<'_>, mut cut: Cut) {
    let palette = theme::palette(ui);
    let above = cut.top(table::height());
    cut.top(sizes::S2);
    let below = cut.0;
    for (name, card) in [(words::TABLE, above), (words::SWEEP, below)] {
        parts::card(ui.painter(), card, palette);
        parts::note_plot(ui, name, card);
    }
    match Compared::of(show.state) {
        Some(compared) => {
            table::table_ui(ui, &compared, above);
            plot::sweep_ui(ui, compared.outcome, below);
        }
        None => waiting_ui(ui, show, above, Mode::Training),
    }
}
