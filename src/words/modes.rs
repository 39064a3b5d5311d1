//! Words that several views share: modes, flags, and why a layer does what it does.

use crate::augment::Pipeline;
use crate::model::{Effective, Mode, Role, Semantics, Statistics};
use crate::words::call::Call;

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

#[cfg(test)]
#[path = "modes_tests.rs"]
mod tests;
