//! Saved fine-tuned models, opened again here and, on request, in Keras or PyTorch.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use candle_core::{Device, Tensor};
use modelens::cli::arrays::{NamedArray, write_npz};
use modelens::model::layers::WeightMap;
use modelens::model::{Mode, Model, Semantics};
use modelens::train::head::NewHead;
use modelens::train::network::{Head, Network};
use modelens::worker::{ModelSource, Replace, SaveFailed, save_network as save};

use crate::support::files::{fixture, repository};
use crate::support::models::{opened, pass};
use crate::support::numbers::values;

fn names(n: usize) -> Vec<String> {
    (0..n).map(|i| format!("class {i}")).collect()
}

fn new_head(classes: usize, sigmoid: bool) -> Head {
    Head::New(NewHead {
        classes,
        dropout: 0.2,
        sigmoid,
        seed: 3,
    })
}

fn network(model: &Model, head: Head, classes: usize) -> Network {
    let [h, w, _] = model.graph.input_hwc;
    let size = [h.unwrap_or(96), w.unwrap_or(96)];
    Network::new(model, head, &names(classes), size).unwrap_or_else(|e| panic!("{e}"))
}

/// A new value for every weight and statistic.
fn changed(network: &Network) -> WeightMap {
    let weights = network.model.weights.iter();
    weights
        .map(|(key, tensor)| (*key, tensor.affine(1.01, 0.001).expect("a tensor")))
        .collect()
}

fn output(model: &Model, x: &Tensor) -> Tensor {
    pass(model, x, Mode::Inference).output
}

fn photos(model: &Model) -> Tensor {
    let [h, w, c] = model.graph.input_hwc.map(|d| d.unwrap_or(96));
    let mut values: Vec<f32> = (0..2 * h * w * c)
        .map(|i| ((i as f32 * 0.37).sin() + 1.0) * 60.0)
        .collect();
    model.preprocessing.apply(&mut values);
    let c = if c == 96 { 3 } else { c };
    Tensor::from_vec(values[..2 * h * w * c].to_vec(), (2, h, w, c), &Device::Cpu).expect("x")
}

/// A saved model, opened again, has the same outputs, flags and recorded values.
fn round_trip(source: &ModelSource, head: Head, classes: usize) {
    let model = opened(source);
    let network = network(&model, head, classes);
    let weights = changed(&network);
    let trained = network.finished(&weights);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder
        .path()
        .join(format!("out.{}", model.format.extension()));
    save(source, &network, &weights, &path, Replace::No).unwrap_or_else(|e| panic!("{e}"));
    let again = ModelSource::File(path.clone()).open();
    let again = again.unwrap_or_else(|e| panic!("{}: {e}", source.title()));
    assert_eq!(again.semantics, model.semantics);
    assert_eq!(again.framework, model.framework);
    assert!(again.warnings.is_empty(), "{:?}", again.warnings);
    let x = photos(&model);
    let what = format!("{} {head:?}", source.title());
    let expected = values(&output(&trained, &x));
    assert_eq!(values(&output(&again, &x)), expected, "{what}");
    assert_eq!(
        again.graph.layers.len(),
        trained.graph.layers.len(),
        "{what}"
    );
    for (a, b) in again.graph.layers.iter().zip(&trained.graph.layers) {
        assert_eq!((&a.name, a.trainable), (&b.name, b.trainable), "{what}");
        assert_eq!(
            a.recorded_training, b.recorded_training,
            "{what} {}",
            a.name
        );
    }
    if let Head::New(_) = head {
        assert_eq!(again.labels, names(classes), "{what}");
    }
    assert_in_framework(&model, &path, &x, &expected);
}

/// Compares with the framework itself (PyTorch for Lite0, else Keras) if `MODELENS_KERAS_PYTHON` names a
/// Python that has it.
fn assert_in_framework(model: &Model, path: &Path, x: &Tensor, y: &[f32]) {
    let Some(python) = std::env::var_os("MODELENS_KERAS_PYTHON") else {
        println!("not opened in Keras: MODELENS_KERAS_PYTHON is not set");
        return;
    };
    let operators = [
        "TrueDivide",
        "GetItem",
        "Subtract",
        "TFOpLambda",
        "Multiply",
        "Add",
    ];
    let text = |l: &modelens::model::Layer| operators.contains(&&*l.class) && !l.listed;
    let h5 = path.extension().is_some_and(|e| e == "h5");
    let pytorch = model.semantics == Semantics::PyTorch;
    if !pytorch && (h5 && model.graph.layers.iter().any(text)) {
        // Keras cannot open such a file, even if it wrote it.
        return;
    }
    let io = path.with_extension("npz");
    let y = Tensor::from_vec(y.to_vec(), (2, y.len() / 2), &Device::Cpu).expect("y");
    write_npz(
        &io,
        &[
            ("x".into(), NamedArray::Numbers(x.clone())),
            ("y".into(), NamedArray::Numbers(y)),
        ],
    )
    .expect("arrays");
    let script = if pytorch {
        "check_saved_pytorch.py"
    } else {
        "check_saved.py"
    };
    let script = repository("tests/fixtures").join(script);
    let mut command = Command::new(python);
    command.arg(script).arg(path).arg(io);
    if model.semantics == Semantics::Keras2 {
        command.arg("keras2");
    }
    let done = command.output().expect("Python starts");
    println!("{}", String::from_utf8_lossy(&done.stdout));
    let errors = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{}: {errors}", path.display());
}

#[test]
fn the_bundled_bases_survive_saving() {
    for source in [ModelSource::DogBreeds, ModelSource::EfficientNetLite0] {
        round_trip(&source, Head::Own, 4);
        round_trip(&source, new_head(4, false), 4);
    }
}

#[test]
fn nested_and_flat_files_of_both_keras_versions_survive_saving() {
    for name in [
        "alpaca_baked_ft120_keras2/model.h5",
        "alpaca_baked_ft120_keras3/model.keras",
        "alpaca_plain_open_keras2/model.keras",
        "alpaca_plain_open_keras3/model.h5",
        "bnnet_keras3/model.h5",
        "bnnet_keras3/model.keras",
        "bnnet_keras2/model.h5",
        "bnnet_keras2/model.keras",
    ] {
        let source = ModelSource::File(fixture(name));
        round_trip(&source, Head::Own, 2);
        round_trip(&source, new_head(3, false), 3);
        round_trip(&source, new_head(2, true), 2);
    }
}

#[test]
fn an_existing_file_is_replaced_only_on_request() {
    let folder = tempfile::tempdir().expect("a folder");
    let original: PathBuf = folder.path().join("base.keras");
    std::fs::copy(fixture("bnnet_keras3/model.keras"), &original).expect("a copy");
    let before = std::fs::read(&original).expect("bytes");
    let source = ModelSource::File(original.clone());
    let model = Arc::new(source.open().expect("a model"));
    let network = network(&model, Head::Own, 2);
    let weights = changed(&network);
    let refused = save(&source, &network, &weights, &original, Replace::No);
    assert!(matches!(refused, Err(SaveFailed::Original)));
    let other = folder.path().join("other.keras");
    std::fs::write(&other, "mine").expect("a file");
    let refused = save(&source, &network, &weights, &other, Replace::No);
    assert!(matches!(refused, Err(SaveFailed::Exists)));
    assert_eq!(std::fs::read(&original).expect("bytes"), before);
    let nowhere = folder.path().join("no/such/out.keras");
    let refused = save(&source, &network, &weights, &nowhere, Replace::No);
    assert!(matches!(refused, Err(SaveFailed::Write(_))));
    save(&source, &network, &weights, &original, Replace::Model).expect("replaced");
    assert!(source.open().is_ok());
    assert_ne!(std::fs::read(&original).expect("bytes"), before);
    let left: Vec<_> = std::fs::read_dir(folder.path())
        .expect("a listing")
        .collect();
    assert_eq!(left.len(), 2, "no temporary file is left");
}
