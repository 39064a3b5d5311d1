//! Files that hold weights alone: recognised, chosen and checked, compared with Keras.

use std::path::{Path, PathBuf};

use modelens::formats::OpenError;
use modelens::model::pass::{PassOptions, run};
use modelens::model::{Flags, Mode, Model, Semantics};
use modelens_jobs::ModelSource;

use crate::support::files::{read_npz, repository};
use crate::support::numbers::{assert_close, values};

/// Every compressed file, with its expected arrays.
pub fn files() -> Vec<(PathBuf, PathBuf)> {
    let folder = repository("tests/fixtures/weights_only");
    let entries = std::fs::read_dir(&folder).expect("the folder can be listed");
    let paths = entries.map(|e| e.expect("an entry").path());
    let packed = paths.filter(|p| p.extension().is_some_and(|e| e == "zip"));
    let mut files: Vec<_> = packed
        .map(|path| {
            let name = path
                .file_name()
                .expect("a name")
                .to_string_lossy()
                .into_owned();
            let stem = name
                .split(".weights")
                .next()
                .expect("a stem")
                .replace(".h5.zip", "");
            let arrays = folder.join(stem.replace(".zip", "") + ".npz");
            (path, arrays)
        })
        .collect();
    files.sort();
    assert_eq!(files.len(), 3, "{files:?}");
    files
}

/// Unpacks the file under another name into its own folder.
pub fn unpacked(packed: &Path, name: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = std::fs::File::open(packed).expect("the fixture");
    let mut archive = zip::ZipArchive::new(file).expect("a zip archive");
    let mut entry = archive.by_index(0).expect("an entry");
    let path = folder.path().join(name);
    let mut out = std::fs::File::create(&path).expect("a file");
    std::io::copy(&mut entry, &mut out).expect("it unpacks");
    (folder, path)
}

fn chosen(path: &Path, architecture: &str) -> ModelSource {
    ModelSource::Weights {
        path: path.to_owned(),
        architecture: architecture.to_owned(),
    }
}

fn compare(model: &Model, arrays: &Path, what: &str) {
    let arrays = read_npz(arrays);
    for mode in [Mode::Inference, Mode::Training] {
        let flags = Flags::all(&model.graph, true);
        let options = PassOptions::of(model, &flags, mode);
        let pass = run(model, &arrays["x"], &options, &|_, _| true).expect("a pass");
        let expected = if mode == Mode::Training {
            "training"
        } else {
            "inference"
        };
        let found = values(&pass.output);
        assert_close(
            &found,
            &values(&arrays[expected]),
            &format!("{what}, {expected}"),
        );
    }
}

#[test]
fn recognised_and_chosen_weights_compute_what_keras_computes() {
    for (packed, arrays) in files() {
        let what = packed.display().to_string();
        let (_folder, path) = unpacked(&packed, "mine.h5");
        // A file of weights does not hold the size of the photos.
        let model = ModelSource::File(path.clone()).open();
        let model = model.unwrap_or_else(|e| panic!("{what}: {e}"));
        assert_eq!(model.graph.input_hwc, [Some(224), Some(224), Some(3)]);
        assert!(
            model.warnings.iter().any(|w| w.contains("224 x 224")),
            "{:?}",
            model.warnings
        );
        let found = &model.recognised;
        assert_eq!(found.what, "MobileNet, 0.25 times as wide, without its top");
        // Keras 2 writes numbered groups without the names of layers.
        let by = if what.contains("keras2.weights") {
            "by the kinds, the order and all shapes of its 54 layers"
        } else {
            "by the names and all shapes of its 54 layers"
        };
        assert!(found.how.starts_with(by), "{what}: {}", found.how);
        let source = chosen(&path, "mobilenet:32");
        let model = source.open().unwrap_or_else(|e| panic!("{what}: {e}"));
        assert_eq!(model.graph.input_hwc, [Some(32), Some(32), Some(3)]);
        assert!(model.recognised.how.starts_with("chosen; checked against"));
        assert!(model.warnings.is_empty(), "{:?}", model.warnings);
        let keras2 = what.contains("keras2");
        let rules = if keras2 {
            Semantics::Keras2
        } else {
            Semantics::Keras3
        };
        assert_eq!(model.semantics, rules, "{what}");
        compare(&model, &arrays, &what);
    }
}

#[test]
fn a_size_in_the_file_name_is_used() {
    let (packed, _) = &files()[0];
    let (_folder, path) = unpacked(packed, "mobilenet_2_5_128_tf_no_top.h5");
    let model = ModelSource::File(path).open().expect("it opens");
    assert_eq!(model.graph.input_hwc, [Some(128), Some(128), Some(3)]);
    assert!(model.warnings.is_empty(), "{:?}", model.warnings);
}

#[test]
fn a_network_that_does_not_fit_is_refused_by_its_first_different_layer() {
    for (packed, _) in files() {
        let (_folder, path) = unpacked(&packed, "mine.h5");
        let refused = |name: &str| {
            let failed = chosen(&path, name).open().expect_err("another network");
            assert!(
                matches!(*failed.cause, OpenError::WeightsAlone(_)),
                "{failed}"
            );
            failed.to_string()
        };
        let text = refused("VGG16");
        assert!(text.contains("not those of VGG16"), "{text}");
        assert!(
            text.contains("`block1_conv1`") && text.contains("[3, 3, 3, 64]"),
            "{text}"
        );
        assert!(text.contains("[3, 3, 3, 8]"), "{text}");
        let text = refused("SqueezeNet");
        assert!(
            text.contains("`SqueezeNet` is no network") && text.contains("docs/architectures.md"),
            "{text}"
        );
        let text = refused("MobileNet:100");
        assert!(text.contains("multiple of 32"), "{text}");
    }
}

#[test]
fn a_file_with_a_configuration_needs_no_architecture() {
    let folder = crate::support::files::golden();
    for name in ["bnnet_keras3/model.h5", "bnnet_keras3/model.keras"] {
        let failed = chosen(&folder.join(name), "VGG16")
            .open()
            .expect_err("a whole model");
        assert!(
            failed.to_string().contains("leave the architecture out"),
            "{failed}"
        );
    }
}
