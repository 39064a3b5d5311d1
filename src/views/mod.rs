//! The views, one folder each, and the pieces they share.
//!
//! A view implements [`Page`]; [`View::page`] finds it. To add one: a folder here, a variant of
//! [`View`] with its id, and a line in `View::page`. The compiler asks for the rest.
//!
//! Drawing never changes the state. What the user does becomes a [`Command`].

mod actions;
mod csv;
mod page;
pub(crate) mod parts;
pub mod values;

pub(crate) mod augmentation;
pub(crate) mod batch_norm;
pub(crate) mod dropout;
pub(crate) mod fine_tune;
pub(crate) mod predict;
pub(crate) mod releases;
pub(crate) mod start;
pub(crate) mod trainable;

pub use actions::Info;
pub use page::{
    Explanation, Lecture, Page, body_ui, current, explanation, left_out, missing, pass, waiting_ui,
};
pub(crate) use parts::{markdown, menu, picker, plots, terms};

use crate::command::{Action, Command};
use crate::state::{State, View};
use eframe::egui;

impl View {
    /// The page of this view.
    pub fn page(self) -> &'static dyn Page {
        match self {
            Self::Start => &start::Start,
            Self::Augmentation => &augmentation::Augmentation,
            Self::Dropout => &dropout::Dropout,
            Self::BatchNorm => &batch_norm::BatchNorm,
            Self::Trainable => &trainable::Trainable,
            Self::FineTune => &fine_tune::FineTune,
            Self::Predict => &predict::Predict,
            Self::Releases => &releases::Releases,
        }
    }
}

/// What drawing functions get: the state to read, and where to put what the user did.
pub struct Show<'a> {
    pub state: &'a State,
    pub commands: &'a mut Vec<Command>,
}

impl Show<'_> {
    /// Has a command carried out after this frame.
    pub fn push(&mut self, command: impl Into<Command>) {
        self.commands.push(command.into());
    }

    /// A button for an action, with its tooltip.
    pub fn action_ui(&mut self, ui: &mut egui::Ui, action: Action) {
        self.button_ui(ui, action, action.info().label);
    }

    /// A button for an action under another label.
    pub fn button_ui(&mut self, ui: &mut egui::Ui, action: Action, label: &str) {
        if parts::with_tooltip(ui.button(label), action).clicked() {
            self.push(action);
        }
    }
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "a test that cannot go on fails")]
mod snippet_tests;
