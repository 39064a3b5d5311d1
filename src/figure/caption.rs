//! What a figure says below its picture.

use eframe::egui::{self, Label, Rect, Ui};

use super::draw::What;
use crate::state::{Part, State, View};
use crate::theme::{self, sizes, text};
use crate::views::{self, parts};
use crate::words::common::sentence_case;
use crate::words::export as words;
use crate::words::modes;
use crate::words::titles::{model_title, photos_title};

/// Draws the sentences and what they were measured on; returns their bottom. `side` is the heading
/// above a plot.
pub fn caption_ui(ui: &mut Ui, state: &State, what: &What, side: Option<&str>, room: Rect) -> f32 {
    let palette = theme::palette(ui);
    let text = description(state, what, side);
    parts::inside_ui(ui, room, egui::Layout::default(), |ui| {
        ui.set_clip_rect(room.expand(sizes::S4));
        ui.spacing_mut().item_spacing.y = sizes::S1;
        ui.add(Label::new(text::prose(&text, room.width(), palette)));
        parts::wrapped_ui(ui, text::note(measured_on(state, what.view), palette));
        ui.min_rect().bottom()
    })
}

/// What the figure shows, in words. A part has only its name, since the sentences describe the whole
/// view.
pub fn description(state: &State, what: &What, side: Option<&str>) -> String {
    let mut text = shown(state, what, side);
    if what.part != Part::Window {
        for warning in state.scale_warnings(what.view) {
            text = format!("{text} {}.", sentence_case(&warning));
        }
    }
    text
}

fn shown(state: &State, what: &What, side: Option<&str>) -> String {
    let semantics = state.semantics();
    let shown = match what.part {
        Part::Window => return String::new(),
        Part::View => return views::explanation(state, what.view).text,
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
    let page = what.view.page();
    let part = words::part(page.label(), &shown, page.channel(state));
    match views::left_out(state) {
        Some(left_out) => format!("{part}\n{left_out}"),
        None => part,
    }
}

/// The name of the figure.
pub fn title(state: &State, view: View) -> String {
    let view = view.page().label();
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
        if let Some(layer) = view.page().layer(base) {
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
    parts.extend(view.page().sample(state, view));
    parts.push(words::seed(state.settings.seed));
    parts.push(state.semantics().label().to_owned());
    parts.join(" · ")
}
