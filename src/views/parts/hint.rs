//! Targets of the hint of the first start.

use eframe::egui::{Id, Rect, Ui};

use crate::views::Show;

/// What the hint points at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    Views,
    Redraw,
    Flags,
}

impl Target {
    pub const ALL: [Self; 3] = [Self::Views, Self::Redraw, Self::Flags];

    /// The key its place is noted under.
    pub fn id(self) -> Id {
        Id::unique(("hint target", self as usize))
    }
}

/// Records the place of a target for the hint, which is drawn later.
pub fn note_target(ui: &Ui, show: &Show<'_>, target: Target, rect: Rect) {
    if show.state.shell.hint && ui.clip_rect().contains(rect.center()) {
        let pass = ui.ctx().cumulative_pass_nr();
        ui.data_mut(|d| d.insert_temp(target.id(), (rect, pass)));
    }
}
