//! The configuration of a Keras file with another head.

use serde_json::{Map, Value, json};

use crate::formats::{SaveError, Trained};
use crate::model::graph::{Activation, LayerKind, Noise};
use crate::model::layers::{Dense, GlobalPool2d};
use crate::model::{Graph, Layer};

/// The outermost model's configuration with the layers of the new head in the place of those of
/// the old one. `graph` is that of the file.
pub fn with_new_head(
    mut config: Value,
    graph: &Graph,
    trained: &Trained<'_>,
) -> Result<Value, SaveError> {
    let broken = || SaveError::Content("its configuration is not understood".to_owned());
    if let Some(map) = config.as_object_mut() {
        // It speaks of losses and an optimizer for the old outputs.
        map.remove("compile_config");
        map.remove("build_config");
    }
    let sequential = config.get("class_name").and_then(Value::as_str) == Some("Sequential");
    let gone = |name: &str| {
        let layers = graph.layers.iter().enumerate();
        let mut outer = layers.filter(|(_, l)| l.parent.is_none() && l.name == name);
        outer.any(|(id, _)| trained.places[id].is_none())
    };
    let inner = config.get_mut("config").ok_or_else(broken)?;
    let old_outputs = inner.get("output_layers").cloned();
    let layers = if inner.is_array() {
        inner.as_array_mut()
    } else {
        inner.get_mut("layers").and_then(Value::as_array_mut)
    };
    let layers = layers.ok_or_else(broken)?;
    let style = Style::of(layers);
    let reference = (!sequential)
        .then(|| {
            let used = layers.iter().find(|l| name_of(l).is_some_and(gone));
            let used = used.and_then(|l| style.input_of(l));
            // Without an old head the base's output is the model's.
            used.or_else(|| style.reference_to(old_outputs.as_ref()?, layers))
        })
        .flatten();
    if !sequential && reference.is_none() {
        return Err(broken());
    }
    layers.retain(|l| !name_of(l).is_some_and(gone));
    let mut input = reference;
    let mut last = String::new();
    for (_, layer) in trained.new_layers() {
        let mut object = style.layer(layer)?;
        if let (Some(before), Some(map)) = (&input, object.as_object_mut()) {
            map.insert("inbound_nodes".to_owned(), style.call(before));
            input = Some(style.after(&layer.name));
        }
        last.clone_from(&layer.name);
        layers.push(object);
    }
    if let (Some(outputs), Some(map)) = (old_outputs, inner.as_object_mut()) {
        let output = json!([last, 0, 0]);
        let flat = outputs.get(0).is_some_and(Value::is_string);
        let outputs = if flat { output } else { json!([output]) };
        map.insert("output_layers".to_owned(), outputs);
    }
    Ok(config)
}

fn name_of(layer: &Value) -> Option<&str> {
    let inner = layer.pointer("/config/name");
    inner.or_else(|| layer.get("name")).and_then(Value::as_str)
}

/// How the file's version of Keras writes layers.
#[derive(Clone, Copy)]
struct Style {
    /// Calls are objects.
    keras3: bool,
    /// Layers name the module of their class.
    modules: bool,
}

impl Style {
    fn of(layers: &[Value]) -> Self {
        let any = |pointer: &str, is: fn(&Value) -> bool| {
            layers.iter().any(|l| l.pointer(pointer).is_some_and(is))
        };
        Self {
            keras3: any("/inbound_nodes/0", Value::is_object)
                || any("/config/batch_shape", Value::is_array),
            modules: any("/module", Value::is_string),
        }
    }

    /// The tensor that a layer is called on, as written.
    fn input_of(self, layer: &Value) -> Option<Value> {
        let place = if self.keras3 {
            "/inbound_nodes/0/args/0"
        } else {
            "/inbound_nodes/0/0"
        };
        let mut input = layer.pointer(place)?.clone();
        // What the old head was told beside its input is not for the new one.
        if let Some(items) = input.as_array_mut() {
            items.truncate(3);
        }
        Some(input)
    }

    /// A reference to the model's output, where nothing was called on it.
    fn reference_to(self, outputs: &Value, layers: &[Value]) -> Option<Value> {
        let first = outputs.get(0)?;
        let output = if first.is_string() { outputs } else { first };
        let name = output.get(0)?.as_str()?;
        if !self.keras3 {
            return Some(output.clone());
        }
        // Beside calls, a nested model counts from 0.
        let layer = layers.iter().find(|l| name_of(l) == Some(name))?;
        let nested = layer.pointer("/config/layers").is_some();
        let node = if nested {
            json!(0)
        } else {
            output.get(1)?.clone()
        };
        Some(tensor(&json!([name, node, 0])))
    }

    fn after(self, name: &str) -> Value {
        let history = json!([name, 0, 0]);
        if self.keras3 {
            tensor(&history)
        } else {
            history
        }
    }

    fn call(self, input: &Value) -> Value {
        if self.keras3 {
            return json!([{"args": [input], "kwargs": {}}]);
        }
        let mut input = input.clone();
        if let Some(items) = input.as_array_mut() {
            items.push(json!({}));
        }
        json!([[input]])
    }

    fn layer(self, layer: &Layer) -> Result<Value, SaveError> {
        let mut config = Map::new();
        config.insert("name".into(), json!(layer.name));
        config.insert("trainable".into(), json!(true));
        config.insert("dtype".into(), json!("float32"));
        let class = match &layer.kind {
            LayerKind::GlobalPool2d(GlobalPool2d { keep_dims, .. }) => {
                config.insert("data_format".into(), json!("channels_last"));
                config.insert("keepdims".into(), json!(keep_dims));
                "GlobalAveragePooling2D"
            }
            LayerKind::Noise(Noise::Dropout { rate, .. }) => {
                config.insert("rate".into(), json!(rate));
                config.insert("noise_shape".into(), Value::Null);
                config.insert("seed".into(), Value::Null);
                "Dropout"
            }
            LayerKind::Dense(Dense { activation }) => {
                let units = layer
                    .shape("bias")
                    .map_or(0, |shape| shape.iter().product());
                let activation = match activation {
                    Activation::Softmax => "softmax",
                    Activation::Sigmoid => "sigmoid",
                    _ => "linear",
                };
                config.insert("units".into(), json!(units));
                config.insert("activation".into(), json!(activation));
                config.insert("use_bias".into(), json!(true));
                "Dense"
            }
            _ => {
                let name = &layer.name;
                let why = format!("layer `{name}` does not belong in a head");
                return Err(SaveError::Content(why));
            }
        };
        let mut object = Map::new();
        if self.modules {
            object.insert("module".into(), json!("keras.layers"));
        }
        object.insert("class_name".into(), json!(class));
        object.insert("config".into(), Value::Object(config));
        if self.modules {
            object.insert("registered_name".into(), Value::Null);
        }
        object.insert("name".into(), json!(layer.name));
        Ok(Value::Object(object))
    }
}

/// A tensor as Keras 3 writes it: the shape is found again from the layers.
fn tensor(history: &Value) -> Value {
    json!({
        "class_name": "__keras_tensor__",
        "config": {"shape": [null], "dtype": "float32", "keras_history": history},
    })
}
