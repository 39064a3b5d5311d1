//! What the mode changes in a network without dropout, measured on one batch.

use serde::{Deserialize, Serialize};

/// A batch in both modes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModesOutcome {
    pub photos: usize,
    /// Number of BatchNorm layers.
    pub batch_norms: usize,
    /// How many of them use batch statistics in the training column.
    pub on_batch: usize,
    /// Number of augmentation layers.
    pub augmentations: usize,
    /// How many of them draw in the training column.
    pub drawing: usize,
    /// Largest absolute difference of the two outputs.
    pub difference: f32,
    /// How many photos get another class; `None` if the network is no classifier.
    pub other_class: Option<usize>,
}
