//! What the grids measure, for lessons.

use std::sync::Arc;

use crate::lesson::Value;
use crate::views::values::{Entry, count, number};
use modelens_jobs::{AugmentationOutcome, GridCell};

/// Reads one value from the result.
type Measure = fn(&AugmentationOutcome) -> Option<Value>;

#[rustfmt::skip]
pub const TABLE: &[Entry<Measure>] = &[
    ("cells", "cells per column of the grid", |o| count(o.training.len())),
    ("cells_changed", "cells in the training column that differ from their photo", |o| changed(&o.training)),
    ("cells_changed_inference", "cells in the inference column that differ from their photo", |o| changed(&o.inference)),
    ("cells_different", "different pictures in the training column", |o| different(&o.training)),
    ("cells_different_inference", "different pictures in the inference column", |o| different(&o.inference)),
    ("pixel_difference", "largest pixel difference from the photo in the training column, 0 to 255", |o| largest(&o.training)),
    ("pixel_difference_inference", "the same in the inference column", |o| largest(&o.inference)),
];

fn changed(cells: &[GridCell]) -> Option<Value> {
    // Another size is another picture.
    let differs = |cell: &&GridCell| cell.largest_difference != Some(0.0);
    count(cells.iter().filter(differs).count())
}

fn different(cells: &[GridCell]) -> Option<Value> {
    let mut seen: Vec<&GridCell> = Vec::new();
    for cell in cells {
        let same = |known: &&GridCell| {
            Arc::ptr_eq(&known.image, &cell.image)
                || known.image.pixels_hwc == cell.image.pixels_hwc
        };
        if !seen.iter().any(same) {
            seen.push(cell);
        }
    }
    count(seen.len())
}

fn largest(cells: &[GridCell]) -> Option<Value> {
    let differences = cells.iter().map(|cell| cell.largest_difference);
    let all: Option<Vec<f32>> = differences.collect();
    number(all?.into_iter().fold(0.0, f32::max))
}
