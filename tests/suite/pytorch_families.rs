//! Networks of every family, heads of one's own and wrapped state dicts, compared with PyTorch
//! (`tests/fixtures/generators/make_pytorch_families.py` and `make_pytorch_heads.py`).

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use candle_core::{Device, Tensor};
use modelens::app::AppOptions;
use modelens::command::Action;
use modelens::model::graph::{LayerKind, Noise};
use modelens::model::{Assumption, Mode, Model};
use modelens::state::View;
use modelens_jobs::ModelSource;

use crate::pytorch::file;
use crate::support::files::{Arrays, folder, read_npz};
use crate::support::models::{opened, pass};
use crate::support::numbers::{assert_close, values};
use crate::support::window::{click, command, open, shows};

/// The narrow networks: name, side of the input, what a person chooses.
pub const FAMILIES: [(&str, usize, &str); 13] = [
    ("vit", 24, "auto:heads=2"),
    ("vit_timm", 16, "auto:heads=2"),
    ("vit_mean", 16, "auto:heads=3"),
    ("swin", 64, ""),
    ("convnext", 64, ""),
    ("efficientnet_v2", 64, ""),
    ("regnet", 64, ""),
    ("shufflenet", 64, ""),
    ("googlenet", 64, ""),
    ("inception_v3", 139, ""),
    ("vgg", 224, ""),
    ("convnextv2", 64, ""),
    ("deit_distilled", 16, "auto:heads=2"),
];

/// The input of a network, as the generator makes it too.
fn pattern(count: usize, side: usize) -> Tensor {
    let value = |i: usize| ((i * 7919 + i / 3 * 104_729) % 257) as f32 / 128.0 - 1.0;
    let values: Vec<f32> = (0..count * side * side * 3).map(value).collect();
    Tensor::from_vec(values, (count, side, side, 3), &Device::Cpu).expect("a batch")
}

/// The file as the network that a person chooses, if any.
pub fn source(path: &Path, architecture: &str) -> ModelSource {
    if architecture.is_empty() {
        return ModelSource::File(path.to_owned());
    }
    ModelSource::Weights {
        path: path.to_owned(),
        architecture: architecture.to_owned(),
    }
}

/// Compares both modes with `y/<name>/<mode>`.
fn compare(model: &Model, x: &Tensor, expected: &Arrays, name: &str) {
    for (mode, word) in [(Mode::Inference, "inference"), (Mode::Training, "training")] {
        let found = pass(model, x, mode);
        let expected = &expected[&format!("y/{name}/{word}")];
        assert_close(
            &values(&found.output),
            &values(expected),
            &format!("{name}, {word}"),
        );
    }
}

fn assumed(model: &Model) -> String {
    let all = model.assumed.iter().map(Assumption::with_choices);
    all.collect::<Vec<_>>().join(". ")
}

#[test]
fn every_family_computes_what_pytorch_computes() {
    let expected = read_npz(&file("families.npz"));
    let tested: BTreeSet<&str> = FAMILIES.iter().map(|(name, ..)| *name).collect();
    let known = expected.keys().filter_map(|key| key.split('/').nth(1));
    assert_eq!(
        tested,
        known.collect(),
        "each network of the fixture is tested"
    );
    for (name, side, architecture) in FAMILIES {
        let path = file(&format!("family_{name}.safetensors"));
        let model = opened(&source(&path, architecture));
        assert!(model.warnings.is_empty(), "{name}: {:?}", model.warnings);
        compare(&model, &pattern(3, side), &expected, name);
    }
}

#[test]
fn transformers_say_what_their_files_do_not_tell() {
    let path = file("family_vit.safetensors");
    let model = opened(&source(&path, ""));
    let said = assumed(&model);
    assert!(said.contains("number of heads"), "{said}");
    assert!(said.contains("auto:heads=1 | auto:heads=2"), "{said}");
    assert!(said.contains("rates of dropout"), "{said}");
    let rates = |model: &Model| -> Vec<f64> {
        let noise = model.graph.layers.iter().filter_map(|l| match l.kind {
            LayerKind::Noise(Noise::DropConnect { rate }) => Some(rate),
            _ => None,
        });
        noise.collect()
    };
    assert_eq!(rates(&model), [0.0; 4]);
    let model = opened(&source(&path, "auto:heads=2,drop_path=0.2"));
    assert_eq!(rates(&model), [0.0, 0.0, 0.2, 0.2]);
    assert!(!assumed(&model).contains("heads"), "{}", assumed(&model));
    for (wrong, why) in [
        ("auto:heads=5", "cannot be divided into 5 heads"),
        ("auto:heads=many", "it has heads=NUMBER, drop_path=RATE"),
        ("auto:drop_path=2", "it has heads=NUMBER, drop_path=RATE"),
        (
            "vit_b_16",
            "its tensors fit a vision transformer of 2 blocks",
        ),
    ] {
        let failed = source(&path, wrong).open().expect_err(wrong).to_string();
        assert!(failed.contains(why), "{wrong}: {failed}");
    }
}

/// The network of small.safetensors with another head, as a file.
fn with_head(folder: &Path, arrays: &Arrays, name: &str) -> std::path::PathBuf {
    let small = candle_core::safetensors::load(file("small.safetensors"), &Device::Cpu);
    let mut state: HashMap<String, Tensor> = small.expect("the fixture");
    let inside = format!("{name}/");
    let own = arrays.iter().filter_map(|(key, tensor)| {
        let key = key.strip_prefix(&inside)?;
        Some((key.to_owned(), tensor.clone()))
    });
    let own: Vec<(String, Tensor)> = own.collect();
    if name != "grey" {
        state.retain(|key, _| !key.starts_with("fc."));
    }
    state.extend(own);
    let path = folder.join(format!("{name}.safetensors"));
    candle_core::safetensors::save(&state, &path).expect("a file");
    path
}

#[test]
fn heads_of_ones_own_compute_what_pytorch_computes() {
    let arrays = read_npz(&file("heads.npz"));
    let x = &read_npz(&file("io.npz"))["x"];
    let folder = folder();
    let names: BTreeSet<String> = arrays
        .keys()
        .filter_map(|key| Some(key.strip_prefix("y/")?.split('/').next()?.to_owned()))
        .collect();
    assert_eq!(names.len(), 11, "{names:?}");
    for name in names {
        let path = with_head(folder.path(), &arrays, &name);
        let architecture = if name == "gelu" { "auto:head=gelu" } else { "" };
        let model = opened(&source(&path, architecture));
        let x = if name == "grey" {
            x.narrow(3, 0, 1)
                .and_then(|x| x.contiguous())
                .expect("one channel")
        } else {
            x.clone()
        };
        compare(&model, &x, &arrays, &name);
    }
}

#[test]
fn what_lies_between_the_layers_of_a_head_is_said_and_can_be_chosen() {
    let arrays = read_npz(&file("heads.npz"));
    let folder = folder();
    let path = with_head(folder.path(), &arrays, "norm");
    let said = assumed(&opened(&source(&path, "")));
    assert!(said.contains("`fc.2` is taken to be relu"), "{said}");
    assert!(said.contains("auto:head=relu | auto:head=gelu"), "{said}");
    assert!(
        said.contains("`fc.3` is taken to be dropout of rate 0.5"),
        "{said}"
    );
    let model = opened(&source(&path, "auto:head=tanh,dropout=0.3"));
    assert!(!assumed(&model).contains("head"), "{}", assumed(&model));
    let rate = model
        .graph
        .layers
        .iter()
        .find_map(|layer| match layer.kind {
            LayerKind::Noise(Noise::Dropout { rate, .. }) => Some(rate),
            _ => None,
        });
    assert_eq!(rate, Some(0.3));
    let failed = source(&path, "auto:head=max").open().expect_err("refused");
    assert!(
        failed.to_string().contains("no activation `max`"),
        "{failed}"
    );
}

#[test]
fn a_head_beside_the_network_follows_it() {
    let arrays = read_npz(&file("heads.npz"));
    let folder = folder();
    let path = with_head(folder.path(), &arrays, "hidden");
    let state = candle_core::safetensors::load(&path, &Device::Cpu).expect("a file");
    let renamed = state.into_iter().map(|(name, tensor)| {
        let name = match name.strip_prefix("fc.") {
            Some(rest) => format!("classifier.{rest}"),
            None => format!("backbone.{name}"),
        };
        (name, tensor)
    });
    let renamed: HashMap<String, Tensor> = renamed.collect();
    candle_core::safetensors::save(&renamed, &path).expect("a file");
    let model = opened(&source(&path, ""));
    assert!(model.warnings.is_empty(), "{:?}", model.warnings);
    let said = assumed(&model);
    assert!(
        said.contains("`classifier.0`, `classifier.2` are taken to follow"),
        "{said}"
    );
    let x = &read_npz(&file("io.npz"))["x"];
    compare(&model, x, &arrays, "hidden");
}

#[test]
fn a_sequential_of_a_networks_children_is_that_network() {
    let arrays = read_npz(&file("heads.npz"));
    let folder = folder();
    let path = with_head(folder.path(), &arrays, "identity");
    let state = candle_core::safetensors::load(&path, &Device::Cpu).expect("a file");
    let numbers = [
        ("conv1", "0"),
        ("bn1", "1"),
        ("layer1", "4"),
        ("layer2", "5"),
        ("layer3", "6"),
        ("layer4", "7"),
    ];
    let renamed = state.into_iter().map(|(name, tensor)| {
        let (first, rest) = name.split_once('.').expect("a module");
        let number = numbers.iter().find(|(known, _)| *known == first);
        (
            format!("features.{}.{rest}", number.expect("a child").1),
            tensor,
        )
    });
    let renamed: HashMap<String, Tensor> = renamed.collect();
    candle_core::safetensors::save(&renamed, &path).expect("a file");
    let model = opened(&source(&path, ""));
    let x = &read_npz(&file("io.npz"))["x"];
    compare(&model, x, &arrays, "identity");
}

/// "A network without BatchNorm: what do train() and eval() change?"
#[test]
fn the_batch_norm_view_says_what_the_mode_changes_instead() {
    for (name, architecture, sentence) in [
        ("vit", "auto:heads=2", "both give the same outputs"),
        ("swin", "auto:drop_path=0.2", "dropout and stochastic depth"),
    ] {
        let path = file(&format!("family_{name}.safetensors"));
        let mut window = open(AppOptions {
            model: source(&path, architecture),
            ..AppOptions::default()
        });
        command(&mut window, Action::Show(View::BatchNorm));
        assert!(shows(&window, sentence), "{name}");
        click(&mut window, "Open the Dropout view");
        assert_eq!(
            window.state().state().settings.view,
            View::Dropout,
            "{name}"
        );
        assert!(!shows(&window, "Open the Dropout view"));
    }
}
