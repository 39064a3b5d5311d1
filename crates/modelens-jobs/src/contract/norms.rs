//! What the comparison of normalisations asks for, and what comes back.

use serde::{Deserialize, Serialize};

use super::PassLook;
use modelens_core::model::layers::batch_norm::Moments;
use modelens_core::model::norms::{Norm, Reads, Spread};
use modelens_core::model::{LayerId, Mode, Semantics};

/// The normalisations that may be in the place of one BatchNorm layer, on the input of that layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NormsLook {
    pub pass: PassLook,
    pub layer: LayerId,
}

impl NormsLook {
    /// The most photos that batches are drawn from; all of them together are the reference.
    pub const MAX_PHOTOS: usize = 128;

    /// Both modes are computed and the layers before run in inference, so the call and the draws of noise are
    /// normalised: looks with equal results are equal.
    pub fn new(mut pass: PassLook, layer: LayerId) -> Self {
        pass.call = Mode::Training.into();
        pass.random = false;
        Self { pass, layer }
    }
}

/// All normalisations on the same photos.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NormsOutcome {
    /// Number of photos in the batch of the look.
    pub batch: usize,
    /// Number of photos that batches are drawn from: the reference of every error.
    pub photos: usize,
    pub channels: usize,
    /// Values of a channel in one photo, H * W.
    pub positions: usize,
    /// Axes of the layer's input: 4 for `[N, H, W, C]`, 2 for `[N, C]`.
    pub rank: usize,
    /// The layer's own epsilon, used for all.
    pub epsilon: f64,
    /// Groups of the `GroupNorm`.
    pub groups: usize,
    pub semantics: Semantics,
    /// What the layer is at present: a BatchNorm, or in Keras a frozen one.
    pub present: Norm,
    /// The batch sizes of the sweep.
    pub sizes: Vec<usize>,
    /// One for each norm, in the order of [`Norm::ALL`].
    pub rows: Vec<NormRow>,
}

impl NormsOutcome {
    /// The row of a norm.
    pub fn row(&self, norm: Norm) -> Option<&NormRow> {
        self.rows.iter().find(|row| row.norm == norm)
    }
}

/// One normalisation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NormRow {
    pub norm: Norm,
    pub training: NormSide,
    pub inference: NormSide,
    /// How far the outputs for the batch are from each other in the two modes; `None` if the framework refuses
    /// the batch. This and the next are roots of the mean square, before gamma and beta.
    pub between_modes: Option<f64>,
    /// How far its outputs in inference are from those of a BatchNorm in inference.
    pub from_inference: Option<f64>,
}

impl NormRow {
    /// Both modes, training first.
    pub fn sides(&self) -> [(Mode, &NormSide); 2] {
        [
            (Mode::Training, &self.training),
            (Mode::Inference, &self.inference),
        ]
    }
}

/// One normalisation in one mode.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NormSide {
    pub reads: Reads,
    /// Whether stored statistics change.
    pub moves: bool,
    /// What the chosen photo is normalised with in the batch; `None` if the framework refuses it.
    pub used: Option<Moments>,
    /// One for each size of the sweep; `None` where the framework refuses the batch.
    pub errors: Vec<Option<Spread>>,
}
