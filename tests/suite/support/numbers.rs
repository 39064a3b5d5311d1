//! Comparing numbers.

use candle_core::Tensor;

/// All values in row order.
pub fn values(tensor: &Tensor) -> Vec<f32> {
    tensor
        .flatten_all()
        .and_then(|t| t.to_vec1())
        .expect("an f32 tensor")
}

/// The largest difference, relative to the largest expected value.
pub fn distance(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len(), "number of values");
    let largest = expected.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
    let pairs = found.iter().zip(expected);
    let difference = pairs.map(|(a, b)| (a - b).abs()).fold(0.0_f32, |m, d| {
        if d.is_nan() { f32::INFINITY } else { m.max(d) }
    });
    if difference == 0.0 {
        0.0
    } else {
        difference / largest.max(1e-6)
    }
}

/// Fails, naming `what`, if the values differ by more than 1e-4 of the largest one: f32 sums over
/// thousands of products depend on their order.
pub fn assert_close(found: &[f32], expected: &[f32], what: &str) {
    let distance = distance(found, expected);
    println!("{what}: {distance:e}");
    assert!(
        distance <= 1e-4,
        "{what}: {distance:e} of the largest value"
    );
}
