//! One layer's object in the configuration: the keys that all layers share.

use serde_json::{Map, Value};

use super::calls::{self, Call};
use super::settings::Settings;
use crate::formats::OpenError;

/// `{"class_name": ..., "config": {...}, "name": ..., "inbound_nodes": [...]}`
#[derive(Clone, Copy)]
pub(super) struct LayerObject<'a> {
    pub map: &'a Map<String, Value>,
    pub class: &'a str,
    pub name: &'a str,
    pub config: &'a Value,
}

impl<'a> LayerObject<'a> {
    pub fn of(value: &'a Value) -> Result<Self, OpenError> {
        let broken = || OpenError::Broken("its configuration holds a layer without a class".into());
        let map = value.as_object().ok_or_else(broken)?;
        let class = map
            .get("class_name")
            .and_then(Value::as_str)
            .ok_or_else(broken)?;
        // A layer of Keras' own InceptionResNetV2 that tf_keras registers like a user's class.
        let class = match class {
            "Custom>CustomScaleLayer" => "CustomScaleLayer",
            class => class,
        };
        let config = map.get("config").unwrap_or(&Value::Null);
        let name = config.get("name").or_else(|| map.get("name"));
        let name = name.and_then(Value::as_str).unwrap_or(class);
        Ok(Self {
            map,
            class,
            name,
            config,
        })
    }

    /// True if it contains layers of its own.
    pub fn is_model(&self) -> bool {
        matches!(self.class, "Functional" | "Model" | "Sequential") && !self.is_custom()
    }

    /// True if the class is defined outside of Keras, whatever its name.
    pub fn is_custom(&self) -> bool {
        let text = |key: &str| {
            self.map
                .get(key)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let package = text("module").split('.').next().unwrap_or_default();
        let own = self.class == "CustomScaleLayer" && self.config.get("scale").is_some();
        (text("registered_name").contains('>') && !own)
            || !matches!(
                package,
                "" | "builtins" | "keras" | "tf_keras" | "tensorflow"
            )
    }

    /// True for a Keras 3 operator; in `.h5` files only missing layer settings show it.
    pub fn is_operator(&self) -> bool {
        let module = self
            .map
            .get("module")
            .and_then(Value::as_str)
            .unwrap_or_default();
        // Layers always have these two settings.
        let bare = self
            .config
            .as_object()
            .is_some_and(|c| !c.contains_key("trainable") && !c.contains_key("dtype"));
        module.contains(".ops.")
            || (module.is_empty() && bare && self.class != "InputLayer" && !self.is_model())
    }

    /// The `trainable` flag as written.
    pub fn flag(&self) -> Option<bool> {
        self.config.get("trainable").and_then(Value::as_bool)
    }

    pub fn settings(&self) -> Result<Settings<'a>, OpenError> {
        let map = self.config.as_object();
        let map = map.ok_or_else(|| broken(format!("layer `{}` has no settings", self.name)))?;
        Ok(Settings {
            layer: self.name,
            map,
        })
    }

    pub fn unsupported(&self, place: &str) -> OpenError {
        // `package>Class`, where the author registered it.
        let registered = self.map.get("registered_name").and_then(Value::as_str);
        let registered = registered.filter(|name| name.contains('>'));
        OpenError::UnsupportedLayer {
            layer: self.name.to_owned(),
            place: if place.is_empty() {
                String::new()
            } else {
                format!(" in {place}")
            },
            class: registered.unwrap_or(self.class).to_owned(),
            what_to_do: self.what_to_do(),
        }
    }

    /// What to do about a layer that is not supported.
    fn what_to_do(&self) -> &'static str {
        if self.class == "Lambda" {
            "A Lambda layer holds Python code, which is not executed. Rebuild the model with a Keras layer \
             or operator in its place, load the weights and save it as .keras"
        } else if self.is_custom() {
            "It is a class of its author's, whose code is not in the file. Rebuild the model with Keras' \
             own layers in its place, load the weights and save it as .keras"
        } else {
            "docs/layers.md lists those that are. Rebuild the model with one of them in its place, load the \
             weights and save it as .keras"
        }
    }

    /// The objects of a model's layers. Very old `Sequential` files contain the bare list.
    pub fn children(&self) -> Result<Vec<LayerObject<'a>>, OpenError> {
        let list = self.config.get("layers").unwrap_or(self.config).as_array();
        let list = list.ok_or_else(|| broken(format!("model `{}` lists no layers", self.name)))?;
        list.iter().map(Self::of).collect()
    }

    /// The calls in `inbound_nodes`; a `Sequential` writes none.
    pub fn calls(&self) -> Result<Vec<Call<'a>>, OpenError> {
        let Some(nodes) = self.map.get("inbound_nodes").and_then(Value::as_array) else {
            return Ok(Vec::new());
        };
        let refuse = |reason| OpenError::UnsupportedSetting {
            layer: self.name.to_owned(),
            reason,
        };
        let calls: Result<Vec<_>, _> = nodes.iter().map(calls::parse).collect();
        let calls = calls.map_err(refuse)?;
        let keys = calls.iter().map(|c| c.key);
        if keys
            .clone()
            .any(|k| calls.first().is_some_and(|c| c.key != k))
        {
            return Err(refuse(
                "it is called with several index expressions".to_owned(),
            ));
        }
        Ok(calls)
    }

    /// An error for a setting of a model that is not supported.
    pub fn refuse(&self, reason: String) -> OpenError {
        OpenError::UnsupportedSetting {
            layer: self.name.to_owned(),
            reason,
        }
    }
}

/// What the dtype policy of a layer says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Policy {
    /// Keras computes the layer in 16 bits.
    pub reduced_precision: bool,
    /// Keras keeps the weights as bfloat16.
    pub bfloat16: bool,
}

/// Reads a layer's dtype policy; quantised layers are refused.
pub(super) fn policy(settings: Settings) -> Result<Policy, OpenError> {
    let written = settings.get("dtype");
    let part = |key: &str| {
        let part = written?.pointer(key)?;
        part.as_str()
    };
    let name = match written {
        Some(Value::String(name)) => name.as_str(),
        _ => part("/config/name").unwrap_or_default(),
    };
    // A quantised policy of Keras 3 has a mode (`int8`, `int4/128`, `float8`) instead of a name.
    let mode = part("/config/mode").or_else(|| {
        let modes = ["int8", "int4", "float8", "gptq", "awq"];
        // `uint8` and the like are whole numbers that a layer takes, such as the bytes of a photo.
        let is_mode = |mode: &&str| name.starts_with(*mode) && name.len() > mode.len();
        modes.iter().any(is_mode).then_some(name)
    });
    if let Some(mode) = mode {
        return Err(settings.refuse(format!("it is quantised ({mode}), which is not supported")));
    }
    if settings.get("quantization_config").is_some() {
        return Err(settings.refuse("it is quantised, which is not supported"));
    }
    Ok(Policy {
        reduced_precision: name.contains("float16"),
        bfloat16: name.contains("bfloat16"),
    })
}

fn broken(reason: String) -> OpenError {
    OpenError::Broken(reason)
}
