//! One noise layer: which units it drops, and the rest times 1/(1-rate).

use eframe::egui;
use eframe::egui::{Align, Layout, Rect, Ui, vec2};

use super::explain::Explanation;
use super::number::{count, fixed, measured, percent, thousands};
use super::parts::{self, Cut};
use super::picker::{self, Entry};
use super::unit_grid::{self, Grid};
use super::{Show, augmentation, centre, code, text as sentences};
use crate::command::Command;
use crate::model::{LayerKind, Mode, graph::Noise};
use crate::state::{Base, State, View};
use crate::theme::{self, sizes, text};
use crate::worker::{DropoutOutcome, DropoutSide, Outcome};

const NONE: &str = "This base has no dropout: dropout lives in the head, which is trained on top of it. \
                    Open a whole model, or MobileNetV2 with its head, to see a mask.";

/// The layer, its rate, and "new mask" at the right.
pub fn controls_ui(ui: &mut Ui, show: &mut Show<'_>) {
    let state = show.state;
    let Some(base) = &state.opened.base else {
        return;
    };
    let Some(layer) = base.noise else { return };
    let name = &base.model.graph.layers[layer].name;
    let entries = || base.noises.iter().map(|&id| entry(base, id)).collect();
    if let Some(i) = picker::picker_ui(ui, "Layer", name, entries) {
        show.push(Command::ShowLayer(base.noises[i]));
    }
    let palette = theme::palette(ui);
    if let Some(noise) = noise(base) {
        let (label, value) = strength(noise);
        ui.label(text::muted(label, palette));
        parts::value_ui(ui, text::strong(value));
    }
    if base.noises.len() > 1 {
        ui.label(text::note(
            format!("{} noise layers", base.noises.len()),
            palette,
        ));
    }
    parts::inside_ui(
        ui,
        ui.max_rect(),
        Layout::right_to_left(Align::Center),
        |ui| {
            augmentation::redraw_ui(ui, show, "New mask");
        },
    );
}

fn entry(base: &Base, id: usize) -> Entry {
    let layer = &base.model.graph.layers[id];
    let note = match &layer.kind {
        LayerKind::Noise(noise) => {
            let (_, value) = strength(noise);
            format!("{} {value}", layer.class)
        }
        _ => String::new(),
    };
    Entry {
        name: layer.name.clone(),
        note,
        chosen: base.noise == Some(id),
    }
}

fn noise(base: &Base) -> Option<&Noise> {
    match &base.model.graph.layers.get(base.noise?)?.kind {
        LayerKind::Noise(noise) => Some(noise),
        _ => None,
    }
}

fn strength(noise: &Noise) -> (&'static str, String) {
    match noise {
        Noise::Dropout { rate, .. }
        | Noise::SpatialDropout2d { rate }
        | Noise::AlphaDropout { rate }
        | Noise::GaussianDropout { rate }
        | Noise::DropConnect { rate } => ("Rate", sentences::trimmed(*rate)),
        Noise::GaussianNoise { stddev } => ("Deviation", sentences::trimmed(*stddev)),
    }
}

/// The latest outcome, up to date or not.
fn outcome(state: &State) -> Option<&DropoutOutcome> {
    match &state.computed.result(View::Dropout)?.outcome {
        Outcome::Dropout(outcome) => Some(outcome),
        Outcome::Augmentation(_)
        | Outcome::BatchNorm(_)
        | Outcome::Trainable(_)
        | Outcome::Predict(_) => None,
    }
}

/// Sentences and code.
pub fn explanation(state: &State) -> Explanation {
    let semantics = state.semantics();
    let base = state.opened.base.as_ref();
    let text = match (base.and_then(|b| b.noise), outcome(state)) {
        (None, _) => NONE.to_owned(),
        (_, Some(outcome)) => {
            let first = sentences::augmented_batch(state.augmented_by(View::Dropout));
            first + &sentences::dropout(outcome, semantics)
        }
        (_, None) => String::new(),
    };
    Explanation {
        text,
        code: code::dropout(base.and_then(noise), semantics),
    }
}

/// The two grids of units.
pub fn body_ui(ui: &mut Ui, show: &mut Show<'_>, cut: Cut) {
    let state = show.state;
    let semantics = state.semantics();
    let present = state
        .opened
        .base
        .as_ref()
        .is_some_and(|b| b.noise.is_some());
    let found = outcome(state).filter(|_| present);
    let full = found.map_or(1.0, |o| {
        unit_grid::full_value([&o.training.output, &o.inference.output])
    });
    for (mode, rect) in Mode::BOTH.into_iter().zip(cut.halves(sizes::COLUMN_GAP)) {
        let title = sentences::mode_label(mode, semantics);
        let Some(outcome) = found else {
            let room = parts::column_ui(ui, rect, mode, title, "");
            if present {
                centre::waiting_ui(ui, show, room, mode);
            } else {
                parts::empty_ui(ui, room, "No dropout layer in this base");
            }
            continue;
        };
        let side = side(outcome, mode);
        let room = parts::column_ui(ui, rect, mode, title, &heading(outcome, side));
        side_ui(ui, outcome, mode, full, room);
    }
}

fn side(outcome: &DropoutOutcome, mode: Mode) -> &DropoutSide {
    match mode {
        Mode::Training => &outcome.training,
        Mode::Inference => &outcome.inference,
    }
}

fn heading(outcome: &DropoutOutcome, side: &DropoutSide) -> String {
    if !side.effective.active {
        return "every unit passes as it is".to_owned();
    }
    if side.mask.is_none() {
        return "every unit is disturbed".to_owned();
    }
    let scale = 1.0 / (1.0 - outcome.rate);
    let units = count(side.output.len(), "unit", "units");
    format!(
        "{} of {units} dropped, the rest × {scale:.2}",
        thousands(side.dropped)
    )
}

fn side_ui(ui: &mut Ui, outcome: &DropoutOutcome, mode: Mode, full: f32, room: Rect) {
    let palette = theme::palette(ui);
    let side = side(outcome, mode);
    let mut cut = Cut(room.shrink2(vec2(sizes::S4, sizes::S3)));
    let units = side.output.len();
    let footer = cut.bottom(sizes::STAT_ROW);
    cut.bottom(sizes::S1);
    let grid = Grid::fit(units, cut.0.size());
    let area = Rect::from_min_size(
        cut.0.min,
        vec2(cut.0.width(), grid.pitch * grid.rows as f32),
    );
    let hovered = unit_grid::unit_grid_ui(ui, area, grid, side, full, palette.mode(mode));
    // The picture in words, and what lies under the pointer.
    let response = ui.interact(
        area,
        ui.scope_id().with(("units", mode)),
        egui::Sense::hover(),
    );
    let words = format!(
        "{} units, {} dropped ({})",
        thousands(units),
        thousands(side.dropped),
        percent(side.dropped as f64 / units.max(1) as f64)
    );
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Image, true, &words));
    if let Some(unit) = hovered {
        response.on_hover_text_at_pointer(unit_words(side, unit));
    }
    // Right below the grid, where the eye already is.
    let top = (area.bottom() + sizes::S1).min(footer.top());
    let footer = Rect::from_min_size(egui::pos2(footer.left(), top), footer.size());
    let [before, after] = sentences::sums(side);
    let shown = grid.shown(units);
    let label = if shown < units {
        let shape: Vec<String> = outcome.shape.iter().map(ToString::to_string).collect();
        format!(
            "first {} of {} units ({})",
            thousands(shown),
            thousands(units),
            shape.join(" × ")
        )
    } else {
        "sum of the units".to_owned()
    };
    let layout = Layout::right_to_left(Align::Center);
    let what = if shown < units {
        "sum before"
    } else {
        "before"
    };
    let left = parts::inside_ui(ui, footer, layout, |ui| {
        ui.spacing_mut().item_spacing.x = sizes::S1;
        parts::value_ui(ui, text::strong(after));
        ui.label(text::muted("after", palette));
        ui.add_space(sizes::S2);
        parts::value_ui(ui, text::strong(before));
        ui.label(text::muted(what, palette));
        ui.min_rect().left()
    });
    let rest = footer.with_max_x(left - sizes::S2);
    parts::row_ui(ui, rest, |ui| {
        parts::line_ui(ui, text::muted(label, palette))
    });
}

fn unit_words(side: &DropoutSide, unit: usize) -> String {
    let at = |values: &[f32]| values.get(unit).map_or(0.0, |&x| f64::from(x));
    let [before, after] = [at(&side.input), at(&side.output)];
    let what = match side.mask.as_deref().and_then(|mask| mask.get(unit)) {
        Some(0.0) => "dropped".to_owned(),
        Some(factor) => format!("× {}", fixed(f64::from(*factor), 2)),
        None => "noise added".to_owned(),
    };
    format!(
        "Unit {}: {} before, {} after ({what})",
        thousands(unit + 1),
        measured(before),
        measured(after)
    )
}
