//! What the four cards and "what you see" say. Every sentence follows from the numbers, so none
//! contradicts them.

use crate::model::{Mode, Semantics};
use crate::words::common;
use crate::words::modes::{flag_label, mode_label};
use crate::words::number::{measured, thousands};
use modelens_jobs::{CardPart, TrainableCard, TrainableOutcome};

/// What moved in a part of the model.
fn moved(part: &CardPart) -> (bool, bool) {
    (part.weight_change != 0.0, part.statistics_moved > 0)
}

/// What the course does: freeze the base and call it in inference.
pub fn is_advice(card: &TrainableCard) -> bool {
    !card.trainable && card.mode == Mode::Inference
}

/// What the step did to the base.
pub fn title(card: &TrainableCard, outcome: &TrainableOutcome) -> &'static str {
    match moved(&card.base) {
        (true, true) => "Everything moves",
        (true, false) if card.base.batch_norms == 0 => "The weights move",
        (true, false) => "Weights move, statistics stay",
        (false, true) => "Weights stay, statistics move",
        (false, false) if is_advice(card) => "Feature extraction: what the course does",
        (false, false) if outcome.has_head => "Nothing in the base moves",
        (false, false) => "Nothing moves",
    }
}

/// A label and its value, as a card shows them.
pub fn rows(
    card: &TrainableCard,
    outcome: &TrainableOutcome,
    narrow: bool,
) -> Vec<(&'static str, String)> {
    let (base, head) = (&card.base, &card.head);
    let both = |base: String, head: String| {
        if outcome.has_head {
            format!("base {base} · head {head}")
        } else {
            base
        }
    };
    let change = |x: f32| measured(f64::from(x));
    let learn = both(thousands(base.learns), thousands(head.learns));
    let weights = both(change(base.weight_change), change(head.weight_change));
    let labels = if narrow {
        [
            "learn",
            "change",
            "statistics",
            "normalises",
            "differs by",
            "loss",
        ]
    } else {
        [
            "parameters that learn",
            "largest weight change",
            "moving statistics",
            "normalises with",
            "output differs from inference by",
            "",
        ]
    };
    let values = [
        learn,
        weights,
        statistics(card, narrow),
        normalises(card),
        change(card.output_difference),
        note(card, outcome).replacen("loss ", "", 1),
    ];
    let rows = labels.into_iter().zip(values);
    rows.take(lines(narrow)).collect()
}

/// A row of a card in words.
pub fn card_row((label, value): &(&'static str, String)) -> String {
    format!("{label}: {value}")
}

/// The numbers of a low card in one line, and in shorter ones, so that no number is cut.
pub fn numbers_in_short(card: &TrainableCard, outcome: &TrainableOutcome) -> [String; 4] {
    let change = |x: f32| measured(f64::from(x));
    let base = format!("weights of the base by {}", change(card.base.weight_change));
    let statistics = format!("statistics: {}", statistics(card, true));
    let output = format!("output differs by {}", change(card.output_difference));
    let loss = note(card, outcome);
    [
        format!("{base} · {statistics} · {output} · {loss}"),
        format!("{base} · {statistics} · {output}"),
        format!("{base} · {output}"),
        base,
    ]
}

/// Number of rows on a card; a narrow one has an extra row for the loss.
pub fn lines(narrow: bool) -> usize {
    if narrow { 6 } else { 5 }
}

fn statistics(card: &TrainableCard, narrow: bool) -> String {
    let layers = card.base.statistics_moved + card.head.statistics_moved;
    let all = card.base.batch_norms + card.head.batch_norms;
    if all == 0 {
        return "no BatchNorm".to_owned();
    }
    if layers == 0 {
        return "unchanged".to_owned();
    }
    let change = larger(card.base.statistics_change, card.head.statistics_change);
    let change = measured(f64::from(change));
    if narrow {
        return format!("{layers} of {all} move, by up to {change}");
    }
    format!("{layers} of {all} layers move, by up to {change}")
}

fn larger(a: f32, b: f32) -> f32 {
    if a.is_nan() || a > b { a } else { b }
}

fn normalises(card: &TrainableCard) -> String {
    let batch = card.base.on_batch + card.head.on_batch;
    let all = card.base.batch_norms + card.head.batch_norms;
    match (batch, all - batch.min(all)) {
        (0, 0) => "no BatchNorm".to_owned(),
        (0, _) => "the stored statistics".to_owned(),
        (_, 0) => "the batch".to_owned(),
        (batch, stored) => format!("the batch in {batch}, the stored in {stored}"),
    }
}

/// Loss and dropout, shown next to the title.
pub fn note(card: &TrainableCard, outcome: &TrainableOutcome) -> String {
    let loss = measured(f64::from(card.loss));
    let dropout = match (outcome.noises, card.noises_active) {
        (0, _) => "",
        (_, 0) => " · dropout off",
        _ => " · dropout on",
    };
    format!("loss {loss}{dropout}")
}

/// What is wrong on a card, or right.
pub fn sentence(card: &TrainableCard, outcome: &TrainableOutcome, semantics: Semantics) -> String {
    let base = &card.base;
    let flag = flag_label(semantics);
    let change = measured(f64::from(base.weight_change));
    let layers = common::layers(base.statistics_moved);
    let shift = measured(f64::from(base.statistics_change));
    match moved(base) {
        (true, true) => format!(
            "Training overwrites the pretrained features from the first step: weights change by up to \
             {change}, the statistics of {layers} by up to {shift}."
        ),
        (true, false) if base.batch_norms == 0 => {
            format!("The pretrained weights move by up to {change} in one step.")
        }
        (true, false) => weights_move(card, outcome, semantics, &change),
        (false, true) if base.learns == 0 && !card.trainable => {
            let stops = match semantics {
                Semantics::PyTorch if card.mode == Mode::Training => " Only eval() stops them.",
                _ => "",
            };
            format!(
                "{flag}=False keeps the weights, but the statistics of {layers} still move, by up \
                 to {shift}.{stops}"
            )
        }
        (false, true) => format!(
            "No weight of the base moves, but the statistics of {layers} do, by up to {shift}."
        ),
        (false, false) if is_advice(card) => advice(card, outcome, semantics),
        (false, false) => nothing_moves(card, outcome, semantics),
    }
}

/// Why no statistic moves in PyTorch's left column.
const KEPT_BY_EVAL: &str = "eval() after model.train() keeps the statistics.";

/// Weights move while statistics stay.
fn weights_move(
    card: &TrainableCard,
    outcome: &TrainableOutcome,
    semantics: Semantics,
    change: &str,
) -> String {
    if card.mode == Mode::Training && semantics == Semantics::PyTorch {
        return format!("{KEPT_BY_EVAL} The pretrained weights move by up to {change}.");
    }
    if card.mode == Mode::Training && !card.reaches_base {
        return format!(
            "The recorded training=False binds and keeps the statistics, but the pretrained \
             weights move by up to {change}."
        );
    }
    let weights = format!("The pretrained weights move by up to {change}");
    let beside = outcome.card(card.trainable, Mode::Training);
    match (card.mode, semantics) {
        (Mode::Inference, Semantics::Keras3) if beside.base.statistics_moved > 0 => format!(
            "{weights}. During fit you get the card of training=True, even if you wrote training=False."
        ),
        (Mode::Inference, Semantics::PyTorch) if beside.base.statistics_moved > 0 => format!(
            "{weights}. model.train() turns the statistics on again: call base.eval() after it."
        ),
        _ => format!("{weights}: fine-tuning, which needs a small learning rate."),
    }
}

/// The card of the course's advice, if nothing in the base moves.
fn advice(card: &TrainableCard, outcome: &TrainableOutcome, semantics: Semantics) -> String {
    let head = if card.head.learns > 0 {
        let n = common::parameters(card.head.learns);
        format!("Only the head learns: {n}.")
    } else {
        "Nothing learns yet: the course puts its own head on top.".to_owned()
    };
    let tail = match semantics {
        _ if card.base.batch_norms == 0 => "",
        Semantics::Keras2 | Semantics::Keras316 => {
            " Two switches, two guarantees, and both apply inside fit."
        }
        Semantics::Keras3 if outcome.card(false, Mode::Training).base.statistics_moved == 0 => {
            " Inside fit the base gets training=True, and only freezing protects it."
        }
        Semantics::Keras3 => "",
        Semantics::PyTorch => {
            " One switch for the weights, one for the statistics; model.train() undoes the second."
        }
    };
    format!("{head}{tail}")
}

/// Nothing in the base moves, although it is not what the course does.
fn nothing_moves(card: &TrainableCard, outcome: &TrainableOutcome, semantics: Semantics) -> String {
    if card.trainable {
        return if card.base.learns == 0 {
            "A frozen parent model keeps the base from learning.".to_owned()
        } else {
            "The loss does not depend on the trainable weights.".to_owned()
        };
    }
    if card.base.batch_norms == 0 {
        return "Frozen. Without BatchNorm, both columns are the same for the base.".to_owned();
    }
    if semantics == Semantics::PyTorch {
        return KEPT_BY_EVAL.to_owned();
    }
    if !card.reaches_base {
        return "The recorded training=False binds: for the base both columns are the same."
            .to_owned();
    }
    let unfrozen = &outcome.card(true, card.mode).base;
    let frozen = "A frozen BatchNorm layer uses its stored statistics";
    if unfrozen.statistics_moved > 0 && semantics != Semantics::PyTorch {
        let layers = common::layers(unfrozen.statistics_moved);
        return format!(
            "{frozen}, so training=False adds nothing yet: unfrozen, training moves those of {layers}."
        );
    }
    format!("{frozen}.")
}

/// What becomes of the value of `training` on its way to the base, for the heading of a column.
pub fn reaches(outcome: &TrainableOutcome, mode: Mode, semantics: Semantics) -> &'static str {
    let reaches = outcome.card(true, mode).reaches_base;
    match (semantics, outcome.recorded) {
        (Semantics::PyTorch, _) if mode.training() && !reaches => "the base is in eval()",
        (Semantics::PyTorch, _) => "",
        _ if reaches != mode.training() && !reaches => {
            "the recorded training=False reaches the base"
        }
        _ if reaches != mode.training() => "the recorded training=True reaches the base",
        (Semantics::Keras3, Some(recorded)) if recorded != reaches => {
            if recorded {
                "overrides the recorded True"
            } else {
                "overrides the recorded False"
            }
        }
        _ => "reaches the base unchanged",
    }
}

/// Why you need both switches, as far as the numbers show.
pub fn why_both(outcome: &TrainableOutcome, semantics: Semantics) -> String {
    let card = |trainable, mode| &outcome.card(trainable, mode).base;
    let (train, eval) = (Mode::Training, Mode::Inference);
    let open = [card(true, train), card(true, eval)];
    let frozen = [card(false, train), card(false, eval)];
    let sentences = [
        weights_sentence(open, frozen, semantics),
        freezing_sentence(outcome, semantics),
        inference_sentence(outcome, semantics),
    ];
    let [conclusion, rest @ ..] = &sentences;
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    common::concluded(conclusion, &common::sentences(&rest))
}

fn weights_sentence(open: [&CardPart; 2], frozen: [&CardPart; 2], semantics: Semantics) -> String {
    let flag = flag_label(semantics);
    let most = |parts: [&CardPart; 2]| larger(parts[0].weight_change, parts[1].weight_change);
    let (open, frozen) = (most(open), most(frozen));
    if frozen != 0.0 {
        let change = measured(f64::from(frozen));
        return format!("Even with {flag}=False weights of the base move, by up to {change}.");
    }
    if open == 0.0 {
        return "No weight of the base moves on any of the 4 cards.".to_owned();
    }
    let change = measured(f64::from(open));
    format!(
        "{flag}=False protects the weights: the largest change in the base is 0, compared with \
         {change} with {flag}=True."
    )
}

/// What freezing does to the statistics.
fn freezing_sentence(outcome: &TrainableOutcome, semantics: Semantics) -> String {
    let call = mode_label(Mode::Training, semantics);
    let frozen = outcome.card(false, Mode::Training);
    let open = outcome.card(true, Mode::Training);
    let [held, loose] = [frozen, open].map(|c| c.base.statistics_moved);
    if open.base.batch_norms == 0 {
        return "The base has no BatchNorm, so there are no statistics to protect.".to_owned();
    }
    if held > 0 {
        let layers = common::layers(held);
        return format!(
            "It does not protect the statistics: with {call} those of {layers} still move."
        );
    }
    if loose > 0 {
        let layers = common::layers(loose);
        return format!(
            "A frozen BatchNorm layer also keeps its statistics: with {call} none in the base move; \
             unfrozen, those of {layers} do."
        );
    }
    if semantics == Semantics::PyTorch {
        return format!("{KEPT_BY_EVAL} requires_grad has no say in them.");
    }
    if !open.reaches_base {
        return format!(
            "training=False is recorded at the call of the base, and in {} that binds: even with \
             {call} its statistics stay the same, frozen or not.",
            semantics.name()
        );
    }
    String::new()
}

/// What inference protects beyond freezing.
fn inference_sentence(outcome: &TrainableOutcome, semantics: Semantics) -> String {
    let call = mode_label(Mode::Inference, semantics);
    let moves = |trainable, mode: Mode| outcome.card(trainable, mode).base.statistics_moved;
    let (open, frozen) = (moves(true, Mode::Inference), moves(false, Mode::Inference));
    if open.max(frozen) > 0 {
        let layers = common::layers(open.max(frozen));
        return format!("Even with {call} the statistics of {layers} move.");
    }
    let loose = moves(true, Mode::Training);
    let held = moves(false, Mode::Training);
    match semantics {
        Semantics::PyTorch if loose.max(held) > 0 => {
            format!("Only {call} protects the statistics, and model.train() turns it off again.")
        }
        Semantics::Keras3 if loose > 0 && held == 0 => format!(
            "{call} keeps them in an unfrozen base too, but fit passes training=True and overrides \
             a recorded False: inside fit only trainable=False protects."
        ),
        Semantics::Keras2 | Semantics::Keras316 if loose > 0 => format!(
            "{call} protects the statistics of an unfrozen base too, and recorded at the call it \
             binds inside fit. That is why you write both."
        ),
        Semantics::Keras2 | Semantics::Keras316
            if !outcome.card(true, Mode::Training).reaches_base =>
        {
            "So training=False protects the statistics inside fit too, even after you unfreeze."
                .to_owned()
        }
        _ => String::new(),
    }
}

/// What training would do now that flags differ from those at the last `compile()`.
pub fn changed(semantics: Semantics) -> &'static str {
    match semantics {
        Semantics::Keras2 => {
            "fit keeps using the flags of the last compile(). Compile again after every change."
        }
        Semantics::Keras3 | Semantics::Keras316 => {
            "fit keeps using the flags of its first step after compile(). Compile again after \
             every change."
        }
        Semantics::PyTorch => {
            "The change takes effect at once, but the optimizer only knows the parameters it was \
             given: one that you unfreeze later learns only if it was among them."
        }
    }
}

#[cfg(test)]
#[path = "sentences_tests.rs"]
mod tests;
