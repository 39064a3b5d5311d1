//! Pooling layers.

use super::convolution::padding;
use super::{Read, plain};
use crate::formats::keras::settings::Settings;
use crate::model::layers::{AdaptivePool2d, GlobalPool2d, LayerKind, Pool2d, Pooling};

/// Maximum number of regions of adaptive pooling along a side: far above any image, and far below
/// what overflows.
const MAX_REGIONS: usize = 1 << 16;

pub fn window(pooling: Pooling, settings: Settings<'_>) -> Read {
    let size = settings.pair_or("pool_size", [2, 2])?;
    let strides = settings.pair_or("strides", size)?;
    plain(LayerKind::Pool2d(Pool2d {
        pooling,
        size,
        strides,
        padding: padding(settings)?,
    }))
}

pub fn adaptive(pooling: Pooling, settings: Settings<'_>) -> Read {
    let output = settings.pair("output_size")?;
    if output.iter().any(|&regions| regions > MAX_REGIONS) {
        return Err(settings.refuse(format!("it makes {} by {} regions", output[0], output[1])));
    }
    plain(LayerKind::AdaptivePool2d(AdaptivePool2d {
        pooling,
        output,
    }))
}

pub fn global(pooling: Pooling, settings: Settings<'_>) -> Read {
    plain(LayerKind::GlobalPool2d(GlobalPool2d {
        pooling,
        keep_dims: settings.bool_or("keepdims", false)?,
    }))
}
