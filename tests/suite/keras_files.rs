//! Keras files of kinds that courses hand out, against Keras (`tests/fixtures/generators/make_keras_files.py`).

use std::path::{Path, PathBuf};

use candle_core::Tensor;
use modelens::model::graph::LayerKind;
use modelens::model::{Mode, Model, unknown};
use modelens_jobs::ModelSource;

use crate::support::files::{folder, read_npz, refused, repository};
use crate::support::models::{opened, pass};
use crate::support::numbers::{assert_close, values};

fn file(name: &str) -> PathBuf {
    repository("tests/fixtures/keras_files").join(name)
}

/// The files of the folder with this ending, sorted.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the folder can be listed");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut paths: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|e| e == ending))
        .collect();
    paths.sort();
    paths
}

fn chosen(path: &Path, architecture: &str) -> Model {
    opened(&ModelSource::Weights {
        path: path.to_owned(),
        architecture: architecture.to_owned(),
    })
}

/// The input as the program takes it: images have an axis for their channels.
fn images(x: &Tensor) -> Tensor {
    match x.rank() {
        3 => x.unsqueeze(3).expect("an axis more"),
        _ => x.clone(),
    }
}

/// Compares both modes with what Keras computed; returns the number of arrays compared.
fn compare(model: &Model, arrays: &Path, what: &str) -> usize {
    let arrays = read_npz(arrays);
    let x = images(&arrays["x"]);
    let modes = [
        ("y_inference", Mode::Inference),
        ("y_training", Mode::Training),
    ];
    let mut compared = 0;
    for (key, mode) in modes {
        let Some(expected) = arrays.get(key) else {
            continue;
        };
        let found = values(&pass(model, &x, mode).output);
        assert_close(&found, &values(expected), &format!("{what}, {key}"));
        compared += 1;
    }
    compared
}

#[test]
fn every_file_computes_what_keras_does() {
    let folder = file("");
    let mut compared = 0;
    for ending in ["keras", "h5"] {
        for path in files(&folder, ending) {
            let name = path
                .file_name()
                .expect("a name")
                .to_string_lossy()
                .into_owned();
            if name.starts_with("refused") {
                continue;
            }
            let model = opened(&ModelSource::File(path.clone()));
            compared += compare(&model, &path.with_extension("npz"), &name);
        }
    }
    assert!(compared > 45, "{compared}");
}

#[test]
fn weights_open_with_the_configuration_beside_them() {
    for (case, weights, config) in [
        ("apart_keras2", "model.h5", "model.json"),
        ("apart_keras3", "model.weights.h5", "model.json"),
        ("apart_renamed", "model.h5", "model.json"),
        ("apart_yaml_blocks", "model.h5", "model.yaml"),
        ("apart_yaml_brackets", "model.h5", "model.yaml"),
    ] {
        let at = |name: &str| file(case).join(name);
        for dropped in [weights, config] {
            let model = opened(&ModelSource::File(at(dropped)));
            assert_eq!(compare(&model, &at("model.npz"), dropped), 2);
            assert!(
                model.recognised.how.contains(config),
                "{:?}",
                model.recognised
            );
        }
        // In a folder of their own the configuration must be named.
        let alone = folder();
        let moved = alone.path().join(weights);
        std::fs::copy(at(weights), &moved).expect("a copy");
        let text = refused(&moved);
        assert!(text.contains("model.to_json()"), "{text}");
        let json = at(config).display().to_string();
        assert_eq!(compare(&chosen(&moved, &json), &at("model.npz"), case), 2);
    }
}

#[test]
fn a_configuration_that_is_not_the_weights_own_is_refused() {
    let folder = folder();
    let put = |from: PathBuf, name: &str| {
        let to = folder.path().join(name);
        std::fs::copy(from, &to).expect("a copy");
        to
    };
    let json = put(file("apart_keras2/model.json"), "model.json");
    let text = refused(&json);
    assert!(text.contains("model.save_weights"), "{text}");
    // Several files of weights fit; one of them must be opened.
    put(file("apart_keras2/model.h5"), "a.h5");
    let weights = put(file("apart_renamed/model.h5"), "b.h5");
    let text = refused(&json);
    assert!(text.contains("a.h5, b.h5"), "{text}");
    assert!(ModelSource::File(weights.clone()).open().is_ok());
    // Another network's configuration.
    let other = std::fs::read_to_string(&json).expect("the configuration");
    std::fs::write(&json, other.replace("\"units\": 3", "\"units\": 4")).expect("it is written");
    let text = refused(&weights);
    assert!(
        text.contains("model.json") && text.contains("shape"),
        "{text}"
    );
    // Other JSON does not matter.
    std::fs::write(&json, "{\"architectures\": []}").expect("it is written");
    let text = refused(&weights);
    assert!(text.contains("model.to_json()"), "{text}");
}

#[test]
fn each_of_several_outputs_can_be_shown() {
    for name in ["outputs_list.keras", "outputs_keras2.h5"] {
        let path = file(name);
        let arrays = read_npz(&path.with_extension("npz"));
        let first = opened(&ModelSource::File(path.clone()));
        let [assumed] = first.assumed.as_slice() else {
            panic!("{:?}", first.assumed);
        };
        assert_eq!(assumed.choices, ["auto:output=age", "auto:output=gender"]);
        assert!(
            assumed.sentence.contains("losses of training"),
            "{}",
            assumed.sentence
        );
        for output in ["age", "gender"] {
            let model = chosen(&path, &format!("auto:output={output}"));
            let pass = pass(&model, &arrays["x"], Mode::Training);
            // The BatchNorm layers of both branches see the batch.
            let norms = model.graph.layers.iter();
            let norms = norms
                .filter(|l| matches!(l.kind, LayerKind::BatchNorm(_)))
                .count();
            assert_eq!(pass.batch_norm.len(), norms, "{name}, {output}");
            let expected = values(&arrays[&format!("y_inference/{output}")]);
            let found = crate::support::models::pass(&model, &arrays["x"], Mode::Inference);
            assert_close(&values(&found.output), &expected, output);
        }
        let wrong = ModelSource::Weights {
            path,
            architecture: "auto:output=height".to_owned(),
        };
        let text = wrong
            .open()
            .expect_err("there is no such output")
            .to_string();
        assert!(text.contains("age, gender"), "{text}");
    }
}

#[test]
fn layers_of_training_alone_return_their_input_and_are_named() {
    // Layers of Keras whose rules are known are not among them.
    for name in [
        "augmentation_more.keras",
        "augmentation_more.h5",
        "both_modes.keras",
    ] {
        let model = opened(&ModelSource::File(file(name)));
        assert_eq!(unknown::sentence(&model.graph), None, "{name}");
    }
    let model = opened(&ModelSource::File(file("custom_training_only.h5")));
    assert!(unknown::sentence(&model.graph).is_some_and(|said| said.contains("DropPath")));
}

#[test]
fn what_is_refused_says_what_to_do() {
    for (name, parts) in [
        ("refused_weights.keras", ["RandomScale", "has weights"]),
        ("refused_weights.h5", ["RandomScale", "has weights"]),
        ("refused_custom.keras", ["Attention", "author"]),
        ("refused_lambda.keras", ["Lambda", "Python code"]),
        (
            "refused_inputs.keras",
            ["`left`, `right`", "takes the photos"],
        ),
        ("refused_rows.keras", ["784 numbers", "Input((28, 28, 1))"]),
    ] {
        let text = refused(&file(name));
        for part in parts {
            assert!(text.contains(part), "{name}: {text}");
        }
        assert!(
            text.lines().count() == 1 && text.len() < 400,
            "{name}: {text}"
        );
    }
}

#[test]
fn cut_files_say_how_much_is_there() {
    let folder = folder();
    for (name, said) in [
        ("uint8_keras3.h5", " of 27,160 bytes"),
        ("tf213_nested.keras", "the end of"),
    ] {
        let bytes = std::fs::read(file(name)).expect("the fixture");
        for part in [3, 6, 9] {
            let cut =
                crate::support::files::write(&folder, name, &bytes[..bytes.len() * part / 10]);
            let text = refused(&cut);
            assert!(text.contains("cut off") && text.contains(said), "{text}");
        }
    }
}
