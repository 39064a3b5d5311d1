//! What is chosen, what is open, and what was computed.

mod export;
mod grid;
mod opened;
mod passes;
mod player;
mod recent;
mod recorder;
mod shell;
mod training;
mod walk;

use std::path::PathBuf;
use std::sync::Arc;

use eframe::egui::TextureHandle;

use crate::augment::Pipeline;
use crate::dataset::PhotoList;
use crate::lesson::{Control, OpenLesson};
use crate::model::scale::ScaleReport;
use crate::model::{LayerId, Preprocessing, Semantics};
use crate::words::call::Call;
use crate::words::modes;
use modelens_jobs::{
    Job, Look, LookResult, ModelId, ModelSource, PhotosId, PhotosSource, Stage, TrainedId,
};

pub use crate::settings::{
    Background, LEGIBLE, LayerColumn, LayerSort, MAX_BATCH, MAX_EPOCHS, MAX_PART, MAX_SEEDS,
    POINTS_PER_MM, Paper, Preset, RATES, Settings, ThemeChoice, TrainSettings, View,
};

pub use export::{
    DrawnFrames, Export, ExportChoice, FigureFormat, FigureTheme, Laid, Moment, Part,
};
pub use grid::{CellPlace, GridState};
pub use opened::{Base, Gallery, ListRow, ModuleRow, OwnPipeline};
pub use passes::{WATCHED_PASS_SECS, WatchedPasses};
pub use player::{Playback, Player, phase};
pub use recent::Recent;
pub use recorder::{Leaving, Recorder};
pub use shell::{Lecture, Search, Sheet, Shell, TypedPath};
pub use training::{RunState, Status, TrainingState};
pub use walk::{MAX_STEPS, MAX_WALK, SPREAD, WATCHED_STEP_SECS, Walk, WalkMark, WalkShown};

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
    /// The scales tried for a model that does not say its own, or being tried.
    pub scales: Option<TriedScales>,
}

/// The scales tried on photos.
#[derive(Clone, Debug)]
pub struct TriedScales {
    pub model: ModelId,
    pub photos: PhotosId,
    /// `None`: not there yet, or the photos do not fit the model.
    pub report: Option<Box<ScaleReport>>,
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

/// The textures of an augmentation result, one per cell.
pub struct GridTextures {
    pub training: Vec<TextureHandle>,
    pub inference: Vec<TextureHandle>,
    /// What went into the pipeline; both sides show the same photos in the same cells.
    pub originals: Vec<TextureHandle>,
    /// What the fill mode painted in the cell that was enlarged last; the inner `None` means that no
    /// matrix describes the transform.
    pub fill: Option<(CellPlace, Option<FillTexture>)>,
}

/// What a fill mode painted.
pub struct FillTexture {
    /// White pixels were painted; the others are transparent.
    pub texture: TextureHandle,
    /// Share of all pixels, 0 to 1.
    pub share: f64,
}

/// What is computed for the window, and what is being computed.
#[derive(Default)]
pub struct Computed {
    results: [Option<Arc<LookResult>>; View::COUNT],
    /// The result of the BatchNorm view before the present one.
    pub earlier_batch_norm: Option<Arc<LookResult>>,
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
        self.results[view.source() as usize].as_ref()
    }

    /// Keeps a result.
    pub fn store(&mut self, looked: Arc<LookResult>) {
        let view = View::of(&looked.look);
        if view == View::BatchNorm {
            let before = self.results[view as usize].take();
            let differs = before.filter(|before| before.look != looked.look);
            self.earlier_batch_norm = differs.or(self.earlier_batch_norm.take());
        }
        self.results[view as usize] = Some(looked);
    }

    /// Drops the results of a model or of photos that are no longer open.
    pub fn forget_results(&mut self) {
        self.results = Default::default();
        self.earlier_batch_norm = None;
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

    /// Dismisses notices with this title.
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
    pub passes: WatchedPasses,
    pub shell: Shell,
    /// The lesson that is open.
    pub lesson: Option<OpenLesson>,
    /// The lesson that is being recorded.
    pub recorder: Option<Recorder>,
    pub training: TrainingState,
}

impl State {
    /// True if a list or a dialog covers the window.
    pub fn is_covered(&self) -> bool {
        let shell = &self.shell;
        let lists = shell.search.is_some() || shell.sheet.is_some();
        let asks = self.recorder.as_ref().is_some_and(|r| r.leaving.is_some());
        lists || self.export.choice.is_some() || self.computed.show_unreadable || asks
    }

    /// Whether the step of an open lesson, or else the link that was opened, hides a part of the window.
    pub fn hides(&self, control: Control) -> bool {
        match &self.lesson {
            Some(lesson) => lesson.hides(control),
            None => self.shell.hidden.contains(&control),
        }
    }

    /// True while a lesson waits for an answer and the results are covered.
    pub fn is_veiled(&self) -> bool {
        self.lesson.as_ref().is_some_and(OpenLesson::is_veiled)
    }

    /// The rules in force: those chosen, else those of the file.
    pub fn semantics(&self) -> Semantics {
        let by_file = self.opened.base.as_ref().map(|b| b.model.semantics);
        self.settings
            .semantics
            .or(by_file)
            .unwrap_or(Semantics::Keras3)
    }

    /// The preprocessing in force: the chosen one, else that of the evidence where the file does not
    /// say it, else that of the file.
    pub fn preprocessing(&self) -> Preprocessing {
        self.settings
            .preprocessing
            .unwrap_or_else(|| self.automatic_preprocessing())
    }

    /// The preprocessing where none is chosen.
    pub fn automatic_preprocessing(&self) -> Preprocessing {
        if self.photos().is_some_and(|photos| photos.as_given) {
            return Preprocessing::Raw;
        }
        let by_file = self.opened.base.as_ref().map(|b| b.model.preprocessing);
        let by_evidence = self.scale_report().map(|report| report.best);
        by_evidence.or(by_file).unwrap_or(Preprocessing::Raw)
    }

    /// The scales tried for the open model and photos; `None` if the file says its scale.
    pub fn scale_report(&self) -> Option<&ScaleReport> {
        let base = self.opened.base.as_ref()?;
        let gallery = self.opened.gallery.as_ref()?;
        let tried = self.opened.scales.as_ref()?;
        let own = base.model.scale_unknown && (tried.model, tried.photos) == (base.id, gallery.id);
        tried.report.as_deref().filter(|_| own)
    }

    /// What is doubtful about the scale of the photos that a view shows, in sentences.
    pub fn scale_warnings(&self, view: View) -> Vec<String> {
        let Some(base) = &self.opened.base else {
            return Vec::new();
        };
        let unknown = self
            .scale_report()
            .filter(|_| self.settings.preprocessing.is_none());
        let suspicion = self
            .computed
            .result(view)
            .and_then(|looked| looked.suspicion);
        let suspicion = suspicion.filter(|s| s.now == self.preprocessing());
        let unknown = unknown.map(|report| {
            let trials = report.predictions(&base.model.labels).join("; ");
            format!("{} ({trials})", report.sentence(&base.model))
        });
        let suspicion = suspicion.map(|suspicion| suspicion.sentence(&base.model.graph));
        unknown.into_iter().chain(suspicion).collect()
    }

    /// The augmentation layers of the open file.
    pub fn own_pipeline(&self) -> Option<&OwnPipeline> {
        self.opened.base.as_ref()?.own_pipeline.as_ref()
    }

    /// The outer call of the training column and what is recorded around a layer.
    pub fn call_of(&self, base: &Base, layer: LayerId) -> Call {
        let graph = &base.model.graph;
        Call::new(
            graph,
            &base.flags,
            layer,
            self.settings.call,
            self.semantics(),
        )
    }

    /// What single modules were told in PyTorch, or what `model.train()` undid, in words; empty in Keras.
    pub fn module_calls(&self) -> String {
        self.opened.base.as_ref().map_or_else(String::new, |base| {
            modes::module_calls(
                &base.model,
                &base.flags,
                &base.undone,
                self.settings.call,
                self.semantics(),
            )
        })
    }

    /// What the batch of a shown result went through.
    pub fn augmented_by(&self, view: View) -> Option<&Pipeline> {
        self.computed.result(view)?.look.pass()?.augment.as_ref()
    }

    /// What is odd about the open model and photos, and what was assumed, in sentences.
    pub fn notes(&self) -> Vec<String> {
        let model = self.opened.base.as_ref().map(|base| &base.model);
        let of_model = model.into_iter().flat_map(|model| {
            let assumed = model.assumed.iter().map(|a| &a.sentence);
            model.warnings.iter().chain(assumed)
        });
        let of_photos = self.photos().into_iter().flat_map(|set| &set.notes);
        let scale = self
            .scale_report()
            .filter(|_| self.settings.preprocessing.is_none());
        let scale = scale.zip(self.opened.base.as_ref());
        let scale = scale.map(|(report, base)| report.sentence(&base.model));
        scale
            .into_iter()
            .chain(of_model.chain(of_photos).cloned())
            .collect()
    }

    /// The open photos.
    pub fn photos(&self) -> Option<&PhotoList> {
        self.opened.gallery.as_ref().map(|g| &*g.photos)
    }
}
