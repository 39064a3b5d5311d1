//! What the person chose, what is open, and what was computed.

mod desk;
mod export;
mod grid;
mod layer_sort;
mod opened;
mod recent;
mod titles;
mod training;
mod walk;

use std::path::PathBuf;
use std::sync::Arc;

use eframe::egui;
use eframe::egui::TextureHandle;
use serde::{Deserialize, Serialize};

use crate::augment::Pipeline;
use crate::dataset::PhotoSet;
use crate::lesson::{Control, OpenLesson};
use crate::model::{Mode, Outer, Preprocessing, Semantics};
use crate::words::common;
use crate::words::window as words;
use crate::worker::{
    DropoutSetting, Grid, Job, Look, LookResult, ModelSource, PhotosId, PhotosSource, PredictLook,
    Stage, TrainedId,
};

pub use desk::{Desk, Lecture, Search, Sheet};
pub use export::{Export, ExportChoice};
pub use grid::{CellPlace, GridState};
pub use layer_sort::{LayerColumn, LayerSort};
pub use opened::{Base, Gallery, OwnPipeline};
pub use recent::Recent;
pub use titles::{model_title, photos_title};
pub use training::{MAX_EPOCHS, MAX_PART, RATES, RunState, Status, TrainSettings, TrainingState};
pub use walk::{MAX_STEPS, MAX_WALK, SPREAD, Walk};

/// The largest batch the window offers.
pub const MAX_BATCH: usize = 64;

/// The views.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum View {
    Augmentation,
    Dropout,
    BatchNorm,
    Trainable,
    FineTune,
    Predict,
}

impl View {
    /// In the order of the tabs.
    pub const ALL: [Self; 6] = [
        Self::Augmentation,
        Self::Dropout,
        Self::BatchNorm,
        Self::Trainable,
        Self::FineTune,
        Self::Predict,
    ];

    /// Those that show a look: all but Fine-tune, which shows runs that a person starts.
    pub const LOOKS: [Self; 5] = [
        Self::Augmentation,
        Self::Dropout,
        Self::BatchNorm,
        Self::Trainable,
        Self::Predict,
    ];

    /// The view a look belongs to.
    pub fn of(look: &Look) -> Self {
        match look {
            Look::Augmentation(_) => Self::Augmentation,
            Look::Dropout { .. } => Self::Dropout,
            Look::BatchNorm { .. } => Self::BatchNorm,
            Look::Trainable(_) => Self::Trainable,
            Look::Predict(_) => Self::Predict,
        }
    }

    fn index(self) -> usize {
        self as usize
    }
}

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

/// What the person chose, apart from any file.
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
    pub pipeline: Pipeline,
    pub grid: Grid,
    /// Keeps "new seed" from changing it.
    pub seed_locked: bool,
    /// Whether the photos of a batch go through the pipeline before the model sees them.
    pub augment_batch: bool,
    /// The order of the layer table.
    pub layer_sort: LayerSort,
    /// The layer table stands alone, without the four cards.
    pub only_layers: bool,
    /// Passes of the dropout view's Monte Carlo histogram.
    pub monte_carlo: usize,
    /// How often the predict view runs the same batch.
    pub passes: usize,
    pub train: TrainSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            view: View::Augmentation,
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
            pipeline: Pipeline::course(),
            grid: Grid::OnePhoto,
            seed_locked: false,
            augment_batch: false,
            layer_sort: LayerSort::default(),
            only_layers: false,
            monte_carlo: DropoutSetting::default().passes,
            passes: PredictLook::PASSES,
            train: TrainSettings::default(),
        }
    }
}

/// What is open, or being opened.
#[derive(Debug, Default)]
pub struct Opened {
    pub base: Option<Base>,
    pub gallery: Option<Gallery>,
    pub opening_model: Option<ModelSource>,
    /// The trained model that is being opened.
    pub opening_trained: Option<TrainedId>,
    pub opening_photos: Option<PhotosSource>,
    /// The photo to choose once the folder around it is open.
    pub wanted_photo: Option<String>,
}

/// A job that runs.
#[derive(Clone, Debug)]
pub struct Running {
    pub job: Job,
    pub stage: Stage,
    pub done: usize,
    pub total: usize,
}

/// A message that stays until it is dismissed.
#[derive(Clone, Debug)]
pub struct Notice {
    pub id: u64,
    pub title: &'static str,
    pub text: String,
}

/// The chosen photo, small.
pub struct Thumbnail {
    pub photos: PhotosId,
    pub photo: usize,
    /// The photo's name in its set.
    pub name: String,
    pub texture: TextureHandle,
}

/// The textures of an augmentation result, one a cell.
pub struct GridTextures {
    pub training: Vec<TextureHandle>,
    pub inference: Vec<TextureHandle>,
    /// What went into the pipeline; both sides show the same photos in the same cells.
    pub originals: Vec<TextureHandle>,
    /// What the fill mode painted in the cell that was opened last; `None` within where no matrix
    /// tells.
    pub fill: Option<(CellPlace, Option<FillTexture>)>,
}

/// What a fill mode painted.
pub struct FillTexture {
    /// White where it painted, transparent elsewhere.
    pub texture: TextureHandle,
    /// Of all pixels.
    pub share: f64,
}

/// What the worker computed and what it does now.
#[derive(Default)]
pub struct Computed {
    results: [Option<Arc<LookResult>>; View::ALL.len()],
    pub grid: Option<GridTextures>,
    pub thumbnail: Option<Thumbnail>,
    pub thumbnail_sent: Option<(PhotosId, usize)>,
    pub running: Vec<Running>,
    pub sent: Option<Look>,
    /// When the look was sent, in the window's seconds.
    pub sent_secs: f64,
    pub notices: Vec<Notice>,
    pub next_notice: u64,
    pub saved: Option<PathBuf>,
    pub show_unreadable: bool,
}

impl Computed {
    /// The latest result of a view, up to date or not.
    pub fn result(&self, view: View) -> Option<&Arc<LookResult>> {
        self.results[view.index()].as_ref()
    }

    /// Keeps a result.
    pub fn store(&mut self, looked: Arc<LookResult>) {
        let view = View::of(&looked.look);
        self.results[view.index()] = Some(looked);
    }

    /// Drops the results of a model or of photos that are no longer open.
    pub fn forget_results(&mut self) {
        self.results = Default::default();
        self.grid = None;
    }

    /// The job, if it runs.
    pub fn running(&self, job: Job) -> Option<&Running> {
        self.running.iter().find(|r| r.job == job)
    }

    /// Notes that a job runs.
    pub fn start(&mut self, job: Job, stage: Stage) {
        self.progress(Running {
            job,
            stage,
            done: 0,
            total: 0,
        });
    }

    /// Notes how far a job is.
    pub fn progress(&mut self, running: Running) {
        match self.running.iter_mut().find(|r| r.job == running.job) {
            Some(slot) => *slot = running,
            None => self.running.push(running),
        }
    }

    /// Notes that a job ended.
    pub fn finish(&mut self, job: Job) {
        self.running.retain(|r| r.job != job);
    }

    /// What such messages told is over.
    pub fn settled(&mut self, title: &str) {
        self.notices.retain(|notice| notice.title != title);
    }

    /// Shows a message until it is dismissed.
    pub fn notify(&mut self, title: &'static str, text: String) {
        if self
            .notices
            .iter()
            .any(|n| n.title == title && n.text == text)
        {
            return;
        }
        self.notices.push(Notice {
            id: self.next_notice,
            title,
            text,
        });
        self.next_notice += 1;
    }
}

/// All of it.
#[derive(Default)]
pub struct State {
    pub settings: Settings,
    pub opened: Opened,
    pub computed: Computed,
    pub grid: GridState,
    pub export: Export,
    pub walk: Walk,
    pub desk: Desk,
    /// The lesson that is open.
    pub lesson: Option<OpenLesson>,
    pub training: TrainingState,
}

impl State {
    /// Whether a list or a dialog lies over the window.
    pub fn is_covered(&self) -> bool {
        self.desk.search.is_some() || self.desk.sheet.is_some() || self.export.choice.is_some()
    }

    /// Whether the step of an open lesson hides a part of the window.
    pub fn hides(&self, control: Control) -> bool {
        let lesson = self.lesson.as_ref();
        lesson.is_some_and(|lesson| lesson.hides(control))
    }

    /// The rules in force: those chosen, else those of the file.
    pub fn semantics(&self) -> Semantics {
        let by_file = self.opened.base.as_ref().map(|b| b.model.semantics);
        self.settings
            .semantics
            .or(by_file)
            .unwrap_or(Semantics::Keras3)
    }

    /// The preprocessing in force.
    pub fn preprocessing(&self) -> Preprocessing {
        let by_file = self.opened.base.as_ref().map(|b| b.model.preprocessing);
        self.settings
            .preprocessing
            .or(by_file)
            .unwrap_or(Preprocessing::Raw)
    }

    /// The augmentation layers of the open file.
    pub fn own_pipeline(&self) -> Option<&OwnPipeline> {
        self.opened.base.as_ref()?.own_pipeline.as_ref()
    }

    /// What the batch of a shown result went through.
    pub fn augmented_by(&self, view: View) -> Option<&Pipeline> {
        match &self.computed.result(view)?.look {
            Look::Dropout { pass, .. } | Look::BatchNorm { pass, .. } => pass.augment.as_ref(),
            Look::Augmentation(_) => None,
            Look::Trainable(look) => look.pass.augment.as_ref(),
            Look::Predict(look) => look.pass.augment.as_ref(),
        }
    }

    /// The open photos.
    pub fn photos(&self) -> Option<&PhotoSet> {
        self.opened.gallery.as_ref().map(|g| &*g.photos)
    }
}
