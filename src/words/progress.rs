//! What runs: the stages that the status bar tells of, in lower case or as the first word.

pub const OPENING: &str = "Opening";
pub const LISTING: &str = "Listing";
pub const SAVING_MODEL: &str = "Saving the model";
pub const SAVING: &str = "Saving";
pub const FORWARD_TITLE: &str = "Forward";
pub const PHOTO: &str = "Photo";
pub const TRAINING: &str = "training";
pub const READING_PHOTOS: &str = "reading photos";
pub const TRAINING_STEP: &str = "training, step";
pub const MEASURING: &str = "Measuring batches";
pub const MEASURING_BATCHES: &str = "measuring batches";
pub const MEASURING_EVERY: &str = "measuring every BatchNorm";
pub const FORWARD: &str = "forward";
pub const MEAN: &str = "mean of passes";
pub const FORWARD_BOTH: &str = "forward, both modes";
pub const PASSES: &str = "passes in both modes";
pub const STEPS: &str = "four optimizer steps";
pub const OPENING_BASE: &str = "opening the base";
pub const LISTING_PHOTOS: &str = "listing photos";
