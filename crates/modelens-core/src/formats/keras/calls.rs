//! Reads `inbound_nodes`, the calls of a layer, in the notations of Keras 2 and Keras 3.

use serde_json::{Map, Value};

use super::settings::{Constants, constants};
use crate::model::RecordedArgument;

/// One call of a layer; the layers that it reads are still names.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Call<'a> {
    pub args: Vec<CallArg<'a>>,
    /// The `training` argument written beside the call.
    pub training: RecordedArgument,
    /// The index expression, for slicing operators.
    pub key: Option<&'a Value>,
    /// Other arguments of a Keras 2 call, which are settings of a function.
    pub others: Vec<(&'a str, &'a Value)>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum CallArg<'a> {
    Tensor(TensorRef<'a>),
    Number(f64),
    /// One number for each channel.
    Channels(Vec<f64>),
    /// The input of the model around the layer.
    Outer,
}

/// The output of a call of a layer in the same model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct TensorRef<'a> {
    pub layer: &'a str,
    pub call: usize,
}

/// Names under which a layer or an operator takes its tensors, in order.
const TENSOR_KWARGS: [&str; 6] = ["inputs", "x", "x1", "x2", "y", "b"];

/// One entry of `inbound_nodes`; the error is a reason in words.
pub(super) fn parse(node: &Value) -> Result<Call<'_>, String> {
    match node {
        Value::Object(map) => keras3(map),
        Value::Array(items) => keras2(items),
        _ => Err("its call is not understood".to_owned()),
    }
}

/// `{"args": [...], "kwargs": {...}}`
fn keras3(map: &Map<String, Value>) -> Result<Call<'_>, String> {
    let mut call = Call::default();
    let args = map
        .get("args")
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    for (i, arg) in args.iter().enumerate() {
        if i == 1 && is_key(arg) {
            call.key = Some(arg);
        } else {
            keras3_arg(arg, &mut call.args)?;
        }
    }
    if let Some(kwargs) = map.get("kwargs").and_then(Value::as_object) {
        call.training = training(kwargs)?;
        call.key = call.key.or_else(|| kwargs.get("key"));
        for name in TENSOR_KWARGS {
            if let Some(value) = kwargs.get(name) {
                keras3_arg(value, &mut call.args)?;
            }
        }
        let rest = kwargs
            .iter()
            .filter(|(k, _)| !TENSOR_KWARGS.contains(&k.as_str()));
        for (name, value) in rest {
            let mut tensors = Vec::new();
            if name != "key" && keras3_arg(value, &mut tensors).is_ok() {
                refuse_tensors(name, &tensors)?;
            }
        }
    }
    Ok(call)
}

fn refuse_tensors(name: &str, args: &[CallArg]) -> Result<(), String> {
    if args.iter().any(|a| matches!(a, CallArg::Tensor(_))) {
        return Err(format!(
            "it takes a tensor as `{name}`, which is not supported"
        ));
    }
    Ok(())
}

/// Adds the tensors and numbers in one argument, lists flattened (merge layers take one list).
fn keras3_arg<'a>(value: &'a Value, into: &mut Vec<CallArg<'a>>) -> Result<(), String> {
    match value {
        Value::Array(items) => items.iter().try_for_each(|item| keras3_arg(item, into)),
        Value::Number(n) => {
            into.extend(n.as_f64().map(CallArg::Number));
            Ok(())
        }
        Value::Object(map) => {
            let class = map
                .get("class_name")
                .and_then(Value::as_str)
                .unwrap_or_default();
            if class == "__keras_tensor__" {
                let history = value.pointer("/config/keras_history");
                let history = history.and_then(reference);
                into.push(CallArg::Tensor(
                    history.ok_or("the origin of its input is not understood")?,
                ));
                return Ok(());
            }
            match constants(value) {
                Some(constants) => {
                    into.push(constant(constants)?);
                    Ok(())
                }
                None => Err(format!(
                    "it takes a `{class}` argument, which is not supported"
                )),
            }
        }
        Value::Null | Value::Bool(_) | Value::String(_) => Ok(()),
    }
}

/// An argument that is a constant.
fn constant(constants: Constants) -> Result<CallArg<'static>, String> {
    match constants {
        Constants::One(x) => Ok(CallArg::Number(x)),
        Constants::Channels(list) => Ok(CallArg::Channels(list)),
        Constants::Other => {
            Err("it takes constants that differ along other axes than the channels".to_owned())
        }
    }
}

/// Whether an argument is an index expression and not a tensor or a number.
fn is_key(value: &Value) -> bool {
    let class = |v: &Value, names: &[&str]| {
        v.get("class_name")
            .and_then(Value::as_str)
            .is_some_and(|c| names.contains(&c))
    };
    match value {
        Value::Array(items) => items.iter().any(is_key),
        _ => class(value, &["__slice__", "__ellipsis__"]),
    }
}

/// `[["prev", node, tensor, {kwargs}], ...]`, or one such quadruple without the outer brackets.
fn keras2(items: &[Value]) -> Result<Call<'_>, String> {
    let mut call = Call::default();
    if items.first().is_some_and(Value::is_string) {
        quadruple(items, &mut call)?;
    } else {
        for item in items {
            quadruple(
                item.as_array().ok_or("its call is not understood")?,
                &mut call,
            )?;
        }
    }
    Ok(call)
}

fn quadruple<'a>(items: &'a [Value], call: &mut Call<'a>) -> Result<(), String> {
    let is_constant = items.first().and_then(Value::as_str) == Some("_CONSTANT_VALUE");
    let arg = match items {
        [_, _, value, ..] if is_constant => match constants(value) {
            Some(constants) => constant(constants)?,
            None => return Err("its constant is not understood".to_owned()),
        },
        [_, _, _, ..] => CallArg::Tensor(triple(items).ok_or("its call is not understood")?),
        _ => return Err("its call is not understood".to_owned()),
    };
    call.args.push(arg);
    let Some(kwargs) = items.get(3).and_then(Value::as_object) else {
        return Ok(());
    };
    if call.training == RecordedArgument::Absent {
        call.training = training(kwargs)?;
    }
    for (name, value) in kwargs {
        let tensor = reference(value);
        if name == "slice_spec" {
            call.key = Some(value);
        } else if TENSOR_KWARGS.contains(&name.as_str()) {
            match (tensor, constants(value)) {
                (Some(r), _) => call.args.push(CallArg::Tensor(r)),
                (None, Some(constants)) => call.args.push(constant(constants)?),
                (None, None) => {}
            }
        } else if tensor.is_some() {
            return Err(format!(
                "it takes a tensor as `{name}`, which is not supported"
            ));
        } else if !value.is_null() && name != "training" {
            call.others.push((name, value));
        }
    }
    Ok(())
}

/// The `training=` value; Keras 2 also takes and writes 0 and 1.
fn training(kwargs: &Map<String, Value>) -> Result<RecordedArgument, String> {
    let value = |training| Ok(RecordedArgument::Value(training));
    match kwargs.get("training") {
        None => Ok(RecordedArgument::Absent),
        Some(Value::Null) => Ok(RecordedArgument::Null),
        Some(Value::Bool(training)) => value(*training),
        Some(Value::Number(n)) if n.as_f64() == Some(0.0) => value(false),
        Some(Value::Number(n)) if n.as_f64() == Some(1.0) => value(true),
        Some(_) => Err("its `training` is neither true nor false".to_owned()),
    }
}

/// `["layer", node, tensor]`
pub(super) fn reference(value: &Value) -> Option<TensorRef<'_>> {
    value
        .as_array()
        .filter(|a| a.len() == 3)
        .and_then(|a| triple(a))
}

/// A reference from the first three items; only the first output of a layer can be meant.
fn triple(items: &[Value]) -> Option<TensorRef<'_>> {
    let [layer, call, tensor, ..] = items else {
        return None;
    };
    (tensor.as_u64()? == 0).then_some(TensorRef {
        layer: layer.as_str()?,
        call: usize::try_from(call.as_u64()?).ok()?,
    })
}

/// `input_layers` or `output_layers`: one triple (Keras 3), a list of triples, or triples by name.
pub(super) fn endpoints(value: &Value) -> Option<Vec<TensorRef<'_>>> {
    match (reference(value), value) {
        (Some(one), _) => Some(vec![one]),
        (None, Value::Object(named)) => named.values().map(reference).collect(),
        (None, _) => value.as_array()?.iter().map(reference).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn tensor(layer: &str, call: usize) -> CallArg<'_> {
        CallArg::Tensor(TensorRef { layer, call })
    }

    #[test]
    fn keras2_constant_first() {
        let node = json!(["_CONSTANT_VALUE", -1, 1.0, {"y": ["add", 0, 0], "name": null}]);
        let call = parse(&node).unwrap();
        assert_eq!(call.args, [CallArg::Number(1.0), tensor("add", 0)]);
    }

    #[test]
    fn keras2_merge_and_training() {
        let merge = json!([["a", 0, 0, {}], ["b", 1, 0, {}]]);
        assert_eq!(
            parse(&merge).unwrap().args,
            [tensor("a", 0), tensor("b", 1)]
        );
        let base = json!([["a", 0, 0, {"training": false}]]);
        assert_eq!(
            parse(&base).unwrap().training,
            RecordedArgument::Value(false)
        );
    }

    #[test]
    fn training_as_a_number() {
        let recorded = |node: &Value| parse(node).unwrap().training;
        for (value, expected) in [(json!(0), false), (json!(1), true), (json!(1.0), true)] {
            let keras2 = json!([["a", 0, 0, {"training": value}]]);
            assert_eq!(recorded(&keras2), RecordedArgument::Value(expected));
            let keras3 = json!({"args": [], "kwargs": {"training": value}});
            assert_eq!(recorded(&keras3), RecordedArgument::Value(expected));
        }
        let odd = json!([["a", 0, 0, {"training": "yes"}]]);
        assert!(parse(&odd).is_err());
    }

    #[test]
    fn keras3_operator_and_slice() {
        let t = json!({"class_name": "__keras_tensor__", "config": {"keras_history": ["a", 0, 0]}});
        let operator = json!({"args": [1.0, t], "kwargs": {"training": null}});
        assert_eq!(
            parse(&operator).unwrap().args,
            [CallArg::Number(1.0), tensor("a", 0)]
        );
        let slice = json!([{"class_name": "__slice__", "config": {"start": 1}}, 0]);
        let item = json!({"args": [t, slice], "kwargs": {}});
        let call = parse(&item).unwrap();
        assert_eq!((call.args, call.key), (vec![tensor("a", 0)], Some(&slice)));
        let mask = json!({"args": [t], "kwargs": {"mask": t}});
        assert!(parse(&mask).is_err());
    }

    #[test]
    fn one_number_for_each_channel() {
        let channels = CallArg::Channels(vec![1.0, 2.5]);
        let keras2 = json!(["a", 0, 0, {"y": [1.0, 2.5], "name": null}]);
        let expected = [tensor("a", 0), channels];
        assert_eq!(parse(&keras2).unwrap().args, expected);
        let array = |value: Value| json!({"class_name": "__tensor__", "config": {"value": value}});
        let t = json!({"class_name": "__keras_tensor__", "config": {"keras_history": ["a", 0, 0]}});
        let keras3 = json!({"args": [t, array(json!([[[[1.0, 2.5]]]]))], "kwargs": {}});
        assert_eq!(parse(&keras3).unwrap().args, expected);
        let rows = json!({"args": [t, array(json!([[1.0], [2.5]]))], "kwargs": {}});
        assert!(parse(&rows).is_err());
    }

    #[test]
    fn endpoints_of_both_notations() {
        let one = TensorRef {
            layer: "out",
            call: 1,
        };
        assert_eq!(endpoints(&json!(["out", 1, 0])), Some(vec![one]));
        assert_eq!(endpoints(&json!([["out", 1, 0]])), Some(vec![one]));
        assert_eq!(endpoints(&json!({"a": ["out", 1, 0]})), Some(vec![one]));
        assert_eq!(endpoints(&json!({"a": "out"})), None);
    }
}
