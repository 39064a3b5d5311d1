//! Operators written as nodes: Keras 3's `TrueDivide` and its like, Keras 2's `TFOpLambda`.

use serde_json::Value;

use super::activations;
use super::calls::Call;
use super::functions::{self, Given};
use super::settings::Settings;
use crate::formats::OpenError;
use crate::model::Semantics;
use crate::model::layers::{Activation, GetItem, LayerKind, Operator, Slice};

/// The Keras 3 operators of `docs/layers.md`.
#[cfg(test)]
pub(super) const KERAS3: [&str; 40] = [
    "Add",
    "Subtract",
    "Multiply",
    "Divide",
    "TrueDivide",
    "Maximum",
    "Minimum",
    "GetItem",
    "Relu",
    "Relu6",
    "Sigmoid",
    "Silu",
    "HardSilu",
    "Tanh",
    "Softplus",
    "Softsign",
    "Selu",
    "Elu",
    "HardSigmoid",
    "LeakyRelu",
    "Gelu",
    "Softmax",
    "LogSoftmax",
    "LogSigmoid",
    "Absolute",
    "Negative",
    "Square",
    "Sqrt",
    "Rsqrt",
    "Exp",
    "Log",
    "Power",
    "Clip",
    "Mean, Sum, Max, Min",
    "Reshape",
    "Transpose",
    "Concatenate",
    "ExpandDims, Squeeze",
    "Normalize",
    "Pad",
];

/// What a Keras 3 operator computes; `None` for one that is not known.
pub(super) fn keras3(
    class: &str,
    settings: Settings,
    call: Option<&Call>,
) -> Result<Option<LayerKind>, OpenError> {
    Ok(Some(match class {
        "Add" => LayerKind::Operator(Operator::Add),
        "Subtract" => LayerKind::Operator(Operator::Subtract),
        "Multiply" => LayerKind::Operator(Operator::Multiply),
        "Divide" | "TrueDivide" => LayerKind::Operator(Operator::Divide),
        "Maximum" => LayerKind::Operator(Operator::Maximum),
        "Minimum" => LayerKind::Operator(Operator::Minimum),
        "GetItem" => get_item(settings, call)?,
        "Relu" => LayerKind::Activation(Activation::RELU),
        "Relu6" => LayerKind::Activation(Activation::RELU6),
        "Sigmoid" => LayerKind::Activation(Activation::Sigmoid),
        "Silu" => LayerKind::Activation(Activation::Silu),
        "HardSilu" => LayerKind::Activation(Activation::HardSilu),
        "Tanh" => LayerKind::Activation(Activation::Tanh),
        "Softplus" => LayerKind::Activation(Activation::Softplus),
        "Softsign" => LayerKind::Activation(Activation::Softsign),
        "Selu" => LayerKind::Activation(Activation::Selu),
        "Elu" => LayerKind::Activation(Activation::Elu {
            alpha: settings.number_or("alpha", 1.0)? as f32,
        }),
        "HardSigmoid" => LayerKind::Activation(Activation::HardSigmoid),
        "Softmax" => match activations::of_layer(class, settings)? {
            Some(activation) => LayerKind::Activation(activation),
            None => return Ok(None),
        },
        _ => {
            let get = |key: &str| settings.get(key);
            let given = Given {
                settings,
                get: &get,
            };
            return functions::named(&class.to_ascii_lowercase(), &given);
        }
    }))
}

/// Activations of `tf.nn` and `tf.math` that are known by their name alone.
const PLAIN_ACTIVATIONS: [&str; 11] = [
    "relu", "relu6", "elu", "selu", "sigmoid", "silu", "swish", "tanh", "softplus", "softsign",
    "softmax",
];

fn is_plain_activation(function: &str) -> bool {
    let short = function.strip_prefix("nn.");
    let short = short.or_else(|| function.strip_prefix("math."));
    short.is_some_and(|short| PLAIN_ACTIVATIONS.contains(&short))
}

/// What a Keras 2 `TFOpLambda` computes, by the name of the TensorFlow function.
pub(super) fn keras2(settings: Settings, call: Option<&Call>) -> Result<LayerKind, OpenError> {
    let function = settings.text("function")?;
    let activation = function
        .strip_prefix("nn.")
        .or_else(|| function.strip_prefix("math."));
    Ok(match function {
        "math.add" | "add" | "__operators__.add" => LayerKind::Operator(Operator::Add),
        "math.subtract" | "subtract" => LayerKind::Operator(Operator::Subtract),
        "math.multiply" | "multiply" => LayerKind::Operator(Operator::Multiply),
        "math.truediv" | "math.divide" | "divide" => LayerKind::Operator(Operator::Divide),
        "math.maximum" | "maximum" => LayerKind::Operator(Operator::Maximum),
        "math.minimum" | "minimum" => LayerKind::Operator(Operator::Minimum),
        _ => match activation {
            Some(name) if PLAIN_ACTIVATIONS.contains(&name) => {
                match activations::by_name(name, Semantics::Keras2) {
                    Some(activation) => LayerKind::Activation(activation),
                    None => return Err(unknown(settings, function)),
                }
            }
            _ => {
                let others = call.map_or(&[][..], |call| &call.others);
                let get = |key: &str| {
                    let found = others.iter().find(|(name, _)| *name == key);
                    found.map(|(_, value)| *value)
                };
                let given = Given {
                    settings,
                    get: &get,
                };
                let short = function.rsplit('.').next().unwrap_or_default();
                let known = ["math.", "nn.", "compat.v1.", ""];
                let plain = known
                    .iter()
                    .any(|start| format!("{start}{short}") == function);
                let kind = functions::named(short, &given)?.filter(|_| plain);
                return kind.ok_or_else(|| unknown(settings, function));
            }
        },
    })
}

/// Refuses arguments of a `TFOpLambda` that change what its function computes.
pub(super) fn check_keras2(settings: Settings, call: &Call) -> Result<(), OpenError> {
    let function = settings.text("function")?;
    for &(name, value) in &call.others {
        let ignored = match name {
            "name" | "training" => true,
            // The defaults of `tf.nn`.
            "axis" => value.as_i64() == Some(-1) || !function.ends_with("softmax"),
            "beta" => value.as_f64() == Some(1.0),
            "conjugate" => value.as_bool() == Some(false),
            "epsilon" => value.as_f64() == Some(1e-12),
            // Those that `functions` reads; the plain activations take none of them.
            _ if is_plain_activation(function) => false,
            "keepdims" | "keep_dims" | "axes" | "perm" | "shape" | "clip_value_min"
            | "clip_value_max" | "alpha" | "approximate" | "paddings" | "mode"
            | "constant_values" => true,
            _ => false,
        };
        if !ignored {
            return Err(settings.refuse(format!(
                "it calls `{function}` with `{name}`, which is not supported"
            )));
        }
    }
    Ok(())
}

fn unknown(settings: Settings, function: &str) -> OpenError {
    settings.refuse(format!(
        "it calls the TensorFlow function `{function}`; supported are add, subtract, multiply, \
         truediv, maximum, minimum, pow, abs, square, sqrt, exp, log, reductions, concat, reshape, \
         transpose, pad, clip_by_value and the activations of `tf.nn`"
    ))
}

/// `x[...]`, with the index expression beside the call.
pub(super) fn get_item(settings: Settings, call: Option<&Call>) -> Result<LayerKind, OpenError> {
    let key = call.and_then(|c| c.key);
    let key = key.ok_or_else(|| settings.refuse("its index expression is not understood"))?;
    let parts = match key {
        Value::Array(items) => items.iter().map(slice).collect(),
        single => slice(single).map(|s| vec![s]),
    };
    let parts = parts.map_err(|reason| settings.refuse(reason))?;
    if parts.iter().filter(|p| **p == Slice::Ellipsis).count() > 1 {
        return Err(settings.refuse("its index expression has two ellipses"));
    }
    Ok(LayerKind::GetItem(GetItem { slices: parts }))
}

/// One entry: a number, Keras 2's `{"start", "stop", "step"}`, Keras 3's `__slice__` around it.
fn slice(value: &Value) -> Result<Slice, String> {
    let odd = || "its index expression is not understood".to_owned();
    if let Some(index) = value.as_i64() {
        return Ok(Slice::Index(index));
    }
    let map = value.as_object().ok_or_else(odd)?;
    let map = match map.get("class_name").and_then(Value::as_str) {
        Some("__ellipsis__") => return Ok(Slice::Ellipsis),
        Some("__slice__") => map
            .get("config")
            .and_then(Value::as_object)
            .ok_or_else(odd)?,
        Some(_) => return Err(odd()),
        None => map,
    };
    let bound = |key: &str| match map.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(v) => v.as_i64().map(Some).ok_or_else(odd),
    };
    let step = bound("step")?.unwrap_or(1);
    let step = usize::try_from(step).ok().filter(|&s| s > 0);
    Ok(Slice::Range {
        start: bound("start")?,
        stop: bound("stop")?,
        step: step.ok_or("its index expression has a step that is not positive")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn slices_of_both_notations() {
        let range = Slice::Range {
            start: Some(1),
            stop: None,
            step: 1,
        };
        assert_eq!(
            slice(&json!({"start": 1, "stop": null, "step": null})),
            Ok(range)
        );
        let keras3 = json!({"class_name": "__slice__", "config": {"start": 1, "stop": null}});
        assert_eq!(slice(&keras3), Ok(range));
        assert_eq!(slice(&json!(-1)), Ok(Slice::Index(-1)));
        assert!(slice(&json!({"step": -1})).is_err());
        assert!(slice(&json!(null)).is_err());
    }
}
