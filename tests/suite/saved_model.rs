//! SavedModel folders of Keras 2 against Keras itself (`tests/fixtures/generators/make_saved_model.py`).

use std::path::{Path, PathBuf};

use modelens::formats::{ModelFile, Trained, save};
use modelens::model::{Flags, Mode, Semantics};
use modelens_jobs::ModelSource;
use tempfile::TempDir;

use crate::support::files::{folder, read_npz, refused, repository};
use crate::support::models::{opened, pass};
use crate::support::numbers::{assert_close, values};

fn place(name: &str) -> PathBuf {
    repository("tests/fixtures/saved_model").join(name)
}

/// A copy of a fixture's folder, of which some files may be changed.
pub fn copied(name: &str) -> TempDir {
    let copy = folder();
    std::fs::create_dir(copy.path().join("variables")).expect("a folder");
    for file in [
        "saved_model.pb",
        "keras_metadata.pb",
        "variables/variables.index",
        "variables/variables.data-00000-of-00001",
    ] {
        let from = place(name).join(file);
        if from.is_file() {
            std::fs::copy(from, copy.path().join(file)).expect("a copy");
        }
    }
    copy
}

#[test]
fn both_modes_equal_keras() {
    for (name, arrays) in [
        ("functional", "functional"),
        ("sequential", "sequential"),
        ("inside", "sequential"),
    ] {
        let io = read_npz(&place(&format!("{arrays}.npz")));
        // The folder, or the file in it.
        for path in [place(name), place(name).join("saved_model.pb")] {
            let model = opened(&ModelSource::File(path));
            assert_eq!(model.semantics, Semantics::Keras2, "{name}");
            assert!(
                model.framework.starts_with("Keras 2."),
                "{}",
                model.framework
            );
            assert!(model.warnings.is_empty(), "{name}: {:?}", model.warnings);
            for (mode, key) in [
                (Mode::Inference, "y_inference"),
                (Mode::Training, "y_training"),
            ] {
                let done = pass(&model, &io["x"], mode);
                assert_close(
                    &values(&done.output),
                    &values(&io[key]),
                    &format!("{name}, {mode:?}"),
                );
            }
        }
    }
}

#[test]
fn the_base_in_the_model_stays_frozen() {
    let model = opened(&ModelSource::File(place("functional")));
    let flags = Flags::of_file(&model.graph);
    let base = model.graph.find("base").expect("the base");
    assert!(!flags.get(base));
    assert_eq!(model.graph.layers[base].name, "base");
}

#[test]
fn it_is_saved_as_a_file_that_opens() {
    for name in ["functional", "sequential"] {
        let model = opened(&ModelSource::File(place(name)));
        let io = read_npz(&place(&format!("{name}.npz")));
        let places: Vec<_> = (0..model.graph.layers.len()).map(Some).collect();
        let trained = Trained {
            model: &model,
            places: &places,
            has_new_head: false,
        };
        for ending in ["h5", "keras"] {
            let whole = copied(name);
            let beside = Beside(whole.path());
            let bytes = std::fs::read(place(name).join("saved_model.pb")).expect("the fixture");
            let file = ModelFile {
                beside: &beside,
                ..ModelFile::new("saved_model.pb", bytes)
            };
            let saved = save(file, &trained, ending).unwrap_or_else(|e| panic!("{name}: {e}"));
            let path = whole.path().join(format!("saved.{ending}"));
            std::fs::write(&path, saved).expect("a file");
            let again = opened(&ModelSource::File(path));
            let done = pass(&again, &io["x"], Mode::Inference);
            assert_close(
                &values(&done.output),
                &values(&io["y_inference"]),
                &format!("{name}.{ending}"),
            );
        }
    }
}

/// The files of a folder and its subfolders.
struct Beside<'a>(&'a Path);

impl modelens::formats::Beside for Beside<'_> {
    fn read(&self, name: &str, _: u64) -> Result<Option<Vec<u8>>, modelens::formats::BesideError> {
        Ok(std::fs::read(self.0.join(name)).ok())
    }

    fn names(&self) -> Vec<String> {
        Vec::new()
    }
}

#[test]
fn what_is_missing_is_named() {
    let text = refused(&place("serving"));
    assert!(
        text.contains("without the layers of a Keras model") && text.contains(".keras"),
        "{text}"
    );
    for (file, part) in [
        ("variables/variables.index", "variables.index is missing"),
        (
            "variables/variables.data-00000-of-00001",
            "variables.data-00000-of-00001 is missing",
        ),
    ] {
        let copy = copied("sequential");
        std::fs::remove_file(copy.path().join(file)).expect("it was there");
        let text = refused(copy.path());
        assert!(text.contains(part), "{part}: {text}");
    }
    // Half of the tensors.
    let copy = copied("sequential");
    let data = copy.path().join("variables/variables.data-00000-of-00001");
    let bytes = std::fs::read(&data).expect("the tensors");
    std::fs::write(&data, &bytes[..bytes.len() / 2]).expect("a file");
    let text = refused(copy.path());
    assert!(
        text.contains("cut off") || text.contains("missing"),
        "{text}"
    );
}
