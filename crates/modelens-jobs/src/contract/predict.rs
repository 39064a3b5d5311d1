//! What the predict view asks for, and what comes back.

use serde::{Deserialize, Serialize};

use super::PassLook;
use modelens_core::model::{Mode, Reading};

/// One photo's probabilities in both modes: once, over repeated passes, and among other batch-mates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PredictLook {
    pub pass: PassLook,
    /// Number of passes of the same batch in each mode.
    pub passes: usize,
}

impl PredictLook {
    /// The default number of passes.
    pub const PASSES: usize = 8;
    /// The fewest passes (two can be compared with each other) and the most.
    pub const PASSES_RANGE: [usize; 2] = [2, 32];
    /// Number of batches with other photos beside the chosen one.
    pub const BATCHES: usize = 6;
    /// Number of classes shown for each mode.
    pub const TOP: usize = 5;

    /// Clamps the number of passes to its range. The view compares both modes whatever outer call the
    /// person chose, so the call is normalised: looks with equal results are equal.
    pub fn new(mut pass: PassLook, passes: usize) -> Self {
        pass.call = Mode::Training.into();
        let [fewest, most] = Self::PASSES_RANGE;
        Self {
            pass,
            passes: passes.clamp(fewest, most),
        }
    }
}

/// The predictions for one photo.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PredictOutcome {
    pub reading: Reading,
    /// Units of the last layer; one unit means two classes.
    pub outputs: usize,
    /// The top five classes of both modes, the most probable in inference first.
    pub rows: Vec<PredictRow>,
    /// The top class in inference, whose probability is followed over passes and batches.
    pub followed: usize,
    /// Number of photos in the batch.
    pub batch: usize,
    /// Number of photos in the smallest and in the largest of the other batches, including the chosen
    /// photo.
    pub mates_batch: [usize; 2],
    pub training: PredictSide,
    pub inference: PredictSide,
}

impl PredictOutcome {
    /// The results of one mode.
    pub fn side(&self, mode: Mode) -> &PredictSide {
        match mode {
            Mode::Training => &self.training,
            Mode::Inference => &self.inference,
        }
    }
}

/// One class in both modes, in the first pass.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PredictRow {
    /// Index into the probabilities.
    pub class: usize,
    pub training: f32,
    pub inference: f32,
}

impl PredictRow {
    /// The probability in one mode.
    pub fn probability(&self, mode: Mode) -> f32 {
        match mode {
            Mode::Training => self.training,
            Mode::Inference => self.inference,
        }
    }
}

/// The followed class in one pass.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassInPass {
    pub probability: f32,
    /// The top class of this pass.
    pub first: usize,
}

/// One mode.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PredictSide {
    /// The top class of the first pass.
    pub first: usize,
    /// Its probability.
    pub first_probability: f32,
    /// Passes of the same batch, each with its own random draws.
    pub passes: Vec<ClassInPass>,
    /// One pass for each batch with other photos, without random draws; empty if there are no other
    /// photos.
    pub mates: Vec<ClassInPass>,
    /// Number of dropout, noise and augmentation layers that are active in this mode.
    pub random: usize,
    /// Number of BatchNorm layers.
    pub batch_norms: usize,
    /// Number of BatchNorm layers that use batch statistics.
    pub on_batch: usize,
    /// Number of those whose `trainable` flag is off.
    pub on_batch_frozen: usize,
    /// Number of BatchNorm layers whose `trainable` flag is off.
    pub frozen: usize,
    /// Number of BatchNorm layers that this mode does not reach because of a recorded `training=`.
    pub unreached: usize,
}
