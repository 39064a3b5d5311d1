//! One run: its switches, its curves, what moved, and a summary.

use eframe::egui::{Align, Button, Label, Layout, Rect, Ui, pos2, vec2};

use super::curves;
use super::words;
use crate::command::TrainCommand;
use crate::model::Mode;
use crate::state::{RunState, TrainingState};
use crate::theme::{self, sizes, text};
use crate::train::movement::Movement;
use crate::views::Show;
use crate::views::parts::Tip as _;
use crate::views::parts::{self, Cut};
use crate::words::common;

/// The height a card of this width needs.
pub fn height(ui: &Ui, run: &RunState, seeds: usize, width: f32) -> f32 {
    let palette = theme::palette(ui);
    let inner = width - 2.0 * sizes::S3;
    let job = text::small_prose(&words::of_run(run), inner, palette);
    let words = ui.painter().layout_job(job).size().y;
    let buttons = if parts::is_figure(ui) {
        0.0
    } else {
        sizes::CONTROL_HEIGHT
    };
    let facts = words::card_facts(run, seeds).len() as f32 * sizes::CAPTION;
    let plots = facts + sizes::RUN_CURVE + sizes::RUN_STRIP + 3.0 * sizes::S2;
    sizes::HEADER_BAND + sizes::S2 + plots + words + buttons + 3.0 * sizes::S2
}

/// The height of a short card.
pub fn short_height(run: &RunState, seeds: usize) -> f32 {
    let facts = words::card_facts(run, seeds).len() as f32 * sizes::CAPTION;
    sizes::HEADER_BAND + facts + sizes::S1 + sizes::RUN_SHORT + 2.0 * sizes::S2
}

/// Draws a card without its sentence, and with its three plots side by side.
pub fn short_card_ui(
    ui: &mut Ui,
    show: &mut Show<'_>,
    run: usize,
    axes: &curves::Axes,
    rect: Rect,
) {
    let training = &show.state.training;
    let Some(state) = training.runs.get(run) else {
        return;
    };
    let mut cut = head_ui(ui, training, run, state, rect);
    cut.top(sizes::S1);
    let [curves_room, moved] = cut.halves(sizes::S2);
    let third = ((cut.0.width() - 2.0 * sizes::S2) / 3.0).floor();
    let moved = moved.with_min_x(moved.right() - third);
    let curves_room = curves_room.with_max_x(moved.left() - sizes::S2);
    let plots = Cut(curves_room).halves(sizes::S2);
    for (plot, kind) in plots.into_iter().zip(curves::BOTH) {
        curves::curve_ui(ui, plot, state, kind, axes);
    }
    curves::movement_ui(ui, moved, state, |movement| layer_name(training, movement));
}

/// The frame and the facts of a card; the room that is left.
fn head_ui(ui: &mut Ui, training: &TrainingState, run: usize, state: &RunState, rect: Rect) -> Cut {
    let call = training.experiment.as_ref().and_then(|experiment| {
        let recipe = experiment.recipes.get(run)?;
        words::call_of(recipe, experiment.setup.semantics)
    });
    let room = frame_ui(ui, rect, &state.name, call);
    let mut cut = Cut(room.shrink2(vec2(sizes::S3, sizes::S2)));
    for fact in words::card_facts(state, training.seeds()) {
        fact_ui(ui, cut.top(sizes::CAPTION), &fact);
    }
    cut
}

/// The name of a layer that moved, and how far.
fn layer_name(training: &TrainingState, movement: &Movement) -> String {
    let network = training.network.as_ref();
    let name = network.and_then(|n| n.layer_names.get(movement.layer));
    words::of_layer(name.map_or("", String::as_str), movement)
}

/// Draws the card; `spare` is extra height for the plots.
pub fn run_card_ui(
    ui: &mut Ui,
    show: &mut Show<'_>,
    run: usize,
    axes: &curves::Axes,
    rect: Rect,
    spare: f32,
) {
    let palette = theme::palette(ui);
    let training = &show.state.training;
    let Some(state) = training.runs.get(run) else {
        return;
    };
    let mut cut = head_ui(ui, training, run, state, rect);
    cut.top(sizes::S2);
    let strip = (spare / 3.0).min(sizes::RUN_STRIP).floor();
    let curve = (spare - strip).min(sizes::RUN_CURVE_GROWS).floor();
    let plots = Cut(cut.top(sizes::RUN_CURVE + curve)).halves(sizes::S3);
    for (plot, kind) in plots.into_iter().zip(curves::BOTH) {
        curves::curve_ui(ui, plot, state, kind, axes);
    }
    cut.top(sizes::S2);
    let strip = cut.top(sizes::RUN_STRIP + strip);
    curves::movement_ui(ui, strip, state, |movement| layer_name(training, movement));
    cut.top(sizes::S2);
    let is_figure = parts::is_figure(ui);
    let buttons = cut.bottom(if is_figure {
        0.0
    } else {
        sizes::CONTROL_HEIGHT
    });
    let sentence = words::of_run(state);
    parts::inside_ui(ui, cut.0, Layout::default(), |ui| {
        let job = text::small_prose(&sentence, ui.available_width(), palette);
        ui.add(Label::new(job).selectable(true));
    });
    if is_figure {
        return;
    }
    let has_weights = state.trained.is_some();
    let name = state.name.clone();
    parts::row_ui(ui, buttons, |ui| {
        ui.spacing_mut().item_spacing.x = sizes::S1;
        ui.add_enabled_ui(has_weights, |ui| {
            let actions = [
                (
                    words::USE_MODEL,
                    words::USE_MODEL_TIP,
                    TrainCommand::Use(run),
                ),
                (common::SAVE, words::SAVE_TIP, TrainCommand::Save(run)),
            ];
            for (label, tooltip, command) in actions {
                let response = ui.add(Button::new(
                    eframe::egui::RichText::new(label).font(text::small()),
                ));
                parts::describe(ui, &response, &name);
                if response.tip(tooltip).clicked() {
                    show.push(command);
                }
            }
        });
    });
}

/// The card of a run with its heading, in the colour of the call; the room that is left.
pub fn frame_ui(ui: &mut Ui, rect: Rect, name: &str, call: Option<bool>) -> Rect {
    let Some(call) = call else {
        parts::card(ui.painter(), rect, theme::palette(ui));
        return rect;
    };
    let mode = if call {
        Mode::Training
    } else {
        Mode::Inference
    };
    let (title, note) = words::heading(name);
    parts::column_ui(ui, rect, mode, title, note)
}

/// A measured value with its name at the left, and the mark of its mode if it has one.
fn fact_ui(ui: &mut Ui, rect: Rect, fact: &words::Fact) {
    let palette = theme::palette(ui);
    let mut name = rect;
    if let Some(mode) = fact.mode {
        let middle = pos2(rect.left() + sizes::LAMP / 2.0, rect.center().y);
        parts::mark(ui.painter(), middle, sizes::LAMP, mode, palette);
    }
    name.min.x += sizes::LAMP + sizes::S1;
    let layout = Layout::right_to_left(Align::Center);
    let left = parts::inside_ui(ui, rect, layout, |ui| {
        parts::line_ui(ui, text::strong(&fact.value));
        ui.min_rect().left()
    });
    // The name is truncated, not the value.
    name.max.x = (left - sizes::S1).max(name.min.x);
    parts::row_ui(ui, name, |ui| {
        parts::line_ui(ui, text::note(fact.name, palette));
    });
}
