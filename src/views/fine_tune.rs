//! Real training steps: runs side by side that differ in the two switches only.

mod controls;
mod curves;
mod run_card;
mod setup;

use eframe::egui::{Layout, Rect, ScrollArea, Sense, Ui, vec2};

use super::explain::Explanation;
use super::parts::{self, Cut};
use super::{Show, code};
use crate::state::State;
use crate::theme::sizes;
use crate::words::fine_tune as words;

pub use controls::controls_ui;

/// Sentences and code.
pub fn explanation(state: &State) -> Explanation {
    let (train, semantics) = (state.settings.train, state.semantics());
    let classes = state.photos().map_or(0, |photos| photos.classes.len());
    Explanation {
        text: words::explanation(&state.training, train.preset, semantics),
        code: code::fine_tune(&train, train.head(classes), semantics),
    }
}

/// The width of each of `count` cards in a row of this width, and the gap between them.
fn widths(count: usize, room: f32) -> [f32; 2] {
    let gap = sizes::S2;
    [((room + gap) / count.max(1) as f32 - gap).floor(), gap]
}

/// The height that the runs need at this width.
pub fn height(ui: &Ui, state: &State, width: f32) -> f32 {
    let runs = &state.training.runs;
    let [width, _] = widths(runs.len(), width);
    let heights = runs.iter().map(|run| run_card::height(ui, run, width));
    heights.fold(0.0, f32::max)
}

/// The runs beside each other, on common axes.
pub fn body_ui(ui: &mut Ui, show: &mut Show<'_>, cut: Cut) {
    let training = &show.state.training;
    if training.runs.is_empty() {
        planned_ui(ui, show.state, cut.0);
        return;
    }
    let axes = curves::Axes::of(&training.runs);
    let count = training.runs.len();
    let bar = if parts::is_figure(ui) {
        0.0
    } else {
        sizes::SCROLL_BAR
    };
    let room = cut.0.width() - bar;
    let [width, gap] = widths(count, room);
    let height = height(ui, show.state, room).max(cut.0.height());
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

/// The runs that Start would begin, side by side.
fn planned_ui(ui: &mut Ui, state: &State, rect: Rect) {
    let train = &state.settings.train;
    let recipes = train.preset.recipes(train.epochs, train.rate);
    let [width, gap] = widths(recipes.len(), rect.width());
    for (i, recipe) in recipes.iter().enumerate() {
        let left = rect.left() + i as f32 * (width + gap);
        let place = Rect::from_min_size(rect.with_min_x(left).min, vec2(width, rect.height()));
        let room = run_card::frame_ui(ui, place, &recipe.name, words::call_of(recipe));
        parts::empty_ui(ui, room, words::waits(i));
    }
}
