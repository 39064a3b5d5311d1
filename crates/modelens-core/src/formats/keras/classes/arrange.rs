//! Layers that move, cut or repeat values.

use serde_json::Value;

use super::{Read, plain};
use crate::formats::OpenError;
use crate::formats::keras::settings::Settings;
use crate::model::layers::{
    CenterCrop, Cropping2d, LayerKind, Permute, RepeatVector, Reshape, UpSampling2d, ZeroPadding2d,
};

pub fn reshape(settings: Settings<'_>) -> Read {
    let target = settings.get("target_shape").and_then(shape_of);
    let target = target.ok_or_else(|| settings.refuse("its shape is not understood"))?;
    plain(LayerKind::Reshape(Reshape { target }))
}

/// The axis lengths in a list. -1 becomes `None`: the length that the other axes leave.
pub(in crate::formats::keras) fn shape_of(value: &Value) -> Option<Vec<Option<usize>>> {
    let axis = |v: &Value| match v.as_i64() {
        Some(-1) => Some(None),
        Some(n) if n > 0 => usize::try_from(n).ok().map(Some),
        _ => None,
    };
    value.as_array()?.iter().map(axis).collect()
}

pub fn permute(settings: Settings<'_>) -> Read {
    let axes = settings.numbers_or("dims", 0.0)?;
    let order = inner_axes(settings, &axes)?;
    plain(LayerKind::Permute(Permute { order }))
}

/// Axes of one image from axes that count the batch axis as 0.
pub fn inner_axes(settings: Settings<'_>, axes: &[f64]) -> Result<Vec<usize>, OpenError> {
    let inner = |axis: &f64| (1.0..64.0).contains(axis).then(|| *axis as usize - 1);
    let inner: Option<Vec<usize>> = axes.iter().map(inner).collect();
    inner.ok_or_else(|| settings.refuse(format!("its axes {axes:?} are not supported")))
}

pub fn repeat_vector(settings: Settings<'_>) -> Read {
    let count = settings.count("n")?;
    plain(LayerKind::RepeatVector(RepeatVector { count }))
}

pub fn zero_padding(settings: Settings<'_>) -> Read {
    let pixels = settings.border("padding")?;
    plain(LayerKind::ZeroPadding2d(ZeroPadding2d { pixels }))
}

pub fn cropping(settings: Settings<'_>) -> Read {
    let pixels = settings.border("cropping")?;
    plain(LayerKind::Cropping2d(Cropping2d { pixels }))
}

pub fn center_crop(settings: Settings<'_>) -> Read {
    plain(LayerKind::CenterCrop(CenterCrop {
        height: settings.count("height")?,
        width: settings.count("width")?,
    }))
}

pub fn up_sampling(settings: Settings<'_>) -> Read {
    let bilinear = match settings.text("interpolation")? {
        "" | "nearest" => false,
        "bilinear" => true,
        other => {
            return Err(settings.refuse(format!("its interpolation `{other}` is not supported")));
        }
    };
    plain(LayerKind::UpSampling2d(UpSampling2d {
        size: settings.pair_or("size", [2, 2])?,
        bilinear,
    }))
}
