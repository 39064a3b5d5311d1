//! `trainable` flags as one line of text: `file|all|none|from:N|-NAME,+NAME`.

use super::modules::dotted;
use super::{Flags, Graph, LayerId, Semantics};

/// Parses a specification: parts separated by commas, applied from left to right to the flags of the file.
/// `-NAME` freezes a layer or a container of a state dict, and `+NAME` unfreezes it, including the layers inside
/// it, as the framework does.
///
/// # Errors
/// An unknown part, or a name that no layer or several layers have, in words.
pub fn flags_of(graph: &Graph, spec: &str, semantics: Semantics) -> Result<Flags, String> {
    let mut flags = Flags::of_file(graph);
    for part in spec.split(',').map(str::trim) {
        match part.as_bytes() {
            b"file" => flags = Flags::of_file(graph),
            b"all" => flags.set_all(true),
            b"none" => flags.set_all(false),
            [sign @ (b'+' | b'-'), ..] => {
                let name = &part[1..];
                for layer in layers_of(graph, name)? {
                    flags.set(graph, layer, *sign == b'+', semantics);
                }
            }
            _ => {
                let from = part.strip_prefix("from:").and_then(|n| n.parse().ok());
                let from = from.ok_or_else(|| {
                    format!("`{part}` is none of file, all, none, from:N, -NAME, +NAME")
                })?;
                flags.fine_tune_from(graph, from);
            }
        }
    }
    Ok(flags)
}

/// The layer with this name, or the layers of the container: `layer1` for `layer1.0.conv1`.
fn layers_of(graph: &Graph, name: &str) -> Result<Vec<LayerId>, String> {
    let error = match graph.find(name) {
        Ok(layer) => return Ok(vec![layer]),
        Err(error) => error,
    };
    let inside: Vec<LayerId> = dotted(graph, name).collect();
    if inside.is_empty() {
        return Err(error.to_string());
    }
    Ok(inside)
}

/// The shortest specification of these flags, without the recorded value; `None` if there is none.
pub fn spec_of(graph: &Graph, flags: &Flags, semantics: Semantics) -> Option<String> {
    let bare = ["file", "all", "none"].map(str::to_owned);
    let from = (0..=graph.layers.len()).map(|n| format!("from:{n}"));
    let gives = |spec: &String| {
        flags_of(graph, spec, semantics).is_ok_and(|given| given.same_trainable(flags))
    };
    if let Some(spec) = bare.iter().cloned().chain(from).find(gives) {
        return Some(spec);
    }
    let changed = bare.into_iter().filter_map(|mut spec| {
        let mut given = flags_of(graph, &spec, semantics).ok()?;
        for id in 0..graph.layers.len() {
            if given.get(id) != flags.get(id) {
                let sign = if flags.get(id) { '+' } else { '-' };
                given.set(graph, id, flags.get(id), semantics);
                spec = format!("{spec},{sign}{}", graph.reference(id));
            }
        }
        Some(spec)
    });
    changed.filter(gives).min_by_key(String::len)
}
