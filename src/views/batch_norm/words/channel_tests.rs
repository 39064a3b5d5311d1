use super::*;
use crate::model::{Outer, Role, Statistics, effective};
use modelens_jobs::{HISTOGRAM_BINS, Moments};

fn outcome(trainable: bool, recorded: Option<bool>, semantics: Semantics) -> BatchNormOutcome {
    let moving = Moments {
        mean: vec![0.2845, 1.0],
        variance: vec![0.3388, 4.0],
    };
    let batch = Moments {
        mean: vec![0.5296, 9.0],
        variance: vec![0.393, 5.0],
    };
    let next = Moments {
        mean: vec![0.2847, 1.008],
        variance: vec![0.3389, 4.001],
    };
    let side = |mode: Mode| {
        let ancestors = true;
        let outer = Outer::Given(mode);
        let effective = effective(
            Role::BatchNorm,
            trainable,
            ancestors,
            outer,
            recorded,
            semantics,
        );
        let batch_is_used = effective.statistics == Some(Statistics::Batch);
        BatchNormSide {
            effective,
            batch: batch.clone(),
            used: if batch_is_used {
                batch.clone()
            } else {
                moving.clone()
            },
            next: if effective.updates_statistics {
                next.clone()
            } else {
                moving.clone()
            },
            histogram: vec![vec![0; HISTOGRAM_BINS]; 2],
            map: vec![0.0; 50],
        }
    };
    BatchNormOutcome {
        n: 800,
        shape: vec![32, 5, 5, 2],
        momentum: 0.999,
        epsilon: 1e-3,
        gamma: vec![1.0; 2],
        beta: vec![0.0; 2],
        training: side(Mode::Training),
        inference: side(Mode::Inference),
        moving,
        histogram_axis: vec![[-3.0, 3.0]; 2],
        calls: 1,
        semantics,
        layers: Vec::new(),
    }
}

/// The view's sentences with the layer's own momentum.
fn batch_norm(
    outcome: &BatchNormOutcome,
    channel: usize,
    trainable: bool,
    semantics: Semantics,
) -> String {
    let next = f64::from(outcome.training.next.mean[channel]);
    let moves = Moves {
        momentum: outcome.momentum,
        next,
        walk: None,
    };
    let recorded = (!outcome.training.effective.training).then_some(false);
    let call = Call::alone(Outer::Given(Mode::Training), recorded, semantics);
    what_you_see(outcome, channel, trainable, &call, &moves)
}

#[test]
fn a_trainable_batch_norm_uses_the_batch() {
    for semantics in Semantics::ALL {
        let text = batch_norm(&outcome(true, None, semantics), 0, true, semantics);
        assert!(text.contains("own mean 0.5296"), "{text}");
        assert!(text.contains("stored mean 0.2845"), "{text}");
        let momentum = match semantics {
            Semantics::PyTorch => "0.001",
            Semantics::Keras2 | Semantics::Keras3 | Semantics::Keras316 => "0.999",
        };
        let share = format!("a thousandth of the gap (momentum {momentum})");
        assert!(text.contains(&share), "{text}");
    }
}

#[test]
fn a_small_move_is_seen_as_one() {
    let mut outcome = outcome(true, None, Semantics::PyTorch);
    outcome.moving.mean[0] = 0.885_797;
    outcome.training.next.mean[0] = 0.885_823;
    let text = batch_norm(&outcome, 0, true, Semantics::PyTorch);
    assert!(
        text.contains("would move the stored mean from 0.88580 to 0.88582,"),
        "{text}"
    );
    outcome.training.next.mean[0] = 0.885_797;
    let text = batch_norm(&outcome, 0, true, Semantics::PyTorch);
    assert!(
        text.contains("would move the stored mean to 0.8858,"),
        "{text}"
    );
}

#[test]
fn a_frozen_batch_norm_never_claims_to_use_the_batch_in_keras() {
    for semantics in [Semantics::Keras2, Semantics::Keras3] {
        let outcome = outcome(false, None, semantics);
        let text = batch_norm(&outcome, 0, false, semantics);
        assert!(text.contains("The layer is frozen"), "{text}");
        assert!(text.contains("even with training=True"), "{text}");
        assert!(!text.contains("is normalised with this batch"), "{text}");
        assert!(!text.contains("would move"), "{text}");
        let heading = heading(&outcome.training, Mode::Training, false);
        assert_eq!(heading, "frozen: moving statistics of the file");
    }
}

#[test]
fn a_frozen_batch_norm_in_pytorch_still_moves() {
    let outcome = outcome(false, None, Semantics::PyTorch);
    let text = batch_norm(&outcome, 0, false, Semantics::PyTorch);
    assert!(text.contains("still move"), "{text}");
    assert!(text.contains("own mean 0.5296"), "{text}");
    let heading = heading(&outcome.training, Mode::Training, false);
    assert_eq!(heading, "batch statistics");
}

#[test]
fn a_recorded_value_is_the_reason_in_keras_2_only() {
    let recorded = Some(false);
    let keras2 = batch_norm(
        &outcome(true, recorded, Semantics::Keras2),
        0,
        true,
        Semantics::Keras2,
    );
    assert!(
        keras2.contains("training=False is recorded at the call around it"),
        "{keras2}"
    );
    assert!(!keras2.contains("Frozen"), "{keras2}");
    let keras3 = batch_norm(
        &outcome(true, recorded, Semantics::Keras3),
        0,
        true,
        Semantics::Keras3,
    );
    assert!(keras3.contains("own mean"), "{keras3}");
}

#[test]
fn the_channel_that_differs_most_comes_first() {
    let outcome = outcome(true, None, Semantics::Keras3);
    assert_eq!(outcome.most_different(), [1, 0]);
    let text = batch_norm(&outcome, 1, true, Semantics::Keras3);
    assert!(text.contains("4.00 standard deviations apart"), "{text}");
}
