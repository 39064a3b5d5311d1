//! ONNX files as PyTorch's exporters write them, against onnxruntime in inference and PyTorch in
//! training (`tests/fixtures/generators/make_onnx_small.py`).

use std::path::PathBuf;

use modelens::formats::onnx::FOLDED;
use modelens::model::graph::{Activation, LayerKind};
use modelens::model::{Mode, Model, Semantics};
use modelens_jobs::ModelSource;

use crate::support::files::{folder, read_npz, refused, repository, write};
use crate::support::models::{opened, pass};
use crate::support::numbers::{assert_close, values};
use crate::support::protobuf::{field, model, product_with};

pub const FILES: [&str; 2] = ["small_kept.onnx", "small_folded.onnx"];
/// Files that split tensors and compute their padding (`make_onnx_parts.py`).
pub const PARTS: [&str; 2] = ["parts_traced.onnx", "parts_folded.onnx"];

/// The end of a ConvNeXt, whose pooling the current exporter writes as `Reshape` to one axis and `Gather`.
pub const STRIDED: &str = "strided.onnx";

pub fn file(name: &str) -> PathBuf {
    repository("tests/fixtures/onnx").join(name)
}

fn open(name: &str) -> Model {
    opened(&ModelSource::File(file(name)))
}

#[test]
fn inference_equals_onnxruntimes() {
    let io = read_npz(&file("io.npz"));
    for (name, key) in FILES.into_iter().zip(["y_inference", "y_folded"]) {
        let model = open(name);
        assert_eq!(model.semantics, Semantics::PyTorch);
        assert!(
            model.framework.starts_with("ONNX by pytorch 2"),
            "{}",
            model.framework
        );
        assert_eq!(model.graph.input_hwc, [Some(26), Some(30), Some(3)]);
        let pass = pass(&model, &io["x"], Mode::Inference);
        assert_close(&values(&pass.output), &values(&io[key]), name);
    }
}

#[test]
fn split_tensors_and_computed_pads_equal_onnxruntimes() {
    let io = read_npz(&file("parts.npz"));
    for name in PARTS {
        let model = open(name);
        let pass = pass(&model, &io["x"], Mode::Inference);
        assert_close(&values(&pass.output), &values(&io["y"]), name);
    }
}

#[test]
fn values_gathered_in_order_equal_onnxruntimes() {
    let io = read_npz(&file("strided.npz"));
    let pass = pass(&open(STRIDED), &io["x"], Mode::Inference);
    assert_close(&values(&pass.output), &values(&io["y"]), STRIDED);
}

#[test]
fn values_gathered_in_another_order_are_refused() {
    let folder = folder();
    let places = |list: [i64; 3]| list.map(i64::to_le_bytes).concat();
    // The last values of the first photo in another order, or a value of the second photo.
    for other in [[4, 3, 5], [3, 4, 6], [3, 4, -1]] {
        let changed = replaced(STRIDED, &places([3, 4, 5]), &places(other));
        let text = refused(&write(&folder, "order.onnx", &changed));
        assert!(text.contains("mixes the photos"), "{other:?}: {text}");
    }
    // Three photos of six values become six of three.
    let changed = replaced(
        STRIDED,
        b"\x08\x03\x08\x06\x08\x01",
        b"\x08\x06\x08\x03\x08\x01",
    );
    let text = refused(&write(&folder, "order.onnx", &changed));
    assert!(text.contains("mixes the photos"), "{text}");
    // No other operator can read values on one axis.
    let changed = replaced(STRIDED, b"\x22\x06Gather", b"\x22\x06MatMul");
    let text = refused(&write(&folder, "order.onnx", &changed));
    assert!(text.contains("no axis for the photos"), "{text}");
}

#[test]
fn kept_batch_norm_trains_as_in_pytorch() {
    let io = read_npz(&file("io.npz"));
    let model = open("small_kept.onnx");
    let pass = pass(&model, &io["x"], Mode::Training);
    assert_close(
        &values(&pass.output),
        &values(&io["y_training"]),
        "y training",
    );
    assert_eq!(pass.batch_norm.len(), 3);
    for (&layer, done) in &pass.batch_norm {
        let name = &model.graph.layers[layer].name;
        let of = |part: &str| values(&io[&format!("bn/{name}/{part}")]);
        assert_close(&done.next.mean, &of("mean"), name);
        assert_close(&done.next.variance, &of("variance"), name);
    }
    let id = model.graph.find("bn1").expect("the module's name");
    let LayerKind::BatchNorm(norm) = &model.graph.layers[id].kind else {
        panic!("a BatchNorm");
    };
    assert_eq!((norm.momentum, norm.epsilon), (0.99, 1e-3));
    assert!(
        model.warnings.iter().any(|w| w.contains("PyTorch's")),
        "{:?}",
        model.warnings
    );
}

#[test]
fn folded_batch_norm_is_reported() {
    let model = open("small_folded.onnx");
    assert_eq!(model.warnings, [FOLDED]);
    let is_norm = |kind: &LayerKind| matches!(kind, LayerKind::BatchNorm(_));
    assert!(!model.graph.layers.iter().any(|l| is_norm(&l.kind)));
    let io = read_npz(&file("io.npz"));
    let [a, b] = Mode::BOTH.map(|mode| values(&pass(&model, &io["x"], mode).output));
    assert_eq!(a, b, "nothing is left to compare");
}

#[test]
fn a_gate_times_its_value_is_one_activation() {
    let model = open("small_kept.onnx");
    let kinds = || model.graph.layers.iter().map(|l| &l.kind);
    let count = |wanted: Activation| {
        let wanted = LayerKind::Activation(wanted);
        kinds().filter(|kind| **kind == wanted).count()
    };
    assert_eq!(count(Activation::Silu), 1);
    assert_eq!(count(Activation::Sigmoid), 0);
    assert_eq!(count(Activation::RELU6), 1);
    // The gate of squeeze-and-excite multiplies another value, so it stays a layer.
    assert_eq!(count(Activation::HardSigmoid), 1);
}

/// The file with some bytes replaced by others of the same length.
fn replaced(name: &str, from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = std::fs::read(file(name)).expect("the fixture");
    let mut found = 0;
    for at in 0..bytes.len() - from.len() {
        if bytes[at..].starts_with(from) {
            bytes[at..at + from.len()].copy_from_slice(to);
            found += 1;
        }
    }
    assert!(found > 0);
    bytes
}

#[test]
fn unknown_operators_are_refused_by_name() {
    let folder = folder();
    // This replaces the type of the node: its name and those of its outputs are longer.
    let text = refused(&write(
        &folder,
        "op.onnx",
        &replaced("small_kept.onnx", b"\x22\x03Elu", b"\x22\x03Det"),
    ));
    assert!(text.contains("Elu") && text.contains("ONNX Det"), "{text}");
    assert!(text.contains("docs/layers.md"), "{text}");
    let text = refused(&write(
        &folder,
        "op.onnx",
        &replaced("small_kept.onnx", b"\x22\x07MaxPool", b"\x22\x07RoiPool"),
    ));
    assert!(text.contains("ONNX RoiPool"), "{text}");
}

#[test]
fn weights_in_another_file_are_not_read() {
    let folder = folder();
    let secret = write(&folder, "secret.bin", &[0; 4]);
    let path = secret.display().to_string();
    let entry = [field(1, b"location"), field(2, path.as_bytes())].concat();
    let tensor = [
        b"\x08\x01\x10\x01".to_vec(),
        field(8, b"w"),
        field(13, &entry),
        b"\x70\x01".to_vec(),
    ];
    let bytes = model(&product_with(&tensor.concat()));
    let text = refused(&write(&folder, "outside.onnx", &bytes));
    assert!(text.contains("outside of its folder"), "{text}");
}

#[test]
fn cut_files_are_refused() {
    let folder = folder();
    for name in FILES {
        let bytes = std::fs::read(file(name)).expect("the fixture");
        for part in 0..40 {
            refused(&write(&folder, name, &bytes[..bytes.len() * part / 40]));
        }
    }
}

#[test]
fn onnx_files_are_not_trained() {
    use modelens::train::network::{Head, Network};
    let model = open("small_kept.onnx");
    let classes = ["a".to_owned(), "b".to_owned()];
    let error = Network::new(&model, Head::Own, &classes, [26, 30]).expect_err("it is refused");
    assert!(error.to_string().contains("made for inference"), "{error}");
}
