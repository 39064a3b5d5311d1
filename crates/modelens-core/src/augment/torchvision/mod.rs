//! torchvision's `transforms.v2`, one file for each transform or group of them.
//!
//! They take the same two steps as Keras' layers: a draw says what happens to an image, and applying does
//! it. The rules are those for tensors: an 8-bit image stays one, each kernel rounds or truncates as
//! torchvision's does, and after [`ToDtype`] the values are floats from 0 to 1. On photos of Pillow, before
//! `ToImage`, Pillow's own kernels round otherwise by 1 of 255.
//!
//! To add one: write its file, declare it here, and add a line to the table in [`super::layers`]; its id is
//! `v2.` and its class. The rules come from torchvision 0.29.
//!
//! What several of them need: [`grid`] reads between pixels with a fill value, [`matrix`] turns, moves and
//! shears, [`resample`] resizes, [`frame`] pads and crops.

/// Implements what [`Behaviour`] asks for about applying a draw with one body, for images of floats and of
/// bytes.
macro_rules! applies {
    (|$own:ident, $draw:ident, $image:ident, $pixels:ident| $body:expr) => {
        fn apply(&self, draw: &Draw, image: &Image) -> Image {
            self.apply_as(draw, image, PixelType::Uint8)
        }

        fn apply_as(&self, $draw: &Draw, $image: &Image, $pixels: PixelType) -> Image {
            let $own = self;
            $body
        }

        // A page does without, because its code must stay small.
        #[cfg(not(target_arch = "wasm32"))]
        fn apply_bytes(&self, $draw: &Draw, $image: &Image<u8>) -> Option<Image<u8>> {
            let $own = self;
            let $pixels = PixelType::Uint8;
            let done = |$image: &Image<u8>| -> Image<u8> { $body };
            Some(done($image))
        }
    };
}

mod affine;
mod boxes;
mod conversion;
mod crop;
mod elastic;
mod erasing;
mod flip;
mod frame;
pub(super) mod grid;
pub(super) mod matrix;
mod normalize;
mod perspective;
mod resample;
mod resize;
mod resized_crop;
mod rotation;
mod sizes;
mod zoom_out;

mod aug_mix;
mod auto_augment;
mod blur;
mod color;
mod jpeg;
mod levels;
mod mixing;
pub(super) mod nested;
mod operation;
mod policies;
mod space;

use super::behaviour::{Behaviour, Drawn, PixelType, TypeError};
use super::bytes::Value;
use super::layers::{Draw, FlipDraw};
use super::parameter::{EndLimits, ListLimits, Parameter, ParameterValue};
use super::values::Named;
use crate::dataset::Image;
use crate::random::Draws;
use crate::rules::Semantics;

use boxes::{BoxShape, RATIO, sides_of, square};

pub use affine::{AffineDraw, RandomAffine};
pub use boxes::BoxDraw;
pub use conversion::{DataType, ToDtype, ToImage};
pub use crop::{RandomCrop, V2CropDraw};
pub use elastic::{ElasticTransform, V2ElasticDraw};
pub use erasing::{RandomErasing, V2ErasingDraw};
pub use flip::{RandomHorizontalFlip, RandomVerticalFlip};
pub use frame::PaddingMode;
pub use grid::GridInterpolation;
pub use normalize::Normalize;
pub use perspective::{RandomPerspective, V2PerspectiveDraw};
pub use resample::ResizeInterpolation;
pub use resize::{CenterCrop, Pad, Resize};
pub use resized_crop::{RandomResizedCrop, ResizedCropDraw};
pub use rotation::{RandomRotation, RotationDraw};
pub use sizes::{RandomResize, RandomShortestSize, ScaleJitter, SizeDraw};
pub use zoom_out::{RandomZoomOut, ZoomOutDraw};

pub use aug_mix::{AugMix, MixtureDraw};
pub use auto_augment::{AutoAugment, Policy, RandAugment, TrivialAugmentWide};
pub use blur::{GaussianBlur, GaussianNoise};
pub use color::{ColorJitter, RandomChannelPermutation, RandomPhotometricDistort};
pub use jpeg::JPEG;
pub use levels::{
    RandomAdjustSharpness, RandomAutocontrast, RandomEqualize, RandomGrayscale, RandomInvert,
    RandomPosterize, RandomSolarize,
};
pub use mixing::{CutMix, MixUp};
pub use nested::{NestedDraw, RandomApply, RandomChoice, RandomOrder};
pub use operation::{OperationsDraw, Resampling, TensorOperation};

/// True with the probability `p`: a transform happens if a draw from [0, 1) is below `p`.
fn happens(p: f64, draws: &mut Draws) -> bool {
    draws.unit() < p
}

/// `v2.InterpolationMode.BILINEAR`.
fn interpolation_mode(name: &str) -> String {
    format!(
        "v2.InterpolationMode.{}",
        name.to_uppercase().replace('-', "_")
    )
}

/// The limits of a colour to fill with.
const FILL: ListLimits = ListLimits::of(&[1, 3], [-1e6, 1e6], [0.0, 255.0]);

/// `(-d, d)` for one number, or the pair.
fn ends(numbers: &[f64]) -> [f64; 2] {
    match *numbers {
        [one] => [-one, one],
        [low, high, ..] => [low, high],
        [] => [0.0; 2],
    }
}

/// A draw from U(low, high).
fn uniform([low, high]: [f64; 2], draws: &mut Draws) -> f64 {
    draws.uniform(low, high)
}

/// Two numbers, if there are two.
fn pair(numbers: &[f64]) -> Option<[f64; 2]> {
    numbers.try_into().ok()
}
