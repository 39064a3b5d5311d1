//! The normalisations that may be in a BatchNorm's place: which mean and variance each of them takes in each
//! mode, and how far the output for a photo moves with the other photos of the batch.
//!
//! All of them compute `gamma * (x - mean) / sqrt(variance + epsilon) + beta`; they differ in where mean and
//! variance come from. So the moments of each channel of each photo are all that is needed of their input.

use std::collections::BTreeSet;

use candle_core::{Result, Tensor};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::graph::{Layer, LayerKind};
use super::layers::batch_norm::Moments;
use crate::dataset::batch::choose;
use crate::random::Draws;
use crate::rules::{Effective, Mode, Semantics, Statistics};

/// A normalisation by channel that has gamma and beta.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Norm {
    /// Keras' `BatchNormalization` with its flag set, PyTorch's `BatchNorm2d`.
    Batch,
    /// `SyncBatchNorm`, `BatchNormalization(synchronized=True)`: the batch is that of all devices together, and
    /// on one device it is [`Self::Batch`].
    SyncBatch,
    /// torchvision's `FrozenBatchNorm2d`, Keras' `BatchNormalization` with `trainable=False`.
    FrozenBatch,
    /// `GroupNorm`: height, width and the channels of a group.
    Group,
    /// `LayerNorm` over channels, height and width, which is a `GroupNorm` with one group.
    Layer,
}

/// Where a normalisation takes mean and variance from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reads {
    /// All photos of the batch.
    Batch,
    /// The stored statistics.
    Stored,
    /// The photo itself.
    Photo,
}

impl Reads {
    /// In a table of text.
    pub fn words(self) -> &'static str {
        match self {
            Self::Batch => "the batch",
            Self::Stored => "stored statistics",
            Self::Photo => "the photo itself",
        }
    }

    /// Where a normalisation layer of a network takes them from in a call; `None` for other layers.
    pub fn of(layer: &Layer, effective: &Effective) -> Option<Self> {
        match layer.kind {
            LayerKind::BatchNorm(_) => Some(match effective.statistics {
                Some(Statistics::Batch) => Self::Batch,
                Some(Statistics::Moving) | None => Self::Stored,
            }),
            LayerKind::GroupNorm(_) | LayerKind::LayerNorm(_) | LayerKind::RmsNorm(_) => {
                Some(Self::Photo)
            }
            _ => None,
        }
    }
}

impl Norm {
    /// In the order of tables.
    pub const ALL: [Self; 5] = [
        Self::Batch,
        Self::SyncBatch,
        Self::FrozenBatch,
        Self::Group,
        Self::Layer,
    ];

    /// The name in tables of numbers.
    pub fn id(self) -> &'static str {
        match self {
            Self::Batch => "batch_norm",
            Self::SyncBatch => "sync_batch_norm",
            Self::FrozenBatch => "frozen_batch_norm",
            Self::Group => "group_norm",
            Self::Layer => "layer_norm",
        }
    }

    /// Where it takes mean and variance from.
    ///
    /// Source: the modules of PyTorch and torchvision (`tests/fixtures/golden/ops/norms.npz`) and Keras'
    /// layers (`tests/snippets`).
    pub fn reads(self, mode: Mode) -> Reads {
        match (self, mode) {
            (Self::Batch | Self::SyncBatch, Mode::Training) => Reads::Batch,
            (Self::Batch | Self::SyncBatch, Mode::Inference) | (Self::FrozenBatch, _) => {
                Reads::Stored
            }
            (Self::Group | Self::Layer, _) => Reads::Photo,
        }
    }

    /// Whether a call changes stored statistics.
    pub fn moves(self, mode: Mode) -> bool {
        self.reads(mode) == Reads::Batch
    }

    /// Whether gamma and beta learn: those of a frozen one do not, in PyTorch because they are buffers.
    pub fn learns(self) -> bool {
        match self {
            Self::Batch | Self::SyncBatch | Self::Group | Self::Layer => true,
            Self::FrozenBatch => false,
        }
    }
}

/// The number of groups of a `GroupNorm` in the place of a BatchNorm: the divisor of the channels that is
/// nearest to 32, the usual number, and leaves a group at least two values.
pub fn groups_for(channels: usize, positions: usize) -> usize {
    let fits = |groups: &usize| {
        channels.is_multiple_of(*groups) && channels / groups * positions.max(1) > 1
    };
    let groups = (1..=channels).filter(fits);
    groups.min_by_key(|g| g.abs_diff(32)).unwrap_or(1)
}

/// Mean and biased variance by channel, in f64.
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelMoments {
    pub mean: Vec<f64>,
    pub variance: Vec<f64>,
}

impl From<&Moments> for ChannelMoments {
    fn from(moments: &Moments) -> Self {
        let wide = |values: &[f32]| values.iter().copied().map(f64::from).collect();
        Self {
            mean: wide(&moments.mean),
            variance: wide(&moments.variance),
        }
    }
}

/// The moments of every photo of `x`, `[N, H, W, C]` or `[N, C]`, over its positions.
///
/// # Errors
/// Values that cannot be read.
pub fn photo_moments(x: &Tensor) -> Result<Vec<ChannelMoments>> {
    let channels = x.dims().last().copied().unwrap_or(1).max(1);
    let photos = x.dims().first().copied().unwrap_or(0);
    let values = x.flatten_all()?.to_vec1::<f32>()?;
    let per_photo = (values.len() / photos.max(1)).max(1);
    Ok(values
        .par_chunks(per_photo)
        .map(|photo| moments_of_photo(photo, channels))
        .collect())
}

fn moments_of_photo(photo: &[f32], channels: usize) -> ChannelMoments {
    let positions = (photo.len() / channels).max(1) as f64;
    let mut mean = vec![0.0; channels];
    for row in photo.chunks(channels) {
        for (sum, &x) in mean.iter_mut().zip(row) {
            *sum += f64::from(x);
        }
    }
    for sum in &mut mean {
        *sum /= positions;
    }
    let mut variance = vec![0.0; channels];
    for row in photo.chunks(channels) {
        for ((sum, &x), mean) in variance.iter_mut().zip(row).zip(&mean) {
            *sum += (f64::from(x) - mean).powi(2);
        }
    }
    for sum in &mut variance {
        *sum /= positions;
    }
    ChannelMoments { mean, variance }
}

/// Mean and variance of parts with equally many values: `mean(m)` and `mean(v + (m - mean(m))^2)`.
fn merged(parts: impl Iterator<Item = (f64, f64)> + Clone) -> (f64, f64) {
    let count = parts.clone().count().max(1) as f64;
    let mean = parts.clone().map(|(mean, _)| mean).sum::<f64>() / count;
    let squares = parts.map(|(m, v)| v + (m - mean).powi(2));
    (mean, squares.sum::<f64>() / count)
}

/// What does not change with the batch.
#[derive(Clone, Copy, Debug)]
pub struct NormSetting<'a> {
    /// The statistics that a BatchNorm has stored.
    pub stored: &'a ChannelMoments,
    pub epsilon: f64,
    /// Of `GroupNorm`; must divide the channels.
    pub groups: usize,
    /// Values of a channel in one photo, H * W.
    pub positions: usize,
    pub semantics: Semantics,
}

impl NormSetting<'_> {
    /// True if the framework refuses to take the batch's statistics: PyTorch does for one value a channel, and
    /// Keras does not (its output is beta).
    pub fn refuses(&self, reads: Reads, photos: usize) -> bool {
        let one_value = photos * self.positions == 1;
        reads == Reads::Batch && one_value && self.semantics == Semantics::PyTorch
    }

    /// What the photos of a batch are normalised with, by channel; one for each photo.
    pub fn used(&self, norm: Norm, mode: Mode, batch: &[&ChannelMoments]) -> Vec<ChannelMoments> {
        match norm.reads(mode) {
            Reads::Stored => vec![self.stored.clone(); batch.len()],
            Reads::Batch => {
                let channels = self.stored.mean.len();
                let whole = (0..channels)
                    .map(|c| merged(batch.iter().map(|photo| (photo.mean[c], photo.variance[c]))));
                let (mean, variance) = whole.unzip();
                vec![ChannelMoments { mean, variance }; batch.len()]
            }
            Reads::Photo => {
                let groups = if norm == Norm::Group { self.groups } else { 1 };
                batch.iter().map(|photo| grouped(photo, groups)).collect()
            }
        }
    }

    /// The mean square, over all values of the photos, of the difference of the values normalised in two ways
    /// (before gamma and beta).
    pub fn mean_square(
        &self,
        photos: &[&ChannelMoments],
        one: &[ChannelMoments],
        other: &[ChannelMoments],
    ) -> f64 {
        let pairs = one.iter().zip(other);
        let sum = photos.iter().zip(pairs).map(|(photo, (one, other))| {
            let channels = photo.mean.len();
            let each = (0..channels).map(|c| {
                let inverse = |v: f64| 1.0 / (v + self.epsilon).sqrt();
                let [a, b] = [inverse(one.variance[c]), inverse(other.variance[c])];
                let at_mean =
                    (photo.mean[c] - one.mean[c]) * a - (photo.mean[c] - other.mean[c]) * b;
                // (a - b) x + constant, with the mean `at_mean`.
                (a - b).powi(2) * photo.variance[c] + at_mean.powi(2)
            });
            each.sum::<f64>() / channels.max(1) as f64
        });
        sum.sum::<f64>() / photos.len().max(1) as f64
    }
}

/// The moments of each group, at each of its channels.
fn grouped(photo: &ChannelMoments, groups: usize) -> ChannelMoments {
    let width = (photo.mean.len() / groups.max(1)).max(1);
    let means = photo.mean.chunks(width);
    let each = means.zip(photo.variance.chunks(width)).flat_map(|(m, v)| {
        let pairs = m.iter().copied().zip(v.iter().copied());
        std::iter::repeat_n(merged(pairs), m.len())
    });
    let (mean, variance) = each.unzip();
    ChannelMoments { mean, variance }
}

/// How often batches of each size are drawn.
pub const DRAWS: usize = 16;

/// The largest batch of a sweep.
pub const LARGEST: usize = 64;

/// Purpose of the draws of a sweep, so that they differ from all other draws of a seed.
const SWEEP: u64 = u64::from_le_bytes(*b"normswee");

/// Batches of one size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrawnBatches {
    pub size: usize,
    /// Indices of photos; no batch twice in a row of all photos.
    pub batches: Vec<Vec<usize>>,
}

/// [`DRAWS`] batches of 1, 2, 4, ... photos up to [`LARGEST`] and to the number of photos, by the seed.
pub fn drawn_batches(photos: usize, seed: [u64; 2]) -> Vec<DrawnBatches> {
    let sizes = std::iter::successors(Some(1), |size| Some(size * 2));
    let sizes = sizes.take_while(|&size| size <= LARGEST.min(photos));
    let drawn = sizes.map(|size| {
        let batches = (0..DRAWS as u64).map(|number| {
            let mut draws = Draws::new(seed[0], &[SWEEP, seed[1], size as u64, number]);
            choose(photos, None, size, &mut draws)
        });
        let different: BTreeSet<Vec<usize>> = batches.collect();
        DrawnBatches {
            size,
            batches: different.into_iter().collect(),
        }
    });
    drawn.collect()
}

/// Mean, smallest and largest of what several batches gave.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    pub mean: f64,
    pub low: f64,
    pub high: f64,
}

impl Spread {
    fn of(values: &[f64]) -> Self {
        let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
        let fold = |start, f: fn(f64, f64) -> f64| values.iter().copied().fold(start, f);
        Self {
            mean,
            low: fold(f64::INFINITY, f64::min),
            high: fold(f64::NEG_INFINITY, f64::max),
        }
    }
}

/// The error of a norm on batches of one size: the root of the mean square, over all values of a batch, of
/// `x̂ in the batch - x̂ in the batch of all photos`, where `x̂ = (x - mean) / sqrt(variance + epsilon)`. So the unit
/// is a standard deviation of the output before gamma and beta.
///
/// `None` if the framework refuses batches of this size.
pub fn batch_error(
    norm: Norm,
    mode: Mode,
    photos: &[ChannelMoments],
    drawn: &DrawnBatches,
    setting: &NormSetting<'_>,
) -> Option<Spread> {
    if setting.refuses(norm.reads(mode), drawn.size) {
        return None;
    }
    let all: Vec<&ChannelMoments> = photos.iter().collect();
    let reference = setting.used(norm, mode, &all);
    let errors = drawn.batches.par_iter().map(|batch| {
        let own: Vec<&ChannelMoments> = batch.iter().map(|&i| &photos[i]).collect();
        let reference: Vec<ChannelMoments> = batch.iter().map(|&i| reference[i].clone()).collect();
        let used = setting.used(norm, mode, &own);
        setting.mean_square(&own, &used, &reference).sqrt()
    });
    let errors: Vec<f64> = errors.collect();
    Some(Spread::of(&errors))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_divide_the_channels_and_hold_two_values() {
        let of_images = [
            (32, 32),
            (96, 32),
            (144, 36),
            (24, 24),
            (320, 32),
            (1280, 32),
            (1, 1),
        ];
        for (channels, groups) in of_images {
            assert_eq!(groups_for(channels, 25), groups, "{channels} channels");
        }
        // Each channel alone would be beta.
        assert_eq!(groups_for(16, 1), 8);
        assert_eq!(groups_for(7, 1), 1);
    }

    #[test]
    fn batches_double_and_no_batch_counts_twice() {
        let drawn = drawn_batches(20, [7, 0]);
        let sizes: Vec<usize> = drawn.iter().map(|d| d.size).collect();
        assert_eq!(sizes, [1, 2, 4, 8, 16]);
        assert_eq!(drawn_batches(93, [7, 0]).last().unwrap().size, 64);
        let all = drawn_batches(4, [7, 0]).pop().unwrap();
        assert_eq!(
            all.batches,
            [vec![0, 1, 2, 3]],
            "there is one batch of all photos"
        );
        assert_ne!(drawn, drawn_batches(20, [7, 1]));
    }
}
