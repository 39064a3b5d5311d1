//! What the dropout view asks for, and what comes back.

use modelens_core::model::Effective;
use modelens_core::model::graph::Noise;

/// What is set for the layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DropoutSetting {
    /// A rate (for Gaussian noise a deviation) instead of the file's.
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

/// One noise layer for the chosen photo. Everything else runs in inference, so both sides get the
/// same units.
#[derive(Clone, Debug, PartialEq)]
pub struct DropoutOutcome {
    /// With the rate in force.
    pub noise: Noise,
    /// The rate in the file.
    pub file_rate: f64,
    /// The shape of one photo's units, without the batch axis.
    pub shape: Vec<usize>,
    pub training: DropoutSide,
    pub inference: DropoutSide,
    /// The units with the largest absolute value in inference, the largest first.
    pub largest: Vec<usize>,
    pub mean: MeanOfPasses,
    /// `None` where the base ends in no classifier.
    pub monte_carlo: Option<MonteCarlo>,
}

/// One mode of a dropout layer.
#[derive(Clone, Debug, PartialEq)]
pub struct DropoutSide {
    pub effective: Effective,
    /// The units before the layer.
    pub input: Vec<f32>,
    /// The units after it.
    pub output: Vec<f32>,
    /// What each unit was multiplied with, 0 is dropped (`AlphaDropout`: 1 is kept); `None` for
    /// layers that add noise.
    pub mask: Option<Vec<f32>>,
    /// How many units the mask drops.
    pub dropped: usize,
}

/// The mean of the layer's output over more and more passes, against its output in inference.
#[derive(Clone, Debug, PartialEq)]
pub struct MeanOfPasses {
    /// For 1, 2, 4, ... passes; empty where all units are zero, so that no distance is relative.
    pub points: Vec<MeanPoint>,
    /// The mean over the most passes, of the units of [`DropoutOutcome::largest`].
    pub largest: Vec<f32>,
}

/// The mean of some passes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MeanPoint {
    pub passes: usize,
    /// `|mean - inference| / |inference|`, over all units in the Euclidean norm.
    pub distance: f64,
    /// The root of the expected square of the distance, by the layer's formula.
    pub expected: f64,
}

/// Passes of the whole network in which only noise layers draw.
#[derive(Clone, Debug, PartialEq)]
pub struct MonteCarlo {
    /// The class inference gives.
    pub top: usize,
    /// Its probability in inference.
    pub inference: f64,
    /// Its probability, by pass.
    pub probabilities: Vec<f32>,
    /// The class that each pass gives.
    pub winners: Vec<usize>,
    /// Noise layers that draw, and all of them.
    pub drawing: usize,
    pub noises: usize,
}

impl MonteCarlo {
    /// How many passes give another class than inference.
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

    /// The standard deviation of the probability over the passes; 0 for a single pass.
    pub fn deviation(&self) -> f64 {
        let mean = self.mean();
        let squares = self.probabilities.iter();
        let sum: f64 = squares.map(|&p| (f64::from(p) - mean).powi(2)).sum();
        (sum / (self.probabilities.len().max(2) - 1) as f64).sqrt()
    }
}
