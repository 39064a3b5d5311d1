//! "What you see": numbers in, sentences out. `**...**` stands out.

use super::call::Call;
use super::number::{fixed, measured, percent};
use crate::augment::Pipeline;
use crate::model::{Effective, Mode, Role, Semantics, Statistics};
use crate::worker::{BatchNormOutcome, BatchNormSide, channel_distance};

/// What a mode is called in the framework's own code.
pub fn mode_label(mode: Mode, semantics: Semantics) -> &'static str {
    match (mode, semantics) {
        (Mode::Training, Semantics::PyTorch) => "model.train()",
        (Mode::Inference, Semantics::PyTorch) => "model.eval()",
        (Mode::Training, _) => "training=True",
        (Mode::Inference, _) => "training=False",
    }
}

/// What the flag is called in the framework's own code.
pub fn flag_label(semantics: Semantics) -> &'static str {
    if semantics == Semantics::PyTorch {
        "requires_grad"
    } else {
        "trainable"
    }
}

/// What differs under these rules, in one sentence.
pub fn rules_sentence(semantics: Semantics) -> &'static str {
    match semantics {
        Semantics::Keras2 => {
            "A training=False recorded in the file binds for ever, also inside fit; freezing a \
             BatchNorm makes it run in inference."
        }
        Semantics::Keras3 => {
            "The outer call overrides a recorded training=False; freezing a BatchNorm makes it \
             run in inference."
        }
        Semantics::PyTorch => {
            "requires_grad protects only weights: a frozen BatchNorm still uses and updates batch \
             statistics until model.eval()."
        }
    }
}

/// Why a layer with two modes does what it does in the outer call.
pub fn lamp(role: Role, trainable: bool, effective: Effective, call: Call) -> String {
    let flag = flag_label(call.semantics);
    let how = call.label();
    match role {
        Role::BatchNorm if effective.statistics == Some(Statistics::Batch) => {
            let moves = "its moving statistics change";
            if trainable {
                format!("With {how} it normalises with the batch, and {moves}.")
            } else {
                format!(
                    "Frozen by {flag}=False, but with {how} it still normalises with the batch, and {moves}."
                )
            }
        }
        Role::BatchNorm if !effective.training => {
            format!("It normalises with its stored statistics. {}", call.why())
        }
        Role::BatchNorm => {
            format!("Frozen: {flag}=False makes it run on its stored statistics even with {how}.")
        }
        Role::Noise | Role::Augmentation if effective.active => {
            format!("Random with {how}; {flag} has no effect on it.")
        }
        Role::Noise | Role::Augmentation => format!("It rests. {}", call.why()),
        Role::Weights | Role::Plain => String::new(),
    }
}

/// What a batch went through before the model saw it; stands before the view's own sentences.
pub fn augmented_batch(pipeline: Option<&Pipeline>) -> String {
    let Some(pipeline) = pipeline else {
        return String::new();
    };
    let steps = pipeline.steps.iter().filter(|step| step.on);
    let classes: Vec<&str> = steps.map(|step| step.layer.class()).collect();
    if classes.is_empty() {
        return String::new();
    }
    format!(
        "The batch went through {} first, drawn once: **both sides see the same pixels**. ",
        classes.join(", ")
    )
}

/// A rate without needless zeros: `0.3`.
pub fn trimmed(x: f64) -> String {
    format!("{x:.4}")
        .trim_end_matches('0')
        .trim_end_matches('.')
        .to_owned()
}

/// Where a channel's moving mean goes.
#[derive(Debug)]
pub struct Moves {
    /// Keras' convention.
    pub momentum: f64,
    /// After this batch.
    pub next: f64,
    /// A sentence about the batches it has taken in, where there are any.
    pub walk: Option<String>,
}

/// The BatchNorm view, for one channel.
pub fn batch_norm(
    outcome: &BatchNormOutcome,
    channel: usize,
    trainable: bool,
    call: Call,
    moves: &Moves,
) -> String {
    let value = |values: &[f32]| values.get(channel).map_or(0.0, |&x| f64::from(x));
    let training = &outcome.training;
    let stored = measured(value(&outcome.moving.mean));
    let number = channel + 1;
    if !uses_batch(training) {
        let same = format!(
            "Both sides normalise channel {number} with the stored mean {stored}, and nothing moves. {}",
            moves.walk.as_deref().unwrap_or_default(),
        );
        return if training.effective.training {
            format!(
                "**Frozen**: trainable=False makes this layer run on its stored statistics even \
                 with {}. {same}Unfreeze it, and the left side uses this batch's own mean {}.",
                call.label(),
                measured(value(&training.batch.mean)),
            )
        } else {
            format!("{} {same}", call.why())
        };
    }
    let used = measured(value(&training.used.mean));
    let distance = fixed(f64::from(distance(outcome, channel)), 2);
    let seen = format!(
        "In training mode channel {number} is normalised with this batch's own mean **{used}**; \
         in inference with the stored **{stored}**: {distance} standard deviations apart. "
    );
    let moves = if let Some(walk) = &moves.walk {
        walk.clone()
    } else if training.effective.updates_statistics {
        format!(
            "The stored mean would move to {}: {} of the gap (momentum {}). ",
            measured(moves.next),
            percent_of_gap(1.0 - moves.momentum),
            trimmed(moves.momentum),
        )
    } else {
        String::new()
    };
    let tail = match (call.semantics, trainable) {
        (Semantics::PyTorch, false) => {
            "**requires_grad=False** keeps gamma and beta, but not the statistics: they still \
             move. Only model.eval() on the layer keeps them."
        }
        (Semantics::PyTorch, true) => {
            "Freezing its parameters would not change this: in PyTorch only model.eval() does."
        }
        _ => "Freeze the layer and, in Keras, both sides use the stored values.",
    };
    format!("{seen}{moves}{tail}")
}

/// Whether this side normalises with the batch.
pub fn uses_batch(side: &BatchNormSide) -> bool {
    side.effective.statistics == Some(Statistics::Batch)
}

/// What one side of the BatchNorm view does, for its heading.
pub fn batch_norm_heading(side: &BatchNormSide, mode: Mode, trainable: bool) -> &'static str {
    match (uses_batch(side), mode) {
        (true, _) => "statistics of this batch",
        (false, Mode::Training) if !side.effective.training => "stored statistics: not in training",
        (false, Mode::Training) if !trainable => "frozen: statistics stored in the file",
        (false, _) => "statistics stored in the file",
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

/// |batch mean - moving mean| in standard deviations of the stored variance.
pub fn distance(outcome: &BatchNormOutcome, channel: usize) -> f32 {
    let BatchNormOutcome {
        training, moving, ..
    } = outcome;
    channel_distance(&training.batch, moving, outcome.epsilon, channel)
}

/// Channels by distance, the largest first; equal ones stay in order.
pub fn most_different(outcome: &BatchNormOutcome) -> Vec<usize> {
    let distances: Vec<f32> = (0..outcome.moving.mean.len())
        .map(|channel| distance(outcome, channel))
        .collect();
    let mut order: Vec<usize> = (0..distances.len()).collect();
    order.sort_by(|&a, &b| distances[b].total_cmp(&distances[a]));
    order
}

/// With a capital letter in front.
pub fn sentence_case(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(characters).collect()
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
#[path = "text_tests.rs"]
mod tests;
