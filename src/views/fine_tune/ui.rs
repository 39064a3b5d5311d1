//! The runs side by side, or the runs that Start would begin.

use eframe::egui::{Align, Layout, Rect, ScrollArea, Sense, Ui, vec2};

use super::{curves, run_card, words};
use crate::command::TrainCommand;
use crate::state::State;
use crate::theme::{self, sizes};
use crate::views::Show;
use crate::views::parts::Tip as _;
use crate::views::parts::{self, Cut};

/// Layout of the cards: one row, or two if one would make them too narrow to read.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Cards {
    in_row: usize,
    rows: usize,
    /// Width of one card.
    width: f32,
}

const GAP: f32 = sizes::S2;

impl Cards {
    fn of(count: usize, room: f32) -> Self {
        let width = |in_row: usize| ((room + GAP) / in_row.max(1) as f32 - GAP).floor();
        let in_row = if width(count) < sizes::RUN_LEAST {
            count.div_ceil(2)
        } else {
            count
        };
        Self {
            in_row,
            rows: count.div_ceil(in_row.max(1)),
            width: width(in_row),
        }
    }

    /// As many short cards in a row as have room.
    fn short(count: usize, room: f32) -> Self {
        let most = ((room + GAP) / (sizes::RUN_SHORT_WIDTH + GAP))
            .floor()
            .max(1.0) as usize;
        let in_row = count.div_ceil(count.div_ceil(most).max(1));
        Self {
            in_row,
            rows: count.div_ceil(in_row.max(1)),
            width: ((room + GAP) / in_row.max(1) as f32 - GAP).floor(),
        }
    }

    /// The place of a card in a rectangle that holds all of them.
    fn place(self, card: usize, all: Rect) -> Rect {
        let height = ((all.height() + GAP) / self.rows.max(1) as f32 - GAP).floor();
        let [column, row] = [card % self.in_row.max(1), card / self.in_row.max(1)];
        let min = all.min
            + vec2(
                column as f32 * (self.width + GAP),
                row as f32 * (height + GAP),
            );
        Rect::from_min_size(min, vec2(self.width, height))
    }
}

/// The height of short cards at this width: without sentences, with all plots of a run side by side.
pub fn short_height(state: &State, width: f32) -> f32 {
    let training = &state.training;
    let cards = Cards::short(training.runs.len(), width);
    let seeds = training.seeds();
    let heights = training.runs.iter();
    let card = heights.map(|run| run_card::short_height(run, seeds));
    let rows = cards.rows.max(1) as f32;
    rows * card.fold(0.0, f32::max) + (rows - 1.0) * GAP
}

/// The height that the runs need at this width.
pub fn height(ui: &Ui, state: &State, width: f32) -> f32 {
    if parts::stacks(ui, width) {
        return short_height(state, width);
    }
    let cards = Cards::of(state.training.runs.len(), width);
    let rows = cards.rows.max(1) as f32;
    rows * card_height(ui, state, &cards) + (rows - 1.0) * GAP
}

/// The height that the tallest card needs.
fn card_height(ui: &Ui, state: &State, cards: &Cards) -> f32 {
    let training = &state.training;
    // While an animation shows the beginnings, the cards have the height of the whole runs.
    let runs = training.axes_of.as_ref().unwrap_or(&training.runs);
    let seeds = training.seeds();
    runs.iter()
        .map(|run| run_card::height(ui, run, seeds, cards.width))
        .fold(0.0, f32::max)
}

/// The runs side by side, on common axes.
pub fn body_ui(ui: &mut Ui, show: &mut Show<'_>, cut: Cut) {
    let training = &show.state.training;
    if training.runs.is_empty() {
        planned_ui(ui, show.state, cut.0);
        return;
    }
    let mut cut = cut;
    if super::is_stale(show.state) && !parts::is_figure(ui) {
        stale_ui(ui, show, cut.top(sizes::CONTROL_HEIGHT));
        cut.top(sizes::S2);
    }
    let training = &show.state.training;
    let axes = curves::Axes::of(training.axes_of.as_deref().unwrap_or(&training.runs));
    let count = training.runs.len();
    let whole = cut.0.width();
    let is_short = parts::is_figure(ui)
        && (parts::stacks(ui, whole)
            || height(ui, show.state, whole) > cut.0.height() + sizes::LINE);
    if is_short {
        parts::note_left_out(ui, words::SENTENCES_LEFT_OUT);
        let cards = Cards::short(count, whole);
        for run in 0..count {
            run_card::short_card_ui(ui, show, run, &axes, cards.place(run, cut.0));
        }
        return;
    }
    let scrolls = !parts::is_figure(ui) && height(ui, show.state, whole) > cut.0.height();
    let room = whole - if scrolls { sizes::SCROLL_BAR } else { 0.0 };
    let cards = Cards::of(count, room);
    let height = height(ui, show.state, room).max(cut.0.height());
    let least = card_height(ui, show.state, &cards);
    parts::inside_ui(ui, cut.0, Layout::default(), |ui| {
        let area = ScrollArea::vertical().id_salt("runs").auto_shrink(false);
        area.show(ui, |ui| {
            let size = vec2(ui.available_width(), height);
            let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
            for run in 0..count {
                let place = cards.place(run, rect);
                // Room that no card needs makes the plots of all of them taller.
                let spare = (place.height() - least).max(0.0);
                run_card::run_card_ui(ui, show, run, &axes, place, spare);
            }
        });
    });
}

/// What the shown runs are, where the controls say something else.
fn stale_ui(ui: &mut Ui, show: &mut Show<'_>, rect: Rect) {
    let palette = theme::palette(ui);
    let training = &show.state.training;
    let told = match (&training.experiment, training.asked) {
        (Some(experiment), Some(asked)) => {
            let base = show.state.opened.base.as_ref();
            let is_other = base.is_none_or(|base| base.id != experiment.model);
            words::shown_runs(&asked, &experiment.setup, is_other)
        }
        _ => return,
    };
    parts::inside_ui(ui, rect, Layout::right_to_left(Align::Center), |ui| {
        let button = ui.button(words::SET_CONTROLS);
        if button.tip(words::SET_CONTROLS_TIP).clicked() {
            show.push(TrainCommand::TakeShown);
        }
        let room = ui.available_rect_before_wrap();
        parts::row_ui(ui, room, |ui| {
            parts::fitting_line_ui(ui, &told, palette);
        });
    });
}

/// The runs that Start would begin, side by side.
fn planned_ui(ui: &mut Ui, state: &State, rect: Rect) {
    let train = &state.settings.train;
    let recipes = train.recipes(state.semantics());
    let cards = Cards::of(recipes.len(), rect.width());
    for (i, recipe) in recipes.iter().enumerate() {
        let room = run_card::frame_ui(
            ui,
            cards.place(i, rect),
            &recipe.name,
            words::call_of(recipe, state.semantics()),
        );
        parts::empty_ui(ui, room, words::waits(i));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cards_stand_in_two_rows_where_they_would_be_too_narrow() {
        let all = Rect::from_min_size(eframe::egui::Pos2::ZERO, vec2(940.0, 500.0));
        assert_eq!(Cards::of(4, all.width()).rows, 1);
        let narrow = all.with_max_x(700.0);
        let cards = Cards::of(4, narrow.width());
        assert_eq!([cards.in_row, cards.rows], [2, 2]);
        let places: Vec<Rect> = (0..4).map(|card| cards.place(card, narrow)).collect();
        for (i, place) in places.iter().enumerate() {
            assert!(narrow.contains_rect(*place) && place.width() >= sizes::RUN_LEAST);
            assert!(
                places[i + 1..]
                    .iter()
                    .all(|other| !other.intersects(*place))
            );
        }
        assert_eq!(Cards::of(1, 150.0).rows, 1);
        assert_eq!(Cards::of(0, 150.0).rows, 0);
    }
}
