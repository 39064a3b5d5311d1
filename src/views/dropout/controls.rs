//! The controls of the dropout view: which layer, its rate, a new mask.

use eframe::egui::{Align, Button, Layout, Slider, SliderClamping, Ui};

use super::{own_noise, rate, watch, words};
use crate::command::{Command, NoiseCommand};
use crate::model::LayerKind;
use crate::model::graph::Noise;
use crate::state::Base;
use crate::theme::{self, sizes, text};
use crate::views::parts::Tip as _;
use crate::views::picker::{self, Entry};
use crate::views::{Show, parts};
use crate::words::common;
use crate::words::number;

/// The layer, its rate, and "new mask" at the right.
pub fn controls_ui(ui: &mut Ui, show: &mut Show<'_>) {
    let Some(base) = &show.state.opened.base else {
        return;
    };
    let (Some(layer), Some(own)) = (base.noise, own_noise(base)) else {
        return;
    };
    let row = ui.max_rect();
    let name = base.model.graph.unique_name(layer);
    let entries = || base.noises.iter().map(|&id| entry(base, id)).collect();
    if let Some(i) = picker::picker_ui(ui, common::LAYER, &name, entries) {
        show.push(Command::ShowLayer(base.noises[i]));
    }
    if base.noises.len() > 1 {
        steps_ui(ui, show, base, layer);
    }
    ui.add_space(sizes::S1);
    rate_ui(ui, show, base, own);
    let used = ui.min_rect().right() + sizes::S2;
    parts::inside_ui(ui, row, Layout::right_to_left(Align::Center), |ui| {
        parts::redraw_ui(ui, show, words::NEW_MASK);
        ui.add_space(sizes::S2);
        let end = ui.available_rect_before_wrap().right();
        let room = end - used;
        // As many of the buttons as there is room for.
        let Some(width) = sizes::PLAYER.into_iter().find(|&width| width <= room) else {
            return;
        };
        let room = row.with_max_x(end).with_min_x(end - width);
        parts::row_ui(ui, room, |ui| watch::controls_ui(ui, show));
    });
}

fn steps_ui(ui: &mut Ui, show: &mut Show<'_>, base: &Base, layer: usize) {
    let at = base.noises.iter().position(|&id| id == layer).unwrap_or(0);
    let steps = [
        (at.checked_sub(1), true, words::PREVIOUS_LAYER),
        (Some(at + 1), false, words::NEXT_LAYER),
    ];
    for (to, left, label) in steps {
        let to = to.and_then(|i| base.noises.get(i));
        if parts::chevron_ui(ui, label, left, to.is_some()).clicked()
            && let Some(&id) = to
        {
            show.push(Command::ShowLayer(id));
        }
    }
}

/// What the list says of a layer: its class and its rate in the file.
fn entry(base: &Base, id: usize) -> Entry {
    let layer = &base.model.graph.layers[id];
    let note = match &layer.kind {
        LayerKind::Noise(noise) => {
            let own = number::trimmed(noise.strength());
            let class = &layer.class;
            match base.noise_rates.get(&id) {
                Some(&rate) => words::rate_now(class, &own, &number::trimmed(rate)),
                None => format!("{class} {own}"),
            }
        }
        _ => String::new(),
    };
    Entry {
        name: base.model.graph.unique_name(id),
        note,
        chosen: base.noise == Some(id),
    }
}

/// The slider, a button back to the file's rate, and why a rate was refused.
fn rate_ui(ui: &mut Ui, show: &mut Show<'_>, base: &Base, own: &Noise) {
    let palette = theme::palette(ui);
    let name = match own {
        Noise::GaussianNoise { .. } => words::DEVIATION,
        _ => words::RATE,
    };
    parts::label_ui(ui, text::muted(name, palette));
    let now = rate(base, own);
    let mut value = now;
    ui.scope(|ui| {
        // The rail would have the colour of the background.
        ui.visuals_mut().widgets.inactive.bg_fill = palette.line;
        ui.spacing_mut().slider_width = sizes::RATE_SLIDER;
        // A number beyond the ends can be typed, and is refused with its reason.
        let slider = Slider::new(&mut value, 0.0..=1.0)
            .clamping(SliderClamping::Never)
            .trailing_fill(true)
            .update_while_editing(false)
            .step_by(0.01)
            .custom_formatter(|rate, _| number::trimmed(rate));
        ui.name_inputs(name, |ui| ui.add(slider));
    });
    // A slider writes its value back rounded; only a change is a choice.
    if (value - now).abs() > 1e-9 || value.is_nan() {
        show.push(NoiseCommand::SetRate(value));
    }
    if (now - own.strength()).abs() > 0.0 {
        let label = words::back_to(&number::trimmed(own.strength()));
        let reset = ui.add(Button::new(label).small());
        if reset.tip(words::RATE_IN_FILE).clicked() {
            show.push(NoiseCommand::ResetRate);
        }
    }
    let after = ui.available_rect_before_wrap();
    let room = after
        .with_max_x((after.right() - sizes::REDRAW_WIDTH - sizes::PLAYER[0]).max(after.left()));
    if let Some(reason) = &base.refused_rate {
        parts::row_ui(ui, room, |ui| {
            let reason_shown = text::note(reason, palette).color(palette.error);
            parts::line_ui(ui, reason_shown).tip(reason);
        });
    }
}
