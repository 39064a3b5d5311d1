//! The frame around the views: bars, side panel, and the text of a view that has nothing to show.

use super::number::count;
use modelens_jobs::CacheOwner;

// A view that has nothing to show.
pub fn opening(title: &str) -> String {
    format!("Opening {title} ...")
}

pub const OPEN_A_BASE: &str = "No base is open. Open one with Base, or drop a file here.";
pub const OPEN_PHOTOS: &str = "No photos are open. Open a folder with Photos, or drop one here.";
pub const COMPUTING: &str = "Computing ...";

// The card below a view.
pub const WHAT_YOU_SEE: &str = "WHAT YOU SEE";
pub const CODE: &str = "CODE";
pub const COPY_CODE: &str = "Copy the code";

// Counts of parameters.
pub const TOTAL_PARAMS: &str = "Total params";
pub const TRAINABLE: &str = "Trainable";
pub const NON_TRAINABLE: &str = "Non-trainable";

// The bar at the bottom.
pub fn progress(stage: &str, done: &str, total: &str) -> String {
    format!("{stage}: {done} of {total}")
}

pub const NOT_UP_TO_DATE: &str = "Out of date";
pub const READY: &str = "Ready";

pub fn saved(path: &str) -> String {
    format!("Saved {path}")
}

pub fn and_more(first: &str, more: usize) -> String {
    format!("{first} (and {more} more)")
}

pub const SHOW_ALL: &str = "Show them all";

pub fn trainable_of(trainable: &str, total: &str) -> String {
    format!("{trainable} of {total} params trainable")
}

/// `sentence` says which layers the model leaves out.
pub fn left_out(sentence: &str) -> String {
    format!("Note: {sentence}.")
}

// The bar at the top.
pub fn opening_small(title: &str) -> String {
    format!("opening {title} ...")
}

pub const BASE: &str = "Base";
pub const LAB_TIP: &str =
    "The course's lab: a head for the bundled photos on a frozen MobileNetV2, saved by Keras 3.15";
pub const EFFICIENTNET_TIP: &str = "ImageNet-1k, a PyTorch state dict. Bundled";

/// The heading of the models in a cache.
pub fn cache_of(owner: CacheOwner) -> &'static str {
    match owner {
        CacheOwner::Keras => "DOWNLOADED BY KERAS",
        CacheOwner::TorchHub => "DOWNLOADED BY TORCH HUB",
        CacheOwner::HuggingFace => "DOWNLOADED BY HUGGING FACE AND TIMM",
    }
}

pub fn photos_in(photos: &str, classes: &str) -> String {
    format!("{photos} in {classes}")
}

pub const PHOTOS: &str = "Photos";
pub const BUNDLED_PHOTOS_TIP: &str = "Fish, monuments, tools and windmills";
pub const RULES_OF: &str = "Rules of";

pub fn automatic(rules: &str) -> String {
    format!("Automatic: {rules}, from the file")
}

pub const AUTOMATIC: &str = "Automatic";
pub const THEME: &str = "Theme";
pub const HELP: &str = "Help";
pub const LESSONS: &str = "LESSONS";

pub fn no_photos(folder: &str) -> String {
    format!(
        "{folder} has no photos. Put them into one folder for each class, or directly into this \
         folder."
    )
}

pub fn unreadable(files: usize) -> String {
    let files = count(files, "file", "files");
    format!("{files} could not be read")
}

// Names of themes and of what is bundled.
pub const SYSTEM: &str = "System";
pub const LAB: &str = "MobileNetV2 · course lab";
pub const EFFICIENTNET: &str = "EfficientNet-Lite0";
pub const BUNDLED_PHOTOS: &str = "Bundled photos";

pub fn unreadable_photo(name: &str, reason: &str) -> String {
    format!("{name} cannot be read: {reason}")
}

pub const REDUCE_MOTION: &str = "Reduce motion";
pub const REDUCE_MOTION_TIP: &str = "Animations advance in whole steps";
