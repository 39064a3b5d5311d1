//! Exported programs of PyTorch against PyTorch itself (`tests/fixtures/generators/make_pt2_small.py`).

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use candle_core::Device;
use modelens::formats::{ModelFile, Trained, save};
use modelens::model::card::Card;
use modelens::model::graph::{Activation, LayerKind, Noise};
use modelens::model::{Flags, Mode, Model, Preprocessing, Semantics};
use modelens_jobs::ModelSource;

use crate::support::files::{folder, read_npz, refused, repository, write};
use crate::support::models::{assert_statistics, opened, pass};
use crate::support::numbers::{assert_close, values};

/// All exported programs among the fixtures.
pub fn files() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(repository("tests/fixtures/pt2")).expect("the fixtures");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut files: Vec<PathBuf> = paths
        .filter(|p| p.extension().is_some_and(|e| e == "pt2"))
        .collect();
    files.sort();
    assert!(files.len() > 15, "{files:?}");
    files
}

pub fn file(name: &str) -> PathBuf {
    repository("tests/fixtures/pt2").join(name)
}

fn open(name: &str) -> Model {
    opened(&ModelSource::File(file(name)))
}

/// The file's name without its ending, and the network's.
fn names(path: &Path) -> (String, String) {
    let stem = path
        .file_stem()
        .expect("a name")
        .to_string_lossy()
        .into_owned();
    let net = stem.split('_').next().expect("a name").to_owned();
    (stem, net)
}

#[test]
fn both_modes_equal_pytorchs_whichever_mode_was_exported() {
    for path in files() {
        let (stem, net) = names(&path);
        let io = read_npz(&file(&format!("{net}.npz")));
        let model = opened(&ModelSource::File(path));
        assert_eq!(model.semantics, Semantics::PyTorch);
        assert!(
            model.framework.starts_with("PyTorch 2."),
            "{}",
            model.framework
        );
        for (mode, key) in [
            (Mode::Inference, "y_inference"),
            (Mode::Training, "y_training"),
        ] {
            let done = pass(&model, &io["x"], mode);
            assert_close(
                &values(&done.output),
                &values(&io[key]),
                &format!("{stem}, {mode:?}"),
            );
            if mode == Mode::Training && io.keys().any(|key| key.starts_with("bn/")) {
                let compared = assert_statistics(&model, &io, &done, &stem);
                assert_eq!(compared, 2 * done.batch_norm.len(), "{stem}");
            }
        }
    }
}

#[test]
fn layers_have_the_names_and_classes_of_their_modules() {
    let model = open("plain_eval_any.pt2");
    let layers: Vec<[&str; 2]> = model
        .graph
        .layers
        .iter()
        .map(|l| [l.name.as_str(), l.class.as_str()])
        .collect();
    let expected = [
        ["input", "Input"],
        ["conv1", "Conv2d"],
        ["bn1", "BatchNorm2d"],
        ["relu", "relu"],
        ["pool", "MaxPool2d"],
        ["conv2", "Conv2d"],
        ["leaky_relu", "leaky_relu"],
        ["view.permute", "permute"],
        ["view", "view"],
        ["fc1", "Linear"],
        ["tanh", "tanh"],
        ["drop", "Dropout"],
        ["fc2", "Linear"],
    ];
    assert_eq!(layers, expected);
    assert_eq!(model.graph.name, "Plain");
    assert_eq!(model.graph.input_hwc, [Some(14), Some(10), Some(3)]);
    // One module that is called twice is one layer.
    let model = open("residual_eval_any.pt2");
    let relu = model.graph.find("relu").expect("the module");
    assert_eq!(
        model.graph.nodes.iter().filter(|n| n.layer == relu).count(),
        2
    );
    assert_eq!(
        model.graph.layers[relu].kind,
        LayerKind::Activation(Activation::RELU)
    );
}

#[test]
fn parameters_without_gradients_are_frozen() {
    let model = open("head_eval_any.pt2");
    let flags = Flags::of_file(&model.graph);
    for (name, trainable) in [("f.0", false), ("c.0", true), ("c.1", true), ("c.4", true)] {
        let layer = model.graph.find(name).expect("the layer");
        assert_eq!(flags.get(layer), trainable, "{name}");
    }
    let card = Card::of(&model);
    assert_eq!((card.frozen.layers, card.frozen.of), (1, 4));
}

#[test]
fn tokens_and_positions_are_parameters_that_learn() {
    for (name, parameters) in [
        ("tokens_train_any.pt2", &["cls", "reg", "pos", "table"][..]),
        (
            "vit_train_any.pt2",
            &["class_token", "encoder.pos_embedding"],
        ),
        (
            "timmswin_eval_any.pt2",
            &["layers.0.blocks.1.attn.relative_position_bias_table"],
        ),
    ] {
        let model = open(name);
        for parameter in parameters {
            let layer = model.graph.find(parameter);
            let layer = layer.unwrap_or_else(|_| panic!("{name}: {parameter}"));
            let layer = &model.graph.layers[layer];
            assert_eq!(layer.class, "Parameter", "{name}: {parameter}");
            assert!(layer.weights[0].learnable, "{name}: {parameter}");
        }
    }
}

#[test]
fn dropout_of_attention_weights_is_a_layer() {
    let model = open("vit_train_any.pt2");
    let attention = "encoder.layers.encoder_layer_0.self_attention";
    let layer = model
        .graph
        .find(&format!("{attention}.scaled_dot_product_attention.dropout"));
    let layer = &model.graph.layers[layer.expect("the layer")];
    assert!(
        matches!(layer.kind, LayerKind::Noise(Noise::Dropout { rate, .. }) if (rate - 0.1).abs() < 1e-9),
        "{:?}",
        layer.kind
    );
}

#[test]
fn the_card_says_which_mode_was_exported() {
    for (name, mode) in [
        ("plain_eval_any.pt2", ".eval()"),
        ("plain_train_1.pt2", ".train()"),
    ] {
        let card = Card::of(&open(name));
        assert!(card.recognised_by.contains(mode), "{}", card.recognised_by);
        assert!(
            card.recognised_by.contains("both modes"),
            "{}",
            card.recognised_by
        );
        assert_eq!(card.dropout.len(), 1);
        assert_eq!(card.batch_norm.momentum, [0.9]);
    }
    let model = open("plain_eval_any.pt2");
    assert_eq!(model.preprocessing, Preprocessing::ZeroToOne);
    assert!(
        model.assumed[0].sentence.contains("x / 255"),
        "{:?}",
        model.assumed
    );
}

#[test]
fn noise_layers_keep_their_kind_and_rate() {
    let noise = |name: &str| -> Vec<Noise> {
        let model = open(name);
        let layers = model.graph.layers.iter();
        let noise = layers.filter_map(|l| match &l.kind {
            LayerKind::Noise(noise) => Some(noise.clone()),
            _ => None,
        });
        noise.collect()
    };
    let depth = noise("depth_train_any.pt2");
    assert!(
        matches!(depth[..], [Noise::DropConnect { rate }] if (rate - 0.2).abs() < 1e-9),
        "{depth:?}"
    );
    assert_eq!(
        noise("sequential_eval_any.pt2"),
        [Noise::SpatialDropout2d { rate: 0.2 }]
    );
    let dropout = |rate| Noise::Dropout {
        rate,
        noise_shape: None,
    };
    assert_eq!(
        noise("functional_eval_any.pt2"),
        [dropout(0.5), dropout(0.1)]
    );
}

#[test]
fn each_of_several_outputs_can_be_shown() {
    let io = read_npz(&file("two.npz"));
    let path = file("two_eval_any.pt2");
    let model = opened(&ModelSource::File(path.clone()));
    assert_eq!(
        model.assumed[0].choices,
        ["auto:output=a", "auto:output=b"],
        "{:?}",
        model.assumed
    );
    for (output, key) in [("a", "y_inference"), ("b", "y_second")] {
        let model = opened(&ModelSource::Weights {
            path: path.clone(),
            architecture: format!("auto:output={output}"),
        });
        assert!(
            model.assumed[0]
                .sentence
                .contains(&format!("`{output}` is shown"))
        );
        let done = pass(&model, &io["x"], Mode::Inference);
        assert_close(&values(&done.output), &values(&io[key]), output);
    }
}

#[test]
fn what_differs_is_said() {
    let said = |name: &str, part: &str| {
        let warnings = open(name).description.warnings;
        assert!(
            warnings.iter().any(|w| w.contains(part)),
            "{name}: {warnings:?}"
        );
    };
    said("cumulative_eval_any.pt2", "momentum=None");
    said(
        "head_eval_lowered.pt2",
        "no dropout of a network in .eval()",
    );
    said("plain_eval_2.pt2", "exported for 2 photos");
    for name in [
        "plain_eval_any.pt2",
        "residual_train_any.pt2",
        "mnist_eval_1.pt2",
    ] {
        assert!(open(name).warnings.is_empty(), "{name}");
    }
}

/// The file with the entry that ends like this changed.
fn changed(name: &str, end: &str, change: impl Fn(Vec<u8>) -> Option<Vec<u8>>) -> Vec<u8> {
    let bytes = std::fs::read(file(name)).expect("the fixture");
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).expect("a zip archive");
    let mut out = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let mut changes = 0;
    for i in 0..archive.len() {
        let mut from = archive.by_index(i).expect("an entry");
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).expect("its bytes");
        let name = from.name().expect("a name").into_owned();
        if name.ends_with(end) {
            changes += 1;
            match change(bytes) {
                Some(changed) => bytes = changed,
                None => continue,
            }
        }
        let stored = zip::write::SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Stored);
        out.start_file(name, stored).expect("a new entry");
        out.write_all(&bytes).expect("its bytes");
    }
    assert_eq!(changes, 1, "{name}: {end}");
    out.finish().expect("a zip archive").into_inner()
}

/// The reason why the file does not open with `from` replaced by `to` in this entry.
fn refused_with(name: &str, end: &str, from: &str, to: &str) -> String {
    let bytes = changed(name, end, |bytes| {
        let text = String::from_utf8(bytes).expect("a text");
        let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(from), "{end} has no {from}");
        Some(text.replace(from, to).into_bytes())
    });
    let folder = folder();
    refused(&write(&folder, "changed.pt2", &bytes))
}

#[test]
fn unknown_operators_are_named_with_their_module() {
    let graph =
        |from: &str, to: &str| refused_with("plain_eval_any.pt2", "models/model.json", from, to);
    let text = graph(
        "torch.ops.aten.tanh.default",
        "torch.ops.aten.lgamma.default",
    );
    for part in ["layer `lgamma`", "aten.lgamma.default", "docs/layers.md"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let text = graph(
        "torch.ops.aten.max_pool2d.default",
        "torch.ops.mine.pool.default",
    );
    assert!(
        text.contains("layer `pool`") && text.contains("mine.pool"),
        "{text}"
    );
}

#[test]
fn broken_programs_are_refused_with_the_cause() {
    let graph =
        |from: &str, to: &str| refused_with("plain_eval_any.pt2", "models/model.json", from, to);
    let weights = |from: &str, to: &str| {
        refused_with("plain_eval_any.pt2", "model_weights_config.json", from, to)
    };
    for (text, part) in [
        (
            graph(
                "{\"name\": \"self\", \"arg\": {\"as_tensor\": {\"name\": \"relu\"}}",
                "{\"name\": \"self\", \"arg\": {\"as_tensor\": {\"name\": \"later\"}}",
            ),
            "no node computes",
        ),
        (graph("\"as_float\": 0.4", "\"as_float\": \"NaN\""), ""),
        (graph("\"major\": 8", "\"major\": 9"), "version 9"),
        (graph("\"graph_module\"", "\"graph_mod\""), "not understood"),
        (
            graph("\"as_ints\": [2, 2]", "\"as_ints\": [2, 99999999999]"),
            "kernel_size",
        ),
        (
            weights("weight_0", "weight_99"),
            "`conv1.weight`: it is missing",
        ),
        (
            weights("{\"as_int\": 27}", "{\"as_int\": 4611686018427387904}"),
            "counted",
        ),
        (
            weights("{\"as_int\": 27}", "{\"as_int\": 2700}"),
            "the file holds 162",
        ),
        (
            weights("\"conv1.weight\"", "\"conv9.weight\""),
            "`conv1.weight`: it is missing",
        ),
        (weights("\"dtype\": 7", "\"dtype\": 9"), "code 9"),
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let folder = folder();
    let without = changed("plain_eval_any.pt2", "weights/weight_4", |_| None);
    let text = refused(&write(&folder, "without.pt2", &without));
    assert!(text.contains("`conv2.weight`: it is missing"), "{text}");
}

#[test]
fn sizes_that_the_file_contradicts_are_refused() {
    // A convolution of the third photo's shape: its output would not be what the file says.
    let text = refused_with(
        "plain_eval_any.pt2",
        "models/model.json",
        "{\"name\": \"stride\", \"arg\": {\"as_ints\": [2, 2]}",
        "{\"name\": \"stride\", \"arg\": {\"as_ints\": [1, 2]}",
    );
    assert!(text.contains("but the file says"), "{text}");
}

/// A program saved without training holds the tensors of the file.
#[test]
fn saved_programs_are_state_dicts_of_their_modules() {
    for name in [
        "residual_eval_any.pt2",
        "up_eval_any.pt2",
        "depth_train_any.pt2",
        "depth_train_lowered.pt2",
        "head_eval_lowered.pt2",
        "tokens_train_any.pt2",
        "timmswin_eval_any.pt2",
    ] {
        let model = open(name);
        let places: Vec<_> = (0..model.graph.layers.len()).map(Some).collect();
        let trained = Trained {
            model: &model,
            places: &places,
            has_new_head: false,
        };
        let bytes = std::fs::read(file(name)).expect("the fixture");
        let saved = save(ModelFile::new(name, bytes), &trained, "safetensors");
        let saved = saved.unwrap_or_else(|e| panic!("{name}: {e}"));
        let saved =
            candle_core::safetensors::load_buffer(&saved, &Device::Cpu).expect("safetensors");
        let expected = read_npz(&file(&format!("{}_state.npz", names(Path::new(name)).1)));
        assert_eq!(saved.len(), expected.len(), "{name}");
        for (key, expected) in expected {
            let found = saved[&key]
                .to_dtype(candle_core::DType::F32)
                .expect("numbers");
            assert_eq!(found.dims(), expected.dims(), "{name}: {key}");
            assert_eq!(values(&found), values(&expected), "{name}: {key}");
        }
    }
}
