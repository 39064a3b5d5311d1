//! The texts of the Releases view.

use crate::model::releases::{ActiveLayers, ReleaseChange};
use crate::model::{Mode, Outer, Semantics};
use crate::words::common;
use crate::words::number::{measured, percent, seconds};
use modelens_jobs::{ReleaseCell, ReleasesOutcome};

pub const LABEL: &str = "Releases";
pub const TOOLTIP: &str = "What this file does in Keras 2, Keras 3 to 3.15, Keras 3.16 and PyTorch";
pub const REBUILT: &str = "As if rebuilt";
pub const REBUILT_TIP: &str = "Leaves out the values that only the saver recorded, as if you had \
     built the model again from code and loaded its weights";
pub const WROTE: &str = "wrote this file";
pub const IN_FORCE: &str = "the rules in force";
pub const TABLE: &str = "Releases";

pub fn took(photos: usize, secs: f64) -> String {
    let photos = common::photos(photos);
    format!("Every release and call, {photos}: {}", seconds(secs))
}

/// What was measured.
pub fn measured_on(photos: usize, framework: &str) -> String {
    let photos = common::photos(photos);
    format!(
        "Written by {framework}. The same {photos} in every cell; ≠ differs from the release that wrote it"
    )
}

/// The heading of the block of one outer call, and who calls so.
pub fn call(outer: Outer) -> [&'static str; 2] {
    match outer {
        Outer::Given(Mode::Training) => ["training=True", "fit; model.train() in PyTorch"],
        Outer::Given(Mode::Inference) => ["training=False", "predict; model.eval() in PyTorch"],
        Outer::NotGiven => ["training= not given", "model(x); as constructed in PyTorch"],
    }
}

/// A row of the table: its label, and what it reads.
pub type Row = (&'static str, fn(&ReleaseCell) -> String);

/// The rows that this model has.
pub fn rows(outcome: &ReleasesOutcome) -> Vec<Row> {
    let any = |count: fn(&ReleaseCell) -> ActiveLayers| {
        outcome.cells.iter().any(|cell| count(cell).of > 0)
    };
    let mut rows: Vec<Row> = Vec::new();
    if any(|cell| cell.augmentation) {
        rows.push(("random layers that draw", |cell| of(cell.augmentation)));
    }
    if any(|cell| cell.noise) {
        rows.push(("dropout layers that drop", |cell| {
            let layers = of(cell.noise);
            if cell.dropped > 0.0 {
                format!("{layers}, {}", percent(cell.dropped))
            } else {
                layers
            }
        }));
    }
    if any(|cell| cell.batch_norm) {
        rows.push(("BatchNorm on the batch", |cell| of(cell.batch_norm)));
        rows.push(("statistics that move", |cell| of(cell.statistics)));
    }
    rows.push(("output differs from predict", |cell| {
        measured(f64::from(cell.output_difference))
    }));
    rows
}

fn of(layers: ActiveLayers) -> String {
    format!("{} of {}", layers.active, layers.of)
}

/// What changes for the user of the file, and what to do.
pub fn explain(change: &ReleaseChange, framework: &str) -> String {
    let runner = change.runner.name();
    // Names of layers stand as they are: this text has no code.
    let plain = |text: &str| text.replace('`', "");
    if change.changes.is_empty() {
        return common::concluded(
            &format!("Saved by {framework}, run by {runner}: every layer does the same."),
            "Choose other rules at the top to compare.",
        );
    }
    let changes = change
        .changes
        .iter()
        .map(|c| common::sentence_case(&plain(c)));
    let changes: Vec<String> = changes.collect();
    let things = match changes.len() {
        1 => "1 thing changes".to_owned(),
        n => format!("{n} things change"),
    };
    common::concluded(
        &format!("Saved by {framework}, run by {runner}: {things}."),
        &format!("{}. {}", changes.join(". "), plain(&change.advice)),
    )
}

/// The note below the name of a release.
pub fn note(rules: Semantics, writer: Semantics, in_force: Semantics) -> &'static str {
    if rules == writer {
        WROTE
    } else if rules == in_force {
        IN_FORCE
    } else {
        ""
    }
}
