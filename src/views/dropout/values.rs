//! What the Dropout view measures, for lessons.

use crate::lesson::Value;
use crate::views::values::{Entry, count, number, share};
use modelens_jobs::DropoutOutcome;

/// Reads one value from the result.
type Measure = fn(&DropoutOutcome) -> Option<Value>;

#[rustfmt::skip]
pub const TABLE: &[Entry<Measure>] = &[
    ("rate", "the rate of the dropout layer", |o| share(o.noise.strength())),
    ("units", "number of units of the dropout layer", |o| count(o.training.output.len())),
    ("dropped", "units dropped in the training column", |o| count(o.training.dropped)),
    ("dropped_inference", "units dropped in the inference column", |o| count(o.inference.dropped)),
    ("dropped_share", "share of the units that were dropped", |o| share(o.training.dropped as f64 / o.training.output.len() as f64)),
    ("kept_scale", "factor by which kept units are multiplied, 1 / (1 - rate)", |o| number(1.0 / (1.0 - o.noise.strength()))),
    ("sum_before", "sum of the units before the layer, training column", |o| number(sum(&o.training.input))),
    ("sum_after", "sum of the units after the layer, training column", |o| number(sum(&o.training.output))),
    ("sum_after_inference", "sum of the units after the layer, inference column", |o| number(sum(&o.inference.output))),
    ("units_changed_inference", "units that the layer changes in the inference column", |o| count(o.inference.input.iter().zip(&o.inference.output).filter(|(a, b)| a != b).count())),
    ("mean_passes", "number of passes in the longest mean", |o| count(o.mean.points.last()?.passes)),
    ("mean_distance", "relative distance of that mean from inference", |o| share(o.mean.points.last()?.distance)),
    ("pass_distance", "relative distance of one pass from inference", |o| share(o.mean.points.first()?.distance)),
];

fn sum(values: &[f32]) -> f64 {
    values.iter().map(|&x| f64::from(x)).sum()
}
