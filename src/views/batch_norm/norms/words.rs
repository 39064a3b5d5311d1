//! The texts of the comparison.

use crate::model::norms::{Norm, Reads, Spread};
use crate::model::{Mode, Semantics};
use crate::words::common;
use crate::words::modes::mode_label;
use crate::words::number::{count, measured, seconds, thousands};
use modelens_jobs::{NormRow, NormSide, NormsOutcome};

pub const COMPARE: &str = "Norms";
pub const COMPARE_TIP: &str = "BatchNorm, SyncBatchNorm, FrozenBatchNorm, GroupNorm and LayerNorm on \
     the input of this layer, and batches of 1 to 64 photos";
pub const TABLE: &str = "Norms in each mode";
pub const SWEEP: &str = "Error by batch size";
pub const SWEEP_TITLE: &str = "ERROR BY BATCH SIZE";
pub const NORM: &str = "normalisation";
pub const MODES_DIFFER: [&str; 2] = ["modes differ by", "differ by"];
pub const FROM_INFERENCE: [&str; 2] = ["from this file's", "from the file's"];
pub const FROM_INFERENCE_NOTE: [&str; 2] = ["BatchNorm in inference", "BatchNorm"];
pub const STATE: [&str; 2] = ["state moves", "moves"];
pub const REFUSED: &str = "refused";
pub const PRESENT: &str = "this layer now";
pub const SWEEP_TIP: &str = "x̂ = (x − mean) / √(variance + ε), before gamma and beta. Error: the root of \
     the mean square of x̂ in the batch − x̂ in the batch of all photos, over all values of the batch, in \
     standard deviations (sd). Points: the mean of up to 16 batches of this size, drawn by the seed; bars: \
     the smallest and the largest. All layers before this one run in inference, so a photo's input is the \
     same in every batch";
pub const X_AXIS: &str = "photos in the batch";

pub fn took(photos: usize, secs: f64) -> String {
    format!("Compared on {}: {}", common::photos(photos), seconds(secs))
}

pub fn channel(of: &str) -> String {
    format!("Channel {of}")
}

/// The call that makes the norm, in the framework's own words, and what it is.
pub fn name(norm: Norm, outcome: &NormsOutcome) -> [String; 2] {
    let (groups, channels) = (outcome.groups, outcome.channels);
    let of_group = count(channels / groups.max(1), "channel", "channels");
    let grouped = format!("{} of {of_group}", count(groups, "group", "groups"));
    let flat = outcome.rank == 2;
    let [name, note] = if outcome.semantics == Semantics::PyTorch {
        let number = if flat { "1d" } else { "2d" };
        match norm {
            Norm::Batch => [format!("BatchNorm{number}"), String::new()],
            Norm::SyncBatch => ["SyncBatchNorm".to_owned(), ONE_DEVICE.to_owned()],
            Norm::FrozenBatch => [
                "FrozenBatchNorm2d".to_owned(),
                "torchvision: four buffers, no parameters".to_owned(),
            ],
            Norm::Group => [format!("GroupNorm({groups}, {channels})"), grouped],
            Norm::Layer => [format!("GroupNorm(1, {channels})"), layer_norm(flat)],
        }
    } else {
        match norm {
            Norm::Batch => ["BatchNormalization".to_owned(), String::new()],
            Norm::SyncBatch => ["... synchronized=True".to_owned(), ONE_DEVICE.to_owned()],
            Norm::FrozenBatch => [
                "... trainable=False".to_owned(),
                "the frozen BatchNorm".to_owned(),
            ],
            Norm::Group => [format!("GroupNormalization({groups})"), grouped],
            Norm::Layer => ["GroupNormalization(1)".to_owned(), layer_norm(flat)],
        }
    };
    if norm == outcome.present {
        let note = if note.is_empty() {
            PRESENT.to_owned()
        } else {
            format!("{PRESENT}; {note}")
        };
        return [name, note];
    }
    [name, note]
}

const ONE_DEVICE: &str = "on one device, the line above";

fn layer_norm(flat: bool) -> String {
    if flat {
        "LayerNorm over the channels".to_owned()
    } else {
        "LayerNorm over C, H and W".to_owned()
    }
}

/// Where a norm takes its statistics from, in full and shorter.
pub fn reads(reads: Reads, norm: Norm, outcome: &NormsOutcome) -> [String; 2] {
    match (reads, norm) {
        (Reads::Batch, _) => [
            format!("the batch ({})", common::photos(outcome.batch)),
            format!("batch of {}", outcome.batch),
        ],
        (Reads::Stored, _) => ["the stored statistics", "stored statistics"].map(str::to_owned),
        (Reads::Photo, Norm::Group) => {
            ["each photo, group by group", "each photo's groups"].map(str::to_owned)
        }
        (Reads::Photo, _) => ["each photo as a whole", "each photo"].map(str::to_owned),
    }
}

/// The statistics of the chosen photo and channel, in full and shorter.
pub fn used(side: &NormSide, channel: usize) -> [String; 2] {
    let Some(used) = &side.used else {
        return ["refused: one value a channel", "refused: one value"].map(str::to_owned);
    };
    let at = |values: &[f32]| measured(f64::from(values.get(channel).copied().unwrap_or(0.0)));
    let [mean, variance] = [&used.mean, &used.variance].map(|values| at(values));
    [
        format!("mean {mean}, variance {variance}"),
        format!("μ {mean}, σ² {variance}"),
    ]
}

/// Whether stored statistics change, in either mode.
pub fn moves(row: &NormRow) -> &'static str {
    match (row.training.moves, row.inference.moves) {
        (true, false) => "in training",
        (true, true) => "in both modes",
        (false, true) => "in inference",
        (false, false) if row.training.reads == Reads::Photo => "no state",
        (false, false) => "never",
    }
}

/// A difference in standard deviations.
pub fn difference(value: Option<f64>) -> String {
    match value {
        Some(0.0) => "0".to_owned(),
        Some(value) => common::deviations(&measured(value)),
        None => REFUSED.to_owned(),
    }
}

/// A cell of the table, for screen readers.
pub fn cell(row: &str, column: &str, value: &str) -> String {
    format!("{row}, {column}: {value}")
}

/// What the points of each colour are, beside the title of the plot; in full and shorter.
pub fn legend(outcome: &NormsOutcome) -> [[String; 2]; 2] {
    let train = mode_label(Mode::Training, outcome.semantics);
    let eval = mode_label(Mode::Inference, outcome.semantics);
    [
        [
            format!("BatchNorm and SyncBatchNorm, {train}"),
            format!("BatchNorm, {train}"),
        ],
        [
            format!("BatchNorm with {eval}, and every other norm"),
            "all others".to_owned(),
        ],
    ]
}

/// The vertical axis, and the dashed line.
pub fn y_axis(outcome: &NormsOutcome) -> [String; 2] {
    let photos = thousands(outcome.photos);
    let axis = format!("sd from the same photos in a batch of all {photos}");
    let guide = format!("{axis}; dashed: the noise of a sample, c·√(1/batch − 1/{photos})");
    [guide, axis]
}

/// One batch size, for the tooltip.
pub fn at_size(size: usize, rows: &[(String, Option<Spread>)]) -> String {
    let mut lines = vec![format!("batch of {}", common::photos(size))];
    lines.extend(rows.iter().map(|(name, error)| match error {
        Some(error) if error.high == 0.0 => format!("{name}: exactly 0"),
        Some(Spread { mean, low, high }) => format!(
            "{name}: {} sd ({} to {})",
            measured(*mean),
            measured(*low),
            measured(*high)
        ),
        None => format!("{name}: refused, one value a channel"),
    }));
    lines.join("\n")
}

/// The plot in words.
pub fn sweep_name(outcome: &NormsOutcome) -> String {
    let errors = batch_errors(outcome);
    let end = |at: Option<&(usize, f64)>| {
        at.map_or_else(String::new, |(size, error)| {
            format!("{} sd at {}", measured(*error), common::photos(*size))
        })
    };
    format!(
        "{SWEEP}: BatchNorm in training {} and {}; the others {}",
        end(errors.first()),
        end(errors.last()),
        measured(largest_other(outcome))
    )
}

/// The errors of BatchNorm in training, by batch size; without the refused ones.
fn batch_errors(outcome: &NormsOutcome) -> Vec<(usize, f64)> {
    let row = outcome.row(Norm::Batch);
    let errors = row.map_or(&[][..], |row| &row.training.errors);
    let pairs = outcome.sizes.iter().zip(errors);
    pairs
        .filter_map(|(&size, error)| Some((size, (*error)?.mean)))
        .collect()
}

/// The largest error of those that do not read the batch.
fn largest_other(outcome: &NormsOutcome) -> f64 {
    let sides = outcome.rows.iter().flat_map(NormRow::sides);
    let others = sides.filter(|(_, side)| side.reads != Reads::Batch);
    let errors = others.flat_map(|(_, side)| side.errors.iter().flatten());
    errors.map(|error| error.high).fold(0.0, f64::max)
}

/// The sentences below the comparison.
pub fn what_you_see(outcome: &NormsOutcome) -> String {
    let torch = outcome.semantics == Semantics::PyTorch;
    let train = mode_label(Mode::Training, outcome.semantics);
    let errors = batch_errors(outcome);
    let mut said = Vec::new();
    let mut conclusion = format!(
        "None of these norms depends on the other photos of the batch: the largest error is {} sd.",
        measured(largest_other(outcome))
    );
    if let [(small, first), .., (large, last)] = errors[..] {
        let photo = if small == 1 {
            "a photo alone".to_owned()
        } else {
            format!("a photo in a batch of {small}")
        };
        conclusion = format!(
            "BatchNorm's output depends on the other photos of the batch: with {train}, {photo} comes \
             out {} sd away from what it is among all {}.",
            measured(first),
            outcome.photos,
        );
        said.push(format!(
            "In a batch of {large} it is {} sd. The error falls about as 1/√batch, as the noise of a \
             sample does.",
            measured(last),
        ));
    }
    let others = largest_other(outcome);
    said.push(if others == 0.0 {
        "Every other line reads the photo itself or stored statistics: exactly 0 at every size."
            .to_owned()
    } else {
        format!("The other lines are at most {} sd away.", measured(others))
    });
    if errors.len() < outcome.sizes.len() {
        said.push(
            "A batch with one value a channel has no variance, so PyTorch refuses it.".to_owned(),
        );
    } else if outcome.positions == 1 {
        said.push(
            "A photo alone has one value a channel: its variance is 0 and its output beta."
                .to_owned(),
        );
    }
    let group = outcome.row(Norm::Group).and_then(|row| row.from_inference);
    if let Some(distance) = group {
        said.push(format!(
            "\nNone of them is a free swap: with the same gamma and beta, GroupNorm's output is {} sd \
             from what the next layer was trained on.",
            measured(distance)
        ));
    }
    said.push(
        if torch {
            "FrozenBatchNorm2d ignores .train() and .eval(). Its epsilon is 1e-5, and was 0 before \
             torchvision 0.9."
        } else {
            "LayerNormalization() without axis reads the channels of one position only."
        }
        .to_owned(),
    );
    common::concluded(&conclusion, &said.join(" ").replace(" \n", "\n"))
}
