//! `matmul` against f64, and bit for bit against itself.

use crate::affine_relu::{Affine, AffineRelu};
use crate::matmul::{matmul, plain, transposed};

fn values(count: usize, seed: usize) -> Vec<f32> {
    let value = |i: usize| ((i * 7919 + seed * 104_729) % 2003) as f32 / 1001.5 - 1.0;
    (0..count).map(value).collect()
}

fn swapped(values: &[f32], rows: usize, cols: usize) -> Vec<f32> {
    let at = |i: usize| values[(i % rows) * cols + i / rows];
    (0..rows * cols).map(at).collect()
}

/// The product in f64.
fn expected(a: &[f32], b: &[f32], [m, k, n]: [usize; 3]) -> Vec<f64> {
    let value = |i: usize| -> f64 {
        (0..k)
            .map(|j| f64::from(a[i / n * k + j]) * f64::from(b[j * n + i % n]))
            .sum()
    };
    (0..m * n).map(value).collect()
}

#[test]
fn matmul_is_right_for_any_size_and_layout() {
    let none = AffineRelu::default();
    for shape in [
        [1, 1, 1],
        [1, 300, 5],
        [2, 16, 96],
        [5, 24, 33],
        [17, 3, 40],
        [29, 257, 31],
        [13, 700, 16],
    ] {
        let [m, k, n] = shape;
        let (a, b) = (values(m * k, 1), values(k * n, 2));
        let (a_swapped, b_swapped) = (swapped(&a, m, k), swapped(&b, k, n));
        let expected = expected(&a, &b, shape);
        let start = values(m * n, 3);
        let mut first = vec![7.0; m * n];
        matmul(plain(&a), plain(&b), &mut first, shape, false, &none);
        for (y, e) in first.iter().zip(&expected) {
            assert!((f64::from(*y) - e).abs() < 1e-4, "{shape:?}: {y} for {e}");
        }
        for a in [plain(&a), transposed(&a_swapped)] {
            for b in [plain(&b), transposed(&b_swapped)] {
                let mut y = vec![7.0; m * n];
                matmul(a, b, &mut y, shape, false, &none);
                assert_eq!(y, first, "{shape:?}: the memory layout changes the result");
                let mut y = start.clone();
                matmul(a, b, &mut y, shape, true, &none);
                for ((y, e), start) in y.iter().zip(&expected).zip(&start) {
                    let e = e + f64::from(*start);
                    assert!((f64::from(*y) - e).abs() < 1e-4, "{shape:?}: {y} for {e}");
                }
            }
        }
        let epilogue = AffineRelu {
            affine: Some(Affine {
                centre: values(n, 4),
                scale: values(n, 5),
                shift: values(n, 6),
            }),
            relu: Some(0.5),
        };
        let mut y = vec![7.0; m * n];
        matmul(plain(&a), plain(&b), &mut y, shape, false, &epilogue);
        epilogue.apply(&mut first, n);
        assert_eq!(y, first, "{shape:?}");
    }
}

#[test]
fn a_row_or_column_does_not_depend_on_its_neighbours() {
    let (m, k, n) = (23, 300, 50);
    let (a, b) = (values(m * k, 1), values(k * n, 2));
    let mut whole = vec![0.0; m * n];
    let none = AffineRelu::default();
    matmul(plain(&a), plain(&b), &mut whole, [m, k, n], false, &none);
    for (row, expected) in a.chunks(k).zip(whole.chunks(n)) {
        let mut y = vec![0.0; n];
        matmul(plain(row), plain(&b), &mut y, [1, k, n], false, &none);
        assert_eq!(y, expected);
    }
    for c in 0..n {
        let column: Vec<f32> = b.chunks(n).map(|row| row[c]).collect();
        let mut y = vec![0.0; m];
        matmul(plain(&a), plain(&column), &mut y, [m, k, 1], false, &none);
        let expected: Vec<f32> = whole.chunks(n).map(|row| row[c]).collect();
        assert_eq!(y, expected);
    }
}

#[test]
fn an_empty_sum_is_zero() {
    let mut y = vec![3.0; 4];
    let none = AffineRelu::default();
    matmul(plain(&[]), plain(&[]), &mut y, [2, 0, 2], false, &none);
    assert_eq!(y, [0.0; 4]);
}
