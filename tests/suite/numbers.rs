//! Numbers that are easily wrong without a word, against the framework.

use std::path::PathBuf;
use std::sync::Arc;

use candle_core::Tensor;
use modelens::cli::arrays::{NamedArray, write_npz};
use modelens::model::{Flags, Mode, Model, Outer, Semantics};
use modelens::train::network::{Head, Network, TrainError};
use modelens::train::optimizer::OptimizerKind;
use modelens::train::trainer::{PhotoBatches, Proceed, Stage, Trainer, TrainingPlan};
use modelens_jobs::ModelSource;

use crate::support::files::{Arrays, read_npz, repository};
use crate::support::models::{assert_statistics, opened, pass};
use crate::support::numbers::{distance, values};
use crate::support::program::{modelens, succeeds, text};

fn keras(name: &str) -> PathBuf {
    repository("tests/fixtures/keras_numbers").join(name)
}

fn open(path: PathBuf) -> Model {
    opened(&ModelSource::File(path))
}

#[test]
fn bfloat16_in_opaque_data_is_read_by_the_layers_policy() {
    for version in ["keras2", "keras3"] {
        let io = read_npz(&keras(&format!("bfloat16_{version}.npz")));
        for ending in ["h5", "keras"] {
            let model = open(keras(&format!("bfloat16_{version}.{ending}")));
            let y = pass(&model, &io["x"], Mode::Inference).output;
            let distance = distance(&values(&y), &values(&io["y"]));
            assert!(distance < 1e-2, "{version}.{ending}: {distance:e}");
        }
    }
}

#[test]
fn other_opaque_data_and_quantised_layers_are_refused() {
    for (written, instead, why) in [
        ("\"bfloat16\"", "\"floatx16\"", "opaque data of 2 bytes"),
        (
            "{\"name\": \"bfloat16\"}",
            "{\"mode\": \"int8\"    }",
            "it is quantised (int8)",
        ),
    ] {
        let mut bytes = std::fs::read(keras("bfloat16_keras3.h5")).expect("the fixture");
        assert_eq!(written.len(), instead.len());
        let places: Vec<usize> = (0..bytes.len() - written.len())
            .filter(|&at| bytes[at..].starts_with(written.as_bytes()))
            .collect();
        assert!(!places.is_empty(), "{written}");
        for at in places {
            bytes[at..at + written.len()].copy_from_slice(instead.as_bytes());
        }
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("other.h5");
        std::fs::write(&path, bytes).expect("a file");
        let refused = ModelSource::File(path).open();
        let refused = refused.map(|_| ()).expect_err("refused").to_string();
        assert!(refused.contains(why), "{refused}");
    }
}

#[test]
fn a_batch_norm_that_is_called_twice_is_updated_in_the_order_of_keras() {
    for version in ["keras2", "keras3"] {
        let io = read_npz(&keras(&format!("twice_{version}.npz")));
        let model = open(keras(&format!("twice_{version}.keras")));
        let done = pass(&model, &io["x"], Mode::Training);
        assert_eq!(assert_statistics(&model, &io, &done, version), 4);
    }
}

struct Photos(Tensor);

impl PhotoBatches for Photos {
    fn batch(
        &mut self,
        photos: &[usize],
        _: Option<u64>,
        _: Proceed<'_>,
    ) -> Result<Tensor, TrainError> {
        let rows: Vec<Tensor> = photos
            .iter()
            .map(|&i| self.0.narrow(0, i, 1).expect("a photo"))
            .collect();
        Tensor::cat(&rows, 0).map_err(TrainError::Tensor)
    }

    fn augments(&self) -> bool {
        false
    }
}

#[test]
fn regularizers_and_constraints_count_as_in_fit() {
    for version in ["keras2", "keras3"] {
        for name in ["weights", "activities", "separable", "frozen"] {
            let what = format!("penalties_{name}_{version}");
            let io = read_npz(&keras(&format!("{what}.npz")));
            let model = open(keras(&format!("{what}.keras")));
            assert!(model.warnings.is_empty(), "{:?}", model.warnings);
            trains_as_keras(&model, &io, &what);
        }
    }
}

fn trains_as_keras(model: &Model, io: &Arrays, what: &str) {
    let classes = ["a", "b"].map(str::to_owned);
    let network = Network::new(model, Head::Own, &classes, [6, 6]).expect("a network");
    let plan = TrainingPlan {
        optimizer: OptimizerKind::Sgd { momentum: 0.0 },
        batch: 4,
        seed: 1,
        semantics: model.semantics,
        outer: Outer::Given(Mode::Training),
        stages: vec![Stage {
            epochs: 3,
            rate: 0.05,
            flags: Flags::of_file(&model.graph),
            base_call: None,
            lost_evals: None,
        }],
        training: (0..4).collect(),
        validation: (0..4).collect(),
        targets: values(&io["classes"]).iter().map(|&c| c as u32).collect(),
    };
    let mut trainer = Trainer::new(Arc::new(network), plan).expect("a run");
    let mut photos = Photos(io["x"].clone());
    let mut losses = Vec::new();
    let mut evaluated = 0.0;
    while let Some(step) = trainer.advance(&mut photos, &|| true).expect("a step") {
        losses.push(step.batch.loss as f32);
        let scores = step.end.and_then(|end| end.validation);
        evaluated = scores.map_or(0.0, |[_, inference]| inference.loss);
    }
    let off = distance(&losses, &values(&io["losses"]));
    assert!(off < 1e-5, "{what}: {losses:?}, {off:e}");
    let off = distance(&[evaluated as f32], &values(&io["evaluated"]));
    assert!(off < 1e-5, "{what}: evaluated {evaluated}, {off:e}");
    let mut compared = 0;
    for (key, expected) in io {
        let Some((layer, weight)) = key.strip_prefix("w/").and_then(|k| k.split_once('/')) else {
            continue;
        };
        let layer = model.graph.find(layer).expect("the layer");
        let weights = &model.graph.layers[layer].weights;
        // Keras 3 calls the kernel of a depthwise convolution `kernel`.
        let own = weights
            .iter()
            .map(|w| w.name)
            .find(|name| *name == weight || (weight == "kernel" && *name == "depthwise_kernel"));
        let own = own.expect("the weight");
        let found = trainer.weights().get(&(layer, own));
        let found = found.or_else(|| model.weights.get(&(layer, own)));
        let off = distance(&values(found.expect("a value")), &values(expected));
        assert!(off < 1e-4, "{what}, {key}: {off:e}");
        compared += 1;
    }
    assert!(compared > 5, "{what}");
}

#[test]
fn values_of_onnx_files_have_the_layout_of_the_file() {
    let folder = repository("tests/fixtures/onnx");
    let io = read_npz(&folder.join("layouts.npz"));
    let out = tempfile::tempdir().expect("a folder");
    let inputs = ["x", "x1"].map(|name| {
        let path = out.path().join(format!("{name}.npz"));
        let x = ("x".to_owned(), NamedArray::Numbers(io[name].clone()));
        write_npz(&path, &[x]).expect("an archive");
        path
    });
    let mut wrong = Vec::new();
    let mut compared = 0;
    let names: Vec<&str> = io.keys().filter_map(|key| key.strip_suffix("/y")).collect();
    for name in names {
        let model = folder.join("layouts").join(format!("{name}.onnx"));
        let result = out.path().join(format!("{name}.npz"));
        let taps: Vec<&str> = io
            .keys()
            .filter_map(|key| key.strip_prefix(name)?.strip_prefix("/tap/"))
            .collect();
        let input = &inputs[usize::from(name == "one_channel")];
        let mut arguments = vec!["run", text(&model), "--input", text(input)];
        arguments.extend(["--mode", "inference", "--out", text(&result)]);
        arguments.extend(taps.iter().flat_map(|tap| ["--tap", *tap]));
        let done = modelens(&arguments);
        if !done.status.success() {
            let error = String::from_utf8_lossy(&done.stderr).into_owned();
            // An operator on an axis that is not tracked is refused in words, which is no wrong number.
            let must_open = name.contains("depth") || name == "there_and_back";
            let is_refusal = ["supported", "along another axis"];
            if !is_refusal.iter().any(|words| error.contains(words)) || must_open {
                wrong.push(format!("{name}: {error}"));
            }
            continue;
        }
        let found = read_npz(&result);
        let taps = taps.iter().map(|tap| format!("tap/{tap}"));
        for key in taps.chain(["y".to_owned()]) {
            let expected = &io[&format!("{name}/{key}")];
            if found[&key].dims() != expected.dims() {
                let dims = [found[&key].dims(), expected.dims()];
                wrong.push(format!("{name}/{key}: {dims:?}"));
                continue;
            }
            let off = distance(&values(&found[&key]), &values(expected));
            if off >= 1e-5 {
                wrong.push(format!("{name}/{key}: {off:e}"));
            }
            compared += 1;
        }
    }
    assert!(wrong.is_empty(), "{compared} right, {}", wrong.join("\n"));
    assert!(compared >= 40, "{compared} arrays compared");
}

#[test]
fn a_name_of_two_layers_is_refused_with_their_paths() {
    let path = keras("two_bases.keras");
    let model = open(path.clone());
    let graph = &model.graph;
    let refused = graph.find("bn1").expect_err("two layers").to_string();
    let expected = "2 layers are called `bn1`; write the path of one of them: left/bn1, right/bn1";
    assert_eq!(refused, expected);
    let [left, right] = ["left/bn1", "right/bn1"].map(|path| graph.find(path).expect("one layer"));
    assert_ne!(left, right);
    for (id, _) in graph.layers.iter().enumerate() {
        assert_eq!(graph.find(&graph.reference(id)), Ok(id));
    }
    let mut flags = Flags::of_file(graph);
    flags.set(graph, right, false, Semantics::Keras3);
    let spec = modelens::model::flag_spec::spec_of(graph, &flags, Semantics::Keras3);
    assert_eq!(spec.as_deref(), Some("all,-right/bn1"));
    let out = tempfile::tempdir().expect("a folder");
    let out = out.path().join("y.npz");
    let run = |more: &[&str]| {
        let x = keras("twice_keras3.npz");
        let mut arguments = vec![
            "run",
            text(&path),
            "--input",
            text(&x),
            "--mode",
            "training",
        ];
        arguments.extend(["--out", text(&out)]);
        arguments.extend(more);
        modelens(&arguments)
    };
    for more in [["--trainable", "all,-bn1"], ["--tap", "bn1"]] {
        let done = run(&more);
        assert_eq!(done.status.code(), Some(2), "{more:?}");
        let error = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(error.contains(expected), "{error}");
        assert!(!out.exists(), "{more:?}");
    }
    assert!(
        run(&["--trainable", "all,-left/bn1", "--tap", "right/bn1"])
            .status
            .success()
    );
}

#[test]
fn a_lesson_with_a_channel_that_the_layer_lacks_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let lesson = folder.path().join("lesson.toml");
    let out = folder.path().join("figures");
    let written = |channel: usize| {
        let text = format!(
            "lesson = 1\ntitle = \"Channels\"\nbatch = 2\n\n[[step]]\ntitle = \"One\"\nview = \"predict\"\n\n\
             [[step]]\ntitle = \"Two\"\nview = \"batchnorm\"\nlayer = \"bn_Conv1\"\nchannel = {channel}\n"
        );
        std::fs::write(&lesson, text).expect("a lesson");
    };
    let arguments = ["figure", "--from", text(&lesson), "--out", text(&out)];
    written(99);
    let done = modelens(&arguments);
    assert_eq!(done.status.code(), Some(1));
    let error = String::from_utf8_lossy(&done.stderr).into_owned();
    let expected = "step 2: line 13: channel 99: layer `bn_Conv1` has 32 channels: ";
    assert!(error.contains(expected), "{error}");
    assert!(!out.exists(), "nothing is written");
    written(32);
    succeeds(&arguments);
}
