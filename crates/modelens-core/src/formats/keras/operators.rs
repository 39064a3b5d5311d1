//! Operators written as nodes: Keras 3's `TrueDivide` and its like, Keras 2's `TFOpLambda`.

use serde_json::Value;

use super::activations;
use super::calls::{Call, CallArg};
use super::functions::{self, Given};
use super::settings::{Constants, Settings, constants};
use crate::formats::OpenError;
use crate::model::Semantics;
use crate::model::layers::{Activation, GetItem, LayerKind, Operator, Rescaling, Slice};

/// The Keras 3 operators of `docs/layers.md`.
#[cfg(test)]
pub(super) const KERAS3: [&str; 42] = [
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
    "Stack",
    "Cast",
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
        "nn.bias_add" | "compat.v1.nn.bias_add" => bias_add(settings, call)?,
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
            "bias" => function.ends_with("bias_add"),
            "data_format" => value.as_str() == Some("NHWC"),
            "dtype" => function.ends_with("cast"),
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
        "it calls the TensorFlow function `{function}`, which is not supported; docs/layers.md lists \
         those that are. Rebuild the model with a Keras layer in its place and save it as .keras"
    ))
}

/// `tf.nn.bias_add(x, bias)` with constants: `preprocess_input` of ResNet and DenseNet writes it.
fn bias_add(settings: Settings, call: Option<&Call>) -> Result<LayerKind, OpenError> {
    let bias = call.and_then(|call| call.others.iter().find(|(name, _)| *name == "bias"));
    let offset = match bias.and_then(|(_, value)| constants(value)) {
        Some(Constants::One(x)) => vec![x as f32],
        Some(Constants::Channels(list)) => list.into_iter().map(|x| x as f32).collect(),
        Some(Constants::Other) | None => {
            return Err(settings.refuse("its `bias` is not one number for each channel"));
        }
    };
    Ok(LayerKind::Rescaling(Rescaling {
        scale: vec![1.0],
        offset,
    }))
}

/// The layer of an operator between a tensor and one number for each channel; `None` without such
/// numbers.
///
/// # Errors
/// Numbers in a place where they are not supported.
pub(super) fn with_channels(
    settings: Settings,
    kind: &LayerKind,
    call: &Call,
) -> Result<Option<LayerKind>, OpenError> {
    let (numbers, is_first) = match call.args.as_slice() {
        [CallArg::Tensor(_) | CallArg::Outer, CallArg::Channels(list)] => (list, false),
        [CallArg::Channels(list), CallArg::Tensor(_) | CallArg::Outer] => (list, true),
        args if args.iter().any(|arg| matches!(arg, CallArg::Channels(_))) => {
            return Err(settings.refuse("it takes an array of constants, which is not supported"));
        }
        _ => return Ok(None),
    };
    let single = |f: fn(f64) -> f64| numbers.iter().map(|&n| f(n) as f32).collect::<Vec<f32>>();
    let (scale, offset) = match (kind, is_first) {
        (LayerKind::Operator(Operator::Add), _) => (vec![1.0], single(|n| n)),
        (LayerKind::Operator(Operator::Subtract), false) => (vec![1.0], single(|n| -n)),
        (LayerKind::Operator(Operator::Subtract), true) => (vec![-1.0], single(|n| n)),
        (LayerKind::Operator(Operator::Multiply), _) => (single(|n| n), vec![0.0]),
        (LayerKind::Operator(Operator::Divide), false) => (single(|n| 1.0 / n), vec![0.0]),
        _ => {
            return Err(settings.refuse(
                "it takes one constant for each channel, which this operator does not support",
            ));
        }
    };
    Ok(Some(LayerKind::Rescaling(Rescaling { scale, offset })))
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
    if step == 0 {
        return Err("its index expression has a step of 0".to_owned());
    }
    Ok(Slice::Range {
        start: bound("start")?,
        stop: bound("stop")?,
        step,
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
        let reversed = Slice::Range {
            start: None,
            stop: None,
            step: -1,
        };
        assert_eq!(slice(&json!({"step": -1})), Ok(reversed));
        assert!(slice(&json!({"step": 0})).is_err());
        assert!(slice(&json!(null)).is_err());
    }
}
