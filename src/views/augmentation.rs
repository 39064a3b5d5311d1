//! Photos through the pipeline in both modes: the grid, one cell large, and the list of steps.

pub mod cells;
mod controls;
pub mod opened;
mod parameters;
mod pipeline_card;

use eframe::egui::Ui;

pub use controls::{controls_ui, redraw_ui};

use super::explain::Explanation;
use super::parts::{self, Cut};
use super::{Show, centre, code};
use crate::dataset::PhotoSet;
use crate::model::{Mode, Semantics};
use crate::state::{GridTextures, State, View};
use crate::theme::sizes;
use crate::words::augmentation as words;
use crate::words::modes;
use crate::worker::{AugmentationLook, AugmentationOutcome, Look, Outcome};

/// A result on the screen, up to date or not.
#[derive(Clone, Copy)]
pub struct Shown<'a> {
    /// The set of the photos.
    pub photos: Option<&'a PhotoSet>,
    pub look: &'a AugmentationLook,
    pub outcome: &'a AugmentationOutcome,
    pub textures: &'a GridTextures,
}

impl<'a> Shown<'a> {
    /// A photo's name without folder and extension.
    pub fn stem(&self, photo: usize) -> &'a str {
        let listed = self.photos.and_then(|set| set.photos.get(photo));
        let name = listed.map_or("", |p| p.name.as_str());
        let file = name.rsplit('/').next().unwrap_or(name);
        file.rsplit_once('.').map_or(file, |(stem, _)| stem)
    }
}

/// The latest result with its pictures.
fn shown(state: &State) -> Option<Shown<'_>> {
    let looked = state.computed.result(View::Augmentation)?;
    let textures = state.computed.grid.as_ref()?;
    match (&looked.look, &looked.outcome) {
        (Look::Augmentation(look), Outcome::Augmentation(outcome)) => Some(Shown {
            photos: state.photos(),
            look,
            outcome,
            textures,
        }),
        _ => None,
    }
}

/// Whether one cell is shown large: it takes the room of the sentences too.
pub fn is_open(state: &State) -> bool {
    state.grid.open.is_some() && shown(state).is_some()
}

/// Sentences and code.
pub fn explanation(state: &State) -> Explanation {
    let text = shown(state).map(|shown| {
        let pipeline = &shown.look.pipeline;
        let own = state.own_pipeline().filter(|own| own.pipeline == *pipeline);
        words::sentences(&words::Seen {
            outcome: shown.outcome,
            pipeline,
            grid: shown.look.grid,
            semantics: shown.look.semantics,
            own: own.map(|own| own.name.as_str()),
        })
    });
    Explanation {
        text: text.unwrap_or_default(),
        code: code::augmentation(&state.settings.pipeline, state.semantics()),
    }
}

/// The two grids, or one cell large; at the right the steps, while they are edited.
pub fn body_ui(ui: &mut Ui, show: &mut Show<'_>, mut cut: Cut) {
    let state = show.state;
    if let (Some(place), Some(shown)) = (state.grid.open, shown(state)) {
        opened::opened_ui(ui, show, &shown, place, cut.0);
        return;
    }
    if state.grid.editing && !parts::is_figure(ui) {
        let left = cut.0.right() - sizes::PIPELINE_CARD;
        let (rest, card) = cut.0.split_left_right_at_x(left);
        pipeline_card::pipeline_card_ui(ui, show, card);
        cut = Cut(rest.with_max_x(rest.right() - sizes::COLUMN_GAP));
    }
    let semantics = state.semantics();
    for (mode, rect) in Mode::BOTH.into_iter().zip(cut.halves(sizes::COLUMN_GAP)) {
        let note = match (mode, semantics) {
            (_, Semantics::PyTorch) => words::DRAWS_BOTH,
            (Mode::Training, _) => words::DRAWS,
            (Mode::Inference, _) => words::RETURNS,
        };
        let title = modes::mode_label(mode, semantics);
        let room = parts::column_ui(ui, rect, mode, title, note);
        match shown(state) {
            Some(shown) => cells::cells_ui(ui, show, &shown, mode, room),
            None => centre::waiting_ui(ui, show, room, mode),
        }
    }
}
