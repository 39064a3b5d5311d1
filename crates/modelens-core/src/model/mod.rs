//! Opened networks: the graph, its flags, and the pass through it in both modes.

pub mod array;
pub mod assumption;
pub mod blocks;
mod buffer;
pub mod call_modes;
pub mod card;
pub mod counts;
pub mod error;
pub mod first_norm;
pub mod flag_spec;
pub mod flags;
pub mod format;
pub mod graph;
pub mod head_cut;
pub mod labels;
pub mod layers;
pub mod modules;
pub mod norms;
pub mod pass;
pub mod penalties;
pub mod preprocessing;
pub mod reading;
pub mod recognised;
pub mod recorded;
pub mod releases;
pub mod sampler;
pub mod scale;
pub mod shape_text;
pub mod unknown;

use std::ops::{Deref, DerefMut};

use serde::{Deserialize, Serialize};

use self::layers::WeightMap;

pub use assumption::Assumption;
pub use call_modes::{CallModes, ReachedReason, ReachedTraining};
pub use card::Card;
pub use error::PassError;
pub use flags::Flags;
pub use format::Format;
pub use graph::{Graph, Layer, LayerId, LayerNameError, NodeId};
pub use layers::LayerKind;
pub use modules::{ModuleCall, ModuleCalls};
pub use preprocessing::Preprocessing;
pub use reading::Reading;
pub use recognised::Recognised;
pub use recorded::{RecordedArgument, RecordedBy, signature_default};
pub use shape_text::shape_text;

pub use crate::rules::{
    Effective, Mode, Outer, Role, Semantics, Statistics, effective, effective_when,
};

/// What is known of a network without the values of its weights: plain data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelDescription {
    /// What the window calls it: the file's name, or the bundled base's.
    pub title: String,
    pub format: Format,
    /// The framework that wrote the file, with its version where the file tells: `Keras 3.11.3`.
    pub framework: String,
    /// The rules that hold for this file unless the person chooses others.
    pub semantics: Semantics,
    /// Which network it is, and how that is known.
    pub recognised: Recognised,
    pub graph: Graph,
    /// What photos go through before the first layer.
    pub preprocessing: Preprocessing,
    /// True if nothing tells the preprocessing: see [`scale`].
    pub scale_unknown: bool,
    /// Class names in output order; empty where unknown.
    pub labels: Vec<String>,
    /// Where the class names come from, in words; empty where they are unknown.
    pub labels_from: String,
    /// What is odd about the file, in sentences for the status bar.
    pub warnings: Vec<String>,
    /// What the file does not tell about its network, and what was taken.
    pub assumed: Vec<Assumption>,
}

/// A network read from a file. Never changed after it was read: flags live in [`Flags`], and a pass
/// returns new statistics instead of storing them.
///
/// It dereferences to its description, since whatever needs a description can take a model.
#[derive(Clone, Debug)]
pub struct Model {
    pub description: ModelDescription,
    /// The values of all weights.
    pub weights: WeightMap,
}

impl Deref for Model {
    type Target = ModelDescription;

    fn deref(&self) -> &ModelDescription {
        &self.description
    }
}

impl DerefMut for Model {
    fn deref_mut(&mut self) -> &mut ModelDescription {
        &mut self.description
    }
}
