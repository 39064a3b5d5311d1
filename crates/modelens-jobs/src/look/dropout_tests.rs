use super::*;

#[test]
fn the_largest_units_come_first_and_equal_ones_in_order() {
    assert_eq!(largest(&[1.0, -5.0, 3.0, 3.0]), [1, 2, 3, 0]);
    let many: Vec<f32> = (0..100_u8).map(f32::from).collect();
    let found = largest(&many);
    assert_eq!(found.len(), LISTED);
    assert_eq!(found[..3], [99, 98, 97]);
    assert!(largest(&[]).is_empty());
}

#[test]
fn the_first_of_the_largest_wins() {
    assert_eq!(top(&[0.1, 0.6, 0.3]), 1);
    assert_eq!(top(&[0.5, 0.5]), 0, "the first of equal ones");
}

#[test]
fn the_formula_of_the_mean() {
    let units = [1.0_f32, -2.0];
    let dropout = Noise::Dropout {
        rate: 0.5,
        noise_shape: None,
    };
    let spread = Spread::of(&dropout, &units);
    // 1^2 + 2^2 times 0.5 / 0.5.
    assert!((spread.after(1) - 5.0).abs() < 1e-12);
    assert!((spread.after(100) - 0.05).abs() < 1e-12);
    let all = Spread::of(&dropout.with_strength(1.0), &units);
    assert!((all.after(1) - 5.0).abs() < 1e-12, "nothing is left");
    assert!((all.after(1024) - 5.0).abs() < 1e-12, "and stays so");
    let noise = Noise::GaussianNoise { stddev: 0.1 };
    assert!((Spread::of(&noise, &units).after(2) - 0.01).abs() < 1e-12);
    let alpha = Spread::of(&Noise::AlphaDropout { rate: 0.5 }, &units);
    assert!(alpha.bias > 0.0 && alpha.variance > 0.0, "{alpha:?}");
}
