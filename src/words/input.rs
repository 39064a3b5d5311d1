//! The input card.

pub const TITLE: &str = "INPUT";
pub const PHOTO: &str = "photo";
pub const AUGMENT_TIP: &str = "Sends the photos of the Dropout, BatchNorm, Trainable and Predict views \
     through the pipeline of the Augmentation view first, once for both sides";
pub const AUGMENT: &str = "Batch goes through augmentation";
pub const WRONG_SCALE: &str = "The scale looks wrong";

pub fn use_scale(scale: &str) -> String {
    format!("Use {scale}")
}

pub fn chosen_photo(name: &str) -> String {
    format!("The chosen photo, {name}")
}

pub const UNREADABLE: &str = "This photo cannot be read";
pub const BATCH_SIZE: &str = "Batch size";
pub const BATCH_TIP: &str = "Photos in a batch. Drag, or click to type";

pub fn only(photos: usize) -> String {
    format!("only {photos}")
}

pub const PHOTOS: &str = "photos";
pub const SEED: &str = "Seed";
pub const SEED_TIP: &str = "Decides the batch and every random draw. Drag, or click to type";
pub const NEW_SEED: &str = "New";
pub const LOCK_TIP: &str = "Keeps the seed. Redraw still makes new draws";
pub const LOCK: &str = "lock";
pub const SCALE_TIP: &str = "What each pixel value x from 0 to 255 becomes before the first layer";

pub fn scale_by_file(scale: &str) -> String {
    format!("From the file: {scale}")
}

pub fn scale_by_evidence(scale: &str) -> String {
    format!("Unknown: {scale} was taken")
}

pub const AS_GIVEN: &str = "as given";
pub const AS_GIVEN_TIP: &str = "As given: the array goes to the network as it is";
pub const SCALE_UNKNOWN: &str = "Scale unknown";
pub const BY_FILE: &str = "From the file";
