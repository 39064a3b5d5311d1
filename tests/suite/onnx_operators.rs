//! ONNX operators one by one, against onnxruntime (`tests/fixtures/generators/make_onnx_operators.py`).

use std::collections::BTreeSet;
use std::path::PathBuf;

use candle_core::Tensor;
use modelens::model::{Mode, Model};
use modelens_jobs::ModelSource;

use crate::support::files::{folder, read_npz, refused, repository};
use crate::support::models::{opened, pass};
use crate::support::numbers::{assert_close, values};

fn file(name: &str) -> PathBuf {
    repository("tests/fixtures/onnx/operators").join(name)
}

/// The output with the axes of the file.
fn in_file_order(model: &Model, output: &Tensor) -> Tensor {
    let axes = &model.graph.layouts[&model.graph.output];
    let turned = output.permute(axes.as_slice()).and_then(|y| y.contiguous());
    turned.expect("the output has these axes")
}

#[test]
fn every_operator_computes_what_onnxruntime_does() {
    let arrays = read_npz(&file("operators.npz"));
    let names: BTreeSet<&str> = arrays
        .keys()
        .filter_map(|key| key.split('/').next())
        .collect();
    let mut wrong = Vec::new();
    for name in &names {
        let model = match ModelSource::File(file(&format!("{name}.onnx"))).open() {
            Ok(model) => model,
            Err(why) => {
                wrong.push(why.to_string());
                continue;
            }
        };
        let done = pass(&model, &arrays[&format!("{name}/x")], Mode::Inference);
        let found = in_file_order(&model, &done.output);
        let expected = &arrays[&format!("{name}/y")];
        if found.dims() != expected.dims() {
            wrong.push(format!("{name}: {:?} {:?}", found.dims(), expected.dims()));
            continue;
        }
        assert_close(&values(&found), &values(expected), name);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(names.len() > 90, "{}", names.len());
}

#[test]
fn weights_are_read_from_the_files_folder_alone() {
    let moved = folder();
    let at = |name: &str| moved.path().join(name);
    let bytes = std::fs::read(file("external.onnx")).expect("the fixture");
    let weights = std::fs::read(file("external.weights")).expect("the fixture");
    std::fs::write(at("external.onnx"), &bytes).expect("it is written");
    let text = refused(&at("external.onnx"));
    assert!(
        text.contains("external.weights, which is not in its folder"),
        "{text}"
    );
    std::fs::write(at("external.weights"), &weights[..weights.len() - 1]).expect("it is written");
    let text = refused(&at("external.onnx"));
    assert!(text.contains("cut off"), "{text}");
    std::fs::write(at("external.weights"), &weights).expect("it is written");
    opened(&ModelSource::File(at("external.onnx")));
    #[cfg(unix)]
    {
        std::fs::remove_file(at("external.weights")).expect("it is removed");
        std::os::unix::fs::symlink(file("external.weights"), at("external.weights"))
            .expect("a link");
        let text = refused(&at("external.onnx"));
        assert!(text.contains("is a link"), "{text}");
    }
    // Paths of the same length.
    for path in ["../../weights.bi", "/etc/ssl/private", "folder/weights.x"] {
        let other = String::from_utf8_lossy(&bytes).contains("external.weights");
        assert!(other && path.len() == "external.weights".len());
        let changed = replaced(&bytes, b"external.weights", path.as_bytes());
        std::fs::write(at("outside.onnx"), changed).expect("it is written");
        let text = refused(&at("outside.onnx"));
        assert!(text.contains("outside of its folder"), "{path}: {text}");
    }
}

fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for at in 0..=bytes.len() - from.len() {
        if bytes[at..].starts_with(from) {
            bytes[at..at + from.len()].copy_from_slice(to);
        }
    }
    bytes
}
