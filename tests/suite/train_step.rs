//! One optimizer step against Keras 3 and tf_keras, for four freeze patterns in both modes
//! (`tests/fixtures/generators/make_op_goldens.py`, part 3: SGD, rate 0.5, mean square to zero).

use modelens::model::pass::{PassCache, PassOptions};
use modelens::model::{Flags, LayerId, Mode, Model};
use modelens::train::{SgdStep, loss, sgd_step};
use modelens_jobs::ModelSource;

use crate::support::files::{Arrays, ops, read_npz};
use crate::support::numbers::values;

const PATTERNS: [(&str, &[&str]); 4] = [
    ("all", &[]),
    ("head_only", &["conv", "bn", "relu", "dw", "bn_dw"]),
    ("bn_frozen", &["bn", "bn_dw"]),
    ("conv_frozen", &["conv", "dw"]),
];

/// The value of a weight after the step, in the fixture's name for it.
fn after(model: &Model, step: &SgdStep, layer: LayerId, name: &str) -> Vec<f32> {
    if let Some(done) = step.pass.batch_norm.get(&layer) {
        match name {
            "moving_mean" => return done.next.mean.clone(),
            "moving_variance" => return done.next.variance.clone(),
            _ => {}
        }
    }
    let own = &model.graph.layers[layer];
    let weight = own
        .weights
        .iter()
        .find(|w| w.name == name)
        .or_else(|| own.weights.iter().find(|w| w.name.ends_with(name)));
    let weight = weight.unwrap_or_else(|| panic!("{}/{name}", own.name));
    values(
        step.weights
            .get(&(layer, weight.name))
            .unwrap_or(&model.weights[&(layer, weight.name)]),
    )
}

fn check(tag: &str) {
    let io: Arrays = read_npz(&ops(&format!("train_step_{tag}.npz")));
    let source = ModelSource::File(ops(&format!("train_step_{tag}.h5")));
    let model = source.open().unwrap_or_else(|e| panic!("{e}"));
    for (pattern, frozen) in PATTERNS {
        for (mode, mode_name) in [(Mode::Training, "training"), (Mode::Inference, "inference")] {
            let mut flags = Flags::all(&model.graph, true);
            for name in frozen {
                let id = model.graph.find(name).expect("the layer");
                flags.set(&model.graph, id, false, model.semantics);
            }
            let options = PassOptions {
                random: true,
                ..PassOptions::of(&model, &flags, mode)
            };
            let mut passes = PassCache::new(&model, &io["x_nhwc"]);
            let step = sgd_step(&mut passes, &options, 0.5, loss::mean_square, &|_, _| true)
                .unwrap_or_else(|e| panic!("{e}"));
            let key = format!("{pattern}/{mode_name}");
            let expected = values(&io[&format!("loss/{key}")])[0];
            assert!(
                (step.loss - expected).abs() <= 1e-4 * expected.abs(),
                "{tag} {key} loss"
            );
            let prefix = format!("after/{key}/");
            let mut seen = 0;
            for (name, expected) in io
                .iter()
                .filter_map(|(k, v)| Some((k.strip_prefix(&prefix)?, v)))
            {
                let (layer, weight) = name.split_once('/').expect("layer/weight");
                let id = model.graph.find(layer).expect("the layer");
                let found = after(&model, &step, id, weight);
                let what = format!("{tag} {key} {name}");
                assert_step_close(&found, &values(expected), &what);
                if frozen.contains(&layer) {
                    let before = values(&io[&format!("before/{name}")]);
                    assert_eq!(found, before, "{what}: frozen means bit for bit");
                }
                seen += 1;
            }
            assert!(seen >= 12, "{tag} {key}: {seen} weights");
        }
    }
}

/// As `assert_close`, except where all values stay below 0.01: in training mode beta before a
/// pooling has a gradient of exactly 0 (the mean output is beta itself), and what the frameworks
/// write there is rounding.
fn assert_step_close(found: &[f32], expected: &[f32], what: &str) {
    let largest = expected.iter().fold(0.01_f32, |m, v| m.max(v.abs()));
    assert_eq!(found.len(), expected.len(), "{what}");
    let pairs = found.iter().zip(expected);
    let worst = pairs.map(|(a, b)| (a - b).abs()).fold(0.0_f32, f32::max);
    assert!(worst <= 1e-4 * largest, "{what}: {worst:e}");
}

#[test]
fn keras_3() {
    check("keras3");
}

#[test]
fn keras_2() {
    check("keras2");
}

/// What is not a number stays so through ReLU: a pass never makes a broken weight look sound.
#[test]
fn relu_keeps_what_is_not_a_number() {
    use modelens::model::graph::Activation;
    use modelens::model::layers::activate;
    let x = candle_core::Tensor::new(&[f32::NAN, -1.0, 7.0], &candle_core::Device::Cpu);
    let y = activate(&x.expect("a tensor"), Activation::RELU6).expect("an activation");
    let y = values(&y);
    assert!(y[0].is_nan());
    assert_eq!(y[1..], [0.0, 6.0]);
}
