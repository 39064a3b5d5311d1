use super::*;

fn seen(values: &[f32]) -> Vec<ClassInPass> {
    let sighting = |&probability: &f32| ClassInPass {
        probability,
        first: 0,
    };
    values.iter().map(sighting).collect()
}

/// A side of a model with 52 BatchNorm layers.
fn side(passes: &[f32], mates: &[f32], random: usize, on_batch: usize) -> PredictSide {
    PredictSide {
        first: 0,
        first_probability: passes[0],
        passes: seen(passes),
        mates: seen(mates),
        random,
        batch_norms: 52,
        on_batch,
        on_batch_frozen: 0,
        frozen: 52 - on_batch,
        unreached: 0,
    }
}

fn outcome(training: PredictSide, inference: PredictSide) -> PredictOutcome {
    PredictOutcome {
        reading: Reading::Softmax,
        outputs: 4,
        rows: vec![PredictRow {
            class: 0,
            training: training.passes[0].probability,
            inference: inference.passes[0].probability,
        }],
        followed: 0,
        batch: 32,
        mates_batch: [32, 32],
        training,
        inference,
    }
}

/// Dropout draws, and BatchNorm takes the batch.
fn open() -> PredictOutcome {
    outcome(
        side(&[0.3, 0.4, 0.2], &[0.25, 0.5], 1, 52),
        side(&[0.8; 3], &[0.8; 2], 0, 0),
    )
}

fn text_of(outcome: &PredictOutcome, semantics: Semantics) -> String {
    let model = modelens_jobs::ModelSource::Lab.open().unwrap();
    let names = Names {
        model: &model,
        outputs: outcome.outputs,
    };
    explain(outcome, &names, semantics)
}

#[track_caller]
fn check(outcome: &PredictOutcome, semantics: Semantics, says: &[&str], never: &[&str]) {
    let text = text_of(outcome, semantics);
    for part in says {
        assert!(text.contains(part), "`{part}` is missing: {text}");
    }
    for part in never {
        assert!(!text.contains(part), "`{part}` is wrong: {text}");
    }
    assert!(!text.contains("  ") && !text.contains(".."), "{text}");
}

#[test]
fn an_open_base_scatters_in_training_only() {
    let says = [
        "Both modes rank fish first: training=True gives it 0.300, training=False 0.800",
        "Over 3 passes",
        "ranges from 0.200 to 0.400: 1 random layer redrawn each time",
        "In inference all 3 agree exactly",
        "With other photos in the batch (2 batches, dropout off) it ranges from 0.250 to 0.500 in training",
        "although the photo is the same: 52 BatchNorm layers normalise with the batch.",
        "In inference it stays the same (largest difference exactly 0)",
    ];
    check(
        &open(),
        Semantics::Keras3,
        &says,
        &["A different class", "agree exactly:"],
    );
}

#[test]
fn a_frozen_base_is_said_to_scatter_in_pytorch_only() {
    let mut frozen = open();
    frozen.training.on_batch_frozen = 52;
    frozen.training.frozen = 52;
    let says = [
        "and requires_grad=False does not change that",
        "ranges from 0.250",
    ];
    check(
        &frozen,
        Semantics::PyTorch,
        &says,
        &["it stays the same in training"],
    );
    frozen.training.on_batch_frozen = 0;
    frozen.training.on_batch = 0;
    frozen.training.mates = seen(&[0.3, 0.3]);
    let says = [
        "it stays the same in training (largest difference exactly 0): every BatchNorm layer is \
         frozen, and trainable=False makes it use its stored statistics",
    ];
    for semantics in [Semantics::Keras2, Semantics::Keras3] {
        check(
            &frozen,
            semantics,
            &says,
            &["normalises with the batch", "normalise with the"],
        );
    }
}

#[test]
fn a_recorded_value_is_the_reason_where_it_binds() {
    let mut bound = open();
    bound.training = side(&[0.8; 3], &[0.8, 0.8], 0, 0);
    bound.training.unreached = 52;
    bound.training.frozen = 0;
    bound.rows[0].training = 0.8;
    let says = [
        "Both modes give the same numbers",
        "3 passes of the same batch with training=True agree exactly: no layer is random.",
        "the recorded training=False binds",
    ];
    check(&bound, Semantics::Keras2, &says, &["frozen", "redrawn"]);
}

/// Numbers that contradict what the setting leads one to expect.
#[test]
fn no_sentence_stands_against_its_numbers() {
    // Layers draw, and nothing comes of it.
    let mut same = open();
    same.training.passes = seen(&[0.3; 3]);
    check(
        &same,
        Semantics::Keras3,
        &["agree exactly on fish, despite 1 random layer"],
        &["redrawn"],
    );
    // Nothing draws, and yet the passes differ.
    let mut odd = open();
    odd.training.random = 0;
    check(
        &odd,
        Semantics::Keras3,
        &["although no layer is random"],
        &["redrawn", "agree exactly: "],
    );
    // The batch is used, and the probability stays.
    let mut saturated = open();
    saturated.training.mates = seen(&[1.0, 1.0]);
    check(
        &saturated,
        Semantics::Keras3,
        &["it does not move in training, although 52 BatchNorm layers normalise with the batch."],
        &["the photo is the same", "it stays the same in training"],
    );
    // No BatchNorm uses the batch, and the probability moves.
    let mut moved = open();
    moved.training.on_batch = 0;
    check(
        &moved,
        Semantics::Keras3,
        &["although no BatchNorm layer uses the batch"],
        &["it stays the same in training"],
    );
    // Inference moves, by rounding and by more.
    let mut rounding = open();
    rounding.inference.mates = seen(&[0.8, 0.800_000_1]);
    let says = ["In inference it stays the same (largest difference 6.0e−8, rounding)"];
    check(&rounding, Semantics::Keras3, &says, &["exactly 0"]);
    rounding.inference.mates = seen(&[0.8, 0.9]);
    let never = ["In inference it stays", "rounding"];
    check(
        &rounding,
        Semantics::Keras3,
        &["In inference it ranges from 0.800 to 0.900."],
        &never,
    );
    rounding.inference.on_batch = 1;
    check(
        &rounding,
        Semantics::Keras2,
        &["the batch there too"],
        &never,
    );
    // Augmentation layers inside the model stay active in PyTorch's inference.
    let mut draws = open();
    draws.inference.passes = seen(&[0.8, 0.7, 0.75]);
    draws.inference.random = 2;
    let says =
        ["In inference it ranges from 0.700 to 0.800 too: 2 layers are random there as well."];
    check(&draws, Semantics::PyTorch, &says, &["In inference all"]);
}

#[test]
fn classes_that_differ_are_both_named() {
    let mut other = open();
    other.training.first = 1;
    other.training.first_probability = 0.5;
    for sighting in &mut other.training.passes[..2] {
        sighting.first = 1;
    }
    let says = [
        "training=True ranks monument first (0.500), training=False fish (0.800).",
        "A different class won 2 times.",
    ];
    check(&other, Semantics::Keras3, &says, &["Both modes"]);
    for sighting in &mut other.training.passes {
        sighting.first = 1;
    }
    check(
        &other,
        Semantics::Keras3,
        &["A different class won every time."],
        &[],
    );
}

#[test]
fn equal_in_three_decimals_is_not_called_equal() {
    let close = outcome(
        side(&[0.800_1; 3], &[0.8, 0.8], 0, 0),
        side(&[0.8; 3], &[0.8, 0.8], 0, 0),
    );
    check(
        &close,
        Semantics::Keras3,
        &["with 0.800; the classes shown differ"],
        &["the same numbers"],
    );
    assert_eq!(short_range(&seen(&[0.8, 0.800_01])), "0.800 ±5e−6");
    assert_eq!(short_range(&seen(&[0.8, 0.8])), "0.800");
    assert_eq!(short_range(&seen(&[0.8, 0.1])), "0.100 to 0.800");
}

#[test]
fn without_batch_mates_nothing_is_said_of_them() {
    let mut alone = open();
    alone.training.mates.clear();
    alone.inference.mates.clear();
    check(
        &alone,
        Semantics::Keras3,
        &["no other batches"],
        &["In inference it stays", "infinity", "inf "],
    );
}

#[test]
fn what_is_not_a_number_is_not_compared() {
    let mut broken = open();
    broken.training.mates[1].probability = f32::NAN;
    check(
        &broken,
        Semantics::Keras3,
        &["not numbers"],
        &["Both modes", "ranges from"],
    );
    assert_eq!(short_range(&broken.training.mates), "NaN");
}

#[test]
fn names_of_classes() {
    let mut model = modelens_jobs::ModelSource::Lab.open().unwrap();
    assert_eq!(class_name(&model, 4, 1), "monument");
    model.labels.clear();
    assert_eq!(class_name(&model, 4, 1), "class 1");
    assert_eq!(class_name(&model, 1, 0), "class 0 (1 − p)");
    model.labels = vec!["alpaca".to_owned()];
    assert_eq!(class_name(&model, 1, 0), "not alpaca");
    assert_eq!(class_name(&model, 1, 1), "alpaca");
    assert!(same_class("goldfish, Carassius auratus", "Goldfish"));
    assert!(same_class("Maltese dog", "maltese_dog"));
    assert!(!same_class("goldfish", "fish"));
}

#[test]
fn probabilities_keep_what_is_small() {
    assert_eq!(probability(0.0), "0.000");
    assert_eq!(probability(0.93), "0.930");
    assert_eq!(probability(1.2e-5), "1.2e−5");
}
