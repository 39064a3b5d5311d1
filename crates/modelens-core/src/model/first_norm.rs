//! Detects wrong preprocessing: the input of the first BatchNorm is far from its moving statistics.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use super::layers::batch_norm::StoredWeights;
use super::layers::{LayerKind, Weights};
use super::pass::{PassOptions, Segment, run_segment};
use super::{Flags, Graph, LayerId, Model, Preprocessing};
use crate::rules::Mode;

/// The user is warned if the batch means are further than this from the moving means, in standard
/// deviations averaged over channels. Photos of other things than those trained on stay below 1; colours on
/// another scale, such as 0 to 255 instead of -1 to 1, exceed 10.
const FAR: f64 = 3.0;

/// The user is warned if the batch variance is larger or smaller by this factor (median over channels).
/// Photos of other things stay within 1.5; 0 to 1 instead of -1 to 1 makes it 4 times smaller, and
/// ImageNet's deviations instead of -1 to 1 almost 5 times larger.
const VARIED: f64 = 2.5;

/// With fewer photos the variance is not compared: they may just be alike.
const FEW: usize = 6;

/// Channels with a smaller moving variance are constant and say nothing about the scale.
const DEAD: f32 = 1e-3;

/// How far the batch is from the moving statistics at one BatchNorm.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Distance {
    pub layer: LayerId,
    /// `mean over channels of |batch mean - moving mean| / sqrt(moving variance + epsilon)`.
    pub deviations: f64,
    /// `median over channels of (batch variance + epsilon) / (moving variance + epsilon)`.
    pub variance: f64,
    pub photos: usize,
}

/// A warning about the scale of the photos.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Suspicion {
    pub distance: Distance,
    /// The current preprocessing.
    pub now: Preprocessing,
    /// Preprocessing that brings the batch close to the moving statistics.
    pub better: Option<Preprocessing>,
}

impl Distance {
    /// The distance at the first BatchNorm, for a batch `[N, H, W, C]` as the model takes it. `None` if the
    /// model has no BatchNorm or the input does not fit.
    pub fn of(model: &Model, x: &Tensor) -> Option<Self> {
        let graph = &model.graph;
        let is_norm = |id: LayerId| matches!(graph.layers[id].kind, LayerKind::BatchNorm(_));
        let node = graph.nodes.iter().position(|node| is_norm(node.layer))?;
        let layer = graph.nodes[node].layer;
        let LayerKind::BatchNorm(settings) = &graph.layers[layer].kind else {
            return None;
        };
        let flags = Flags::all(graph, true);
        let options = PassOptions::of(model, &flags, Mode::Training);
        let segment = Segment {
            until: Some(node),
            ..Segment::default()
        };
        let pass = run_segment(model, x, segment, &options, &|_, _| true).ok()?;
        let batch = pass.batch_norm.get(&layer)?.batch.as_ref()?;
        let stored = StoredWeights::of(Weights::of(model, layer)).ok()?;
        let (mean, variance) = (stored.moving.mean, stored.moving.variance);
        let smoothed = |v: f32| f64::from(v) + settings.epsilon;
        let channels = batch.mean.iter().zip(&mean).zip(&variance);
        let distances = channels.map(|((batch, moving), variance)| {
            (f64::from(*batch) - f64::from(*moving)).abs() / smoothed(*variance).sqrt()
        });
        let deviations = distances.sum::<f64>() / mean.len().max(1) as f64;
        let live = batch
            .variance
            .iter()
            .zip(&variance)
            .filter(|(_, v)| **v > DEAD);
        let mut ratios: Vec<f64> = live.map(|(b, v)| smoothed(*b) / smoothed(*v)).collect();
        ratios.sort_by(f64::total_cmp);
        Some(Self {
            layer,
            deviations,
            variance: ratios.get(ratios.len() / 2).copied().unwrap_or(1.0),
            photos: x.dims().first().copied().unwrap_or(0),
        })
    }

    /// Above 1 if the distance is larger than photos of other things explain.
    pub(super) fn score(self) -> f64 {
        let means = self.deviations / FAR;
        if self.photos < FEW {
            return means;
        }
        means.max(self.variance.ln().abs() / VARIED.ln())
    }

    /// True if the user should be warned.
    pub fn is_far(self) -> bool {
        let score = self.score();
        score > 1.0 || score.is_nan()
    }
}

impl Suspicion {
    /// Checks the photos; `None` if they look like those in training. `as_if` returns the same photos under
    /// another preprocessing.
    pub fn of(
        model: &Model,
        now: Preprocessing,
        as_if: &dyn Fn(Preprocessing) -> Option<Tensor>,
    ) -> Option<Self> {
        let distance = Distance::of(model, &as_if(now)?).filter(|d| d.is_far())?;
        // The architecture's own preprocessing wins a tie.
        let own = std::iter::once(model.preprocessing);
        let others = own.chain(Preprocessing::ALL).filter(|how| *how != now);
        let mut better: Option<(f64, Preprocessing)> = None;
        for how in others {
            let score = Distance::of(model, &as_if(how)?)?.score();
            if score < 1.0 && better.is_none_or(|(least, _)| score < least - 0.05) {
                better = Some((score, how));
            }
        }
        Some(Self {
            distance,
            now,
            better: better.map(|(_, how)| how),
        })
    }

    /// What was measured, and the likely cause.
    pub fn sentence(&self, graph: &Graph) -> String {
        let Distance {
            layer,
            deviations,
            variance,
            ..
        } = self.distance;
        let times = if variance < 1.0 {
            format!("{:.1} times smaller", 1.0 / variance)
        } else {
            format!("{variance:.1} times larger")
        };
        let cause = match self.better {
            Some(better) => format!("the model was probably trained with {}", better.label()),
            None => {
                "no preprocessing known here brings them near, so the photos may be of another \
                     kind than those in training"
                    .to_owned()
            }
        };
        format!(
            "at the first BatchNorm, `{}`, the batch's means lie {deviations:.1} deviations from the \
             moving means (averaged over channels), and its variance is {times} (in the middle of the \
             channels), with the photos scaled by {}: {cause}",
            graph.layers[layer].name,
            self.now.label(),
        )
    }
}
