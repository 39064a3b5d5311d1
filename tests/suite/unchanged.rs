//! Looking at a model never changes it: every weight and statistic stays as it was, bit for bit.

use std::collections::BTreeMap;

use modelens::augment::Pipeline;
use modelens::model::{Flags, LayerKind, Mode, Model, Preprocessing};
use modelens::worker::{AugmentationLook, DropoutSetting, Grid, Look, Outcome, PassLook};

use crate::support::{Opened, dog_breeds, values};

/// The bits of every weight.
pub fn bits(model: &Model) -> Vec<u32> {
    let weights = model.graph.layers.iter().flat_map(|l| &l.weights);
    weights
        .flat_map(|w| values(&w.tensor))
        .map(f32::to_bits)
        .collect()
}

#[test]
fn every_view_leaves_every_weight_as_it_was() {
    let model = dog_breeds();
    let before = bits(&model);
    let opened = Opened::bundled();
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
        model: opened.model,
        photos: opened.photos,
        photo: 24,
        batch: 4,
        seed: 7,
        redraws: 0,
        random: true,
        preprocessing: Preprocessing::MinusOneToOne,
        flags: Flags::all(&model.graph, true),
        augment: None,
        semantics: model.semantics,
        call: Mode::Training.into(),
    };
    let Outcome::BatchNorm(outcome) = opened.outcome(Look::BatchNorm {
        pass: pass.clone(),
        layer: batch_norm,
    }) else {
        panic!("a BatchNorm outcome");
    };
    assert_ne!(
        outcome.training.next, outcome.moving,
        "the statistics that would follow differ"
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
        photos: opened.photos,
        photo: 24,
        grid: Grid::OnePhoto,
        cell_redraws: BTreeMap::new(),
        height: 160,
        width: 160,
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
            .all(|cell| cell.image == cell.original)
    );
    assert!(
        outcome
            .training
            .iter()
            .any(|cell| cell.image != cell.original)
    );
    assert_eq!(bits(&model), before);
}

#[test]
fn equal_looks_have_equal_outcomes() {
    let model = dog_breeds();
    let opened = Opened::bundled();
    let layer = model.graph.find("dropout").expect("the dropout layer");
    let pass = PassLook {
        model: opened.model,
        photos: opened.photos,
        photo: 3,
        batch: 2,
        seed: 11,
        redraws: 5,
        random: true,
        preprocessing: Preprocessing::MinusOneToOne,
        flags: Flags::all(&dog_breeds().graph, true),
        augment: None,
        semantics: modelens::model::Semantics::Keras3,
        call: Mode::Training.into(),
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
