//! "What you see" for one channel, written from what was measured. Text between `**` stands out.

use crate::model::{Mode, Semantics};
use crate::words::call::Call;
use crate::words::common;
use crate::words::number::{fixed, measured, percent, told_apart, trimmed};
use modelens_jobs::{BatchNormOutcome, BatchNormSide};

/// How a channel's moving mean changes.
#[derive(Debug)]
pub struct Moves {
    /// Keras' convention.
    pub momentum: f64,
    /// After this batch.
    pub next: f64,
    /// A sentence about the batches it has taken in, if there are any.
    pub walk: Option<String>,
}

/// The BatchNorm view, for one channel.
pub fn what_you_see(
    outcome: &BatchNormOutcome,
    channel: usize,
    trainable: bool,
    call: &Call,
    moves: &Moves,
) -> String {
    let value = |values: &[f32]| values.get(channel).map_or(0.0, |&x| f64::from(x));
    let training = &outcome.training;
    let stored = measured(value(&outcome.moving.mean));
    let number = channel + 1;
    if !training.uses_batch() {
        let same = format!(
            "Both sides normalise channel {number} with the stored mean {stored}, and no statistic moves."
        );
        let walk = moves.walk.as_deref().unwrap_or_default();
        if !training.effective.training {
            return common::concluded(&same, &common::sentences(&[&call.why(), walk]));
        }
        let why = format!(
            "The layer is frozen: trainable=False makes it use its stored statistics even with {}.",
            call.label()
        );
        let open = format!(
            "If you unfreeze it, the left side uses this batch's own mean {}.",
            measured(value(&training.batch.mean))
        );
        return common::concluded(&same, &common::sentences(&[&why, walk, &open]));
    }
    let used = measured(value(&training.used.mean));
    let distance = fixed(f64::from(outcome.distance(channel)), 2);
    let seen = format!(
        "Channel {number}: this batch's own mean {used} and the stored mean {stored} are {distance} \
         standard deviations apart."
    );
    let which =
        "In training mode the layer normalises with the first, in inference with the second. ";
    let moves = if let Some(walk) = &moves.walk {
        walk.clone()
    } else if training.effective.updates_statistics {
        let [from, to] = told_apart([value(&outcome.moving.mean), moves.next]);
        // If the stored mean as written above would not show the change.
        let from = if from == stored {
            String::new()
        } else {
            format!("from {from} ")
        };
        let share = 1.0 - moves.momentum;
        // PyTorch's momentum is the share of the batch, Keras' that of the stored value.
        let momentum = match call.semantics {
            Semantics::PyTorch => share,
            Semantics::Keras2 | Semantics::Keras3 | Semantics::Keras316 => moves.momentum,
        };
        format!(
            "This batch would move the stored mean {from}to {to}, {} of the gap (momentum {}). ",
            percent_of_gap(share),
            trimmed(momentum),
        )
    } else {
        String::new()
    };
    let tail = match (call.semantics, trainable) {
        (Semantics::PyTorch, false) => {
            "requires_grad=False protects gamma and beta, but not the statistics: they still \
             move. Only eval() on the layer stops them."
        }
        (Semantics::PyTorch, true) => {
            "Freezing its parameters would not change this; in PyTorch only eval() does."
        }
        _ => "Freeze the layer, and both sides use the stored values.",
    };
    common::concluded(&seen, &format!("{which}{moves}{tail}"))
}

/// What one side of the BatchNorm view does, for its heading.
pub fn heading(side: &BatchNormSide, mode: Mode, trainable: bool) -> &'static str {
    match (side.uses_batch(), mode) {
        (true, _) => "batch statistics",
        (false, Mode::Training) if !side.effective.training => "stored statistics: not in training",
        (false, Mode::Training) if !trainable => "frozen: moving statistics of the file",
        (false, _) => "moving statistics of the file",
    }
}

/// What a BatchNorm normalises with in the training column.
pub fn training_statistics(uses_batch: bool) -> &'static str {
    if uses_batch {
        "normalises with the batch"
    } else {
        "normalises with its stored statistics"
    }
}

fn percent_of_gap(share: f64) -> String {
    let one_in = 1.0 / share.max(f64::MIN_POSITIVE);
    match one_in.round() as u64 {
        10 => "a tenth".to_owned(),
        100 => "a hundredth".to_owned(),
        1000 => "a thousandth".to_owned(),
        _ => percent(share),
    }
}

#[cfg(test)]
#[path = "channel_tests.rs"]
mod tests;
