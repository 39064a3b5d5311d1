//! The left panel: the input, the layers with their flags, the counts.

use eframe::egui;
use eframe::egui::{Align, Layout, Margin, Panel, ScrollArea, Ui, vec2};

use super::{call, input_card, layer_list};
use crate::lesson::Control;
use crate::model::counts::counts;
use crate::state::{State, View};
use crate::theme::{self, sizes, text};
use crate::views::{Show, parts};
use crate::words::number::thousands;
use crate::words::window as words;

/// Whether the panel is shown in a window of this width: if there is room, unless the user chose.
pub fn is_shown(state: &State, width: f32) -> bool {
    // In a lesson step the columns come first; in free play the settings do.
    let beside = match &state.lesson {
        None if state.recorder.is_some() => sizes::CENTRE_MIN_WIDTH + sizes::LESSON_PANEL,
        None => sizes::CENTRE_MIN_WIDTH,
        Some(open) if open.free => sizes::CENTRE_MIN_WIDTH + sizes::LESSON_PANEL,
        Some(_) => sizes::LESSON_BESIDE + sizes::LESSON_PANEL,
    };
    // Start shows one question and nothing else.
    let room = width >= sizes::SIDE_PANEL + beside && state.settings.view != View::Start;
    let room = room && !state.shell.embedded;
    state.shell.side_panel.unwrap_or(room) && !state.hides(Control::SidePanel)
}

/// All three, from the edges to the middle.
pub fn side_panel_ui(ui: &mut Ui, show: &mut Show<'_>) {
    let margin = Margin::symmetric(sizes::S4 as i8, sizes::S3 as i8);
    if ui.available_height() < sizes::SIDE_PANEL_LOW && !show.state.hides(Control::Layers) {
        // Too low for all of it: the whole panel scrolls.
        let area = ScrollArea::vertical().id_salt("low side panel");
        area.auto_shrink(false).show(ui, |ui| {
            controls_ui(ui, show, margin);
            let size = vec2(ui.available_width(), sizes::LAYER_ROW * 8.0);
            ui.allocate_ui(size, |ui| layer_list::layer_list_ui(ui, show));
            let frame = egui::Frame::new().inner_margin(margin);
            frame.show(ui, |ui| counts_ui(ui, show));
        });
        return;
    }
    Panel::bottom("counts")
        .frame(egui::Frame::new().inner_margin(margin))
        .show(ui, |ui| counts_ui(ui, show));
    controls_ui(ui, show, margin);
    if !show.state.hides(Control::Layers) {
        layer_list::layer_list_ui(ui, show);
    }
}

/// The input, the calls, and the buttons for many flags at once.
fn controls_ui(ui: &mut Ui, show: &mut Show<'_>, margin: Margin) {
    egui::Frame::new().inner_margin(margin).show(ui, |ui| {
        if !show.state.hides(Control::Input) {
            input_card::input_card_ui(ui, show);
            call::call_ui(ui, show);
            ui.add_space(sizes::S2);
        }
        if !show.state.hides(Control::Layers) {
            layer_list::layer_controls_ui(ui, show);
        }
    });
}

fn counts_ui(ui: &mut Ui, show: &Show<'_>) {
    let palette = theme::palette(ui);
    let found = show.state.opened.base.as_ref();
    let found = found.map(|base| counts(&base.model, &base.flags, show.state.semantics()));
    let rows = [
        (words::TOTAL_PARAMS, found.map(|c| c.total)),
        (words::TRAINABLE, found.map(|c| c.trainable)),
        (words::NON_TRAINABLE, found.map(|c| c.non_trainable)),
    ];
    ui.spacing_mut().item_spacing.y = 0.0;
    ui.spacing_mut().interact_size.y = sizes::INPUT_ROW;
    for (label, value) in rows {
        ui.horizontal(|ui| {
            ui.set_min_height(sizes::INPUT_ROW);
            parts::label_ui(ui, text::muted(label, palette));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let value = value.map_or_else(|| "–".to_owned(), thousands);
                parts::value_ui(ui, text::strong(value));
            });
        });
    }
}
