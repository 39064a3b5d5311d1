//! `--trainable file|all|none|from:N|-NAME,+NAME` and `--recorded file|true|false|none`.

use clap::ValueEnum;

use super::Failure;
use crate::model::{Flags, Model, Semantics};

/// The flags that `spec` asks for: parts separated by commas, applied from left to right to the
/// flags of the file. `-NAME` freezes a layer and `+NAME` unfreezes it, with everything inside it
/// as the framework does it.
///
/// # Errors
/// Words that are none of these, and names that the model does not have.
pub fn flags(model: &Model, spec: &str, semantics: Semantics) -> Result<Flags, Failure> {
    let graph = &model.graph;
    let mut flags = Flags::of_file(graph);
    for part in spec.split(',').map(str::trim) {
        match part.as_bytes() {
            b"file" => flags = Flags::of_file(graph),
            b"all" => flags.set_all(true),
            b"none" => flags.set_all(false),
            [sign @ (b'+' | b'-'), ..] => {
                let name = &part[1..];
                let layer = graph.find(name).ok_or_else(|| {
                    Failure::Usage(format!("--trainable: the model has no layer `{name}`"))
                })?;
                flags.set(graph, layer, *sign == b'+', semantics);
            }
            _ => {
                let from = part.strip_prefix("from:").and_then(|n| n.parse().ok());
                let from = from.ok_or_else(|| {
                    Failure::Usage(format!(
                        "--trainable: `{part}` is none of file, all, none, from:N, -NAME, +NAME"
                    ))
                })?;
                flags.fine_tune_from(graph, from);
            }
        }
    }
    Ok(flags)
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
