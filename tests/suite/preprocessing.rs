//! Wrong preprocessing is detected at the first BatchNorm.

use modelens::dataset::jpeg::PhotoDecoder;
use modelens::dataset::resize::resize_rgb8;
use modelens::model::first_norm::{Distance, Suspicion};
use modelens::model::{Model, Preprocessing};
use modelens_jobs::ModelSource;
use modelens_jobs::PhotosSource;
use modelens_jobs::look::tensor_of;

use modelens::model::Preprocessing::{BgrMean, ImageNet, Lite, MinusOneToOne, Raw, ZeroToOne};

use crate::support::models::{lab_mobilenetv2, without_pixels};

/// The suspicion about the bundled photos under each preprocessing.
fn suspicions(
    model: &Model,
    side: usize,
    photos: usize,
) -> Vec<(Preprocessing, Option<Suspicion>)> {
    let set = PhotosSource::Bundled.open().expect("the bundled photos");
    let some = (0..set.photos.len()).step_by(set.photos.len() / photos);
    let images: Vec<_> = some
        .map(|photo| {
            resize_rgb8(
                &set.decode(photo, PhotoDecoder::default()).expect("a photo"),
                side,
                side,
            )
        })
        .collect();
    let of = |how| {
        let as_if = |how| tensor_of(&images, how).ok();
        (how, Suspicion::of(model, how, &as_if))
    };
    Preprocessing::ALL.map(of).to_vec()
}

fn check(model: &Model, side: usize) {
    for (how, suspicion) in suspicions(model, side, 12) {
        // The two differ by less than one level of brightness, too little to distinguish them.
        let right = matches!(how, MinusOneToOne | Lite);
        assert_eq!(suspicion.is_none(), right, "{how:?}: {suspicion:?}");
        let Some(suspicion) = suspicion else { continue };
        assert_eq!(suspicion.better, Some(model.preprocessing), "{how:?}");
        let text = suspicion.sentence(&model.graph);
        assert!(text.contains(how.label()), "{text}");
        assert!(text.ends_with(model.preprocessing.label()), "{text}");
        let larger = matches!(how, Raw | ImageNet | BgrMean);
        assert_eq!(text.contains("times larger"), larger, "{text}");
        assert_eq!(text.contains("times smaller"), how == ZeroToOne, "{text}");
    }
}

#[test]
fn the_bundled_photos_under_every_preprocessing_of_a_keras_base() {
    check(&without_pixels(), 160);
}

/// The network scales the photos itself.
#[test]
fn the_bundled_photos_of_the_bundled_base_need_no_scaling() {
    let model = lab_mobilenetv2();
    assert_eq!(model.preprocessing, Raw);
    for (how, suspicion) in suspicions(&model, 160, 12) {
        if how == Raw {
            assert_eq!(suspicion, None);
        } else if matches!(how, MinusOneToOne | Lite | ZeroToOne) {
            let suspicion = suspicion.expect("a suspicion");
            assert_eq!(suspicion.better, Some(Raw), "{how:?}");
        }
    }
}

#[test]
fn the_bundled_photos_under_every_preprocessing_of_a_pytorch_base() {
    let model = ModelSource::EfficientNetLite0.open().expect("it opens");
    check(&model, 224);
}

#[test]
fn one_photo_is_too_few_to_suspect_the_contrast() {
    let model = without_pixels();
    for (how, suspicion) in suspicions(&model, 160, 1) {
        let far = matches!(how, Raw | BgrMean);
        assert_eq!(suspicion.is_some(), far, "{how:?}: {suspicion:?}");
    }
    let photo = candle_core::Tensor::zeros(
        (1, 160, 160, 1),
        candle_core::DType::F32,
        &candle_core::Device::Cpu,
    );
    let grey = photo.expect("a tensor");
    assert_eq!(
        Distance::of(&model, &grey),
        None,
        "a batch that does not fit"
    );
}
