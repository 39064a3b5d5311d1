//! `--trainable file|all|none|from:N|-NAME,+NAME` and `--recorded file|true|false|none`.

use clap::ValueEnum;

use super::Failure;
use crate::model::flag_spec::flags_of;
use crate::model::{Flags, Model, Semantics};

/// The flags that `spec` asks for: [`flags_of`].
///
/// # Errors
/// Words that are none of these, and names that the model does not have.
pub fn flags(model: &Model, spec: &str, semantics: Semantics) -> Result<Flags, Failure> {
    flags_of(&model.graph, spec, semantics)
        .map_err(|error| Failure::Usage(format!("--trainable: {error}")))
}

/// The `training=` value at the call of the nested base.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Recorded {
    /// As the file has it.
    #[default]
    File,
    True,
    False,
    /// The argument is left out.
    None,
}

impl Recorded {
    /// Records it. A flat model has no base to call.
    pub fn set(self, model: &Model, flags: &mut Flags) {
        match self {
            Self::File => {}
            Self::True => flags.record(&model.graph, Some(true)),
            Self::False => flags.record(&model.graph, Some(false)),
            Self::None => flags.record(&model.graph, None),
        }
    }
}
