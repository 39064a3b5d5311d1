//! Photos through the augmentation pipeline in both modes.

mod add_menu;
pub mod cells;
pub(super) mod code;
mod controls;
mod icons;
pub mod large_cell;
mod numbers;
mod parameters;
mod pipeline_card;
mod ui;
mod values;
mod words;

use eframe::egui::Ui;

use super::parts::Cut;
use super::{Explanation, Page, Show, current};
use crate::dataset::PhotoList;
use crate::lesson::Value;
use crate::state::{GridTextures, State, View};
use crate::theme::sizes;
use modelens_jobs::{AugmentationLook, AugmentationOutcome, GridCell, Look, LookResult, Outcome};

/// The height and width that the pipeline gets if the model leaves its input size open.
const OPEN_SIDE: usize = 224;

/// The Augmentation view.
pub struct Augmentation;

impl Page for Augmentation {
    fn label(&self) -> &'static str {
        words::LABEL
    }

    fn tooltip(&self) -> &'static str {
        words::TOOLTIP
    }

    fn wanted(&self, state: &State) -> Option<Look> {
        let base = state.opened.base.as_ref()?;
        let gallery = state.opened.gallery.as_ref()?;
        gallery.chosen()?;
        let settings = &state.settings;
        let [height, width, channels] = base.model.graph.input_hwc;
        Some(Look::Augmentation(AugmentationLook {
            photos: gallery.id,
            photo: gallery.photo,
            grid: settings.grid,
            cell_redraws: state.grid.cell_redraws.clone(),
            height: height.unwrap_or(OPEN_SIDE),
            width: width.unwrap_or(OPEN_SIDE),
            channels: channels.unwrap_or(3),
            pipeline: settings.pipeline.clone(),
            semantics: state.semantics(),
            seed: settings.seed,
            redraws: settings.redraws,
        }))
    }

    fn explanation(&self, state: &State) -> Explanation {
        let text = shown(state).map(|shown| {
            let pipeline = &shown.look.pipeline;
            let own = state.own_pipeline().filter(|own| own.pipeline == *pipeline);
            words::sentences(&words::Seen {
                outcome: shown.outcome,
                pipeline,
                grid: shown.look.grid,
                semantics: shown.look.semantics,
                photos: shown.photos,
                own: own.map(|own| own.name.as_str()),
            })
        });
        Explanation {
            text: text.unwrap_or_default(),
            code: code::snippet(&state.settings.pipeline, state.semantics()),
        }
    }

    fn controls_ui(&self, ui: &mut Ui, show: &mut Show<'_>) {
        controls::controls_ui(ui, show);
    }

    fn body_ui(&self, ui: &mut Ui, show: &mut Show<'_>, cut: Cut) {
        ui::body_ui(ui, show, cut);
    }

    fn covers_explanation(&self, state: &State) -> bool {
        state.grid.open.is_some() && shown(state).is_some()
    }

    fn sample(&self, _state: &State, _view: View) -> Option<String> {
        None
    }

    fn figure_height(&self, _ui: &Ui, _state: &State, width: f32) -> f32 {
        if width < sizes::FIGURE_LEAST {
            let column = (width * sizes::CELLS_TALL).floor();
            return 2.0 * column + sizes::COLUMN_GAP;
        }
        sizes::FIGURE_BODY
    }

    fn took(&self, looked: &LookResult) -> String {
        let images = outcome_of(looked).map_or(0, |outcome| outcome.training.len());
        words::took(images, looked.secs)
    }

    fn value_names(&self) -> Vec<(&'static str, &'static str)> {
        super::values::meanings_of(values::TABLE)
    }

    fn value(&self, state: &State, name: &str) -> Option<Value> {
        let value = super::values::find(values::TABLE, name)?;
        value(outcome_of(current(state, View::Augmentation)?)?)
    }

    fn numbers(&self, state: &State) -> Option<String> {
        outcome(state).map(numbers::csv)
    }
}

/// A result with its pictures, up to date or not.
#[derive(Clone, Copy)]
pub struct Shown<'a> {
    /// The set of the photos.
    photos: Option<&'a PhotoList>,
    look: &'a AugmentationLook,
    outcome: &'a AugmentationOutcome,
    textures: &'a GridTextures,
}

impl<'a> Shown<'a> {
    /// What stands under a cell: the new label if it was mixed, and what was drawn.
    fn caption(&self, cell: &GridCell) -> String {
        let target = target(self.photos, cell);
        if target.len() < 2 {
            return cell.words.clone();
        }
        format!("{}: {}", words::target(&target), cell.words)
    }

    /// A photo's name without folder and extension.
    fn stem(&self, photo: usize) -> &'a str {
        let listed = self.photos.and_then(|set| set.photos.get(photo));
        let name = listed.map_or("", |p| p.name.as_str());
        let file = name.rsplit('/').next().unwrap_or(name);
        file.rsplit_once('.').map_or(file, |(stem, _)| stem)
    }
}

/// The new label of a cell: classes with their shares, the largest first.
fn target<'a>(photos: Option<&'a PhotoList>, cell: &GridCell) -> Vec<(&'a str, f64)> {
    let mut target: Vec<(&str, f64)> = Vec::new();
    for &(photo, share) in &cell.target {
        let set = photos.and_then(|set| set.classes.get(set.photos.get(photo)?.class));
        let Some(class) = set.map(String::as_str) else {
            continue;
        };
        match target.iter_mut().find(|(known, _)| *known == class) {
            Some((_, sum)) => *sum += share,
            None => target.push((class, share)),
        }
    }
    target
}

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

/// How far a step changed a photo in each mode, if the result is of the present pipeline.
fn step_difference(state: &State, step: usize) -> Option<[Option<f32>; 2]> {
    let shown = shown(state)?;
    let steps = &shown.look.pipeline.steps;
    if *steps != state.settings.pipeline.steps || !steps.get(step)?.on {
        return None;
    }
    let place = steps[..step].iter().filter(|step| step.on).count();
    shown.outcome.step_differences.get(place).copied()
}

/// The latest outcome, up to date or not.
pub fn outcome(state: &State) -> Option<&AugmentationOutcome> {
    outcome_of(state.computed.result(View::Augmentation)?)
}

fn outcome_of(looked: &LookResult) -> Option<&AugmentationOutcome> {
    let Outcome::Augmentation(outcome) = &looked.outcome else {
        return None;
    };
    Some(outcome)
}
