//! Small files that ask for more memory or time than available: each gives one clear error.

use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use modelens::model::pass::{Pass, PassOptions, run};
use modelens::model::{Flags, Mode, Model, PassError};
use modelens_jobs::ModelSource;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::files::{fixture, folder, refused, rezipped, write};
use crate::support::numbers::values;

/// A layer of this class that reads the layer `from`.
fn layer(class: &str, name: &str, settings: Value, from: &str) -> Value {
    let mut config = settings;
    config["name"] = json!(name);
    let tensor =
        json!({"class_name": "__keras_tensor__", "config": {"keras_history": [from, 0, 0]}});
    json!({"module": "keras.layers", "class_name": class, "name": name, "config": config,
           "inbound_nodes": [{"args": [tensor], "kwargs": {}}]})
}

/// A slice of no rows: an image without pixels.
fn no_rows(name: &str, from: &str) -> Value {
    let mut item = layer("GetItem", name, json!({}), from);
    let slice =
        |stop: Value| json!({"class_name": "__slice__", "config": {"start": null, "stop": stop}});
    item["module"] = json!("keras.src.ops.numpy");
    let args = item["inbound_nodes"][0]["args"].as_array_mut();
    args.expect("arguments")
        .push(json!([slice(json!(null)), slice(json!(0))]));
    item
}

/// A `.keras` file with an input for images of any size, followed by these layers.
fn model(folder: &TempDir, layers: &[Value]) -> Model {
    let input = json!({"module": "keras.layers", "class_name": "InputLayer", "name": "in",
                       "config": {"name": "in", "batch_shape": [null, null, null, 3]},
                       "inbound_nodes": []});
    let last = layers.last().map_or(json!("in"), |l| l["name"].clone());
    let all: Vec<Value> = [input].into_iter().chain(layers.iter().cloned()).collect();
    let config = json!({"module": "keras", "class_name": "Functional", "config": {
        "name": "m", "trainable": true, "layers": all,
        "input_layers": [["in", 0, 0]], "output_layers": [[last, 0, 0]]}});
    let bytes = rezipped("bnnet_keras3/model.keras", "config.json", |_| {
        config.to_string().into_bytes()
    });
    let path = write(folder, "crafted.keras", &bytes);
    ModelSource::File(path).open().expect("it opens")
}

fn pass(model: &Model, mode: Mode) -> Result<Pass, PassError> {
    let x = Tensor::ones((2, 8, 8, 3), candle_core::DType::F32, &Device::Cpu).expect("a tensor");
    let flags = Flags::of_file(&model.graph);
    let options = PassOptions {
        random: true,
        seed: 1,
        ..PassOptions::of(model, &flags, mode)
    };
    run(model, &x, &options, &|_, _| true)
}

/// The error that names the layer `z`.
fn fails(layers: &[Value]) -> String {
    let folder = folder();
    let model = model(&folder, layers);
    let error = pass(&model, Mode::Training).expect_err("it cannot be computed");
    let text = error.to_string();
    assert!(text.starts_with("layer `z`: "), "{text}");
    text
}

#[test]
fn a_layer_that_needs_too_much_memory_is_named_before_it_is_computed() {
    let rows = |n: u64| {
        layer(
            "ZeroPadding2D",
            "z",
            json!({"padding": [[n, 0], [0, 0]]}),
            "in",
        )
    };
    assert_eq!(
        fails(&[rows(37_500_000)]),
        "layer `z`: it would need 7.2 GB for this batch; take a smaller batch or smaller photos"
    );
    for n in [10_u64.pow(13), u64::MAX / 2] {
        assert!(fails(&[rows(n)]).contains("GB for this batch"));
    }
    let wide = json!({"height": 16_000, "width": 10_000});
    assert!(fails(&[layer("Resizing", "z", wide, "in")]).contains("3.8 GB"));
}

#[test]
fn noise_shapes_are_checked_against_the_photos() {
    for shape in [
        json!([null, 1_u64 << 40, 1_u64 << 40, 1]),
        json!([null, 1_u64 << 32, 1, 1]),
        json!([1, 9, 1, 1]),
    ] {
        let settings = json!({"rate": 0.5, "noise_shape": shape});
        assert!(fails(&[layer("Dropout", "z", settings, "in")]).contains("does not fit"));
    }
}

#[test]
fn images_without_pixels_stop_the_pass() {
    for (class, settings) in [
        ("SpatialDropout2D", json!({"rate": 0.5})),
        ("MaxPooling2D", json!({"padding": "same"})),
        ("AveragePooling2D", json!({})),
        ("GlobalMaxPooling2D", json!({})),
        ("GlobalAveragePooling2D", json!({})),
        ("RandomRotation", json!({"factor": 0.2})),
        ("Resizing", json!({"height": 8, "width": 8})),
        ("Flatten", json!({})),
    ] {
        let text = fails(&[no_rows("gi", "in"), layer(class, "z", settings, "gi")]);
        assert!(text.contains("nothing is left"), "{class}: {text}");
    }
}

#[test]
fn the_largest_allowed_pool_finishes() {
    let folder = folder();
    let settings = json!({"pool_size": [65_536, 65_536], "strides": [1, 1], "padding": "same"});
    for class in ["MaxPooling2D", "AveragePooling2D"] {
        let model = model(&folder, &[layer(class, "z", settings.clone(), "in")]);
        let pass = pass(&model, Mode::Inference).expect("a pass");
        assert!(values(&pass.output).iter().all(|&y| y == 1.0));
    }
}

#[test]
#[cfg(unix)]
fn devices_and_pipes_are_not_read() {
    let text = refused(Path::new("/dev/zero"));
    assert!(text.contains("a device or a pipe"), "{text}");
    let folder = folder();
    assert!(refused(&pipe(&folder, "model.keras")).contains("a device or a pipe"));
    let path = folder.path().join("beside.keras");
    std::fs::copy(fixture("bnnet_keras3/model.keras"), &path).expect("a copy");
    pipe(&folder, "beside.labels.txt");
    let model = ModelSource::File(path).open().expect("it opens");
    assert!(model.labels.is_empty());
}

/// A named pipe without a writer.
#[cfg(unix)]
fn pipe(folder: &TempDir, name: &str) -> PathBuf {
    let path = folder.path().join(name);
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    assert!(made.expect("mkfifo runs").success());
    path
}

#[test]
fn files_of_class_names_over_a_megabyte_are_ignored() {
    let folder = folder();
    let path = folder.path().join("named.keras");
    std::fs::copy(fixture("bnnet_keras3/model.keras"), &path).expect("a copy");
    let labels = |third: usize| {
        write(
            &folder,
            "named.labels.txt",
            format!("a\nb\n{}", "c".repeat(third)).as_bytes(),
        );
        let model = ModelSource::File(path.clone()).open().expect("it opens");
        model.labels.len()
    };
    assert_eq!(labels(1), 3);
    assert_eq!(labels(1 << 20), 0);
}
