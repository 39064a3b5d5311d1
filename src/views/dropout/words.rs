//! The texts of the Dropout view.

mod sentences;
mod without;

pub use sentences::*;
pub use without::*;

use crate::words::common;
use crate::words::number::seconds;
use modelens_jobs::MonteCarlo;

// The tab and the status bar.
pub const LABEL: &str = "Dropout";
pub const TOOLTIP: &str = "Which units a dropout layer drops";

pub fn took(is_augmented: bool, passes: Option<&MonteCarlo>, secs: f64) -> String {
    let photo = if is_augmented {
        "1 augmented photo"
    } else {
        "1 photo"
    };
    let passes = passes.map_or_else(String::new, |m| {
        let noise = if m.drawing > 0 { " with noise" } else { "" };
        format!(", {}{noise}", common::passes(m.probabilities.len()))
    });
    format!("{photo}, inference{passes}: {}", seconds(secs))
}

// Where there is no noise layer.
pub const NONE: &str = "**This base has no dropout: both modes pass every unit unchanged.**\n\
     Dropout is usually in the head on top of a base. To see a mask, open a whole model, such as \
     the course's lab.";
pub const NONE_SHORT: &str = "This base has no dropout or other noise layer";

// The row of controls.
pub const NEW_MASK: &str = "New mask";
pub const PREVIOUS_LAYER: &str = "Previous noise layer";
pub const NEXT_LAYER: &str = "Next noise layer";

pub fn rate_now(class: &str, own: &str, rate: &str) -> String {
    format!("{class} {own}, now {rate}")
}

pub const DEVIATION: &str = "Deviation";
pub const RATE: &str = "Rate";

pub fn back_to(rate: &str) -> String {
    format!("Back to {rate}")
}

pub const RATE_IN_FILE: &str = "The rate in the file";

// The three plots below the columns.
pub const LARGEST_LEFT_OUT: &str = "the largest values";
pub const LARGEST_VALUES: &str = "Largest values";
pub const MEAN_OF_PASSES: &str = "Mean of passes";
/// Where there is little room.
pub const MONTE_CARLO_SHORT: &str = "PASSES";
pub const MONTE_CARLO_TITLE: &str = "MONTE CARLO, PASSES";

pub fn passes_choice(passes: usize) -> String {
    format!("{passes} passes")
}

pub const LARGEST_TITLE: &str = "LARGEST UNITS, AFTER THE LAYER";
pub const UNIT: &str = "unit";
pub const ONE_PASS: &str = "one pass";

pub fn mean_of(passes: &str) -> String {
    format!("Mean of {passes} passes")
}

pub const MEAN_TITLE: &str = "MEAN OF K PASSES";
pub const ALL_UNITS_ZERO: &str = "All units are 0, so there is nothing to compare";
pub const MEAN_CAPTION: &str = "distance from inference; dashed: formula";

pub fn probability_of(label: &str) -> String {
    format!("probability of {label}")
}

// What the plots say of themselves.
pub fn distance_of_mean(first: &str, few: &str, last: &str, many: &str) -> String {
    format!("Distance of the mean from inference: {first} after {few}, {last} after {many}")
}

pub fn mean_at(passes: &str, distance: &str, expected: &str) -> String {
    format!("Mean of {passes}: {distance} away, {expected} predicted")
}

pub fn probability_spread(
    label: &str,
    passes: &str,
    low: &str,
    high: &str,
    inference: &str,
) -> String {
    format!("Probability of {label} over {passes}: {low} to {high}, inference {inference}")
}

pub fn bin(low: &str, high: &str, passes: &str) -> String {
    format!("{low} to {high}: {passes}")
}

// One column.
pub const LEFT_MASK: &str = "Left mask";
pub const RIGHT_MASK: &str = "Right mask";

pub fn picture(units: &str, dropped: &str, share: &str) -> String {
    format!("{units} units, {dropped} dropped ({share})")
}

pub fn first_of(shown: &str, units: &str) -> String {
    format!("first {shown} of {units} units")
}

pub const SUM_BEFORE: &str = "sum of all before";
pub const SUM: &str = "sum of the units";

// The passes that are watched.
pub fn pass_heading(pass: usize, does: &str) -> String {
    if does.is_empty() {
        format!("pass {pass}")
    } else {
        format!("pass {pass}: {does}")
    }
}

pub fn mean_so_far(passes: &str, distance: &str) -> String {
    format!("mean of {passes}: {distance} from inference")
}
