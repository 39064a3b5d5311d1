//! Configurations that are awkward to come by as files: shared and nested layers, hostile calls.

#![allow(
    clippy::needless_pass_by_value,
    reason = "`json!` values read better without `&`"
)]

use serde_json::{Value, json};

use super::{framework, planned, read_h5, read_zip};
use crate::formats::{ModelFile, OpenError};
use crate::model::graph::{Graph, Input};
use crate::model::{RecordedArgument, Semantics};

/// Everything but the weights.
pub(super) fn build(config: &Value, semantics: Semantics) -> Result<Graph, OpenError> {
    planned(config, semantics, None).map(|plan| plan.graph)
}

fn input(name: &str) -> Value {
    json!({"class_name": "InputLayer", "name": name, "inbound_nodes": [],
           "config": {"name": name, "batch_input_shape": [null, 8, 8, 3]}})
}

pub(super) fn layer(class: &str, name: &str, settings: Value, nodes: Value) -> Value {
    let mut config = settings;
    config["name"] = json!(name);
    json!({"class_name": class, "name": name, "config": config, "inbound_nodes": nodes})
}

pub(super) fn functional(name: &str, layers: Value, input: &str, output: Value) -> Value {
    json!({"class_name": "Functional", "name": name, "config": {
        "name": name, "layers": layers, "input_layers": [[input, 0, 0]], "output_layers": [output]}})
}

/// The names of the layers in the order of the calls.
fn order(graph: &Graph) -> Vec<&str> {
    graph
        .nodes
        .iter()
        .map(|n| graph.layers[n.layer].name.as_str())
        .collect()
}

#[test]
fn nested_model_called_twice() {
    let inner = json!([
        input("in"),
        layer(
            "Dropout",
            "drop",
            json!({"rate": 0.5}),
            json!([[["in", 0, 0, {}]]])
        ),
    ]);
    let mut nested = functional("inner", inner, "in", json!(["drop", 0, 0]));
    nested["inbound_nodes"] = json!([[["x", 0, 0, {"training": false}]], [["inner", 1, 0, {}]]]);
    let add = layer(
        "Add",
        "add",
        json!({}),
        json!([[["inner", 1, 0, {}], ["inner", 2, 0, {}]]]),
    );
    let model = functional(
        "m",
        json!([input("x"), nested, add]),
        "x",
        json!(["add", 0, 0]),
    );
    let graph = build(&model, Semantics::Keras2).unwrap();
    assert_eq!(order(&graph), ["x", "in", "drop", "in", "drop", "add"]);
    let within: Vec<_> = graph.nodes.iter().map(|n| n.within).collect();
    assert_eq!(within, [None, Some(0), Some(0), Some(1), Some(1), None]);
    let recorded: Vec<_> = graph.model_calls.iter().map(|c| c.recorded).collect();
    assert_eq!(
        recorded,
        [RecordedArgument::Value(false), RecordedArgument::Absent]
    );
    assert_eq!(graph.nodes[3].inputs, [Input::Node(2)]);
    assert_eq!(graph.nodes[5].inputs, [Input::Node(2), Input::Node(4)]);
    let names: Vec<_> = graph
        .layers
        .iter()
        .map(|l| (l.name.as_str(), l.recorded.value()))
        .collect();
    assert_eq!(
        names,
        [
            ("x", None),
            ("inner", Some(false)),
            ("in", None),
            ("drop", None),
            ("add", None)
        ]
    );
}

#[test]
fn sequential_without_input_layer() {
    let model = json!({"class_name": "Sequential", "config": {"name": "s", "layers": [
        {"class_name": "RandomFlip", "config": {"name": "flip", "batch_input_shape": [null, 8, 8, 3]}},
        {"class_name": "Sequential", "config": {"name": "t", "layers": [
            {"class_name": "Flatten", "config": {"name": "flat"}}]}},
        {"class_name": "Dense", "config": {"name": "d", "units": 2}},
    ]}});
    let graph = build(&model, Semantics::Keras2).unwrap();
    assert_eq!(order(&graph), ["s_input", "flip", "flat", "d"]);
    assert!(!graph.layers[0].listed);
    assert_eq!(graph.input_hwc, [Some(8), Some(8), Some(3)]);
}

#[test]
fn keras3_defaults_are_told_from_values_and_frozen_models_freeze() {
    let tensor = |from: &str| json!({"class_name": "__keras_tensor__", "config": {"keras_history": [from, 0, 0]}});
    let node = |from: &str, training: Value| json!([{"args": [tensor(from)], "kwargs": {"training": training}}]);
    let rate = json!({"rate": 0.5, "trainable": true});
    let mut model = functional(
        "m",
        json!([
            input("x"),
            layer("Dropout", "leaked", rate.clone(), node("x", json!(false))),
            layer("Dropout", "asked", rate, node("leaked", json!(true))),
        ]),
        "x",
        json!(["asked", 0, 0]),
    );
    model["config"]["trainable"] = json!(false);
    let graph = build(&model, Semantics::Keras3).unwrap();
    let recorded = |graph: &Graph| -> Vec<_> { graph.layers.iter().map(|l| l.recorded).collect() };
    let (absent, value) = (RecordedArgument::Absent, RecordedArgument::Value);
    assert_eq!(
        recorded(&graph),
        [absent, RecordedArgument::Default(false), value(true)]
    );
    let later = build(&model, Semantics::Keras316).unwrap();
    assert_eq!(recorded(&later), [absent, value(false), value(true)]);
    assert!(graph.layers.iter().all(|l| !l.trainable));
}

#[test]
fn hostile_calls_are_refused() {
    let relu = |name: &str, from: &str| layer("ReLU", name, json!({}), json!([[[from, 0, 0, {}]]]));
    let refused = |layers: Value, output: &str| {
        let model = functional("m", layers, "x", json!([output, 0, 0]));
        build(&model, Semantics::Keras2).unwrap_err().to_string()
    };
    let circle = refused(json!([input("x"), relu("a", "b"), relu("b", "a")]), "b");
    assert!(circle.contains("circle"), "{circle}");
    let nobody = refused(json!([input("x"), relu("a", "nobody")]), "a");
    assert!(nobody.contains("`nobody`"), "{nobody}");
    let twice = refused(json!([input("x"), relu("a", "x"), relu("a", "x")]), "a");
    assert!(twice.contains("two layers"), "{twice}");
    let custom = json!([
        input("x"),
        layer("Swin", "a", json!({}), json!([[["x", 0, 0, {}]]]))
    ]);
    assert!(refused(custom, "a").starts_with("layer `a` is a Swin, which is not supported"));
}

#[test]
fn models_that_double_stop() {
    // Each model calls the one inside it twice: 2^30 calls from a short file.
    let mut inner = layer("ReLU", "r", json!({}), json!([[["in", 0, 0, {}]]]));
    let mut output = json!(["r", 0, 0]);
    for depth in 0..30 {
        let name = format!("m{depth}");
        let mut model = functional(&name, json!([input("in"), inner]), "in", output);
        model["inbound_nodes"] = json!([[["in", 0, 0, {}]], [[name, 1, 0, {}]]]);
        inner = model;
        output = json!([name, 2, 0]);
    }
    let root = functional("root", json!([input("in"), inner]), "in", output);
    assert!(matches!(
        build(&root, Semantics::Keras2),
        Err(OpenError::TooLarge(_))
    ));
}

#[test]
fn versions() {
    let read = |version| framework(version, &Value::Null);
    assert_eq!(
        read(Some("3.11.3")).unwrap(),
        ("Keras 3.11.3".to_owned(), Semantics::Keras3)
    );
    assert_eq!(
        read(Some("2.15.0")).unwrap(),
        ("Keras 2.15.0".to_owned(), Semantics::Keras2)
    );
    assert_eq!(
        read(None).unwrap(),
        ("Keras 2".to_owned(), Semantics::Keras2)
    );
    for (version, semantics) in [
        ("3.15.1", Semantics::Keras3),
        ("3.16.0.dev2026102704", Semantics::Keras316),
        ("3.9", Semantics::Keras3),
        ("4.0.0", Semantics::Keras316),
        ("3.x", Semantics::Keras3),
    ] {
        assert_eq!(read(Some(version)).unwrap().1, semantics, "{version}");
    }
    assert!(read(Some("1.2.2")).is_err());
    let keras3 = json!({"config": {"layers": [{"config": {"batch_shape": [null, 8, 8, 3]}}]}});
    assert_eq!(framework(None, &keras3).unwrap().1, Semantics::Keras3);
}

#[test]
fn not_models() {
    assert!(read_h5(ModelFile::new("", b"no HDF5".to_vec())).is_err());
    assert!(read_zip(b"no zip".to_vec(), None).is_err());
}

#[test]
fn lambda_layers_and_several_inputs_are_refused_with_a_reason() {
    let code = json!({"function": {"class_name": "__lambda__", "config": {"code": "4wEAAAA="}}});
    let lambda = layer("Lambda", "own", code, json!([[["x", 0, 0, {}]]]));
    let model = functional("m", json!([input("x"), lambda]), "x", json!(["own", 0, 0]));
    for semantics in [Semantics::Keras2, Semantics::Keras3] {
        let text = build(&model, semantics).unwrap_err().to_string();
        assert!(text.contains("layer `own` is a Lambda"), "{text}");
    }
    let sum = json!([[["x", 0, 0, {}], ["y", 0, 0, {}]]]);
    let add = layer("Add", "add", json!({}), sum);
    let layers = json!([input("x"), input("y"), add]);
    let mut model = functional("m", layers, "x", json!(["add", 0, 0]));
    model["config"]["input_layers"] = json!([["x", 0, 0], ["y", 0, 0]]);
    let text = build(&model, Semantics::Keras2).unwrap_err().to_string();
    assert!(
        text.contains("the model takes 2 inputs (`x`, `y`)"),
        "{text}"
    );
}
