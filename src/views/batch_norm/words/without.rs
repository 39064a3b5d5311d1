//! What a network without BatchNorm does with the mode instead.

use std::collections::BTreeMap;

use crate::model::graph::{Graph, LayerKind, Noise};
use crate::model::{Mode, Role, Semantics};
use crate::words::modes::mode_label;
use crate::words::number::count;

/// The button that leads from here to what the mode changes.
pub const SHOW_DROPOUT: &str = "Open the Dropout view";

/// Why there is nothing to compare, and what the mode changes in this network.
pub fn without_batch_norm(graph: &Graph, semantics: Semantics) -> String {
    let [train, eval] = Mode::BOTH.map(|mode| mode_label(mode, semantics));
    let noises: Vec<&Noise> = graph
        .layers
        .iter()
        .filter_map(|layer| match &layer.kind {
            LayerKind::Noise(noise) => Some(noise),
            _ => None,
        })
        .collect();
    let active = noises.iter().filter(|noise| noise.strength() > 0.0).count();
    let augments = graph
        .layers
        .iter()
        .any(|layer| layer.kind.role() == Role::Augmentation);
    let first = "This base has no BatchNorm layer, so there are no statistics to compare.";
    let rest = if active > 0 {
        let depth = noises
            .iter()
            .any(|noise| matches!(noise, Noise::DropConnect { rate } if *rate > 0.0));
        let what = if depth {
            "dropout and stochastic depth"
        } else {
            "dropout"
        };
        format!(
            "{train} and {eval} still differ: with {train}, {} ({what}) drop values at random; with {eval} \
             they pass them on. The Dropout view shows one of them.",
            count(active, "noise layer", "noise layers")
        )
    } else if !noises.is_empty() {
        format!(
            "Only its {} could tell {train} from {eval}, and their rates are 0 for this file: both give the \
             same outputs. Set a rate in the Dropout view to see what training with it does.",
            count(noises.len(), "dropout layer", "dropout layers")
        )
    } else if augments {
        format!(
            "It has no dropout either: of the two modes, only {train} draws in its augmentation layers."
        )
    } else {
        format!("It has no dropout either: {train} and {eval} give the same outputs.")
    };
    let reads = reads_instead(graph, semantics);
    [first, &reads, &rest]
        .into_iter()
        .filter(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join("\n")
}

/// What the normalisation layers of a network without BatchNorm read; empty if it has none.
fn reads_instead(graph: &Graph, semantics: Semantics) -> String {
    let mut kinds: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
    for layer in &graph.layers {
        let (name, what) = match &layer.kind {
            LayerKind::GroupNorm(norm) if norm.groups.is_none() => {
                ("InstanceNorm", "each channel of each photo")
            }
            LayerKind::GroupNorm(_) => ("GroupNorm", "each photo, group by group"),
            LayerKind::LayerNorm(norm) if norm.axes == 1 => {
                ("LayerNorm", "the channels of each position of each photo")
            }
            LayerKind::LayerNorm(_) => ("LayerNorm", "each photo as a whole"),
            LayerKind::RmsNorm(_) => ("RMSNorm", "the channels of each position of each photo"),
            _ => continue,
        };
        kinds.entry(name).or_insert((0, what)).0 += 1;
    }
    if kinds.is_empty() {
        return String::new();
    }
    let [train, eval] = Mode::BOTH.map(|mode| mode_label(mode, semantics));
    let lines = kinds.into_iter().map(|(name, (layers, what))| {
        format!(
            "{} {name} {}",
            layers,
            if layers == 1 {
                "layer reads"
            } else {
                "layers read"
            }
        ) + &format!(" {what}")
    });
    let lines: Vec<String> = lines.collect();
    format!(
        "Its {}: with {train} and with {eval} alike, whatever else is in the batch, and nothing is stored.",
        lines.join("; its ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::graph::Layer;
    use crate::model::layers::{GroupNorm, LayerNorm};

    fn graph(noises: &[Noise]) -> Graph {
        graph_of(noises.iter().cloned().map(LayerKind::Noise).collect())
    }

    fn graph_of(kinds: Vec<LayerKind>) -> Graph {
        let layer = |kind: LayerKind| Layer::new("", "", kind);
        Graph {
            layers: kinds.into_iter().map(layer).collect(),
            ..Graph::default()
        }
    }

    #[test]
    fn other_norms_are_said_to_read_the_photo() {
        let layer_norm = |axes| {
            let epsilon = 1e-6;
            LayerKind::LayerNorm(LayerNorm { axes, epsilon })
        };
        let group_norm = LayerKind::GroupNorm(GroupNorm {
            groups: Some(8),
            epsilon: 1e-5,
        });
        let graph = graph_of(vec![layer_norm(1), group_norm, layer_norm(1)]);
        let found = without_batch_norm(&graph, Semantics::Keras3);
        assert_eq!(
            found.lines().nth(1),
            Some(
                "Its 1 GroupNorm layer reads each photo, group by group; its 2 LayerNorm layers read \
                 the channels of each position of each photo: with training=True and with \
                 training=False alike, whatever else is in the batch, and nothing is stored."
            ),
            "{found}"
        );
        assert_eq!(
            without_batch_norm(&graph_of(vec![]), Semantics::Keras3)
                .lines()
                .count(),
            2
        );
    }

    #[test]
    fn the_sentence_says_what_changes_instead() {
        let dropout = |rate| Noise::Dropout {
            rate,
            noise_shape: None,
        };
        let text = |noises: &[Noise]| without_batch_norm(&graph(noises), Semantics::PyTorch);
        let found = text(&[dropout(0.5), Noise::DropConnect { rate: 0.1 }, dropout(0.0)]);
        assert!(
            found.contains("2 noise layers (dropout and stochastic depth)"),
            "{found}"
        );
        let found = text(&[dropout(0.5)]);
        assert!(found.contains("1 noise layer (dropout)"), "{found}");
        let found = text(&[dropout(0.0)]);
        assert!(found.contains("both give the same outputs"), "{found}");
        assert!(found.contains("model.train()"), "{found}");
        let found = text(&[]);
        assert!(found.contains("give the same outputs"), "{found}");
    }
}
