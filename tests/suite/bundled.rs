//! The two bundled bases on four bundled photos, against Keras and PyTorch
//! (`tests/fixtures/generators/make_bundled_goldens.py`).

use std::path::Path;

use modelens::model::counts::counts;
use modelens::model::pass::{Pass, PassOptions, run};
use modelens::model::{Flags, Mode, Model};
use modelens::worker::ModelSource;

use crate::support::{Arrays, assert_close, dog_breeds, read_npz, values};

/// These two cases belong to the bundled files, not to a chosen fixture folder.
fn fixture(name: &str) -> Arrays {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/golden");
    read_npz(&folder.join(name).join("io.npz"))
}

fn pass(model: &Model, io: &Arrays, mode: Mode, flags: &Flags) -> Pass {
    let pixels = &io["x_uint8"];
    let mut scaled = values(pixels);
    model.preprocessing.apply(&mut scaled);
    let x = candle_core::Tensor::from_vec(scaled, pixels.shape(), &candle_core::Device::Cpu);
    let options = PassOptions::of(model, flags, mode);
    run(model, &x.expect("a tensor"), &options, &|_, _| true).unwrap_or_else(|e| panic!("{e}"))
}

fn assert_statistics(model: &Model, io: &Arrays, done: &Pass) {
    for (key, expected) in io.iter().filter(|(key, _)| key.starts_with("bn/")) {
        let (layer, which) = key["bn/".len()..]
            .rsplit_once('/')
            .expect("bn/<layer>/<which>");
        let next = &done.batch_norm[&model.graph.find(layer).expect("the layer")].next;
        let found = if which == "mean" {
            &next.mean
        } else {
            &next.variance
        };
        assert_close(found, &values(expected), key);
    }
}

#[test]
fn dog_breeds_gives_what_keras_gives() {
    let model = dog_breeds();
    let io = fixture("bundled_dog_breeds");
    let file = Flags::of_file(&model.graph);
    let close = |mode, flags: &Flags, key: &str| {
        let done = pass(&model, &io, mode, flags);
        assert_close(&values(&done.output), &values(&io[key]), key);
        done
    };
    close(Mode::Inference, &file, "y_inference");
    let done = close(Mode::Training, &file, "y_training");
    assert_statistics(&model, &io, &done);
    let frozen = model.graph.find("bn_Conv1").expect("the first BatchNorm");
    assert_eq!(
        done.batch_norm[&frozen].next.mean,
        values(
            model.graph.layers[frozen]
                .weight("moving_mean")
                .expect("moving mean")
        ),
        "a frozen BatchNorm keeps its statistics bit for bit"
    );
    close(
        Mode::Training,
        &Flags::all(&model.graph, true),
        "y_training_all_open",
    );
    close(
        Mode::Training,
        &Flags::all(&model.graph, false),
        "y_training_all_frozen",
    );
}

#[test]
fn dog_breeds_counts_as_keras_prints_them() {
    let model = dog_breeds();
    let found = counts(&model, &Flags::of_file(&model.graph), model.semantics);
    assert_eq!(
        [found.total, found.trainable, found.non_trainable],
        [2_282_323, 1_550_739, 731_584]
    );
    assert_eq!(model.labels.len(), 19);
}

#[test]
fn efficientnet_lite0_gives_what_pytorch_gives() {
    let model = ModelSource::EfficientNetLite0
        .open()
        .unwrap_or_else(|e| panic!("{e}"));
    let io = fixture("bundled_efficientnet_lite0");
    let flags = Flags::of_file(&model.graph);
    let done = pass(&model, &io, Mode::Inference, &flags);
    assert_close(
        &values(&done.output),
        &values(&io["logits_eval"]),
        "logits_eval",
    );
    let done = pass(&model, &io, Mode::Training, &flags);
    assert_close(
        &values(&done.output),
        &values(&io["logits_train_no_drop"]),
        "logits_train_no_drop",
    );
    assert_statistics(&model, &io, &done);
    assert_eq!(counts(&model, &flags, model.semantics).total, 4_652_008);
    assert_eq!(model.labels.len(), 1000);
}
