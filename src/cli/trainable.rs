//! The values of `--trainable` and `--recorded`.

use super::Failure;
use crate::lesson::Recorded;
use crate::model::flag_spec::flags_of;
use crate::model::{Flags, ModelDescription, Semantics};

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
