//! What can be asked of the worker, and what comes back. The window and the command line read the
//! same events.

mod batch_norm;
mod dropout;
mod predict;
mod trainable;
mod training;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use egui_svg::png::Raster;
use modelens_core::augment::{Draw, Pipeline};
use modelens_core::dataset::{Image, Photos};
use modelens_core::model::first_norm::Suspicion;
use modelens_core::model::{Flags, LayerId, Mode, Model, Outer, Preprocessing, Semantics};

/// Something shared, equal only to itself.
#[derive(Debug)]
pub struct Same<T>(pub Arc<T>);

impl<T> Clone for Same<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> PartialEq for Same<T> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

pub use batch_norm::{
    BatchNormEvent, BatchNormJob, BatchNormOutcome, BatchNormSide, HISTOGRAM_BINS, LayerDistance,
    MeasuredBatch, channel_distance, mean_distance, walked,
};
pub use dropout::{
    DropoutOutcome, DropoutSetting, DropoutSide, MeanOfPasses, MeanPoint, MonteCarlo,
};
pub use predict::{PredictLook, PredictOutcome, PredictRow, PredictSide, Sighting};
pub use trainable::{Card, Part, TrainableLook, TrainableOutcome};
pub use training::{Experiment, SaveModel, Stepped, TrainEvent, TrainRequest};

use crate::source::ModelSource;
use crate::words;
pub use modelens_core::model::layers::batch_norm::Moments;

/// Where photos come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PhotosSource {
    Bundled,
    Folder(PathBuf),
}

/// One thing for the worker to do. A newer request of the same kind replaces one that waits, and a
/// newer [`Request::Look`] also stops the one that runs.
#[derive(Clone, Debug)]
pub enum Request {
    OpenModel(ModelSource),
    OpenPhotos(PhotosSource),
    /// One photo, small, for the input card.
    Thumbnail {
        photos: Same<modelens_core::dataset::PhotoSet>,
        photo: usize,
    },
    Look(Box<Look>),
    /// What the BatchNorm view measures behind its look.
    BatchNorm(Box<BatchNormJob>),
    /// Writes a figure, or turns it into pixels.
    Figure {
        figure: Arc<Figure>,
        to: FigureTo,
    },
    /// Goes on whenever nothing else waits.
    Train(TrainRequest),
    SaveModel(Box<SaveModel>),
}

impl Request {
    /// What kind of request it is.
    pub fn job(&self) -> Job {
        match self {
            Self::OpenModel(_) => Job::OpenModel,
            Self::OpenPhotos(_) => Job::OpenPhotos,
            Self::Thumbnail { .. } => Job::Thumbnail,
            Self::Look(_) => Job::Look,
            Self::BatchNorm(_) => Job::BatchNorm,
            Self::Figure {
                to: FigureTo::Preview,
                ..
            } => Job::Preview,
            Self::Figure { .. } => Job::SaveFigure,
            Self::Train(_) => Job::Train,
            Self::SaveModel(_) => Job::SaveModel,
        }
    }
}

/// A figure to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    pub svg: String,
    /// As PNG, so many pixels wide; `None`: as it is.
    pub png_width: Option<u32>,
    /// Pixels of an inch, noted in a PNG.
    pub dpi: Option<u32>,
    /// Outlines of letters instead of text in an SVG.
    pub outline: bool,
    /// CSV that goes beside a file.
    pub numbers: Option<String>,
}

/// Where a figure goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FigureTo {
    File(PathBuf),
    Clipboard,
    Preview,
}

/// What a view needs: equal looks have equal results, so comparing tells whether one is stale.
#[derive(Clone, Debug, PartialEq)]
pub enum Look {
    Augmentation(AugmentationLook),
    Dropout {
        pass: PassLook,
        layer: LayerId,
        setting: DropoutSetting,
    },
    BatchNorm {
        pass: PassLook,
        layer: LayerId,
    },
    Trainable(TrainableLook),
    Predict(PredictLook),
}

impl Look {
    /// The chosen photo.
    pub fn photo(&self) -> usize {
        match self {
            Self::Augmentation(look) => look.photo,
            Self::Dropout { pass, .. } | Self::BatchNorm { pass, .. } => pass.photo,
            Self::Trainable(look) => look.pass.photo,
            Self::Predict(look) => look.pass.photo,
        }
    }
}

/// What the cells of the augmentation grid show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Grid {
    /// The chosen photo nine times: the course's cell.
    #[default]
    OnePhoto,
    /// The chosen photo and eight others, once each.
    NinePhotos,
    /// The same nine photos in three epochs, one row an epoch: 27 cells.
    ThreeEpochs,
}

impl Grid {
    pub const ALL: [Self; 3] = [Self::OnePhoto, Self::NinePhotos, Self::ThreeEpochs];

    /// The name the window shows.
    pub fn label(self) -> &'static str {
        match self {
            Self::OnePhoto => words::ONE_PHOTO,
            Self::NinePhotos => words::NINE_PHOTOS,
            Self::ThreeEpochs => words::THREE_EPOCHS,
        }
    }

    /// Cells of a row, and rows.
    pub fn columns_and_rows(self) -> [usize; 2] {
        match self {
            Self::OnePhoto | Self::NinePhotos => [3, 3],
            Self::ThreeEpochs => [9, 3],
        }
    }

    /// Cells a side.
    pub fn cells(self) -> usize {
        let [columns, rows] = self.columns_and_rows();
        columns * rows
    }
}

/// Photos through the pipeline, cell by cell.
#[derive(Clone, Debug, PartialEq)]
pub struct AugmentationLook {
    pub photos: Same<modelens_core::dataset::PhotoSet>,
    /// The chosen photo: the one that is shown nine times, or the first of nine.
    pub photo: usize,
    pub grid: Grid,
    /// How often "draw this one again" was pressed, by cell; cells that are missing: never.
    pub cell_redraws: BTreeMap<usize, u64>,
    /// The size the model takes.
    pub height: usize,
    pub width: usize,
    pub pipeline: Pipeline,
    pub semantics: Semantics,
    pub seed: u64,
    /// How often "redraw" was pressed.
    pub redraws: u64,
}

/// A batch through the model in both modes.
#[derive(Clone, Debug, PartialEq)]
pub struct PassLook {
    pub model: Same<Model>,
    pub photos: Same<modelens_core::dataset::PhotoSet>,
    /// The chosen photo; it is always in the batch.
    pub photo: usize,
    pub batch: usize,
    pub seed: u64,
    /// How often "new mask" was pressed.
    pub redraws: u64,
    /// False: dropout and noise act as in inference.
    pub random: bool,
    pub preprocessing: Preprocessing,
    pub flags: Flags,
    /// What the photos go through before they are preprocessed: drawn once, so that both modes see
    /// the same pixels.
    pub augment: Option<Pipeline>,
    pub semantics: Semantics,
    /// The outer call of the training column.
    pub call: Outer,
}

impl PassLook {
    /// The outer call of one column: the one beside `training=False` is the person's choice.
    pub fn outer(&self, mode: Mode) -> Outer {
        match mode {
            Mode::Training => self.call,
            Mode::Inference => Outer::Given(mode),
        }
    }
}

/// What kind of request an event speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Job {
    OpenModel,
    OpenPhotos,
    Thumbnail,
    Look,
    /// Further batches and layers, behind the look of the BatchNorm view.
    BatchNorm,
    SaveFigure,
    Preview,
    Train,
    SaveModel,
}

/// What the worker says.
#[derive(Clone, Debug)]
pub enum Event {
    /// A job runs: `done` of `total` (0 where the total is not known).
    Progress {
        job: Job,
        stage: &'static str,
        done: usize,
        total: usize,
    },
    ModelOpened {
        source: ModelSource,
        model: Arc<Model>,
    },
    PhotosOpened {
        source: PhotosSource,
        photos: Photos,
    },
    /// A file that holds weights alone, of a network that a person must choose.
    WeightsAlone(PathBuf),
    Thumbnail {
        photos: Photos,
        photo: usize,
        image: Image,
    },
    /// A photo that cannot be decoded, found by a look or by the check in the background.
    Unreadable {
        photos: Photos,
        photo: usize,
        reason: String,
    },
    Looked(Arc<Looked>),
    /// The part of a look that is there first; the whole of it follows.
    LookedEarly(Arc<Looked>),
    BatchNorm(Box<BatchNormEvent>),
    Training(TrainEvent),
    Saved(PathBuf),
    /// A figure as pixels.
    FigureDrawn {
        to: FigureTo,
        raster: Raster,
    },
    /// The person stopped the job; what was there before still holds.
    Cancelled(Job),
    /// The request came to nothing; what was there before still holds.
    Failed {
        request: Box<Request>,
        message: String,
    },
}

/// A look and its result.
#[derive(Clone, Debug)]
pub struct Looked {
    pub look: Look,
    pub outcome: Outcome,
    /// The first part only: what an interrupted look leaves, and a running one shows.
    pub early: bool,
    /// Whether the photos' scale looks wrong to the first BatchNorm.
    pub suspicion: Option<Suspicion>,
    /// Wall time of the computation.
    pub secs: f64,
    /// The photos that made up the batch (for augmentation: the one).
    pub batch: Vec<usize>,
}

impl Looked {
    /// Channels that can be chosen; 0 where there are none.
    pub fn channels(&self) -> usize {
        match &self.outcome {
            Outcome::BatchNorm(outcome) => outcome.moving.mean.len(),
            _ => 0,
        }
    }
}

/// The numbers of one view, training first.
#[derive(Clone, Debug)]
pub enum Outcome {
    Augmentation(AugmentationOutcome),
    Dropout(Box<DropoutOutcome>),
    BatchNorm(Box<BatchNormOutcome>),
    Trainable(Box<TrainableOutcome>),
    Predict(Box<PredictOutcome>),
}

/// The cells of both sides, row by row.
#[derive(Clone, Debug)]
pub struct AugmentationOutcome {
    pub training: Vec<Cell>,
    pub inference: Vec<Cell>,
}

impl AugmentationOutcome {
    /// The cells of one side.
    pub fn side(&self, mode: Mode) -> &[Cell] {
        match mode {
            Mode::Training => &self.training,
            Mode::Inference => &self.inference,
        }
    }
}

/// One image of the grid.
#[derive(Clone, Debug)]
pub struct Cell {
    /// Which photo of the set.
    pub photo: usize,
    /// The photo as the pipeline gets it, 0 to 255.
    pub original: Arc<Image>,
    pub image: Arc<Image>,
    /// One a step of the pipeline that is on; empty in inference.
    pub draws: Vec<Draw>,
    /// The draws in words; `unchanged` where nothing was drawn.
    pub words: String,
    /// Largest absolute difference from the original over all pixels, 0 to 255; `None` where
    /// sizes differ.
    pub largest_difference: Option<f32>,
}
