//! A sign of wrong preprocessing: what reaches the first BatchNorm lies far from what it was trained on.

use super::graph::LayerKind;
use super::pass::Pass;
use super::{LayerId, Model};
use candle_core::Tensor;

/// Deviations of the moving statistics that the batch's means may lie away, averaged over channels,
/// before a person is told. Photos of other things than those trained on stay below 1; colours on another
/// scale, such as 0 to 255 instead of -1 to 1, go beyond 10.
const FAR: f64 = 3.0;

/// How far the batch is from the moving statistics at one BatchNorm:
/// `mean over channels of |batch mean - moving mean| / sqrt(moving variance + epsilon)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Distance {
    pub layer: LayerId,
    pub deviations: f64,
}

impl Distance {
    /// At the first BatchNorm that the input passes; `None` where it did not look at the batch, and in
    /// models without one.
    pub fn of(model: &Model, pass: &Pass) -> Option<Self> {
        let graph = &model.graph;
        let mut called = graph.nodes.iter().map(|node| node.layer);
        let layer = called.find(|&id| matches!(graph.layers[id].kind, LayerKind::BatchNorm(_)))?;
        let LayerKind::BatchNorm(settings) = &graph.layers[layer].kind else {
            return None;
        };
        let batch = pass.batch_norm.get(&layer)?.batch.as_ref()?;
        let vector = |name: &str| -> Option<Vec<f32>> {
            graph.layers[layer].weight(name).map(Tensor::to_vec1)?.ok()
        };
        let (mean, variance) = (vector("moving_mean")?, vector("moving_variance")?);
        let channels = batch.mean.iter().zip(&mean).zip(&variance);
        let distances = channels.map(|((batch, moving), variance)| {
            let deviation = (f64::from(*variance) + settings.epsilon).sqrt();
            (f64::from(*batch) - f64::from(*moving)).abs() / deviation
        });
        let deviations = distances.sum::<f64>() / mean.len().max(1) as f64;
        Some(Self { layer, deviations })
    }

    /// A sentence where the distance is more than photos of other things explain.
    pub fn warning(self, model: &Model) -> Option<String> {
        (self.deviations > FAR).then(|| {
            format!(
                "at the first BatchNorm, `{}`, the batch's means lie {:.1} deviations from the moving \
                 means (averaged over channels): the preprocessing ({}) may not be the one that the \
                 model was trained with",
                model.graph.layers[self.layer].name,
                self.deviations,
                model.preprocessing.label(),
            )
        })
    }
}
