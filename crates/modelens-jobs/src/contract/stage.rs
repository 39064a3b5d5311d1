//! The stages that progress is reported in.

use serde::{Deserialize, Serialize};

/// What a job does at the moment. [`Stage::words`] gives its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// What a page reads from another place, in kB.
    Fetching,
    Opening,
    OpeningModel,
    Listing,
    ListingPhotos,
    DecodingPhoto,
    TryingScales,
    ReadingPhotos,
    Forward,
    ForwardBothModes,
    MeanOfPasses,
    MonteCarloPasses,
    PassesInBothModes,
    OptimizerSteps,
    MeasuringBatches,
    ComparingNorms,
    MeasuringEveryBatchNorm,
    Training,
    TrainingStep,
    Saving,
    SavingModel,
}
