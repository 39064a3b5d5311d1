//! What the view of the releases asks for, and what comes back.

use serde::{Deserialize, Serialize};

use super::PassLook;
use modelens_core::model::releases::ActiveLayers;
use modelens_core::model::{Mode, Outer, Semantics};

/// One batch by the rules of every release and in every outer call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReleasesLook {
    pub pass: PassLook,
}

impl ReleasesLook {
    /// The most photos in the batch: every release and call needs a pass.
    pub const MAX_PHOTOS: usize = 16;

    /// All rules and calls are computed, so those of the person are normalised: looks with equal results
    /// are equal.
    pub fn new(mut pass: PassLook) -> Self {
        pass.batch = pass.batch.min(Self::MAX_PHOTOS);
        pass.semantics = Semantics::Keras3;
        pass.call = Mode::Training.into();
        pass.random = true;
        Self { pass }
    }
}

/// Measurements for every release and call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReleasesOutcome {
    /// Number of photos in the batch.
    pub photos: usize,
    /// The rules of the release that wrote the file.
    pub writer: Semantics,
    pub cells: Vec<ReleaseCell>,
}

impl ReleasesOutcome {
    /// What happened by these rules in this call.
    pub fn cell(&self, rules: Semantics, outer: Outer) -> Option<&ReleaseCell> {
        let mut cells = self.cells.iter();
        cells.find(|cell| cell.rules == rules && cell.outer == outer)
    }
}

/// What one pass did.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReleaseCell {
    pub rules: Semantics,
    pub outer: Outer,
    /// Random preprocessing layers whose output differs from their input.
    pub augmentation: ActiveLayers,
    /// Dropout and other noise layers whose output differs from their input.
    pub noise: ActiveLayers,
    /// Share of the values going into the noise layers that came out as zero and had not been.
    pub dropped: f64,
    /// BatchNorm layers that normalised with the batch.
    pub batch_norm: ActiveLayers,
    /// BatchNorm layers whose moving statistics changed.
    pub statistics: ActiveLayers,
    /// Largest absolute difference of the output from that of `predict` by the writer's rules.
    pub output_difference: f32,
}
