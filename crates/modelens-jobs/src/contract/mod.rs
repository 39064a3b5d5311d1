//! What can be asked of the computing side, and what it answers: plain data that crosses to another
//! thread or process as it is. Weights, tensors and file contents stay on the computing side;
//! requests name them by [`ModelId`], [`PhotosId`] and [`TrainedId`].

mod augmentation;
mod batch_norm;
mod dropout;
mod figure;
mod look;
mod modes;
mod norms;
mod predict;
mod releases;
mod run;
mod shared;
mod stage;
mod trainable;
mod training;

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use egui_svg::png::Raster;
use modelens_core::dataset::{Image, PhotoList};
use modelens_core::model::ModelDescription;
use modelens_core::model::scale::ScaleReport;

pub use augmentation::{AugmentationLook, AugmentationOutcome, Grid, GridCell};
pub use batch_norm::{
    BatchNormEvent, BatchNormJob, BatchNormOutcome, BatchNormSide, HISTOGRAM_BINS, LayerDistance,
    MeasuredBatch, SMALL_PHOTOS, SmallPhoto, channel_distance, mean_distance, walked,
};
pub use dropout::{
    DropoutOutcome, DropoutSetting, DropoutSide, MeanOfPasses, MeanPoint, MonteCarlo,
    WATCHED_PASSES, WATCHED_UNITS, WatchedPass,
};
pub use figure::{Figure, FigureFrame, FigureKind, FigureTo};
pub use look::{Look, LookResult, Outcome, PassLook};
pub use modes::ModesOutcome;
pub use norms::{NormRow, NormSide, NormsLook, NormsOutcome};
pub use predict::{ClassInPass, PredictLook, PredictOutcome, PredictRow, PredictSide};
pub use releases::{ReleaseCell, ReleasesLook, ReleasesOutcome};
pub use run::{Ran, Run, Values};
pub use stage::Stage;
pub use trainable::{CardPart, FirstSteps, TrainableCard, TrainableLook, TrainableOutcome};
pub use training::{
    Experiment, FurtherStep, NetworkDescription, StepDone, TrainEvent, TrainRequest, TrainedWeights,
};

pub use modelens_core::model::layers::batch_norm::Moments;

use crate::caches::CachedModel;
use crate::source::ModelSource;
use crate::store::{ModelId, PhotosId, StoredId, TrainedId};

/// Where photos come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PhotosSource {
    Bundled,
    Folder(PathBuf),
}

impl PhotosSource {
    /// The folder, unless the photos are bundled.
    pub fn path(&self) -> Option<&std::path::Path> {
        match self {
            Self::Folder(path) => Some(path),
            Self::Bundled => None,
        }
    }
}

/// One thing to do. A newer request of the same kind replaces one that waits; a newer
/// [`Request::Look`] also stops the one that runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Request {
    OpenModel(ModelSource),
    /// Opens the model of a finished or running training run beside the one it was made from.
    OpenTrained(TrainedId),
    OpenPhotos(PhotosSource),
    /// Looks for models that Keras, torch hub, timm and Hugging Face downloaded.
    ListCaches,
    /// Frees what the window no longer uses.
    Release(Vec<StoredId>),
    /// One photo, small, for the input card.
    Thumbnail {
        photos: PhotosId,
        photo: usize,
    },
    /// Tries scales on the photos for a model that does not say its own.
    TryScales {
        model: ModelId,
        photos: PhotosId,
    },
    Look(Box<Look>),
    /// Runs an array through a model.
    Run(Box<Run>),
    /// A look that will probably be asked for next: computed when nothing else waits, and given up for any
    /// other computation.
    Ahead(Box<Look>),
    /// What the BatchNorm view measures in the background, after its look.
    BatchNorm(Box<BatchNormJob>),
    /// Writes a figure, or turns it into pixels.
    Figure {
        #[serde(with = "shared")]
        figure: Arc<Figure>,
        to: FigureTo,
    },
    /// Runs in the background: one optimizer step whenever nothing else waits.
    Train(TrainRequest),
    /// Writes trained weights to a file, in the format of the file the model came from.
    SaveModel {
        trained: TrainedId,
        path: PathBuf,
    },
}

impl Request {
    /// The kind of request; `None` for those that the window does not wait for.
    pub fn job(&self) -> Option<Job> {
        Some(match self {
            Self::OpenModel(_) | Self::OpenTrained(_) => Job::OpenModel,
            Self::OpenPhotos(_) => Job::OpenPhotos,
            Self::Release(_) | Self::ListCaches | Self::Run(_) => return None,
            Self::Thumbnail { .. } => Job::Thumbnail,
            Self::TryScales { .. } => Job::TryScales,
            Self::Look(_) => Job::Look,
            Self::Ahead(_) => Job::Ahead,
            Self::BatchNorm(_) => Job::BatchNorm,
            Self::Figure {
                to: FigureTo::Preview,
                ..
            } => Job::Preview,
            Self::Figure { .. } => Job::SaveFigure,
            Self::Train(_) => Job::Train,
            Self::SaveModel { .. } => Job::SaveModel,
        })
    }
}

/// The kind of request an event answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Job {
    OpenModel,
    OpenPhotos,
    Thumbnail,
    TryScales,
    Look,
    /// A look before it is asked for.
    Ahead,
    /// The background measurement of the BatchNorm view.
    BatchNorm,
    SaveFigure,
    Preview,
    Train,
    SaveModel,
}

/// A model that was just opened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpenedModel {
    pub id: ModelId,
    pub source: ModelSource,
    #[serde(with = "shared")]
    pub model: Arc<ModelDescription>,
}

/// What the computing side reports.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Event {
    /// A job runs: `done` of `total` (0 where the total is not known).
    Progress {
        job: Job,
        stage: Stage,
        done: usize,
        total: usize,
    },
    ModelOpened(OpenedModel),
    TrainedOpened {
        trained: TrainedId,
        opened: OpenedModel,
    },
    PhotosOpened {
        id: PhotosId,
        source: PhotosSource,
        #[serde(with = "shared")]
        photos: Arc<PhotoList>,
    },
    CachesListed(Vec<CachedModel>),
    /// A file that holds weights without a configuration: the person must choose the network.
    WeightsAlone(PathBuf),
    Thumbnail {
        photos: PhotosId,
        photo: usize,
        image: Image,
    },
    /// What the scales make of the photos; `None` if these do not fit the model.
    ScalesTried {
        model: ModelId,
        photos: PhotosId,
        report: Option<Box<ScaleReport>>,
    },
    /// A photo that cannot be decoded, found by a look or by the background check.
    Unreadable {
        photos: PhotosId,
        photo: usize,
        reason: String,
    },
    /// The result of a look; one with [`LookResult::early`] is a first part that the whole follows.
    Look(#[serde(with = "shared")] Arc<LookResult>),
    BatchNorm(Box<BatchNormEvent>),
    Ran(Box<Ran>),
    Training(TrainEvent),
    Saved(PathBuf),
    /// A figure as pixels.
    FigureDrawn {
        to: FigureTo,
        #[serde(with = "shared::RasterData")]
        raster: Raster,
    },
    /// The person stopped the job; earlier results stay valid.
    Cancelled(Job),
    /// The request failed; earlier results stay valid.
    Failed {
        request: Box<Request>,
        message: String,
    },
}
