//! Activation settings: a name, or a serialised function or layer.

use serde_json::Value;

use super::settings::Settings;
use crate::formats::OpenError;
use crate::model::Semantics;
use crate::model::layers::Activation;

/// The activation that one of these describes: `"relu"`, `{"class_name": "function", "config": "relu"}`,
/// `{"class_name": "ReLU", "config": {"max_value": 6}}`; nothing at all is linear.
pub(super) fn parse(
    settings: Settings,
    key: &str,
    semantics: Semantics,
) -> Result<Activation, OpenError> {
    let refuse = |name: &str| settings.refuse(format!("its activation `{name}` is not supported"));
    match settings.get(key) {
        None => Ok(Activation::Linear),
        Some(Value::String(name)) => by_name(name, semantics).ok_or_else(|| refuse(name)),
        Some(Value::Object(map)) => {
            let class = map
                .get("class_name")
                .and_then(Value::as_str)
                .unwrap_or_default();
            match map.get("config") {
                Some(Value::String(name)) => by_name(name, semantics).ok_or_else(|| refuse(name)),
                Some(Value::Object(inner)) => {
                    let inner = Settings {
                        layer: settings.layer,
                        map: inner,
                    };
                    match of_layer(class, inner)? {
                        Some(activation) => Ok(activation),
                        None => Err(refuse(class)),
                    }
                }
                _ => by_name(class, semantics).ok_or_else(|| refuse(class)),
            }
        }
        Some(other) => Err(refuse(&other.to_string())),
    }
}

/// The activation function of this name.
pub(super) fn by_name(name: &str, semantics: Semantics) -> Option<Activation> {
    Some(match name {
        "linear" => Activation::Linear,
        "relu" => Activation::RELU,
        "relu6" => Activation::RELU6,
        "leaky_relu" => leaky(0.2),
        "elu" => Activation::Elu { alpha: 1.0 },
        "selu" => Activation::Selu,
        "gelu" => Activation::Gelu { approximate: false },
        "sigmoid" => Activation::Sigmoid,
        "hard_sigmoid" if semantics.is_keras3() => Activation::HardSigmoid,
        "hard_sigmoid" => Activation::HardSigmoidKeras2,
        "silu" | "swish" => Activation::Silu,
        "hard_silu" | "hard_swish" => Activation::HardSilu,
        "softmax" => Activation::Softmax,
        "softplus" => Activation::Softplus,
        "softsign" => Activation::Softsign,
        "tanh" => Activation::Tanh,
        "exponential" => Activation::Exponential,
        "mish" => Activation::Mish,
        "log_sigmoid" => Activation::LogSigmoid,
        "log_softmax" => Activation::LogSoftmax,
        "hard_tanh" => Activation::Clip(-1.0, 1.0),
        "tanh_shrink" => Activation::TanhShrink,
        "squareplus" => Activation::Squareplus,
        _ => return None,
    })
}

/// The layer classes that are activations with settings of their own.
pub(super) fn of_layer(class: &str, settings: Settings) -> Result<Option<Activation>, OpenError> {
    let single = |x: f64| x as f32;
    Ok(Some(match class {
        "ReLU" => Activation::Relu {
            max_value: settings.number("max_value")?.map(single),
            negative_slope: single(settings.number_or("negative_slope", 0.0)?),
            threshold: single(settings.number_or("threshold", 0.0)?),
        },
        "LeakyReLU" => {
            // Keras 3 renamed the setting.
            let keras2 = settings.number_or("alpha", 0.3)?;
            leaky(single(settings.number_or("negative_slope", keras2)?))
        }
        "ELU" => Activation::Elu {
            alpha: single(settings.number_or("alpha", 1.0)?),
        },
        "Softmax" => {
            if settings.numbers_or("axis", -1.0)? != [-1.0] {
                return Err(settings.refuse("its softmax is not over the last axis"));
            }
            Activation::Softmax
        }
        _ => return Ok(None),
    }))
}

fn leaky(negative_slope: f32) -> Activation {
    Activation::Relu {
        max_value: None,
        negative_slope,
        threshold: 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parsed(value: Value) -> Result<Activation, OpenError> {
        let map = serde_json::Map::from_iter([("activation".to_owned(), value)]);
        parse(
            Settings {
                layer: "a",
                map: &map,
            },
            "activation",
            Semantics::Keras3,
        )
    }

    #[test]
    fn three_notations() {
        assert_eq!(parsed(json!("relu")).unwrap(), Activation::RELU);
        let function = json!({"module": "builtins", "class_name": "function", "config": "silu"});
        assert_eq!(parsed(function).unwrap(), Activation::Silu);
        let layer = json!({"class_name": "ReLU", "config": {"max_value": 6.0}});
        assert_eq!(parsed(layer).unwrap(), Activation::RELU6);
        assert!(parsed(json!("my_own")).is_err());
    }
}
