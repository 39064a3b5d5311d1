//! The controls of the BatchNorm view: which layer, which channel.

use eframe::egui::{Align, Button, Layout, Ui};

use super::Shown;
use crate::command::{Command, WalkCommand};
use crate::state::{Base, MAX_STEPS};
use crate::theme::sizes;
use crate::views::number::{self, thousands};
use crate::views::picker::{self, Entry};
use crate::views::{Show, parts, text as sentences};

/// The layer and the channel, each with a list and steps; at the right the walk.
pub fn controls_ui(ui: &mut Ui, show: &mut Show<'_>) {
    let state = show.state;
    let Some(base) = &state.opened.base else {
        return;
    };
    let shown = Shown::of(state);
    let room = ui.max_rect();
    let layout = Layout::right_to_left(Align::Center);
    parts::inside_ui(ui, room, layout, |ui| walk_ui(ui, show));
    layer_ui(ui, show, base);
    if let Some(shown) = &shown {
        ui.add_space(sizes::S2);
        channel_ui(ui, show, shown);
    }
}

/// "Run k batches", "stop", "reset".
fn walk_ui(ui: &mut Ui, show: &mut Show<'_>) {
    ui.spacing_mut().item_spacing.x = sizes::S1;
    let walk = &show.state.walk;
    let changed = walk.walked() > 0 || walk.momentum.is_some() || walk.is_walking();
    let tip = "The moving statistics and the momentum of the file";
    let reset = ui.add_enabled(changed, Button::new("Reset"));
    if reset.on_hover_text(tip).clicked() {
        show.push(WalkCommand::Reset);
    }
    let mut steps = walk.steps;
    let suffix = if steps == 1 { " batch" } else { " batches" };
    let drag = parts::whole(&mut steps).range(1..=MAX_STEPS);
    let response = ui.name_inputs("Batches of a run", |ui| ui.add(drag.suffix(suffix)));
    let tip = "Batches of a run. Drag, or click to type";
    if response.on_hover_text(tip).changed() {
        show.push(WalkCommand::SetSteps(steps));
    }
    let (label, tip, command) = if walk.is_walking() {
        ("Stop", "Stop the walk where it is", WalkCommand::Stop)
    } else {
        let tip = "Send batches through in training mode and watch the moving statistics walk";
        ("Run", tip, WalkCommand::Run)
    };
    if ui.button(label).on_hover_text(tip).clicked() {
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
                "frozen".to_owned()
            },
            chosen: id == chosen,
        };
        layers.iter().map(entry).collect()
    };
    if let Some(i) = picker::picker_ui(ui, "Layer", name, entries) {
        show.push(Command::ShowLayer(layers[i]));
    }
    let at = layers.iter().position(|&id| id == chosen).unwrap_or(0);
    ui.spacing_mut().item_spacing.x = sizes::S1;
    let previous = at.checked_sub(1).and_then(|i| layers.get(i));
    if parts::chevron_ui(ui, "Previous BatchNorm layer", true, previous.is_some()).clicked()
        && let Some(&id) = previous
    {
        show.push(Command::ShowLayer(id));
    }
    let next = layers.get(at + 1);
    if parts::chevron_ui(ui, "Next BatchNorm layer", false, next.is_some()).clicked()
        && let Some(&id) = next
    {
        show.push(Command::ShowLayer(id));
    }
}

fn channel_ui(ui: &mut Ui, show: &mut Show<'_>, shown: &Shown<'_>) {
    let (outcome, chosen) = (shown.outcome, shown.channel);
    let sorted = show.state.settings.sort_channels;
    let order = if sorted {
        sentences::most_different(outcome)
    } else {
        (0..outcome.moving.mean.len()).collect()
    };
    let value = format!("{} of {}", chosen + 1, thousands(order.len()));
    let entries = || {
        let entry = |&channel: &usize| {
            let distance = f64::from(sentences::distance(outcome, channel));
            let name = format!("{}", channel + 1);
            Entry {
                name,
                note: format!("{} sd", number::fixed(distance, 2)),
                chosen: channel == chosen,
            }
        };
        order.iter().map(entry).collect()
    };
    if let Some(i) = picker::picker_ui(ui, "Channel", &value, entries) {
        show.push(Command::SetChannel(order[i]));
    }
    let at = order
        .iter()
        .position(|&channel| channel == chosen)
        .unwrap_or(0);
    let previous = at.checked_sub(1).and_then(|i| order.get(i));
    if parts::chevron_ui(ui, "Previous channel", true, previous.is_some()).clicked()
        && let Some(&channel) = previous
    {
        show.push(Command::SetChannel(channel));
    }
    let next = order.get(at + 1);
    if parts::chevron_ui(ui, "Next channel", false, next.is_some()).clicked()
        && let Some(&channel) = next
    {
        show.push(Command::SetChannel(channel));
    }
    ui.add_space(sizes::S1);
    let button = Button::new("Most different first")
        .corner_radius(sizes::PILL_RADIUS)
        .selected(sorted);
    let tip =
        "Order channels by |batch mean − moving mean| in standard deviations, and go to the first";
    if ui.add(button).on_hover_text(tip).clicked() {
        show.push(Command::SortChannels(!sorted));
        if !sorted && let Some(&first) = sentences::most_different(outcome).first() {
            show.push(Command::SetChannel(first));
        }
    }
}
