//! `modelens inspect --json` against `docs/inspect.schema.json`.

use serde_json::Value;

use crate::support::files::{fixture, repository};
use crate::support::program::{succeeds, text};

/// What of a value does not fit a schema, with its place. Knows the keywords that the schema uses, and
/// refuses others.
fn misfits(value: &Value, schema: &Value, root: &Value, at: &str, found: &mut Vec<String>) {
    let keywords = schema.as_object().expect("a schema");
    for (keyword, rule) in keywords {
        match keyword.as_str() {
            "$schema" | "title" | "description" | "$defs" => {}
            "$ref" => {
                let pointer = rule.as_str().expect("a reference").trim_start_matches('#');
                let target = root.pointer(pointer).expect(pointer);
                misfits(value, target, root, at, found);
            }
            "const" => {
                if value != rule {
                    found.push(format!("{at}: {value} is not {rule}"));
                }
            }
            "enum" => {
                if !rule.as_array().expect("values").contains(value) {
                    found.push(format!("{at}: {value} is none of {rule}"));
                }
            }
            "type" => {
                let allowed = match rule {
                    Value::Array(names) => names.clone(),
                    name => vec![name.clone()],
                };
                if !allowed
                    .iter()
                    .any(|name| is_of(value, name.as_str().expect("a type")))
                {
                    found.push(format!("{at}: {value} is not of type {rule}"));
                }
            }
            "items" => {
                for (i, item) in value.as_array().into_iter().flatten().enumerate() {
                    misfits(item, rule, root, &format!("{at}/{i}"), found);
                }
            }
            "properties" => {
                for (key, rule) in rule.as_object().expect("properties") {
                    if let Some(inner) = value.get(key) {
                        misfits(inner, rule, root, &format!("{at}/{key}"), found);
                    }
                }
            }
            "required" => {
                let required = rule.as_array().expect("keys").iter();
                let missing = required.filter(|key| {
                    value.is_object() && value.get(key.as_str().expect("a key")).is_none()
                });
                found.extend(missing.map(|key| format!("{at}: {key} is missing")));
            }
            "additionalProperties" => {
                let known = &schema["properties"];
                let more = value
                    .as_object()
                    .into_iter()
                    .flat_map(|object| object.keys());
                let more =
                    more.filter(|key| *rule == Value::Bool(false) && known.get(key).is_none());
                found.extend(more.map(|key| format!("{at}: {key} is not described")));
            }
            other => found.push(format!("{at}: the check does not know the keyword {other}")),
        }
    }
}

fn is_of(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "null" => value.is_null(),
        other => panic!("no type {other}"),
    }
}

#[test]
fn real_reports_fit_the_schema() {
    let path = repository("docs/inspect.schema.json");
    let schema = std::fs::read_to_string(path).expect("the schema");
    let schema: Value = serde_json::from_str(&schema).expect("JSON");
    let described = schema["properties"].as_object().expect("properties");
    let described_of_layers = schema["$defs"]["layer"]["properties"]
        .as_object()
        .expect("layers");
    let bundled = ["lab_mobilenetv2", "efficientnet_lite0"].map(str::to_owned);
    let files = ["bnnet_keras2/model.h5", "student_layers_keras3/model.keras"];
    let files = files.map(|name| text(&fixture(name)).to_owned());
    for model in bundled.into_iter().chain(files) {
        let done = succeeds(&["inspect", &model, "--json"]);
        let report: Value = serde_json::from_slice(&done.stdout).expect("JSON");
        let mut found = Vec::new();
        misfits(&report, &schema, &schema, "", &mut found);
        assert!(found.is_empty(), "{model}: {found:#?}");
        // The schema says what every key means.
        for key in report.as_object().expect("a report").keys() {
            assert!(described.contains_key(key), "{model}: {key}");
        }
        let layers = report["layers"].as_array().expect("layers");
        for key in layers[0].as_object().expect("a layer").keys() {
            assert!(described_of_layers.contains_key(key), "{model}: {key}");
        }
    }
}

#[test]
fn layers_have_the_shapes_of_their_framework() {
    let shape = |model: &str, name: &str| {
        let done = succeeds(&["inspect", model, "--json"]);
        let report: Value = serde_json::from_slice(&done.stdout).expect("JSON");
        let layers = report["layers"].as_array().expect("layers").iter();
        let mut named = layers.filter(|layer| layer["name"] == name);
        named.next().expect(name)["output_shape"].to_string()
    };
    assert_eq!(shape("lab_mobilenetv2", "Conv1"), "[null,80,80,32]");
    assert_eq!(shape("lab_mobilenetv2", "dense"), "[null,4]");
    assert_eq!(shape("lab_mobilenetv2", "sequential"), "[null,160,160,3]");
    let lite = shape("efficientnet_lite0", "_conv_stem");
    assert_eq!(lite, "[null,32,112,112]");
}

#[test]
fn a_misfit_is_found() {
    let schema: Value = serde_json::from_str(
        r#"{"type":"object","properties":{"a":{"type":["integer","null"]}},"required":["a","b"],"additionalProperties":false}"#,
    )
    .expect("JSON");
    let mut found = Vec::new();
    let value: Value = serde_json::from_str(r#"{"a":"x","c":1}"#).expect("JSON");
    misfits(&value, &schema, &schema, "", &mut found);
    assert_eq!(found.len(), 3, "{found:?}");
}
