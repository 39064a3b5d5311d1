//! Reads the regularizers and constraints of a layer.

use serde_json::Value;

use super::object::LayerObject;
use super::settings::{Settings, numbers};
use crate::formats::OpenError;
use crate::model::graph::Layer;
use crate::model::penalties::{ActivityRegularizer, Constraint, Regularizer};

/// The regularizers and constraints of one layer, by the names that Keras gives to its weights in settings.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct LayerPenalties {
    activity: Option<Regularizer>,
    regularizers: Vec<(String, Regularizer)>,
    constraints: Vec<(String, Constraint)>,
    /// Settings that are not understood, each with its class.
    unknown: Vec<(String, String)>,
}

impl LayerPenalties {
    /// Reads all settings `<weight>_regularizer` and `<weight>_constraint`.
    pub fn read(class: &str, settings: Settings<'_>) -> Result<Self, OpenError> {
        let mut found = Self::default();
        if class == "ActivityRegularization" {
            let [l1, l2] = [
                settings.number_or("l1", 0.0)?,
                settings.number_or("l2", 0.0)?,
            ];
            found.activity = Some(Regularizer::L1L2 { l1, l2 });
        }
        for (key, value) in settings.map.iter().filter(|(_, value)| !value.is_null()) {
            if let Some(weight) = key.strip_suffix("_regularizer") {
                match regularizer(value) {
                    Some(regularizer) if weight == "activity" => found.activity = Some(regularizer),
                    Some(regularizer) => {
                        found.regularizers.push((weight.to_owned(), regularizer));
                    }
                    None => found.unknown.push((key.clone(), class_of(value))),
                }
            } else if let Some(weight) = key.strip_suffix("_constraint") {
                match constraint(value) {
                    Some(constraint) => found.constraints.push((weight.to_owned(), constraint)),
                    None => found.unknown.push((key.clone(), class_of(value))),
                }
            }
        }
        Ok(found)
    }

    /// Adds them to the layer and its weights.
    pub fn add_to(&self, layer: &mut Layer) {
        layer.activity_regularizer = self.activity.map(ActivityRegularizer::new);
        for weight in &mut layer.weights {
            // Keras calls the regularizer of the weight `pointwise_kernel` `pointwise_regularizer`.
            let short = weight.name.strip_suffix("_kernel").unwrap_or(weight.name);
            let regularizers = self.regularizers.iter();
            let mut regularizers = regularizers.filter(|(name, _)| name == short);
            weight.regularizer = regularizers.next().map(|(_, found)| *found);
            let constraints = self.constraints.iter();
            let mut constraints = constraints.filter(|(name, _)| name == short);
            weight.constraint = constraints.next().map(|(_, found)| found.clone());
        }
    }

    /// A sentence for each setting that is not understood.
    pub fn warnings(&self, layer: &str) -> impl Iterator<Item = String> {
        self.unknown.iter().map(move |(key, class)| {
            format!(
                "layer `{layer}` has a {key} of an unknown class, `{class}`; training ignores it, so losses \
                 and steps differ from those of Keras"
            )
        })
    }
}

/// The class or the name of a serialised object.
fn class_of(value: &Value) -> String {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let class = || {
        let class = value.get("class_name").and_then(text)?;
        let name = value.get("registered_name").or_else(|| value.get("config"));
        Some(if class == "function" {
            name.and_then(text).unwrap_or(class)
        } else {
            class
        })
    };
    text(value).or_else(class).unwrap_or_default()
}

/// The class and the numbers of one of Keras' own objects, which may be written as a name.
struct Object<'a> {
    class: &'a str,
    config: &'a Value,
}

impl<'a> Object<'a> {
    fn of(value: &'a Value) -> Option<Self> {
        if let Some(class) = value.as_str() {
            let config = &Value::Null;
            return Some(Self { class, config });
        }
        let object = LayerObject::of(value).ok()?;
        let (class, config) = (object.class, object.config);
        (!object.is_custom()).then_some(Self { class, config })
    }

    /// A number among the settings; `None` if it is something else.
    fn number(&self, key: &str, default: f64) -> Option<f64> {
        match self.config.get(key) {
            None | Some(Value::Null) => Some(default),
            Some(value) => match numbers(value)?.as_slice() {
                [number] => Some(*number),
                _ => None,
            },
        }
    }

    fn axes(&self) -> Option<Vec<i64>> {
        match self.config.get("axis") {
            None | Some(Value::Null) => Some(vec![0]),
            Some(value) => Some(numbers(value)?.iter().map(|&axis| axis as i64).collect()),
        }
    }
}

fn regularizer(value: &Value) -> Option<Regularizer> {
    let object = Object::of(value)?;
    let l1l2 = |l1, l2| Some(Regularizer::L1L2 { l1, l2 });
    match object.class {
        "L1" | "l1" => l1l2(object.number("l1", 0.01)?, 0.0),
        "L2" | "l2" => l1l2(0.0, object.number("l2", 0.01)?),
        "L1L2" | "l1_l2" => l1l2(object.number("l1", 0.0)?, object.number("l2", 0.0)?),
        "OrthogonalRegularizer" | "orthogonal_regularizer" => Some(Regularizer::Orthogonal {
            factor: object.number("factor", 0.01)?,
            rows: match object.config.get("mode").and_then(Value::as_str) {
                None | Some("rows") => true,
                Some("columns") => false,
                Some(_) => return None,
            },
        }),
        _ => None,
    }
}

fn constraint(value: &Value) -> Option<Constraint> {
    let object = Object::of(value)?;
    match object.class {
        "NonNeg" | "non_neg" => Some(Constraint::NonNeg),
        "MaxNorm" | "max_norm" => Some(Constraint::MaxNorm {
            max: object.number("max_value", 2.0)?,
            axes: object.axes()?,
        }),
        "UnitNorm" | "unit_norm" => Some(Constraint::UnitNorm {
            axes: object.axes()?,
        }),
        "MinMaxNorm" | "min_max_norm" => Some(Constraint::MinMaxNorm {
            min: object.number("min_value", 0.0)?,
            max: object.number("max_value", 1.0)?,
            rate: object.number("rate", 1.0)?,
            axes: object.axes()?,
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_objects_and_unknown_classes() {
        let l2 = |l2| Some(Regularizer::L1L2 { l1: 0.0, l2 });
        assert_eq!(regularizer(&json!("l2")), l2(0.01));
        assert_eq!(
            regularizer(&json!({"class_name": "L2", "config": {"l2": 0.5}})),
            l2(0.5)
        );
        let custom = json!({"module": "lab", "class_name": "L2", "config": {"l2": 0.5},
            "registered_name": "lab>L2"});
        assert_eq!(regularizer(&custom), None);
        assert_eq!(class_of(&custom), "L2");
        let function =
            json!({"class_name": "function", "config": "mine", "registered_name": "mine"});
        assert_eq!(regularizer(&function), None);
        assert_eq!(class_of(&function), "mine");
        let max = json!({"class_name": "MaxNorm", "config": {"max_value": 3, "axis": [0, 1, 2]}});
        let axes = vec![0, 1, 2];
        assert_eq!(
            constraint(&max),
            Some(Constraint::MaxNorm { max: 3.0, axes })
        );
    }
}
