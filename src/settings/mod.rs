//! What the user chooses and the program remembers.

mod fine_tune;
mod layer_sort;
mod paper;
mod view;

use eframe::egui;
use serde::{Deserialize, Serialize};

use crate::augment::Pipeline;
use crate::model::{Mode, Outer, Preprocessing, Semantics};
use crate::words::{common, window as words};
use modelens_jobs::{DropoutSetting, Grid, PredictLook};

pub use fine_tune::{MAX_EPOCHS, MAX_PART, MAX_SEEDS, RATES, TrainSettings};
pub use layer_sort::{LayerColumn, LayerSort};
pub use paper::{Background, LEGIBLE, POINTS_PER_MM, Paper, Preset};
pub use view::View;

/// The largest batch the window offers.
pub const MAX_BATCH: usize = 64;

/// Light, dark, or as the system has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum ThemeChoice {
    #[default]
    System,
    Light,
    Dark,
}

impl ThemeChoice {
    pub const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    /// The name the window shows.
    pub fn label(self) -> &'static str {
        match self {
            Self::System => words::SYSTEM,
            Self::Light => common::LIGHT,
            Self::Dark => common::DARK,
        }
    }
}

impl From<ThemeChoice> for egui::ThemePreference {
    fn from(choice: ThemeChoice) -> Self {
        match choice {
            ThemeChoice::System => Self::System,
            ThemeChoice::Light => Self::Light,
            ThemeChoice::Dark => Self::Dark,
        }
    }
}

/// What the user chose, independent of any file.
#[allow(
    clippy::struct_excessive_bools,
    reason = "independent switches, each a yes or no"
)]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    pub view: View,
    pub theme: ThemeChoice,
    /// `None`: by the file.
    pub semantics: Option<Semantics>,
    /// The outer call of the training column.
    pub call: Outer,
    /// `None`: by the file.
    pub preprocessing: Option<Preprocessing>,
    pub batch: usize,
    pub seed: u64,
    /// How often new draws were asked for.
    pub redraws: u64,
    /// False: dropout and noise of a batch act as in inference.
    pub random: bool,
    /// The layer fine-tuning starts from.
    pub fine_tune_from: usize,
    /// Channels by their distance from the moving statistics.
    pub sort_channels: bool,
    /// The BatchNorm view compares the norms that may be in the layer's place.
    pub compare_norms: bool,
    pub pipeline: Pipeline,
    pub grid: Grid,
    /// Keeps "new seed" from changing it.
    pub seed_locked: bool,
    /// Whether the photos of a batch go through the pipeline before the model sees them.
    pub augment_batch: bool,
    /// The order of the layer table.
    pub layer_sort: LayerSort,
    /// Shows the layer table without the four cards.
    pub only_layers: bool,
    /// Whether animations advance in whole steps only.
    pub reduce_motion: bool,
    /// Passes of the dropout view's Monte Carlo histogram.
    pub monte_carlo: usize,
    /// How often the predict view runs the same batch.
    pub passes: usize,
    pub train: TrainSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            view: View::default(),
            theme: ThemeChoice::System,
            semantics: None,
            call: Outer::Given(Mode::Training),
            preprocessing: None,
            batch: 32,
            seed: 7,
            redraws: 0,
            random: true,
            fine_tune_from: 120,
            sort_channels: true,
            compare_norms: false,
            pipeline: Pipeline::course(),
            grid: Grid::OnePhoto,
            seed_locked: false,
            augment_batch: false,
            layer_sort: LayerSort::default(),
            only_layers: false,
            reduce_motion: false,
            monte_carlo: DropoutSetting::default().passes,
            passes: PredictLook::PASSES,
            train: TrainSettings::default(),
        }
    }
}
