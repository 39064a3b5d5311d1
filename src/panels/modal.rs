//! The frame of what covers the window until it is closed: a title, a button, content that scrolls.

use eframe::egui::{Align, Id, Layout, Modal, RichText, ScrollArea, Ui};

use crate::theme::sizes;
use crate::words::common;

/// Covers the window; returns true if the person closes it.
pub fn modal_ui(
    ui: &Ui,
    id: &'static str,
    title: RichText,
    content_ui: impl FnOnce(&mut Ui),
) -> bool {
    let response = Modal::new(Id::unique(id)).show(ui.ctx(), |ui| {
        let window = ui.ctx().content_rect();
        ui.set_width(sizes::SHEET_WIDTH.min(window.width() - 2.0 * sizes::S4));
        let mut close = false;
        ui.horizontal(|ui| {
            ui.label(title);
            let layout = Layout::right_to_left(Align::Center);
            ui.with_layout(layout, |ui| close = ui.button(common::CLOSE).clicked());
        });
        let height = window.height() - 2.0 * sizes::TOP_BAR - sizes::CONTROL_HEIGHT;
        ScrollArea::vertical()
            .max_height(height)
            .min_scrolled_height(height)
            .auto_shrink([false, true])
            .show(ui, content_ui);
        close
    });
    response.inner || response.should_close()
}
