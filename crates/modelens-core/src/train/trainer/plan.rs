//! What a run does, and what each of its steps reports.

use serde::{Deserialize, Serialize};

use candle_core::Tensor;

use crate::model::{Flags, Outer, Semantics};
use crate::train::movement::Movement;
use crate::train::network::TrainError;
use crate::train::optimizer::OptimizerKind;
use crate::train::recipe::EvalCalls;

/// Asked now and then: false cancels the run.
pub type Proceed<'a> = &'a (dyn Fn() -> bool + Sync);

/// The source of a run's photos.
pub trait PhotoBatches {
    /// The photos as the model's first layer takes them, `[N, H, W, C]`, augmented with the draws of
    /// the stream `draw`, or not augmented.
    ///
    /// # Errors
    /// Photos that cannot be read or do not fit the model.
    fn batch(
        &mut self,
        photos: &[usize],
        draw: Option<u64>,
        proceed: Proceed<'_>,
    ) -> Result<Tensor, TrainError>;

    /// What the photos of the latest batch are labelled with, if augmentation mixed their labels: for each
    /// photo, places in the batch with their shares.
    fn targets(&self) -> Option<&Vec<Vec<(usize, f64)>>> {
        None
    }

    /// True if photos are augmented, so that they differ from epoch to epoch.
    fn augments(&self) -> bool;
}

/// Epochs with one set of flags, after one `compile()`, which resets the optimizer.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    pub epochs: usize,
    pub rate: f64,
    pub flags: Flags,
    /// The value of `training` that the base is called with, if the flags cannot record it: in a flat
    /// model. See [`Network::base_outer`](crate::train::network::Network::base_outer).
    pub base_call: Option<bool>,
    /// Where the loop calls `.eval()` without effect, because `model.train()` follows or because it does not
    /// call it at all; `None` if the calls in the flags hold.
    pub lost_evals: Option<EvalCalls>,
}

/// Everything that determines a run.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainingPlan {
    pub optimizer: OptimizerKind,
    pub batch: usize,
    pub seed: u64,
    pub semantics: Semantics,
    /// What the loop passes to the model: `fit` passes True.
    pub outer: Outer,
    pub stages: Vec<Stage>,
    /// Indices of the photos to train with.
    pub training: Vec<usize>,
    /// Indices of the photos to validate with.
    pub validation: Vec<usize>,
    /// The output that each photo of the set belongs to.
    pub targets: Vec<u32>,
}

impl TrainingPlan {
    /// Number of steps in one epoch; the last batch may be smaller.
    pub fn steps_per_epoch(&self) -> usize {
        self.training.len().div_ceil(self.batch.max(1))
    }

    pub fn epochs(&self) -> usize {
        self.stages.iter().map(|s| s.epochs).sum()
    }

    pub fn steps(&self) -> usize {
        self.epochs() * self.steps_per_epoch()
    }
}

/// Mean loss and accuracy over some photos.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    pub loss: f64,
    pub accuracy: f64,
}

/// What one optimizer step of a run did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainingStep {
    /// Counted from 0.
    pub stage: usize,
    /// Counted from 1, over all stages.
    pub epoch: usize,
    /// Counted from 1, over all epochs.
    pub step: usize,
    pub photos: usize,
    pub rate: f64,
    /// Loss and accuracy of the batch before the step.
    pub batch: Score,
    /// After the last step of an epoch.
    pub end: Option<EpochEnd>,
}

/// What is measured after an epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochEnd {
    /// On the validation photos, in the order of `Mode::BOTH`: in training mode and in inference.
    /// `None` without validation photos.
    pub validation: Option<[Score; 2]>,
    pub movement: Vec<Movement>,
}
