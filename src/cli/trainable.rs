//! The values of `--trainable` and `--recorded`.

use clap::ValueEnum;

use super::Failure;
use crate::model::flag_spec::flags_of;
use crate::model::{Flags, Model, Semantics};

/// Parses `file|all|none|from:N|-NAME,+NAME`; see [`flags_of`].
///
/// # Errors
/// An unknown word, or a name that the model does not have.
pub fn flags(model: &Model, spec: &str, semantics: Semantics) -> Result<Flags, Failure> {
    flags_of(&model.graph, spec, semantics)
        .map_err(|error| Failure::Usage(format!("--trainable: {error}")))
}

/// The `training=` value at the call of the nested base.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Recorded {
    /// The value in the file.
    #[default]
    File,
    True,
    False,
    /// No value.
    None,
}

impl Recorded {
    /// Records the value. Does nothing for a flat model, which calls no base.
    pub fn set(self, model: &Model, flags: &mut Flags) {
        match self {
            Self::File => {}
            Self::True => flags.record(&model.graph, Some(true)),
            Self::False => flags.record(&model.graph, Some(false)),
            Self::None => flags.record(&model.graph, None),
        }
    }
}
