//! Real training steps: runs side by side that differ in the two switches only.

mod controls;
mod curves;
mod run_card;
mod words;

use eframe::egui::{Layout, Rect, ScrollArea, Sense, Ui, vec2};

use super::explain::Explanation;
use super::parts::{self, Cut};
use super::{Show, code};
use crate::state::State;
use crate::theme::{self, sizes};

pub use controls::controls_ui;

/// Sentences and code.
pub fn explanation(state: &State) -> Explanation {
    let semantics = state.semantics();
    Explanation {
        text: words::explanation(&state.training, state.settings.train.preset, semantics),
        code: code::fine_tune(state.settings.train.preset, semantics),
    }
}

/// The runs beside each other, on common axes.
pub fn body_ui(ui: &mut Ui, show: &mut Show<'_>, cut: Cut) {
    let training = &show.state.training;
    if training.runs.is_empty() {
        let palette = theme::palette(ui);
        parts::card(ui.painter(), cut.0, palette);
        let preset = show.state.settings.train.preset;
        parts::empty_ui(ui, cut.0, words::invitation(preset));
        return;
    }
    let axes = curves::Axes::of(&training.runs);
    let count = training.runs.len();
    let gap = sizes::S2;
    let room = cut.0.width() - sizes::SCROLL_BAR;
    let width = ((room + gap) / count as f32 - gap).floor();
    let heights = training
        .runs
        .iter()
        .map(|run| run_card::height(ui, run, width));
    let height = heights.fold(0.0, f32::max).max(cut.0.height());
    parts::inside_ui(ui, cut.0, Layout::default(), |ui| {
        let area = ScrollArea::vertical().id_salt("runs").auto_shrink(false);
        area.show(ui, |ui| {
            let size = vec2(ui.available_width(), height);
            let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
            for run in 0..count {
                let left = rect.left() + run as f32 * (width + gap);
                let place = Rect::from_min_size(rect.with_min_x(left).min, vec2(width, height));
                run_card::run_card_ui(ui, show, run, &axes, place);
            }
        });
    });
}
