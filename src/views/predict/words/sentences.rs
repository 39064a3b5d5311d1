//! What the Predict view says. Every sentence follows from the numbers, so none contradicts them.

use crate::model::{Mode, ModelDescription, Reading, Semantics};
use crate::words::common;
use crate::words::modes::{flag_label, mode_label};
use crate::words::number::{count, fixed, measured};
use modelens_jobs::{ClassInPass, PredictOutcome, PredictRow, PredictSide};

/// Differences up to this are those of sums in another order, in single precision.
const ROUNDING: f32 = 1e-5;

/// The name of a class: the model's label, or its number.
pub fn class_name(model: &ModelDescription, outputs: usize, class: usize) -> String {
    match (outputs, model.labels.as_slice()) {
        (1, [label]) if class == 0 => format!("not {label}"),
        (1, [label]) => label.clone(),
        (1, _) if class == 0 => "class 0 (1 \u{2212} p)".to_owned(),
        (1, _) => "class 1 (p)".to_owned(),
        (_, labels) => match labels.get(class) {
            Some(label) => label.clone(),
            None => format!("class {class}"),
        },
    }
}

/// Whether a label means the folder's class: case, `_` and `-` aside, one of the label's synonyms.
pub fn same_class(label: &str, folder: &str) -> bool {
    let plain = |text: &str| {
        let text = text.trim().to_lowercase();
        text.replace(['_', '-'], " ")
    };
    let folder = plain(folder);
    label.split(',').any(|synonym| plain(synonym) == folder)
}

/// A probability with three decimals, or in scientific notation if those would be zero.
pub fn probability(p: f32) -> String {
    let p = f64::from(p);
    if !p.is_finite() || (p != 0.0 && p.abs() < 0.0005) {
        measured(p)
    } else {
        fixed(p, 3)
    }
}

/// The smallest and the largest probability; NaN if one of them is.
pub fn range(seen: &[ClassInPass]) -> [f32; 2] {
    let values = seen.iter().map(|s| s.probability);
    values.fold([f32::INFINITY, f32::NEG_INFINITY], |[low, high], p| {
        if p.is_nan() || low.is_nan() {
            [f32::NAN; 2]
        } else {
            [low.min(p), high.max(p)]
        }
    })
}

/// Largest minus smallest; 0 of none.
pub fn spread(seen: &[ClassInPass]) -> f32 {
    if seen.is_empty() {
        return 0.0;
    }
    let [low, high] = range(seen);
    high - low
}

/// From the smallest to the largest, for a column of numbers.
pub fn short_range(seen: &[ClassInPass]) -> String {
    let [low, high] = range(seen);
    let [from, to] = [low, high].map(probability);
    if low == high || low.is_nan() {
        from
    } else if from == to {
        format!("{from} ±{:.0e}", (high - low) / 2.0).replace("e-", "e\u{2212}")
    } else {
        format!("{from} to {to}")
    }
}

/// The same in a sentence.
fn runs(seen: &[ClassInPass]) -> String {
    let [low, high] = range(seen);
    let [from, to] = [low, high].map(probability);
    if from == to {
        format!(
            "varies by {} around {from}",
            measured(f64::from(high - low))
        )
    } else {
        format!("ranges from {from} to {to}")
    }
}

/// What was read, for the row of controls.
pub fn reading(outcome: &PredictOutcome) -> String {
    let what = match (outcome.reading, outcome.outputs) {
        (Reading::Softmax, _) => "softmax, as the model returns it",
        (Reading::Sigmoid, 1) => "one sigmoid output p, and 1 \u{2212} p",
        (Reading::Sigmoid, _) => "a sigmoid for each class on its own",
        (Reading::Logits, 1) => "sigmoid of the one logit, and 1 \u{2212} that",
        (Reading::Logits, _) => "softmax of the logits",
    };
    let outputs = count(outcome.outputs, "output", "outputs");
    format!("{outputs}: {what}")
}

/// "What you see".
pub fn explain(outcome: &PredictOutcome, names: &Names<'_>, semantics: Semantics) -> String {
    if !is_finite(outcome) {
        return common::concluded(
            "The model's output has values that are not numbers, so there is nothing to compare.",
            "",
        );
    }
    let passes = passes(outcome, names, semantics);
    common::concluded(
        &first(outcome, names, semantics),
        &format!("{passes} {}", mates(outcome, semantics)),
    )
}

/// What holds after the first pass of each mode; `missing` says what of the others.
pub fn early(
    outcome: &PredictOutcome,
    names: &Names<'_>,
    semantics: Semantics,
    missing: &str,
) -> String {
    if !is_finite(outcome) {
        return explain(outcome, names, semantics);
    }
    let first = first(outcome, names, semantics);
    let rest = format!("Further passes, and batches of other photos, are {missing}.");
    common::concluded(&first, &rest)
}

/// Names of classes.
pub struct Names<'a> {
    pub model: &'a ModelDescription,
    pub outputs: usize,
}

impl Names<'_> {
    /// The name of one class.
    pub fn of(&self, class: usize) -> String {
        class_name(self.model, self.outputs, class)
    }
}

fn is_finite(outcome: &PredictOutcome) -> bool {
    let rows = outcome.rows.iter();
    rows.flat_map(|row| [row.training, row.inference])
        .chain(
            [&outcome.training, &outcome.inference]
                .iter()
                .flat_map(|side| {
                    let seen = side.passes.iter().chain(&side.mates);
                    seen.map(|s| s.probability)
                }),
        )
        .all(f32::is_finite)
}

/// Which class each mode puts first.
fn first(outcome: &PredictOutcome, names: &Names<'_>, semantics: Semantics) -> String {
    let [left, right] = Mode::BOTH.map(|mode| mode_label(mode, semantics));
    let (training, inference) = (&outcome.training, &outcome.inference);
    let [p, q] = [training.first_probability, inference.first_probability];
    let differs = |row: &PredictRow| (row.training - row.inference).abs();
    let largest = outcome.rows.iter().map(differs).fold(0.0, f32::max);
    let name = names.of(inference.first);
    if training.first != inference.first {
        return format!(
            "The modes disagree: {left} ranks {} first ({}), {right} {name} ({}).",
            names.of(training.first),
            probability(p),
            probability(q),
        );
    }
    if largest == 0.0 {
        let q = probability(q);
        return format!("Both modes give the same numbers: {name} first, with {q}.");
    }
    let [left_p, right_p] = [p, q].map(probability);
    if left_p == right_p {
        return format!(
            "Both modes rank {name} first, with {left_p}; the classes shown differ by at most {}.",
            measured(f64::from(largest))
        );
    }
    format!("Both modes rank {name} first: {left} gives it {left_p}, {right} {right_p}.")
}

/// The same batch, again and again.
fn passes(outcome: &PredictOutcome, names: &Names<'_>, semantics: Semantics) -> String {
    let (training, inference) = (&outcome.training, &outcome.inference);
    let name = names.of(outcome.followed);
    let k = training.passes.len();
    let call = mode_label(Mode::Training, semantics);
    let layers = count(training.random, "random layer", "random layers");
    let left = match (spread(&training.passes) > 0.0, training.random > 0) {
        (true, true) => format!(
            "Over {k} passes of the same batch with {call} the probability of {name} {}: {layers} \
             redrawn each time.",
            runs(&training.passes)
        ),
        (true, false) => format!(
            "Over {k} passes of the same batch with {call} it {}, although no layer is random.",
            runs(&training.passes)
        ),
        (false, true) => format!(
            "{k} passes of the same batch with {call} agree exactly on {name}, despite {layers}."
        ),
        (false, false) => {
            format!("{k} passes of the same batch with {call} agree exactly: no layer is random.")
        }
    };
    let others = others(training, outcome.followed);
    let right = match (spread(&inference.passes) > 0.0, inference.random) {
        (false, _) => format!("In inference all {} agree exactly.", inference.passes.len()),
        (true, 0) => format!("In inference it {}.", runs(&inference.passes)),
        (true, n) => format!(
            "In inference it {} too: {} there as well.",
            runs(&inference.passes),
            count(n, "layer is random", "layers are random")
        ),
    };
    format!("{left}{others} {right}")
}

/// How often another class came first.
fn others(side: &PredictSide, followed: usize) -> String {
    let others = side.passes.iter().filter(|s| s.first != followed).count();
    match others {
        0 => String::new(),
        n if n == side.passes.len() => " A different class won every time.".to_owned(),
        n => format!(" A different class won {n} times."),
    }
}

/// The same photo among other photos.
fn mates(outcome: &PredictOutcome, semantics: Semantics) -> String {
    let (training, inference) = (&outcome.training, &outcome.inference);
    if training.mates.is_empty() {
        return "There are no other batches to put the photo into: that takes a batch of at least two \
                photos and a folder of at least three."
            .to_owned();
    }
    let batches = format!(
        "With other photos in the batch ({}, dropout off)",
        common::batches(training.mates.len())
    );
    let moved = spread(&training.mates);
    let left = if training.on_batch > 0 {
        let layers = count(training.on_batch, "BatchNorm layer", "BatchNorm layers");
        let normalise = if training.on_batch == 1 {
            "normalises"
        } else {
            "normalise"
        };
        let frozen = match training.on_batch_frozen {
            0 => String::new(),
            n if n == training.on_batch => {
                format!(", and {}=False does not change that", flag_label(semantics))
            }
            n => format!(", {n} of them frozen"),
        };
        if moved > ROUNDING {
            format!(
                "{batches} it {} in training, although the photo is the same: {layers} {normalise} with \
                 the batch{frozen}.",
                runs(&training.mates)
            )
        } else {
            let moves = if moved == 0.0 {
                "does not move".to_owned()
            } else {
                format!("moves by only {}", measured(f64::from(moved)))
            };
            format!(
                "{batches} it {moves} in training, although {layers} {normalise} with the \
                 batch{frozen}."
            )
        }
    } else if moved > ROUNDING {
        format!(
            "{batches} it {} in training, although no BatchNorm layer uses the batch.",
            runs(&training.mates)
        )
    } else {
        format!(
            "{batches} it stays the same in training ({}): {}.",
            difference(moved),
            why_stored(training, semantics)
        )
    };
    let moved = spread(&inference.mates);
    let right = if moved > ROUNDING {
        let why = match inference.on_batch {
            0 => String::new(),
            n => {
                let layers = count(n, "BatchNorm layer uses", "BatchNorm layers use");
                format!(": {layers} the batch there too")
            }
        };
        format!("In inference it {}{why}.", runs(&inference.mates))
    } else {
        format!("In inference it stays the same ({}).", difference(moved))
    };
    format!("{left} {right}")
}

fn difference(moved: f32) -> String {
    if moved == 0.0 {
        "largest difference exactly 0".to_owned()
    } else {
        let moved = measured(f64::from(moved));
        format!("largest difference {moved}, rounding")
    }
}

/// Why no BatchNorm uses the batch.
fn why_stored(side: &PredictSide, semantics: Semantics) -> String {
    if side.batch_norms == 0 {
        "the model has no BatchNorm layer".to_owned()
    } else if side.unreached == side.batch_norms && semantics == Semantics::PyTorch {
        "eval() was called on every BatchNorm layer, so each uses its stored statistics".to_owned()
    } else if side.unreached == side.batch_norms {
        "the recorded training=False binds, so every BatchNorm layer uses its stored statistics"
            .to_owned()
    } else if side.frozen == side.batch_norms && semantics != Semantics::PyTorch {
        format!(
            "every BatchNorm layer is frozen, and {}=False makes it use its stored statistics",
            flag_label(semantics)
        )
    } else {
        "every BatchNorm layer uses its stored statistics".to_owned()
    }
}

#[cfg(test)]
#[path = "sentences_tests.rs"]
mod tests;
