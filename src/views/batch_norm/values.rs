//! What the BatchNorm view measures in the chosen channel, for lessons.

use crate::lesson::Value;
use crate::views::values::{Entry, count, number};
use crate::worker::BatchNormOutcome;

type OfChannel = fn(&BatchNormOutcome, usize) -> Option<Value>;

#[rustfmt::skip]
pub const TABLE: &[Entry<OfChannel>] = &[
    ("channel", "the chosen channel, from 1", |_, c| count(c + 1)),
    ("channels", "channels of the BatchNorm layer", |o, _| count(o.moving.mean.len())),
    ("values_per_channel", "values of the batch in one channel, N x H x W", |o, _| count(o.n)),
    ("momentum", "Keras' momentum of the layer", |o, _| number(o.momentum)),
    ("batch_mean", "mean of the batch in the channel", |o, c| at(&o.training.batch.mean, c)),
    ("batch_variance", "variance of the batch in the channel", |o, c| at(&o.training.batch.variance, c)),
    ("moving_mean", "the channel's stored mean", |o, c| at(&o.moving.mean, c)),
    ("moving_variance", "the channel's stored variance", |o, c| at(&o.moving.variance, c)),
    ("used_mean", "the mean the training side normalises with", |o, c| at(&o.training.used.mean, c)),
    ("used_mean_inference", "the mean the inference side normalises with", |o, c| at(&o.inference.used.mean, c)),
    ("next_mean", "the stored mean that would follow the training side", |o, c| at(&o.training.next.mean, c)),
    ("next_mean_inference", "the stored mean that would follow the inference side", |o, c| at(&o.inference.next.mean, c)),
    ("uses_batch", "1 where the training side normalises with the batch, else 0", |o, _| count(usize::from(o.training.uses_batch()))),
    ("uses_batch_inference", "1 where the inference side normalises with the batch, else 0", |o, _| count(usize::from(o.inference.uses_batch()))),
];

fn at(values: &[f32], channel: usize) -> Option<Value> {
    number(*values.get(channel)?)
}
