//! What a run follows, and what each of its steps tells.

use serde::{Deserialize, Serialize};

use candle_core::Tensor;

use crate::model::{Flags, Outer, Semantics};
use crate::train::movement::Movement;
use crate::train::network::TrainError;
use crate::train::optimizer::Kind;

/// Asks whether the run still goes on.
pub type Proceed<'a> = &'a (dyn Fn() -> bool + Sync);

/// Where the photos of a run come from.
pub trait Photos {
    /// The photos as the model's first layer takes them, `[N, H, W, C]`; with the augmentation that
    /// `draw` addresses, or without any.
    ///
    /// # Errors
    /// Photos that cannot be read, or do not fit.
    fn batch(
        &mut self,
        photos: &[usize],
        draw: Option<u64>,
        proceed: Proceed<'_>,
    ) -> Result<Tensor, TrainError>;

    /// Whether photos differ from epoch to epoch.
    fn augments(&self) -> bool;
}

/// Epochs under one set of flags, after one `compile()`: the optimizer begins anew.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    pub epochs: usize,
    pub rate: f64,
    pub flags: Flags,
    /// The value of `training` that the base is called with, where the flags cannot record it: in a
    /// flat model and in PyTorch. See `Network::base_outer`.
    pub base_call: Option<bool>,
}

/// All that a run follows.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    pub optimizer: Kind,
    pub batch: usize,
    pub seed: u64,
    pub semantics: Semantics,
    /// What the loop passes to the model: `fit` passes True.
    pub outer: Outer,
    pub stages: Vec<Stage>,
    /// Photos to train with.
    pub training: Vec<usize>,
    /// Photos to validate with.
    pub validation: Vec<usize>,
    /// Of each photo of the set.
    pub targets: Vec<u32>,
}

impl Plan {
    /// Steps of one epoch: the last batch may be smaller.
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

/// What one step did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// From 0.
    pub stage: usize,
    /// From 1, over all stages.
    pub epoch: usize,
    /// From 1, over all epochs.
    pub step: usize,
    pub photos: usize,
    pub rate: f64,
    /// Of the batch, before the step.
    pub batch: Score,
    /// After the last step of an epoch.
    pub end: Option<EpochEnd>,
}

/// What is measured after an epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochEnd {
    /// On the validation photos, in the order of `Mode::BOTH`: with the base and head as in
    /// training, and in inference. `None` without validation photos.
    pub validation: Option<[Score; 2]>,
    pub movement: Vec<Movement>,
}
