//! What a figure says below its picture.

use eframe::egui::{self, Label, Rect, Ui};

use super::draw::{Part, What};
use crate::state::{State, View, model_title, photos_title};
use crate::theme::{self, sizes, text};
use crate::views::{centre, parts};
use crate::words::export as words;
use crate::words::modes;

/// The sentences, and what they were measured on; returns where they end. `side`: whose heading
/// stands above a plot.
pub fn caption_ui(ui: &mut Ui, state: &State, what: &What, side: Option<&str>, room: Rect) -> f32 {
    let palette = theme::palette(ui);
    let said = said(state, what, side);
    parts::inside_ui(ui, room, egui::Layout::default(), |ui| {
        ui.set_clip_rect(room.expand(sizes::S4));
        ui.spacing_mut().item_spacing.y = sizes::S1;
        ui.add(Label::new(text::prose(&said, room.width(), palette)));
        parts::wrapped_ui(ui, text::note(measured_on(state, what.view), palette));
        ui.min_rect().bottom()
    })
}

/// What the figure shows, in words: the sentences of the view speak of all of it, so that a part
/// has only its name.
pub fn said(state: &State, what: &What, side: Option<&str>) -> String {
    let semantics = state.semantics();
    let shown = match what.part {
        Part::Window => return String::new(),
        Part::View => return centre::explanation(state, what.view).text,
        Part::Side(mode) => {
            vec![
                side.unwrap_or(modes::mode_label(mode, semantics))
                    .to_owned(),
            ]
        }
        Part::Plot(name) => [Some(name), side]
            .into_iter()
            .flatten()
            .map(str::to_owned)
            .collect(),
    };
    let view = crate::command::Action::Show(what.view).info().label;
    words::part(view, &shown, centre::channel(state, what.view))
}

/// The name of the figure.
pub fn title(state: &State, view: View) -> String {
    let view = crate::command::Action::Show(view).info().label;
    match &state.opened.base {
        Some(base) => format!("{view}: {}", model_title(&base.source)),
        None => view.to_owned(),
    }
}

/// What the numbers of a figure were measured on, in one line.
fn measured_on(state: &State, view: View) -> String {
    let mut parts = Vec::new();
    if let Some(base) = &state.opened.base {
        parts.push(model_title(&base.source));
        if let Some(layer) = base.layer(view) {
            parts.push(base.model.graph.layers[layer].name.clone());
        }
    }
    if let Some(gallery) = &state.opened.gallery {
        let photo = gallery.chosen().map(|photo| photo.name.as_str());
        parts.push(format!(
            "{}, {}",
            photos_title(&gallery.source),
            photo.unwrap_or_default()
        ));
    }
    let [learn, validate] = state.training.photos;
    if view == View::FineTune && learn > 0 {
        parts.push(words::learned_from(learn, validate));
    }
    if let Some(looked) = state.computed.result(view)
        && view != View::Augmentation
    {
        parts.push(words::batch_of(looked.batch.len()));
    }
    parts.push(words::seed(state.settings.seed));
    parts.push(state.semantics().label().to_owned());
    parts.join(" · ")
}
