//! The window around a view: bars, side panel, lesson, dialogs, and lists above all of them.

mod call;
mod centre;
mod command_palette;
mod explain;
pub mod export;
mod input_card;
mod layer_list;
mod lecture;
mod lesson;
mod list_focus;
mod modal;
mod notices;
mod question;
mod record;
mod sheets;
pub mod side_panel;
mod status_bar;
mod top_bar;

pub use command_palette::choices;
pub use question::choice_id;

use eframe::egui::{self, CentralPanel, Panel, Ui};

use crate::theme::{self, sizes};
use crate::views::{Show, parts};

/// All panels, from the edges to the middle.
pub fn panels_ui(ui: &mut Ui, show: &mut Show<'_>) {
    let palette = theme::palette(ui);
    let bar = egui::Frame::new().fill(palette.panel);
    let edge = |symmetric: f32| egui::Margin::symmetric(symmetric as i8, 0);
    let lecture = show.state.shell.lecture.is_some();
    if !lecture && !show.state.shell.embedded {
        Panel::top("top bar")
            .exact_size(sizes::TOP_BAR)
            .frame(bar.inner_margin(edge(sizes::S4)))
            .show(ui, |ui| top_bar::top_bar_ui(ui, show));
    }
    if !lecture {
        Panel::bottom("status bar")
            .exact_size(sizes::STATUS_BAR)
            .frame(bar.inner_margin(edge(sizes::S4)))
            .show(ui, |ui| status_bar::status_bar_ui(ui, show));
    }
    let width = ui.available_width();
    if show.state.lesson.is_some() {
        lesson::panel_ui(ui, show);
    } else if show.state.recorder.is_some() && !lecture {
        record::panel_ui(ui, show);
    }
    let panel = !lecture && side_panel::is_shown(show.state, width);
    if panel {
        Panel::left("side panel")
            .exact_size(sizes::SIDE_PANEL)
            .resizable(false)
            .frame(bar.inner_margin(0))
            .show(ui, |ui| side_panel::side_panel_ui(ui, show));
    }
    CentralPanel::no_frame()
        .frame(egui::Frame::new().fill(palette.background))
        .show(ui, |ui| centre::centre_ui(ui, show));
    if !parts::is_still(ui.ctx()) {
        notices::notices_ui(ui, show);
    }
    notices::unreadable_ui(ui, show);
    notices::drop_hint_ui(ui);
    sheets::sheet_ui(ui, show);
    record::asking_ui(ui, show);
    command_palette::command_palette_ui(ui, show);
    if show.state.shell.lecture.is_some_and(|l| !l.pointer_hidden) {
        lecture::pointer_ui(ui);
    }
}
