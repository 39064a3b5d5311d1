//! What lecture mode adds: one line that says what is shown, and a ring around the pointer.

use eframe::egui::{Align, Id, LayerId, Layout, Order, Rect, Stroke, Ui};

use super::{Show, fine_tune, parts};
use crate::command::Action;
use crate::state::{Gallery, View};
use crate::theme::{self, sizes, text};
use crate::words::call as call_words;

/// View, layer, rules and photo, in place of the panels; at the right, what a lecturer presses and
/// the keys.
pub fn caption_ui(ui: &mut Ui, show: &mut Show<'_>, rect: Rect) {
    let palette = theme::palette(ui);
    let state = show.state;
    let view = state.settings.view;
    let label = Action::Show(view).info().label;
    let mut about = vec![state.semantics().label().to_owned()];
    if let Some(base) = &state.opened.base {
        let layer = base.layer(view).map(|id| &base.model.graph.layers[id].name);
        about.extend(layer.cloned());
        if view != View::FineTune {
            about.push(call_words::label(state.settings.call, state.semantics()).to_owned());
        }
    }
    let mut actions = vec![Action::Redraw];
    if view == View::FineTune {
        let (shown, progress) = fine_tune::buttons(show);
        actions = shown;
        about.push(state.settings.train.preset.label().to_owned());
        about.push(progress);
    } else {
        let photo = state.opened.gallery.as_ref().and_then(Gallery::chosen);
        about.extend(photo.map(|photo| photo.name.clone()));
    }
    about.retain(|part| !part.is_empty());
    let layout = Layout::right_to_left(Align::Center);
    parts::inside_ui(ui, rect, layout, |ui| {
        show.action_ui(ui, Action::ShowKeys);
        for action in actions.into_iter().rev() {
            show.action_ui(ui, action);
        }
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            parts::label_ui(ui, text::strong(label));
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
