//! Counts key presses, and handles the keys of an enlarged cell and Escape.

use eframe::egui::{
    Event, FocusDirection, InputState, Key, KeyboardShortcut, Memory, Modifiers, Popup, Ui,
};

use crate::command::{Action, Command, PipelineCommand};
use crate::panels::choice_id;
use crate::state::State;
use crate::views::augmentation::large_cell;

/// Removes a shortcut from this frame's input and returns how often it was pressed. A slow frame can
/// hold several presses. A key that is held down counts once unless `repeats`.
pub fn presses(input: &mut InputState, shortcut: KeyboardShortcut, repeats: bool) -> usize {
    let key_wanted = shortcut.logical_key;
    if !repeats {
        input.events.retain(|event| {
            !matches!(event, Event::Key { key, pressed: true, repeat: true, .. } if *key == key_wanted)
        });
    }
    input.count_and_consume_key(shortcut.modifiers, key_wanted)
}

/// True for the keys with which a focused button, slider or menu is used.
pub fn belongs_to_widgets(key: Key) -> bool {
    matches!(
        key,
        Key::ArrowLeft
            | Key::ArrowRight
            | Key::ArrowUp
            | Key::ArrowDown
            | Key::Space
            | Key::Enter
            | Key::Tab
            | Key::Escape
    )
}

/// Keys of the enlarged cell: arrows step through the cells, Shift with arrows moves the divider, R
/// redraws, Escape closes. They do nothing while a text field or a menu has the keyboard.
pub fn opened_cell(ui: &Ui, divider: f32, commands: &mut Vec<Command>) {
    let ctx = ui.ctx();
    if ctx.text_edit_focused() || Popup::is_any_open(ctx) {
        return;
    }
    let pressed = |modifiers, key| ui.input_mut(|i| i.consume_key(modifiers, key));
    for (key, step) in [
        (Key::ArrowLeft, -1),
        (Key::ArrowRight, 1),
        (Key::ArrowUp, -1),
        (Key::ArrowDown, 1),
    ] {
        // Shift first: a plain key matches whatever modifiers are held.
        if pressed(Modifiers::SHIFT, key) {
            let at = divider + large_cell::DIVIDER_STEP * step as f32;
            commands.push(PipelineCommand::SetDivider(at).into());
        } else if pressed(Modifiers::NONE, key) {
            commands.push(PipelineCommand::StepCell(step).into());
            // Keep egui from moving the focus to the neighbouring button.
            ctx.memory_mut(|memory| {
                memory.move_focus(FocusDirection::None);
                memory.request_focus(large_cell::focus_id());
            });
        }
    }
    if pressed(Modifiers::NONE, Key::R) {
        commands.push(Action::Redraw.into());
    }
    if pressed(Modifiers::NONE, Key::Escape) {
        commands.push(PipelineCommand::Open(None).into());
    }
}

/// While a prediction waits for an answer, the arrow keys up and down move the focus between its
/// choices; Enter presses the one with the focus, as it does everywhere.
pub fn question(ui: &Ui, state: &State) {
    let ctx = ui.ctx();
    let choices = state.lesson.as_ref().filter(|open| open.is_veiled());
    let choices = choices.and_then(|open| open.now()?.predict.as_ref());
    let choices = choices.map_or(0, |predict| predict.choices.len());
    let taken = state.is_covered() || ctx.text_edit_focused() || Popup::is_any_open(ctx);
    if choices == 0 || taken {
        return;
    }
    let pressed = |key| ui.input_mut(|i| i.count_and_consume_key(Modifiers::NONE, key));
    let by = pressed(Key::ArrowDown) as isize - pressed(Key::ArrowUp) as isize;
    if by == 0 {
        return;
    }
    let focused = ctx.memory(Memory::focused);
    let now = (0..choices).find(|&i| focused == Some(choice_id(i)));
    let first = if by > 0 { -1 } else { choices as isize };
    let next = now.map_or(first, |now| now as isize) + by;
    let next = next.rem_euclid(choices as isize) as usize;
    ctx.memory_mut(|memory| {
        memory.move_focus(FocusDirection::None);
        memory.request_focus(choice_id(next));
    });
}

/// Escape ends lecture mode. Menus, the command palette, sheets and dialogs close themselves.
pub fn escape(ui: &Ui, state: &State, commands: &mut Vec<Command>) {
    let above = state.is_covered() || Popup::is_any_open(ui.ctx());
    if above || state.shell.lecture.is_none() {
        return;
    }
    if ui.input_mut(|i| i.consume_key(Modifiers::NONE, Key::Escape)) {
        commands.push(Action::Lecture.into());
    }
}
