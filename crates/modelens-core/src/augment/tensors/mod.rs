//! The kernels of torchvision's `transforms.v2` for colours, on tensors:
//! `torchvision/transforms/v2/functional`.
//!
//! A tensor of type `uint8` holds whole numbers from 0 to 255, and every kernel cuts fractions off. A
//! tensor of type `float32` holds numbers from 0 to 1. An [`Image`](crate::dataset::Image) has no type, so
//! the kernels take a [`PixelType`]. Each number is computed in 32 bits and in PyTorch's order of operations,
//! because where fractions are cut off the last bit decides.

pub(super) mod blocks;
mod blur;
mod color;
mod hue;
mod jpeg;
mod levels;

use super::behaviour::PixelType;

pub(super) use blur::{add_noise, blur, sharpness};
pub(super) use color::{brightness, contrast, grayscale, permute, saturation};
pub(super) use hue::hue;
pub(super) use jpeg::jpeg;
pub(super) use levels::{auto_contrast, equalize, invert, posterize, solarize};

/// The value as it is stored: within the bounds, and without a fraction in `uint8`.
#[inline(always)]
fn stored(pixels: PixelType, x: f32) -> f32 {
    let x = at_most(at_least(x, 0.0), pixels.bound());
    match pixels {
        PixelType::Uint8 => floor(x),
        PixelType::Float => x,
    }
}

/// `a b + c`, rounded once, as PyTorch's vectors add a multiple of a tensor.
#[inline(always)]
pub(super) fn fused(a: f32, b: f32, c: f32) -> f32 {
    if cfg!(target_arch = "wasm32") {
        // Browsers have no such instruction. The product is exact in 64 bits.
        (f64::from(a) * f64::from(b) + f64::from(c)) as f32
    } else {
        a.mul_add(b, c)
    }
}

/// `max(x, low)`. A comparison is one instruction, and `f32::max` is not.
#[inline(always)]
pub(super) fn at_least(x: f32, low: f32) -> f32 {
    if x > low { x } else { low }
}

/// `min(x, high)`.
#[inline(always)]
pub(super) fn at_most(x: f32, high: f32) -> f32 {
    if x < high { x } else { high }
}

/// 2^23: a sum with it has no bits for a fraction.
const WHOLE: f32 = 8_388_608.0;

/// The nearest whole number of a number within [0, 2^22], the even one of two. `f32::round_ties_even` is a
/// function call where the processor has no instruction for it.
#[inline(always)]
fn round(x: f32) -> f32 {
    (x + WHOLE) - WHOLE
}

/// The largest whole number up to x, within [0, 2^22].
#[inline(always)]
fn floor(x: f32) -> f32 {
    let near = round(x);
    if near > x { near - 1.0 } else { near }
}

/// 1.5 times 2^23: a sum with it has no bits for a fraction, whatever the sign of the other number.
const SIGNED: f32 = 12_582_912.0;

/// The nearest whole number of a number within [-2^22, 2^22], the even one of two.
#[inline(always)]
pub(super) fn round_signed(x: f32) -> f32 {
    (x + SIGNED) - SIGNED
}

/// A whole number within [-2^22, 2^22] as an integer; of any other number, any integer. A conversion with `as`, which
/// has an answer for every number, is not vectorised.
#[inline(always)]
pub(super) fn integer(whole: f32) -> i32 {
    let bits = (whole + SIGNED).to_bits().wrapping_sub(SIGNED.to_bits());
    bits.cast_signed()
}
