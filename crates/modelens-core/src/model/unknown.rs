//! Layers that only matter in training and are not known here.

use super::graph::{Graph, LayerKind};

/// Names in a sentence, at most.
const SHOWN: usize = 3;

/// What to say beside every result of a model with layers that are not known here, without a full stop;
/// `None` without any.
pub fn sentence(graph: &Graph) -> Option<String> {
    let unknown = graph.layers.iter().filter(|l| l.kind == LayerKind::Unknown);
    let names: Vec<String> = unknown
        .map(|l| format!("`{}` ({})", l.name, l.class))
        .collect();
    let more = names.len().saturating_sub(SHOWN);
    let mut listed = names.get(..SHOWN.min(names.len()))?.join(", ");
    if more > 0 {
        listed = format!("{listed} and {more} more");
    }
    match names.len() {
        0 => None,
        1 => Some(format!(
            "{listed} is not known here and returns its input: what it does in training is left out"
        )),
        _ => Some(format!(
            "{listed} are not known here and return their input: what they do in training is left out"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::lab_mobilenetv2;

    #[test]
    fn layers_are_named_up_to_a_number() {
        let mut graph = lab_mobilenetv2().description.graph;
        assert_eq!(sentence(&graph), None);
        for (count, expected) in [(1, ") is not known"), (5, "and 2 more are not known")] {
            for layer in graph.layers.iter_mut().take(count) {
                layer.kind = LayerKind::Unknown;
            }
            let said = sentence(&graph).unwrap();
            assert!(said.contains(expected), "{said}");
        }
    }
}
