//! The outer call and the value recorded at the call of the base, in words.

use super::modes::mode_label;
use crate::model::modules::method;
use crate::model::{
    CallModes, Flags, Graph, LayerId, Mode, Outer, ReachedReason, RecordedBy, Semantics,
};
use modelens_jobs::PassLook;

/// One call of a layer: what the outermost call says, what is recorded around the layer, and which of them
/// counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    pub outer: Outer,
    /// The innermost value recorded around the layer; if `counts` says so, at an earlier layer.
    pub recorded: Option<bool>,
    pub counts: Counts,
    /// PyTorch: the call that set the mode of the layer's module, such as `base.eval()`.
    pub module: Option<String>,
    pub semantics: Semantics,
}

/// What decides the value of `training` that reaches a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counts {
    Outer,
    /// The value recorded at its call or around it.
    Recorded,
    /// The value recorded at a layer that runs before it.
    Earlier,
    /// A call on its module, or on one around it.
    Module,
    Default,
}

impl Call {
    /// The call of the training column that a result was computed for.
    pub fn of(graph: &Graph, look: &PassLook, layer: LayerId) -> Self {
        Self::new(graph, &look.flags, layer, look.call, look.semantics)
    }

    /// A call of a layer in a model with this graph.
    pub fn new(
        graph: &Graph,
        flags: &Flags,
        layer: LayerId,
        outer: Outer,
        semantics: Semantics,
    ) -> Self {
        let reached = CallModes::of(graph, flags, outer, semantics).layer(layer);
        let recorded = flags.recorded_at(graph, layer, semantics);
        let (recorded, counts) = match reached.reason {
            ReachedReason::Outer => (recorded, Counts::Outer),
            ReachedReason::Recorded | ReachedReason::Around(_) => (reached.value, Counts::Recorded),
            ReachedReason::Earlier(_) => (reached.value, Counts::Earlier),
            ReachedReason::Module(_) => (recorded, Counts::Module),
            ReachedReason::Default => (recorded, Counts::Default),
        };
        let module = match reached.reason {
            ReachedReason::Module(place) => flags.modules.get(place).map(|c| format!("{c}()")),
            _ => None,
        };
        Self {
            outer,
            recorded,
            counts,
            module,
            semantics,
        }
    }

    /// A call at which this value is recorded, in a model that records nothing else.
    #[cfg(test)]
    pub fn alone(outer: Outer, recorded: Option<bool>, semantics: Semantics) -> Self {
        let binds = match semantics {
            Semantics::Keras2 | Semantics::Keras316 => recorded.is_some(),
            Semantics::Keras3 => recorded.is_some() && outer == Outer::NotGiven,
            Semantics::PyTorch => false,
        };
        let counts = match outer {
            _ if binds => Counts::Recorded,
            Outer::Given(_) => Counts::Outer,
            Outer::NotGiven => Counts::Default,
        };
        Self {
            outer,
            recorded,
            counts,
            module: None,
            semantics,
        }
    }

    /// What the outer call says, in the framework's own code.
    pub fn label(&self) -> &'static str {
        label(self.outer, self.semantics)
    }

    /// The call that decides what the layer does, in the framework's own code.
    pub fn decides(&self) -> &str {
        self.module.as_deref().unwrap_or(self.label())
    }

    /// Why the value of `training` that reaches the layer is what it is.
    pub fn why(&self) -> String {
        let given = match self.outer {
            Outer::Given(mode) => Some(mode.training()),
            Outer::NotGiven => None,
        };
        let name = self.semantics.name();
        if let Some(module) = &self.module {
            return match self.outer {
                Outer::Given(_) => format!("{module} was called after {}.", self.label()),
                Outer::NotGiven => format!("{module} was called."),
            };
        }
        match (self.semantics, given, self.recorded) {
            (Semantics::PyTorch, Some(_), _) => format!("{} was called.", self.label()),
            (Semantics::PyTorch, None, _) => {
                "Neither train() nor eval() was called, and modules are made in training mode."
                    .to_owned()
            }
            (_, _, Some(recorded)) if self.counts == Counts::Earlier => format!(
                "training={} is recorded at a layer that runs before it, and {name} keeps that value \
                 for what runs after.",
                python(recorded)
            ),
            (Semantics::Keras2 | Semantics::Keras316, _, Some(recorded))
                if self.counts == Counts::Recorded =>
            {
                format!(
                    "training={} is recorded at the call around it, and in {name} that always binds.",
                    python(recorded)
                )
            }
            (Semantics::Keras3, Some(given), Some(recorded)) if given != recorded => format!(
                "The outer call says training={}, which in {name} overrides the recorded {}.",
                python(given),
                python(recorded)
            ),
            (_, Some(given), _) if self.counts == Counts::Outer => {
                format!("The outer call says training={}.", python(given))
            }
            (_, None, Some(recorded)) if self.counts == Counts::Recorded => format!(
                "The outer call passes no training=, so the recorded {} applies.",
                python(recorded)
            ),
            (_, Some(_), _) => {
                "training=None is recorded around it or before it, so the layer's default applies."
                    .to_owned()
            }
            (_, None, _) => {
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

/// The recorded value in a row of the layer list, in full and shorter; in brackets if nobody need have written it.
pub fn tags(value: bool, by: RecordedBy) -> [String; 2] {
    let value = python(value);
    match by {
        RecordedBy::Person => [format!("training={value}"), value.to_owned()],
        RecordedBy::Saver | RecordedBy::PersonOrEarlierSaver => {
            [format!("(training={value})"), format!("({value})")]
        }
    }
}

/// What is recorded at a layer's call, and by whom.
pub fn at_its_call(value: bool, by: RecordedBy) -> String {
    format!(
        "Recorded at its call: training={}, {}.",
        python(value),
        by.words()
    )
}

pub fn python(value: bool) -> &'static str {
    if value { "True" } else { "False" }
}

pub fn outer_call(value: &str) -> String {
    format!("Outer call: {value}")
}

pub const OUTER: &str = "outer call";
pub const RECORDED: &str = "recorded";

/// The outer call as code; in PyTorch the call before it that sets the mode.
pub fn outer_code(outer: Outer, semantics: Semantics) -> &'static str {
    match (outer, semantics) {
        (Outer::Given(Mode::Training), Semantics::PyTorch) => "model.train()",
        (Outer::Given(Mode::Inference), Semantics::PyTorch) => "model.eval()",
        (Outer::NotGiven, Semantics::PyTorch) => "as constructed",
        (Outer::Given(Mode::Training), _) => "model(x, training=True)",
        (Outer::Given(Mode::Inference), _) => "model(x, training=False)",
        (Outer::NotGiven, _) => "model(x)",
    }
}

/// The call of the base with the recorded value, as code.
pub fn recorded_code(value: Option<bool>) -> &'static str {
    match value {
        Some(true) => "base(x, training=True)",
        Some(false) => "base(x, training=False)",
        None => "base(x)",
    }
}

pub const OUTER_CALL_TIP: &str =
    "The outer call of the left column. fit passes True; predict and evaluate pass False";
pub const NOTHING_RECORDED_TORCH: &str =
    "PyTorch records no training value: .train() and .eval() set it on the modules";
/// A call of one module, in code.
pub fn module_call(module: &str, mode: Mode) -> String {
    format!("{module}.{}()", method(mode))
}

pub const THEN: &str = "then";
pub const NOTHING_RECORDED: &str = "This model calls no nested base, so nothing is recorded";

pub fn recorded_value(shown: &str) -> String {
    format!("Recorded at the call of the base: {shown}")
}

pub const RECORDED_VALUE_TIP: &str = "The value recorded where the model calls its base; the course \
     writes base_model(x, training=False)";
pub const AS_IN_FILE: &str = "as in the file";
