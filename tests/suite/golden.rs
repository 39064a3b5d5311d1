//! Every case of the fixture folder: outputs, taps, next moving statistics, counts and flags, as the
//! framework itself produced them (`tests/fixtures/generators/make_goldens.py`).

use std::path::{Path, PathBuf};

use modelens::model::counts::counts;
use modelens::model::{Flags, LayerId, Mode, Model};
use modelens_jobs::ModelSource;
use serde_json::Value;

use crate::support::files::{cases, read_npz};
use crate::support::models::{assert_statistics, opened, pass_with_taps};
use crate::support::numbers::{assert_close, values};

/// The model files of a case.
fn model_files(case: &Path) -> Vec<PathBuf> {
    let files = ["model.h5", "model.keras"].map(|name| case.join(name));
    files.into_iter().filter(|f| f.exists()).collect()
}

fn for_every_model(check: impl Fn(&Model, &Path, &str)) {
    for case in cases(|case| !model_files(case).is_empty()) {
        for file in model_files(&case) {
            let what = file.display().to_string();
            let model = opened(&ModelSource::File(file));
            check(&model, &case, &what);
        }
    }
}

#[test]
fn outputs_taps_and_moving_statistics_equal_the_frameworks() {
    for_every_model(|model, case, what| {
        let io = read_npz(&case.join("io.npz"));
        let taps: Vec<(&str, LayerId)> = io
            .keys()
            .filter_map(|key| key.strip_prefix("tap/")?.strip_suffix("/training"))
            .map(|name| (name, model.graph.find(name).expect("the tapped layer")))
            .collect();
        assert!(!taps.is_empty(), "{what}: the fixture taps no layer");
        let ids: Vec<LayerId> = taps.iter().map(|(_, id)| *id).collect();
        for (mode, name) in [(Mode::Inference, "inference"), (Mode::Training, "training")] {
            let done = pass_with_taps(model, &io["x"], mode, &ids);
            let expected = values(&io[&format!("y_{name}")]);
            assert_close(
                &values(&done.output),
                &expected,
                &format!("{what}, y {name}"),
            );
            for (tap, id) in &taps {
                let expected = values(&io[&format!("tap/{tap}/{name}")]);
                let found = values(&done.taps[id].output);
                assert_close(&found, &expected, &format!("{what}, {tap} {name}"));
            }
            if mode == Mode::Training {
                let compared = assert_statistics(model, &io, &done, what);
                let all = 2 * done.batch_norm.len();
                assert_eq!(compared, all, "{what}: every BatchNorm is in the fixture");
            }
        }
    });
}

#[test]
fn counts_and_flags_equal_the_frameworks() {
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

/// The generator records `training=False` at the call of the base in the cases with `baked` in
/// their names, and nothing in the other cases with a nested base.
#[test]
fn recorded_values_are_read() {
    for_every_model(|model, case, what| {
        let layers = model.graph.layers.iter();
        let bases: Vec<_> = layers
            .filter(|l| l.name.starts_with("mobilenetv2"))
            .collect();
        let name = case.file_name().expect("a name").to_string_lossy();
        let nested = usize::from(name.starts_with("alpaca_"));
        assert_eq!(bases.len(), nested, "{what}: number of nested bases");
        for base in bases {
            let expected = name.contains("_baked_").then_some(false);
            assert_eq!(base.recorded.value(), expected, "{what}");
        }
    });
}
