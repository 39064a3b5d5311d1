//! The controls of the BatchNorm view: which layer, which channel.

use eframe::egui::{Align, Button, Layout, Ui};

use super::words;
use super::{Shown, norms};
use crate::command::{Command, WalkCommand};
use crate::state::{Base, MAX_STEPS};
use crate::theme::{self, sizes, text};
use crate::views::parts::Tip as _;
use crate::views::picker::{self, Entry};
use crate::views::{Show, parts};
use crate::words::common;
use crate::words::number::{self, thousands};

/// The layer and the channel, each with a list and steps; at the right the walk.
pub fn controls_ui(ui: &mut Ui, show: &mut Show<'_>) {
    let state = show.state;
    let Some(base) = &state.opened.base else {
        return;
    };
    let comparing = state.settings.compare_norms;
    let shown = Shown::of(state).filter(|_| !comparing);
    let compared = norms::Compared::of(state).filter(|_| comparing);
    let [left, right] = parts::control_rows(ui.max_rect());
    let layout = Layout::right_to_left(Align::Center);
    parts::inside_ui(ui, right, layout, |ui| {
        compare_ui(ui, show);
        if !comparing {
            ui.add_space(sizes::S2);
            walk_ui(ui, show);
        }
    });
    parts::row_ui(ui, left, |ui| {
        layer_ui(ui, show, base);
        ui.add_space(sizes::S2);
        if let Some(shown) = &shown {
            channel_ui(ui, show, shown);
        }
        if let Some(compared) = &compared {
            norms::channel_ui(ui, show, compared);
        }
    });
}

/// The switch between the layer and the norms in its place.
fn compare_ui(ui: &mut Ui, show: &mut Show<'_>) {
    let compares = show.state.settings.compare_norms;
    let button = Button::new(norms::COMPARE)
        .corner_radius(sizes::PILL_RADIUS)
        .selected(compares);
    if ui.add(button).tip(norms::COMPARE_TIP).clicked() {
        show.push(Command::CompareNorms(!compares));
    }
}

/// "Run k batches", "stop", "reset".
fn walk_ui(ui: &mut Ui, show: &mut Show<'_>) {
    ui.spacing_mut().item_spacing.x = sizes::S1;
    let walk = &show.state.walk;
    let changed = walk.walked() > 0 || walk.momentum.is_some() || walk.is_walking();
    let tip = words::RESET_TIP;
    let reset = ui.add_enabled(changed, Button::new(common::RESET));
    if reset.tip(tip).clicked() {
        show.push(WalkCommand::Reset);
    }
    let mut steps = walk.steps;
    let unit = if steps == 1 {
        words::BATCH
    } else {
        words::BATCHES
    };
    ui.label(text::muted(unit, theme::palette(ui)));
    let drag = parts::whole(&mut steps).range(1..=MAX_STEPS);
    let response = ui.name_inputs(words::RUN_LENGTH, |ui| parts::field_ui(ui, drag));
    let tip = words::RUN_LENGTH_TIP;
    if response.tip(tip).changed() {
        show.push(WalkCommand::SetSteps(steps));
    }
    let (label, tip, command) = if walk.is_walking() {
        (common::STOP, words::STOP_TIP, WalkCommand::Stop)
    } else {
        let tip = words::RUN_TIP;
        (words::RUN, tip, WalkCommand::Run)
    };
    if ui.button(label).tip(tip).clicked() {
        show.push(command);
    }
}

fn layer_ui(ui: &mut Ui, show: &mut Show<'_>, base: &Base) {
    let layers = &base.batch_norms;
    let Some(chosen) = base.batch_norm else {
        return;
    };
    let name = &base.model.graph.layers[chosen].name;
    let entries = || {
        let entry = |&id: &usize| Entry {
            name: base.model.graph.layers[id].name.clone(),
            note: if base.flags.get(id) {
                String::new()
            } else {
                common::FROZEN.to_owned()
            },
            chosen: id == chosen,
        };
        layers.iter().map(entry).collect()
    };
    if let Some(i) = picker::picker_ui(ui, common::LAYER, name, entries) {
        show.push(Command::ShowLayer(layers[i]));
    }
    let at = layers.iter().position(|&id| id == chosen).unwrap_or(0);
    ui.spacing_mut().item_spacing.x = sizes::S1;
    let previous = at.checked_sub(1).and_then(|i| layers.get(i));
    if parts::chevron_ui(ui, words::PREVIOUS_LAYER, true, previous.is_some()).clicked()
        && let Some(&id) = previous
    {
        show.push(Command::ShowLayer(id));
    }
    let next = layers.get(at + 1);
    if parts::chevron_ui(ui, words::NEXT_LAYER, false, next.is_some()).clicked()
        && let Some(&id) = next
    {
        show.push(Command::ShowLayer(id));
    }
}

fn channel_ui(ui: &mut Ui, show: &mut Show<'_>, shown: &Shown<'_>) {
    let (outcome, chosen) = (shown.outcome, shown.channel);
    let sorted = show.state.settings.sort_channels;
    let order = if sorted {
        outcome.most_different()
    } else {
        (0..outcome.moving.mean.len()).collect()
    };
    let value = common::of(chosen + 1, &thousands(order.len()));
    let entries = || {
        let entry = |&channel: &usize| {
            let distance = f64::from(outcome.distance(channel));
            let name = format!("{}", channel + 1);
            Entry {
                name,
                note: common::deviations(&number::fixed(distance, 2)),
                chosen: channel == chosen,
            }
        };
        order.iter().map(entry).collect()
    };
    if let Some(i) = picker::picker_ui(ui, words::CHANNEL, &value, entries) {
        show.push(Command::SetChannel(order[i]));
    }
    let at = order
        .iter()
        .position(|&channel| channel == chosen)
        .unwrap_or(0);
    let previous = at.checked_sub(1).and_then(|i| order.get(i));
    if parts::chevron_ui(ui, words::PREVIOUS_CHANNEL, true, previous.is_some()).clicked()
        && let Some(&channel) = previous
    {
        show.push(Command::SetChannel(channel));
    }
    let next = order.get(at + 1);
    if parts::chevron_ui(ui, words::NEXT_CHANNEL, false, next.is_some()).clicked()
        && let Some(&channel) = next
    {
        show.push(Command::SetChannel(channel));
    }
    ui.add_space(sizes::S1);
    let button = Button::new(words::MOST_DIFFERENT_FIRST)
        .corner_radius(sizes::PILL_RADIUS)
        .selected(sorted);
    let tip = words::MOST_DIFFERENT_TIP;
    if ui.add(button).tip(tip).clicked() {
        show.push(Command::SortChannels(!sorted));
        if !sorted && let Some(&first) = outcome.most_different().first() {
            show.push(Command::SetChannel(first));
        }
    }
}
