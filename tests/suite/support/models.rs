//! Networks, and passes through them.

use std::sync::{Arc, OnceLock};

use candle_core::Tensor;
use modelens::model::pass::{Pass, PassOptions, run};
use modelens::model::{Flags, LayerId, LayerKind, Mode, Model, Preprocessing};
use modelens_jobs::ModelSource;
use tempfile::TempDir;

use super::files::{Arrays, folder, repository, rezipped_file, write};
use super::numbers::{assert_close, values};

/// The bundled base, opened once for all tests.
pub fn lab_mobilenetv2() -> Arc<Model> {
    static MODEL: OnceLock<Arc<Model>> = OnceLock::new();
    let open = || Arc::new(opened(&ModelSource::Lab));
    Arc::clone(MODEL.get_or_init(open))
}

/// The lab's network as a file whose photos are 64 x 64: the same layers, names and weights, a sixth
/// of the work. For windows in which the numbers do not matter.
pub fn small_lab() -> ModelSource {
    static FOLDER: OnceLock<TempDir> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let bundled = repository("assets/base/lab_mobilenetv2.keras");
        let small = rezipped_file(&bundled, "config.json", |config| {
            let config = String::from_utf8(config).expect("text");
            config.replace("160, 160, 3", "64, 64, 3").into_bytes()
        });
        let folder = folder();
        write(&folder, SMALL_LAB, &small);
        folder
    });
    ModelSource::File(folder.path().join(SMALL_LAB))
}

const SMALL_LAB: &str = "lab_mobilenetv2.keras";

/// The same network as files have it whose photos are augmented and scaled outside of them.
pub fn without_pixels() -> Model {
    let mut model = (*lab_mobilenetv2()).clone();
    for name in ["random_flip", "random_rotation", "true_divide", "subtract"] {
        let layer = model.graph.find(name).expect("a layer before the base");
        model.graph.layers[layer].kind = LayerKind::Identity;
    }
    model.preprocessing = Preprocessing::MinusOneToOne;
    model
}

/// The model, or a failure with the reason.
pub fn opened(source: &ModelSource) -> Model {
    source.open().unwrap_or_else(|e| panic!("{e}"))
}

/// A pass with the flags of the file and no random layers.
pub fn pass(model: &Model, x: &Tensor, mode: Mode) -> Pass {
    pass_with_taps(model, x, mode, &[])
}

/// The same, keeping the outputs of some layers.
pub fn pass_with_taps(model: &Model, x: &Tensor, mode: Mode, taps: &[LayerId]) -> Pass {
    let flags = Flags::of_file(&model.graph);
    let options = PassOptions {
        taps,
        ..PassOptions::of(model, &flags, mode)
    };
    run(model, x, &options, &|_, _| true).unwrap_or_else(|e| panic!("{e}"))
}

/// Compares the moving statistics after a training pass with `bn/<layer>/mean` and
/// `bn/<layer>/variance`; returns the number of arrays compared, which is not 0.
pub fn assert_statistics(model: &Model, expected: &Arrays, done: &Pass, what: &str) -> usize {
    let mut compared = 0;
    for (key, expected) in expected {
        let Some((layer, quantity)) = key.strip_prefix("bn/").and_then(|k| k.rsplit_once('/'))
        else {
            continue;
        };
        let layer = model
            .graph
            .find(layer)
            .expect("the BatchNorm of the fixture");
        let next = &done.batch_norm[&layer].next;
        let found = match quantity {
            "mean" => &next.mean,
            "variance" => &next.variance,
            other => panic!("{what}: {key}: no statistic is called {other}"),
        };
        assert_close(found, &values(expected), &format!("{what}, {key}"));
        compared += 1;
    }
    assert!(
        compared > 0,
        "{what}: the fixture holds no moving statistics"
    );
    compared
}

/// The bits of every weight.
pub fn bits(model: &Model) -> Vec<u32> {
    let weights = model.weights.values();
    weights.flat_map(values).map(f32::to_bits).collect()
}
