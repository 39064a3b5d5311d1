//! Texts that several views share: modes, flags, and why a layer does what it does.

use crate::augment::Pipeline;
use crate::model::{
    CallModes, Effective, Flags, Mode, ModelDescription, ModuleCalls, Outer, Role, Semantics,
    Statistics,
};
use crate::words::call::{Call, label};

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

/// What is special about these rules, for the menu.
pub fn rules_sentence(semantics: Semantics) -> &'static str {
    match semantics {
        Semantics::Keras2 => {
            "A training=False recorded in the file always applies, even inside fit. A frozen BatchNorm \
             layer runs in inference mode."
        }
        Semantics::Keras316 => {
            "A training=False recorded in the file always applies, even inside fit, and to every \
             layer that runs after it. Files of earlier releases record it at each Dropout."
        }
        Semantics::Keras3 => {
            "The outer call overrides a recorded training=False. A frozen BatchNorm layer runs in \
             inference mode."
        }
        Semantics::PyTorch => {
            "requires_grad protects only weights. A frozen BatchNorm layer still uses batch statistics \
             and updates its running ones until model.eval()."
        }
    }
}

/// Why a layer with two modes does what it does in the outer call.
pub fn lamp(role: Role, trainable: bool, effective: Effective, call: &Call) -> String {
    let flag = flag_label(call.semantics);
    let how = call.decides();
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
            format!("Frozen: {flag}=False makes it use its stored statistics even with {how}.")
        }
        Role::Noise | Role::Augmentation if effective.active => {
            format!("Random with {how}; {flag} has no effect on it.")
        }
        Role::Noise | Role::Augmentation => format!("Off. {}", call.why()),
        Role::Weights | Role::Plain => String::new(),
    }
}

/// What single modules were told, or what `model.train()` undid; comes before the view's own sentences. Empty in
/// Keras.
pub fn module_calls(
    model: &ModelDescription,
    flags: &Flags,
    undone: &ModuleCalls,
    call: Outer,
    semantics: Semantics,
) -> String {
    if semantics != Semantics::PyTorch {
        return String::new();
    }
    let code = |calls: &ModuleCalls| {
        let calls: Vec<String> = calls.iter().map(|call| format!("{call}()")).collect();
        calls.join(", ")
    };
    if !undone.is_empty() {
        return format!(
            "{} undid {}, as in each epoch of a training loop: call {} after it. ",
            label(call, semantics),
            code(undone),
            if undone.iter().nth(1).is_some() {
                "them"
            } else {
                "it"
            }
        );
    }
    let calls = &flags.modules;
    if calls.is_empty() {
        return String::new();
    }
    let graph = &model.graph;
    let modes = CallModes::of(graph, flags, call, semantics);
    let layers = graph.layers.iter().enumerate();
    let norms = layers.filter(|(_, layer)| layer.kind.role() == Role::BatchNorm);
    let norms: Vec<bool> = norms
        .map(|(id, _)| modes.effective(graph, flags, id).active)
        .collect();
    let batch = norms.iter().filter(|active| **active).count();
    let after = match call {
        Outer::Given(_) => format!(" after {}", label(call, semantics)),
        Outer::NotGiven => String::new(),
    };
    let norms = if norms.is_empty() {
        String::new()
    } else {
        let all = norms.len();
        format!(": in the left column {batch} of {all} BatchNorm layers use batch statistics")
    };
    format!("{} was called{after}{norms}. ", code(calls))
}

/// How a batch was augmented before the model saw it; comes before the view's own sentences.
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
        "Both sides see the same pixels: the batch was augmented first, once ({}). ",
        classes.join(", ")
    )
}

/// Which columns the network's own augmentation layers change before anything else; comes after the view's
/// own sentences. `active` says of the left and the right column whether they draw.
pub fn own_augmentation(classes: &[&str], active: [bool; 2]) -> String {
    let columns = match active {
        [true, true] => "In both columns",
        [true, false] => "In the left column",
        [false, true] => "In the right column",
        [false, false] => return String::new(),
    };
    format!(
        " {columns} the network's own augmentation ({}) changes the photos first.",
        classes.join(", ")
    )
}

#[cfg(test)]
#[path = "modes_tests.rs"]
mod tests;
