//! Photos for models of one channel are read in grey as each framework does it.

use std::sync::Arc;

use modelens::app::AppOptions;
use modelens::command::{Action, TrainCommand};
use modelens::dataset::input::PhotoInput;
use modelens::dataset::jpeg::PhotoDecoder;
use modelens::dataset::{Photo, PhotoList, PhotoSet, PhotosInMemory};
use modelens::state::View;
use modelens_jobs::{ModelSource, PhotosSource};

use crate::support::files::{folder, read_npz, repository};
use crate::support::numbers::values;
use crate::support::program::{modelens, succeeds, text};
use crate::support::window::{command, open};

fn set_of(name: &str, bytes: Vec<u8>) -> PhotoSet {
    PhotoSet {
        list: PhotoList {
            title: "grey".to_owned(),
            classes: vec!["grey".to_owned()],
            photos: vec![Photo {
                name: name.to_owned(),
                class: 0,
                part: None,
            }],
            notes: Vec::new(),
            as_given: false,
        },
        files: Arc::new(PhotosInMemory(vec![bytes.into()])),
    }
}

fn grey(library: PhotoDecoder, [height, width]: [usize; 2]) -> PhotoInput {
    PhotoInput {
        height,
        width,
        channels: 1,
        library,
    }
}

#[test]
fn grey_pixels_are_those_of_each_framework() {
    let expected = read_npz(&repository("tests/fixtures/grey/pixels.npz"));
    let mut compared = [0, 0];
    for (key, pixels) in &expected {
        let Some((name, library)) = key.rsplit_once('/').filter(|(name, _)| *name != "rgb") else {
            continue;
        };
        let library = match library {
            "tensorflow" => PhotoDecoder::TensorFlow,
            "pillow" => PhotoDecoder::Pillow,
            other => panic!("{other}"),
        };
        let kind = if name.strip_suffix(".jpg").is_some() {
            "jpeg"
        } else {
            "grey"
        };
        let path = repository("tests/fixtures").join(kind).join(name);
        let set = set_of(name, std::fs::read(path).expect("a photo"));
        let &[height, width] = pixels.dims() else {
            panic!("{key}: {:?}", pixels.dims());
        };
        let image = set.image(0, &grey(library, [height, width]));
        let image = image.unwrap_or_else(|error| panic!("{key}: {error}"));
        assert_eq!(image.channels, 1, "{key}");
        assert_eq!(image.pixels_hwc, values(pixels), "{key}");
        compared[usize::from(library == PhotoDecoder::Pillow)] += 1;
    }
    assert!(compared[0] >= 30 && compared[1] >= 40, "{compared:?}");

    // Many colours through the conversion of what TensorFlow reads in colours alone.
    let rgb: Vec<u8> = values(&expected["rgb"]).iter().map(|&v| v as u8).collect();
    let bmp = image::RgbImage::from_raw(64, 64, rgb).expect("an image");
    let mut bytes = std::io::Cursor::new(Vec::new());
    bmp.write_to(&mut bytes, image::ImageFormat::Bmp)
        .expect("a BMP");
    let set = set_of("rgb.bmp", bytes.into_inner());
    let image = set.image(0, &grey(PhotoDecoder::TensorFlow, [64, 64]));
    let wanted = values(&expected["rgb/tensorflow"]);
    assert_eq!(image.expect("a photo").pixels_hwc, wanted);
}

#[test]
fn a_cmyk_photo_has_no_grey_in_tensorflow() {
    let path = repository("tests/fixtures/jpeg/cmyk_444_baseline_3x5_q10.jpg");
    let set = set_of("ink.jpg", std::fs::read(path).expect("a photo"));
    let refused = set.image(0, &grey(PhotoDecoder::TensorFlow, [5, 3]));
    let message = refused.expect_err("TensorFlow refuses it").to_string();
    assert!(
        message.starts_with("TensorFlow does not read a CMYK JPEG in grey"),
        "{message}"
    );
}

/// `image_dataset_from_directory(color_mode="grayscale")` and the model's output, through the program.
#[test]
fn a_model_of_one_channel_runs_on_photos_as_in_keras() {
    let fixtures = repository("tests/fixtures/grey");
    let expected = read_npz(&fixtures.join("run.npz"));
    let out = folder();
    let file = out.path().join("out.npz");
    let (model, photos) = (fixtures.join("grey.keras"), fixtures.join("photos"));
    let run = [
        "run",
        text(&model),
        "--input",
        text(&photos),
        "--mode",
        "inference",
    ];
    succeeds(&[&run[..], &["--tap", "rescaling", "--out", text(&file)]].concat());
    let found = read_npz(&file);
    let scaled: Vec<f32> = values(&found["tap/rescaling"]);
    let wanted: Vec<f32> = values(&expected["x"])
        .iter()
        .map(|&v| v * (1.0 / 255.0))
        .collect();
    assert_eq!(scaled.len(), wanted.len());
    let largest = scaled
        .iter()
        .zip(&wanted)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max);
    assert!(largest < 1e-6, "{largest}");
    for (a, b) in values(&found["y"]).iter().zip(values(&expected["y"])) {
        assert!((a - b).abs() < 1e-6, "{a} {b}");
    }

    // Every view draws it, and training runs.
    for view in [
        "augmentation",
        "dropout",
        "batchnorm",
        "trainable",
        "predict",
    ] {
        let svg = out.path().join(format!("{view}.svg"));
        let figure = ["figure", view, text(&model), "--input", text(&photos)];
        succeeds(&[&figure[..], &["--batch", "4", "--out", text(&svg)]].concat());
    }
    let csv = out.path().join("run.csv");
    let train = [
        "train",
        text(&model),
        "--photos",
        text(&photos),
        "--epochs",
        "1",
    ];
    succeeds(&[&train[..], &["--head", "own", "--out", text(&csv)]].concat());
}

/// An Oxford "hyperspectral" network: no photo has four channels.
#[test]
fn a_model_of_four_channels_says_what_to_open() {
    let fixtures = repository("tests/fixtures/grey");
    let model = fixtures.join("four.keras");
    let out = folder();
    let file = out.path().join("out.npz");
    let photos = fixtures.join("photos");
    let done = modelens(&[
        "run",
        text(&model),
        "--input",
        text(&photos),
        "--mode",
        "inference",
        "--out",
        text(&file),
    ]);
    let errors = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(1), "{errors}");
    assert!(
        errors
            .contains("the network takes 4 channels and a photo has one (grey) or three (colours)"),
        "{errors}"
    );
}

/// Every view, and one optimizer step of every run, in the window.
#[test]
fn a_model_of_one_channel_is_shown_and_trained_in_the_window() {
    let fixtures = repository("tests/fixtures/grey");
    let mut window = open(AppOptions {
        model: ModelSource::File(fixtures.join("grey.keras")),
        photos: PhotosSource::Folder(fixtures.join("photos")),
        ..AppOptions::default()
    });
    for view in View::ALL {
        command(&mut window, Action::Show(view));
        let notices = &window.state().state().computed.notices;
        assert!(notices.is_empty(), "{view:?}: {notices:?}");
    }
    command(&mut window, TrainCommand::SetBatch(2));
    command(&mut window, Action::StepRuns);
    let training = &window.state().state().training;
    assert!(!training.runs.is_empty());
    for run in &training.runs {
        assert_eq!(run.steps.len(), 1);
    }
}
