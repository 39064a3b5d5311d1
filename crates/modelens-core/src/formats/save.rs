//! Trained weights on their way back into a file.

use thiserror::Error;

use super::OpenError;
use crate::model::{Layer, LayerId, Model};

/// A trained model, and how its layers relate to those of the file it came from.
#[derive(Clone, Copy, Debug)]
pub struct Trained<'a> {
    pub model: &'a Model,
    /// For each layer of the file its place in `model`; `None` for layers that a new head replaces.
    pub places: &'a [Option<LayerId>],
    /// Whether `model` has a new head: the layers after those of the file.
    pub has_new_head: bool,
}

impl<'a> Trained<'a> {
    /// The layers of the new head, in order.
    pub fn new_layers(&self) -> impl Iterator<Item = (LayerId, &'a Layer)> + use<'a> {
        let kept = self.places.iter().flatten().count();
        self.model.graph.layers.iter().enumerate().skip(kept)
    }
}

/// Why a trained model cannot be put into a file.
#[derive(Debug, Error)]
pub enum SaveError {
    #[error("the file the model came from cannot be read again: {0}")]
    Source(#[from] OpenError),
    #[error("the file the model came from has changed since it was opened")]
    Changed,
    #[error("a new head that replaces layers of a nested model cannot be saved")]
    NestedHead,
    #[error(
        "the file holds weights and no configuration, so a new head cannot be added to it; save the \
         whole model in Keras first"
    )]
    WeightsAlone,
    /// Files of this format are only read.
    #[error("{0}")]
    ReadOnlyFormat(&'static str),
    #[error("the new file cannot be built ({0})")]
    Content(String),
}
