use super::*;
use crate::model::{Outer, Role, Semantics, effective};
use modelens_jobs::MeanPoint;

/// Ten units of 1; `mask` and `output` of the training side as given.
fn outcome(noise: Noise, mask: Option<Vec<f32>>, output: Vec<f32>) -> DropoutOutcome {
    bound(noise, mask, output, None, Semantics::Keras3)
}

fn bound(
    noise: Noise,
    mask: Option<Vec<f32>>,
    output: Vec<f32>,
    recorded: Option<bool>,
    semantics: Semantics,
) -> DropoutOutcome {
    let effective = |mode: Mode| {
        let outer = Outer::Given(mode);
        effective(Role::Noise, true, true, outer, recorded, semantics)
    };
    let input = vec![1.0; output.len()];
    let dropped = mask.iter().flatten().filter(|&&m| m == 0.0).count();
    let units = output.len();
    DropoutOutcome {
        file_rate: noise.strength(),
        shape: vec![units],
        training: DropoutSide {
            effective: effective(Mode::Training),
            input: input.clone(),
            output,
            mask,
            dropped,
        },
        inference: DropoutSide {
            effective: effective(Mode::Inference),
            input: input.clone(),
            output: input,
            mask: Some(vec![1.0; units]),
            dropped: 0,
        },
        largest: vec![0],
        mean: mean_of(0.5, 0.02),
        monte_carlo: None,
        noise,
    }
}

fn call(recorded: Option<bool>, semantics: Semantics) -> Call {
    Call::alone(Outer::Given(Mode::Training), recorded, semantics)
}

fn mean_of(first: f64, last: f64) -> MeanOfPasses {
    let point = |passes, distance| MeanPoint {
        passes,
        distance,
        expected: 0.0156,
    };
    MeanOfPasses {
        points: vec![point(1, first), point(1024, last)],
        largest: vec![1.0],
        watched: Vec::new(),
    }
}

fn plain(rate: f64) -> Noise {
    Noise::Dropout {
        rate,
        noise_shape: None,
    }
}

/// The first `dropped` units are 0, the others `scale`.
fn masked(dropped: usize, scale: f32) -> (Option<Vec<f32>>, Vec<f32>) {
    let mask: Vec<f32> = (0..10)
        .map(|i| if i < dropped { 0.0 } else { scale })
        .collect();
    (Some(mask.clone()), mask)
}

fn words(outcome: &DropoutOutcome) -> String {
    dropout(
        outcome,
        &outcome.training,
        &[],
        &call(None, Semantics::Keras3),
    )
}

#[test]
fn dropout_tells_counts_and_sums() {
    let (mask, output) = masked(2, 1.25);
    let outcome = outcome(plain(0.2), mask, output);
    let text = words(&outcome);
    assert!(
        text.contains("drops 2 of 10 units; with training=False every unit passes unchanged.**\nThe rate is 20%, this time 20% are dropped"),
        "{text}"
    );
    assert!(text.contains("1/(1−0.2) = 1.25"), "{text}");
    assert!(text.contains("from 10.00 to 10.00"), "{text}");
    assert!(text.contains("trainable has no effect"), "{text}");
    let head = heading(&outcome, &outcome.training);
    assert_eq!(head, "2 of 10 units dropped, the rest × 1.25");
    let head = heading(&outcome, &outcome.inference);
    assert_eq!(head, "every unit passes unchanged");
}

#[test]
fn a_rate_of_zero_is_not_said_to_drop_or_to_scale() {
    let (mask, output) = masked(0, 1.0);
    let text = words(&outcome(plain(0.0), mask, output));
    assert!(
        text.contains("At rate 0 the layer changes none of 10 units"),
        "{text}"
    );
    for word in ["drops", "multiplies", "away from"] {
        assert!(!text.contains(word), "{word}: {text}");
    }
}

#[test]
fn a_rate_of_one_is_not_said_to_scale_or_to_close_in() {
    let (mask, output) = masked(10, 1.0);
    let mut outcome = outcome(plain(1.0), mask, output);
    outcome.mean = mean_of(1.0, 1.0);
    let text = words(&outcome);
    assert!(text.contains("drops all 10 units; with"), "{text}");
    assert!(
        !text.contains("inf") || text.contains("inference"),
        "{text}"
    );
    for word in ["1/(1−", "formula", "multiplies"] {
        assert!(!text.contains(word), "{word}: {text}");
    }
    assert_eq!(heading(&outcome, &outcome.training), "all 10 units dropped");
}

#[test]
fn a_layer_bound_by_the_file_drops_nothing() {
    let (mask, output) = masked(0, 1.0);
    let semantics = Semantics::Keras2;
    let outcome = bound(plain(0.2), mask, output, Some(false), semantics);
    let text = dropout(
        &outcome,
        &outcome.training,
        &[],
        &call(Some(false), semantics),
    );
    assert!(text.contains("Nothing is dropped"), "{text}");
    assert!(!text.contains("away from"), "{text}");
}

#[test]
fn drop_connect_tells_what_its_one_draw_did() {
    let (mask, output) = masked(10, 1.0);
    let dropped = outcome(Noise::DropConnect { rate: 0.2 }, mask, output);
    assert!(words(&dropped).contains("drops all 10 units in this draw; with"));
    let (mask, output) = masked(0, 1.25);
    let kept = outcome(Noise::DropConnect { rate: 0.2 }, mask, output);
    let text = words(&kept);
    assert!(
        text.contains("keeps all 10 units in this draw; with"),
        "{text}"
    );
    assert!(text.contains("= 1.25"), "{text}");
    assert!(heading(&kept, &kept.training).contains("kept"));
    assert!(heading(&dropped, &dropped.training).contains("dropped"));
}

#[test]
fn shared_draws_are_counted_as_draws() {
    // Five positions of two channels; the first channel is dropped.
    let mask: Vec<f32> = (0..10)
        .map(|i| if i % 2 == 0 { 0.0 } else { 2.0 })
        .collect();
    let noise = Noise::SpatialDropout2d { rate: 0.5 };
    let mut spatial = outcome(noise, Some(mask.clone()), mask.clone());
    spatial.shape = vec![5, 1, 2];
    let text = words(&spatial);
    assert!(
        text.contains("drops 1 of 2 channels; with training=False every unit passes unchanged.**\nThe rate is 50%, this time 50% are dropped, 5 units each"),
        "{text}"
    );
    let head = heading(&spatial, &spatial.training);
    assert_eq!(head, "1 of 2 channels dropped, the rest × 2.00");
    let noise = |shape| Noise::Dropout {
        rate: 0.5,
        noise_shape: Some(shape),
    };
    let mut whole = spatial.clone();
    whole.noise = noise(vec![None, Some(1), Some(1), Some(1)]);
    whole.training.mask = Some(vec![2.0; 10]);
    whole.training.output = vec![2.0; 10];
    whole.training.dropped = 0;
    assert!(words(&whole).contains("keeps all 10 units in this draw; with"));
    assert!(heading(&whole, &whole.training).contains("whole photo kept"));
    spatial.noise = noise(vec![None, Some(1), Some(1), None]);
    let text = words(&spatial);
    assert!(text.contains("1 of 2 draws"), "{text}");
    assert!(text.contains("Draws are shared along an axis"), "{text}");
}

#[test]
fn gaussian_layers_are_not_said_to_drop() {
    let output = vec![0.9, 1.2, 1.0, 1.1, 0.8, 1.3, 0.7, 1.0, 1.0, 1.1];
    let gaussian = Noise::GaussianDropout { rate: 0.5 };
    let factors = outcome(gaussian, Some(output.clone()), output.clone());
    let text = words(&factors);
    assert!(text.contains("nothing is dropped"), "{text}");
    assert!(text.contains("= 1.00"), "the deviation: {text}");
    assert!(!text.contains("this time"), "{text}");
    assert!(!heading(&factors, &factors.training).contains("dropped"));
    let added = outcome(Noise::GaussianNoise { stddev: 0.1 }, None, output);
    let text = words(&added);
    assert!(
        text.contains("adds noise to each of 10 units; with training=False every unit passes unchanged.**\nThe noise has standard deviation 0.1"),
        "{text}"
    );
    assert!(!text.contains("drop"), "{text}");
    assert!(unit(&added, &added.training, 0).contains("noise added"));
}

#[test]
fn alpha_dropout_is_not_said_to_scale_or_to_close_in() {
    let mask: Vec<f32> = (0..10).map(|i| if i < 3 { 0.0 } else { 1.0 }).collect();
    let output: Vec<f32> = mask
        .iter()
        .map(|m| if *m == 0.0 { -1.1 } else { 0.95 })
        .collect();
    let mut alpha = outcome(Noise::AlphaDropout { rate: 0.3 }, Some(mask), output);
    alpha.mean = mean_of(0.8, 0.6);
    let text = words(&alpha);
    assert!(
        text.contains("sets 3 of 10 units to −1.1000; with"),
        "{text}"
    );
    assert!(text.contains("not each unit"), "{text}");
    assert!(!text.contains("multiplies"), "{text}");
    assert!(unit(&alpha, &alpha.training, 5).contains("a · x + b"));
    // Where the numbers do close in, nothing else is said.
    alpha.mean = mean_of(0.8, 0.1);
    assert!(!words(&alpha).contains("not each unit"));
}

#[test]
fn a_mean_that_does_not_close_in_is_told_by_its_numbers_alone() {
    let (mask, output) = masked(0, 1.25);
    let mut lucky = outcome(plain(0.2), mask, output);
    // A first pass that dropped nothing is nearer than the formula says.
    lucky.mean = mean_of(0.01, 0.02);
    let text = words(&lucky);
    assert!(text.contains("One pass is 1% away"), "{text}");
    assert!(text.contains("mean of 1,024 passes is 2% away"), "{text}");
    assert!(!text.contains("formula"), "{text}");
    lucky.mean.points.clear();
    assert!(
        !words(&lucky).contains("away"),
        "no distance without a size"
    );
}

fn passes(probabilities: &[f32], winners: &[usize]) -> MonteCarlo {
    MonteCarlo {
        top: 1,
        inference: 0.9,
        probabilities: probabilities.to_vec(),
        winners: winners.to_vec(),
        drawing: 1,
        noises: 1,
    }
}

#[test]
fn the_prediction_is_told_by_its_range_and_its_losses() {
    let labels = ["cat".to_owned(), "dog".to_owned()];
    let found = passes(&[0.4, 0.8, 0.95, 0.9], &[0, 1, 1, 1]);
    let text = monte_carlo(&found, &labels);
    assert!(
        text.contains("dog gets 40% to 95% (inference: 90%)"),
        "{text}"
    );
    assert!(text.contains("1 pass gives another class"), "{text}");
    let found = passes(&[0.8, 0.95], &[1, 1]);
    assert!(monte_carlo(&found, &labels).contains("no pass gives another class"));
    let mut still = passes(&[0.9, 0.9], &[1, 1]);
    still.drawing = 0;
    let text = monte_carlo(&still, &[]);
    assert!(text.contains("no layer is random"), "{text}");
    assert!(text.contains("class 1 gets 90% each time"), "{text}");
    assert!(!text.contains(" to "), "{text}");
    still.noises = 4;
    still.drawing = 3;
    assert!(monte_carlo(&still, &[]).contains("3 of 4 noise layers are random"));
}
