//! Shared and foreign values as plain data: `#[serde(with = "shared")]` writes what an [`Arc`] points
//! to, and `#[serde(with = "shared::RasterData")]` a [`Raster`].

use std::sync::Arc;

use egui_svg::png::Raster;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub fn serialize<T: Serialize, S: Serializer>(
    value: &Arc<T>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    T::serialize(value, serializer)
}

pub fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Arc<T>, D::Error> {
    T::deserialize(deserializer).map(Arc::new)
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Raster")]
pub struct RasterData {
    size: [usize; 2],
    rgba: Vec<[u8; 4]>,
}
