//! The distributions of the draws, compared with what the framework drew (`augment_layers.json`).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::super::*;
use super::golden::path;
use super::layers::read;

/// Draws of ours for each layer.
const N: u64 = 4_000;
/// How far two distribution functions may be apart. The framework's samples have 600 to 6,000 numbers:
/// the difference stays below 1.95 sqrt(1/600 + 1/4000) = 0.09 in 999 of 1,000 cases, with the fixed
/// seeds here always.
const APART: f64 = 0.06;

#[derive(Deserialize)]
struct Distribution {
    class: String,
    config: Map<String, Value>,
    /// 21 quantiles, from the smallest to the largest number, by the name of the quantity.
    quantities: BTreeMap<String, Vec<f64>>,
    /// `[height, width]` of the images.
    size: Option<[usize; 2]>,
    /// The share of images that changed.
    applied: Option<f64>,
}

#[derive(Deserialize)]
struct Fixture {
    distributions: Vec<Distribution>,
    /// How often each operation was chosen.
    operations: BTreeMap<String, Vec<f64>>,
}

fn fixture() -> Fixture {
    let text = std::fs::read_to_string(path("augment_layers.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// The largest distance of our distribution function from the quantiles of theirs.
pub fn distance(ours: &[f64], quantiles: &[f64]) -> f64 {
    let n = ours.len() as f64;
    let last = quantiles.len() as f64 - 1.0;
    let mut worst = 0.0_f64;
    for (i, &at) in quantiles.iter().enumerate() {
        let level = i as f64 / last;
        let near = 1e-5 * at.abs().max(1e-3);
        let below = ours.iter().filter(|&&x| x < at - near).count() as f64 / n;
        let until = ours.iter().filter(|&&x| x <= at + near).count() as f64 / n;
        worst = worst.max(below - level).max(level - until);
    }
    worst
}

#[test]
fn every_layer_draws_as_the_framework_does() {
    let mut wrong = Vec::new();
    for own in fixture().distributions {
        let layer = read(&own.class, &own.config);
        let [height, width] = own.size.unwrap_or([8, 10]);
        let semantics = match layer.since() {
            Since::Keras2Only => Semantics::Keras2,
            Since::Always | Since::Keras3(_) => Semantics::Keras3,
        };
        let draws = (0..N).map(|batch| {
            let drawn = layer.draw_batch(semantics, 7, &[batch], 1, height, width);
            drawn.into_iter().next().unwrap()
        });
        let draws: Vec<Draw> = draws.collect();
        for (name, quantiles) in &own.quantities {
            // What is drawn only where the layer acts is 0 elsewhere.
            let acts = |draw: &Draw| own.applied.is_none() || !draw.words().is_empty();
            let drawn = draws.iter().filter(|draw| acts(draw)).filter_map(|draw| {
                let quantities = draw.quantities();
                quantities
                    .iter()
                    .find(|(own, _)| own == name)
                    .map(|(_, number)| *number)
            });
            let drawn: Vec<f64> = drawn.collect();
            assert!(drawn.len() > 1_500, "{} has no `{name}`", own.class);
            let apart = distance(&drawn, quantiles);
            if apart > APART {
                wrong.push(format!("{} {name}: {apart:.3} apart", own.class));
            }
        }
        if let Some(applied) = own.applied {
            let ours = draws.iter().filter(|draw| !draw.words().is_empty()).count();
            let ours = ours as f64 / N as f64;
            assert!(
                (ours - applied).abs() < 0.03,
                "{}: {ours} of {applied}",
                own.class
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn operations_are_chosen_as_often_as_in_keras_and_once_for_a_batch() {
    let operations = fixture().operations.remove("RandAugment").unwrap();
    let layer = super::layer(Transform::RandAugment(RandAugment::default()));
    let mut counts = [0_u32; 11];
    for batch in 0..N {
        let drawn = layer.draw_batch(Semantics::Keras3, 7, &[batch], 3, 8, 8);
        let chosen: Vec<Vec<Operation>> = drawn
            .iter()
            .map(|draw| match draw {
                Draw::RandAugment(draw) => draw.operations.iter().map(|o| o.operation).collect(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert!(chosen.iter().all(|one| *one == chosen[0]));
        counts[chosen[0][0] as usize] += 1;
    }
    for (count, theirs) in counts.into_iter().zip(operations) {
        let share = f64::from(count) / N as f64;
        assert!((share - theirs).abs() < 0.04, "{share} and {theirs}");
        assert!((share - 1.0 / 11.0).abs() < 0.02, "{share}");
    }
}

#[test]
fn mixing_gives_the_labels_their_shares() {
    let mix = |partner: usize, share: f64| {
        Draw::MixUp(MixUpDraw {
            place: 0,
            partner,
            share,
        })
    };
    let draws = [vec![mix(1, 0.7)], vec![mix(0, 0.4)], vec![mix(2, 0.5)]];
    let targets = Pipeline::targets(&draws);
    let close = |target: &[(usize, f64)], expected: &[(usize, f64)]| {
        target.len() == expected.len()
            && target
                .iter()
                .zip(expected)
                .all(|(a, b)| a.0 == b.0 && (a.1 - b.1).abs() < 1e-12)
    };
    assert!(close(&targets[0], &[(0, 0.7), (1, 0.3)]), "{targets:?}");
    assert!(close(&targets[1], &[(0, 0.6), (1, 0.4)]), "{targets:?}");
    assert!(close(&targets[2], &[(2, 1.0)]), "{targets:?}");
    // Mixed twice: the partner's label is already mixed.
    let twice = draws.map(|draws| [draws.clone(), draws].concat());
    let first = &Pipeline::targets(&twice)[0];
    assert!(close(first, &[(0, 0.67), (1, 0.33)]), "{first:?}");
}
