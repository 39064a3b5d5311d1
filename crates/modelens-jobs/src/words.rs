//! Texts of the jobs: the stages of progress, why a job failed, and what is odd about the photos of a
//! training run.

use crate::Stage;

impl Stage {
    /// The text of the status bar, which capitalises it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Fetching => "fetching, kB",
            Self::Opening => "opening",
            Self::OpeningModel => "opening the base",
            Self::Listing => "listing",
            Self::ListingPhotos => "listing photos",
            Self::DecodingPhoto => "photo",
            Self::TryingScales => "trying scales",
            Self::ReadingPhotos => READING_PHOTOS,
            Self::Forward => "forward",
            Self::ForwardBothModes => "forward, both modes",
            Self::MeanOfPasses => "mean of passes",
            Self::MonteCarloPasses => MONTE_CARLO_PASSES,
            Self::PassesInBothModes => "passes in both modes",
            Self::OptimizerSteps => "four optimizer steps",
            Self::MeasuringBatches => "measuring batches",
            Self::ComparingNorms => "comparing normalisations, photo",
            Self::MeasuringEveryBatchNorm => "measuring every BatchNorm",
            Self::Training => "training",
            Self::TrainingStep => "training, step",
            Self::Saving => "saving",
            Self::SavingModel => "saving the model",
        }
    }
}

pub const READING_PHOTOS: &str = "reading photos";
pub const MONTE_CARLO_PASSES: &str = "Monte Carlo passes";

// Causes.
pub fn broken_file(panic: &str, path: &str) -> String {
    format!("the file is broken ({panic}): {path}")
}

pub fn broke_off(panic: &str) -> String {
    format!("the computation broke off: {panic}")
}

pub fn broken_image(panic: &str) -> String {
    format!("the image is broken: {panic}")
}

pub fn figure_unsaved(cause: &str, path: &str) -> String {
    format!("the figure was not saved ({cause}): {path}")
}

pub fn numbers_beside(name: &str) -> String {
    format!("there is a {name} beside it already")
}

// Notes on the photos of a run.
pub fn left_out(why: &str) -> String {
    format!("left out: {why}")
}

pub fn no_photo_of(names: &str, n: usize) -> String {
    format!(
        "no photo of {names} is among the {n} to train with, so nothing can be learned about it"
    )
}

pub fn mostly(most: usize, n: usize, name: &str, share: f64) -> String {
    format!(
        "{most} of {n} photos to train with are {name}: answering {name} every time is right for \
     {share:.0}% of them"
    )
}

pub fn none_to_validate(fraction: f64, all: usize) -> String {
    format!(
        "a validation split of {fraction} leaves no photo of {all} to validate with, so only the \
     photos of the training are measured"
    )
}

pub fn large_batch(batch: usize, n: usize) -> String {
    format!(
        "a batch of {batch} is more than the {n} photos to train with: every epoch is one step on \
     all of them"
    )
}

// The augmentation grid.
pub const ONE_PHOTO: &str = "One photo ×9";
pub const NINE_PHOTOS: &str = "Nine photos";
pub const THREE_EPOCHS: &str = "Three epochs";

/// Why a page writes no PDF.
#[cfg(target_family = "wasm")]
pub const NO_PDF: &str = "a page writes no PDF: print the SVG in the browser";
