//! The menu of all layers and transforms that can be added.

use eframe::egui::{Popup, Response, ScrollArea};

use super::words;
use crate::augment::{AugmentLayer, Framework, Transform};
use crate::state::State;
use crate::theme::sizes;
use crate::views::menu::{self, Entry};
use crate::views::parts;

/// `[height, width]` of the photos, with which layers that change the size start.
pub fn size(state: &State) -> [usize; 2] {
    let base = state.opened.base.as_ref();
    base.map_or([1, 1], |base| {
        modelens_jobs::look::photo_size(base.model.graph.input_hwc)
    })
}

/// The menu of a button, with a heading for each framework; the layer that was clicked.
pub fn menu_ui(
    button: &Response,
    [height, width]: [usize; 2],
    frameworks: &[Framework],
) -> Option<AugmentLayer> {
    let mut chosen = None;
    Popup::menu(button).width(sizes::PICKER_WIDTH).show(|ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        let area = ScrollArea::vertical().max_height(sizes::PICKER_HEIGHT);
        area.show(ui, |ui| {
            let mut group = None;
            let layers = Transform::all(height, width).map(AugmentLayer::from);
            for layer in layers {
                let framework = layer.framework();
                if !frameworks.contains(&framework) {
                    continue;
                }
                if group.replace(framework) != Some(framework) {
                    parts::title_ui(ui, words::heading(framework));
                }
                let entry = Entry {
                    name: layer.class(),
                    right: if layer.is_random() {
                        words::RANDOM
                    } else if layer.is_training_only() {
                        words::IN_TRAINING
                    } else {
                        words::BOTH_MODES
                    },
                    ..Entry::default()
                };
                if menu::entry_ui(ui, entry).clicked() {
                    chosen = Some(layer);
                    ui.close();
                }
            }
        });
    });
    chosen
}
