//! The texts of the Fine-tune view.

mod sentences;

pub use sentences::*;

// The tab.
pub const LABEL: &str = "Fine-tune";
pub const TOOLTIP: &str =
    "Real training steps on these photos with different settings of the switches";

// The row of controls.
pub const RATE: &str = "learning rate";
pub const BASE_EVAL: &str = "base.eval()";
pub const BASE_ONLY: &str = "on the base only";
pub const BASE_ONLY_TIP: &str = "The head stays in training mode, so its dropout draws, as it should. \
     model.eval() would turn that off too";
pub const EPOCHS: &str = "epochs";
pub const SEEDS: &str = "seeds";
pub const SEEDS_TIP: &str = "How many seeds to run. The first is shown step by step; the results of \
     the others follow as a range";
pub const BATCH: &str = "photos in a step";

pub fn time_left(done: usize, total: usize, left: &str) -> String {
    format!("step {done} of {total}, about {left} left")
}

pub fn features(done: usize, all: usize) -> String {
    format!("features of the base, computed once: {done} of {all} photos")
}

pub const FIRST_STEP: &str = "first step";

pub fn paused(done: usize, total: usize) -> String {
    format!("paused at step {done} of {total}")
}

pub fn took(done: usize, seconds: &str) -> String {
    format!("{done} steps in {seconds}")
}

pub const OWN_RATE: &str = "own";

// The curves.
pub const LOSS: &str = "Loss";
pub const ACCURACY: &str = "Accuracy";

pub fn of_batch(value: &str) -> String {
    format!("batch {value}")
}

pub fn curve_name(name: &str, run: &str, steps: usize) -> String {
    format!("{name} of {run} after {steps} steps")
}

pub const MOVED: &str = "Moved";
pub const UP_AND_DOWN_SHORT: &str = "w ↑ st ↓";
pub const SENTENCES_LEFT_OUT: &str = "the sentences of the runs";
pub const UP_AND_DOWN: &str = "weights ↑ statistics ↓";

// Runs that are not those of the controls.
pub const SET_CONTROLS: &str = "Set the controls to these";
pub const SET_CONTROLS_TIP: &str = "Start would then begin the same runs";

// The card of a run.
pub const USE_MODEL: &str = "Use this model";
pub const USE_MODEL_TIP: &str = "The other views show it until you open another base";
pub const SAVE_TIP: &str = "In the format of the file it came from";

// What is trained, and on which photos.
pub const FILES_HEAD: &str = "the file's";
pub const NEW: &str = "new";
pub const HEAD: &str = "head";

pub fn head_name(value: &str) -> String {
    format!("head {value}, validation, augmentation")
}

pub const NEW_HEAD: &str = "New head";
pub const NEW_HEAD_TIP: &str =
    "Global average pooling, dropout and a dense layer for these classes";
pub const OWN_HEAD: &str = "The file's own head";
pub const OWN_HEAD_TIP: &str = "Unchanged from the file; it needs one output for each class";
pub const DROPOUT_RATE: &str = "dropout rate";
pub const TWO_OUTPUTS: &str = "Two outputs with softmax";
pub const ONE_OUTPUT: &str = "One output with sigmoid";
pub const SPLIT_BY_FOLDERS: &str = "Split by the folders of the photos:";
pub const VALIDATION_SPLIT: &str = "validation split";
pub const AUGMENT: &str = "augment the training photos";

pub fn split_by(seed: u64) -> String {
    format!("Split by seed {seed}, as Keras does")
}

pub const TO_LEARN_FROM: &str = "training";
pub const TO_VALIDATE: &str = "validation";
pub const ALL: &str = "all";

pub fn more_classes(n: usize) -> String {
    format!("and {n} more classes")
}

pub fn moved_name(run: &str, weights: usize, statistics: usize) -> String {
    format!(
        "{run}: the weights of {weights} layers moved, and the moving statistics of {statistics} layers"
    )
}

// Notes on the photos.
pub fn model_title(base: &str) -> String {
    const ADDED: &str = ", fine-tuned";
    format!("{}{ADDED}", base.trim_end_matches(ADDED))
}
