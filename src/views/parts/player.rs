//! The buttons of an animation.

use eframe::egui::{Button, Ui};

use super::with_tooltip;
use crate::command::{Action, PlayCommand};
use crate::theme::sizes;
use crate::views::Show;
use crate::words::common;

/// "Play" or "pause", "step", "restart"; without room, only the first of them.
pub fn player_ui(ui: &mut Ui, show: &mut Show<'_>, playing: bool, begun: bool) {
    let [all, two, _] = sizes::PLAYER;
    let room = ui.available_width().round();
    ui.spacing_mut().item_spacing.x = sizes::S1;
    ui.spacing_mut().interact_size.y = sizes::INPUT_ROW;
    ui.spacing_mut().button_padding.y = 0.0;
    let (label, command) = if playing {
        (common::PAUSE, PlayCommand::Pause)
    } else {
        (common::PLAY, PlayCommand::Play)
    };
    if with_tooltip(ui.button(label), Action::PlayPause).clicked() {
        show.push(command);
    }
    if room < two {
        return;
    }
    let step = ui.add_enabled(!playing, Button::new(common::STEP));
    if step.clicked() {
        show.push(PlayCommand::Step);
    }
    if room < all {
        return;
    }
    let restart = ui.add_enabled(begun, Button::new(common::RESTART));
    if restart.clicked() {
        show.push(PlayCommand::Restart);
    }
}
