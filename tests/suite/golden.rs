//! Every case of the fixture folder: outputs, taps, next moving statistics, counts and flags, as the
//! framework itself produced them (`tests/fixtures/generators/make_goldens.py`).

use std::path::{Path, PathBuf};

use modelens::model::counts::counts;
use modelens::model::pass::{Pass, PassOptions, run};
use modelens::model::{Flags, LayerId, Mode, Model};
use modelens::worker::ModelSource;
use serde_json::Value;

use crate::support::{Arrays, assert_close, cases, read_npz, values};

/// The model files of a case.
fn model_files(case: &Path) -> Vec<PathBuf> {
    let files = ["model.h5", "model.keras"].map(|name| case.join(name));
    files.into_iter().filter(|f| f.exists()).collect()
}

fn for_every_model(check: impl Fn(&Model, &Path, &str)) {
    let cases = cases(|case| !model_files(case).is_empty());
    assert!(!cases.is_empty(), "no case found");
    for case in cases {
        for file in model_files(&case) {
            let what = file.display().to_string();
            let model = ModelSource::File(file)
                .open()
                .unwrap_or_else(|e| panic!("{e}"));
            check(&model, &case, &what);
        }
    }
}

fn pass(model: &Model, io: &Arrays, mode: Mode, taps: &[LayerId]) -> Pass {
    let flags = Flags::of_file(&model.graph);
    let options = PassOptions {
        taps,
        ..PassOptions::of(model, &flags, mode)
    };
    run(model, &io["x"], &options, &|_, _| true).unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn outputs_taps_and_moving_statistics_are_the_frameworks() {
    for_every_model(|model, case, what| {
        let io = read_npz(&case.join("io.npz"));
        let taps: Vec<(String, LayerId)> = io
            .keys()
            .filter_map(|key| key.strip_prefix("tap/")?.strip_suffix("/training"))
            .map(|name| {
                (
                    name.to_owned(),
                    model.graph.find(name).expect("the tapped layer"),
                )
            })
            .collect();
        let ids: Vec<LayerId> = taps.iter().map(|(_, id)| *id).collect();
        for (mode, name) in [(Mode::Inference, "inference"), (Mode::Training, "training")] {
            let done = pass(model, &io, mode, &ids);
            let y = values(&done.output);
            assert_close(
                &y,
                &values(&io[&format!("y_{name}")]),
                &format!("{what}, y {name}"),
            );
            for (tap, id) in &taps {
                let expected = values(&io[&format!("tap/{tap}/{name}")]);
                assert_close(
                    &values(&done.taps[id].output),
                    &expected,
                    &format!("{what}, {tap} {name}"),
                );
            }
            if mode == Mode::Training {
                statistics(model, &io, &done, what);
            }
        }
    });
}

/// The moving statistics after a training pass against `bn/<layer>/...`.
fn statistics(model: &Model, io: &Arrays, done: &Pass, what: &str) {
    let mut seen = 0;
    for (key, expected) in io.iter().filter(|(key, _)| key.starts_with("bn/")) {
        let (layer, which) = key["bn/".len()..]
            .rsplit_once('/')
            .expect("bn/<layer>/<which>");
        let id = model
            .graph
            .find(layer)
            .expect("the BatchNorm of the fixture");
        let next = &done.batch_norm[&id].next;
        let found = if which == "mean" {
            &next.mean
        } else {
            &next.variance
        };
        assert_close(found, &values(expected), &format!("{what}, {key}"));
        seen += 1;
    }
    assert_eq!(
        seen,
        2 * done.batch_norm.len(),
        "{what}: every BatchNorm is in the fixture"
    );
}

#[test]
fn counts_and_flags_are_exactly_the_frameworks() {
    for_every_model(|model, case, what| {
        let text = std::fs::read_to_string(case.join("flags.json")).expect("flags.json");
        let expected: Value = serde_json::from_str(&text).expect("JSON");
        let counts = counts(model, &Flags::of_file(&model.graph), model.semantics);
        let number = |key: &str| expected[key].as_u64().map(|n| n as usize);
        assert_eq!(Some(counts.trainable), number("trainable_params"), "{what}");
        assert_eq!(
            Some(counts.non_trainable),
            number("non_trainable_params"),
            "{what}"
        );
        let listed = model.graph.layers.iter().filter(|l| l.listed);
        let found: Vec<Value> = listed
            .map(|l| serde_json::json!([l.name, l.class, l.trainable]))
            .collect();
        let wanted = expected["layers"].as_array().expect("a list of layers");
        assert_eq!(&found, wanted, "{what}");
    });
}

#[test]
fn recorded_values_are_read() {
    for_every_model(|model, _, what| {
        let bases = model
            .graph
            .layers
            .iter()
            .filter(|l| l.name.starts_with("mobilenetv2"));
        for base in bases {
            let expected = what.contains("baked").then_some(false);
            assert_eq!(base.recorded_training, expected, "{what}");
        }
    });
}
