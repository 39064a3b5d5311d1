//! `Resize` and `Upsample`.

use super::build::Build;
use super::node::Op;
use super::value::Value;
use crate::formats::OpenError;
use crate::model::layers::{LayerKind, NearestPixel, Resize2d, ResizePositions, ResizeTo};

/// Pixels a side after resizing, at most.
const MAX_SIDE: usize = 1 << 14;

/// The layer of one of these nodes.
pub fn layer<'a>(build: &mut Build<'a>, op: &Op<'_, 'a>) -> Result<Value, OpenError> {
    let x = build.value(op, 0)?;
    let x = &build.image(op, x)?;
    let is_old = op.node.op == "Upsample" || op.opset < 11;
    let to = if is_old {
        let scales = match build.constant(op, 1)? {
            Some(scales) => numbers(op, &scales.floats()?)?,
            None => op.floats("scales")?,
        };
        by_scales(op, &scales, &[0, 1, 2, 3])?
    } else {
        let axes = op.ints("axes")?.unwrap_or_else(|| vec![0, 1, 2, 3]);
        let axes = axes.into_iter().map(|axis| op.axis(axis, 4));
        let axes = axes.collect::<Result<Vec<_>, _>>()?;
        let given = |at: usize| -> Result<_, OpenError> {
            let constant = build.constant(op, at)?;
            Ok(constant.filter(|c| c.dims().iter().product::<usize>() > 0))
        };
        match (given(2)?, given(3)?) {
            (_, Some(sizes)) => by_sizes(op, x, &sizes.sizes()?, &axes)?,
            (Some(scales), None) => by_scales(op, &numbers(op, &scales.floats()?)?, &axes)?,
            (None, None) => return Err(op.refuse("its sizes are missing")),
        }
    };
    if op.int("antialias", 0)? != 0 {
        return Err(op.refuse("its setting `antialias` is not supported"));
    }
    if !matches!(op.text("keep_aspect_ratio_policy"), "" | "stretch") {
        return Err(op.refuse("its setting `keep_aspect_ratio_policy` is not supported"));
    }
    let positions = match op.text("coordinate_transformation_mode") {
        _ if is_old => ResizePositions::Asymmetric,
        "" | "half_pixel" => ResizePositions::HalfPixel,
        "pytorch_half_pixel" => ResizePositions::PytorchHalfPixel,
        "half_pixel_symmetric" => ResizePositions::HalfPixelSymmetric,
        "asymmetric" => ResizePositions::Asymmetric,
        "align_corners" => ResizePositions::AlignCorners,
        other => return Err(op.refuse(format!("its positions `{other}` are not supported"))),
    };
    let nearest = match (op.text("mode"), op.text("nearest_mode")) {
        ("linear", _) => None,
        ("" | "nearest", _) if is_old => Some(NearestPixel::Simple),
        ("" | "nearest", "" | "round_prefer_floor") => Some(NearestPixel::RoundPreferFloor),
        ("" | "nearest", "round_prefer_ceil") => Some(NearestPixel::RoundPreferCeil),
        ("" | "nearest", "floor") => Some(NearestPixel::Floor),
        ("" | "nearest", "ceil") => Some(NearestPixel::Ceil),
        (mode, _) => return Err(op.refuse(format!("its mode `{mode}` is not supported"))),
    };
    let dims = vec![
        None,
        to[0].length(x.dims[1]),
        to[1].length(x.dims[2]),
        x.dims[3],
    ];
    if dims.iter().flatten().any(|&n| n == 0) || dims[1..3].iter().flatten().any(|&n| n > MAX_SIDE)
    {
        return Err(op.refuse("it makes an image of no size, or of too many pixels"));
    }
    let kind = LayerKind::Resize2d(Resize2d {
        to,
        positions,
        nearest,
    });
    let node = build.on(op, kind, Vec::new(), x);
    Ok(Value::image(node, dims))
}

fn numbers(op: &Op<'_, '_>, tensor: &candle_core::Tensor) -> Result<Vec<f32>, OpenError> {
    let list = tensor.flatten_all().and_then(|t| t.to_vec1::<f32>());
    list.map_err(|e| op.refuse(e))
}

/// Height and width from a list for these axes of `[N, C, H, W]`.
fn by_scales(op: &Op<'_, '_>, scales: &[f32], axes: &[usize]) -> Result<[ResizeTo; 2], OpenError> {
    let mut to = [ResizeTo::Scale(1.0); 2];
    if scales.len() != axes.len() {
        return Err(op.refuse("its scales do not fit its axes"));
    }
    for (&axis, &scale) in axes.iter().zip(scales) {
        if !(scale > 0.0 && scale <= MAX_SIDE as f32) {
            return Err(op.refuse(format!("its scale is {scale}")));
        }
        match axis {
            2 | 3 => to[axis - 2] = ResizeTo::Scale(scale),
            _ if scale == 1.0 => {}
            _ => return Err(op.refuse("it resizes another axis than height and width")),
        }
    }
    Ok(to)
}

fn by_sizes(
    op: &Op<'_, '_>,
    x: &Value,
    sizes: &[Option<i64>],
    axes: &[usize],
) -> Result<[ResizeTo; 2], OpenError> {
    let mut to = [ResizeTo::Scale(1.0); 2];
    if sizes.len() != axes.len() {
        return Err(op.refuse("its sizes do not fit its axes"));
    }
    for (&axis, &size) in axes.iter().zip(sizes) {
        let length = size.and_then(|n| usize::try_from(n).ok());
        match (axis, length) {
            (2 | 3, Some(n)) => to[axis - 2] = ResizeTo::Length(n),
            (0, _) => {}
            (1, Some(n)) if x.dims[3].is_none_or(|c| c == n) => {}
            _ => return Err(op.refuse("it resizes another axis than height and width")),
        }
    }
    Ok(to)
}
