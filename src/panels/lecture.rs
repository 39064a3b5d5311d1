//! What lecture mode adds: one line that says what is shown, and a ring around the pointer.

use eframe::egui::{Align, Id, LayerId, Layout, Order, Rect, Stroke, Ui};

use crate::command::Action;
use crate::theme::{self, sizes, text};
use crate::views::{Show, parts};

/// View, layer, rules and photo, in place of the panels; at the right, what a lecturer presses and
/// the keys.
pub fn caption_ui(ui: &mut Ui, show: &mut Show<'_>, rect: Rect) {
    let palette = theme::palette(ui);
    let state = show.state;
    let view = state.settings.view;
    let page = view.page();
    let mut about = vec![state.semantics().label().to_owned()];
    if let Some(base) = &state.opened.base {
        let layer = page.layer(base).map(|id| &base.model.graph.layers[id].name);
        about.extend(layer.cloned());
    }
    let lecture = page.lecture(state);
    about.extend(lecture.about);
    about.retain(|part| !part.is_empty());
    let layout = Layout::right_to_left(Align::Center);
    parts::inside_ui(ui, rect, layout, |ui| {
        show.action_ui(ui, Action::ShowKeys);
        for action in lecture.actions.into_iter().rev() {
            show.action_ui(ui, action);
        }
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            parts::label_ui(ui, text::strong(page.label()));
            parts::line_ui(ui, text::muted(about.join(" · "), palette));
        });
    });
}

/// A ring around the pointer, to be seen from the last row.
pub fn pointer_ui(ui: &Ui) {
    let Some(at) = ui.ctx().pointer_latest_pos() else {
        return;
    };
    let palette = theme::palette(ui);
    let layer = LayerId::new(Order::Tooltip, Id::unique("pointer ring"));
    let painter = ui.ctx().layer_painter(layer);
    let stroke = Stroke::new(sizes::CELL_RING, palette.ink);
    painter.circle_stroke(at, sizes::POINTER_RING, stroke);
}
