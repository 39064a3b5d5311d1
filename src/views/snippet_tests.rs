//! The code that the window offers, as files. `tests/snippets/check.py` runs each of them in the
//! framework it is for and compares what happens with what it says.
//! `UPDATE_SNAPSHOTS=1 cargo test snippets` writes them anew.

use std::collections::BTreeMap;
use std::path::Path;

use super::batch_norm::code::BatchNormSetting;
use super::batch_norm::norms::code::NormsSetting;
use super::{augmentation, batch_norm, dropout, fine_tune, predict, releases, trainable};
use crate::augment::{AugmentLayer, Framework, Pipeline, Transform};
use crate::model::graph::Noise;
use crate::model::reading::Reading;
use crate::model::{Mode, ModuleCalls, Outer, Role, Semantics, effective, effective_when};
use crate::state::TrainSettings;
use crate::train::recipe::{EvalCalls, RunPreset};
use crate::views::parts::code::module_calls;
use modelens_jobs::ModelSource;

/// The calls on single modules, and where a training loop makes them; PyTorch only.
fn of_modules() -> Vec<(String, String)> {
    let semantics = Semantics::PyTorch;
    let mut all = Vec::new();
    for evals in EvalCalls::ALL {
        let settings = TrainSettings {
            evals,
            preset: RunPreset::HeadOnly,
            ..TrainSettings::default()
        };
        let head = settings.head(5);
        let code = fine_tune::code::snippet(&settings, head, semantics);
        all.push((format!("finetune-{}", evals.id()), code));
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/modules/nested.pt2");
    let mut model = ModelSource::File(file).open().expect("a model");
    let norm = model.graph.find("stem.1").expect("a BatchNorm");
    model.graph.layers[norm].name = "bn".into();
    for (name, outer, calls, training) in [
        ("layer", Mode::Training, "bn.eval", false),
        ("again", Mode::Training, "bn.eval,model.train", true),
        ("train", Mode::Inference, "bn.train", true),
        ("batchnorm", Mode::Training, "batchnorm.eval", false),
        (
            "dropout",
            Mode::Inference,
            "base.train,batchnorm.eval,dropout.train",
            false,
        ),
    ] {
        let calls = ModuleCalls::parse(&model, calls).expect("calls");
        let setting = BatchNormSetting {
            nested: true,
            outer: outer.into(),
            calls: module_calls(&calls),
            training: effective_when(Role::BatchNorm, false, true, Some(training), semantics),
            trainable: false,
            momentum: None,
            batches: 0,
        };
        let code = batch_norm::code::snippet("bn", &setting, semantics);
        all.push((format!("modules-{name}"), code));
    }
    all
}

/// Every transform of torchvision, in groups that can follow each other, and pipelines to train and to evaluate
/// with.
fn of_torchvision() -> Vec<(String, Pipeline)> {
    // ElasticTransform refuses images that are smaller than half of its blur.
    let all = Transform::all(64, 64).map(AugmentLayer::from).into_iter();
    let mut all = all
        .filter(|layer| layer.framework() == Framework::Torchvision)
        .peekable();
    // Each group ends before this class.
    let groups = [
        ("geometry", "v2.ColorJitter"),
        ("colors", "v2.AutoAugment"),
        ("policies", "v2.MixUp"),
        ("labels", "v2.RandomApply"),
        ("lists", ""),
    ];
    let mut pipelines = Vec::new();
    for (name, end) in groups {
        let mut pipeline = Pipeline::default();
        while let Some(layer) = all.next_if(|layer| layer.class() != end) {
            // With the conversion that MixUp needs.
            pipeline.add(layer);
        }
        assert_eq!(pipeline.check_types(), Ok(()), "{name}");
        pipelines.push((format!("pipeline-{name}"), pipeline));
    }
    for (name, code) in [
        (
            "train",
            "Compose([RandomResizedCrop(8), RandomHorizontalFlip(), ToTensor(), \
             Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])])",
        ),
        (
            "evaluate",
            "Compose([Resize(9), CenterCrop(8), ToTensor(), Normalize([0.5], [0.25])])",
        ),
    ] {
        let pipeline = Pipeline::from_code(code).expect("a pipeline");
        pipelines.push((format!("pipeline-{name}"), pipeline));
    }
    pipelines
}

/// Every layer of Keras: those that keep the labels, and those that mix them.
fn of_keras() -> Vec<(String, Pipeline)> {
    let pipeline = |(name, labels): (&str, bool)| {
        let layers = Transform::all(8, 8).map(AugmentLayer::from).into_iter();
        let layers = layers
            .filter(|layer| layer.framework() == Framework::Keras)
            .filter(|layer| layer.mixes_labels() == labels);
        (name.to_owned(), layers.collect())
    };
    [("layers", false), ("labels", true)].map(pipeline).into()
}

/// The name of the file says what model the snippet needs.
fn snippets() -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for semantics in Semantics::ALL {
        let id = semantics.id();
        let mut put = |name: String, code: String| {
            assert!(all.insert(format!("{id}-{name}.py"), code).is_none());
        };
        put(
            "augmentation".into(),
            augmentation::code::snippet(&Pipeline::course(), semantics),
        );
        put(
            "augmentation-empty".into(),
            augmentation::code::snippet(&Pipeline::from_iter([]), semantics),
        );
        let pipelines = if semantics == Semantics::PyTorch {
            of_torchvision()
        } else {
            of_keras()
        };
        for (name, pipeline) in pipelines {
            let code = augmentation::code::snippet(&pipeline, semantics);
            put(format!("augmentation-{name}"), code);
        }
        put("releases".into(), releases::code::snippet(semantics));
        put(
            "trainable".into(),
            trainable::code::snippet(true, semantics),
        );
        let ranks: &[(&str, usize)] = if semantics == Semantics::PyTorch {
            &[("image", 4), ("flat", 2)]
        } else {
            &[("image", 4)]
        };
        for &(name, rank) in ranks {
            let setting = NormsSetting {
                nested: true,
                groups: 3,
                rank,
            };
            let code = batch_norm::norms::code::snippet("bn", setting, semantics);
            put(format!("norms-{name}"), code);
        }
        for (name, reading) in [("softmax", Reading::Softmax), ("logits", Reading::Logits)] {
            put(
                format!("predict-{name}"),
                predict::code::snippet(reading, 5, 3, semantics),
            );
        }
        for (name, rate) in [("file", 0.3), ("other", 0.5)] {
            let file = Noise::Dropout {
                rate: 0.3,
                noise_shape: None,
            };
            put(
                format!("dropout-{name}"),
                dropout::code::of_layer(&file, rate, 4, semantics),
            );
        }
        if semantics == Semantics::PyTorch {
            for (name, code) in of_modules() {
                put(name, code);
            }
        }
        let outers = [
            ("true", Outer::Given(Mode::Training)),
            ("false", Outer::Given(Mode::Inference)),
            ("absent", Outer::NotGiven),
        ];
        let recorded: &[(&str, Option<bool>)] = if semantics == Semantics::PyTorch {
            &[("absent", None)]
        } else {
            &[("absent", None), ("false", Some(false))]
        };
        for (outer_name, outer) in outers {
            for &(recorded_name, recorded) in recorded {
                for trainable in [true, false] {
                    for batches in [0, 3] {
                        let role = Role::BatchNorm;
                        let training = effective(role, trainable, true, outer, recorded, semantics);
                        let setting = BatchNormSetting {
                            nested: true,
                            outer,
                            calls: String::new(),
                            training,
                            trainable,
                            momentum: (batches > 0).then_some(0.75),
                            batches,
                        };
                        let name = format!(
                            "batchnorm-outer_{outer_name}-recorded_{recorded_name}-trainable_{trainable}-batches_{batches}"
                        );
                        put(name, batch_norm::code::snippet("bn", &setting, semantics));
                    }
                }
            }
        }
    }
    all
}

#[test]
fn snippets_are_those_that_were_run() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snippets/code");
    let all = snippets();
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::create_dir_all(&folder).expect("a folder");
        for (name, code) in &all {
            std::fs::write(folder.join(name), format!("{code}\n")).expect("a file");
        }
    }
    let entries = std::fs::read_dir(&folder).expect("the snippets");
    assert_eq!(entries.count(), all.len(), "a file of each, and no other");
    for (name, code) in all {
        let kept = std::fs::read_to_string(folder.join(&name)).expect("the snippet's file");
        assert_eq!(
            kept.trim_end(),
            code.trim_end(),
            "{name}: run tests/snippets/check.py after an update"
        );
    }
}
