//! What a network without BatchNorm does with the mode instead.

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
    format!("{first}\n{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::graph::Layer;

    fn graph(noises: &[Noise]) -> Graph {
        let layer = |noise: &Noise| Layer {
            name: String::new(),
            class: String::new(),
            kind: LayerKind::Noise(noise.clone()),
            parent: None,
            listed: true,
            trainable: true,
            recorded: crate::model::RecordedArgument::Absent,
            activity_regularizer: None,
            weights: Vec::new(),
        };
        Graph {
            layers: noises.iter().map(layer).collect(),
            ..Graph::default()
        }
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
