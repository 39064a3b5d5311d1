//! The texts of the Predict view.

mod sentences;

pub use sentences::*;

use crate::words::common;
use crate::words::number::seconds;
use modelens_jobs::{PredictOutcome, PredictSide};

// The tab and the status bar.
pub const LABEL: &str = "Predict";
pub const TOOLTIP: &str =
    "The photo's top five classes in both modes, in repeated passes and in other batches";

pub fn took(outcome: &PredictOutcome, secs: f64) -> String {
    let photos = common::photos(outcome.batch);
    let sides = [&outcome.training, &outcome.inference];
    let passes: usize = sides.map(|s| s.passes.len() + s.mates.len()).iter().sum();
    format!("{passes} passes, {photos} each: {}", seconds(secs))
}

// Where there are no classes, controls, columns.
pub const NO_CLASSES: &str = "This base predicts no classes: its last layer returns features, and it \
     needs a head on top. Open a whole model or one of the bundled bases. The other views show \
     what the modes do to this one's features.";
pub const UNDER_WAY: &str = "being computed";
pub const NOT_COMPUTED: &str = "not computed";
pub const NEW_DRAWS: &str = "New draws";
pub const PASSES: &str = "Passes";
pub const PASSES_TIP: &str = "How often the same batch is run. Drag, or click to type";
pub const LEFT_CLASSES: &str = "Left classes";
pub const RIGHT_CLASSES: &str = "Right classes";

pub fn probability_title(name: &str) -> String {
    format!("PROBABILITY OF {name}")
}

pub const DASHED: &str = "dashed: in inference";
pub const LEFT_PASSES: &str = "Left passes and batches";
pub const RIGHT_PASSES: &str = "Right passes and batches";
pub const PASS_1: &str = "Pass 1";

pub fn others(missing: &str) -> String {
    format!("others {missing}")
}

pub const ALL_THE_SAME: &str = "all equal: one dot";
pub const SAME_BATCH: &str = "same batch";
pub const SAME_BATCH_NEW_DRAWS: &str = "same batch, new draws";
pub const OTHER_BATCHES: &str = "Other batches";

pub fn from_to(fewest: usize, most: usize) -> String {
    format!("{fewest} to {most}")
}

pub fn batches_of(batches: &str, size: &str) -> String {
    format!("{batches} of {size}")
}

pub const OTHER_MATES: &str = "with other photos";
pub const NO_MATES: &str = "no other photos";

/// The heading of a column: what its classes come from.
pub fn heading(side: &PredictSide) -> String {
    let (on, all) = (side.on_batch, side.batch_norms);
    match (on, all) {
        (_, 0) => "pass 1, no BatchNorm".to_owned(),
        (0, _) => "pass 1, stored statistics".to_owned(),
        _ => format!("pass 1, batch statistics in {on} of {all} BatchNorm layers"),
    }
}

// Rows and dots.
pub fn in_its_folder(name: &str) -> String {
    format!("{name} (true class)")
}

pub fn first_is(name: &str) -> String {
    format!(" (first: {name})")
}
