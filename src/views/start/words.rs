//! The texts of the view Start.

use super::lamps::{Lamp, NoisePlaces};
use crate::model::Semantics;
use crate::words::common;
use crate::words::number::measured;
use modelens_jobs::{TrainableCard, TrainableOutcome};

pub const LABEL: &str = "Why?";
pub const TOOLTIP: &str = "The question, its two switches and what they stop; and the lessons";

/// The question; code between backquotes.
pub fn question(semantics: Semantics) -> &'static str {
    match semantics {
        Semantics::Keras2 | Semantics::Keras3 | Semantics::Keras316 => {
            "You wrote `base_model.trainable = False`. Why also `training=False`?"
        }
        Semantics::PyTorch => "You set `requires_grad = False`. Why also `base.eval()`?",
    }
}

pub const WHICH_RELEASE: &str = "What does your notebook use?";

/// What a release is called where a person chooses their own.
pub fn release(semantics: Semantics) -> &'static str {
    match semantics {
        Semantics::Keras2 => "Keras 2",
        Semantics::Keras3 => "Keras 3 to 3.15",
        Semantics::Keras316 => "Keras 3.16 (nightly)",
        Semantics::PyTorch => "PyTorch",
    }
}

// The first switch.

/// The name of the first switch.
pub fn flag_switch(semantics: Semantics) -> &'static str {
    match semantics {
        Semantics::Keras2 | Semantics::Keras3 | Semantics::Keras316 => "base_model.trainable",
        Semantics::PyTorch => "requires_grad of the base",
    }
}

/// The code that sets the first switch, in full and shorter.
pub fn flag_code(trainable: bool, semantics: Semantics) -> [&'static str; 2] {
    match (semantics, trainable) {
        (Semantics::PyTorch, true) => ["base.requires_grad_(True)"; 2],
        (Semantics::PyTorch, false) => ["base.requires_grad_(False)"; 2],
        (_, true) => ["base_model.trainable = True", "base.trainable = True"],
        (_, false) => ["base_model.trainable = False", "base.trainable = False"],
    }
}

/// What the first switch decides.
pub fn flag_note(semantics: Semantics) -> &'static str {
    match semantics {
        Semantics::Keras2 | Semantics::Keras3 | Semantics::Keras316 => {
            "Whether the weights of the base learn. A frozen BatchNorm also keeps its statistics."
        }
        Semantics::PyTorch => "Whether the weights of the base learn, and nothing else.",
    }
}

/// What the lamps leave out where the layers of the base have different flags.
pub fn mixed(trainable: bool) -> &'static str {
    if trainable {
        "Some layers of the base are frozen. The lamps show a step with all of them trainable."
    } else {
        "Some layers of the base are trainable. The lamps show a step with all of them frozen."
    }
}

// The second switch.

/// The name of the second switch.
pub fn call_switch(semantics: Semantics) -> &'static str {
    match semantics {
        Semantics::Keras2 | Semantics::Keras3 | Semantics::Keras316 => {
            "training of the call of the base"
        }
        Semantics::PyTorch => "mode of the base after model.train()",
    }
}

/// The code that sets the second switch, in full and shorter.
pub fn call_code(value: Option<bool>, semantics: Semantics) -> [&'static str; 2] {
    match (semantics, value) {
        (Semantics::PyTorch, Some(true)) => ["model.train(); base.train()"; 2],
        (Semantics::PyTorch, Some(false)) => ["model.train(); base.eval()"; 2],
        (Semantics::PyTorch, None) => ["model.train()"; 2],
        (_, Some(true)) => ["base_model(x, training=True)", "base(x, training=True)"],
        (_, Some(false)) => ["base_model(x, training=False)", "base(x, training=False)"],
        (_, None) => ["base_model(x)", "base(x)"],
    }
}

/// The name of a value of the second switch.
pub fn call_value(value: Option<bool>, semantics: Semantics) -> &'static str {
    match (semantics, value) {
        (Semantics::PyTorch, Some(false)) => "base.eval()",
        (Semantics::PyTorch, Some(true)) => "base.train()",
        (Semantics::PyTorch, None) => "nothing",
        (_, Some(true)) => "True",
        (_, Some(false)) => "False",
        (_, None) => "left out",
    }
}

/// What the second switch decides.
pub fn call_note(semantics: Semantics) -> &'static str {
    match semantics {
        Semantics::Keras2 => "Recorded at the call. In Keras 2 it holds inside fit too.",
        Semantics::Keras3 => {
            "Recorded at the call. Up to Keras 3.15, fit passes training=True and overrides it."
        }
        Semantics::Keras316 => {
            "Recorded at the call. From Keras 3.16 on it holds inside fit again."
        }
        Semantics::PyTorch => "The mode of the base, until model.train() is called again.",
    }
}

pub const NO_CALL: &str = "This model calls no nested base, so there is no call to write it at.";

// The lamps.

pub fn lamps_title(photos: usize, semantics: Semantics) -> String {
    let photos = common::photos(photos);
    match semantics {
        Semantics::Keras2 | Semantics::Keras3 | Semantics::Keras316 => {
            format!("WHAT ONE STEP OF FIT CHANGES, MEASURED ON {photos}").to_uppercase()
        }
        Semantics::PyTorch => {
            format!("WHAT ONE STEP AFTER MODEL.TRAIN() CHANGES, MEASURED ON {photos}")
                .to_uppercase()
        }
    }
}

pub const MEASURING: &str = "WHAT ONE TRAINING STEP CHANGES";

pub fn lamp(lamp: Lamp) -> &'static str {
    match lamp {
        Lamp::Weights => "Do weights of the base move?",
        Lamp::Statistics => "Do its BatchNorm statistics move?",
        Lamp::Dropout => "Does dropout draw?",
    }
}

/// Yes or no.
pub fn answer(is_on: bool) -> &'static str {
    if is_on { "Yes" } else { "No" }
}

/// The numbers behind an answer.
pub fn measured_by(lamp: Lamp, card: &TrainableCard, noises: NoisePlaces) -> String {
    let base = &card.base;
    match lamp {
        Lamp::Weights if base.weight_change == 0.0 => "The largest change is exactly 0.".to_owned(),
        Lamp::Weights => format!("By up to {}.", measured(f64::from(base.weight_change))),
        Lamp::Statistics if base.batch_norms == 0 => "It has no BatchNorm layer.".to_owned(),
        Lamp::Statistics if base.statistics_moved == 0 => {
            format!("Those of all {} stay.", common::layers(base.batch_norms))
        }
        Lamp::Statistics => format!(
            "In {} of {}, by up to {}.",
            base.statistics_moved,
            common::layers(base.batch_norms),
            measured(f64::from(base.statistics_change))
        ),
        Lamp::Dropout => dropout(card.noises_active, noises),
    }
}

/// How many dropout layers draw, and where they are.
fn dropout(active: usize, noises: NoisePlaces) -> String {
    let all = noises.in_base + noises.in_head;
    let place = match (noises.has_base, noises.in_base, noises.in_head) {
        (false, ..) => "",
        (true, 0, _) => " of the head",
        (true, _, 0) => " of the base",
        (true, ..) => " of base and head",
    };
    match (all, active) {
        (0, _) => "The model has no dropout layer.".to_owned(),
        (1, 0) => format!("The dropout layer{place} is off."),
        (1, _) => format!("The dropout layer{place}."),
        (_, 0) => format!("All {all} dropout layers{place} are off."),
        _ => format!("{active} of the {all} dropout layers{place}."),
    }
}

/// The answer in one bold sentence, as far as the numbers show.
pub fn conclusion(card: &TrainableCard, outcome: &TrainableOutcome) -> String {
    let weights = Lamp::Weights.is_on(card);
    let statistics = Lamp::Statistics.is_on(card);
    let has_statistics = card.base.batch_norms > 0;
    let change = measured(f64::from(card.base.weight_change));
    let layers = common::layers(card.base.statistics_moved);
    match (weights, statistics) {
        (true, true) => format!(
            "Neither is protected: one step changes the weights of the base by up to {change}, and the \
             statistics of {layers}."
        ),
        (true, false) if has_statistics => format!(
            "The statistics of the base are protected, its weights are not: they change by up to {change}."
        ),
        (true, false) => {
            format!("The weights of the base are not protected: they change by up to {change}.")
        }
        (false, true) => format!(
            "The weights of the base are protected, its statistics are not: those of {layers} move."
        ),
        (false, false) if outcome.has_head => {
            "The base stays exactly as it was (the largest change is 0); only the head learns."
                .to_owned()
        }
        (false, false) => {
            "The network stays exactly as it was: the largest change is 0.".to_owned()
        }
    }
}

/// Why both lines, by the rules of a release.
pub fn why_both(semantics: Semantics) -> &'static str {
    match semantics {
        Semantics::Keras2 => {
            "Why both? trainable=False protects the weights, and puts a frozen BatchNorm into \
             inference. training=False keeps BatchNorm there when you unfreeze the base later."
        }
        Semantics::Keras3 => {
            "Why both? While the base is frozen, the first line is enough. Once you unfreeze it to \
             fine-tune, training=False keeps the statistics inside fit in Keras 2 and from 3.16 on. Up to \
             3.15 fit passes True and overrides it: keep the BatchNorm layers frozen."
        }
        Semantics::Keras316 => {
            "Why both? trainable=False protects the weights, and puts a frozen BatchNorm into \
             inference. training=False keeps BatchNorm there when you unfreeze the base later: from \
             3.16 on it holds inside fit, and for the layers that run after the base."
        }
        Semantics::PyTorch => {
            "Why both? requires_grad=False protects the weights and nothing else. eval() protects \
             the statistics, and each model.train() undoes it."
        }
    }
}

// The lessons.
pub const LESSONS: &str = "LESSONS";

pub fn minutes(minutes: u8) -> String {
    format!("{minutes} minutes")
}

pub const ON: &str = "Go to the views";
