//! What a recorded `training=` counts for in each release, as the releases themselves did it: every cell of the
//! tables beside the models of `golden/recorded` and `golden/recorded_nested`.

use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use modelens::cli::arrays::{NamedArray, write_npz};
use modelens::model::layers::Weights;
use modelens::model::layers::batch_norm::StoredWeights;
use modelens::model::pass::{Pass, PassOptions, run};
use modelens::model::{CallModes, Flags, LayerId, Mode, Model, Outer, Role, Semantics};
use modelens_jobs::ModelSource;
use serde_json::Value;

use crate::support::files::{fixture, folder, golden, read_npz};
use crate::support::models::opened;
use crate::support::numbers::values;
use crate::support::program::{succeeds, text};

/// The answers of one release.
struct Table {
    running: Semantics,
    /// Where the models are.
    folder: PathBuf,
    models: serde_json::Map<String, Value>,
}

/// The tables in this folder of `golden()`, or else of this repository.
fn tables(name: &str) -> Vec<Table> {
    let chosen = golden().join(name);
    let folder = if chosen.is_dir() {
        chosen
    } else {
        fixture(name)
    };
    let entries = std::fs::read_dir(&folder).expect("the folder of tables");
    let paths = entries.map(|e| e.expect("an entry").path());
    let tables: Vec<Table> = paths
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .map(|path| {
            let text = std::fs::read_to_string(&path).expect("a table");
            let table: Value = serde_json::from_str(&text).expect("JSON");
            let running = table["running"].as_str().expect("a release");
            let running = match running.replace(' ', "_") {
                r if r.starts_with("tf_keras") => Semantics::Keras2,
                r if r.starts_with("keras_3.16") => Semantics::Keras316,
                r if r.starts_with("keras_3.") => Semantics::Keras3,
                other => panic!("an unknown release: {other}"),
            };
            let models = table["models"].as_object().expect("models").clone();
            assert!(!models.is_empty(), "{}", path.display());
            Table {
                running,
                folder: folder.clone(),
                models,
            }
        })
        .collect();
    assert_eq!(tables.len(), 3, "one table for each release of Keras");
    tables
}

/// Calls `check` with every model, release and outer value, and with the answers.
fn for_every_row(tables: &[Table], check: impl Fn(&Path, &Table, &str, &Value)) {
    for table in tables {
        for (file, rows) in &table.models {
            for (outer, row) in rows.as_object().expect("rows") {
                check(&table.folder.join(file), table, outer, row);
            }
        }
    }
}

/// What `fit` and the three direct calls pass.
fn outer_of(name: &str) -> Outer {
    match name {
        "true" | "fit" => Mode::Training.into(),
        "false" => Mode::Inference.into(),
        "absent" => Outer::NotGiven,
        other => panic!("an unknown outer value: {other}"),
    }
}

/// Photos of noise that fit the model.
fn input(model: &Model) -> Tensor {
    let [h, w, c] = model.graph.input_hwc.map(|side| side.expect("a size"));
    let len = 8 * h * w * c;
    let numbers = (0..len).map(|i| ((i * 7919 + 13) % 1009) as f32 / 1009.0);
    Tensor::from_vec(numbers.collect(), (8, h, w, c), &Device::Cpu).expect("a tensor")
}

/// One pass as this release makes it, with the outputs of all layers that matter.
fn ran(model: &Model, semantics: Semantics, outer: Outer) -> Pass {
    let flags = Flags::of_file(&model.graph);
    let taps: Vec<LayerId> = (0..model.graph.layers.len()).collect();
    let options = PassOptions {
        outer,
        semantics,
        random: true,
        taps: &taps,
        ..PassOptions::of(model, &flags, Mode::Training)
    };
    run(model, &input(model), &options, &|_, _| true).unwrap_or_else(|e| panic!("{e}"))
}

/// True if a layer gives something else than it gets.
fn changes(model: &Model, pass: &Pass, layer: &str) -> bool {
    let tap = &pass.taps[&model.graph.find(layer).expect("the layer")];
    values(&tap.input) != values(&tap.output)
}

fn batch_norms(model: &Model) -> impl Iterator<Item = LayerId> + '_ {
    let layers = model.graph.layers.iter().enumerate();
    layers
        .filter(|(_, l)| l.kind.role() == Role::BatchNorm)
        .map(|(id, _)| id)
}

fn moves(model: &Model, pass: &Pass, layer: LayerId) -> bool {
    let stored = StoredWeights::of(Weights::of(model, layer)).expect("its statistics");
    stored.moving.mean != pass.batch_norm[&layer].next.mean
}

#[test]
fn every_cell_of_the_tables_holds() {
    let mut cells = 0;
    let tables = tables("recorded");
    for table in &tables {
        for (file, rows) in &table.models {
            let model = opened(&ModelSource::File(table.folder.join(file)));
            for (outer, row) in rows.as_object().expect("rows") {
                let pass = ran(&model, table.running, outer_of(outer));
                for (cell, expected) in row.as_object().expect("a row") {
                    let found = match cell.as_str() {
                        "uses_batch" => {
                            batch_norms(&model).any(|id| pass.batch_norm[&id].batch.is_some())
                        }
                        "moves" => batch_norms(&model).any(|id| moves(&model, &pass, id)),
                        "drops" => changes(&model, &pass, "drop"),
                        "inner_drops" => changes(&model, &pass, "inner_drop"),
                        "draws" => changes(&model, &pass, "rot"),
                        other => panic!("an unknown cell: {other}"),
                    };
                    let what = format!("{file} run by {:?}, {outer}, {cell}", table.running);
                    assert_eq!(Some(found), expected.as_bool(), "{what}");
                    cells += 1;
                }
            }
        }
    }
    assert!(cells >= 90 * 16, "{cells} cells");
}

#[test]
fn every_cell_holds_on_the_command_line() {
    let tables = tables("recorded");
    let scratch = folder();
    let x = scratch.path().join("x.npz");
    for_every_row(&tables, |file, table, outer, row| {
        let model = opened(&ModelSource::File(file.to_owned()));
        let photos = input(&model);
        let named = [("x".to_owned(), NamedArray::Numbers(photos.clone()))];
        write_npz(&x, &named).expect("the input");
        let out = scratch.path().join("out.npz");
        let mode = match outer {
            "absent" => "absent",
            "false" => "inference",
            _ => "training",
        };
        let mut args = vec!["run", text(file), "--input", text(&x), "--mode", mode];
        args.extend(["--semantics", table.running.id(), "--out", text(&out)]);
        let flatten = model.graph.layers.iter().find(|l| l.class == "Flatten");
        let flatten = flatten.expect("a Flatten layer").name.as_str();
        for tap in ["rot", "bn", "inner_drop", flatten, "drop"] {
            args.extend(["--tap", tap]);
        }
        succeeds(&args);
        let found = read_npz(&out);
        let tap = |name: &str| values(&found[&format!("tap/{name}")]);
        let bn = model.graph.find("bn").expect("the BatchNorm");
        let stored = StoredWeights::of(Weights::of(&model, bn)).expect("its statistics");
        for (cell, expected) in row.as_object().expect("a row") {
            let seen = match cell.as_str() {
                "uses_batch" => found.contains_key("bn/bn/batch_mean"),
                "moves" => values(&found["bn/bn/mean"]) != stored.moving.mean,
                "drops" => tap(flatten) != tap("drop"),
                "inner_drops" => tap("bn") != tap("inner_drop"),
                "draws" => values(&photos) != tap("rot"),
                other => panic!("an unknown cell: {other}"),
            };
            assert_eq!(Some(seen), expected.as_bool(), "{args:?}: {cell}");
        }
    });
}

#[test]
fn models_in_models_do_what_each_release_does() {
    let mut calls = 0;
    for table in &tables("recorded_nested") {
        for (file, rows) in &table.models {
            let model = opened(&ModelSource::File(table.folder.join(file)));
            let flags = Flags::of_file(&model.graph);
            for (outer, row) in rows.as_object().expect("rows") {
                let what = format!("{file} run by {:?}, {outer}", table.running);
                let outer = outer_of(outer);
                let modes = CallModes::of(&model.graph, &flags, outer, table.running);
                let pass = ran(&model, table.running, outer);
                for (layer, expected) in row["acts"].as_object().expect("acts") {
                    let id = model.graph.find(layer).expect("the layer");
                    let nodes = model.graph.nodes.iter().enumerate();
                    let nodes = nodes.filter(|(_, node)| node.layer == id);
                    let active: Vec<bool> = nodes
                        .map(|(node, _)| modes.effective_at(&model.graph, &flags, node).active)
                        .collect();
                    let expected: Vec<bool> =
                        serde_json::from_value(expected.clone()).expect("one answer for each call");
                    assert_eq!(active, expected, "{what}, {layer}");
                    // And the pass does so.
                    if model.graph.layers[id].kind.role() != Role::BatchNorm {
                        let last = expected.last().copied();
                        assert_eq!(Some(changes(&model, &pass, layer)), last, "{what}, {layer}");
                    }
                    calls += expected.len();
                }
                for (layer, expected) in row["moves"].as_object().expect("moves") {
                    let id = model.graph.find(layer).expect("the layer");
                    let found = Some(moves(&model, &pass, id));
                    assert_eq!(found, expected.as_bool(), "{what}, {layer} moves");
                }
            }
        }
    }
    assert!(calls > 1500, "{calls} calls");
}

/// The file of 3.15 with a plain dropout and a direct random layer, and what its user must know.
#[test]
fn inspect_says_what_the_next_release_changes() {
    let file = fixture("recorded/keras_3.15.1__recorded_False__open__layer.keras");
    let done = succeeds(&["inspect", text(&file), "--json"]);
    let report: Value = serde_json::from_slice(&done.stdout).expect("JSON");
    assert_eq!(report["semantics"], "keras3");
    let by = |name: &str| {
        let layers = report["layers"].as_array().expect("layers");
        let layer = layers.iter().find(|l| l["name"] == name);
        layer.expect("the layer")["recorded_by"].clone()
    };
    assert_eq!(by("base"), "person");
    assert_eq!(by("rot"), "saver");
    assert_eq!(by("drop"), "saver");
    assert_eq!(by("bn"), Value::Null);
    let next = &report["next_release"];
    assert_eq!(next["runner"], "keras3.16");
    let sentence = next["sentence"].as_str().expect("a sentence");
    for part in [
        "Saved by Keras 3.15.1",
        "the dropout layers `inner_drop` and `drop` are off in fit",
        "the layer `rot` draws in predict",
        "load_weights",
    ] {
        assert!(sentence.contains(part), "{part}: {sentence}");
    }
    let rows = report["releases"].as_array().expect("rows");
    assert_eq!(rows.len(), 4 * 3);
    let predict = rows
        .iter()
        .find(|r| r["rules"] == "keras3.16" && r["call"] == "predict")
        .expect("the row");
    assert_eq!(predict["augmentation"]["active"], 1);
    let table = succeeds(&["inspect", text(&file)]);
    let table = String::from_utf8_lossy(&table.stdout);
    assert!(table.contains("training=False (by a person)"), "{table}");
    assert!(table.contains("Keras 3.16 (nightly)"), "{table}");
    // Saved by 3.16: nothing that nobody wrote.
    let later = fixture("recorded/keras_3.16.0.dev2026102704__recorded_False__open__layer.keras");
    let done = succeeds(&["inspect", text(&later), "--json"]);
    let report: Value = serde_json::from_slice(&done.stdout).expect("JSON");
    assert_eq!(report["semantics"], "keras3.16");
    let layers = report["layers"].as_array().expect("layers");
    let recorded = layers.iter().filter(|l| !l["recorded_by"].is_null());
    assert_eq!(recorded.count(), 1, "the base alone");
}

/// Without the saver's values, dropout drops again in 3.16 and the random layer rests in predict.
#[test]
fn a_rebuilt_model_has_only_what_people_wrote() {
    let file = fixture("recorded/keras_3.15.1__recorded_None__open__layer.keras");
    let model = opened(&ModelSource::File(file));
    let mut flags = Flags::of_file(&model.graph);
    let active = |flags: &Flags, name: &str, mode: Mode| {
        let layer = model.graph.find(name).expect("the layer");
        let done = flags.effective(&model, layer, mode.into(), Semantics::Keras316);
        done.active
    };
    assert!(!active(&flags, "drop", Mode::Training));
    assert!(active(&flags, "rot", Mode::Inference));
    flags.set_rebuilt(true);
    assert!(active(&flags, "drop", Mode::Training));
    assert!(!active(&flags, "rot", Mode::Inference));
}
