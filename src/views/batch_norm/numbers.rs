//! The numbers of a BatchNorm layer, for CSV.

use super::Shown;
use crate::model::Mode;
use crate::state::State;
use crate::views::csv::Table;
use modelens_jobs::{BatchNormOutcome, HISTOGRAM_BINS, MeasuredBatch, channel_distance, walked};

/// The layer's statistics on both sides, every layer's distance, further batches and the walk over
/// them, and the chosen photo's map.
pub fn csv(state: &State, shown: &Shown<'_>) -> String {
    let (outcome, channel) = (shown.outcome, shown.channel);
    let mut table = Table::new();
    statistics(&mut table, outcome);
    layers(&mut table, state, shown);
    further_batches(&mut table, outcome, channel, shown.batches);
    let taken_in = &shown.batches[..shown.walked];
    walk(&mut table, outcome, channel, taken_in, shown.momentum);
    maps(&mut table, outcome, channel);
    table.finish()
}

fn statistics(table: &mut Table, outcome: &BatchNormOutcome) {
    table.row(None, "layer", "values_a_channel", outcome.n);
    table.row(None, "layer", "momentum", outcome.momentum);
    table.row(None, "layer", "epsilon", outcome.epsilon);
    let of_layer = [
        ("gamma", &outcome.gamma),
        ("beta", &outcome.beta),
        ("moving_mean", &outcome.moving.mean),
        ("moving_variance", &outcome.moving.variance),
    ];
    for (quantity, values) in of_layer {
        table.values(None, "channel", quantity, values);
    }
    for (mode, side) in Mode::BOTH
        .into_iter()
        .zip([&outcome.training, &outcome.inference])
    {
        let of_side = [
            ("batch_mean", &side.batch.mean),
            ("batch_variance", &side.batch.variance),
            ("used_mean", &side.used.mean),
            ("used_variance", &side.used.variance),
            ("next_moving_mean", &side.next.mean),
            ("next_moving_variance", &side.next.variance),
        ];
        for (quantity, values) in of_side {
            table.values(Some(mode), "channel", quantity, values);
        }
        for (i, (counts, [low, high])) in side
            .histogram
            .iter()
            .zip(&outcome.histogram_axis)
            .enumerate()
        {
            let width = (high - low) / HISTOGRAM_BINS as f32;
            for (bin, count) in counts.iter().enumerate() {
                let from = low + width * bin as f32;
                let item = format!("channel {} outputs from {from}", i + 1);
                table.row(Some(mode), &item, "count", count);
            }
        }
    }
}

/// Every BatchNorm of the model: how far the batch is from its moving statistics.
fn layers(table: &mut Table, state: &State, shown: &Shown<'_>) {
    for distance in &shown.outcome.layers {
        let layers = &shown.base.model.graph.layers;
        let name = format!("layer {}", layers[distance.layer].name);
        let far = distance.distance;
        let far = far.or_else(|| state.walk.distance(shown.pass, distance.layer));
        if let Some(far) = far {
            table.row(None, &name, "mean_distance", far);
        }
        let uses_batch = distance.uses_batch;
        table.row(Some(Mode::Training), &name, "uses_batch", uses_batch);
    }
}

/// What the chosen channel has on each batch that was measured.
fn further_batches(
    table: &mut Table,
    outcome: &BatchNormOutcome,
    channel: usize,
    batches: &[MeasuredBatch],
) {
    for (i, batch) in batches.iter().enumerate() {
        let item = format!("channel {} batch {}", channel + 1, i + 1);
        let moments = &batch.moments;
        table.row(None, &item, "batch_mean", moments.mean[channel]);
        table.row(None, &item, "batch_variance", moments.variance[channel]);
        let far = channel_distance(moments, &outcome.moving, outcome.epsilon, channel);
        table.row(None, &item, "distance", far);
    }
}

/// The chosen channel's moving statistics after each batch.
fn walk(
    table: &mut Table,
    outcome: &BatchNormOutcome,
    channel: usize,
    batches: &[MeasuredBatch],
    momentum: f64,
) {
    let steps = walked(&outcome.moving, batches, momentum, outcome.semantics);
    for (i, moving) in steps.iter().enumerate() {
        let item = format!("channel {} after batch {}", channel + 1, i + 1);
        table.row(None, &item, "moving_mean", moving.mean[channel]);
        table.row(None, &item, "moving_variance", moving.variance[channel]);
    }
}

/// The chosen photo's output in the chosen channel, position by position.
fn maps(table: &mut Table, outcome: &BatchNormOutcome, channel: usize) {
    let &[_, _, width, channels] = &outcome.shape[..] else {
        return;
    };
    for (mode, side) in Mode::BOTH
        .into_iter()
        .zip([&outcome.training, &outcome.inference])
    {
        let values = side.map.iter().skip(channel).step_by(channels);
        for (i, value) in values.enumerate() {
            let [row, column] = [i / width + 1, i % width + 1];
            let item = format!("channel {} row {row} column {column}", channel + 1);
            table.row(Some(mode), &item, "output", value);
        }
    }
}
