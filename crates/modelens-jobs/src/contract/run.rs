//! One pass of an array that is given, not of photos: for a page that checks its numbers, and for programs that
//! embed it.

use serde::{Deserialize, Serialize};

use crate::store::ModelId;
use modelens_core::model::layers::batch_norm::Moments;
use modelens_core::model::{Flags, LayerId, Outer, Semantics};

/// An array through a model, in one mode.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    pub model: ModelId,
    /// `[N, H, W, C]` as the model's input layer takes it; it is not preprocessed.
    pub x: Values,
    pub outer: Outer,
    pub semantics: Semantics,
    pub flags: Flags,
    /// False: dropout and noise act as in inference.
    pub random: bool,
    pub seed: u64,
    /// Layers whose output comes back too.
    pub taps: Vec<LayerId>,
}

/// An array in row-major order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Values {
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
}

/// The result of a [`Run`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ran {
    pub output: Values,
    /// The outputs of the tapped layers, in the order of the layers.
    pub taps: Vec<(LayerId, Values)>,
    /// The moving statistics that would follow, of every BatchNorm.
    pub next: Vec<(LayerId, Moments)>,
    /// Wall time of the pass.
    pub secs: f64,
}
