//! What the user chooses in the Fine-tune view.

use serde::{Deserialize, Serialize};

use crate::model::Semantics;
use crate::train::optimizer::OptimizerKind;
use crate::train::recipe::{BATCH, EPOCHS, EvalCalls, RATE, Recipe, RunPreset};
use modelens_jobs::fine_tune::HeadChoice;

/// Settings of the next experiment.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TrainSettings {
    pub preset: RunPreset,
    /// Where a PyTorch loop calls `base.eval()`.
    pub evals: EvalCalls,
    pub optimizer: OptimizerKind,
    pub rate: f64,
    /// Epochs of each stage.
    pub epochs: usize,
    /// Number of photos in a step; a preset may have its own.
    pub batch: usize,
    /// Number of seeds, from the one of the window on.
    pub seeds: usize,
    /// The file's own head instead of a new one.
    pub own_head: bool,
    /// Dropout rate in a new head.
    pub dropout: f64,
    /// Two classes as one output with a sigmoid instead of two with a softmax.
    pub sigmoid: bool,
    /// The part of the photos that validates.
    pub validation: f64,
}

impl TrainSettings {
    /// Number of photos in a step of the next runs under these rules.
    pub fn step_photos(&self, semantics: Semantics) -> usize {
        self.preset(semantics).batch().unwrap_or(self.batch)
    }

    /// The chosen preset, or the default one if its runs would not differ under these rules.
    pub fn preset(&self, semantics: Semantics) -> RunPreset {
        if self.preset.suits(semantics) {
            self.preset
        } else {
            Self::default().preset
        }
    }

    /// The runs to compare.
    pub fn recipes(&self, semantics: Semantics) -> Vec<Recipe> {
        let preset = self.preset(semantics);
        preset.recipes(self.epochs, self.rate, self.evals)
    }

    /// The head of the next runs for this many classes. One sigmoid output works for two classes only.
    pub fn head(&self, classes: usize) -> HeadChoice {
        if self.own_head {
            return HeadChoice::Own;
        }
        HeadChoice::New {
            dropout: self.dropout,
            sigmoid: self.sigmoid && classes == 2,
        }
    }
}

impl Default for TrainSettings {
    fn default() -> Self {
        Self {
            preset: RunPreset::FourWay,
            evals: EvalCalls::default(),
            optimizer: OptimizerKind::Adam,
            rate: RATE,
            epochs: EPOCHS,
            batch: BATCH,
            seeds: 1,
            own_head: false,
            dropout: DROPOUT,
            sigmoid: false,
            validation: VALIDATION,
        }
    }
}

/// Learning rates to choose from.
pub const RATES: [f64; 7] = [1e-1, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 1e-5];
/// The most epochs of a stage.
pub const MAX_EPOCHS: usize = 200;
/// The most seeds.
pub const MAX_SEEDS: usize = 8;
/// The largest validation split, and the largest rate of dropout.
pub const MAX_PART: f64 = 0.9;
/// The part of the photos that validates, and the rate in a new head, as in the course.
const VALIDATION: f64 = 0.2;
const DROPOUT: f64 = 0.2;
