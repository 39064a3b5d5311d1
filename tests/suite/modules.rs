//! `.train()` and `.eval()` of single modules against PyTorch (`tests/fixtures/generators/make_modules.py`).

use std::collections::BTreeMap;
use std::path::PathBuf;

use eframe::egui::accesskit::Role as WidgetRole;
use egui_kittest::kittest::Queryable as _;

use modelens::app::AppOptions;
use modelens::cli::arrays::{NamedArray, write_npz};
use modelens::command::{Action, Command};
use modelens::model::flag_spec::flags_of;
use modelens::model::layers::Weights;
use modelens::model::layers::batch_norm::StoredWeights;
use modelens::model::modules::Container;
use modelens::model::pass::{Pass, PassOptions, run};
use modelens::model::{CallModes, Flags, Mode, Model, ModuleCalls, Outer, Role, Semantics};
use modelens::state::View;
use modelens_jobs::ModelSource;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::support::files::{Arrays, drawn, folder, read_npz, repository};
use crate::support::models::opened;
use crate::support::numbers::{assert_close, values};
use crate::support::program::{modelens, succeeds, text};
use crate::support::window::{Window, click, command, open, settle, shows};

/// What PyTorch did after some calls.
#[derive(Deserialize)]
struct Sequence {
    calls: Vec<String>,
    /// `training` of every module.
    modes: BTreeMap<String, bool>,
    /// Whether each random layer changed its input.
    drops: BTreeMap<String, bool>,
    /// The BatchNorm layers whose statistics moved.
    moves: Vec<String>,
}

impl Sequence {
    /// The outermost call, and those on single modules after it.
    fn split(&self) -> (Outer, String) {
        let outer = match self.calls[0].as_str() {
            "model.train" => Some(Mode::Training),
            "model.eval" => Some(Mode::Inference),
            _ => None,
        };
        let after = &self.calls[usize::from(outer.is_some())..];
        let outer = outer.map_or(Outer::NotGiven, Outer::Given);
        (outer, after.join(","))
    }
}

fn file(name: &str) -> PathBuf {
    repository("tests/fixtures/modules").join(name)
}

fn table<T: DeserializeOwned>(name: &str) -> T {
    let text = std::fs::read_to_string(file(name)).expect("a fixture");
    serde_json::from_str(&text).expect("JSON")
}

fn sequences() -> Vec<Sequence> {
    let all: Vec<Sequence> = table("modules.json");
    assert!(all.len() > 15);
    all
}

fn nested() -> Model {
    opened(&ModelSource::File(file("nested.pt2")))
}

fn pass(model: &Model, x: &candle_core::Tensor, sequence: &Sequence, random: bool) -> Pass {
    let (outer, calls) = sequence.split();
    let mut flags = Flags::of_file(&model.graph);
    flags.modules = ModuleCalls::parse(model, &calls).expect("modules that are there");
    let taps: Vec<usize> = (0..model.graph.layers.len()).collect();
    let options = PassOptions {
        random,
        taps: &taps,
        ..PassOptions::of(model, &flags, outer)
    };
    run(model, x, &options, &|_, _| true).expect("a pass")
}

fn assert_outputs(io: &Arrays, number: usize, model: &Model, done: &Pass, what: &str) {
    let expected = |key: String| values(&io[&format!("{number}/{key}")]);
    assert_close(&values(&done.output), &expected("y".into()), what);
    let norms = done.batch_norm.iter();
    assert_eq!(norms.len(), 5, "{what}");
    for (id, norm) in norms {
        let name = &model.graph.layers[*id].name;
        let next = [(&norm.next.mean, "mean"), (&norm.next.variance, "variance")];
        for (found, quantity) in next {
            let expected = expected(format!("bn/{name}/{quantity}"));
            assert_close(found, &expected, &format!("{what}: {quantity} of {name}"));
        }
    }
}

#[test]
fn every_module_has_the_mode_that_pytorch_gives_it() {
    let model = nested();
    let graph = &model.graph;
    let containers = Container::all(graph);
    for sequence in sequences() {
        let (outer, calls) = sequence.split();
        let mut flags = Flags::of_file(graph);
        flags.modules = ModuleCalls::parse(&model, &calls).expect("modules that are there");
        let modes = CallModes::of(graph, &flags, outer, Semantics::PyTorch);
        let default = outer != Outer::Given(Mode::Inference);
        let mut checked = 0;
        for (name, &training) in &sequence.modes {
            let container = containers.iter().find(|c| c.path == *name);
            let found = match (graph.find(name), container) {
                (Ok(id), _) => modes.effective(graph, &flags, id).training,
                (Err(_), Some(container)) => flags
                    .modules
                    .of_container(container)
                    .map_or(default, Mode::training),
                (Err(_), None) => continue,
            };
            assert_eq!(found, training, "{name} after {:?}", sequence.calls);
            checked += 1;
        }
        // All but the model itself.
        assert!(checked >= sequence.modes.len() - 4, "{checked}");
    }
}

#[test]
fn outputs_statistics_and_draws_equal_pytorchs() {
    let (model, io) = (nested(), read_npz(&file("modules.npz")));
    for (number, sequence) in sequences().into_iter().enumerate() {
        let what = sequence.calls.join(", ");
        let plain = pass(&model, &io["x"], &sequence, false);
        assert_outputs(&io, number, &model, &plain, &what);
        let mut moved = Vec::new();
        for (id, norm) in &plain.batch_norm {
            let stored = StoredWeights::of(Weights::of(&model, *id)).expect("statistics");
            if norm.next.mean != stored.moving.mean {
                moved.push(model.graph.layers[*id].name.clone());
            }
        }
        moved.sort();
        let mut expected = sequence.moves.clone();
        expected.sort();
        assert_eq!(moved, expected, "{what}");
        let drawn = pass(&model, &io["x"], &sequence, true);
        let noises = drawn.taps.iter();
        let noises = noises.filter(|(id, _)| model.graph.layers[**id].kind.role() == Role::Noise);
        let found: BTreeMap<String, bool> = noises
            .map(|(id, tap)| {
                let name = model.graph.layers[*id].name.clone();
                (name, values(&tap.input) != values(&tap.output))
            })
            .collect();
        assert_eq!(found, sequence.drops, "{what}");
    }
}

#[test]
fn the_command_line_makes_the_same_calls() {
    let (model, io) = (nested(), read_npz(&file("modules.npz")));
    let folder = folder();
    let (x, out) = (folder.path().join("x.npz"), folder.path().join("out.npz"));
    let array = ("x".to_owned(), NamedArray::Numbers(io["x"].clone()));
    write_npz(&x, &[array]).expect("a file");
    let nested = file("nested.pt2");
    let ran = |mode: &str, calls: &str, rules: &str| {
        modelens(&[
            "run",
            text(&nested),
            "--input",
            text(&x),
            "--mode",
            mode,
            "--modules",
            calls,
            "--semantics",
            rules,
            "--no-random",
            "--out",
            text(&out),
        ])
    };
    for (number, sequence) in sequences().into_iter().enumerate() {
        let (outer, calls) = sequence.split();
        let mode = match outer {
            Outer::Given(Mode::Training) => "training",
            Outer::Given(Mode::Inference) => "inference",
            Outer::NotGiven => "absent",
        };
        assert!(
            ran(mode, &calls, "auto").status.success(),
            "{mode}, {calls}"
        );
        let found = read_npz(&out);
        let what = format!("{mode}, {calls}");
        assert_close(
            &values(&found["y"]),
            &values(&io[&format!("{number}/y")]),
            &what,
        );
        for (id, _) in model
            .graph
            .layers
            .iter()
            .enumerate()
            .filter(|(_, l)| l.kind.role() == Role::BatchNorm)
        {
            let name = &model.graph.layers[id].name;
            for quantity in ["mean", "variance"] {
                let key = format!("bn/{name}/{quantity}");
                let expected = values(&io[&format!("{number}/{key}")]);
                assert_close(&values(&found[&key]), &expected, &format!("{what}: {key}"));
            }
        }
    }
    let refused = |calls: &str, rules: &str| {
        let done = ran("training", calls, rules);
        assert_eq!(done.status.code(), Some(2));
        String::from_utf8_lossy(&done.stderr).into_owned()
    };
    let unknown = refused("body.7.eval", "pytorch");
    assert!(unknown.contains("has no module `body.7`"), "{unknown}");
    let keras = refused("body.eval", "keras3");
    assert!(keras.contains("--semantics pytorch"), "{keras}");
}

/// What happened in the epochs of a training loop.
#[derive(Deserialize)]
struct Loop {
    /// BatchNorm layers whose statistics had moved, after each epoch.
    statistics_moved: Vec<usize>,
    weights_moved: Vec<String>,
}

#[test]
fn a_training_loop_keeps_the_statistics_only_if_eval_follows_train() {
    let photos = folder();
    drawn(photos.path(), &[5, 5]);
    let nested = file("nested.pt2");
    let rows = photos.path().join("run.csv");
    let moved = photos.path().join("moved.csv");
    let loops: BTreeMap<String, Loop> = table("loop.json");
    assert_eq!(loops.len(), 3);
    for (place, expected) in loops {
        succeeds(&[
            "train",
            text(&nested),
            "--photos",
            text(photos.path()),
            "--eval-calls",
            &place,
            "--epochs",
            "2",
            "--batch",
            "4",
            "--out",
            text(&rows),
            "--movement",
            text(&moved),
        ]);
        let table = std::fs::read_to_string(&moved).expect("a table");
        let columns = table.lines().skip(1).map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            (
                cells[1].trim_matches('"').to_owned(),
                cells[2].to_owned(),
                cells[3].to_owned(),
            )
        });
        let columns: Vec<(String, String, String)> = columns.collect();
        let has_moved = |cell: &str| !cell.is_empty() && cell != "0";
        let statistics = columns
            .iter()
            .filter(|(_, _, cell)| has_moved(cell))
            .count();
        assert_eq!(
            statistics,
            *expected.statistics_moved.last().expect("an epoch"),
            "{place}"
        );
        for (layer, weights, _) in &columns {
            let weight = format!("{layer}.weight");
            assert_eq!(
                has_moved(weights),
                expected.weights_moved.contains(&weight),
                "{place}: {layer}"
            );
        }
    }
}

/// A window with the nested network by the rules of PyTorch.
fn window() -> Window {
    open(AppOptions {
        model: ModelSource::File(file("nested.pt2")),
        ..AppOptions::default()
    })
}

fn calls(window: &Window) -> String {
    let base = window.state().state().opened.base.as_ref();
    base.expect("an open base").flags.modules.to_string()
}

#[test]
fn switches_in_the_list_set_modules_and_everything_in_them() {
    let mut window = window();
    click(&mut window, "body in training mode");
    assert_eq!(calls(&window), "body.eval");
    // A click on a part of it comes later, so that it wins.
    click(&mut window, "body.0.bn1 in training mode");
    assert_eq!(calls(&window), "body.eval,body.0.bn1.train");
    command(&mut window, Action::Undo);
    assert_eq!(calls(&window), "body.eval");
    click(&mut window, "body in training mode");
    assert_eq!(calls(&window), "", "as the outermost call leaves it");
    click(&mut window, "stem requires_grad");
    let base = window.state().state().opened.base.as_ref().expect("a base");
    let graph = &base.model.graph;
    let learns = |name: &str| base.flags.get(graph.find(name).expect("a layer"));
    assert!(!learns("stem.0") && !learns("stem.1") && learns("body.0.conv1"));
}

#[test]
fn model_train_undoes_the_calls_and_says_so() {
    let mut window = window();
    command(&mut window, Action::Show(View::Trainable));
    click(&mut window, "base.eval()");
    assert_eq!(calls(&window), "base.eval");
    assert!(shows(
        &window,
        "in the left column 0 of 5 BatchNorm layers use batch statistics"
    ));
    // The heading of the column has the same words.
    let button = window.get_by_role_and_label(WidgetRole::Button, "model.train()");
    button.click();
    settle(&mut window);
    assert_eq!(calls(&window), "");
    assert!(shows(&window, "model.train() undid base.eval()"));
    command(&mut window, Action::Undo);
    assert_eq!(calls(&window), "base.eval");
    // Keras has no such calls.
    command(&mut window, Command::SetSemantics(Some(Semantics::Keras3)));
    assert!(!shows(&window, "base.eval"));
    assert_eq!(
        Action::EvalBase.why_not(window.state().state()),
        Some("only PyTorch has a mode for each module")
    );
}

#[test]
fn the_palette_reaches_every_module() {
    let mut window = window();
    command(
        &mut window,
        Command::CallModule("body.1.drop".into(), Mode::Inference),
    );
    assert_eq!(calls(&window), "body.1.drop.eval");
    command(&mut window, Action::EvalBatchNorms);
    assert_eq!(calls(&window), "body.1.drop.eval,batchnorm.eval");
    command(&mut window, Command::SetCall(Mode::Inference.into()));
    assert_eq!(calls(&window), "", "model.eval() sets every module too");
    command(
        &mut window,
        Command::CallModule("dropout".into(), Mode::Training),
    );
    let state = window.state().state();
    let base = state.opened.base.as_ref().expect("a base");
    let modes = CallModes::of(
        &base.model.graph,
        &base.flags,
        state.settings.call,
        Semantics::PyTorch,
    );
    let drop = base.model.graph.find("drop").expect("dropout");
    assert!(modes.effective(&base.model.graph, &base.flags, drop).active);
}

#[test]
fn containers_are_named_by_inspect_and_taken_by_trainable() {
    let nested = file("nested.pt2");
    let done = succeeds(&["inspect", text(&nested), "--json"]);
    let report: serde_json::Value = serde_json::from_slice(&done.stdout).expect("JSON");
    assert_eq!(
        report["containers"],
        serde_json::json!(["stem", "body", "body.0", "body.1"])
    );
    let model = self::nested();
    let graph = &model.graph;
    let flags = flags_of(graph, "all,-body.1", Semantics::PyTorch).expect("flags");
    let frozen = graph
        .layers
        .iter()
        .enumerate()
        .filter(|(id, _)| !flags.get(*id));
    let names: Vec<&str> = frozen.map(|(_, layer)| layer.name.as_str()).collect();
    assert!(
        names.len() > 5 && names.iter().all(|name| name.starts_with("body.1.")),
        "{names:?}"
    );
}
