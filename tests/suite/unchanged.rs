//! Viewing a model never changes it: every weight and statistic stays the same bit for bit.

use std::collections::BTreeMap;

use modelens::augment::Pipeline;
use modelens::model::{Flags, LayerKind};
use modelens_jobs::{AugmentationLook, DropoutSetting, Grid, Look, Outcome, PassLook};

use crate::support::looks::Opened;
use crate::support::models::bits;

#[test]
fn no_view_changes_a_weight() {
    let opened = Opened::bundled();
    let model = &opened.model;
    let before = bits(model);
    let find = |matches: &dyn Fn(&LayerKind) -> bool| {
        model
            .graph
            .layers
            .iter()
            .rposition(|l| matches(&l.kind))
            .expect("such a layer")
    };
    let batch_norm = find(&|k| matches!(k, LayerKind::BatchNorm(_)));
    let dropout = find(&|k| matches!(k, LayerKind::Noise(_)));
    let pass = PassLook {
        flags: Flags::all(&model.graph, true),
        ..opened.pass_look()
    };
    let Outcome::BatchNorm(outcome) = opened.outcome(Look::BatchNorm {
        pass: pass.clone(),
        layer: batch_norm,
    }) else {
        panic!("a BatchNorm outcome");
    };
    assert_ne!(
        outcome.training.next, outcome.moving,
        "the next statistics differ"
    );
    assert_eq!(outcome.inference.next, outcome.moving);
    let Outcome::Dropout(outcome) = opened.outcome(Look::Dropout {
        pass,
        layer: dropout,
        setting: DropoutSetting::default(),
    }) else {
        panic!("a dropout outcome");
    };
    assert!(outcome.training.dropped > 0);
    assert_eq!(
        outcome.inference.input, outcome.inference.output,
        "identity in inference"
    );
    let look = AugmentationLook {
        photos: opened.photos_id,
        photo: 24,
        grid: Grid::OnePhoto,
        cell_redraws: BTreeMap::new(),
        height: 160,
        width: 160,
        channels: 3,
        pipeline: Pipeline::course(),
        semantics: model.semantics,
        seed: 7,
        redraws: 0,
    };
    let Outcome::Augmentation(outcome) = opened.outcome(Look::Augmentation(look)) else {
        panic!("an augmentation outcome");
    };
    assert!(
        outcome
            .inference
            .iter()
            .all(|cell| cell.largest_difference == Some(0.0))
    );
    assert!(
        outcome
            .training
            .iter()
            .any(|cell| cell.largest_difference != Some(0.0))
    );
    assert_eq!(bits(model), before);
}

#[test]
fn equal_requests_have_equal_results() {
    let opened = Opened::bundled();
    let model = &opened.model;
    let layer = model.graph.find("dropout").expect("the dropout layer");
    let pass = PassLook {
        photo: 3,
        batch: 2,
        seed: 11,
        redraws: 5,
        flags: Flags::all(&model.graph, true),
        ..opened.pass_look()
    };
    let run = |pass: PassLook| {
        let setting = DropoutSetting::default();
        let look = Look::Dropout {
            pass,
            layer,
            setting,
        };
        match opened.outcome(look) {
            Outcome::Dropout(outcome) => (outcome.training.output, outcome.training.mask),
            _ => panic!("a dropout outcome"),
        }
    };
    assert_eq!(run(pass.clone()), run(pass.clone()), "one seed, one mask");
    let other = run(PassLook {
        redraws: 6,
        ..pass.clone()
    });
    assert_ne!(run(pass).1, other.1, "a new mask after a redraw");
}
