//! Five steps of each optimizer against Keras and PyTorch
//! (`tests/fixtures/generators/make_optimizer_goldens.py`).

use modelens::model::Semantics;
use modelens::model::layers::WeightMap;
use modelens::train::optimizer::{Optimizer, OptimizerKind};

use crate::support::files::{Arrays, ops, read_npz};
use crate::support::numbers::{distance, values};

#[test]
fn five_steps_of_each_optimizer_equal_those_of_the_framework() {
    let io = read_npz(&ops("optimizers.npz"));
    for (semantics, prefix) in [
        (Semantics::Keras3, ""),
        (Semantics::Keras2, ""),
        (Semantics::PyTorch, "torch_"),
    ] {
        five_steps(&io, semantics, prefix);
    }
}

fn five_steps(io: &Arrays, semantics: Semantics, prefix: &str) {
    for (name, kind) in [
        ("sgd", OptimizerKind::SGD),
        ("sgd_plain", OptimizerKind::Sgd { momentum: 0.0 }),
        ("rmsprop", OptimizerKind::RmsProp),
        ("adam", OptimizerKind::Adam),
        ("adamw", OptimizerKind::AdamW),
    ] {
        let mut optimizer = Optimizer::new(kind, semantics);
        let mut weights = WeightMap::from([((0, "kernel"), io["w0"].clone())]);
        for step in 0..5 {
            let gradient = io["gradients"].get(step).expect("a step");
            let gradients = WeightMap::from([((0, "kernel"), gradient)]);
            weights = optimizer
                .step(0.01, &weights, &gradients)
                .expect("shapes that fit");
            let expected = values(&io[&format!("{prefix}{name}")].get(step).expect("a step"));
            let found = values(&weights[&(0, "kernel")]);
            let distance = distance(&found, &expected);
            assert!(distance < 1e-6, "{prefix}{name}, step {step}: {distance:e}");
        }
    }
}

#[test]
fn a_weight_without_a_gradient_does_not_change() {
    let io = read_npz(&ops("optimizers.npz"));
    let weights = WeightMap::from([((0, "kernel"), io["w0"].clone())]);
    for kind in OptimizerKind::ALL {
        let after = Optimizer::new(kind, Semantics::Keras3).step(0.1, &weights, &WeightMap::new());
        let after = after.expect("a step");
        assert_eq!(values(&after[&(0, "kernel")]), values(&io["w0"]));
    }
}
