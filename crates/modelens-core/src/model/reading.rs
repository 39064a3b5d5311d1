//! Turns the outputs of a classifier into probabilities.

use serde::{Deserialize, Serialize};

use super::graph::{Activation, Graph, Input, LayerKind};

/// The meaning of the values in each row of the output, `[N, classes]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reading {
    /// Probabilities that sum to 1.
    Softmax,
    /// An independent probability for each class; a single output is that of class 1.
    Sigmoid,
    /// Scores without an activation. Their softmax gives probabilities, or their sigmoid if there is
    /// only one.
    Logits,
}

impl Reading {
    /// The meaning by the model's last layer; `None` if the model is no classifier: if it returns
    /// features, a feature map, or an activation that gives no probabilities.
    pub fn of(graph: &Graph) -> Option<Self> {
        let mut node = graph.nodes.get(graph.output)?;
        let mut is_flat = false;
        loop {
            let (activation, is_rows) = match &graph.layers.get(node.layer)?.kind {
                LayerKind::Dense(dense) => (dense.activation, true),
                LayerKind::Conv2d(conv) => (conv.activation, is_flat),
                LayerKind::Activation(Activation::Linear)
                | LayerKind::Identity
                | LayerKind::Noise(_) => (Activation::Linear, false),
                LayerKind::Flatten => {
                    is_flat = true;
                    (Activation::Linear, false)
                }
                LayerKind::Activation(activation) => (*activation, false),
                _ => return None,
            };
            match activation {
                Activation::Softmax => return Some(Self::Softmax),
                Activation::Sigmoid => return Some(Self::Sigmoid),
                Activation::Linear if is_rows => return Some(Self::Logits),
                Activation::Linear => {}
                _ => return None,
            }
            // A layer that passes values on leaves the meaning to the layer before it.
            let passes_on = !matches!(graph.layers[node.layer].kind, LayerKind::Conv2d(_));
            match node.inputs.first() {
                Some(&Input::Node(before)) if passes_on => node = graph.nodes.get(before)?,
                _ => return None,
            }
        }
    }

    /// True if the rows are probabilities already.
    pub fn is_probability(self) -> bool {
        self != Self::Logits
    }

    /// Probabilities of one row. A single output p, unless of a softmax, gives two: 1 - p for class 0
    /// and p for class 1.
    ///
    /// Softmax: `exp(z - max) / sum(exp(z - max))`; sigmoid: `1 / (1 + exp(-z))`.
    pub fn probabilities(self, row: &[f32]) -> Vec<f32> {
        if let (&[z], Self::Sigmoid | Self::Logits) = (row, self) {
            let p = match self {
                Self::Logits => (1.0 / (1.0 + (-f64::from(z)).exp())) as f32,
                Self::Softmax | Self::Sigmoid => z,
            };
            return vec![1.0 - p, p];
        }
        if self.is_probability() {
            return row.to_vec();
        }
        let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let shifted = row.iter().map(|&z| f64::from(z - largest).exp());
        let exponentials: Vec<f64> = shifted.collect();
        let sum: f64 = exponentials.iter().sum();
        exponentials.iter().map(|e| (e / sum) as f32).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{efficientnet_lite0, lab_mobilenetv2};
    use crate::model::graph::{Layer, Node};
    use crate::model::layers::Dense;

    fn ending(kinds: &[LayerKind]) -> Graph {
        let layer = |kind: &LayerKind| Layer::new("", "", kind.clone());
        let node = |i: usize| Node::new(i, i.checked_sub(1).map(Input::Node).into_iter().collect());
        Graph {
            layers: kinds.iter().map(layer).collect(),
            nodes: (0..kinds.len()).map(node).collect(),
            output: kinds.len() - 1,
            ..Graph::default()
        }
    }

    #[test]
    fn the_last_layer_decides() {
        let dense = |activation| LayerKind::Dense(Dense { activation });
        let activation = LayerKind::Activation;
        let of = |kinds: &[LayerKind]| {
            let mut all = vec![LayerKind::Input];
            all.extend_from_slice(kinds);
            Reading::of(&ending(&all))
        };
        let (linear, softmax) = (Activation::Linear, Activation::Softmax);
        assert_eq!(of(&[dense(softmax)]), Some(Reading::Softmax));
        assert_eq!(
            of(&[dense(linear), activation(softmax)]),
            Some(Reading::Softmax)
        );
        assert_eq!(of(&[dense(Activation::Sigmoid)]), Some(Reading::Sigmoid));
        assert_eq!(of(&[dense(linear)]), Some(Reading::Logits));
        assert_eq!(
            of(&[dense(linear), LayerKind::Identity]),
            Some(Reading::Logits)
        );
        // An embedding, pooled features, and the map of a base without a head.
        assert_eq!(of(&[dense(Activation::RELU)]), None);
        assert_eq!(of(&[dense(linear), activation(Activation::RELU)]), None);
        assert_eq!(of(&[activation(Activation::RELU6)]), None);
        assert_eq!(of(&[LayerKind::Flatten]), None);
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn the_bundled_bases() {
        for (model, reading) in [
            (lab_mobilenetv2(), Reading::Logits),
            (efficientnet_lite0(), Reading::Logits),
        ] {
            assert_eq!(Reading::of(&model.graph), Some(reading), "{}", model.title);
        }
    }

    #[test]
    fn logits_become_probabilities_without_overflow() {
        let p = Reading::Logits.probabilities(&[1000.0, 1000.0 + 2.0_f32.ln(), -1000.0]);
        assert!(
            (p[0] - 1.0 / 3.0).abs() < 1e-4 && (p[1] - 2.0 / 3.0).abs() < 1e-4,
            "{p:?}"
        );
        assert_eq!(p[2], 0.0);
        assert_eq!(Reading::Logits.probabilities(&[0.0]), [0.5, 0.5]);
        assert_eq!(Reading::Logits.probabilities(&[-1e4]), [1.0, 0.0]);
        assert_eq!(Reading::Sigmoid.probabilities(&[0.25]), [0.75, 0.25]);
        assert_eq!(Reading::Softmax.probabilities(&[0.2, 0.8]), [0.2, 0.8]);
    }
}
