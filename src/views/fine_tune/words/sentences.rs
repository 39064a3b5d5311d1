//! Sentences of the fine-tune view.

use crate::model::{Mode, Semantics};
use crate::settings::TrainSettings;
use crate::state::{RunState, Status, TrainingState};
use crate::train::movement::Movement;
use crate::train::ranking::{Ranking, RunResults, range};
use crate::train::recipe::{BaseCall, Recipe, RunPreset};
use crate::train::summary::{Summary, percent};
use crate::words::common;
use crate::words::number::measured;
use modelens_jobs::fine_tune::FineTune as Setup;

/// What would run, before anything has run.
pub fn invitation(preset: RunPreset) -> &'static str {
    match preset {
        RunPreset::FourWay => {
            "Press Start for 4 runs, one for each setting of the two switches, from the same weights and \
             on the same batches."
        }
        RunPreset::HeadOnly => {
            "Press Start to train only a new head: the base is frozen and called with training=False."
        }
        RunPreset::CourseLab => {
            "Press Start for the course's lab: first a new head on the frozen base, then the base from \
             layer 120 at a tenth of the learning rate."
        }
        RunPreset::ForgotTrainable => {
            "Press Start to see what happens if base.trainable = False is forgotten; the second run has it."
        }
        RunPreset::ForgotTraining => {
            "Press Start to see what happens if training=False is forgotten; the second run has it."
        }
        RunPreset::UnfrozeSmallBatch => {
            "Press Start to train the whole base on batches of 4 photos, called with training=True and \
             with training=False."
        }
        RunPreset::WhereEval => {
            "Press Start for 3 runs with a frozen base, which differ in where base.eval() is called: \
             never, once before the loop, or in each epoch."
        }
    }
}

/// What more there is to know of a preset.
fn note_on(preset: RunPreset) -> &'static str {
    match preset {
        RunPreset::CourseLab => {
            "The runs call the base with training=False, without it, and with BatchNorm kept frozen."
        }
        RunPreset::FourWay
        | RunPreset::HeadOnly
        | RunPreset::ForgotTrainable
        | RunPreset::ForgotTraining
        | RunPreset::UnfrozeSmallBatch
        | RunPreset::WhereEval => "",
    }
}

/// The text in the card of a run that has not started.
pub fn waits(run: usize) -> &'static str {
    if run == 0 {
        "Press Start to watch it train."
    } else {
        "This run uses the same batches."
    }
}

/// The value at the call of the base in the first stage; in PyTorch the mode in which the loop leaves the base.
pub fn call_of(recipe: &Recipe, semantics: Semantics) -> Option<bool> {
    match recipe.stages.first()?.call {
        BaseCall::Given(Some(_)) if semantics == Semantics::PyTorch && !recipe.evals.hold() => {
            Some(true)
        }
        BaseCall::Given(call) => call,
        BaseCall::AsFile => None,
    }
}

/// A run's name in two parts: the call, and what the flag means, in one word.
pub fn heading(name: &str) -> (&str, &str) {
    match name.split_once(", ") {
        Some((call, "trainable=True")) => (call, "unfrozen"),
        Some((call, "trainable=False")) => (call, "frozen"),
        Some(parts) => parts,
        None => (name, ""),
    }
}

/// What happened in one run, or how far it is.
pub fn of_run(run: &RunState) -> String {
    if let Some(why) = &run.failure {
        let before = run.summary.as_ref().map(|s| s.sentences().join(" "));
        let why = format!("The run stopped: {why}.");
        return match before {
            Some(before) => format!("{why} After its last full epoch: {before}"),
            None => why,
        };
    }
    match (&run.summary, run.steps.is_empty()) {
        (Some(summary), _) => summary.sentences().join(" "),
        (None, true) if run.features.is_some() => {
            "Computing the features of the frozen base once for all epochs.".to_owned()
        }
        (None, true) => "Not started.".to_owned(),
        (None, false) => "The summary appears after the first epoch.".to_owned(),
    }
}

/// One number of a run, with its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    pub name: &'static str,
    pub value: String,
    /// The mode it was measured in, as the marks of the curves have it.
    pub mode: Option<Mode>,
}

/// What a run comes down to, the same lines for every run.
pub fn facts(summary: Option<&Summary>) -> Vec<Fact> {
    let fact = |name, mode, value: Option<String>| Fact {
        name,
        value: value.unwrap_or_else(|| "\u{2013}".to_owned()),
        mode,
    };
    let right = |mode| {
        let summary = summary?;
        let right = summary.right(mode)?;
        Some(format!("{right} of {}", summary.validation_photos))
    };
    let weights = summary.map(|s| match s.base_weights {
        0.0 => "exactly 0".to_owned(),
        weights if weights < 1e-5 => percent(weights),
        weights => format!("up to {}", percent(weights)),
    });
    let statistics = summary.map(|s| match (s.batch_norms, s.statistics_moved) {
        (0, _) => "no BatchNorm".to_owned(),
        (_, 0) => "exactly 0".to_owned(),
        (all, moved) => format!("{moved} of {all}"),
    });
    let [training, inference] =
        Mode::BOTH.map(|mode| fact(RIGHT[mode as usize], Some(mode), right(mode)));
    vec![
        fact("base weights moved", None, weights),
        fact("statistics moved", None, statistics),
        inference,
        training,
    ]
}

/// The lines of a card: what the shown seed came to, and with several seeds the range over them.
pub fn card_facts(run: &RunState, seeds: usize) -> Vec<Fact> {
    let mut all = facts(run.summary.as_ref());
    if seeds > 1 {
        let results = run.results();
        let is_whole = results.len() + run.seeds.iter().filter(|s| s.is_err()).count() == seeds;
        for mode in [Mode::Inference, Mode::Training] {
            let right: Option<Vec<usize>> = results.iter().map(|r| r.right(mode)).collect();
            let photos = results.first().map_or(0, |r| r.validation_photos);
            let right = right.filter(|right| is_whole && !right.is_empty());
            all.push(Fact {
                name: OVER_SEEDS,
                value: right.map_or_else(|| "\u{2013}".to_owned(), |r| range(&r, photos)),
                mode: Some(mode),
            });
        }
    }
    all
}

const OVER_SEEDS: &str = "over all seeds";

/// What the shown runs were started with: in full, and shorter.
pub fn shown_runs(train: &TrainSettings, setup: &Setup, other_base: bool) -> [String; 2] {
    let seeds = match train.seeds {
        1 => format!("seed {}", setup.seed),
        n => format!("{n} seeds from {}", setup.seed),
    };
    let preset = train.preset(setup.semantics).label();
    let optimizer = setup.optimizer.label();
    let rules = setup.semantics.label();
    let (rate, batch) = (train.rate, setup.batch);
    let epochs = common::epochs(train.epochs);
    let base = if other_base { ", another base" } else { "" };
    [
        format!(
            "These runs are not those of the controls: {preset}, {optimizer} {rate}, {epochs}, steps of \
             {batch}, {seeds}, {rules}{base}."
        ),
        format!("Not those of the controls: {preset}, {epochs}, {seeds}{base}"),
    ]
}

/// The names of the two accuracies, in the order of the modes.
const RIGHT: [&str; 2] = ["correct, training=True", "correct, training=False"];

/// How far one layer moved.
pub fn of_layer(name: &str, movement: &Movement) -> String {
    let part = |what: &str, value: Option<f64>| match value {
        None => String::new(),
        Some(0.0) => format!("\n{what}: exactly 0"),
        Some(value) => format!("\n{what}: {} of their length", measured(value)),
    };
    let weights = part("weights", movement.weights);
    format!("{name}{weights}{}", part("statistics", movement.statistics))
}

/// What all runs together show.
pub fn explanation(training: &TrainingState, preset: RunPreset, semantics: Semantics) -> String {
    let mut words = Vec::new();
    if training.runs.is_empty() {
        let rest = common::sentences(&[note_on(preset), rule(semantics)]);
        return common::concluded(invitation(preset), &rest);
    }
    let ranked = ranked(training);
    words.extend(ranked.as_ref().map(|[_, list]| list.clone()));
    let conclusion = match (&training.failure, ranked) {
        (Some(why), _) => format!("The runs ended early: {why}."),
        (None, Some([verdict, _])) => verdict,
        (None, None) => progress(training),
    };
    let [training_photos, validation] = training.photos;
    if training.status != Status::Preparing && training_photos > 0 {
        let each = common::photos(training_photos);
        let runs = if training.runs.len() > 1 {
            "Every run starts from the same weights and learns in the same order from the same"
        } else {
            "The run learns from"
        };
        let measured = if validation == 0 {
            "with none left to validate".to_owned()
        } else {
            format!("and is validated on {validation} others")
        };
        words.push(format!(
            "{runs} {each}, {measured}. Thin line: each batch. Marks: the validation photos after each \
             epoch, filled with training=True, hollow with training=False."
        ));
    }
    let by_semantics = training
        .runs
        .iter()
        .find_map(|r| Some(r.summary.as_ref()?.semantics));
    let semantics = by_semantics.unwrap_or(semantics);
    words.extend(twins(&training.runs, semantics));
    words.extend(features(&training.runs));
    words.extend(training.notes.iter().map(|note| {
        let mut note = common::sentence_case(note);
        note.push('.');
        note
    }));
    common::concluded(&conclusion, &words.join(" "))
}

/// How far the runs are, or what a single one came to.
fn progress(training: &TrainingState) -> String {
    let [done, total] = training.steps();
    let alone = training.runs.first().filter(|_| training.runs.len() == 1);
    let summary = alone.filter(|_| training.is_complete());
    let summary = summary.and_then(|run| run.summary.as_ref());
    if let Some((summary, right)) = summary.and_then(|s| Some((s, s.right(Mode::Inference)?))) {
        return format!(
            "The run classifies {right} of {} validation photos correctly in inference.",
            summary.validation_photos
        );
    }
    let runs = common::runs(training.runs.len());
    match training.status {
        Status::Ended => format!("The {runs} ended after {done} of {total} steps."),
        Status::Idle | Status::Preparing | Status::Running | Status::Paused => {
            format!("{done} of {total} steps are done in {runs}.")
        }
    }
}

/// Which run is best and why, and the ranks of all, once each has come to its end.
fn ranked(training: &TrainingState) -> Option<[String; 2]> {
    let results: Vec<RunResults<'_>> = training
        .runs
        .iter()
        .map(|run| RunResults {
            name: &run.name,
            seeds: run.results(),
        })
        .collect();
    let batch = training.experiment.as_ref()?.setup.batch;
    let ranking = Ranking::of(&results, batch)?;
    let verdict = common::sentence_case(&ranking.verdict());
    let one = if training.seeds() > 1 {
        ""
    } else {
        " This is one seed; choose more to see how far it varies."
    };
    Some([format!("{verdict}."), ranking.in_words() + one])
}

fn rule(semantics: Semantics) -> &'static str {
    match semantics {
        Semantics::Keras2 => {
            "In Keras 2 the value recorded at the call of the base also applies inside fit."
        }
        Semantics::Keras3 => {
            "In Keras 3 up to 3.15 fit passes training=True, which overrides the value at the call \
             of the base."
        }
        Semantics::Keras316 => {
            "From Keras 3.16 on the value recorded at the call of the base also applies inside fit, \
             and to the layers after the base."
        }
        Semantics::PyTorch => {
            "In PyTorch the runs with training=False call base.eval() after model.train(): on the base \
             only, so the head's dropout still draws. The loop calls model.train() in each epoch, \
             which undoes an earlier base.eval(). The flag is requires_grad."
        }
    }
}

/// Two runs with the same numbers although a switch differs.
fn twins(runs: &[RunState], semantics: Semantics) -> Option<String> {
    let same = |a: &RunState, b: &RunState| {
        let n = a.steps.len().min(b.steps.len());
        n > 0 && a.steps[..n] == b.steps[..n]
    };
    let mut pairs = Vec::new();
    for (i, a) in runs.iter().enumerate() {
        pairs.extend(runs[i + 1..].iter().filter(|b| same(a, b)).map(|b| (a, b)));
    }
    let (a, b) = pairs.first()?;
    let (a, b) = (&a.name, &b.name);
    let more = if pairs.len() > 1 {
        " So are the other two runs that differ only in that switch."
    } else {
        ""
    };
    let why = rule(semantics);
    Some(format!(
        "{a} and {b} give exactly the same numbers. {why}{more}"
    ))
}

/// Why some runs are much faster.
fn features(runs: &[RunState]) -> Option<String> {
    let kept = runs.iter().filter(|r| r.features_kept).count();
    let begun = runs.iter().filter(|r| !r.steps.is_empty()).count();
    if kept == 0 {
        return None;
    }
    let which = if kept == begun {
        "No layer of the base".to_owned()
    } else {
        format!("In {} no layer of the base", common::runs(kept))
    };
    Some(format!(
        "{which} learns, is random or uses batch statistics, so its features are the same in every \
         step and were computed once. This shortcut works only because the base is frozen."
    ))
}

#[cfg(test)]
#[path = "sentences_tests.rs"]
mod tests;
