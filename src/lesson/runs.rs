//! The runs of the view Fine-tune in a lesson.

use serde::{Deserialize, Serialize};

use super::names::Named;
use crate::settings::{MAX_BATCH, MAX_EPOCHS, MAX_PART, MAX_SEEDS, TrainSettings};
use crate::train::optimizer::OptimizerKind;
use crate::train::recipe;

/// The runs of the view Fine-tune. What is left out has the default of the program.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct LessonRuns {
    pub preset: Named<recipe::RunPreset>,
    /// Where a PyTorch loop calls `base.eval()`.
    pub eval_calls: Named<recipe::EvalCalls>,
    pub optimizer: Named<OptimizerKind>,
    pub rate: f64,
    /// The number of epochs of each stage.
    pub epochs: usize,
    /// The number of photos in a step.
    pub batch: usize,
    pub seeds: usize,
    pub own_head: bool,
    pub dropout: f64,
    pub sigmoid: bool,
    pub validation: f64,
    /// True if the step starts the runs; otherwise the user does.
    pub start: bool,
}

impl Default for LessonRuns {
    fn default() -> Self {
        Self::of(TrainSettings::default(), true)
    }
}

impl LessonRuns {
    /// The runs with these settings.
    pub fn of(train: TrainSettings, start: bool) -> Self {
        Self {
            preset: Named(train.preset),
            eval_calls: Named(train.evals),
            optimizer: Named(train.optimizer),
            rate: train.rate,
            epochs: train.epochs,
            batch: train.batch,
            seeds: train.seeds,
            own_head: train.own_head,
            dropout: train.dropout,
            sigmoid: train.sigmoid,
            validation: train.validation,
            start,
        }
    }

    /// The settings of the window.
    pub fn settings(&self) -> TrainSettings {
        TrainSettings {
            preset: self.preset.0,
            evals: self.eval_calls.0,
            optimizer: self.optimizer.0,
            rate: self.rate,
            epochs: self.epochs,
            batch: self.batch,
            seeds: self.seeds,
            own_head: self.own_head,
            dropout: self.dropout,
            sigmoid: self.sigmoid,
            validation: self.validation,
        }
    }

    /// Checks the values.
    ///
    /// # Errors
    /// A sentence.
    pub fn check(&self) -> Result<(), String> {
        if !(1..=MAX_EPOCHS).contains(&self.epochs) {
            return Err(format!("a run has 1 to {MAX_EPOCHS} epochs"));
        }
        if !(1..=MAX_BATCH).contains(&self.batch) {
            return Err(format!("a step has 1 to {MAX_BATCH} photos"));
        }
        if !(1..=MAX_SEEDS).contains(&self.seeds) {
            return Err(format!("a run has 1 to {MAX_SEEDS} seeds"));
        }
        if !(self.rate.is_finite() && self.rate > 0.0) {
            return Err("a learning rate must be above 0".to_owned());
        }
        let part = |x: f64| (0.0..=MAX_PART).contains(&x);
        if !(part(self.dropout) && part(self.validation)) {
            return Err(format!(
                "the dropout rate and the validation split must be 0 to {MAX_PART}"
            ));
        }
        Ok(())
    }
}
