//! Finds the shape of the outermost input, which files keep in several places.

use serde_json::Value;

use super::calls::{self, TensorRef};
use crate::formats::OpenError;

/// Models nested deeper than this are not searched.
const MAX_DEPTH: usize = 64;

/// Maximum photo size in pixels a side: every photo is resized to what the model takes.
const MAX_SIDE: usize = 4096;

/// The images that a model takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct InputImages {
    /// `[height, width, channels]`.
    pub hwc: [Option<usize>; 3],
    /// The model takes `[N, height, width]`: images of one channel without an axis for it.
    pub without_channels: bool,
}

/// The images that a model takes.
pub(super) fn of_model(config: &Value, name: &str) -> Result<InputImages, OpenError> {
    image_shape(input_shape(config, 0), name)
}

/// The shape written for the outermost input.
fn input_shape(model: &Value, depth: usize) -> Option<&Value> {
    let config = model.get("config")?;
    let layers = config.get("layers").unwrap_or(config);
    let written = |v: &'_ Value| !v.is_null();
    let shape = ["batch_shape", "batch_input_shape"]
        .iter()
        .find_map(|k| config.get(k));
    if let Some(shape) = shape.filter(|s| written(s)) {
        return Some(shape);
    }
    let list = layers.as_array()?;
    let input = config.get("input_layers").and_then(calls::endpoints);
    let first = match input.as_deref().and_then(<[TensorRef]>::first) {
        Some(input) => list.iter().find(|l| {
            let name = l.pointer("/config/name").or_else(|| l.get("name"));
            name.and_then(Value::as_str) == Some(input.layer)
        })?,
        None => list.first()?,
    };
    if depth < MAX_DEPTH
        && let Some(shape) = input_shape(first, depth + 1)
    {
        return Some(shape);
    }
    let shape = first.get("config")?;
    let shape = shape
        .get("batch_shape")
        .or_else(|| shape.get("batch_input_shape"));
    shape
        .filter(|s| written(s))
        .or_else(|| config.get("build_input_shape"))
}

/// `[null, height, width, channels]` without its batch axis.
fn image_shape(shape: Option<&Value>, model: &str) -> Result<InputImages, OpenError> {
    let refuse = |reason: String| OpenError::UnsupportedSetting {
        layer: model.to_owned(),
        reason,
    };
    let shape =
        shape.ok_or_else(|| refuse("the file does not give the shape of its input".into()))?;
    let axis = |v: &Value| match v.as_u64() {
        Some(n) if n > 0 => usize::try_from(n).ok().map(Some),
        None if v.is_null() => Some(None),
        _ => None,
    };
    let axes: Option<Vec<_>> = shape.as_array().and_then(|a| a.iter().map(axis).collect());
    let (hwc, without_channels) = match axes.as_deref() {
        Some(&[_, height, width, channels]) => ([height, width, channels], false),
        Some(&[_, height, width]) => ([height, width, Some(1)], true),
        Some(&[_, Some(length)]) => return Err(refuse(flat(length))),
        _ => {
            return Err(refuse(format!(
                "its input has the shape {shape}, which is not that of an image. Models of sequences, \
                 tables and videos cannot be shown here"
            )));
        }
    };
    let mut sides = hwc[..2].iter().flatten();
    if let Some(side) = sides.find(|&&n| n > MAX_SIDE) {
        return Err(OpenError::TooLarge(format!(
            "it takes photos of {side} pixels a side, the limit is {MAX_SIDE}"
        )));
    }
    Ok(InputImages {
        hwc,
        without_channels,
    })
}

/// Why a model of rows of numbers is refused, and what to do if they are the pixels of images.
fn flat(length: usize) -> String {
    let square = |channels: usize| {
        let side = (length / channels).isqrt();
        (side >= 8 && side * side * channels == length).then_some((side, channels))
    };
    let like = match square(1).or_else(|| square(3)) {
        Some((side, channels)) => format!(
            "If they are images of {side} x {side} pixels, save \
             keras.Sequential([keras.Input(({side}, {side}, {channels})), keras.layers.Flatten(), model])"
        ),
        None => "Models of tables cannot be shown here".to_owned(),
    };
    format!("it takes rows of {length} numbers, not images. {like}")
}
