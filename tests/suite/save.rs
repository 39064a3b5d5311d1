//! Saved fine-tuned models, opened again here and, on request, in Keras or PyTorch.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use candle_core::{DType, Device, Tensor};
use modelens::cli::arrays::{NamedArray, write_npz};
use modelens::model::layers::WeightMap;
use modelens::model::{Layer, Mode, Model, Preprocessing, Semantics};
use modelens::train::head::NewHead;
use modelens::train::network::{Head, Network, TrainError};
use modelens_jobs::{ModelSource, Replace, SaveFailed, can_save_network, save_network as save};

use crate::pytorch_families::FAMILIES;
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

/// Saved models, each with what it computes, on their way to the framework that opens them.
struct Saved {
    folder: tempfile::TempDir,
    /// By the script's last argument; empty for Keras 3.
    models: Vec<(&'static str, PathBuf)>,
}

impl Saved {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self {
            folder,
            models: Vec::new(),
        }
    }

    /// Saves the model with changed weights as a file of this ending, if it can have such a head, opens
    /// it again, and compares outputs, flags and recorded values.
    fn round_trip(&mut self, source: &ModelSource, head: Head, classes: usize, ending: &str) {
        let model = opened(source);
        let size = [0, 1].map(|i| model.graph.input_hwc[i].unwrap_or(96));
        let network = match Network::new(&model, head, &names(classes), size) {
            Ok(network) => network,
            Err(TrainError::NoClassifier(_) | TrainError::NoPlaceForHead) => return,
            Err(TrainError::TooFewOutputs { .. }) if head == Head::Own => return,
            Err(error) => panic!("{}: {error}", source.title()),
        };
        let weights = changed(&network);
        let trained = network.finished(&weights);
        let name = format!("{}.{ending}", self.models.len());
        let path = self.folder.path().join(name);
        let what = format!("{} {head:?} .{ending}", source.title());
        can_save_network(source, &network, &path).unwrap_or_else(|e| panic!("{what}: {e}"));
        save(source, &network, &weights, &path, Replace::No)
            .unwrap_or_else(|e| panic!("{what}: {e}"));
        let again = ModelSource::File(path.clone()).open();
        let again = again.unwrap_or_else(|e| panic!("{what}: {e}"));
        assert_eq!(again.semantics, model.semantics, "{what}");
        assert_eq!(again.framework, model.framework, "{what}");
        assert!(again.warnings.is_empty(), "{what}: {:?}", again.warnings);
        let x = photos(&model);
        let y = output(&trained, &x);
        assert_eq!(values(&output(&again, &x)), values(&y), "{what}");
        // A state dict holds layers with weights alone.
        let is_kept = |l: &&Layer| model.semantics != Semantics::PyTorch || !l.weights.is_empty();
        let [a, b] = [&again, &trained].map(|m| m.graph.layers.iter().filter(is_kept));
        assert_eq!(a.clone().count(), b.clone().count(), "{what}");
        for (a, b) in a.zip(b) {
            assert_eq!((&a.name, a.trainable), (&b.name, b.trainable), "{what}");
            let recorded = [a.recorded, b.recorded];
            assert_eq!(recorded[0], recorded[1], "{what} {}", a.name);
        }
        if let Head::New(_) = head {
            assert_eq!(again.labels, names(classes), "{what}");
        }
        self.models.push((
            match model.semantics {
                Semantics::Keras2 => "keras2",
                Semantics::PyTorch => "pytorch",
                Semantics::Keras3 | Semantics::Keras316 => "keras3",
            },
            path.clone(),
        ));
        let arrays = [
            ("x".into(), NamedArray::Numbers(x)),
            ("y".into(), NamedArray::Numbers(y)),
        ];
        write_npz(&path.with_extension(format!("{ending}.npz")), &arrays).expect("arrays");
    }

    /// Opens all of them in their frameworks if `MODELENS_KERAS_PYTHON` names a Python that has them.
    fn check(self) {
        let Some(python) = std::env::var_os("MODELENS_KERAS_PYTHON") else {
            println!("not opened elsewhere: MODELENS_KERAS_PYTHON is not set");
            return;
        };
        for framework in ["keras2", "keras3", "pytorch"] {
            let of = self.models.iter().filter(|(f, _)| *f == framework);
            let paths: Vec<&PathBuf> = of.map(|(_, path)| path).collect();
            if paths.is_empty() {
                continue;
            }
            let script = match framework {
                "pytorch" => "check_saved_pytorch.py",
                _ => "check_saved.py",
            };
            let script = repository("tests/fixtures").join(script);
            let mut command = Command::new(&python);
            let done = command.arg(script).arg(framework).args(paths).output();
            let done = done.expect("Python starts");
            println!("{}", String::from_utf8_lossy(&done.stdout));
            let errors = String::from_utf8_lossy(&done.stderr);
            assert!(done.status.success(), "{framework}: {errors}");
        }
    }
}

#[test]
fn the_bundled_bases_survive_saving() {
    let mut saved = Saved::new();
    for ending in ["h5", "keras"] {
        saved.round_trip(&ModelSource::Lab, Head::Own, 4, ending);
        saved.round_trip(&ModelSource::Lab, new_head(4, false), 4, ending);
    }
    let lite = ModelSource::EfficientNetLite0;
    saved.round_trip(&lite, Head::Own, 4, "safetensors");
    saved.round_trip(&lite, new_head(4, false), 4, "safetensors");
    saved.check();
}

#[test]
fn keras_files_of_both_formats_survive_saving_as_both() {
    let golden = std::fs::read_dir(repository("tests/fixtures/golden")).expect("the fixtures");
    let mut cases: Vec<PathBuf> = golden
        .map(|entry| entry.expect("a folder").path())
        .collect();
    cases.sort();
    let mut saved = Saved::new();
    for file in ["model.h5", "model.keras"] {
        for path in cases
            .iter()
            .map(|case| case.join(file))
            .filter(|p| p.exists())
        {
            let source = ModelSource::File(path);
            for ending in ["h5", "keras"] {
                saved.round_trip(&source, Head::Own, 2, ending);
                saved.round_trip(&source, new_head(3, false), 3, ending);
                saved.round_trip(&source, new_head(2, true), 2, ending);
            }
        }
    }
    println!("{} files", saved.models.len());
    saved.check();
}

#[test]
fn state_dicts_of_every_kind_are_saved_as_safetensors() {
    let mut saved = Saved::new();
    for name in crate::pytorch::FILES {
        let source = ModelSource::File(crate::pytorch::file(name));
        saved.round_trip(&source, Head::Own, 3, "safetensors");
        saved.round_trip(&source, new_head(4, false), 4, "safetensors");
    }
    saved.check();
}

/// A narrow VGG with BatchNorm, which flattens 7 x 7 pixels before its first of three linear layers.
fn narrow_vgg() -> HashMap<String, Tensor> {
    let mut state = HashMap::new();
    let mut count = 0;
    let mut add = |name: String, dims: &[usize]| {
        let values: Vec<f32> = (0..dims.iter().product())
            .map(|_| {
                count += 1;
                ((count * 7919) % 101) as f32 / 101.0 + 0.1
            })
            .collect();
        state.insert(
            name,
            Tensor::from_vec(values, dims, &Device::Cpu).expect("a tensor"),
        );
    };
    let mut channels = 3;
    for at in [0, 4, 8, 12, 16] {
        add(format!("features.{at}.weight"), &[4, channels, 3, 3]);
        add(format!("features.{at}.bias"), &[4]);
        for part in ["weight", "bias", "running_mean", "running_var"] {
            add(format!("features.{}.{part}", at + 1), &[4]);
        }
        channels = 4;
    }
    for (at, dims) in [(0, [6, 4 * 49]), (3, [5, 6]), (6, [3, 5])] {
        add(format!("classifier.{at}.weight"), &dims);
        add(format!("classifier.{at}.bias"), &dims[..1]);
    }
    state
}

#[test]
fn a_new_head_takes_the_names_of_the_last_linear_layer() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("vgg.safetensors");
    let before = narrow_vgg();
    candle_core::safetensors::save(&before, &path).expect("a file");
    let source = ModelSource::File(path);
    let model = opened(&source);
    for (head, classes) in [(Head::Own, 3), (new_head(4, false), 4)] {
        let network = network(&model, head, classes);
        let out = folder.path().join(format!("{classes}.safetensors"));
        save(&source, &network, &WeightMap::new(), &out, Replace::No).expect("saved");
        let after = candle_core::safetensors::load(&out, &Device::Cpu).expect("a state dict");
        assert_eq!(after.len(), before.len(), "the old head does not stay");
        for (name, tensor) in &before {
            let saved = &after[name];
            if head != Head::Own && name.starts_with("classifier.6") {
                assert_eq!(saved.dims()[0], 4, "{name}");
                assert_eq!(saved.dims()[1..], tensor.dims()[1..], "{name}");
            } else {
                // Bit for bit, in PyTorch's own order of axes.
                assert_eq!(values(saved), values(tensor), "{name}");
            }
        }
        let again = opened(&ModelSource::File(out));
        assert!(again.warnings.is_empty(), "{:?}", again.warnings);
        let x = photos(&model);
        let expected = values(&output(&network.finished(&WeightMap::new()), &x));
        assert_eq!(values(&output(&again, &x)), expected);
    }
}

#[test]
fn what_tensors_do_not_tell_survives_saving() {
    for (name, architecture) in [
        ("tf.safetensors", "tf_efficientnet_b0"),
        ("tf.safetensors", "efficientnet_b0"),
        ("stem3.safetensors", "resnet18:cifar"),
        ("stem3.safetensors", "auto:imagenet,os8"),
    ] {
        let source = ModelSource::Weights {
            path: crate::pytorch::file(name),
            architecture: architecture.to_owned(),
        };
        let mut model = opened(&source);
        model.preprocessing = Preprocessing::BgrMean;
        let network = network(&model, new_head(3, false), 3);
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("saved.safetensors");
        let weights = changed(&network);
        save(&source, &network, &weights, &path, Replace::No).expect("saved");
        let again = opened(&ModelSource::File(path));
        assert_eq!(again.assumed, model.assumed, "{architecture}");
        assert_eq!(again.preprocessing, model.preprocessing, "{architecture}");
        let x = photos(&model);
        let expected = values(&output(&network.finished(&weights), &x));
        assert_eq!(values(&output(&again, &x)), expected, "{architecture}");
    }
}

#[test]
fn networks_of_every_family_keep_the_names_and_shapes_of_their_tensors() {
    let folder = tempfile::tempdir().expect("a folder");
    // The outputs of two heads are no classifier that could be trained on.
    let has_one_head = |(name, ..): &(&str, usize, &str)| *name != "deit_distilled";
    for (name, _, architecture) in FAMILIES.into_iter().filter(has_one_head) {
        let path = crate::pytorch::file(&format!("family_{name}.safetensors"));
        let source = crate::pytorch_families::source(&path, architecture);
        let model = opened(&source);
        let out = folder.path().join(format!("{name}.safetensors"));
        let unchanged = WeightMap::new();
        let network = network(&model, Head::Own, 3);
        save(&source, &network, &unchanged, &out, Replace::No).expect("saved");
        let [before, after] = [&path, &out].map(|path| {
            let state = candle_core::safetensors::load(path, &Device::Cpu);
            state.expect("a state dict")
        });
        assert_eq!(before.len(), after.len(), "{name}");
        for (key, tensor) in &before {
            let same = [tensor, &after[key]].map(|t| t.to_dtype(DType::F32).expect("numbers"));
            assert_eq!(same[0].dims(), same[1].dims(), "{name} {key}");
            assert_eq!(values(&same[0]), values(&same[1]), "{name} {key}");
        }
        // What was chosen is recorded in the file.
        let again = opened(&ModelSource::File(out));
        assert_eq!(again.graph, model.graph, "{name}");
    }
}

#[test]
fn what_cannot_be_saved_is_known_before_training() {
    let keras = ModelSource::File(fixture("bnnet_keras3/model.h5"));
    let pytorch = ModelSource::File(crate::pytorch::file("small.pth"));
    let refused = |source: &ModelSource, name: &str| {
        let model = opened(source);
        let network = network(&model, Head::Own, 2);
        can_save_network(source, &network, Path::new(name)).map_err(|e| e.to_string())
    };
    for name in ["a", "a.safetensors", "a.pth", "a.onnx", "a.H5"] {
        let why = refused(&keras, name).expect_err(name);
        assert!(why.contains("must end in .h5, .keras or .hdf5"), "{why}");
    }
    for name in ["a.h5", "a.hdf5", "a.keras"] {
        assert_eq!(refused(&keras, name), Ok(()), "{name}");
    }
    for name in ["a", "a.pth", "a.pt", "a.bin", "a.h5"] {
        let why = refused(&pytorch, name).expect_err(name);
        assert!(why.contains("must end in .safetensors"), "{why}");
    }
    assert_eq!(refused(&pytorch, "a.safetensors"), Ok(()));
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
