//! The texts of the BatchNorm view.

mod cause;
mod channel;
mod mechanism;
mod sentences;
mod without;

pub use cause::*;
pub use channel::*;
pub use mechanism::*;
pub use sentences::*;
pub use without::*;

use crate::words::common;
use crate::words::number::{count, seconds};

// The tab and the status bar.
pub const LABEL: &str = "BatchNorm";
pub const TOOLTIP: &str = "Which mean and variance a BatchNorm layer normalises with";

pub fn took(photos: usize, is_augmented: bool, secs: f64) -> String {
    let photos = if is_augmented {
        count(photos, "augmented photo", "augmented photos")
    } else {
        common::photos(photos)
    };
    format!("Forward, {photos}, both modes: {}", seconds(secs))
}

pub const PLOTS_LEFT_OUT: &str = "all layers at a glance, the scatter plots and further batches";
pub const COLUMNS_LEFT_OUT: &str = "all layers at a glance, and the two columns";
pub const FURTHER_BATCHES: &str = "Further batches";

// Further batches, below the columns.
pub const FURTHER_BATCHES_TITLE: &str = "FURTHER BATCHES";
pub const MOMENTUM_NAME: &str = "Momentum";

pub fn in_pytorch(momentum: &str) -> String {
    format!("{momentum} (PyTorch)")
}

// The two columns. The names of plots are those of the export dialog too.
pub const OUTPUT_FORMULA: &str = "gamma × (x − mean) / √(variance + epsilon) + beta";
pub const OUTPUT: &str = "output";
pub const LEFT_MAP: &str = "Left feature map";
pub const RIGHT_MAP: &str = "Right feature map";
pub const LEFT_HISTOGRAM: &str = "Left histogram";
pub const RIGHT_HISTOGRAM: &str = "Right histogram";
pub const WITH_BATCH: &str = "the batch";
pub const WITH_STORED: &str = "the stored";
pub const USES: &str = "uses";
pub const NORMALISES_WITH: &str = "normalises with";
pub const NEXT_MEAN: &str = "next mean";
pub const NEXT_VARIANCE: &str = "next variance";

pub fn unchanged(value: &str) -> String {
    format!("{value}, unchanged")
}

// The row of controls: walk, layer, channel.
pub const RESET_TIP: &str = "Back to the moving statistics and the momentum of the file";
pub const BATCH: &str = "batch";
pub const BATCHES: &str = "batches";
pub const RUN_LENGTH: &str = "Batches per run";
pub const RUN_LENGTH_TIP: &str = "Batches per run. Drag, or click to type";
pub const STOP_TIP: &str = "Stop here";
pub const RUN_TIP: &str =
    "Send batches through in training mode and watch the moving statistics move";
pub const RUN: &str = "Run";
pub const PREVIOUS_LAYER: &str = "Previous BatchNorm layer";
pub const NEXT_LAYER: &str = "Next BatchNorm layer";
pub const CHANNEL: &str = "Channel";
pub const PREVIOUS_CHANNEL: &str = "Previous channel";
pub const NEXT_CHANNEL: &str = "Next channel";
pub const MOST_DIFFERENT_FIRST: &str = "Most different first";
pub const MOST_DIFFERENT_TIP: &str =
    "Order channels by |batch mean − moving mean| in standard deviations, and go to the first";

// The feature map.
pub fn at_position(name: &str, row: usize, column: usize, value: &str) -> String {
    format!("{name}\nrow {row}, column {column}: {value}")
}

// The two scatter plots.
pub fn moving(what: &str) -> String {
    format!("moving {what}")
}

pub fn of_batch(what: &str) -> String {
    format!("batch {what}")
}

pub const MEANS: &str = "Means";
pub const VARIANCES: &str = "Variances";

// The strip of all layers.
pub const STRIP_TIP: &str = "Distance: |batch mean − moving mean| / √(moving variance + ε), the \
     mean over the layer's channels, in standard deviations (sd). Left to right as in the model. \
     Filled: normalises with the batch when training. Hollow: with its stored statistics";
pub const ALL_LAYERS: &str = "All layers";
pub const STRIP_NAME: &str = "BatchNorm layer, by distance from the file";

/// The title of a narrow strip.
pub fn strip_short_title(layers: usize) -> String {
    count(layers, "BATCHNORM LAYER", "BATCHNORM LAYERS")
}

pub fn strip_title(layers: usize) -> String {
    let layers = count(layers, "BATCHNORM LAYER", "BATCHNORM LAYERS");
    format!("{layers}: DISTANCE OF THIS BATCH FROM THE FILE")
}

pub const BEING_MEASURED: &str = "being measured";

// The walk of the moving statistics.
pub fn moving_value(what: &str, value: &str) -> String {
    format!("moving {what} {value}")
}

pub fn moving_walk(what: &str, first: &str, last: &str) -> String {
    format!("moving {what} {first} → {last}")
}

pub fn walk_dots(words: &str, what: &str, batches: usize) -> String {
    format!("{words}; dots: the {what} of {batches} further batches")
}

pub fn batch_value(step: usize, what: &str, value: &str) -> String {
    format!("Batch {step}: {what} {value}")
}

pub const IN_THE_FILE: &str = "in the file";
pub const AFTER_IT: &str = "after this batch";

pub fn moving_when(what: &str, when: &str, value: &str) -> String {
    format!("moving {what} {when}: {value}")
}
