//! Further batches of the present size: how their statistics scatter, and how the moving statistics
//! walk over them.

use eframe::egui::{Align, Layout, Rect, Slider, Ui};

use super::walk_plot::{self, WalkPlot};
use super::words;
use super::{Shown, arithmetic, texts};
use crate::command::{Command, WalkCommand};
use crate::model::Semantics;
use crate::state::{MAX_BATCH, SPREAD};
use crate::theme::{self, sizes, text};
use crate::views::parts::Tip as _;
use crate::views::parts::{self, Cut};
use crate::views::{Show, terms};
use crate::words::common;

/// Momenta the slider stops at, in Keras' convention; the layer's own joins them.
const MOMENTA: [f64; 9] = [0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999];

/// Two sliders, two plots, one line of words.
pub fn batches_ui(ui: &mut Ui, show: &mut Show<'_>, shown: &Shown<'_>, room: Rect) {
    let palette = theme::palette(ui);
    let mut cut = Cut(room);
    let sliders = cut.top(sizes::INPUT_ROW);
    parts::row_ui(ui, sliders, |ui| sliders_ui(ui, show, shown));
    let lines = texts::batches(shown, show.state);
    let job = text::small_prose(&lines, room.width(), palette);
    let height = ui.painter().layout_job(job.clone()).size().y;
    let below = cut.bottom(height.min(cut.0.height() / 2.0).ceil());
    parts::inside_ui(ui, below, Layout::top_down(Align::Min), |ui| {
        ui.add(eframe::egui::Label::new(job).selectable(true))
    });
    let walk = shown.walk();
    let total = shown.batches.len().max(SPREAD);
    let plots = [(common::MEAN, 0), (common::VARIANCE, 1)];
    for ((what, which), rect) in plots.into_iter().zip(cut.halves(sizes::S3)) {
        let pick = |mean: &[f32], variance: &[f32]| {
            let values = if which == 0 { mean } else { variance };
            values.first().map_or(0.0, |&x| f64::from(x))
        };
        let batches = shown.batches.iter().map(|batch| {
            let m = shown.channel_of(&batch.moments);
            pick(&m.mean, &m.variance)
        });
        let batches: Vec<f64> = batches.collect();
        let moving: Vec<f64> = walk.iter().map(|m| pick(&m.mean, &m.variance)).collect();
        let plot = WalkPlot {
            id: ui.scope_id().with(("walk", what)),
            what,
            batches: &batches,
            moving: &moving,
            total,
        };
        walk_plot::walk_plot_ui(ui, rect, &plot);
    }
}

/// The batch size, and the momentum.
fn sliders_ui(ui: &mut Ui, show: &mut Show<'_>, shown: &Shown<'_>) {
    let palette = theme::palette(ui);
    ui.spacing_mut().item_spacing.x = sizes::S1;
    ui.spacing_mut().interact_size.y = sizes::INPUT_ROW;
    ui.spacing_mut().slider_width = sizes::SLIDER;
    // The rail would have the colour of the card.
    ui.visuals_mut().widgets.inactive.bg_fill = palette.line;
    // The sliders come before the title, which the plots' own titles replace.
    if ui.available_width() >= sizes::SLIDERS_WITH_TITLE {
        parts::title_ui(ui, words::FURTHER_BATCHES_TITLE);
        ui.add_space(sizes::S2);
    }
    let mut batch = show.state.settings.batch;
    parts::label_ui(ui, text::note(terms::BATCH, palette));
    // Without room for the slider, its value is still shown; the same for the momentum.
    let room = ui.available_width() >= sizes::BATCH_SLIDER;
    if !parts::is_figure(ui) && room {
        let slider = Slider::new(&mut batch, 1..=MAX_BATCH).show_value(false);
        let response = ui.name_inputs(common::PHOTOS_IN_A_BATCH, |ui| ui.add(slider));
        if response.tip(words::batch_tip()).changed() {
            show.push(Command::SetBatch(batch));
        }
    }
    parts::label_ui(ui, text::strong(batch.to_string()));
    ui.add_space(sizes::S2);
    momentum_ui(ui, show, shown);
}

fn momentum_ui(ui: &mut Ui, show: &mut Show<'_>, shown: &Shown<'_>) {
    let palette = theme::palette(ui);
    let own = shown.outcome.momentum;
    let mut stops = MOMENTA.to_vec();
    if !stops.iter().any(|m| (m - own).abs() < 1e-9) {
        stops.push(own);
        stops.sort_by(f64::total_cmp);
    }
    let nearest = |to: f64| {
        let distance = |i: &usize| (stops[*i] - to).abs();
        (0..stops.len())
            .min_by(|a, b| distance(a).total_cmp(&distance(b)))
            .unwrap_or(0)
    };
    let mut at = nearest(shown.momentum);
    parts::label_ui(ui, text::note(terms::MOMENTUM, palette));
    let room = ui.available_width() >= sizes::SLIDER + 2.0 * sizes::CHEVRON + sizes::CAPTION;
    if !parts::is_figure(ui) && room {
        let slider = Slider::new(&mut at, 0..=stops.len() - 1).show_value(false);
        let response = ui.name_inputs(words::MOMENTUM_NAME, |ui| ui.add(slider));
        if response
            .tip(words::momentum_tip(&arithmetic::factor(own)))
            .changed()
        {
            let momentum = stops[at];
            let is_own = (momentum - own).abs() < 1e-9;
            show.push(WalkCommand::SetMomentum((!is_own).then_some(momentum)));
        }
    }
    let value = match shown.semantics() {
        Semantics::PyTorch => words::in_pytorch(&arithmetic::factor(1.0 - shown.momentum)),
        Semantics::Keras2 | Semantics::Keras3 | Semantics::Keras316 => {
            arithmetic::factor(shown.momentum)
        }
    };
    parts::line_ui(ui, text::strong(value));
}
