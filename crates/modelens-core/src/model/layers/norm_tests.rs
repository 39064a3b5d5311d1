//! The normalisations against candle-nn's, which follow PyTorch.

use candle_core::{DType, Device, Tensor};
use candle_nn::{BatchNormConfig, GroupNorm as NnGroupNorm, Module, ModuleT, VarBuilder, VarMap};

use super::batch_norm::{moments, next_moving};
use super::gradient_tests::{draws, forward};
use super::{BatchNorm, GroupNorm, LayerKind, LayerNorm, RmsNorm};
use crate::model::Semantics;
use crate::model::layers::batch_norm::Moments;
use crate::rules::Statistics;

const EPSILON: f64 = 1e-3;

fn assert_close(ours: &Tensor, theirs: &Tensor) {
    assert_eq!(ours.dims(), theirs.dims());
    let vector = |x: &Tensor| x.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    for (a, b) in vector(ours).iter().zip(vector(theirs)) {
        assert!((a - b).abs() < 1e-5, "{a} instead of {b}");
    }
}

/// `[N, H, W, C]` as candle's `[N, C, H, W]`, and back.
fn channels_first(x: &Tensor) -> Tensor {
    x.permute((0, 3, 1, 2)).unwrap().contiguous().unwrap()
}

fn channels_last(x: &Tensor) -> Tensor {
    x.permute((0, 2, 3, 1)).unwrap().contiguous().unwrap()
}

#[test]
fn batch_norm_in_both_modes_and_its_moving_statistics() {
    let x = draws(&[3, 4, 2, 5], 1);
    let momentum = 0.9;
    let variables = VarMap::new();
    let builder = VarBuilder::from_varmap(&variables, DType::F32, &Device::Cpu);
    let config = BatchNormConfig {
        eps: EPSILON,
        // PyTorch's convention.
        momentum: 1.0 - momentum,
        ..BatchNormConfig::default()
    };
    let norm = candle_nn::batch_norm(5, config, builder).unwrap();
    let start = Moments {
        mean: vec![0.0; 5],
        variance: vec![1.0; 5],
    };
    let [mean, variance] = start.clone().into_weights().unwrap();
    let weights = [
        ("gamma", norm.weight_and_bias().unwrap().0.clone()),
        ("beta", norm.weight_and_bias().unwrap().1.clone()),
        mean,
        variance,
    ];
    let kind = LayerKind::BatchNorm(BatchNorm {
        momentum,
        epsilon: EPSILON,
    });
    // candle's call in inference first: its call in training changes the moving statistics in place.
    for statistics in [Statistics::Moving, Statistics::Batch] {
        let ours = forward(&kind, std::slice::from_ref(&x), &weights, statistics).unwrap();
        let is_training = statistics == Statistics::Batch;
        let theirs = norm.forward_t(&channels_first(&x), is_training).unwrap();
        assert_close(&ours, &channels_last(&theirs));
    }
    let batch = moments(&x, Semantics::PyTorch).unwrap();
    let next = next_moving(&start, &batch, momentum, 24, 4, Semantics::PyTorch);
    let [(_, mean), (_, variance)] = next.into_weights().unwrap();
    assert_close(&mean, norm.running_mean());
    assert_close(&variance, norm.running_var());
}

#[test]
fn layer_norm() {
    let (x, gamma, beta) = (draws(&[2, 3, 4], 1), draws(&[4], 2), draws(&[4], 3));
    let theirs = candle_nn::LayerNorm::new(gamma.clone(), beta.clone(), EPSILON);
    let kind = LayerKind::LayerNorm(LayerNorm {
        axes: 1,
        epsilon: EPSILON,
    });
    let weights = [("gamma", gamma), ("beta", beta)];
    let ours = forward(
        &kind,
        std::slice::from_ref(&x),
        &weights,
        Statistics::Moving,
    )
    .unwrap();
    assert_close(&ours, &theirs.forward(&x).unwrap());
}

#[test]
fn rms_norm() {
    let (x, scale) = (draws(&[2, 3, 4], 1), draws(&[4], 2));
    let theirs = candle_nn::RmsNorm::new(scale.clone(), EPSILON);
    let kind = LayerKind::RmsNorm(RmsNorm {
        axes: 1,
        epsilon: EPSILON,
    });
    let ours = forward(
        &kind,
        std::slice::from_ref(&x),
        &[("scale", scale)],
        Statistics::Moving,
    )
    .unwrap();
    assert_close(&ours, &theirs.forward(&x).unwrap());
}

#[test]
fn group_norm() {
    let (x, gamma, beta) = (draws(&[2, 3, 2, 6], 1), draws(&[6], 2), draws(&[6], 3));
    for groups in [1, 2, 6] {
        let theirs = NnGroupNorm::new(gamma.clone(), beta.clone(), 6, groups, EPSILON).unwrap();
        let kind = LayerKind::GroupNorm(GroupNorm {
            groups: Some(groups),
            epsilon: EPSILON,
        });
        let weights = [("gamma", gamma.clone()), ("beta", beta.clone())];
        let ours = forward(
            &kind,
            std::slice::from_ref(&x),
            &weights,
            Statistics::Moving,
        )
        .unwrap();
        let theirs = theirs.forward(&channels_first(&x)).unwrap();
        assert_close(&ours, &channels_last(&theirs));
    }
}
