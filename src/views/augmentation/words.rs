//! The texts of the Augmentation view.

mod meaning;
mod sentences;

pub use sentences::*;

use crate::augment::{AugmentLayer, Framework};
use crate::model::Semantics;
use crate::words::number::{count, fixed, measured, seconds};

// The tab and the status bar.
pub const LABEL: &str = "Augmentation";
pub const TOOLTIP: &str = "One photo nine times through random flips and rotations";

pub fn took(images: usize, secs: f64) -> String {
    let images = count(images, "image", "images");
    format!("{images}, both modes: {}", seconds(secs))
}

// Headings of the columns.
pub const DRAWS_BOTH: &str = "the data loader makes new draws in both modes";
pub const DRAWS: &str = "new random draws in each cell";
pub const RETURNS: &str = "the layers return their input";

// The cells of the grid.
pub fn epoch(n: usize) -> String {
    format!("epoch {n}")
}

pub const LEFT_ROW_1: &str = "Left row 1";
pub const RIGHT_ROW_1: &str = "Right row 1";
pub const LEFT_ROW_2: &str = "Left row 2";
pub const RIGHT_ROW_2: &str = "Right row 2";
pub const LEFT_ROW_3: &str = "Left row 3";
pub const RIGHT_ROW_3: &str = "Right row 3";

pub fn cell_name(side: &str, n: usize, words: &str) -> String {
    format!("{side}, image {n}: {words}")
}

pub const RETURNS_INPUT: &str = "returns its input";
pub const ACTS_IN_BOTH: &str = "acts in both modes";
pub const TRAINING_ONLY: &str = "acts in training only";
pub const UNCHANGED: &str = "unchanged";
pub const MATRIX_2_3: &str = "input from output, 2 × 3";
pub const MATRIX_3_3: &str = "input from output, 3 × 3";

pub fn largest_difference_short(difference: &str) -> String {
    format!("largest difference from the photo {difference}")
}

pub fn pixels(height: usize, width: usize) -> String {
    format!("{height} × {width} pixels")
}

pub const OPENS_LARGE: &str = "click to enlarge";

// The row of controls.
pub const REDRAW: &str = "Redraw";
pub const FROM_FILE: &str = "From the file";
pub const CHANGED: &str = "Changed";
pub const PIPELINE: &str = "Pipeline";
pub const EDIT_STEPS: &str = "Edit steps";
pub const EDIT_STEPS_TIP: &str = "Add, remove, reorder and change the layers of the pipeline";
pub const AS_IN_COURSE: &str = "as in the course";
pub const ONE_DRAW_EACH: &str = "one draw per photo";
pub const DRAWN_ANEW_EACH: &str = "new draws in each epoch";

pub fn steps_on(on: usize, all: usize) -> String {
    format!("{on} of {all} steps on")
}

pub const TURNS_OFF: &str = "Click to turn it off";
pub const TURNS_ON: &str = "Off. Click to turn it on";

// A cell shown large.
pub fn opened_note(n: usize, all: usize, stem: &str, words: &str) -> String {
    format!("image {n} of {all} · {stem} · {words}")
}

pub const CLOSE_TIP: &str = "Back to the grid (Escape)";
pub const DRAW_AGAIN: &str = "Redraw this image";
pub const DRAW_AGAIN_TIP: &str = "New draws for this image only; R redraws all of them";
pub const NEXT_IMAGE: &str = "Next image";
pub const PREVIOUS_IMAGE: &str = "Previous image";

pub fn arrow_keys(name: &str) -> String {
    format!("{name} (arrow keys)")
}

pub const LINE_BETWEEN: &str = "Line between before and after";
pub const LINE_TIP: &str = "Drag the line (Shift with an arrow key)";
pub const DRAWN_TITLE: &str = "WHAT WAS DRAWN";
pub const NO_STEP_ON: &str = "No step is on";

pub fn now_pixels(height: usize, width: usize) -> String {
    format!("Now {height} × {width} pixels")
}

pub fn largest_difference(difference: &str) -> String {
    format!("Largest difference from the photo: {difference}")
}

pub const TARGET_TITLE: &str = "NEW LABEL";

/// `0.70 fish, 0.30 windmill`.
pub fn target(target: &[(&str, f64)]) -> String {
    let parts = target
        .iter()
        .map(|(class, share)| format!("{} {class}", fixed(*share, 2)));
    parts.collect::<Vec<String>>().join(", ")
}

/// What the loss becomes: at least the entropy of the label.
pub fn target_loss(target: &[(&str, f64)]) -> String {
    let parts = target.iter().filter(|(_, share)| *share > 0.0);
    let least = -parts.map(|(_, share)| share * share.ln()).sum::<f64>();
    let (class, share) = target.first().copied().unwrap_or_default();
    let sure = -share * 0.99_f64.ln() - (1.0 - share) * 0.01_f64.ln();
    format!(
        "The loss of this photo cannot fall below {}. A network that is 99% sure of {class} has {}.",
        fixed(least, 2),
        fixed(sure, 2)
    )
}

pub const MATRIX_TITLE: &str = "INPUT FROM OUTPUT";
pub const MATRIX_MEANING: &str = "times (column, row, 1) of an output pixel gives the place in the \
     photo that it shows. The outline is the edge of the photo.";
pub const NO_MATRIX: &str = "No single matrix describes it: a step changes the frame (crop, resizing), \
     bends the photo or mixes copies of it.";
pub const FILL_MODE_TITLE: &str = "FILL MODE";
pub const SHOW_FILL: &str = "Show what the fill mode painted";

pub fn painted(share: &str) -> String {
    format!("It painted {share} of the pixels")
}

// The parameters of a step.
/// The check box of an argument that may be absent.
pub fn of_its_own(name: &str) -> String {
    format!("{name} of its own")
}

/// One of several numbers of an argument.
pub fn nth(name: &str, n: Option<usize>) -> String {
    n.map_or_else(|| name.to_owned(), |n| format!("{name} {n}"))
}

/// How many numbers an argument has.
pub fn numbers(n: usize) -> String {
    match n {
        0 => NONE.to_owned(),
        n => count(n, "number", "numbers"),
    }
}

pub const LOW_AND_HIGH: &str = "low and high";
pub const ONE_NUMBER: &str = "one number";

pub fn form_of(name: &str) -> String {
    format!("form of {name}")
}

pub const LOW: &str = "low";
pub const HIGH: &str = "high";
pub const OF_ITS_OWN: &str = "separate";
pub const LAYER_SEED: &str = "seed of the layer";

// Code to take the steps from.
pub const CODE_TITLE: &str = "FROM CODE";
pub const CODE_HINT: &str = "Paste keras.Sequential([...]) or v2.Compose([...])";
pub const CODE_FIELD: &str = "Keras or torchvision code";
pub const USE_CODE: &str = "Use these layers";

// The list of steps.
pub const STEPS_TITLE: &str = "STEPS, IN ORDER";
pub const HIDE_STEPS: &str = "Hide the list of steps";
pub const ADD: &str = "+ Add";
pub const ADD_TIP: &str = "Add a layer at the end";
pub const KERAS: &str = "KERAS";
pub const TORCHVISION: &str = "TORCHVISION";

/// The heading of a framework in the add menu.
pub fn heading(framework: Framework) -> &'static str {
    match framework {
        Framework::Keras => KERAS,
        Framework::Torchvision => TORCHVISION,
    }
}

pub const RANDOM: &str = "random";
pub const BOTH_MODES: &str = "both modes";
pub const IN_TRAINING: &str = "training only";
pub const NONE: &str = "none";
pub const NO_STEPS: &str = "No steps. Add one.";

pub fn drag(class: &str, number: usize) -> String {
    format!("Drag {class}, step {number}")
}

pub fn on(class: &str, number: usize) -> String {
    format!("{class} on, step {number}")
}

pub fn remove(class: &str, number: usize) -> String {
    format!("Remove {class}, step {number}")
}

pub fn move_down(class: &str, number: usize) -> String {
    format!("Move {class} down, step {number}")
}

pub fn move_up(class: &str, number: usize) -> String {
    format!("Move {class} up, step {number}")
}

/// The name of a button for a layer in a list that another layer holds.
pub fn inside(name: &str, list: &str) -> String {
    format!("{name} of {list}")
}

pub fn add_to(list: &str) -> String {
    format!("Add a layer to {list}")
}

pub fn parameters_of(class: &str, number: usize) -> String {
    format!("Parameters of {class}, step {number}")
}

/// In which mode a layer acts.
pub fn acts_when(layer: &AugmentLayer, semantics: Semantics) -> &'static str {
    if layer.is_random() && layer.framework() == Framework::Torchvision {
        return "Never off: a transform of torchvision runs whenever it is called, and model.eval() does not \
                reach it.";
    }
    match (layer.is_random(), layer.is_training_only(), semantics) {
        (_, false, _) => "Acts in both modes, alike.",
        (_, true, Semantics::PyTorch) => {
            "Never off in a data loader: model.eval() does not reach a transform."
        }
        (true, true, Semantics::Keras2 | Semantics::Keras3 | Semantics::Keras316) => {
            "Draws with training=True and when training= is left out; does not draw with training=False."
        }
        (false, true, Semantics::Keras2 | Semantics::Keras3 | Semantics::Keras316) => {
            "Does not draw. Acts with training=True and when training= is left out."
        }
    }
}

/// How far a layer changes a photo.
fn changed(difference: Option<f32>) -> String {
    match difference {
        Some(difference) => format!("by up to {}", measured(f64::from(difference))),
        None => "to another size".to_owned(),
    }
}

/// In a few words: in which mode a layer acts, and how far it changed a photo of the grid in each.
pub fn obeys(
    layer: &AugmentLayer,
    semantics: Semantics,
    [training, inference]: [Option<f32>; 2],
) -> String {
    if layer.is_random() && layer.is_never_off(semantics) {
        format!("Never off: changed the values {}", changed(training))
    } else if layer.is_training_only() {
        format!(
            "Training only: changed the values {}, with training=False {}",
            changed(training),
            changed(inference)
        )
    } else {
        format!("Both modes: changed the values {}", changed(training))
    }
}

/// How far a layer changes a photo of the grid, at most, in each mode.
pub fn step_difference([training, inference]: [Option<f32>; 2], never_off: bool) -> String {
    if never_off {
        return format!("Here it changes the values {}.", changed(training));
    }
    format!(
        "Here training=True changes the values {}, training=False {}.",
        changed(training),
        changed(inference)
    )
}

pub const DRAG_TIP: &str = "Drag to another place";

// The kinds of grid.
pub const PIXELS_SUFFIX: &str = " px";

pub fn end_of(argument: &str, end: &str) -> String {
    format!("{argument} {end}")
}
