//! Lets preprocessing layers, which are defined in [`crate::augment`], read their settings.

use serde_json::Value;

use crate::augment::{AugmentLayer, KerasConfig};
use crate::formats::OpenError;
use crate::formats::keras::settings::Settings;

impl KerasConfig for Settings<'_> {
    type Error = OpenError;

    fn refuse(&self, reason: String) -> OpenError {
        Settings::refuse(self, reason)
    }

    fn text(&self, key: &str) -> Result<&str, OpenError> {
        Settings::text(self, key)
    }

    fn flag(&self, key: &str) -> Result<Option<bool>, OpenError> {
        match self.get(key) {
            None => Ok(None),
            Some(_) => self.bool_or(key, false).map(Some),
        }
    }

    fn count(&self, key: &str) -> Result<usize, OpenError> {
        Settings::count(self, key)
    }

    fn number(&self, key: &str) -> Result<Option<f64>, OpenError> {
        Settings::number(self, key)
    }

    fn numbers(&self, key: &str) -> Result<Option<Vec<f64>>, OpenError> {
        match self.get(key) {
            None => Ok(None),
            Some(_) => self.numbers_or(key, 0.0).map(Some),
        }
    }

    fn is_list(&self, key: &str) -> bool {
        self.get(key).is_some_and(Value::is_array)
    }

    fn layers(&self, key: &str) -> Result<Vec<AugmentLayer>, OpenError> {
        let list = self.get(key).and_then(Value::as_array);
        let list = list.ok_or_else(|| Settings::refuse(self, format!("its `{key}` is no list")))?;
        let layer = |value: &Value| {
            let class = value
                .get("class_name")
                .and_then(Value::as_str)
                .unwrap_or_default();
            let map = value.get("config").and_then(Value::as_object);
            let layer = match map {
                Some(map) => AugmentLayer::from_keras(
                    class,
                    &Settings {
                        layer: self.layer,
                        map,
                    },
                )?,
                None => None,
            };
            layer.ok_or_else(|| {
                Settings::refuse(self, format!("it holds a layer of the class `{class}`"))
            })
        };
        list.iter().map(layer).collect()
    }

    /// Keras 3 may write a whole generator; its seed is in the generator's own settings.
    fn seed(&self) -> Option<u64> {
        match self.get("seed")? {
            Value::Object(map) => map.get("config")?.get("seed")?.as_u64(),
            seed => seed.as_u64(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::augment::{Factor, Transform};
    use serde_json::json;

    #[test]
    fn rotation_of_both_frameworks() {
        let read = |value: Value| {
            let map = value.as_object().unwrap();
            AugmentLayer::from_keras("RandomRotation", &Settings { layer: "r", map })
        };
        let keras2 = read(json!({"factor": 0.2, "fill_mode": "reflect", "seed": null}));
        let keras3 = read(json!({"factor": [-0.2, 0.2], "interpolation": "nearest"}));
        let factor = |layer: Result<Option<AugmentLayer>, OpenError>| match layer
            .unwrap()
            .unwrap()
            .transform
        {
            Transform::Rotation(rotation) => rotation.factor,
            _ => panic!("not a rotation"),
        };
        assert_eq!(factor(keras2), Factor::Scalar(0.2));
        assert_eq!(factor(keras3), Factor::Pair(-0.2, 0.2));
        assert!(read(json!({"factor": 7})).is_err());
    }
}
