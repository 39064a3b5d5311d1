//! The sentences of the Dropout view. Every number in them is measured, and no sentence claims what
//! the numbers contradict.

use crate::model::Mode;
use crate::model::graph::Noise;
use crate::words::call::Call;
use crate::words::common;
use crate::words::modes::{flag_label, mode_label};
use crate::words::number::trimmed;
use crate::words::number::{count, fixed, measured, percent, thousands};
use modelens_jobs::{DropoutOutcome, DropoutSide, MeanOfPasses, MonteCarlo};

pub const NO_CLASSIFIER: &str = "This base has no classifier, so there is no prediction to repeat";
pub const DISTANCE: &str = "|mean of k passes − inference| / |inference| over all units. The \
                            formula is the root of the expected square: without a bias it \
                            falls as 1/√k";

/// What one side does, for its heading.
pub fn heading(outcome: &DropoutOutcome, side: &DropoutSide) -> String {
    let units = side.output.len();
    let noise = &outcome.noise;
    let rate = noise.strength();
    if side.dropped == 0 && side.input == side.output {
        return "every unit passes unchanged".to_owned();
    }
    match noise {
        Noise::GaussianNoise { .. } => {
            format!("every unit + noise, standard deviation {}", trimmed(rate))
        }
        Noise::GaussianDropout { .. } => {
            let deviation = (rate / (1.0 - rate)).sqrt();
            format!("every unit × noise around 1 ± {}", fixed(deviation, 2))
        }
        // `AlphaDropout` puts another value there, but at a rate of 1 (PyTorch) zeros.
        Noise::AlphaDropout { .. } if rate < 1.0 => format!(
            "{} of {} set to {}",
            thousands(side.dropped),
            common::units(units),
            measured(alpha_dropped(side)),
        ),
        _ if side.dropped == units && draws(outcome, side)[0] == 1 => {
            "the whole photo dropped: all units are 0".to_owned()
        }
        _ if side.dropped == units => format!("all {} dropped", common::units(units)),
        _ => {
            let scale = format!("× {:.2}", 1.0 / (1.0 - rate));
            let [drawn, dropped] = draws(outcome, side);
            match noise {
                _ if drawn == 1 => format!("the whole photo kept, all units {scale}"),
                Noise::SpatialDropout2d { .. } => format!(
                    "{} of {} dropped, the rest {scale}",
                    thousands(dropped),
                    common::channels(drawn)
                ),
                _ => format!(
                    "{} of {} dropped, the rest {scale}",
                    thousands(side.dropped),
                    common::units(units)
                ),
            }
        }
    }
}

/// How many draws the layer made for the photo, and how many of them dropped their units. Units
/// share a draw in groups of one size.
fn draws(outcome: &DropoutOutcome, side: &DropoutSide) -> [usize; 2] {
    let units = side.output.len().max(1);
    let drawn = match &outcome.noise {
        Noise::SpatialDropout2d { .. } => outcome.shape.last().copied().unwrap_or(1),
        Noise::DropConnect { .. } => 1,
        Noise::Dropout {
            noise_shape: Some(shape),
            ..
        } => {
            let sides = outcome.shape.iter().enumerate();
            let drawn = sides.map(|(i, &side)| shape.get(i + 1).copied().flatten().unwrap_or(side));
            drawn.product()
        }
        _ => units,
    };
    [drawn, side.dropped * drawn / units]
}

/// What `AlphaDropout` puts in the place of dropped units.
fn alpha_dropped(side: &DropoutSide) -> f64 {
    let mask = side.mask.iter().flatten();
    let dropped = mask.zip(&side.output).find(|(m, _)| **m == 0.0);
    dropped.map_or(0.0, |(_, &value)| f64::from(value))
}

/// Whether the mask drops this unit.
pub fn is_dropped(side: &DropoutSide, unit: usize) -> bool {
    let factor = side.mask.as_ref().and_then(|mask| mask.get(unit));
    factor == Some(&0.0)
}

/// One unit before and after the layer.
pub fn unit(outcome: &DropoutOutcome, side: &DropoutSide, unit: usize) -> String {
    let at = |values: &[f32]| values.get(unit).map_or(0.0, |&x| f64::from(x));
    let [before, after] = [at(&side.input), at(&side.output)];
    let factor = side.mask.as_ref().and_then(|mask| mask.get(unit));
    let alpha = matches!(outcome.noise, Noise::AlphaDropout { .. });
    let what = match factor {
        Some(0.0) => "dropped".to_owned(),
        Some(_) if side.input == side.output => "unchanged".to_owned(),
        Some(_) if alpha => "kept, then a · x + b".to_owned(),
        Some(factor) => format!("× {}", fixed(f64::from(*factor), 2)),
        None => "noise added".to_owned(),
    };
    format!(
        "Unit {}: {} before, {} after ({what})",
        thousands(unit + 1),
        measured(before),
        measured(after)
    )
}

/// The sum of the units before and after the layer.
pub fn sums(side: &DropoutSide) -> [String; 2] {
    [&side.input, &side.output].map(|units| {
        let sum: f64 = units.iter().map(|&x| f64::from(x)).sum();
        measured(sum)
    })
}

/// The name of a class, or its place in the output.
pub fn class(class: usize, labels: &[String]) -> String {
    match labels.get(class) {
        Some(label) => label.clone(),
        None => format!("class {class}"),
    }
}

/// What you see, where `shown` is the training side: the layer's own pass, or one that is watched.
pub fn dropout(
    outcome: &DropoutOutcome,
    shown: &DropoutSide,
    labels: &[String],
    call: &Call,
) -> String {
    let flag = flag_label(call.semantics);
    let [conclusion, layer] = layer(outcome, shown, call);
    let passes = outcome.monte_carlo.as_ref();
    let passes = passes.map_or_else(String::new, |found| monte_carlo(found, labels));
    let mean = mean(&outcome.noise, &outcome.mean, &outcome.training);
    let flag = format!("{flag} has no effect: the layer has no weights.");
    common::concluded(
        &conclusion,
        &common::sentences(&[&layer, &mean, &passes, &flag]),
    )
}

/// What the layer does to the units in one pass: the conclusion, and the numbers.
fn layer(outcome: &DropoutOutcome, side: &DropoutSide, outer: &Call) -> [String; 2] {
    let call = outer.decides();
    let other = mode_label(Mode::Inference, outer.semantics);
    let units = side.output.len();
    let all = common::units(units);
    let rate = outcome.noise.strength();
    if !side.effective.active {
        let conclusion = format!("Nothing is dropped: all {all} pass unchanged on both sides.");
        return [conclusion, outer.why()];
    }
    if side.dropped == 0 && side.input == side.output {
        let conclusion = format!(
            "At {} {} the layer changes none of {all}: {call} and {other} give the same.",
            strength_name(&outcome.noise),
            trimmed(rate),
        );
        return [conclusion, String::new()];
    }
    let [before, after] = sums(side);
    let sum = format!("the sum of the units goes from {before} to {after}");
    let asked = |drawn: usize, dropped: usize| {
        let got = percent(dropped as f64 / drawn.max(1) as f64);
        format!("The rate is {}, this time {got} are dropped", percent(rate))
    };
    let factor = format!("1/(1−{}) = {:.2}", trimmed(rate), 1.0 / (1.0 - rate));
    let [drawn, dropped] = draws(outcome, side);
    let [does, numbers] = match &outcome.noise {
        Noise::GaussianNoise { .. } => [
            format!("adds noise to each of {all}"),
            format!("The noise has standard deviation {}: {sum}.", trimmed(rate)),
        ],
        Noise::GaussianDropout { .. } => [
            format!("multiplies each of {all} by noise"),
            format!(
                "The noise is around 1 with standard deviation √(r/(1−r)) = {}, and nothing is dropped: {sum}.",
                fixed((rate / (1.0 - rate)).sqrt(), 2)
            ),
        ],
        _ if side.dropped == units && rate >= 1.0 => [
            format!("drops all {all}"),
            format!("The rate is {}: {sum}.", trimmed(rate)),
        ],
        _ if drawn == 1 && side.dropped == units => [
            format!("drops all {all} in this draw"),
            format!("One draw decides for the whole photo: {sum}."),
        ],
        _ if drawn == 1 => [
            format!("keeps all {all} in this draw"),
            format!(
                "One draw decides for the whole photo; kept units are multiplied by {factor}, and {sum}."
            ),
        ],
        Noise::AlphaDropout { .. } => [
            format!(
                "sets {} of {all} to {}",
                thousands(side.dropped),
                measured(alpha_dropped(side))
            ),
            format!(
                "{}. The rest are mapped by a·x + b, so that mean and variance of standardised units stay \
                 the same: {sum}.",
                asked(units, side.dropped),
            ),
        ],
        _ if drawn < units => {
            let is_spatial = matches!(outcome.noise, Noise::SpatialDropout2d { .. });
            let (one, many, shared) = if is_spatial {
                ("channel", "channels", "")
            } else {
                ("draw", "draws", "Draws are shared along an axis. ")
            };
            let group = common::units(units / drawn.max(1));
            [
                format!(
                    "drops {} of {}",
                    thousands(dropped),
                    count(drawn, one, many)
                ),
                format!(
                    "{shared}{}, {group} each, and the rest are multiplied by {factor}: {sum}.",
                    asked(drawn, dropped),
                ),
            ]
        }
        _ => [
            format!("drops {} of {all}", thousands(side.dropped)),
            format!(
                "{}, and the rest are multiplied by {factor}: {sum}.",
                asked(units, side.dropped),
            ),
        ],
    };
    let conclusion =
        format!("With {call} the layer {does}; with {other} every unit passes unchanged.");
    [conclusion, numbers]
}

fn strength_name(noise: &Noise) -> &'static str {
    match noise {
        Noise::GaussianNoise { .. } => "deviation",
        _ => "rate",
    }
}

/// Distances beyond this share of the first one do not close in.
const CLOSES: f64 = 0.5;

/// What the mean of many passes does.
fn mean(noise: &Noise, mean: &MeanOfPasses, side: &DropoutSide) -> String {
    let [Some(first), Some(last)] = [mean.points.first(), mean.points.last()] else {
        return String::new();
    };
    if !side.effective.active || side.input == side.output {
        return String::new();
    }
    let numbers = format!(
        "One pass is {} away from the inference values, the mean of {} passes is {} away",
        percent(first.distance),
        thousands(last.passes),
        percent(last.distance),
    );
    // A pass that drops nothing may be nearer than any mean.
    if last.distance <= CLOSES * first.distance {
        return format!(
            "{numbers} (the formula predicts {}).",
            percent(last.expected)
        );
    }
    match noise {
        Noise::AlphaDropout { .. } => {
            format!("{numbers}: AlphaDropout keeps mean and variance of a layer, not each unit.")
        }
        _ => format!("{numbers}."),
    }
}

/// What the passes do to the prediction.
fn monte_carlo(found: &MonteCarlo, labels: &[String]) -> String {
    let label = class(found.top, labels);
    let passes = found.probabilities.len();
    let [low, high] = found.range().map(|p| percent(f64::from(p)));
    let range = if low == high {
        format!("{low} each time")
    } else {
        format!("{low} to {high}")
    };
    let others = match found.others() {
        0 => "no pass gives another class".to_owned(),
        n => format!(
            "{} {} another class",
            common::passes(n),
            if n == 1 { "gives" } else { "give" }
        ),
    };
    let who = match (found.drawing, found.noises) {
        (0, _) => "no layer is random".to_owned(),
        (1, 1) => "only this layer is random".to_owned(),
        (drawing, noises) if drawing == noises => {
            format!("only the {noises} noise layers are random")
        }
        (drawing, noises) => format!("{drawing} of {noises} noise layers are random"),
    };
    format!(
        "Over {} in which {who}, {label} gets {range} (inference: {}); {others}.",
        common::passes(passes),
        percent(found.inference),
    )
}

/// Below the histogram.
pub fn spread(found: &MonteCarlo) -> String {
    format!(
        "inference {}, passes {} ± {}",
        percent(found.inference),
        percent(found.mean()),
        percent(found.deviation()),
    )
}

#[cfg(test)]
#[path = "sentences_tests.rs"]
mod tests;
