//! What the predict view asks for, and what comes back.

use super::PassLook;
use modelens_core::model::{Mode, Reading};

/// One photo's probabilities in both modes: once, over repeated passes, and among other batch-mates.
#[derive(Clone, Debug, PartialEq)]
pub struct PredictLook {
    pub pass: PassLook,
    /// How often the same batch goes through, in each mode.
    pub passes: usize,
}

impl PredictLook {
    /// Passes at first.
    pub const PASSES: usize = 8;
    /// The fewest, which still tells whether two passes agree, and the most.
    pub const PASSES_RANGE: [usize; 2] = [2, 32];
    /// Batches of other photos around the chosen one.
    pub const BATCHES: usize = 6;
    /// Classes of each mode that are shown.
    pub const TOP: usize = 5;

    /// The number of passes is kept within its range. Both modes are compared whatever the person's
    /// outer call is; it is set alike, that looks with equal results are equal.
    pub fn new(mut pass: PassLook, passes: usize) -> Self {
        pass.call = Mode::Training.into();
        let [fewest, most] = Self::PASSES_RANGE;
        Self {
            pass,
            passes: passes.clamp(fewest, most),
        }
    }
}

/// What the model says of one photo.
#[derive(Clone, Debug, PartialEq)]
pub struct PredictOutcome {
    pub reading: Reading,
    /// Units of the last layer; a single one makes two classes.
    pub outputs: usize,
    /// The top five of both modes, the most probable in inference first.
    pub rows: Vec<PredictRow>,
    /// The class that is first in inference: the one that passes and batches follow.
    pub followed: usize,
    /// Photos of the batch.
    pub batch: usize,
    /// Photos of the smallest and of the largest of the other batches, the chosen one included.
    pub mates_batch: [usize; 2],
    pub training: PredictSide,
    pub inference: PredictSide,
}

impl PredictOutcome {
    /// One mode's part.
    pub fn side(&self, mode: Mode) -> &PredictSide {
        match mode {
            Mode::Training => &self.training,
            Mode::Inference => &self.inference,
        }
    }
}

/// One class in both modes, in the first pass.
#[derive(Clone, Copy, Debug, PartialEq)]
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

/// One pass, seen from the followed class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sighting {
    pub probability: f32,
    /// The class that came first in this pass.
    pub first: usize,
}

/// One mode.
#[derive(Clone, Debug, PartialEq)]
pub struct PredictSide {
    /// The class that came first in the first pass, and its probability.
    pub first: usize,
    pub first_probability: f32,
    /// Over the same batch, each with draws of its own.
    pub passes: Vec<Sighting>,
    /// One a batch of other photos, without draws; empty where there are no other photos.
    pub mates: Vec<Sighting>,
    /// Dropout, noise and augmentation layers that draw in this mode.
    pub random: usize,
    pub batch_norms: usize,
    /// BatchNorm layers that normalise with the batch.
    pub on_batch: usize,
    /// Those among them whose flag is off.
    pub on_batch_frozen: usize,
    /// BatchNorm layers whose flag is off.
    pub frozen: usize,
    /// BatchNorm layers that a recorded `training=False` keeps this mode from.
    pub unreached: usize,
}
