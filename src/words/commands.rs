//! The command palette: its own texts, the names of its entries, and why an entry can't be chosen.

// The list of commands.
pub const TYPE_PART_OF_NAME: &str = "type a part of a name";
pub const FIND_NAME: &str = "Find a command";

pub fn place(at: usize, all: usize, name: &str) -> String {
    format!("{at} of {all}: {name}")
}

pub const NOTHING_FOUND: &str = "No command has this in its name";
pub const NOW: &str = "now";

pub fn not_now(why_not: &str) -> String {
    format!("Not now: {why_not}")
}

// Choices in the list, and why one cannot be made now.
pub fn photo(name: &str) -> String {
    format!("Photo: {name}")
}

pub fn view(label: &str) -> String {
    format!("View: {label}")
}

pub fn from_layer(label: &str, layer: usize) -> String {
    format!("{label} layer {layer}")
}

pub fn fine_tune(label: &str) -> String {
    format!("Fine-tune: {label}")
}

pub fn eval_calls(label: &str) -> String {
    format!("Fine-tune: base.eval() {label}")
}

pub const NO_BASE: &str = "no base is open";
pub const ONLY_IN_PYTORCH: &str = "only PyTorch has a mode for each module";
pub const NO_OTHER_PHOTO: &str = "there is no other photo";
pub const SEED_LOCKED: &str = "the seed is locked";
pub const NOTHING_CHANGED: &str = "nothing was changed";
pub const NOTHING_TAKEN_BACK: &str = "nothing was undone";
pub const NOTHING_RUNS: &str = "nothing is running";
pub const NO_LESSON: &str = "no lesson is open";
pub const ONLY_BUNDLED: &str =
    "a link can name only bundled models and photos, and addresses: save a lesson";
pub const NOTHING_HIDDEN: &str = "nothing is hidden";
pub const NO_LECTURE: &str = "only in lecture mode";
pub const NO_NOTES: &str = "this step has no notes";
pub const LAST_STEP: &str = "this is the last step";
pub const ANSWER_FIRST: &str = "the question of this step comes first";
pub const FIRST_STEP: &str = "this is the first step";
pub const NO_ANIMATION: &str = "this view has no animation";
pub const NOTHING_OPEN: &str = "a base and photos must be open";
pub const RUNS_UNDER_WAY: &str = "the runs are in progress";
pub const RUNS_PAUSED: &str = "the runs are paused: resume or reset them";
pub const NOTHING_PAUSED: &str = "nothing is paused";
pub const NOTHING_HAS_RUN: &str = "nothing has run";

pub fn fine_tune_with(optimizer: &str) -> String {
    format!("Fine-tune with {optimizer}")
}

pub const NEW_HEAD: &str = "a new head";
pub const OWN_HEAD: &str = "the file's own head";

pub fn fine_tune_head(label: &str) -> String {
    format!("Fine-tune {label}")
}

pub const BY_FILE: &str = "from the file";

pub fn rules(label: &str) -> String {
    format!("Rules of: {label}")
}

pub fn pipeline(label: &str) -> String {
    format!("Augmentation pipeline: {label}")
}

pub const OWN_PIPELINE: &str = "Augmentation pipeline: the model's own";
pub const NO_OWN_PIPELINE: &str = "the base has no augmentation layers";

pub fn grid(label: &str) -> String {
    format!("Grid: {label}")
}

pub fn theme(label: &str) -> String {
    format!("Theme: {label}")
}

pub fn scale(label: &str) -> String {
    format!("Scale: {label}")
}

pub const AUGMENT_ON: &str = "Batch goes through augmentation: on";
pub const AUGMENT_OFF: &str = "Batch goes through augmentation: off";
pub const REDUCE_MOTION: &str = "Reduce motion";
pub const LOCK_SEED: &str = "Lock the seed";
pub const UNLOCK_SEED: &str = "Unlock the seed";

pub fn batch_of(batch: usize) -> String {
    format!("Batch of {batch}")
}

pub fn base(title: &str) -> String {
    format!("Base: {title}")
}

pub fn photos(title: &str) -> String {
    format!("Photos: {title}")
}

pub const FORGET_RECENT: &str = "Forget recent files";
pub const NO_RECENT: &str = "there are none";

pub fn lesson(title: &str) -> String {
    format!("Lesson: {title}")
}

pub fn layer(name: &str) -> String {
    format!("Layer: {name}")
}

pub const FREEZE: &str = "Freeze";
pub const UNFREEZE: &str = "Unfreeze";

/// Keys that egui names differently from keyboards: its name, theirs.
pub const KEYS: [(&str, &str); 3] = [
    ("Questionmark", "?"),
    ("PageDown", "Page Down"),
    ("PageUp", "Page Up"),
];
