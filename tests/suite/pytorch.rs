//! State dicts in the three formats that PyTorch writes, compared with PyTorch
//! (`tests/fixtures/generators/make_pytorch_small.py`).

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use modelens::model::{Mode, Model, Semantics};
use modelens_jobs::ModelSource;

use crate::support::files::{folder, read_npz, refused, repository, write};
use crate::support::models::{opened, pass};
use crate::support::numbers::{assert_close, values};

/// The three files of the narrow residual network.
pub const FILES: [&str; 3] = ["small.safetensors", "small.pth", "small_old.pt"];

pub fn file(name: &str) -> PathBuf {
    repository("tests/fixtures/pytorch").join(name)
}

#[test]
fn every_format_computes_what_pytorch_computes() {
    let io = read_npz(&file("io.npz"));
    for name in FILES {
        let model = opened(&ModelSource::File(file(name)));
        assert_eq!(model.semantics, Semantics::PyTorch);
        assert!(model.warnings.is_empty(), "{:?}", model.warnings);
        for (mode, key) in [
            (Mode::Inference, "y_inference"),
            (Mode::Training, "y_training"),
        ] {
            let pass = pass(&model, &io["x"], mode);
            let what = format!("{name} {mode:?}");
            assert_close(&values(&pass.output), &values(&io[key]), &what);
            if mode == Mode::Training {
                assert_eq!(pass.batch_norm.len(), 12, "{name}");
                for (&layer, done) in &pass.batch_norm {
                    let of = |part: &str| {
                        values(&io[&format!("bn/{}/{part}", model.graph.layers[layer].name)])
                    };
                    assert_close(&done.next.mean, &of("mean"), &what);
                    assert_close(&done.next.variance, &of("variance"), &what);
                }
            }
        }
    }
}

#[test]
fn pickles_that_call_functions_are_not_executed() {
    let folder = folder();
    let mark = folder.path().join("called");
    // os.system("touch ..."), as the first value of a file in the older format.
    let command = format!("touch {}", mark.display());
    let mut call = b"\x80\x02cos\nsystem\nX".to_vec();
    call.extend((command.len() as u32).to_le_bytes());
    call.extend(command.as_bytes());
    call.extend(b"\x85R.");
    let old = std::fs::read(file("small_old.pt")).expect("the fixture");
    // The number at the start is a separate pickle of 15 bytes.
    let bytes = [&old[..15], &call, &call, &call, &call].concat();
    let text = refused(&write(&folder, "calls.pt", &bytes));
    assert!(
        text.contains("broken") || text.contains("not a state dict"),
        "{text}"
    );
    let text = refused(&write(&folder, "plain.pkl", &call));
    assert!(text.contains("not one that torch.save wrote"), "{text}");
    assert!(!mark.exists(), "nothing was called");
}

#[test]
fn cut_files_are_refused() {
    let folder = folder();
    for name in FILES {
        let bytes = std::fs::read(file(name)).expect("the fixture");
        for part in 0..40 {
            refused(&write(&folder, name, &bytes[..bytes.len() * part / 40]));
        }
    }
}

/// The file as the network that a person names.
fn chosen(path: &Path, architecture: &str) -> ModelSource {
    ModelSource::Weights {
        path: path.to_owned(),
        architecture: architecture.to_owned(),
    }
}

fn refusal(source: &ModelSource) -> String {
    let failed = source.open().expect_err("the file is refused");
    failed.to_string()
}

/// What was assumed of a model, in one text.
fn assumed(model: &Model) -> String {
    let all = model
        .assumed
        .iter()
        .map(modelens::model::Assumption::with_choices);
    all.collect::<Vec<_>>().join(". ")
}

/// Compares both modes with what PyTorch computes for one reading of a file.
fn compare(model: &Model, file_name: &str, reading: &str) {
    let io = read_npz(&file("told.npz"));
    for (mode, word) in [(Mode::Inference, "inference"), (Mode::Training, "training")] {
        let pass = pass(model, &io["x"], mode);
        let expected = values(&io[&format!("y/{file_name}/{reading}/{word}")]);
        let what = format!("{file_name} as {reading}, {word}");
        assert_close(&values(&pass.output), &expected, &what);
    }
}

#[test]
fn what_shapes_do_not_tell_is_said_and_can_be_chosen() {
    let stem = file("stem3.safetensors");
    let model = opened(&ModelSource::File(stem.clone()));
    compare(&model, "stem3", "cifar");
    let said = assumed(&model);
    assert!(
        said.contains("`conv1` has a 3 x 3 kernel") && said.contains("stride 1"),
        "{said}"
    );
    assert!(said.contains("dilation and blur pooling"), "{said}");
    assert!(
        said.contains("--architecture resnet18:cifar | resnet18:imagenet"),
        "{said}"
    );
    for (choice, reading) in [
        ("resnet18:cifar", "cifar"),
        ("resnet18:imagenet,os32", "imagenet"),
        ("auto:cifar,os8", "cifar,os8"),
    ] {
        let model = opened(&chosen(&stem, choice));
        compare(&model, "stem3", reading);
        assert!(
            !assumed(&model).contains("`conv1` has a 3 x 3 kernel"),
            "{choice}: {}",
            assumed(&model)
        );
    }
    let text = refusal(&chosen(&stem, "resnet50"));
    assert!(
        text.contains("given as `resnet50`, but its tensors fit a ResNet of"),
        "{text}"
    );
    let text = refusal(&chosen(&stem, "resnet18:wide"));
    assert!(
        text.contains("no option `wide`; it has imagenet, cifar"),
        "{text}"
    );
}

#[test]
fn padding_is_never_decided_by_the_name_of_the_file() {
    let bytes = std::fs::read(file("tf.safetensors")).expect("the fixture");
    let folder = folder();
    for name in [
        "tf_efficientnet_b0.safetensors",
        "dogs_tf_run1.safetensors",
        "model.safetensors",
    ] {
        let path = write(&folder, name, &bytes);
        let model = opened(&ModelSource::File(path.clone()));
        compare(&model, "tf", "efficientnet_b0");
        let said = assumed(&model);
        assert!(said.contains("padding and epsilon"), "{name}: {said}");
        assert!(
            said.contains("efficientnet_b0 | tf_efficientnet_b0"),
            "{name}: {said}"
        );
        let model = opened(&chosen(&path, "tf_efficientnet_b0"));
        compare(&model, "tf", "tf_efficientnet_b0");
    }
    // The hub's own file beside a config, and a file called as the config's network.
    let config = br#"{"architecture": "tf_efficientnet_b0", "num_classes": 3}"#;
    write(&folder, "config.json", config);
    for (name, reading) in [
        ("model.safetensors", "tf_efficientnet_b0"),
        ("tf_efficientnet_b0.safetensors", "tf_efficientnet_b0"),
        ("dogs_tf_run1.safetensors", "efficientnet_b0"),
    ] {
        let model = opened(&ModelSource::File(folder.path().join(name)));
        compare(&model, "tf", reading);
    }
    write(&folder, "config.json", br#"{"architecture": "resnet18"}"#);
    let text = refusal(&ModelSource::File(folder.path().join("model.safetensors")));
    assert!(text.contains("config.json beside the file says"), "{text}");
}

#[test]
fn weights_that_are_no_floating_point_numbers_are_refused() {
    for name in ["int8", "int32", "float8", "complex", "sparse"] {
        let text = refusal(&ModelSource::File(file(&format!("types/{name}.pth"))));
        assert!(
            text.contains("`fc.weight` holds no floating-point"),
            "{text}"
        );
    }
    let small = candle_core::safetensors::load(file("small.safetensors"), &Device::Cpu);
    let mut state = small.expect("a state dict");
    let bytes = state["fc.weight"].to_dtype(DType::U8).expect("bytes");
    state.insert("fc.weight".to_owned(), bytes);
    let folder = folder();
    let path = folder.path().join("u8.safetensors");
    candle_core::safetensors::save(&state, &path).expect("a file");
    let text = refusal(&ModelSource::File(path));
    assert!(
        text.contains("`fc.weight` holds no floating-point"),
        "{text}"
    );
}

#[test]
fn two_sets_of_weights_are_told_and_chosen() {
    let path = file("checkpoint.pth");
    for (set, reading) in [
        ("", "ema"),
        ("auto:ema", "ema"),
        ("auto:weights=raw", "raw"),
        ("auto:weights=state_dict", "raw"),
        ("resnet18:weights=state_dict_ema", "ema"),
    ] {
        let source = if set.is_empty() {
            ModelSource::File(path.clone())
        } else {
            chosen(&path, set)
        };
        let model = opened(&source);
        compare(&model, "checkpoint", reading);
        let text = model.warnings.join(". ");
        assert!(
            text.contains("`state_dict_ema`") && text.contains("`state_dict`"),
            "{set}: {text}"
        );
    }
    let text = refusal(&chosen(&path, "auto:weights=net"));
    assert!(
        text.contains("--weights KEY") || text.contains("no weights under `net`"),
        "{text}"
    );
    let text = refusal(&chosen(&file("small.pth"), "auto:ema"));
    assert!(text.contains("one set of weights"), "{text}");
}

type State = HashMap<String, Tensor>;

fn small() -> State {
    candle_core::safetensors::load(file("small.safetensors"), &Device::Cpu).expect("the fixture")
}

fn zeros(shape: &[usize]) -> Tensor {
    Tensor::zeros(shape, DType::F32, &Device::Cpu).expect("zeros")
}

#[test]
fn prefixes_and_neighbours_of_a_network_are_taken_off() {
    let folder = folder();
    let io = read_npz(&file("io.npz"));
    let same = |state: &State, what: &str| {
        let path = folder.path().join("a.safetensors");
        candle_core::safetensors::save(state, &path).expect("a file");
        let model = opened(&ModelSource::File(path));
        let pass = pass(&model, &io["x"], Mode::Inference);
        assert_close(&values(&pass.output), &values(&io["y_inference"]), what);
        model.warnings.join(". ")
    };
    let with = |prefix: &str| -> State {
        let named = |(name, tensor)| (format!("{prefix}{name}"), tensor);
        small().into_iter().map(named).collect()
    };
    for prefix in [
        "module.",
        "_orig_mod.",
        "module._orig_mod.",
        "model.backbone.",
        "net.",
    ] {
        assert_eq!(same(&with(prefix), prefix), "", "{prefix}");
    }
    let mut state = with("backbone.");
    state.insert("decoder.conv.weight".into(), zeros(&[4, 8, 3, 3]));
    let said = same(&state, "decoder");
    assert!(
        said.contains("the part under `backbone`") && said.contains("decoder.conv"),
        "{said}"
    );
    let mut state = small();
    state.insert("aux.weight".into(), zeros(&[5, 4]));
    state.insert("second.weight".into(), zeros(&[5, 8]));
    state.insert("second.bias".into(), zeros(&[5]));
    let said = same(&state, "aux");
    assert!(
        said.contains("3 tensors") && said.contains("`aux.weight`"),
        "{said}"
    );
}

#[test]
fn a_network_of_ones_own_is_refused_with_the_lines_that_make_a_file_that_opens() {
    let folder = folder();
    let path = folder.path().join("mine.safetensors");
    let own = State::from([("features.weight".to_owned(), zeros(&[4, 3, 3, 3]))]);
    candle_core::safetensors::save(&own, &path).expect("a file");
    let text = refused(&path);
    for part in [
        "the tensors of the file (features.weight)",
        "a state dict has no graph",
        "torch.export.export(model.eval(), (torch.zeros(2, 3, 224, 224),)",
        "torch.export.save(program, \"model.pt2\")",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn tensors_inside_a_network_are_never_left_out() {
    let folder = folder();
    let refused_with = |change: &dyn Fn(&mut State)| {
        let mut state = small();
        change(&mut state);
        let path = folder.path().join("b.safetensors");
        candle_core::safetensors::save(&state, &path).expect("a file");
        refused(&path)
    };
    let text = refused_with(&|state| {
        state.insert("layer1.0.se.fc1.weight".into(), zeros(&[2, 4, 1, 1]));
    });
    assert!(
        text.contains("no place in one: `layer1.0.se.fc1.weight`"),
        "{text}"
    );
    let text = refused_with(&|state| {
        state.insert("attention.weight".into(), zeros(&[8]));
    });
    assert!(text.contains("`attention.weight`"), "{text}");
    let text = refused_with(&|state| state.retain(|name, _| !name.starts_with("layer4")));
    assert!(text.contains("it has 3 stages, not four"), "{text}");
    let text = refused_with(&|state| state.retain(|name, _| !name.contains("running")));
    assert!(text.contains("no running statistics"), "{text}");
    let text = refused_with(&|state| {
        state.insert("layer2.0.conv2.weight".into(), zeros(&[6, 6, 5, 5]));
    });
    assert!(
        text.contains("`layer2.0.conv2.weight` has shape [6, 6, 5, 5]"),
        "{text}"
    );
    let text = refused_with(&|state| state.retain(|name, _| !name.contains("downsample")));
    assert!(text.contains("shortcut"), "{text}");
}

#[test]
fn heads_of_ones_own() {
    let folder = folder();
    let open = |change: &dyn Fn(&mut State)| {
        let mut state = small();
        change(&mut state);
        let path = folder.path().join("c.safetensors");
        candle_core::safetensors::save(&state, &path).expect("a file");
        opened(&ModelSource::File(path))
    };
    let width = |model: &Model| {
        model
            .graph
            .layers
            .iter()
            .rfind(|l| !l.weights.is_empty())
            .map(|l| l.name.clone())
    };
    let model = open(&|state| {
        for part in ["weight", "bias"] {
            let tensor = state.remove(&format!("fc.{part}")).expect("a head");
            state.insert(format!("fc.1.{part}"), tensor);
        }
    });
    assert_eq!(width(&model).as_deref(), Some("fc.1"));
    assert!(model.warnings.is_empty(), "{:?}", model.warnings);
    assert!(
        assumed(&model).contains("`fc.0` is taken to be dropout of rate 0.5"),
        "{}",
        assumed(&model)
    );
    let model = open(&|state| {
        state.retain(|name, _| !name.starts_with("fc"));
        state.insert("fc.0.weight".into(), zeros(&[5, 8, 1]));
        state.insert("fc.2.weight".into(), zeros(&[3, 5]));
    });
    assert!(
        model.warnings[0].contains("left out"),
        "{:?}",
        model.warnings
    );
    let model = open(&|state| state.retain(|name, _| !name.starts_with("fc")));
    assert!(
        model.warnings[0].contains("no head"),
        "{:?}",
        model.warnings
    );
}
