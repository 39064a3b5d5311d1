//! One file under the rules of every release: which of its layers do something else, and what to do about it.

use serde::{Deserialize, Serialize};

use super::{
    CallModes, Effective, Flags, Graph, LayerId, Mode, ModelDescription, Outer, ReachedReason,
    RecordedBy, Role, Semantics,
};

/// Maximum number of layers that a sentence names; the others are counted.
const NAMED: usize = 2;

/// The three outermost calls that differ: `fit` passes True, `predict` False, and `model(x)` nothing.
pub const CALLS: [Outer; 3] = [
    Outer::Given(Mode::Training),
    Outer::Given(Mode::Inference),
    Outer::NotGiven,
];

/// How many layers of a kind do what they do not do in inference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActiveLayers {
    pub active: usize,
    pub of: usize,
}

/// What the layers do in one call under the rules of one release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReleaseRow {
    #[serde(serialize_with = "by_id")]
    pub rules: Semantics,
    /// `fit`, `predict` or `model(x)`.
    pub call: &'static str,
    /// Random preprocessing layers that draw.
    pub augmentation: ActiveLayers,
    /// Dropout and other noise layers that draw.
    pub noise: ActiveLayers,
    /// BatchNorm layers that normalise with the batch.
    pub batch_norm: ActiveLayers,
    /// BatchNorm layers whose moving statistics change.
    pub statistics: ActiveLayers,
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn by_id<S: serde::Serializer>(rules: &Semantics, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(rules.id())
}

/// The code that makes such a call.
pub fn call_name(outer: Outer) -> &'static str {
    match outer {
        Outer::Given(Mode::Training) => "fit",
        Outer::Given(Mode::Inference) => "predict",
        Outer::NotGiven => "model(x)",
    }
}

/// Every release and call, the releases in their order.
pub fn rows(graph: &Graph, flags: &Flags) -> Vec<ReleaseRow> {
    let rows = Semantics::ALL.into_iter().flat_map(|rules| {
        CALLS.into_iter().map(move |outer| {
            let flags = &flags.in_call(outer);
            let modes = CallModes::of(graph, flags, outer, rules);
            let count = |role: Role, is: fn(&Effective) -> bool| {
                let layers = (0..graph.layers.len()).filter(|&id| has_role(graph, id, role));
                let effective: Vec<Effective> =
                    layers.map(|id| modes.effective(graph, flags, id)).collect();
                ActiveLayers {
                    active: effective.iter().filter(|e| is(e)).count(),
                    of: effective.len(),
                }
            };
            ReleaseRow {
                rules,
                call: call_name(outer),
                augmentation: count(Role::Augmentation, |e| e.active),
                noise: count(Role::Noise, |e| e.active),
                batch_norm: count(Role::BatchNorm, |e| e.active),
                statistics: count(Role::BatchNorm, |e| e.updates_statistics),
            }
        })
    });
    rows.collect()
}

fn has_role(graph: &Graph, layer: LayerId, role: Role) -> bool {
    graph.layers[layer].kind.role() == role
}

/// The release whose users will be surprised most by a file of this one: the next one that reads it.
pub fn next_reader(writer: Semantics) -> Option<Semantics> {
    match writer {
        Semantics::Keras2 | Semantics::Keras316 => Some(Semantics::Keras3),
        Semantics::Keras3 => Some(Semantics::Keras316),
        Semantics::PyTorch => None,
    }
}

/// What changes for the user of a file if `runner` opens it and not the release that wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReleaseChange {
    #[serde(serialize_with = "by_id")]
    pub runner: Semantics,
    /// Clauses such as "Dropout `drop` is off in fit"; none if nothing changes.
    pub changes: Vec<String>,
    /// Why, and what to do; empty if nothing changes.
    pub advice: String,
}

impl ReleaseChange {
    /// Compares the layers of a model under the rules of its writer and of `runner`.
    pub fn of(model: &ModelDescription, flags: &Flags, runner: Semantics) -> Self {
        let graph = &model.graph;
        let writer = model.semantics;
        let mut changes = Vec::new();
        let mut is_earlier = false;
        let mut is_recorded = false;
        for outer in CALLS {
            let flags = &flags.in_call(outer);
            let before = CallModes::of(graph, flags, outer, writer);
            let after = CallModes::of(graph, flags, outer, runner);
            let place = match outer {
                Outer::NotGiven => "when you call model(x)",
                Outer::Given(Mode::Training) => "in fit",
                Outer::Given(Mode::Inference) => "in predict",
            };
            for role in [Role::Augmentation, Role::Noise, Role::BatchNorm] {
                for on in [true, false] {
                    let changed: Vec<LayerId> = (0..graph.layers.len())
                        .filter(|&id| has_role(graph, id, role))
                        .filter(|&id| {
                            before.effective(graph, flags, id).active != on
                                && after.effective(graph, flags, id).active == on
                        })
                        .collect();
                    if changed.is_empty() {
                        continue;
                    }
                    let reason = |&id: &LayerId| after.layer(id).reason;
                    is_earlier |= changed
                        .iter()
                        .any(|id| matches!(reason(id), ReachedReason::Earlier(_)));
                    is_recorded |= changed.iter().any(|id| {
                        matches!(
                            reason(id),
                            ReachedReason::Recorded | ReachedReason::Around(_)
                        )
                    });
                    changes.push(clause(graph, &changed, role, on, place));
                }
            }
        }
        let advice = if changes.is_empty() {
            String::new()
        } else {
            advice(model, flags, runner, is_recorded, is_earlier)
        };
        Self {
            runner,
            changes,
            advice,
        }
    }

    /// The whole sentence: "Saved by Keras 3.15.1 and opened by Keras 3.16: ...".
    pub fn sentence(&self, framework: &str) -> String {
        let runner = self.runner.name();
        if self.changes.is_empty() {
            return format!(
                "Saved by {framework} and run by the rules of {runner}: every layer does the same."
            );
        }
        let changes = self.changes.join("; ");
        format!(
            "Saved by {framework} and run by the rules of {runner}: {changes}. {}",
            self.advice
        )
    }
}

fn clause(graph: &Graph, layers: &[LayerId], role: Role, on: bool, place: &str) -> String {
    let names = layers
        .iter()
        .take(NAMED)
        .map(|&id| format!("`{}`", graph.layers[id].name));
    let names = names.collect::<Vec<_>>().join(" and ");
    let n = layers.len();
    let kind = match role {
        Role::BatchNorm => "BatchNorm ",
        Role::Noise => "dropout ",
        Role::Augmentation | Role::Weights | Role::Plain => "",
    };
    let (who, one) = match n {
        1 => (format!("the {kind}layer {names}"), true),
        _ if n <= NAMED => (format!("the {kind}layers {names}"), false),
        _ => (format!("{n} {kind}layers such as {names}"), false),
    };
    let what = match (role, on, one) {
        (Role::Augmentation, true, true) => "draws",
        (Role::Augmentation, true, false) => "draw",
        (Role::Augmentation, false, true) => "no longer draws",
        (Role::Augmentation, false, false) => "no longer draw",
        (Role::BatchNorm, true, true) => "normalises with the batch and moves its statistics",
        (Role::BatchNorm, true, false) => "normalise with the batch and move their statistics",
        (Role::BatchNorm, false, true) => "uses its stored statistics and keeps them",
        (Role::BatchNorm, false, false) => "use their stored statistics and keep them",
        (_, true, true) => "drops",
        (_, true, false) => "drop",
        (_, false, true) => "is off",
        (_, false, false) => "are off",
    };
    format!("{who} {what} {place}")
}

/// Why a file changes its behaviour, and what its user can do.
fn advice(
    model: &ModelDescription,
    flags: &Flags,
    runner: Semantics,
    is_recorded: bool,
    is_earlier: bool,
) -> String {
    let graph = &model.graph;
    let by_saver = graph.layers.iter().enumerate().any(|(id, layer)| {
        let recorded = flags.argument(id, layer.recorded);
        recorded.by(&layer.class, model.semantics) == Some(RecordedBy::Saver)
    });
    let mut text = String::new();
    match runner {
        Semantics::Keras316 if is_recorded || is_earlier => {
            if by_saver {
                text.push_str(
                    "The file holds values of training= that nobody wrote: the saver did. Opening \
                     it and saving it again keeps them. Build the model again from your code in \
                     3.16 and load the weights: model.load_weights(\"model.keras\").",
                );
            } else {
                text.push_str("From 3.16 on a recorded training= binds, in fit and predict too.");
            }
            if is_earlier {
                text.push_str(
                    " A recorded value also reaches the layers that run after it. If it is the \
                     training=False of a frozen base, leave it out: a frozen BatchNorm uses its \
                     stored statistics without it.",
                );
            }
        }
        Semantics::Keras3 => text.push_str(
            "Up to 3.15 the value that fit and predict pass overrides what is recorded. To keep \
             the statistics of BatchNorm in fit, freeze those layers: layer.trainable = False.",
        ),
        // Measured with tf_keras 2.21 on every file of `tests/fixtures/golden/recorded`.
        Semantics::Keras2 if model.semantics.is_keras3() => text.push_str(
            "Keras 2 opens no model file of Keras 3: this is what the same model does if you build it \
             there from code and load the weights.",
        ),
        Semantics::Keras2 | Semantics::Keras316 | Semantics::PyTorch => {}
    }
    text
}
