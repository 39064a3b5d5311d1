//! What one optimizer step does under each setting of the two switches, for lessons.

use crate::lesson::Value;
use crate::model::Mode;
use crate::views::values::{Entry, count, number};
use modelens_jobs::{TrainableCard, TrainableOutcome};

const TRAINING: Mode = Mode::Training;
const INFERENCE: Mode = Mode::Inference;

/// Reads one value from the result.
type Measure = fn(&TrainableOutcome) -> Option<Value>;

#[rustfmt::skip]
pub const TABLE: &[Entry<Measure>] = &[
    ("step_photos", "number of photos in the optimizer step", |o| count(o.photos)),
    ("learning_rate", "learning rate of the optimizer step", |o| number(o.rate)),
    ("open_training_weights", "largest weight change in the base: trainable=True, training=True", |o| weights(o.card(true, TRAINING))),
    ("open_inference_weights", "the same: trainable=True, training=False", |o| weights(o.card(true, INFERENCE))),
    ("frozen_training_weights", "the same: trainable=False, training=True", |o| weights(o.card(false, TRAINING))),
    ("frozen_inference_weights", "the same: trainable=False, training=False", |o| weights(o.card(false, INFERENCE))),
    ("open_training_statistics", "BatchNorm layers of the base whose statistics moved: trainable=True, training=True", |o| statistics(o.card(true, TRAINING))),
    ("open_inference_statistics", "the same: trainable=True, training=False", |o| statistics(o.card(true, INFERENCE))),
    ("frozen_training_statistics", "the same: trainable=False, training=True", |o| statistics(o.card(false, TRAINING))),
    ("frozen_inference_statistics", "the same: trainable=False, training=False", |o| statistics(o.card(false, INFERENCE))),
    ("frozen_training_random", "active noise layers: trainable=False, training=True", |o| count(o.card(false, TRAINING).noises_active)),
    ("frozen_inference_random", "active noise layers: trainable=False, training=False", |o| count(o.card(false, INFERENCE).noises_active)),
    ("frozen_training_difference", "difference of the output from inference: trainable=False, training=True", |o| number(o.card(false, TRAINING).output_difference)),
    ("open_training_difference", "the same: trainable=True, training=True", |o| number(o.card(true, TRAINING).output_difference)),
    ("frozen_inference_head", "largest weight change in the head: trainable=False, training=False", |o| number(o.card(false, INFERENCE).head.weight_change)),
];

fn weights(card: &TrainableCard) -> Option<Value> {
    number(card.base.weight_change)
}

fn statistics(card: &TrainableCard) -> Option<Value> {
    count(card.base.statistics_moved)
}
