//! The networks of `keras.applications` as configurations, for files with weights alone.
//!
//! They are bundled as `architectures.zip`, which the script beside it makes.

use std::io::{Cursor, Read as _};
use std::sync::OnceLock;

use serde_json::{Value, json};
use zip::ZipArchive;

use crate::assets;
use crate::formats::OpenError;

/// The networks halve photos five times, so padding made for even sizes holds at multiples of this.
const STEP: u64 = 32;
/// Photo sizes that a person may ask for, in pixels a side.
const SIDES: std::ops::RangeInclusive<u64> = 32..=1024;

/// One network, with or without its classifier.
pub(super) struct Architecture {
    /// The function in `keras.applications`.
    pub name: &'static str,
    /// True with the classifier.
    pub top: bool,
    /// The configuration that a `.keras` file of it would hold.
    pub config: Value,
}

/// The names of all networks, by family.
pub fn names() -> &'static [String] {
    static NAMES: OnceLock<Vec<String>> = OnceLock::new();
    NAMES.get_or_init(|| {
        let Ok(archive) = ZipArchive::new(Cursor::new(assets::ARCHITECTURES)) else {
            return Vec::new();
        };
        let names = archive.file_names().filter_map(Result::ok);
        let name = |name: std::borrow::Cow<'_, str>| name.trim_end_matches(".json").to_owned();
        names.map(name).collect()
    })
}

/// The listed name that equals `name` but for the case of its letters.
pub(super) fn known(name: &str) -> Option<&'static str> {
    let mut names = names().iter();
    let found = names.find(|known| known.eq_ignore_ascii_case(name));
    found.map(String::as_str)
}

/// Both forms of a network, the one with its top first.
pub(super) fn both(name: &'static str) -> Result<[Architecture; 2], OpenError> {
    let broken = |e: &dyn std::fmt::Display| OpenError::Broken(format!("{name}: {e}"));
    let archive = ZipArchive::new(Cursor::new(assets::ARCHITECTURES));
    let mut archive = archive.map_err(|e| broken(&e))?;
    let mut file = archive
        .by_name(&format!("{name}.json"))
        .map_err(|e| broken(&e))?;
    let mut text = Vec::new();
    file.read_to_end(&mut text).map_err(|e| broken(&e))?;
    let mut entry: Value = serde_json::from_slice(&text).map_err(|e| broken(&e))?;
    let whole = entry["config"].take();
    let mut part = entry["base"].take();
    let base = match part["config"].take() {
        Value::Null => {
            let mut base = whole.clone();
            base["config"]["output_layers"] = json!([[part["output"], 0, 0]]);
            if let Some(layers) = base["config"]["layers"].as_array_mut() {
                truncate(layers, part["layers"].as_u64().unwrap_or(u64::MAX));
            }
            base
        }
        own => own,
    };
    let of = |top, config| Architecture { name, top, config };
    Ok([of(true, whole), of(false, base)])
}

/// Keeps the first `count` layers, and the operators among them, which Keras does not count.
fn truncate(layers: &mut Vec<Value>, count: u64) {
    let is_operator = |layer: &Value| {
        let module = layer["module"].as_str();
        module.is_some_and(|module| module.contains(".ops."))
    };
    let counted = layers.iter().enumerate().filter(|(_, l)| !is_operator(l));
    let mut ends = counted.map(|(i, _)| i);
    let end = usize::try_from(count).ok().and_then(|n| ends.nth(n));
    layers.truncate(end.unwrap_or(layers.len()));
}

impl Architecture {
    /// Photo size of the published network in pixels a side; `None` for photos of any size.
    pub fn side(&self) -> Option<u64> {
        self.config
            .pointer("/config/layers/0/config/batch_shape/1")?
            .as_u64()
    }

    /// Changes the size of the photos that the network takes.
    ///
    /// # Errors
    /// A size at which the network would need other padding; the error is a reason in words.
    pub fn resize(&mut self, side: u64) -> Result<(), String> {
        let published = self.side().unwrap_or_default();
        if side == published {
            return Ok(());
        }
        if !side.is_multiple_of(STEP) || !SIDES.contains(&side) {
            return Err(format!(
                "photos of {side} pixels a side: give {published}, or a multiple of {STEP} from {} to {}",
                SIDES.start(),
                SIDES.end(),
            ));
        }
        let layers = self.config.pointer_mut("/config/layers");
        for layer in layers.and_then(Value::as_array_mut).into_iter().flatten() {
            match layer["class_name"].as_str() {
                Some("InputLayer") => {
                    layer["config"]["batch_shape"] = json!([null, side, side, 3]);
                }
                // Padded on both sides where the published size is odd; here all sizes are even.
                Some("ZeroPadding2D") if self.name.starts_with("EfficientNetB") => {
                    let Some(pads) = layer.pointer_mut("/config/padding") else {
                        continue;
                    };
                    for pad in pads.as_array_mut().into_iter().flatten() {
                        if let Some(after) = pad[1].as_u64() {
                            *pad = json!([after.saturating_sub(1), after]);
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The object of the layer with this name, in the model or in one nested in it.
    pub fn layer(&mut self, name: &str) -> Option<&mut Value> {
        find(&mut self.config, name)
    }

    /// Lets reshaping layers take the number of channels from their input.
    pub fn open_shapes(&mut self) {
        let layers = self.config.pointer_mut("/config/layers");
        let layers = layers.and_then(Value::as_array_mut).into_iter().flatten();
        for layer in layers.filter(|l| l["class_name"] == "Reshape") {
            let shape = layer.pointer_mut("/config/target_shape");
            let shape = shape.and_then(Value::as_array_mut);
            if let Some(last) = shape.and_then(|shape| shape.last_mut()) {
                *last = json!(-1);
            }
        }
    }

    /// Renames the network, because its own name gives the published width.
    pub fn rename(&mut self) {
        self.config["config"]["name"] = json!(self.name.to_ascii_lowercase());
    }
}

/// Finds a layer by name. The bundled networks nest models at most once.
fn find<'a>(model: &'a mut Value, name: &str) -> Option<&'a mut Value> {
    let layers = model.pointer_mut("/config/layers")?.as_array_mut()?;
    for layer in layers {
        if layer.pointer("/config/name").is_some_and(|n| n == name) {
            return Some(layer);
        }
        if layer.pointer("/config/layers").is_some()
            && let Some(found) = find(layer, name)
        {
            return Some(found);
        }
    }
    None
}

/// Gives a layer the width of these weights; `None` if they belong to another kind of layer.
pub(super) fn widen(layer: &mut Value, shapes: &[&[usize]]) -> Option<()> {
    let class = layer["class_name"].as_str()?.to_owned();
    let rank = shapes.iter().map(|shape| shape.len()).max()?;
    let kernel = shapes.iter().find(|shape| shape.len() == rank)?;
    let settings = &mut layer["config"];
    let sized = |settings: &Value, size: [&usize; 2]| settings["kernel_size"] == json!(size);
    match (class.as_str(), *kernel) {
        ("Conv2D", [h, w, _, filters]) if sized(settings, [h, w]) => {
            settings["filters"] = json!(filters);
        }
        ("DepthwiseConv2D", [h, w, _, multiplier]) if sized(settings, [h, w]) => {
            settings["depth_multiplier"] = json!(multiplier);
        }
        ("SeparableConv2D", [..]) => {
            let pointwise = shapes.iter().rfind(|s| s.len() == 4 && s[..2] == [1, 1])?;
            settings["filters"] = json!(pointwise[3]);
        }
        ("Dense", [_, units]) => settings["units"] = json!(units),
        ("LayerScale", [channels]) => settings["projection_dim"] = json!(channels),
        ("BatchNormalization" | "LayerNormalization" | "Normalization", [_]) => {}
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bundled_network_is_complete() {
        assert!(names().len() >= 18, "{:?}", names());
        for name in ["MobileNetV2", "ResNet50", "VGG16", "EfficientNetB0"] {
            assert_eq!(known(&name.to_lowercase()), Some(name));
        }
        assert_eq!(known("nothing"), None);
        for name in names() {
            let [whole, base] = both(name).unwrap();
            let count = |a: &Architecture| a.config["config"]["layers"].as_array().unwrap().len();
            assert!(
                count(&whole) > count(&base) || name.starts_with("ConvNeXt"),
                "{name}"
            );
            // MobileNetV3 is published for photos of any size.
            let any = name.starts_with("MobileNetV3");
            assert_eq!(whole.side().is_none(), any, "{name}");
            assert!(whole.side().is_none_or(|side| side >= 224), "{name}");
            for mut form in [whole, base] {
                let graph =
                    super::super::tests::build(&form.config, crate::model::Semantics::Keras3);
                let graph = graph.unwrap_or_else(|e| panic!("{name}: {e}"));
                assert!(graph.nodes.len() > 15, "{name}");
                if !name.starts_with("VGG") {
                    form.resize(256).unwrap();
                    let graph =
                        super::super::tests::build(&form.config, crate::model::Semantics::Keras3);
                    assert_eq!(graph.unwrap().input_hwc, [Some(256), Some(256), Some(3)]);
                }
                assert!(form.resize(100).is_err());
            }
        }
    }
}
