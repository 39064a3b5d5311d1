//! Typed access to one layer's `config` object.

use serde_json::{Map, Value};

use crate::formats::OpenError;

/// What a side of a window, a stride or a dilation may be at most: far above what an image needs, and
/// little enough that products of two fit into their type.
const MAX_STEP: usize = 1 << 16;

/// The settings of one layer; errors name the layer and the key.
#[derive(Clone, Copy)]
pub(super) struct Settings<'a> {
    pub layer: &'a str,
    pub map: &'a Map<String, Value>,
}

impl<'a> Settings<'a> {
    /// A setting that cannot be honoured.
    pub fn refuse(&self, reason: impl Into<String>) -> OpenError {
        OpenError::UnsupportedSetting {
            layer: self.layer.to_owned(),
            reason: reason.into(),
        }
    }

    fn odd(&self, key: &str, value: &Value) -> OpenError {
        let mut shown = value.to_string();
        if shown.chars().count() > 80 {
            shown = shown.chars().take(80).collect::<String>() + "...";
        }
        self.refuse(format!(
            "its setting `{key}` is {shown}, which is not understood"
        ))
    }

    /// The value; `None` where it is absent or null.
    pub fn get(&self, key: &str) -> Option<&'a Value> {
        self.map.get(key).filter(|v| !v.is_null())
    }

    fn required(&self, key: &str) -> Result<&'a Value, OpenError> {
        self.get(key)
            .ok_or_else(|| self.refuse(format!("its setting `{key}` is missing")))
    }

    pub fn bool_or(&self, key: &str, default: bool) -> Result<bool, OpenError> {
        match self.get(key) {
            None => Ok(default),
            Some(v) => v.as_bool().ok_or_else(|| self.odd(key, v)),
        }
    }

    /// A string, empty where it is absent.
    pub fn text(&self, key: &str) -> Result<&'a str, OpenError> {
        match self.get(key) {
            None => Ok(""),
            Some(v) => v.as_str().ok_or_else(|| self.odd(key, v)),
        }
    }

    /// A number; a list of one number and a serialised NumPy scalar count as one.
    pub fn number(&self, key: &str) -> Result<Option<f64>, OpenError> {
        self.get(key)
            .map(|v| match numbers(v).as_deref() {
                Some([x]) => Ok(*x),
                _ => Err(self.odd(key, v)),
            })
            .transpose()
    }

    pub fn number_or(&self, key: &str, default: f64) -> Result<f64, OpenError> {
        Ok(self.number(key)?.unwrap_or(default))
    }

    /// One number or a list of them.
    pub fn numbers_or(&self, key: &str, default: f64) -> Result<Vec<f64>, OpenError> {
        match self.get(key) {
            None => Ok(vec![default]),
            Some(v) => numbers(v)
                .filter(|n| !n.is_empty())
                .ok_or_else(|| self.odd(key, v)),
        }
    }

    /// A whole number of at least 1.
    pub fn count(&self, key: &str) -> Result<usize, OpenError> {
        let value = self.required(key)?;
        count(value).ok_or_else(|| self.odd(key, value))
    }

    pub fn count_or(&self, key: &str, default: usize) -> Result<usize, OpenError> {
        match self.get(key) {
            None => Ok(default),
            Some(v) => count(v).ok_or_else(|| self.odd(key, v)),
        }
    }

    /// `[height, width]` in pixels, both from 1 to [`MAX_STEP`]; a single number is used for both.
    pub fn pair(&self, key: &str) -> Result<[usize; 2], OpenError> {
        let value = self.required(key)?;
        self.steps(key, value)
    }

    pub fn pair_or(&self, key: &str, default: [usize; 2]) -> Result<[usize; 2], OpenError> {
        match self.get(key) {
            None => Ok(default),
            Some(v) => self.steps(key, v),
        }
    }

    fn steps(&self, key: &str, value: &Value) -> Result<[usize; 2], OpenError> {
        let found = pair(value).ok_or_else(|| self.odd(key, value))?;
        if found.iter().any(|&n| n > MAX_STEP) {
            return Err(self.refuse(format!(
                "its setting `{key}` is {value}; the limit is {MAX_STEP} pixels"
            )));
        }
        Ok(found)
    }

    /// `[top, bottom, left, right]` from a number, a pair, or a pair of pairs.
    pub fn border(&self, key: &str) -> Result<[usize; 4], OpenError> {
        let whole = |v: &Value| v.as_u64().and_then(|n| usize::try_from(n).ok());
        let sides = |v: &Value| match v.as_array().map(Vec::as_slice) {
            None => whole(v).map(|n| [n, n]),
            Some([a, b]) => Some([whole(a)?, whole(b)?]),
            Some(_) => None,
        };
        let Some(value) = self.get(key) else {
            return Ok([1; 4]);
        };
        let found = match value.as_array().map(Vec::as_slice) {
            None => whole(value).map(|n| [n; 4]),
            Some([rows, columns]) => sides(rows)
                .zip(sides(columns))
                .map(|([t, b], [l, r])| [t, b, l, r]),
            Some(_) => None,
        };
        found.ok_or_else(|| self.odd(key, value))
    }

    /// Refuses layouts other than `[N, H, W, C]`.
    pub fn channels_last(&self) -> Result<(), OpenError> {
        match self.text("data_format")? {
            "" | "channels_last" => Ok(()),
            other => Err(self.refuse(format!(
                "its data format is {other}; only channels_last is supported"
            ))),
        }
    }
}

/// The numbers in a number, a list, or a serialised NumPy array or tensor.
pub(super) fn numbers(value: &Value) -> Option<Vec<f64>> {
    match value {
        Value::Number(n) => Some(vec![n.as_f64()?]),
        Value::Array(items) => items.iter().map(Value::as_f64).collect(),
        Value::Object(map) => {
            let class = map.get("class_name")?.as_str()?;
            let inner = map.get("config")?.get("value")?;
            // One level only: a constant inside a constant is not something Keras writes.
            (matches!(class, "__numpy__" | "__tensor__") && !inner.is_object())
                .then(|| numbers(inner))?
        }
        _ => None,
    }
}

/// Constants beside the tensors of an operator.
#[derive(Debug, PartialEq)]
pub(super) enum Constants {
    One(f64),
    /// Along the last axis; all other axes have length 1.
    Channels(Vec<f64>),
    /// Along other axes.
    Other,
}

/// Axes of a constant, at most.
const MAX_CONSTANT_AXES: usize = 8;

/// The constants in a number, in lists of numbers, or in a serialised NumPy array or tensor.
pub(super) fn constants(value: &Value) -> Option<Constants> {
    let mut value = match value {
        Value::Object(map) => {
            let class = map.get("class_name")?.as_str()?;
            if !matches!(class, "__numpy__" | "__tensor__") {
                return None;
            }
            map.get("config")?.get("value")?
        }
        other => other,
    };
    for _ in 0..MAX_CONSTANT_AXES {
        match value {
            Value::Number(n) => return Some(Constants::One(n.as_f64()?)),
            Value::Array(items) => match items.as_slice() {
                [one] => value = one,
                [] => return None,
                several if several.iter().all(Value::is_number) => {
                    let list = several.iter().map(Value::as_f64);
                    return list.collect::<Option<_>>().map(Constants::Channels);
                }
                several if several.iter().all(Value::is_array) => return Some(Constants::Other),
                _ => return None,
            },
            _ => return None,
        }
    }
    None
}

fn count(value: &Value) -> Option<usize> {
    let n = match value.as_array().map(Vec::as_slice) {
        None => value.as_u64()?,
        Some([one]) => one.as_u64()?,
        Some(_) => return None,
    };
    usize::try_from(n).ok().filter(|&n| n > 0)
}

fn pair(value: &Value) -> Option<[usize; 2]> {
    match value.as_array().map(Vec::as_slice) {
        Some([a, b]) => Some([count(a)?, count(b)?]),
        _ => count(value).map(|n| [n, n]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn borders_in_three_notations() {
        for (value, expected) in [
            (json!(2), [2, 2, 2, 2]),
            (json!([1, 2]), [1, 1, 2, 2]),
            (json!([[0, 1], [2, 3]]), [0, 1, 2, 3]),
        ] {
            let map = Map::from_iter([("padding".to_owned(), value)]);
            let settings = Settings {
                layer: "pad",
                map: &map,
            };
            assert_eq!(settings.border("padding").unwrap(), expected);
        }
    }

    #[test]
    fn numbers_in_numpy_clothes() {
        let scalar =
            json!({"class_name": "__numpy__", "config": {"value": 127.5, "dtype": "float32"}});
        assert_eq!(numbers(&scalar), Some(vec![127.5]));
        assert_eq!(numbers(&json!([1, 2.5])), Some(vec![1.0, 2.5]));
        assert_eq!(numbers(&json!("x")), None);
    }
}
