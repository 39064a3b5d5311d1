//! What the layers do in `fit` and `predict` by the rules of each release, for lessons.

use crate::lesson::Value;
use crate::model::{Mode, Outer, Semantics};
use crate::views::values::{Entry, count, number};
use modelens_jobs::{ReleaseCell, ReleasesOutcome};

/// Reads one value from the result.
type Measure = fn(&ReleasesOutcome) -> Option<Value>;

use Semantics::{Keras2, Keras3, Keras316, PyTorch};
const FIT: Outer = Outer::Given(Mode::Training);
const PREDICT: Outer = Outer::Given(Mode::Inference);

#[rustfmt::skip]
pub const TABLE: &[Entry<Measure>] = &[
    ("fit_dropout_keras2", "dropout layers that drop in fit by the rules of Keras 2", |o| of(o, Keras2, FIT, |c| c.noise.active)),
    ("fit_dropout_keras3", "the same for Keras 3 up to 3.15", |o| of(o, Keras3, FIT, |c| c.noise.active)),
    ("fit_dropout_keras316", "the same for Keras 3.16", |o| of(o, Keras316, FIT, |c| c.noise.active)),
    ("fit_dropout_pytorch", "the same for PyTorch", |o| of(o, PyTorch, FIT, |c| c.noise.active)),
    ("fit_statistics_keras2", "BatchNorm layers whose statistics move in fit by the rules of Keras 2", |o| of(o, Keras2, FIT, |c| c.statistics.active)),
    ("fit_statistics_keras3", "the same for Keras 3 up to 3.15", |o| of(o, Keras3, FIT, |c| c.statistics.active)),
    ("fit_statistics_keras316", "the same for Keras 3.16", |o| of(o, Keras316, FIT, |c| c.statistics.active)),
    ("fit_statistics_pytorch", "the same for PyTorch", |o| of(o, PyTorch, FIT, |c| c.statistics.active)),
    ("predict_random_keras3", "random layers that draw in predict by the rules of Keras 3 up to 3.15", |o| of(o, Keras3, PREDICT, |c| c.augmentation.active)),
    ("predict_random_keras316", "the same for Keras 3.16", |o| of(o, Keras316, PREDICT, |c| c.augmentation.active)),
    ("fit_difference_keras3", "largest difference of the output in fit from predict, Keras 3 up to 3.15", |o| number(o.cell(Keras3, FIT)?.output_difference)),
    ("fit_difference_keras316", "the same for Keras 3.16", |o| number(o.cell(Keras316, FIT)?.output_difference)),
];

fn of(
    outcome: &ReleasesOutcome,
    rules: Semantics,
    outer: Outer,
    read: fn(&ReleaseCell) -> usize,
) -> Option<Value> {
    count(read(outcome.cell(rules, outer)?))
}
