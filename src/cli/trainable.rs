//! The values of `--trainable`, `--recorded` and `--modules`.

use super::Failure;
use crate::lesson::Recorded;
use crate::model::flag_spec::flags_of;
use crate::model::{Flags, ModelDescription, ModuleCalls, Semantics};

/// Parses `file|all|none|from:N|-NAME,+NAME`; see [`flags_of`].
///
/// # Errors
/// An unknown word, or a name that the model does not have.
pub fn flags(model: &ModelDescription, spec: &str, semantics: Semantics) -> Result<Flags, Failure> {
    flags_of(&model.graph, spec, semantics)
        .map_err(|error| Failure::Usage(format!("--trainable: {error}")))
}

/// Records the value of `--recorded` at the call of the base. Does nothing for a flat model, which
/// calls no base.
pub fn record(recorded: Recorded, model: &ModelDescription, flags: &mut Flags) {
    match recorded {
        Recorded::File => {}
        Recorded::Value(value) => flags.record(&model.graph, value),
    }
}

/// Parses the calls of `--modules`: see [`ModuleCalls::parse`].
///
/// # Errors
/// Rules of Keras, whose layers have no mode of their own, or a module that the model does not have.
pub fn modules(
    model: &ModelDescription,
    calls: &str,
    semantics: Semantics,
) -> Result<ModuleCalls, Failure> {
    let calls = ModuleCalls::parse(model, calls)
        .map_err(|error| Failure::Usage(format!("--modules: {error}")))?;
    match semantics {
        Semantics::PyTorch => Ok(calls),
        Semantics::Keras2 | Semantics::Keras3 | Semantics::Keras316 if calls.is_empty() => {
            Ok(calls)
        }
        Semantics::Keras2 | Semantics::Keras3 | Semantics::Keras316 => Err(Failure::Usage(
            "--modules: a layer of Keras has no mode of its own; use --recorded, or \
             --semantics pytorch"
                .to_owned(),
        )),
    }
}
