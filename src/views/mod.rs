//! What the window draws: one file a panel or view. Nothing here changes the state; whatever a
//! person does becomes a [`Command`].

pub mod augmentation;
pub mod batch_norm;
pub mod call;
pub mod centre;
pub mod code;
pub mod command_palette;
pub mod dropout;
pub mod explain;
pub mod export;
pub mod fine_tune;
pub mod hint;
pub mod input_card;
pub mod layer_list;
pub mod lecture;
pub mod lesson;
pub mod markdown;
pub mod menu;
pub mod notices;
pub mod parts;
pub mod picker;
pub mod plots;
pub mod predict;
pub mod sheets;
pub mod side_panel;
pub mod status_bar;
pub mod terms;
pub mod top_bar;
pub mod trainable;
pub mod unit_grid;

use crate::command::{Action, Command};
use crate::state::State;
use eframe::egui;

/// What drawing functions get: the state to read, and where to put what the person did.
pub struct Show<'a> {
    pub state: &'a State,
    pub commands: &'a mut Vec<Command>,
}

impl Show<'_> {
    /// Asks for something to be done after this frame.
    pub fn push(&mut self, command: impl Into<Command>) {
        self.commands.push(command.into());
    }

    /// A button for an action, with its tooltip.
    pub fn action_ui(&mut self, ui: &mut egui::Ui, action: Action) {
        self.button_ui(ui, action, action.info().label);
    }

    /// The same with a label that says what it does here.
    pub fn button_ui(&mut self, ui: &mut egui::Ui, action: Action, label: &str) {
        if parts::with_tooltip(ui.button(label), action).clicked() {
            self.push(action);
        }
    }
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "a test that cannot go on fails")]
mod snippet_tests;
