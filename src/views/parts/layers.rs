//! What the list of layers and the table of layers share.

use eframe::egui::{Color32, FontId, Rect, Ui, pos2};

use crate::model::{LayerId, Role};
use crate::state::Base;
use crate::words::number;

/// True if the name or class of a layer contains `search`, which is in lower case.
pub fn matches(base: &Base, id: LayerId, search: &str) -> bool {
    let layer = &base.model.graph.layers[id];
    layer.name.to_lowercase().contains(search) || layer.class.to_lowercase().contains(search)
}

/// A name in one line; if there is no room, its middle is cut out.
pub fn name_ui(ui: &Ui, rect: Rect, name: &str, font: &FontId, color: Color32) {
    let layout = |text: String| ui.painter().layout_no_wrap(text, font.clone(), color);
    let mut galley = layout(name.to_owned());
    // Names of one block differ at the end, so the middle is what may go.
    let mut kept = name.chars().count();
    while galley.size().x > rect.width() && kept > 3 {
        kept -= 1;
        galley = layout(number::shortened(name, kept));
    }
    let at = pos2(rect.left(), rect.center().y - galley.size().y / 2.0);
    ui.painter().galley(at, galley, color);
}

/// True if a layer may behave differently in training and in inference.
pub fn has_modes(role: Role) -> bool {
    matches!(role, Role::BatchNorm | Role::Noise | Role::Augmentation)
}
