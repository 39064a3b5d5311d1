//! The texts of the mechanism: what each batch does to the stored mean.

use crate::words::common;
use crate::words::number::thousands;

pub const BATCHES_AS: &str = "Further batches:";
pub const PLOTS: &str = "Plots";
pub const WATCH: &str = "Watch it move";
pub const NOT_THE_FILES: &str = "not the file's momentum";

pub fn of_the_file(momentum: &str) -> String {
    format!("{momentum} (file)")
}

/// The accessible name of a button.
pub fn momentum_choice(label: &str) -> String {
    format!("Momentum {label}")
}

pub fn batch_number(number: usize) -> String {
    format!("batch {number}")
}

pub fn stored(value: &str) -> String {
    format!("stored mean {value}")
}

/// Before anything is played; `share`: the part of the gap that the stored mean moves by.
pub fn before_play(share: Option<&str>) -> String {
    match share {
        Some(share) => format!(
            "Press Play: each batch moves the stored mean by {share} of the gap to the batch's own mean."
        ),
        None => "Press Play: batches go through, and the stored mean stays where it is.".to_owned(),
    }
}

pub fn batch_forms(number: usize, photos: usize, n: usize, mean: &str, deviation: &str) -> String {
    let photos = common::photos(photos);
    let n = thousands(n);
    format!(
        "Batch {number}: {photos} give {n} values; mean {mean}, standard deviation {deviation}."
    )
}

pub fn batch_formed(number: usize, mean: &str) -> String {
    format!("Batch {number} has mean {mean}.")
}

pub fn both_updates(number: usize, mean: &str, variance: &str) -> String {
    format!("Batch {number}: stored mean {mean}; stored variance {variance}")
}

pub fn mean_update(number: usize, mean: &str) -> String {
    format!("Batch {number}: stored mean {mean}")
}

/// A batch that changes nothing.
pub fn locked(number: usize, mean: &str, training: bool) -> String {
    let why = if training {
        "The layer is frozen"
    } else {
        "The layer is in inference"
    };
    format!("{why}: batch {number} went through, and the stored mean is still {mean}.")
}

/// A lane in words.
pub fn lane_moves(label: &str, number: usize, mean: &str, from: &str, to: &str) -> String {
    format!("{label}: batch {number} has mean {mean}; the stored mean moves from {from} to {to}")
}

pub fn lane_rests(label: &str, stored: &str) -> String {
    format!("{label}: the stored mean is {stored} and stays there")
}
