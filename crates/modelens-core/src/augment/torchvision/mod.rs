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
//! shears.

mod conversion;
mod flip;
pub(super) mod grid;
pub(super) mod matrix;
mod normalize;
mod rotation;

use super::behaviour::{Behaviour, Drawn, PixelType};
use super::layers::{Draw, FlipDraw};
use super::parameter::{EndLimits, ListLimits, Parameter, ParameterValue};
use super::values::Named;
use crate::dataset::Image;
use crate::random::Draws;
use crate::rules::Semantics;

pub use conversion::{DataType, ToDtype, ToImage};
pub use flip::{RandomHorizontalFlip, RandomVerticalFlip};
pub use grid::GridInterpolation;
pub use normalize::Normalize;
pub use rotation::{RandomRotation, RotationDraw};

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
