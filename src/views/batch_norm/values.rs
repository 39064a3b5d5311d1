//! What the BatchNorm view measures in the chosen channel, for lessons.

use crate::lesson::Value;
use crate::views::values::{Entry, count, number};
use modelens_jobs::BatchNormOutcome;

type OfChannel = fn(&BatchNormOutcome, usize) -> Option<Value>;

#[rustfmt::skip]
pub const TABLE: &[Entry<OfChannel>] = &[
    ("channel", "the chosen channel, counted from 1", |_, c| count(c + 1)),
    ("channels", "number of channels of the BatchNorm layer", |o, _| count(o.moving.mean.len())),
    ("values_per_channel", "number of values of one channel in the batch, N x H x W", |o, _| count(o.n)),
    ("momentum", "momentum of the layer, in Keras' sense", |o, _| number(o.momentum)),
    ("batch_mean", "batch mean of the channel", |o, c| at(&o.training.batch.mean, c)),
    ("batch_variance", "batch variance of the channel", |o, c| at(&o.training.batch.variance, c)),
    ("moving_mean", "moving mean of the channel", |o, c| at(&o.moving.mean, c)),
    ("moving_variance", "moving variance of the channel", |o, c| at(&o.moving.variance, c)),
    ("used_mean", "the mean that the training column subtracts", |o, c| at(&o.training.used.mean, c)),
    ("used_mean_inference", "the mean that the inference column subtracts", |o, c| at(&o.inference.used.mean, c)),
    ("next_mean", "the moving mean after the call of the training column", |o, c| at(&o.training.next.mean, c)),
    ("next_mean_inference", "the moving mean after the call of the inference column", |o, c| at(&o.inference.next.mean, c)),
    ("uses_batch", "1 if the training column uses batch statistics, else 0", |o, _| count(usize::from(o.training.uses_batch()))),
    ("uses_batch_inference", "1 if the inference column uses batch statistics, else 0", |o, _| count(usize::from(o.inference.uses_batch()))),
];

fn at(values: &[f32], channel: usize) -> Option<Value> {
    number(*values.get(channel)?)
}
