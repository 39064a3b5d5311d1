//! The settings of Keras' preprocessing layers.

use serde_json::Value;

use super::settings::Settings;
use crate::augment::{
    AugmentLayer, Factor, FillMode, FlipMode, Interpolation, RandomBrightness, RandomContrast,
    RandomCrop, RandomFlip, RandomRotation, RandomShear, RandomTranslation, RandomZoom, Resizing,
    Sampling, Transform,
};
use crate::formats::OpenError;
use crate::model::Semantics;

/// The layer of this class; `None` for a class that does not augment.
pub(super) fn parse(
    class: &str,
    settings: Settings,
    semantics: Semantics,
) -> Result<Option<AugmentLayer>, OpenError> {
    let transform = match class {
        "RandomFlip" => {
            let mode = match settings.text("mode")? {
                "" => Some(FlipMode::default()),
                name => FlipMode::from_name(name),
            };
            let mode =
                mode.ok_or_else(|| settings.refuse("its `mode` is not a known direction"))?;
            Transform::Flip(RandomFlip { mode })
        }
        "RandomRotation" => Transform::Rotation(RandomRotation {
            factor: required(settings, "factor")?,
            sampling: sampling(settings)?,
        }),
        "RandomZoom" => Transform::Zoom(RandomZoom {
            height_factor: required(settings, "height_factor")?,
            width_factor: factor(settings, "width_factor")?,
            sampling: sampling(settings)?,
        }),
        "RandomTranslation" => Transform::Translation(RandomTranslation {
            height_factor: required(settings, "height_factor")?,
            width_factor: required(settings, "width_factor")?,
            sampling: sampling(settings)?,
        }),
        "RandomShear" => Transform::Shear(RandomShear {
            x_factor: factor(settings, "x_factor")?.unwrap_or(Factor::Scalar(0.0)),
            y_factor: factor(settings, "y_factor")?.unwrap_or(Factor::Scalar(0.0)),
            sampling: sampling(settings)?,
        }),
        "RandomContrast" => Transform::Contrast(RandomContrast {
            factor: required(settings, "factor")?,
            value_range: value_range(settings)?,
        }),
        "RandomBrightness" => Transform::Brightness(RandomBrightness {
            factor: required(settings, "factor")?,
            value_range: value_range(settings)?,
        }),
        "RandomCrop" => Transform::Crop(RandomCrop {
            height: settings.count("height")?,
            width: settings.count("width")?,
        }),
        "Resizing" => Transform::Resizing(resizing(settings)?),
        _ => return Ok(None),
    };
    let seed = match (settings.get("seed"), semantics) {
        // Keras 3 may write a whole generator here; its state is not in the settings.
        (Some(Value::Object(map)), _) => map.get("config").and_then(|c| c.get("seed")?.as_u64()),
        (seed, _) => seed.and_then(Value::as_u64),
    };
    let layer = AugmentLayer { transform, seed };
    layer
        .validate()
        .map_err(|e| settings.refuse(e.to_string()))?;
    Ok(Some(layer))
}

/// One number or a pair.
fn factor(settings: Settings, key: &str) -> Result<Option<Factor>, OpenError> {
    if settings.get(key).is_none() {
        return Ok(None);
    }
    let is_list = settings.get(key).is_some_and(Value::is_array);
    match settings.numbers_or(key, 0.0)?.as_slice() {
        [f] if !is_list => Ok(Some(Factor::Scalar(*f))),
        [low, high] => Ok(Some(Factor::Pair(*low, *high))),
        _ => Err(settings.refuse(format!(
            "its setting `{key}` is neither a number nor a pair"
        ))),
    }
}

fn required(settings: Settings, key: &str) -> Result<Factor, OpenError> {
    factor(settings, key)?.ok_or_else(|| settings.refuse(format!("its setting `{key}` is missing")))
}

fn sampling(settings: Settings) -> Result<Sampling, OpenError> {
    let fill_mode = match settings.text("fill_mode")? {
        "" => Some(FillMode::default()),
        name => FillMode::from_name(name),
    };
    Ok(Sampling {
        fill_mode: fill_mode.ok_or_else(|| settings.refuse("its `fill_mode` is not supported"))?,
        interpolation: interpolation(settings)?,
        fill_value: settings.number_or("fill_value", 0.0)? as f32,
    })
}

fn interpolation(settings: Settings) -> Result<Interpolation, OpenError> {
    match settings.text("interpolation")? {
        "" => Ok(Interpolation::default()),
        name => Interpolation::from_name(name)
            .ok_or_else(|| settings.refuse(format!("its interpolation `{name}` is not supported"))),
    }
}

fn value_range(settings: Settings) -> Result<[f64; 2], OpenError> {
    if settings.get("value_range").is_none() {
        return Ok([0.0, 255.0]);
    }
    match settings.numbers_or("value_range", 0.0)?.as_slice() {
        [low, high] => Ok([*low, *high]),
        _ => Err(settings.refuse("its `value_range` is not a pair")),
    }
}

fn resizing(settings: Settings) -> Result<Resizing, OpenError> {
    for key in ["pad_to_aspect_ratio", "antialias"] {
        if settings.bool_or(key, false)? {
            return Err(settings.refuse(format!("`{key}` is not supported")));
        }
    }
    Ok(Resizing {
        height: settings.count("height")?,
        width: settings.count("width")?,
        interpolation: interpolation(settings)?,
        crop_to_aspect_ratio: settings.bool_or("crop_to_aspect_ratio", false)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rotation_of_both_frameworks() {
        let read = |value: Value| {
            let map = value.as_object().unwrap();
            parse(
                "RandomRotation",
                Settings { layer: "r", map },
                Semantics::Keras3,
            )
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
