//! What the runs come down to, for lessons.

use crate::lesson::Value;
use crate::model::Mode;
use crate::state::TrainingState;
use crate::train::summary::Summary;
use crate::views::values::{Entry, count, share};

const TRAINING: Mode = Mode::Training;
const INFERENCE: Mode = Mode::Inference;

/// Reads one value from the result.
type Measure = fn(&TrainingState) -> Option<Value>;

#[rustfmt::skip]
pub const TABLE: &[Entry<Measure>] = &[
    ("run_photos", "photos that the runs train on", |t| count(t.photos[0])),
    ("run_validation_photos", "photos that the runs are validated on", |t| count(t.photos[1])),
    ("run_steps", "optimizer steps of each run", |t| count(t.runs.first()?.total)),
    ("run_features_kept", "runs that compute the features of the base only once", |t| count(t.runs.iter().filter(|r| r.features_kept).count())),
    ("run1_weights", "largest movement of a layer's weights in the base, relative to their norm, first run", |t| share(run(t, 0)?.base_weights)),
    ("run1_head", "the same in the head, first run", |t| share(run(t, 0)?.head_weights)),
    ("run1_statistics", "BatchNorm layers of the base whose statistics moved, first run", |t| count(run(t, 0)?.statistics_moved)),
    ("run1_right", "validation photos classified correctly in inference, first run", |t| right(run(t, 0)?, INFERENCE)),
    ("run1_right_training", "the same with training=True, first run", |t| right(run(t, 0)?, TRAINING)),
    ("run2_weights", "largest movement of a layer's weights in the base, relative to their norm, second run", |t| share(run(t, 1)?.base_weights)),
    ("run2_head", "the same in the head, second run", |t| share(run(t, 1)?.head_weights)),
    ("run2_statistics", "BatchNorm layers of the base whose statistics moved, second run", |t| count(run(t, 1)?.statistics_moved)),
    ("run2_right", "validation photos classified correctly in inference, second run", |t| right(run(t, 1)?, INFERENCE)),
    ("run2_right_training", "the same with training=True, second run", |t| right(run(t, 1)?, TRAINING)),
    ("run3_weights", "largest movement of a layer's weights in the base, relative to their norm, third run", |t| share(run(t, 2)?.base_weights)),
    ("run3_head", "the same in the head, third run", |t| share(run(t, 2)?.head_weights)),
    ("run3_statistics", "BatchNorm layers of the base whose statistics moved, third run", |t| count(run(t, 2)?.statistics_moved)),
    ("run3_right", "validation photos classified correctly in inference, third run", |t| right(run(t, 2)?, INFERENCE)),
    ("run3_right_training", "the same with training=True, third run", |t| right(run(t, 2)?, TRAINING)),
    ("run4_weights", "largest movement of a layer's weights in the base, relative to their norm, fourth run", |t| share(run(t, 3)?.base_weights)),
    ("run4_head", "the same in the head, fourth run", |t| share(run(t, 3)?.head_weights)),
    ("run4_statistics", "BatchNorm layers of the base whose statistics moved, fourth run", |t| count(run(t, 3)?.statistics_moved)),
    ("run4_right", "validation photos classified correctly in inference, fourth run", |t| right(run(t, 3)?, INFERENCE)),
    ("run4_right_training", "the same with training=True, fourth run", |t| right(run(t, 3)?, TRAINING)),
];

/// What one of the runs comes down to, counted from 0.
fn run(training: &TrainingState, place: usize) -> Option<&Summary> {
    training.runs.get(place)?.summary.as_ref()
}

/// Validation photos whose class was named correctly.
fn right(summary: &Summary, mode: Mode) -> Option<Value> {
    count(summary.right(mode)?)
}
