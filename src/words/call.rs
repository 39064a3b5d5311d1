//! The outer call and the value recorded at the call of the base, in words.

use super::modes::mode_label;
use crate::model::{Graph, LayerId, Mode, Outer, Semantics};
use modelens_jobs::PassLook;

/// One call of a layer: what the outermost call says, and what is recorded around the layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Call {
    pub outer: Outer,
    /// The innermost value recorded around the layer.
    pub recorded: Option<bool>,
    pub semantics: Semantics,
}

impl Call {
    /// The call of the training column that a result was computed for.
    pub fn of(graph: &Graph, look: &PassLook, layer: LayerId) -> Self {
        Self {
            outer: look.call,
            recorded: look.flags.recorded_at(graph, layer),
            semantics: look.semantics,
        }
    }

    /// What the outer call says, in the framework's own code.
    pub fn label(self) -> &'static str {
        label(self.outer, self.semantics)
    }

    /// Why the value of `training` that reaches the layer is what it is.
    pub fn why(self) -> String {
        let given = match self.outer {
            Outer::Given(mode) => Some(mode.training()),
            Outer::NotGiven => None,
        };
        match (self.semantics, given, self.recorded) {
            (Semantics::PyTorch, Some(_), _) => format!("{} was called.", self.label()),
            (Semantics::PyTorch, None, _) => {
                "Neither train() nor eval() was called, and modules are made in training mode."
                    .to_owned()
            }
            (Semantics::Keras2, _, Some(recorded)) => format!(
                "training={} is recorded at the call around it, and in Keras 2 that always binds.",
                python(recorded)
            ),
            (Semantics::Keras3, Some(given), Some(recorded)) if given != recorded => format!(
                "The outer call says training={}, which in Keras 3 overrides the recorded {}.",
                python(given),
                python(recorded)
            ),
            (_, Some(given), _) => format!("The outer call says training={}.", python(given)),
            (_, None, Some(recorded)) => format!(
                "The outer call passes no training=, so the recorded {} applies.",
                python(recorded)
            ),
            (_, None, None) => {
                "No training= is passed or recorded, so the layer's default applies.".to_owned()
            }
        }
    }
}

/// What an outer call is called in the framework's own code.
pub fn label(outer: Outer, semantics: Semantics) -> &'static str {
    match outer {
        Outer::Given(mode) => mode_label(mode, semantics),
        Outer::NotGiven if semantics == Semantics::PyTorch => "as constructed",
        Outer::NotGiven => "training= not given",
    }
}

pub fn value(outer: Outer, semantics: Semantics) -> &'static str {
    match (outer, semantics) {
        (Outer::Given(Mode::Training), Semantics::PyTorch) => ".train()",
        (Outer::Given(Mode::Inference), Semantics::PyTorch) => ".eval()",
        (Outer::NotGiven, Semantics::PyTorch) => "as constructed",
        (Outer::Given(mode), _) => python(mode.training()),
        (Outer::NotGiven, _) => "not given",
    }
}

/// Which code makes such a call.
pub fn who(outer: Outer, semantics: Semantics) -> &'static str {
    match (outer, semantics) {
        (Outer::Given(Mode::Training), Semantics::PyTorch) => "What a training loop calls first",
        (Outer::Given(Mode::Inference), Semantics::PyTorch) => "What you call before predicting",
        (Outer::NotGiven, Semantics::PyTorch) => {
            "Neither was called: modules start in training mode"
        }
        (Outer::Given(Mode::Training), _) => "What fit() and train_on_batch() pass",
        (Outer::Given(Mode::Inference), _) => "What predict() and evaluate() pass",
        (Outer::NotGiven, _) => "model(x) in your own code",
    }
}

pub fn recorded(value: Option<bool>) -> &'static str {
    value.map_or("not given", python)
}

pub fn python(value: bool) -> &'static str {
    if value { "True" } else { "False" }
}

pub fn outer_call(value: &str) -> String {
    format!("Outer call: {value}")
}

pub const OUTER_CALL_TIP: &str =
    "The outer call of the left column. fit passes True; predict and evaluate pass False";
pub const NOTHING_RECORDED_TORCH: &str =
    "PyTorch records no training value: .train() and .eval() set it on the modules";
pub const NOTHING_RECORDED: &str = "This model calls no nested base, so nothing is recorded";

pub fn recorded_value(shown: &str) -> String {
    format!("Recorded at the call of the base: {shown}")
}

pub const RECORDED_VALUE_TIP: &str = "The value recorded where the model calls its base; the course \
     writes base_model(x, training=False)";
pub const AS_IN_FILE: &str = "as in the file";
