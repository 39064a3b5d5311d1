//! The measured values that a lesson may name, `{name}` in a text or in an expectation.

use std::fmt;
use std::sync::Arc;

use crate::app::{desired, experiment};
use crate::model::counts::counts;
use crate::model::{Effective, Mode, Role, Statistics};
use crate::state::{Base, State, TrainingState, View};
use crate::train::summary::Summary;
use crate::views::batch_norm::chosen_channel;
use crate::words::number::{measured, percent, thousands};
use crate::worker::{
    AugmentationOutcome, BatchNormOutcome, Cell, DropoutOutcome, Outcome, TrainableCard,
    TrainableOutcome,
};
use modelens_core::nearest::{nearest, the_closest};

/// A value as it was measured.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Count(usize),
    Number(f64),
    /// 0 to 1.
    Share(f64),
    Text(String),
}

impl Value {
    /// What an expectation compares; text has no number.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Count(n) => Some(*n as f64),
            Self::Number(x) | Self::Share(x) => Some(*x),
            Self::Text(_) => None,
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Count(n) => thousands(*n),
            Self::Number(x) => measured(*x),
            Self::Share(x) => percent(*x),
            Self::Text(text) => text.clone(),
        };
        f.write_str(&text)
    }
}

/// Where a value comes from.
enum From {
    State(fn(&State) -> Option<Value>),
    Base(fn(&State, &Base) -> Option<Value>),
    Augmentation(fn(&AugmentationOutcome) -> Option<Value>),
    Dropout(fn(&DropoutOutcome) -> Option<Value>),
    /// With the chosen channel.
    BatchNorm(fn(&BatchNormOutcome, usize) -> Option<Value>),
    /// Of one of the four cards: `trainable`, then the outer call.
    Card(bool, Mode, fn(&TrainableCard) -> Option<Value>),
    Trainable(fn(&TrainableOutcome) -> Option<Value>),
    /// Of the view Fine-tune, once its runs are done.
    Runs(fn(&TrainingState) -> Option<Value>),
    /// Of one of the runs.
    Run(usize, fn(&Summary) -> Option<Value>),
}

const TRAINING: Mode = Mode::Training;
const INFERENCE: Mode = Mode::Inference;

/// Every name, what it means, and where it comes from.
#[rustfmt::skip]
const TABLE: &[(&str, &str, From)] = &[
    ("rules", "the framework whose rules hold", From::State(|s| text(s.semantics().label()))),
    ("photo", "the chosen photo", From::State(|s| text(&s.opened.gallery.as_ref()?.chosen()?.name))),
    ("photos", "how many photos are open", From::State(|s| count(s.photos()?.photos.len()))),
    ("base", "the open model", From::Base(|_, b| text(&b.model.title))),
    ("layers", "layers in the list", From::Base(|_, b| count(b.rows.len()))),
    ("parameters", "all parameters", From::Base(|s, b| count(counted(s, b).total))),
    ("trainable_parameters", "parameters an optimizer may change", From::Base(|s, b| count(counted(s, b).trainable))),
    ("batch_norms", "BatchNorm layers", From::Base(|_, b| count(b.batch_norms.len()))),
    ("batch_norms_on_batch", "BatchNorm layers that normalise with the batch in the outer call", From::Base(|s, b| norms(s, b, |e| e.statistics == Some(Statistics::Batch)))),
    ("batch_norms_moving", "BatchNorm layers whose moving statistics change in the outer call", From::Base(|s, b| norms(s, b, |e| e.updates_statistics))),
    ("learning_layers", "layers whose weights an optimizer may change", From::Base(learning)),
    ("random_layers", "dropout and other noise layers", From::Base(|_, b| count(b.noises.len()))),
    ("random_layers_active", "noise layers that draw in the outer call", From::Base(|s, b| count(effective(s, b, &b.noises).filter(|e| e.active).count()))),
    ("cells", "cells a side of the grid", From::Augmentation(|o| count(o.training.len()))),
    ("cells_changed", "cells of the training side that differ from their photo", From::Augmentation(|o| changed(&o.training))),
    ("cells_changed_inference", "cells of the inference side that differ from their photo", From::Augmentation(|o| changed(&o.inference))),
    ("cells_different", "different pictures on the training side", From::Augmentation(|o| different(&o.training))),
    ("cells_different_inference", "different pictures on the inference side", From::Augmentation(|o| different(&o.inference))),
    ("pixel_difference", "largest pixel difference from the photo, training side, 0 to 255", From::Augmentation(|o| largest(&o.training))),
    ("pixel_difference_inference", "the same on the inference side", From::Augmentation(|o| largest(&o.inference))),
    ("rate", "the rate of the dropout layer", From::Dropout(|o| Some(Value::Share(o.noise.strength())))),
    ("units", "units of the dropout layer", From::Dropout(|o| count(o.training.output.len()))),
    ("dropped", "units dropped on the training side", From::Dropout(|o| count(o.training.dropped))),
    ("dropped_inference", "units dropped on the inference side", From::Dropout(|o| count(o.inference.dropped))),
    ("dropped_share", "share of the units that was dropped", From::Dropout(|o| Some(Value::Share(o.training.dropped as f64 / o.training.output.len() as f64)))),
    ("kept_scale", "what kept units are multiplied with, 1 / (1 - rate)", From::Dropout(|o| number(1.0 / (1.0 - o.noise.strength())))),
    ("sum_before", "sum of the units before the layer, training side", From::Dropout(|o| number(sum(&o.training.input)))),
    ("sum_after", "sum of the units after it, training side", From::Dropout(|o| number(sum(&o.training.output)))),
    ("sum_after_inference", "sum of the units after it, inference side", From::Dropout(|o| number(sum(&o.inference.output)))),
    ("units_changed_inference", "units that the layer changes on the inference side", From::Dropout(|o| count(o.inference.input.iter().zip(&o.inference.output).filter(|(a, b)| a != b).count()))),
    ("mean_passes", "the most passes whose mean was taken", From::Dropout(|o| count(o.mean.points.last()?.passes))),
    ("mean_distance", "how far the mean of that many passes is from inference", From::Dropout(|o| Some(Value::Share(o.mean.points.last()?.distance)))),
    ("pass_distance", "how far one pass is from inference", From::Dropout(|o| Some(Value::Share(o.mean.points.first()?.distance)))),
    ("channel", "the chosen channel, from 1", From::BatchNorm(|_, c| count(c + 1))),
    ("channels", "channels of the BatchNorm layer", From::BatchNorm(|o, _| count(o.moving.mean.len()))),
    ("values_per_channel", "values of the batch in one channel, N x H x W", From::BatchNorm(|o, _| count(o.n))),
    ("momentum", "Keras' momentum of the layer", From::BatchNorm(|o, _| number(o.momentum))),
    ("batch_mean", "mean of the batch in the channel", From::BatchNorm(|o, c| at(&o.training.batch.mean, c))),
    ("batch_variance", "variance of the batch in the channel", From::BatchNorm(|o, c| at(&o.training.batch.variance, c))),
    ("moving_mean", "the channel's stored mean", From::BatchNorm(|o, c| at(&o.moving.mean, c))),
    ("moving_variance", "the channel's stored variance", From::BatchNorm(|o, c| at(&o.moving.variance, c))),
    ("used_mean", "the mean the training side normalises with", From::BatchNorm(|o, c| at(&o.training.used.mean, c))),
    ("used_mean_inference", "the mean the inference side normalises with", From::BatchNorm(|o, c| at(&o.inference.used.mean, c))),
    ("next_mean", "the stored mean that would follow the training side", From::BatchNorm(|o, c| at(&o.training.next.mean, c))),
    ("next_mean_inference", "the stored mean that would follow the inference side", From::BatchNorm(|o, c| at(&o.inference.next.mean, c))),
    ("uses_batch", "1 where the training side normalises with the batch, else 0", From::BatchNorm(|o, _| count(usize::from(o.training.uses_batch())))),
    ("uses_batch_inference", "1 where the inference side normalises with the batch, else 0", From::BatchNorm(|o, _| count(usize::from(o.inference.uses_batch())))),
    ("step_photos", "photos of the optimizer step", From::Trainable(|o| count(o.photos))),
    ("learning_rate", "its learning rate", From::Trainable(|o| number(o.rate))),
    ("open_training_weights", "largest weight change in the base: trainable=True, training=True", From::Card(true, TRAINING, weights)),
    ("open_inference_weights", "the same: trainable=True, training=False", From::Card(true, INFERENCE, weights)),
    ("frozen_training_weights", "the same: trainable=False, training=True", From::Card(false, TRAINING, weights)),
    ("frozen_inference_weights", "the same: trainable=False, training=False", From::Card(false, INFERENCE, weights)),
    ("open_training_statistics", "BatchNorm layers of the base whose statistics moved: trainable=True, training=True", From::Card(true, TRAINING, statistics)),
    ("open_inference_statistics", "the same: trainable=True, training=False", From::Card(true, INFERENCE, statistics)),
    ("frozen_training_statistics", "the same: trainable=False, training=True", From::Card(false, TRAINING, statistics)),
    ("frozen_inference_statistics", "the same: trainable=False, training=False", From::Card(false, INFERENCE, statistics)),
    ("frozen_training_random", "active noise layers: trainable=False, training=True", From::Card(false, TRAINING, |c| count(c.noises_active))),
    ("frozen_inference_random", "active noise layers: trainable=False, training=False", From::Card(false, INFERENCE, |c| count(c.noises_active))),
    ("frozen_training_difference", "difference of the output from inference: trainable=False, training=True", From::Card(false, TRAINING, |c| number(f64::from(c.output_difference)))),
    ("open_training_difference", "the same: trainable=True, training=True", From::Card(true, TRAINING, |c| number(f64::from(c.output_difference)))),
    ("frozen_inference_head", "largest weight change in the head: trainable=False, training=False", From::Card(false, INFERENCE, |c| number(f64::from(c.head.weight_change)))),
    ("run_photos", "photos the runs learn from", From::Runs(|t| count(t.photos[0]))),
    ("run_validation_photos", "photos they are measured on", From::Runs(|t| count(t.photos[1]))),
    ("run_steps", "optimizer steps of each run", From::Runs(|t| count(t.runs.first()?.total))),
    ("run_features_kept", "runs that compute the features of the base once", From::Runs(|t| count(t.runs.iter().filter(|r| r.features_kept).count()))),
    ("run1_weights", "largest movement of a layer's weights in the base, as a part of their length, first run", From::Run(0, |s| Some(Value::Share(s.base_weights)))),
    ("run1_head", "the same in the head, first run", From::Run(0, |s| Some(Value::Share(s.head_weights)))),
    ("run1_statistics", "BatchNorm layers of the base whose statistics moved, first run", From::Run(0, |s| count(s.statistics_moved))),
    ("run1_right", "validation photos named right in inference, first run", From::Run(0, |s| right(s, INFERENCE))),
    ("run1_right_training", "the same with training=True, first run", From::Run(0, |s| right(s, TRAINING))),
    ("run2_weights", "largest movement of a layer's weights in the base, as a part of their length, second run", From::Run(1, |s| Some(Value::Share(s.base_weights)))),
    ("run2_head", "the same in the head, second run", From::Run(1, |s| Some(Value::Share(s.head_weights)))),
    ("run2_statistics", "BatchNorm layers of the base whose statistics moved, second run", From::Run(1, |s| count(s.statistics_moved))),
    ("run2_right", "validation photos named right in inference, second run", From::Run(1, |s| right(s, INFERENCE))),
    ("run2_right_training", "the same with training=True, second run", From::Run(1, |s| right(s, TRAINING))),
    ("run3_weights", "largest movement of a layer's weights in the base, as a part of their length, third run", From::Run(2, |s| Some(Value::Share(s.base_weights)))),
    ("run3_head", "the same in the head, third run", From::Run(2, |s| Some(Value::Share(s.head_weights)))),
    ("run3_statistics", "BatchNorm layers of the base whose statistics moved, third run", From::Run(2, |s| count(s.statistics_moved))),
    ("run3_right", "validation photos named right in inference, third run", From::Run(2, |s| right(s, INFERENCE))),
    ("run3_right_training", "the same with training=True, third run", From::Run(2, |s| right(s, TRAINING))),
    ("run4_weights", "largest movement of a layer's weights in the base, as a part of their length, fourth run", From::Run(3, |s| Some(Value::Share(s.base_weights)))),
    ("run4_head", "the same in the head, fourth run", From::Run(3, |s| Some(Value::Share(s.head_weights)))),
    ("run4_statistics", "BatchNorm layers of the base whose statistics moved, fourth run", From::Run(3, |s| count(s.statistics_moved))),
    ("run4_right", "validation photos named right in inference, fourth run", From::Run(3, |s| right(s, INFERENCE))),
    ("run4_right_training", "the same with training=True, fourth run", From::Run(3, |s| right(s, TRAINING))),
];

/// The names with what they mean.
pub fn names() -> impl Iterator<Item = (&'static str, &'static str)> {
    TABLE.iter().map(|&(name, meaning, _)| (name, meaning))
}

/// The name, if it is one.
pub fn known(name: &str) -> Option<&'static str> {
    names().map(|(known, _)| known).find(|known| *known == name)
}

/// What to say of a name that is none.
pub fn unknown(name: &str) -> String {
    let close = the_closest(&nearest(name, names().map(|(known, _)| known)));
    format!("there is no value `{name}`{close} (docs/lessons.md lists all of them)")
}

/// The value under the present settings; `None` while it is not computed, or where the view that
/// measures it is not shown.
pub fn value(state: &State, name: &str) -> Option<Value> {
    let (_, _, from) = TABLE.iter().find(|(known, _, _)| *known == name)?;
    match from {
        From::State(f) => f(state),
        From::Base(f) => f(state, state.opened.base.as_ref()?),
        From::Augmentation(f) => match outcome(state, View::Augmentation)? {
            Outcome::Augmentation(outcome) => f(outcome),
            _ => None,
        },
        From::Dropout(f) => match outcome(state, View::Dropout)? {
            Outcome::Dropout(outcome) => f(outcome),
            _ => None,
        },
        From::BatchNorm(f) => match outcome(state, View::BatchNorm)? {
            Outcome::BatchNorm(outcome) => {
                let base = state.opened.base.as_ref()?;
                f(outcome, chosen_channel(base, outcome))
            }
            _ => None,
        },
        From::Card(trainable, mode, f) => f(trained(state)?.card(*trainable, *mode)),
        From::Trainable(f) => f(trained(state)?),
        From::Runs(f) => f(ran(state)?),
        From::Run(place, f) => f(ran(state)?.runs.get(*place)?.summary.as_ref()?),
    }
}

/// The runs of the present settings, once all of them are done.
fn ran(state: &State) -> Option<&TrainingState> {
    let training = &state.training;
    let shown = state.settings.view == View::FineTune && training.is_complete();
    (shown && training.experiment == experiment(state)).then_some(training)
}

/// Validation photos named right.
fn right(summary: &Summary, mode: Mode) -> Option<Value> {
    count(summary.right(mode)?)
}

fn trained(state: &State) -> Option<&TrainableOutcome> {
    match outcome(state, View::Trainable)? {
        Outcome::Trainable(outcome) => Some(outcome),
        _ => None,
    }
}

/// The result of a view, if it belongs to the present settings.
fn outcome(state: &State, view: View) -> Option<&Outcome> {
    let looked = state.computed.result(view)?;
    let present = desired(state, view).as_ref() == Some(&looked.look);
    present.then_some(&looked.outcome)
}

#[allow(
    clippy::unnecessary_wraps,
    reason = "all functions of the table are alike"
)]
fn text(text: &str) -> Option<Value> {
    Some(Value::Text(text.to_owned()))
}

#[allow(
    clippy::unnecessary_wraps,
    reason = "all functions of the table are alike"
)]
fn count(n: usize) -> Option<Value> {
    Some(Value::Count(n))
}

#[allow(
    clippy::unnecessary_wraps,
    reason = "all functions of the table are alike"
)]
fn number(x: f64) -> Option<Value> {
    Some(Value::Number(x))
}

fn at(values: &[f32], channel: usize) -> Option<Value> {
    number(f64::from(*values.get(channel)?))
}

fn sum(values: &[f32]) -> f64 {
    values.iter().map(|&x| f64::from(x)).sum()
}

fn counted(state: &State, base: &Base) -> crate::model::counts::Counts {
    counts(&base.model, &base.flags, state.semantics())
}

fn effective<'a>(
    state: &'a State,
    base: &'a Base,
    layers: &'a [usize],
) -> impl Iterator<Item = Effective> + 'a {
    let (call, rules) = (state.settings.call, state.semantics());
    layers
        .iter()
        .map(move |&id| base.flags.effective(&base.model, id, call, rules))
}

fn norms(state: &State, base: &Base, is: fn(&Effective) -> bool) -> Option<Value> {
    count(effective(state, base, &base.batch_norms).filter(is).count())
}

fn learning(state: &State, base: &Base) -> Option<Value> {
    let layers = &base.model.graph.layers;
    let weighted = |id: &usize| {
        let role = layers[*id].kind.role();
        matches!(role, Role::Weights | Role::BatchNorm)
    };
    let ids: Vec<usize> = (0..layers.len()).filter(weighted).collect();
    count(effective(state, base, &ids).filter(|e| e.learns).count())
}

fn changed(cells: &[Cell]) -> Option<Value> {
    // Another size is another picture.
    let differs = |cell: &&Cell| cell.largest_difference != Some(0.0);
    count(cells.iter().filter(differs).count())
}

fn different(cells: &[Cell]) -> Option<Value> {
    let mut seen: Vec<&Cell> = Vec::new();
    for cell in cells {
        let same = |known: &&Cell| {
            Arc::ptr_eq(&known.image, &cell.image)
                || known.image.pixels_hwc == cell.image.pixels_hwc
        };
        if !seen.iter().any(same) {
            seen.push(cell);
        }
    }
    count(seen.len())
}

fn largest(cells: &[Cell]) -> Option<Value> {
    let differences = cells.iter().map(|cell| cell.largest_difference);
    let all: Option<Vec<f32>> = differences.collect();
    number(f64::from(all?.into_iter().fold(0.0, f32::max)))
}

#[allow(
    clippy::unnecessary_wraps,
    reason = "all functions of the table are alike"
)]
fn weights(card: &TrainableCard) -> Option<Value> {
    number(f64::from(card.base.weight_change))
}

fn statistics(card: &TrainableCard) -> Option<Value> {
    count(card.base.statistics_moved)
}
