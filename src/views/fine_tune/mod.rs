//! Real training steps: runs side by side that differ in the two switches only.

pub(super) mod code;
mod controls;
mod curves;
mod numbers;
mod run_card;
mod setup;
mod ui;
mod values;
mod words;

use eframe::egui::{Ui, Vec2, vec2};

use super::parts::Cut;
use super::{Explanation, Lecture, Page, Show};
use crate::lesson::Value;
use crate::state::{State, TrainingState, View};
use crate::theme::sizes;
use crate::words::export;
use modelens_jobs::fine_tune::FineTune as Setup;
use modelens_jobs::{Experiment, Look, LookResult};

pub use words::model_title;

/// The Fine-tune view.
pub struct FineTune;

impl Page for FineTune {
    fn label(&self) -> &'static str {
        words::LABEL
    }

    fn tooltip(&self) -> &'static str {
        words::TOOLTIP
    }

    fn wanted(&self, _state: &State) -> Option<Look> {
        None
    }

    fn explanation(&self, state: &State) -> Explanation {
        let training = &state.training;
        // Of the runs that are shown, whatever the controls say by now.
        let train = training.asked.unwrap_or(state.settings.train);
        let asked = training.experiment.as_ref().map(|e| e.setup.semantics);
        let semantics = asked.unwrap_or_else(|| state.semantics());
        let classes = state.photos().map_or(0, |photos| photos.classes.len());
        Explanation {
            text: words::explanation(training, train.preset(semantics), semantics),
            code: code::snippet(&train, train.head(classes), semantics),
        }
    }

    fn controls_ui(&self, ui: &mut Ui, show: &mut Show<'_>) {
        controls::controls_ui(ui, show);
    }

    fn body_ui(&self, ui: &mut Ui, show: &mut Show<'_>, cut: Cut) {
        ui::body_ui(ui, show, cut);
    }

    fn control_rows(&self, width: f32) -> usize {
        if width < sizes::FINE_TUNE_TWO_ROWS {
            3
        } else if width < sizes::FINE_TUNE_CONTROLS {
            2
        } else {
            1
        }
    }

    /// A figure shows the cards, as high as their words need.
    fn figure_height(&self, ui: &Ui, state: &State, width: f32) -> f32 {
        ui::height(ui, state, width)
    }

    fn least_size(&self, _ui: &Ui, state: &State, width: f32) -> Vec2 {
        vec2(sizes::FIGURE_NARROW, ui::short_height(state, width))
    }

    fn sides(&self, _state: &State) -> Option<[&'static str; 2]> {
        None
    }

    fn sample(&self, state: &State, _view: View) -> Option<String> {
        let [learn, validate] = state.training.photos;
        (learn > 0).then(|| export::learned_from(learn, validate))
    }

    fn took(&self, _looked: &LookResult) -> String {
        String::new()
    }

    fn value_names(&self) -> Vec<(&'static str, &'static str)> {
        super::values::meanings_of(values::TABLE)
    }

    fn value(&self, state: &State, name: &str) -> Option<Value> {
        let value = super::values::find(values::TABLE, name)?;
        value(complete(state)?)
    }

    fn numbers(&self, state: &State) -> Option<String> {
        numbers::csv(&state.training)
    }

    fn lecture(&self, state: &State) -> Lecture {
        let (actions, progress) = controls::buttons(&state.training);
        let preset = state.settings.train.preset(state.semantics());
        let preset = preset.label().to_owned();
        Lecture {
            about: vec![preset, progress],
            actions,
        }
    }

    fn sidecar(&self, state: &State) -> Vec<(&'static str, serde_json::Value)> {
        let train = state.training.asked.unwrap_or(state.settings.train);
        let runs = serde_json::json!({
            "preset": train.preset(state.semantics()).id(),
            "eval_calls": train.evals.id(),
            "optimizer": train.optimizer.label(),
            "rate": train.rate,
            "epochs": train.epochs,
            "batch": train.step_photos(state.semantics()),
            "seeds": train.seeds,
            "own_head": train.own_head,
            "dropout": train.dropout,
            "validation_split": train.validation,
            "photos": state.training.photos,
        });
        vec![("runs", runs)]
    }
}

/// What would run under the present settings; `None` while something is missing.
pub fn experiment(state: &State) -> Option<Experiment> {
    let base = state.opened.base.as_ref()?;
    let gallery = state.opened.gallery.as_ref()?;
    let settings = &state.settings;
    let train = settings.train;
    Some(Experiment {
        model: base.id,
        photos: gallery.id,
        setup: Setup {
            preprocessing: state.preprocessing(),
            head: train.head(gallery.photos.classes.len()),
            optimizer: train.optimizer,
            batch: train.step_photos(state.semantics()),
            validation: train.validation,
            seed: settings.seed,
            semantics: state.semantics(),
            augment: settings.augment_batch.then(|| settings.pipeline.clone()),
        },
        recipes: train.recipes(state.semantics()),
        seeds: train.seeds,
    })
}

/// True if Start would begin other runs than those that are shown.
fn is_stale(state: &State) -> bool {
    let shown = &state.training.experiment;
    shown.is_some() && experiment(state) != *shown
}

/// The runs of the present settings while the view shows them, once all of them are done.
fn complete(state: &State) -> Option<&TrainingState> {
    let training = &state.training;
    let is_shown = state.settings.view == View::FineTune && training.is_complete();
    (is_shown && training.experiment == experiment(state)).then_some(training)
}
