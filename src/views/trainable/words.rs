//! The texts of the Trainable view.

mod network;
mod sentences;

pub use network::*;
pub use sentences::*;

use crate::model::{Effective, Mode, Outer, Role as LayerRole, Semantics, Statistics};
use crate::state::LayerColumn;
use crate::words::common;
use crate::words::number::seconds;

// The tab and the status bar.
pub const LABEL: &str = "Trainable";
pub const TOOLTIP: &str =
    "What trainable and training each protect, measured in one optimizer step";

pub fn took(photos: usize, secs: f64) -> String {
    let photos = common::photos(photos);
    format!("Four optimizer steps, {photos}: {}", seconds(secs))
}

pub const ONLY_LAYERS_TIP: &str = "Hides the four cards, which leaves the table all the room";
pub const ONLY_LAYERS: &str = "Only layers";
pub const MOST_PHOTOS: &str = " (at most 16 photos per step)";

pub fn measured_by(rate: &str, photos: &str, most: &str) -> String {
    format!(
        "Optimizer step (SGD) at learning rate {rate} in four copies of the model, on the same {photos}{most}"
    )
}

pub const NEW_OPTIMIZER: &str = "New optimizer";
pub const LAYERS: &str = "Layers";
pub const PICTURE_LEFT_OUT: &str = "the picture of the network";
pub const PICTURE: &str = "Picture of the network";

// The row of controls.

/// What the badge says.
pub fn badge(semantics: Semantics) -> &'static str {
    match semantics {
        Semantics::PyTorch => "changed since the optimizer was made",
        Semantics::Keras2 | Semantics::Keras3 | Semantics::Keras316 => "changed since compile()",
    }
}

// The cards.
pub fn advised(sentence: &str) -> String {
    format!("**The course's advice.** {sentence}")
}

pub const OPEN_LEFT: &str = "Trainable, left card";
pub const OPEN_RIGHT: &str = "Trainable, right card";
pub const FROZEN_LEFT: &str = "Frozen, left card";
pub const FROZEN_RIGHT: &str = "Frozen, right card";

pub fn sort_by(label: &str) -> String {
    format!("sort by {label}")
}

pub fn row(layer: &str, mode: &str, when: &str, moves: &str) -> String {
    format!("{layer}: {mode} {when}, moves {moves}")
}

pub fn flag_of(flag: &str, layer: &str) -> String {
    format!("{flag} of {layer}")
}

// The table of layers.

/// The call that the table describes.
pub fn when(outer: Outer) -> &'static str {
    if outer == Outer::Given(Mode::Training) {
        "in training"
    } else {
        "in this call"
    }
}

pub fn heading(column: LayerColumn, outer: Outer, semantics: Semantics) -> &'static str {
    match column {
        LayerColumn::Layer => "layer",
        LayerColumn::Flag if semantics == Semantics::PyTorch => "grad",
        LayerColumn::Flag => "trainable",
        LayerColumn::Inherited => "parent model",
        LayerColumn::Training if semantics == Semantics::PyTorch => "mode",
        LayerColumn::Training => "training",
        LayerColumn::Mode => when(outer),
        LayerColumn::Moves => "moves",
        LayerColumn::Params => "params",
    }
}

pub fn explains(column: LayerColumn) -> &'static str {
    match column {
        LayerColumn::Layer => "In the order of the network",
        LayerColumn::Flag => "The layer's own flag",
        LayerColumn::Inherited => {
            "What a frozen parent model does to the layer: in Keras 2 it keeps the weights from \
             learning; in Keras 3 and PyTorch only the layer's own flag counts"
        }
        LayerColumn::Training => {
            "The value of training that reaches the layer in the outer call chosen at the left"
        }
        LayerColumn::Mode => "What the layer does in that call",
        LayerColumn::Moves => "What one training step with that call changes",
        LayerColumn::Params => "Parameters of the layer",
    }
}

/// The effect of frozen parent models on a layer.
pub fn inherited(above: bool, semantics: Semantics) -> &'static str {
    match (above, semantics) {
        (false, _) => "",
        (true, Semantics::Keras2) => "frozen",
        (true, _) => "no effect",
    }
}

pub fn moves(moved: [bool; 2]) -> &'static str {
    match moved {
        [true, true] => "weights, statistics",
        [true, false] => "weights",
        [false, true] => "statistics",
        [false, false] => "nothing",
    }
}

/// What a layer does in training; empty if both modes are the same.
pub fn mode(role: LayerRole, effective: Effective) -> &'static str {
    match role {
        LayerRole::BatchNorm if effective.statistics == Some(Statistics::Batch) => {
            "batch statistics"
        }
        LayerRole::BatchNorm => "stored statistics",
        LayerRole::Noise if effective.active => "drops units",
        LayerRole::Augmentation if effective.active => "draws",
        LayerRole::Noise | LayerRole::Augmentation => "does nothing",
        LayerRole::Weights | LayerRole::Plain => "",
    }
}
