//! Networks whose files do not say how photos are scaled.

use std::path::PathBuf;

use modelens::app::AppOptions;
use modelens::command::Command;
use modelens::model::Preprocessing;
use modelens::model::scale::ScaleEvidence;
use modelens_jobs::{ModelSource, PhotosSource, open_folder, try_scales};

use crate::support::files::{folder, read_npz, repository};
use crate::support::numbers::values;
use crate::support::program::{succeeds, text};
use crate::support::window;

fn scale(name: &str) -> PathBuf {
    repository("tests/fixtures/scale").join(name)
}

#[test]
fn the_evidence_decides_which_scale_is_taken() {
    let photos = open_folder(&scale("photos")).expect("photos");
    for (name, best, evidence) in [
        ("unit.keras", Preprocessing::ZeroToOne, ScaleEvidence::Usual),
        ("raw.keras", Preprocessing::Raw, ScaleEvidence::Flat),
        (
            "symmetric.keras",
            Preprocessing::MinusOneToOne,
            ScaleEvidence::BatchNorm,
        ),
    ] {
        let model = ModelSource::File(scale(name)).open().expect("a model");
        assert!(model.scale_unknown, "{name}");
        assert_eq!(model.preprocessing, Preprocessing::ZeroToOne, "{name}");
        let report = try_scales(&model, &photos).expect("a report");
        assert_eq!(
            (report.best, report.evidence),
            (best, evidence),
            "{name}: {report:?}"
        );
        let trial = report
            .trials
            .iter()
            .find(|trial| trial.how == best)
            .expect("the trial");
        let prediction = trial.prediction.as_ref().expect("a classifier");
        assert_eq!(prediction.photos, 16);
        assert!(
            prediction.right.is_some_and(|right| right >= 13),
            "{name}: {report:?}"
        );
    }
    // What a network or a file says is known.
    for known in [
        "alpaca_plain_open_keras3/model.h5",
        "bnnet_keras3/model.keras",
    ] {
        let path = crate::support::files::fixture(known);
        let model = ModelSource::File(path).open().expect("a model");
        let own = model.preprocessing == Preprocessing::Raw;
        assert_eq!(own, !model.scale_unknown, "{known}");
    }
    assert!(!ModelSource::Lab.open().expect("a model").scale_unknown);
    assert!(
        !ModelSource::EfficientNetLite0
            .open()
            .expect("a model")
            .scale_unknown
    );
}

#[test]
fn the_command_line_says_that_the_scale_is_unknown() {
    let out = folder();
    let file = out.path().join("out.npz");
    let (model, photos) = (scale("unit.keras"), scale("photos"));
    let run = |preprocess: &[&str]| {
        let run = [
            "run",
            text(&model),
            "--input",
            text(&photos),
            "--mode",
            "inference",
        ];
        let done = succeeds(&[&run[..], &["--out", text(&file)], preprocess].concat());
        let y = values(&read_npz(&file)["y"]);
        (String::from_utf8_lossy(&done.stderr).into_owned(), y)
    };
    let (errors, by_itself) = run(&[]);
    assert!(errors.contains("warning: scale unknown: "), "{errors}");
    assert!(errors.contains("x / 255 was taken"), "{errors}");
    assert!(errors.contains("note: x / 255: 16 of 16 right"), "{errors}");
    assert!(
        errors.contains("note: 0 to 255: 16 of 16 right, 16 with probability"),
        "{errors}"
    );
    let (errors, chosen) = run(&["--preprocess", "zero-to-one"]);
    assert!(!errors.contains("scale unknown"), "{errors}");
    assert_eq!(by_itself, chosen);
    let csv = out.path().join("run.csv");
    let train = [
        "train",
        text(&model),
        "--photos",
        text(&photos),
        "--epochs",
        "1",
    ];
    let done = succeeds(&[&train[..], &["--head", "own", "--out", text(&csv)]].concat());
    let errors = String::from_utf8_lossy(&done.stderr);
    assert!(errors.contains("warning: scale unknown: "), "{errors}");
}

/// A figure warns as a run does, in its caption too.
#[test]
fn figures_warn_of_the_scale() {
    let out = folder();
    for (model, preprocess, says) in [
        (scale("unit.keras"), None, "scale unknown"),
        (
            PathBuf::from("efficientnet_lite0"),
            Some("raw"),
            "at the first BatchNorm",
        ),
    ] {
        let photos = scale("photos");
        for view in ["dropout", "predict"] {
            let svg = out.path().join(format!("{view}.svg"));
            let figure = [
                "figure",
                view,
                text(&model),
                "--input",
                text(&photos),
                "--batch",
                "4",
                "--caption",
            ];
            let mut figure = figure.to_vec();
            figure.extend(["--out", text(&svg)]);
            figure.extend(preprocess.iter().flat_map(|how| ["--preprocess", how]));
            let done = succeeds(&figure);
            let errors = String::from_utf8_lossy(&done.stderr);
            assert_eq!(errors.matches(says).count(), 1, "{view}: {errors}");
            let drawn = std::fs::read_to_string(&svg).expect("a figure");
            assert!(
                drawn.to_lowercase().contains(&says.to_lowercase()),
                "{view}"
            );
        }
    }
}

#[test]
fn the_window_takes_the_scale_of_the_evidence_and_says_so() {
    let mut opened = window::open(AppOptions {
        model: ModelSource::File(scale("raw.keras")),
        photos: PhotosSource::Folder(scale("photos")),
        ..AppOptions::default()
    });
    assert_eq!(opened.state().state().preprocessing(), Preprocessing::Raw);
    assert!(window::shows(&opened, "Scale unknown"));
    let chosen = Some(Preprocessing::ZeroToOne);
    window::command(&mut opened, Command::SetPreprocessing(chosen));
    assert!(!window::shows(&opened, "Scale unknown"));
    window::command(&mut opened, Command::OpenModel(ModelSource::Lab));
    assert!(!window::shows(&opened, "Scale unknown"));
}
