//! The numbers of a figure, as CSV: one value a line, so that every view has the same columns.

use std::fmt::{Display, Write as _};

use crate::augment::Draw;
use crate::model::Mode;
use crate::state::{Base, RunState, State, TrainingState, View};
use crate::train::rows::{HEADER, row};
use crate::views::batch_norm::chosen_channel;
use crate::worker::{
    AugmentationOutcome, BatchNormOutcome, Cell, DropoutOutcome, HISTOGRAM_BINS, Look, LookResult,
    MeasuredBatch, NetworkDescription, Outcome, PassLook, PredictOutcome, TrainableCard,
    TrainableOutcome, channel_distance, walked,
};

const HEAD: &str = "side,item,quantity,value\n";

/// A table that grows line by line.
struct Table(String);

impl Table {
    fn row(&mut self, mode: Option<Mode>, item: &str, quantity: &str, value: impl Display) {
        let side = match mode {
            Some(Mode::Training) => "training",
            Some(Mode::Inference) => "inference",
            None => "both",
        };
        let [item, value] = [item, &value.to_string()].map(quoted);
        let _ = writeln!(self.0, "{side},{item},{quantity},{value}");
    }

    /// One line a value, counted from 1.
    fn values(&mut self, mode: Option<Mode>, what: &str, quantity: &str, values: &[f32]) {
        for (i, value) in values.iter().enumerate() {
            self.row(mode, &format!("{what} {}", i + 1), quantity, value);
        }
    }
}

/// A field that holds a comma, a quote or a new line stands between quotes.
fn quoted(field: &str) -> String {
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

/// The numbers of a view as CSV; `None` before there are any. Runs are rows of steps, as
/// `modelens train` writes them.
pub fn numbers(state: &State, view: View) -> Option<String> {
    if view == View::FineTune {
        return runs(&state.training);
    }
    let looked = state.computed.result(view)?;
    Some(csv(state, looked))
}

fn runs(training: &TrainingState) -> Option<String> {
    let network = training.network.as_ref()?;
    let mut table = String::new();
    for run in &training.runs {
        let mut rows = String::new();
        for step in &run.steps {
            row(&mut rows, &run.name, step, &network.in_head);
        }
        for line in rows.lines() {
            let _ = writeln!(table, "{line},,,");
        }
        moved(&mut table, run, network);
    }
    let header = HEADER.trim_end();
    Some(format!(
        "{header},layer,weights_moved,statistics_moved\n{table}"
    ))
}

/// How far each layer has moved after the last epoch, a row a layer; the columns of steps are
/// empty.
fn moved(table: &mut String, run: &RunState, network: &NetworkDescription) {
    let last = run.steps.iter().rev().find(|step| step.end.is_some());
    let Some((step, end)) = last.and_then(|step| Some((step, step.end.as_ref()?))) else {
        return;
    };
    let empty = ",".repeat(HEADER.matches(',').count() - 2);
    for movement in &end.movement {
        let name = network.layer_names.get(movement.layer);
        let layer = quoted(name.map_or("", String::as_str));
        let [weights, statistics] = [movement.weights, movement.statistics]
            .map(|moved| moved.map_or_else(String::new, |moved| (moved as f32).to_string()));
        let (name, stage, epoch) = (&run.name, step.stage + 1, step.epoch);
        let _ = writeln!(
            table,
            "\"{name}\",{stage},{epoch}{empty},{layer},{weights},{statistics}"
        );
    }
}

/// The numbers of a result, and of what was measured beside it. Items are counted from 1, as the
/// window counts them.
fn csv(state: &State, looked: &LookResult) -> String {
    let mut table = Table(HEAD.to_owned());
    match &looked.outcome {
        Outcome::Augmentation(outcome) => augmentation(&mut table, outcome),
        Outcome::Dropout(outcome) => dropout(&mut table, outcome),
        Outcome::BatchNorm(outcome) => {
            batch_norm(&mut table, outcome);
            if let (Some(base), Look::BatchNorm { pass, layer }) =
                (&state.opened.base, &looked.look)
            {
                layers(&mut table, state, base, pass, outcome);
                let channel = chosen_channel(base, outcome);
                let batches = state.walk.batches(pass, *layer);
                let walked = state.walk.walked().min(batches.len());
                let momentum = state.walk.momentum.unwrap_or(outcome.momentum);
                further_batches(&mut table, outcome, channel, batches);
                walk(&mut table, outcome, channel, &batches[..walked], momentum);
                maps(&mut table, outcome, channel);
            }
        }
        Outcome::Trainable(outcome) => trainable(&mut table, outcome),
        Outcome::Predict(outcome) => predict(&mut table, outcome),
    }
    table.0
}

fn augmentation(table: &mut Table, outcome: &AugmentationOutcome) {
    for mode in Mode::BOTH {
        for (i, cell) in outcome.side(mode).iter().enumerate() {
            let item = format!("cell {}", i + 1);
            draws(table, mode, &item, cell);
            if let Some(difference) = cell.largest_difference {
                table.row(Some(mode), &item, "largest_difference", difference);
            }
        }
    }
}

/// What was drawn for a cell: an item for each step of the pipeline, a number a quantity.
fn draws(table: &mut Table, mode: Mode, cell: &str, of: &Cell) {
    for (i, draw) in of.draws.iter().enumerate() {
        let item = format!("{cell} step {}", i + 1);
        for (quantity, value) in drawn(draw) {
            table.row(Some(mode), &item, quantity, value);
        }
    }
}

/// The numbers of a draw: degrees counter-clockwise, fractions of height and width, pixels.
fn drawn(draw: &Draw) -> Vec<(&'static str, f64)> {
    let is = |flag: bool| f64::from(u8::from(flag));
    match *draw {
        Draw::Nothing => Vec::new(),
        Draw::Flip {
            left_right,
            top_bottom,
        } => vec![
            ("flipped_left_right", is(left_right)),
            ("flipped_top_bottom", is(top_bottom)),
        ],
        Draw::Rotation { turns } => vec![("rotation_degrees", turns * 360.0)],
        Draw::Zoom { y, x } => vec![("zoom_height", y), ("zoom_width", x)],
        Draw::Translation { y, x } => vec![("shift_height", y), ("shift_width", x)],
        Draw::Shear { x, y } => vec![("shear_x", x), ("shear_y", y)],
        Draw::Contrast { factor, .. } => vec![("contrast_factor", factor)],
        Draw::Brightness { delta } => vec![("brightness_delta", delta)],
        Draw::Crop {
            top,
            left,
            height,
            width,
        } => {
            let sides = [top, left, height, width].map(|n| n as f64);
            let names = ["crop_top", "crop_left", "crop_height", "crop_width"];
            names.into_iter().zip(sides).collect()
        }
    }
}

fn dropout(table: &mut Table, outcome: &DropoutOutcome) {
    table.row(None, "layer", "rate", outcome.noise.strength());
    table.row(None, "layer", "rate_in_file", outcome.file_rate);
    for point in &outcome.mean.points {
        let item = format!("mean of {} passes", point.passes);
        table.row(None, &item, "distance", point.distance);
        table.row(None, &item, "expected_distance", point.expected);
    }
    if let Some(passes) = &outcome.monte_carlo {
        let item = format!("class {}", passes.top);
        table.row(
            Some(Mode::Inference),
            &item,
            "probability",
            passes.inference,
        );
        table.values(
            Some(Mode::Training),
            "pass",
            "probability",
            &passes.probabilities,
        );
    }
    for (mode, side) in Mode::BOTH
        .into_iter()
        .zip([&outcome.training, &outcome.inference])
    {
        let mode = Some(mode);
        table.row(mode, "layer", "dropped", side.dropped);
        table.values(mode, "unit", "before", &side.input);
        if let Some(mask) = &side.mask {
            table.values(mode, "unit", "factor", mask);
        }
        table.values(mode, "unit", "after", &side.output);
    }
}

fn batch_norm(table: &mut Table, outcome: &BatchNormOutcome) {
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
fn layers(
    table: &mut Table,
    state: &State,
    base: &Base,
    pass: &PassLook,
    outcome: &BatchNormOutcome,
) {
    for distance in &outcome.layers {
        let name = format!("layer {}", base.model.graph.layers[distance.layer].name);
        let far = distance.distance;
        let far = far.or_else(|| state.walk.distance(pass, distance.layer));
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

/// Where the chosen channel's moving statistics have walked to, batch by batch.
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

fn trainable(table: &mut Table, outcome: &TrainableOutcome) {
    table.row(None, "step", "rate", outcome.rate);
    table.row(None, "step", "photos", outcome.photos);
    for card in &outcome.cards {
        card_rows(table, card);
    }
}

fn card_rows(table: &mut Table, card: &TrainableCard) {
    let mode = Some(card.mode);
    let flag = if card.trainable {
        "trainable=True"
    } else {
        "trainable=False"
    };
    table.row(mode, flag, "loss", card.loss);
    table.row(mode, flag, "output_difference", card.output_difference);
    table.row(mode, flag, "noise_layers_active", card.noises_active);
    for (part, name) in [(&card.base, "base"), (&card.head, "head")] {
        let item = format!("{flag} {name}");
        table.row(mode, &item, "parameters_that_learn", part.learns);
        table.row(mode, &item, "largest_weight_change", part.weight_change);
        table.row(mode, &item, "batch_norms", part.batch_norms);
        table.row(mode, &item, "batch_norms_on_batch", part.on_batch);
        table.row(mode, &item, "statistics_moved", part.statistics_moved);
        table.row(
            mode,
            &item,
            "largest_statistics_change",
            part.statistics_change,
        );
    }
}

/// Classes are counted from 0, as the model's outputs are.
fn predict(table: &mut Table, outcome: &PredictOutcome) {
    table.row(None, "batch", "photos", outcome.batch);
    table.row(None, "class", "followed", outcome.followed);
    for mode in Mode::BOTH {
        for row in &outcome.rows {
            let item = format!("class {}", row.class);
            table.row(Some(mode), &item, "probability", row.probability(mode));
        }
        let side = outcome.side(mode);
        for (what, seen) in [("pass", &side.passes), ("batch", &side.mates)] {
            for (i, seen) in seen.iter().enumerate() {
                let item = format!("{what} {}", i + 1);
                table.row(Some(mode), &item, "probability", seen.probability);
                table.row(Some(mode), &item, "first_class", seen.first);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_with_commas_are_quoted() {
        let mut table = Table(String::new());
        table.row(Some(Mode::Training), "cell 1", "drawn", "flipped, 4°");
        table.row(None, "a \"b\"", "n", 0.1_f32);
        assert_eq!(
            table.0,
            "training,cell 1,drawn,\"flipped, 4°\"\nboth,\"a \"\"b\"\"\",n,0.1\n"
        );
    }
}
