//! What the BatchNorm view shows, and what it measures in the background after its look: how far each
//! layer's batch statistics are from the file's, and one layer's statistics on further batches.

use serde::{Deserialize, Serialize};

use super::PassLook;
use modelens_core::model::layers::batch_norm::{Moments, next_moving};
use modelens_core::model::{Effective, LayerId, Semantics, Statistics};

/// One BatchNorm layer on one batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BatchNormOutcome {
    /// Values per channel in the batch: N * H * W.
    pub n: usize,
    /// `[N, H, W, C]` or `[N, C]`.
    pub shape: Vec<usize>,
    /// Keras' convention.
    pub momentum: f64,
    pub epsilon: f64,
    /// Ones where the layer has no gamma.
    pub gamma: Vec<f32>,
    /// Zeros where the layer has no beta.
    pub beta: Vec<f32>,
    /// The moving statistics in the file.
    pub moving: Moments,
    pub training: BatchNormSide,
    pub inference: BatchNormSide,
    /// By channel: the common axis of both histograms, `[low, high]`.
    pub histogram_axis: Vec<[f32; 2]>,
    /// How often a pass calls the layer; the statistics are those of the last call.
    pub calls: usize,
    /// The rules it was measured by.
    pub semantics: Semantics,
    /// Every BatchNorm layer in this batch's training pass, in the model's order.
    pub layers: Vec<LayerDistance>,
}

/// One mode of a BatchNorm layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BatchNormSide {
    pub effective: Effective,
    /// Statistics of the layer's input in this mode, whether or not it normalises with them.
    pub batch: Moments,
    /// What it normalises with.
    pub used: Moments,
    /// The moving statistics that would follow.
    pub next: Moments,
    /// By channel: how many output values fall into each of [`HISTOGRAM_BINS`] equal bins.
    pub histogram: Vec<Vec<u32>>,
    /// The chosen photo's output, `[H, W, C]` in row order; of a layer without positions `[C]`.
    pub map: Vec<f32>,
}

impl BatchNormSide {
    /// Whether this side normalises with the batch statistics.
    pub fn uses_batch(&self) -> bool {
        self.effective.statistics == Some(Statistics::Batch)
    }
}

impl BatchNormOutcome {
    /// |batch mean - moving mean| in standard deviations of the stored variance.
    pub fn distance(&self, channel: usize) -> f32 {
        channel_distance(&self.training.batch, &self.moving, self.epsilon, channel)
    }

    /// Channels sorted by distance, the largest first; ties stay in order.
    pub fn most_different(&self) -> Vec<usize> {
        let distances: Vec<f32> = (0..self.moving.mean.len())
            .map(|channel| self.distance(channel))
            .collect();
        let mut order: Vec<usize> = (0..distances.len()).collect();
        order.sort_by(|&a, &b| distances[b].total_cmp(&distances[a]));
        order
    }
}

/// Bins of an output histogram.
pub const HISTOGRAM_BINS: usize = 40;

/// How far the batch statistics of one BatchNorm layer are from its moving statistics.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerDistance {
    pub layer: LayerId,
    /// Whether it normalises with the batch statistics in training mode.
    pub uses_batch: bool,
    /// See [`mean_distance`]; `None` if the pass did not compute batch statistics, so that they must
    /// be measured separately.
    pub distance: Option<f32>,
}

/// A background measurement, made while the person already sees the look.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum BatchNormJob {
    /// The distances that the look's own pass did not compute.
    Distances {
        pass: PassLook,
        layers: Vec<LayerDistance>,
    },
    /// Statistics of one layer's input on the batches `from..to`. Batch 0 is that of the look; each
    /// further batch is drawn from all photos by the seed and its number.
    Batches {
        pass: PassLook,
        layer: LayerId,
        from: usize,
        to: usize,
    },
}

impl BatchNormJob {
    /// Whether the results of this job include those of `other`.
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::Batches {
                    pass,
                    layer,
                    from,
                    to,
                },
                Self::Batches {
                    pass: other_pass,
                    layer: other_layer,
                    from: other_from,
                    to: other_to,
                },
            ) => from <= other_from && other_to <= to && layer == other_layer && pass == other_pass,
            _ => self == other,
        }
    }
}

/// A part of the results of a [`BatchNormJob`], sent as soon as it is measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum BatchNormEvent {
    Distances {
        pass: PassLook,
        distances: Vec<(LayerId, f32)>,
    },
    Batch {
        pass: PassLook,
        layer: LayerId,
        number: usize,
        batch: MeasuredBatch,
        /// The first photos of the batch, at most [`SMALL_PHOTOS`].
        photos: Vec<SmallPhoto>,
    },
    /// The job is done.
    Done(BatchNormJob),
}

/// The most photos of a batch that are shown small.
pub const SMALL_PHOTOS: usize = 8;

/// A photo as a square of [`SmallPhoto::SIDE`] pixels, before any augmentation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SmallPhoto {
    /// Row by row.
    pub rgb: Vec<[u8; 3]>,
}

impl SmallPhoto {
    /// Pixels along each edge.
    pub const SIDE: usize = 24;
}

/// One batch as a BatchNorm layer sees it in training mode.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeasuredBatch {
    /// Photos that could be read.
    pub photos: usize,
    /// Values per channel: N * H * W.
    pub n: usize,
    /// The input's axes: 4 for `[N, H, W, C]`, 2 for `[N, C]`.
    pub rank: usize,
    pub moments: Moments,
    /// Whether the layer updates its moving statistics with this batch.
    pub updates: bool,
}

/// `|batch mean - moving mean| / sqrt(moving variance + epsilon)` of one channel: the distance of the
/// batch mean from what inference uses, in stored standard deviations.
pub fn channel_distance(batch: &Moments, moving: &Moments, epsilon: f64, channel: usize) -> f32 {
    let at = |values: &[f32]| values.get(channel).map_or(0.0, |&x| f64::from(x));
    let gap = (at(&batch.mean) - at(&moving.mean)).abs();
    let deviation = (at(&moving.variance) + epsilon).sqrt();
    if deviation > 0.0 {
        (gap / deviation) as f32
    } else {
        0.0
    }
}

/// The mean of [`channel_distance`] over all channels.
pub fn mean_distance(batch: &Moments, moving: &Moments, epsilon: f64) -> f32 {
    let channels = moving.mean.len();
    let distances = (0..channels).map(|c| f64::from(channel_distance(batch, moving, epsilon, c)));
    (distances.sum::<f64>() / channels.max(1) as f64) as f32
}

/// The moving statistics after each of the batches, by [`next_moving`], starting from the file's.
///
/// The batch statistics do not depend on earlier updates: a layer that updates its moving statistics
/// normalises with the batch, and one that normalises with its moving statistics does not update them.
/// So one pass per batch with the file's weights gives the same as a training loop at learning rate 0.
pub fn walked(
    moving: &Moments,
    batches: &[MeasuredBatch],
    momentum: f64,
    semantics: Semantics,
) -> Vec<Moments> {
    let steps = batches.iter().scan(moving.clone(), |now, batch| {
        if batch.updates {
            let MeasuredBatch { n, rank, .. } = *batch;
            *now = next_moving(now, &batch.moments, momentum, n, rank, semantics);
        }
        Some(now.clone())
    });
    steps.collect()
}
