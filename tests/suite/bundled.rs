//! The two bundled bases on four bundled photos, against Keras and PyTorch
//! (`tests/fixtures/generators/make_bundled_goldens.py`).

use modelens::model::counts::counts;
use modelens::model::pass::{Pass, PassOptions, run};
use modelens::model::{Flags, Mode, Model};
use modelens_jobs::ModelSource;

use crate::support::files::{Arrays, fixture, read_npz};
use crate::support::models::{assert_statistics, dog_breeds, opened};
use crate::support::numbers::{assert_close, values};

fn pass(model: &Model, io: &Arrays, mode: Mode, flags: &Flags) -> Pass {
    let pixels = &io["x_uint8"];
    let mut scaled = values(pixels);
    model.preprocessing.apply(&mut scaled);
    let x = candle_core::Tensor::from_vec(scaled, pixels.shape(), &candle_core::Device::Cpu);
    let options = PassOptions::of(model, flags, mode);
    run(model, &x.expect("a tensor"), &options, &|_, _| true).unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn dog_breeds_computes_what_keras_computes() {
    let model = dog_breeds();
    let io = read_npz(&fixture("bundled_dog_breeds/io.npz"));
    let file = Flags::of_file(&model.graph);
    let close = |mode, flags: &Flags, key: &str| {
        let done = pass(&model, &io, mode, flags);
        assert_close(&values(&done.output), &values(&io[key]), key);
        done
    };
    close(Mode::Inference, &file, "y_inference");
    let done = close(Mode::Training, &file, "y_training");
    assert_statistics(&model, &io, &done, "dog breeds");
    // Keras, too, left the frozen layer unchanged.
    assert_eq!(values(&io["bn_Conv1_unchanged"]), [1.0]);
    let frozen = model.graph.find("bn_Conv1").expect("the first BatchNorm");
    assert_eq!(
        done.batch_norm[&frozen].next.mean,
        values(&model.weights[&(frozen, "moving_mean")]),
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
fn efficientnet_lite0_computes_what_pytorch_computes() {
    let model = opened(&ModelSource::EfficientNetLite0);
    let io = read_npz(&fixture("bundled_efficientnet_lite0/io.npz"));
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
    assert_statistics(&model, &io, &done, "Lite0");
    assert_eq!(counts(&model, &flags, model.semantics).total, 4_652_008);
    assert_eq!(model.labels.len(), 1000);
}
