//! Gradients of every layer kind against central differences, in f32: a step of 1e-3 on values
//! around 1 leaves some 1e-3 of rounding and seldom crosses a corner, so 2e-2 of the largest gradient is allowed.

use candle_core::{Result, Tensor, Var};

use super::arrange::{binary, flatten, get_item, merge, zero_padding2d};
use super::kernel::tensor;
use super::norm::{moments, normalise};
use super::{conv, elementwise, pool};
use crate::model::Semantics;
use crate::model::graph::{Activation, Binary, Conv2d, Merge, Padding, Pool2d, Pooling, Slice};
use crate::random::Draws;

fn draws(shape: &[usize], seed: u64) -> Tensor {
    let mut draws = Draws::new(seed, &[]);
    let n = shape.iter().product();
    tensor((0..n).map(|_| draws.normal() as f32).collect(), shape).unwrap()
}

/// Compares the gradient at every input with central differences of `sum(f(inputs) * weights)`.
pub(super) fn check(name: &str, shapes: &[&[usize]], f: impl Fn(&[Tensor]) -> Result<Tensor>) {
    const STEP: f32 = 1e-3;
    let inputs: Vec<Tensor> = shapes
        .iter()
        .enumerate()
        .map(|(i, s)| draws(s, 40 + i as u64))
        .collect();
    let weights = draws(f(&inputs).unwrap().dims(), 99);
    let value = |inputs: &[Tensor]| {
        let y = f(inputs).unwrap();
        assert_eq!(y.dims(), weights.dims());
        y.mul(&weights)
            .unwrap()
            .flatten_all()
            .unwrap()
            .sum_all()
            .unwrap()
    };
    let vars: Vec<Var> = inputs
        .iter()
        .map(|t| Var::from_tensor(t).unwrap())
        .collect();
    let tracked: Vec<Tensor> = vars.iter().map(|v| v.as_tensor().clone()).collect();
    let gradients = value(&tracked).backward().unwrap();
    for (i, input) in inputs.iter().enumerate() {
        let found = gradients
            .get(&tracked[i])
            .unwrap_or_else(|| panic!("{name}: input {i}"));
        let found: Vec<f32> = found.flatten_all().unwrap().to_vec1().unwrap();
        let flat: Vec<f32> = input.flatten_all().unwrap().to_vec1().unwrap();
        let moved = |at: usize, by: f32| -> f64 {
            let mut flat = flat.clone();
            flat[at] += by;
            let mut inputs = inputs.clone();
            inputs[i] = tensor(flat, input.shape()).unwrap();
            // The sum is taken in f64: its rounding would drown the difference.
            let y: Vec<f32> = f(&inputs)
                .unwrap()
                .flatten_all()
                .unwrap()
                .to_vec1()
                .unwrap();
            let w: Vec<f32> = weights.flatten_all().unwrap().to_vec1().unwrap();
            y.iter().zip(w).map(|(y, w)| f64::from(y * w)).sum()
        };
        let largest = found.iter().fold(0.0_f32, |m, g| m.max(g.abs()));
        assert!(largest > 0.0, "{name}: input {i} has no gradient at all");
        for (at, &found) in found.iter().enumerate() {
            let difference = (moved(at, STEP) - moved(at, -STEP)) / f64::from(2.0 * STEP);
            let error = (f64::from(found) - difference).abs() / f64::from(largest);
            assert!(
                error < 2e-2,
                "{name}: input {i} at {at}: {found} but {difference}"
            );
        }
    }
}

fn settings(strides: [usize; 2], dilation: usize, padding: Padding, groups: usize) -> Conv2d {
    Conv2d {
        strides,
        dilation: [dilation; 2],
        padding,
        groups,
        activation: Activation::Linear,
    }
}

#[test]
fn convolutions() {
    for (strides, dilation, padding, groups) in [
        ([1, 1], 1, Padding::Same, 1),
        ([2, 2], 1, Padding::Same, 1),
        ([2, 1], 1, Padding::Valid, 1),
        ([1, 1], 2, Padding::Same, 2),
    ] {
        let s = settings(strides, dilation, padding, groups);
        let kernel = [3, 3, 4 / groups, 6];
        check("conv", &[&[2, 6, 5, 4], &kernel], |i| {
            conv::conv2d(&i[0], &i[1], &s)
        });
        check("depthwise", &[&[2, 6, 5, 4], &[3, 3, 4, 2]], |i| {
            conv::depthwise_conv2d(&i[0], &i[1], &s)
        });
    }
    let s = settings([1, 1], 1, Padding::Same, 1);
    check("pointwise", &[&[2, 3, 3, 4], &[1, 1, 4, 5]], |i| {
        conv::conv2d(&i[0], &i[1], &s)
    });
    check("dense", &[&[5, 4], &[4, 3]], |i| conv::dense(&i[0], &i[1]));
    check("bias", &[&[2, 3, 3, 4], &[4]], |i| {
        elementwise::add_bias(&i[0], &i[1])
    });
}

#[test]
fn batch_norm_in_both_modes() {
    let shapes: [&[usize]; 3] = [&[3, 3, 2, 4], &[4], &[4]];
    check("batch statistics", &shapes, |i| {
        let used = moments(&i[0], Semantics::PyTorch)?;
        normalise(&i[0], &used, Some(&i[1]), Some(&i[2]), 1e-3, true)
    });
    let fixed = moments(&draws(&[3, 3, 2, 4], 7), Semantics::PyTorch).unwrap();
    check("moving statistics", &shapes, |i| {
        normalise(&i[0], &fixed, Some(&i[1]), Some(&i[2]), 1e-3, false)
    });
}

#[test]
fn activations() {
    let relu = |max_value, negative_slope, threshold| Activation::Relu {
        max_value,
        negative_slope,
        threshold,
    };
    for activation in [
        Activation::RELU,
        Activation::RELU6,
        relu(Some(1.0), 0.2, 0.25),
        Activation::Elu { alpha: 0.7 },
        Activation::Selu,
        Activation::Gelu { approximate: true },
        Activation::Gelu { approximate: false },
        Activation::Sigmoid,
        Activation::HardSigmoid,
        Activation::Silu,
        Activation::HardSilu,
        Activation::Softmax,
        Activation::Softplus,
        Activation::Softsign,
        Activation::Tanh,
        Activation::Exponential,
    ] {
        check(&format!("{activation:?}"), &[&[3, 4]], |i| {
            elementwise::activate(&i[0], activation)
        });
    }
}

#[test]
fn poolings() {
    for pooling in [Pooling::Max, Pooling::Average] {
        for padding in [Padding::Valid, Padding::Same] {
            let settings = Pool2d {
                pooling,
                size: [3, 2],
                strides: [2, 1],
                padding,
            };
            check("pool", &[&[2, 5, 4, 3]], |i| pool::pool2d(&i[0], settings));
        }
        for keep_dims in [true, false] {
            check("global pool", &[&[2, 3, 4, 3]], |i| {
                pool::global_pool2d(&i[0], pooling, keep_dims)
            });
        }
    }
}

#[test]
fn what_moves_and_joins_values() {
    check("zero padding", &[&[2, 3, 3, 2]], |i| {
        zero_padding2d(&i[0], [1, 2, 0, 1])
    });
    check("flatten", &[&[2, 3, 3, 2]], |i| flatten(&i[0]));
    let slices = [
        Slice::Ellipsis,
        Slice::Range {
            start: Some(1),
            stop: None,
            step: 2,
        },
        Slice::Index(0),
    ];
    check("get item", &[&[2, 3, 4, 2]], |i| get_item(&i[0], &slices));
    for join in [
        Merge::Add,
        Merge::Subtract,
        Merge::Multiply,
        Merge::Average,
        Merge::Maximum,
        Merge::Minimum,
        Merge::Concatenate(-1),
    ] {
        check(&format!("{join:?}"), &[&[2, 3, 2], &[2, 3, 2]], |i| {
            merge(i, join)
        });
    }
    for operator in [Binary::Add, Binary::Subtract, Binary::Multiply] {
        check(&format!("{operator:?}"), &[&[2, 3, 2], &[1]], |i| {
            binary(&i[0], &i[1], operator)
        });
    }
}
