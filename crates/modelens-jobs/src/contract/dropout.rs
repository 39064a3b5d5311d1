//! What the dropout view asks for, and what comes back.

use serde::{Deserialize, Serialize};

use modelens_core::model::Effective;
use modelens_core::model::graph::Noise;

/// The settings of the dropout view.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct DropoutSetting {
    /// A rate (for Gaussian noise a standard deviation) that replaces the file's.
    pub rate: Option<f64>,
    /// Passes of the Monte Carlo histogram.
    pub passes: usize,
}

impl DropoutSetting {
    /// The choices of [`Self::passes`].
    pub const PASSES: [usize; 4] = [8, 32, 128, 512];
}

impl Default for DropoutSetting {
    fn default() -> Self {
        Self {
            rate: None,
            passes: Self::PASSES[1],
        }
    }
}

/// One noise layer on the chosen photo. All other layers run in inference mode, so both sides get
/// the same input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DropoutOutcome {
    /// With the rate in force.
    pub noise: Noise,
    /// The rate in the file.
    pub file_rate: f64,
    /// The shape of one photo's units, without the batch axis.
    pub shape: Vec<usize>,
    pub training: DropoutSide,
    pub inference: DropoutSide,
    /// The units with the largest absolute values in inference, the largest first.
    pub largest: Vec<usize>,
    pub mean: MeanOfPasses,
    /// `None` if the model does not end in a classifier.
    pub monte_carlo: Option<MonteCarlo>,
}

/// One of the first passes in training mode, to be watched.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WatchedPass {
    /// The first units after the layer, at most [`WATCHED_UNITS`].
    pub output: Vec<f32>,
    /// Whether each of these units was dropped.
    pub dropped: Vec<bool>,
    /// Number of units of the whole layer that were dropped.
    pub drops: usize,
    /// Up to this pass: the mean of the units in [`DropoutOutcome::largest`].
    pub means: Vec<f32>,
    /// Up to this pass: `|mean - inference| / |inference|`, over all units.
    pub distance: f64,
}

/// The most passes of the mean that can be watched.
pub const WATCHED_PASSES: usize = 64;
/// The most units of such a pass that are kept.
pub const WATCHED_UNITS: usize = 8192;

/// One mode of a dropout layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DropoutSide {
    pub effective: Effective,
    /// The units before the layer.
    pub input: Vec<f32>,
    /// The units after it.
    pub output: Vec<f32>,
    /// The factor of each unit, 0 where it was dropped (`AlphaDropout`: 1 where it was kept); `None`
    /// for layers that add noise.
    pub mask: Option<Vec<f32>>,
    /// How many units the mask drops.
    pub dropped: usize,
}

/// The mean of the layer's output over a growing number of passes, compared with its output in
/// inference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeanOfPasses {
    /// For 1, 2, 4, ... passes; empty if all units are zero, since no relative distance exists then.
    pub points: Vec<MeanPoint>,
    /// The mean over all passes of the units in [`DropoutOutcome::largest`].
    pub largest: Vec<f32>,
    /// The first of the passes; empty if the layer doesn't draw.
    pub watched: Vec<WatchedPass>,
}

/// The mean over a number of passes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeanPoint {
    pub passes: usize,
    /// `|mean - inference| / |inference|`, over all units in the Euclidean norm.
    pub distance: f64,
    /// The root mean square of the distance that the layer's formula predicts.
    pub expected: f64,
}

/// Passes of the whole network in which only noise layers are random.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MonteCarlo {
    /// The top class in inference.
    pub top: usize,
    /// Its probability in inference.
    pub inference: f64,
    /// Its probability in each pass.
    pub probabilities: Vec<f32>,
    /// The top class of each pass.
    pub winners: Vec<usize>,
    /// Number of active noise layers.
    pub drawing: usize,
    /// Number of all noise layers.
    pub noises: usize,
}

impl MonteCarlo {
    /// Number of passes with another top class than inference.
    pub fn others(&self) -> usize {
        self.winners.iter().filter(|&&w| w != self.top).count()
    }

    /// The smallest and the largest probability of the top class.
    pub fn range(&self) -> [f32; 2] {
        let ends = [f32::INFINITY, f32::NEG_INFINITY];
        let probabilities = self.probabilities.iter();
        probabilities.fold(ends, |[low, high], &p| [low.min(p), high.max(p)])
    }

    /// The mean probability of the top class.
    pub fn mean(&self) -> f64 {
        let sum: f64 = self.probabilities.iter().map(|&p| f64::from(p)).sum();
        sum / self.probabilities.len().max(1) as f64
    }

    /// The standard deviation of the probability over the passes; 0 for one pass.
    pub fn deviation(&self) -> f64 {
        let mean = self.mean();
        let squares = self.probabilities.iter();
        let sum: f64 = squares.map(|&p| (f64::from(p) - mean).powi(2)).sum();
        (sum / (self.probabilities.len().max(2) - 1) as f64).sqrt()
    }
}
