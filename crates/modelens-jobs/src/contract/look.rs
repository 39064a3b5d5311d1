//! Looks: what one view needs computed, and the result.

use serde::{Deserialize, Serialize};

use super::{
    AugmentationLook, AugmentationOutcome, BatchNormOutcome, DropoutOutcome, DropoutSetting,
    FirstSteps, ModesOutcome, NormsLook, NormsOutcome, PredictLook, PredictOutcome, ReleasesLook,
    ReleasesOutcome, TrainableLook, TrainableOutcome,
};
use crate::store::{ModelId, PhotosId};
use modelens_core::augment::Pipeline;
use modelens_core::model::first_norm::Suspicion;
use modelens_core::model::{Flags, LayerId, Mode, Outer, Preprocessing, Semantics};

/// What a view needs. Equal looks have equal results, so comparing looks tells whether a result is
/// stale.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    /// Both modes of a network without dropout.
    Modes(PassLook),
    Norms(NormsLook),
    Trainable(TrainableLook),
    Predict(PredictLook),
    Releases(ReleasesLook),
}

impl Look {
    /// The batch that goes through the model; `None` if there is none.
    pub fn pass(&self) -> Option<&PassLook> {
        match self {
            Self::Augmentation(_) => None,
            Self::Dropout { pass, .. } | Self::BatchNorm { pass, .. } | Self::Modes(pass) => {
                Some(pass)
            }
            Self::Norms(look) => Some(&look.pass),
            Self::Trainable(look) => Some(&look.pass),
            Self::Predict(look) => Some(&look.pass),
            Self::Releases(look) => Some(&look.pass),
        }
    }

    /// The chosen photo.
    pub fn photo(&self) -> usize {
        match self {
            Self::Augmentation(look) => look.photo,
            Self::Dropout { pass, .. } | Self::BatchNorm { pass, .. } | Self::Modes(pass) => {
                pass.photo
            }
            Self::Norms(look) => look.pass.photo,
            Self::Trainable(look) => look.pass.photo,
            Self::Predict(look) => look.pass.photo,
            Self::Releases(look) => look.pass.photo,
        }
    }
}

/// A batch through the model in both modes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PassLook {
    pub model: ModelId,
    pub photos: PhotosId,
    /// The chosen photo; it is always in the batch.
    pub photo: usize,
    pub batch: usize,
    pub seed: u64,
    /// How often new random draws were asked for.
    pub redraws: u64,
    /// False: dropout and noise act as in inference.
    pub random: bool,
    pub preprocessing: Preprocessing,
    pub flags: Flags,
    /// Augments the photos before they are preprocessed. Drawn once, so that both modes see the same
    /// pixels.
    pub augment: Option<Pipeline>,
    pub semantics: Semantics,
    /// The outer call of the training column.
    pub call: Outer,
}

impl PassLook {
    /// The outer call of one column: the person chooses that of the training column.
    pub fn outer(&self, mode: Mode) -> Outer {
        match mode {
            Mode::Training => self.call,
            Mode::Inference => Outer::Given(mode),
        }
    }
}

/// A look and its result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LookResult {
    pub look: Look,
    pub outcome: Outcome,
    /// True for a first part, shown while the rest is computed and kept if that is cancelled.
    pub early: bool,
    /// Set if the scale of the photos looks wrong at the first BatchNorm.
    pub suspicion: Option<Suspicion>,
    /// Wall time of the computation.
    pub secs: f64,
    /// The photos of the batch (for augmentation: those of the grid).
    pub batch: Vec<usize>,
}

impl LookResult {
    /// Number of channels to choose from; 0 where there are none.
    pub fn channels(&self) -> usize {
        match &self.outcome {
            Outcome::BatchNorm(outcome) => outcome.moving.mean.len(),
            Outcome::Norms(outcome) => outcome.channels,
            Outcome::Augmentation(_)
            | Outcome::Dropout(_)
            | Outcome::Modes(_)
            | Outcome::FirstSteps(_)
            | Outcome::Trainable(_)
            | Outcome::Predict(_)
            | Outcome::Releases(_) => 0,
        }
    }
}

/// The numbers of one view, training first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Outcome {
    Augmentation(AugmentationOutcome),
    Dropout(Box<DropoutOutcome>),
    BatchNorm(Box<BatchNormOutcome>),
    Modes(Box<ModesOutcome>),
    Norms(Box<NormsOutcome>),
    /// Early: the whole is [`Self::Trainable`].
    FirstSteps(FirstSteps),
    Trainable(Box<TrainableOutcome>),
    Predict(Box<PredictOutcome>),
    Releases(Box<ReleasesOutcome>),
}
