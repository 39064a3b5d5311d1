//! The keyboard in the list of layers. The list is one stop of Tab: the arrow keys, Page Up, Page Down, Home and End move
//! on from there, and the list scrolls along.

use eframe::egui::{EventFilter, Id, Key, Memory, Modifiers, Sense, Ui};

use crate::state::{ListRow, ModuleRow};
use crate::theme::sizes;

/// What of a row can have the focus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RowPart {
    Check,
    Row,
    Mode,
}

/// The id of a part of a row. It does not depend on where the row is.
pub fn part_id(row: ModuleRow, part: RowPart) -> Id {
    Id::unique("row of layers").with((row, part))
}

/// Where the focus is in the list.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ListFocus {
    /// The row that Tab stops at, if it is in sight.
    stop: Option<ModuleRow>,
    /// The row that has the focus.
    focused: Option<ModuleRow>,
    /// The list's scroll offset, in points.
    pub offset: f32,
}

fn kept_id() -> Id {
    Id::unique("focus in the list of layers")
}

impl ListFocus {
    /// Takes the keys of this frame. Also returns the offset to scroll to, if the focus has moved.
    pub fn take(ui: &Ui, rows: &[ListRow], height: f32) -> (Self, Option<f32>) {
        let kept = ui.data(|data| data.get_temp::<Self>(kept_id()));
        let mut focus = kept.unwrap_or_default();
        let before = focus.focused;
        let focused = ui.memory(Memory::focused);
        let parts = [RowPart::Check, RowPart::Row, RowPart::Mode];
        let found = focused.and_then(|id| {
            let place = |of: ModuleRow| parts.into_iter().find(|&part| part_id(of, part) == id);
            let mut places = rows.iter().enumerate();
            places.find_map(|(i, row)| Some((i, place(row.of)?)))
        });
        focus.focused = found.map(|(i, _)| rows[i].of);
        let Some((mut at, part)) = found else {
            return (focus, None);
        };
        if let Some(to) = pressed(ui, part_id(rows[at].of, part), at, rows.len(), height) {
            at = to;
            ui.memory_mut(|memory| memory.request_focus(part_id(rows[to].of, part)));
            focus.focused = Some(rows[to].of);
        }
        focus.stop = focus.focused;
        let top = at as f32 * sizes::LAYER_ROW;
        let least = (top + sizes::LAYER_ROW - height).max(0.0);
        let moved = focus.focused != before;
        (
            focus,
            moved.then(|| focus.offset.clamp(least, top.max(least))),
        )
    }

    /// Makes a row in sight the one that Tab stops at, if the one before is out of sight.
    pub fn stop_in(&mut self, rows: &[ListRow], chosen: Option<ModuleRow>) {
        let in_sight = |row: &ModuleRow| rows.iter().any(|shown| shown.of == *row);
        let stop = self.stop.filter(in_sight).or(chosen.filter(in_sight));
        self.stop = stop.or(rows.first().map(|row| row.of));
    }

    /// What a part of a row senses: only one row is a stop of Tab.
    pub fn sense(&self, row: ModuleRow, sense: Sense) -> Sense {
        if self.stop == Some(row) {
            sense | Sense::FOCUSABLE
        } else {
            sense - Sense::FOCUSABLE
        }
    }

    /// Keeps it for the next frame.
    pub fn keep(self, ui: &Ui) {
        ui.data_mut(|data| data.insert_temp(kept_id(), self));
    }
}

/// The row that the pressed keys go to.
fn pressed(ui: &Ui, focused: Id, at: usize, len: usize, height: f32) -> Option<usize> {
    let filter = EventFilter {
        vertical_arrows: true,
        ..EventFilter::default()
    };
    ui.memory_mut(|memory| memory.set_focus_lock_filter(focused, filter));
    let times = |key| ui.input_mut(|i| i.count_and_consume_key(Modifiers::NONE, key));
    let page = ((height / sizes::LAYER_ROW).floor() as usize).saturating_sub(1);
    let last = len.saturating_sub(1);
    let down = times(Key::ArrowDown) + times(Key::PageDown) * page.max(1);
    let up = times(Key::ArrowUp) + times(Key::PageUp) * page.max(1);
    let mut to = (at + down).min(last).saturating_sub(up);
    if times(Key::Home) > 0 {
        to = 0;
    }
    if times(Key::End) > 0 {
        to = last;
    }
    (to != at).then_some(to)
}
