//! `ToImage` and `ToDtype`: from photos to tensors. `ToTensor` is read as both of them.

use serde::{Deserialize, Serialize};

use super::{Behaviour, Draw, Image, Named, Parameter, ParameterValue, PixelType};
use crate::augment::color::map_values;

/// Makes a tensor of a photo; the values stay what they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToImage {}

/// Changes the type of the values: with `scale`, 0 to 255 become 0 to 1, and back.
/// Source: torchvision 0.29 `v2/functional/_misc.py`, `to_dtype_image`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToDtype {
    pub dtype: DataType,
    pub scale: bool,
}

/// A type of values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum DataType {
    #[default]
    Float32,
    Uint8,
}

impl Named for DataType {
    const ALL: &'static [Self] = &[Self::Float32, Self::Uint8];

    fn name(self) -> &'static str {
        match self {
            Self::Float32 => "float32",
            Self::Uint8 => "uint8",
        }
    }

    fn literal(self) -> String {
        format!("torch.{}", self.name())
    }
}

impl Behaviour for ToImage {
    fn example(_: usize, _: usize) -> Self {
        Self::default()
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        Vec::new()
    }

    fn is_random(&self) -> bool {
        false
    }

    applies!(|_own, _draw, image, _pixels| image.clone());
}

impl Behaviour for ToDtype {
    fn example(_: usize, _: usize) -> Self {
        Self {
            dtype: DataType::Float32,
            scale: true,
        }
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        let dtype = ParameterValue::Choice(&mut self.dtype);
        let scale = ParameterValue::Flag(&mut self.scale);
        vec![
            Parameter::required("dtype", dtype),
            Parameter::keyword("scale", scale),
        ]
    }

    fn is_random(&self) -> bool {
        false
    }

    fn apply(&self, draw: &Draw, image: &Image) -> Image {
        self.apply_as(draw, image, PixelType::Uint8)
    }

    fn apply_as(&self, _: &Draw, image: &Image, pixels: PixelType) -> Image {
        // 256 less a thousandth, so that 1 becomes 255 and nothing becomes 256.
        const TO_BYTES: f32 = 255.999;
        map_values(
            image,
            #[inline(always)]
            |value: f32| match (pixels, self.dtype, self.scale) {
                (PixelType::Uint8, DataType::Float32, true) => value / 255.0,
                (PixelType::Float, DataType::Uint8, true) => (value * TO_BYTES).trunc(),
                (PixelType::Float, DataType::Uint8, false) => value.trunc(),
                (PixelType::Uint8, DataType::Float32, false)
                | (PixelType::Uint8, DataType::Uint8, _)
                | (PixelType::Float, DataType::Float32, _) => value,
            },
        )
    }

    fn pixel_type(&self, _: PixelType) -> PixelType {
        match self.dtype {
            DataType::Float32 => PixelType::Float,
            DataType::Uint8 => PixelType::Uint8,
        }
    }

    fn undo_range(&self, image: &mut Image, before: PixelType) {
        let factor = match (before, self.dtype, self.scale) {
            (PixelType::Uint8, DataType::Float32, true) => 255.0,
            (PixelType::Float, DataType::Uint8, true) => 1.0 / 255.0,
            (PixelType::Uint8 | PixelType::Float, DataType::Float32 | DataType::Uint8, _) => return,
        };
        image
            .pixels_hwc
            .iter_mut()
            .for_each(|value| *value *= factor);
    }

    fn value_range(&self, [low, high]: [f64; 2], _: usize) -> [f64; 2] {
        let is_bytes = high > 1.0;
        match (self.dtype, self.scale) {
            (DataType::Float32, true) if is_bytes => [low / 255.0, high / 255.0],
            (DataType::Uint8, true) if !is_bytes => [low * 255.0, high * 255.0],
            (DataType::Float32 | DataType::Uint8, _) => [low, high],
        }
    }
}
