//! What the comparison of normalisations measures, for lessons.

use crate::lesson::Value;
use crate::model::norms::Norm;
use crate::views::values::{Entry, count, number};
use modelens_jobs::NormsOutcome;

type Measure = fn(&NormsOutcome) -> Option<Value>;

#[rustfmt::skip]
pub const TABLE: &[Entry<Measure>] = &[
    ("smallest_batch", "smallest batch of the sweep that the framework takes", |o| count(of_batch_norm(o)?.0)),
    ("largest_batch", "largest batch of the sweep", |o| count(*o.sizes.last()?)),
    ("reference_photos", "number of photos in the batch that every error refers to", |o| count(o.photos)),
    ("error_smallest", "error of BatchNorm in training on the smallest batch, in standard deviations", |o| number(of_batch_norm(o)?.1)),
    ("error_largest", "the same on the largest batch", |o| number((*o.row(Norm::Batch)?.training.errors.last()?)?.mean)),
    ("error_group_norm", "largest error of GroupNorm in training, on batches of any size", |o| number(largest(o, Norm::Group)?)),
    ("group_norm_distance", "how far GroupNorm's output is from that of BatchNorm in inference, in standard deviations", |o| number(o.row(Norm::Group)?.from_inference?)),
];

/// The smallest batch that the framework takes, and the error there.
fn of_batch_norm(outcome: &NormsOutcome) -> Option<(usize, f64)> {
    let errors = &outcome.row(Norm::Batch)?.training.errors;
    let mut pairs = outcome.sizes.iter().zip(errors);
    pairs.find_map(|(&size, error)| Some((size, (*error)?.mean)))
}

fn largest(outcome: &NormsOutcome, norm: Norm) -> Option<f64> {
    let errors = outcome.row(norm)?.training.errors.iter().flatten();
    errors.map(|error| error.high).max_by(f64::total_cmp)
}
