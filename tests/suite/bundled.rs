//! The two bundled bases on four bundled photos, against Keras and PyTorch
//! (`tests/fixtures/generators/make_bundled_goldens.py`).

use modelens::dataset::jpeg::PhotoDecoder;
use modelens::dataset::resize::resize_rgb8;
use modelens::model::counts::counts;
use modelens::model::pass::{Pass, PassOptions, run};
use modelens::model::{Flags, Mode, Model};
use modelens::train::recipe::LAB_FROM;
use modelens::train::split::split_photos;
use modelens_jobs::look::tensor_of;
use modelens_jobs::{ModelSource, bundled_photos};

use crate::support::files::{Arrays, fixture, read_npz};
use crate::support::models::{assert_statistics, lab_mobilenetv2, opened};
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
fn lab_mobilenetv2_computes_what_keras_computes() {
    let model = lab_mobilenetv2();
    let io = read_npz(&fixture("bundled_lab/io.npz"));
    let file = Flags::of_file(&model.graph);
    let close = |mode, flags: &Flags, key: &str| {
        let done = pass(&model, &io, mode, flags);
        assert_close(&values(&done.output), &values(&io[key]), key);
        done
    };
    close(Mode::Inference, &file, "y_inference");
    close(Mode::Training, &file, "y_training");
    close(
        Mode::Training,
        &Flags::all(&model.graph, true),
        "y_training_all_open",
    );
    let mut second_stage = Flags::all(&model.graph, true);
    second_stage.fine_tune_from(&model.graph, LAB_FROM);
    let done = close(Mode::Training, &second_stage, "y_training_from_120");
    assert_statistics(&model, &io, &done, "the course's lab");
    // Keras, too, left the frozen layer unchanged.
    assert_eq!(values(&io["bn_Conv1_unchanged"]), [1.0]);
    let frozen = model.graph.find("bn_Conv1").expect("the first BatchNorm");
    assert_eq!(
        done.batch_norm[&frozen].next.mean,
        values(&model.weights[&(frozen, "moving_mean")]),
        "a frozen BatchNorm keeps its statistics bit for bit"
    );
}

/// The held-out photos that `make_lab_mobilenetv2.py` names are those that Fine-tune validates with by
/// its default seed, and the head classifies as many of them as it says.
#[test]
fn the_bundled_head_classifies_the_photos_that_it_never_saw() {
    let model = lab_mobilenetv2();
    let photos = bundled_photos();
    let held_out = split_photos(&photos, 0.2, 7).validation;
    let images: Vec<_> = held_out
        .iter()
        .map(|&photo| {
            let decoded = photos.decode(photo, PhotoDecoder::default());
            resize_rgb8(&decoded.expect("a photo"), 160, 160)
        })
        .collect();
    let x = tensor_of(&images, model.preprocessing).expect("a batch");
    let flags = Flags::of_file(&model.graph);
    let options = PassOptions::of(&model, &flags, Mode::Inference);
    let logits = run(&model, &x, &options, &|_, _| true)
        .expect("a pass")
        .output;
    let rows = logits.to_vec2::<f32>().expect("rows");
    let right = rows.iter().zip(&held_out).filter(|(row, photo)| {
        let class = photos.photos[**photo].class;
        row.iter().all(|logit| *logit <= row[class])
    });
    assert_eq!((right.count(), held_out.len()), (16, 18));
    assert_eq!(model.labels, photos.classes);
}

#[test]
fn lab_mobilenetv2_counts_as_keras_prints_them() {
    let model = lab_mobilenetv2();
    let found = counts(&model, &Flags::of_file(&model.graph), model.semantics);
    assert_eq!(
        [found.total, found.trainable, found.non_trainable],
        [2_263_108, 5_124, 2_257_984]
    );
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
