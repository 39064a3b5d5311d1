//! Constructor arguments as Python text.

use super::parameters::{Factor, FillMode, Interpolation, Sampling};

/// A float as Python prints it: `0.2`, `1.0`.
pub(super) fn number(value: f64) -> String {
    format!("{value:?}")
}

/// `0.2` or `(-0.2, 0.3)`.
pub(super) fn factor(factor: Factor) -> String {
    match factor {
        Factor::Scalar(f) => number(f),
        Factor::Pair(a, b) => format!("({}, {})", number(a), number(b)),
    }
}

/// The arguments of an affine layer that differ from reflect, bilinear, 0.
pub(super) fn push_sampling(arguments: &mut Vec<String>, sampling: Sampling) {
    if sampling.fill_mode != FillMode::default() {
        arguments.push(format!("fill_mode=\"{}\"", sampling.fill_mode.name()));
    }
    push_interpolation(arguments, sampling.interpolation);
    if sampling.fill_value != 0.0 {
        arguments.push(format!("fill_value={:?}", sampling.fill_value));
    }
}

/// The argument unless it is bilinear.
pub(super) fn push_interpolation(arguments: &mut Vec<String>, interpolation: Interpolation) {
    if interpolation != Interpolation::default() {
        arguments.push(format!("interpolation=\"{}\"", interpolation.name()));
    }
}

/// The argument unless it is (0, 255).
pub(super) fn push_value_range(arguments: &mut Vec<String>, [low, high]: [f64; 2]) {
    if [low, high] != [0.0, 255.0] {
        arguments.push(format!("value_range=({low}, {high})"));
    }
}
