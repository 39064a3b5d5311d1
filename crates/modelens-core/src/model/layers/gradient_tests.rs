//! Gradients of every layer kind against central differences, in f32. A step of 1e-3 on values around 1
//! leaves about 1e-3 of rounding and rarely crosses a corner, so errors up to 2e-2 of the largest gradient
//! are accepted.

use candle_core::{Result, Tensor, Var};

use super::batch_norm::{moments, normalise};
use super::{
    Activation, AdaptivePool2d, Attention, BatchNorm, Call, CenterCrop, ChannelShuffle, Conv2d,
    Cropping2d, Dense, DepthSpace, DepthwiseConv2d, ExpandDims, GetItem, GlobalPool2d, GroupNorm,
    InsertTokens, LayerKind, LayerNorm, Merge, NearestPixel, Operator, Padding, Permute, Pool2d,
    Pooling, Product, Reduce, Reduction, RepeatVector, Reshape, Resize2d, ResizePositions,
    ResizeTo, ResponseNorm, RmsNorm, Roll, ScaledSum, SeparableConv2d, Slice, Squeeze,
    TransposedConv2d, UpSampling2d, WeightMap, WeightOperator, Weights, WindowAttention,
    ZeroPadding2d,
};
use crate::random::Draws;
use crate::rules::{Semantics, Statistics};
use modelens_kernels::simd;
use modelens_kernels::slices::tensor;

/// Tests run their own program again with this variable.
const VARIABLE: &str = "MODELENS_SIMD";

#[test]
fn gradients_are_right_on_every_path() {
    let tests = std::env::current_exe().unwrap();
    for path in ["portable", "avx2"] {
        let done = std::process::Command::new(&tests)
            .args(["gradient_tests::", "--skip", "every_path"])
            .env(VARIABLE, path)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&done.stdout);
        assert!(done.status.success(), "{text}");
        assert!(!text.contains("running 0 tests"), "{text}");
    }
}

/// Normal draws. Every test begins with them, so they choose the kernels.
pub(super) fn draws(shape: &[usize], seed: u64) -> Tensor {
    simd::choose(&std::env::var(VARIABLE).unwrap_or_default());
    let mut draws = Draws::new(seed, &[]);
    let n = shape.iter().product();
    tensor((0..n).map(|_| draws.normal() as f32).collect(), shape).unwrap()
}

/// Runs a layer with these weights.
pub(super) fn forward(
    kind: &LayerKind,
    inputs: &[Tensor],
    weights: &[(&'static str, Tensor)],
    statistics: Statistics,
) -> Result<Tensor> {
    let own = weights.iter().cloned();
    let own: WeightMap = own.map(|(name, tensor)| ((0, name), tensor)).collect();
    kind.op().forward(&Call {
        statistics,
        ..Call::inference(inputs, Weights::new(&own, 0, None), Semantics::PyTorch)
    })
}

/// Compares the gradient at every input of `f` with central differences of `sum(f(inputs) * weights)`.
fn check(name: &str, shapes: &[&[usize]], f: impl Fn(&[Tensor]) -> Result<Tensor>) {
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

/// Checks a layer: gradients at its inputs and its weights, which have these shapes.
fn check_layer(kind: &LayerKind, inputs: &[&[usize]], weights: &[(&'static str, &[usize])]) {
    let shapes: Vec<&[usize]> = inputs
        .iter()
        .copied()
        .chain(weights.iter().map(|&(_, shape)| shape))
        .collect();
    check(&format!("{kind:?}"), &shapes, |tensors| {
        let (inputs, tensors) = tensors.split_at(inputs.len());
        let names = weights.iter().map(|&(name, _)| name);
        let weights: Vec<_> = names.zip(tensors.iter().cloned()).collect();
        forward(kind, inputs, &weights, Statistics::Moving)
    });
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
    let x: &[&[usize]] = &[&[2, 6, 5, 4]];
    for (strides, dilation, padding, groups) in [
        ([1, 1], 1, Padding::Same, 1),
        ([2, 2], 1, Padding::Same, 1),
        ([2, 1], 1, Padding::Valid, 1),
        ([1, 1], 2, Padding::Same, 2),
    ] {
        let conv = settings(strides, dilation, padding, groups);
        let kind = LayerKind::Conv2d(conv.clone());
        let kernel: &[usize] = &[3, 3, 4 / groups, 6];
        check_layer(&kind, x, &[("kernel", kernel), ("bias", &[6])]);
        let kind = LayerKind::DepthwiseConv2d(DepthwiseConv2d(conv));
        let kernel: &[usize] = &[3, 3, 4, 2];
        check_layer(&kind, x, &[("depthwise_kernel", kernel), ("bias", &[8])]);
    }
    let conv = settings([1, 1], 1, Padding::Same, 1);
    let kind = LayerKind::Conv2d(conv.clone());
    check_layer(&kind, &[&[2, 3, 3, 4]], &[("kernel", &[1, 1, 4, 5])]);
    let kind = LayerKind::SeparableConv2d(SeparableConv2d(conv));
    let kernels: [(&str, &[usize]); 2] = [
        ("depthwise_kernel", &[3, 3, 4, 1]),
        ("pointwise_kernel", &[1, 1, 4, 3]),
    ];
    check_layer(&kind, &[&[2, 4, 3, 4]], &kernels);
    let kind = LayerKind::Dense(Dense {
        activation: Activation::Linear,
    });
    check_layer(&kind, &[&[5, 4]], &[("kernel", &[4, 3]), ("bias", &[3])]);
}

#[test]
fn transposed_convolutions() {
    for (strides, dilation, padding, output_padding, size) in [
        ([1, 1], 1, Padding::Same, None, [3, 3]),
        ([2, 2], 1, Padding::Same, None, [3, 2]),
        ([2, 3], 1, Padding::Valid, None, [2, 2]),
        ([2, 2], 1, Padding::Same, Some([1, 1]), [4, 3]),
        ([1, 1], 2, Padding::Same, None, [3, 2]),
    ] {
        let kind = LayerKind::TransposedConv2d(TransposedConv2d {
            strides,
            dilation: [dilation; 2],
            padding,
            output_padding,
            activation: Activation::Linear,
        });
        let kernel: &[usize] = &[size[0], size[1], 2, 3];
        check_layer(&kind, &[&[2, 3, 4, 3]], &[("kernel", kernel)]);
    }
}

#[test]
fn batch_norm_in_both_modes() {
    let shapes: [&[usize]; 3] = [&[3, 3, 2, 4], &[4], &[4]];
    let kind = LayerKind::BatchNorm(BatchNorm {
        momentum: 0.9,
        epsilon: 1e-3,
    });
    let fixed = moments(&draws(&[3, 3, 2, 4], 7), Semantics::PyTorch).unwrap();
    let [mean, variance] = fixed.clone().into_weights().unwrap();
    for statistics in [Statistics::Batch, Statistics::Moving] {
        check(&format!("{statistics:?} statistics"), &shapes, |i| {
            let affine = [("gamma", i[1].clone()), ("beta", i[2].clone())];
            let [gamma, beta] = affine;
            let weights = [gamma, beta, mean.clone(), variance.clone()];
            forward(&kind, &i[..1], &weights, statistics)
        });
    }
    check("without gamma and beta", &shapes[..1], |i| {
        normalise(&i[0], &fixed, None, None, 1e-3, false)
    });
}

#[test]
fn other_normalisations() {
    let x: &[&[usize]] = &[&[2, 3, 2, 4]];
    let epsilon = 1e-3;
    let layer = |axes| LayerKind::LayerNorm(LayerNorm { axes, epsilon });
    let group = |groups| LayerKind::GroupNorm(GroupNorm { groups, epsilon });
    for (kind, scale) in [
        (layer(1), &[4][..]),
        (layer(3), &[3, 2, 4]),
        (group(Some(2)), &[4]),
        (group(None), &[4]),
    ] {
        check_layer(&kind, x, &[("gamma", scale), ("beta", scale)]);
    }
    for (axes, scale) in [(1, &[4][..]), (3, &[3, 2, 4])] {
        let kind = LayerKind::RmsNorm(RmsNorm { axes, epsilon });
        check_layer(&kind, x, &[("scale", scale)]);
    }
    check_layer(&LayerKind::UnitNorm, x, &[]);
    check_layer(
        &LayerKind::ResponseNorm(ResponseNorm { epsilon: 1e-6 }),
        &[&[2, 2, 3, 4]],
        &[("gamma", &[4]), ("beta", &[4])],
    );
    check_layer(&LayerKind::LayerScale, x, &[("gamma", &[4])]);
    check_layer(&LayerKind::PRelu, x, &[("alpha", &[1, 1, 4])]);
}

#[test]
fn tokens_and_attention() {
    let tokens: &[&[usize]] = &[&[2, 5, 4]];
    for at in [0, 1, 5] {
        let kind = LayerKind::InsertTokens(InsertTokens { at });
        check_layer(&kind, tokens, &[("tokens", &[2, 4])]);
        check_layer(&kind, &[&[2, 5, 3, 2]], &[("tokens", &[1, 3, 2])]);
    }
    check_layer(
        &LayerKind::PositionEmbedding,
        tokens,
        &[("embedding", &[5, 4])],
    );
    for heads in [1, 2] {
        let kind = LayerKind::Attention(Attention { heads });
        check_layer(&kind, &[&[2, 3, 12]], &[]);
    }
    for shift in [0, 1] {
        let kind = LayerKind::WindowAttention(WindowAttention {
            heads: 2,
            window: 2,
            shift,
        });
        let bias: &[usize] = &[9, 2];
        check_layer(&kind, &[&[2, 4, 2, 12]], &[("position_bias", bias)]);
    }
    let kind = LayerKind::ChannelShuffle(ChannelShuffle { groups: 2 });
    check_layer(&kind, &[&[2, 2, 3, 6]], &[]);
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
        Activation::HardSigmoidKeras2,
        Activation::Silu,
        Activation::HardSilu,
        Activation::Softmax,
        Activation::LogSoftmax,
        Activation::Erf,
        Activation::Softplus,
        Activation::Softsign,
        Activation::Tanh,
        Activation::TanhShrink,
        Activation::Exponential,
        Activation::Abs,
        Activation::Negative,
        Activation::Square,
        Activation::Power(2.0),
        Activation::Clip(-0.6, 0.7),
        Activation::Mish,
        Activation::LogSigmoid,
        Activation::Squareplus,
    ] {
        check_layer(&LayerKind::Activation(activation), &[&[3, 4]], &[]);
    }
    // Defined for positive numbers only.
    for activation in [
        Activation::Sqrt,
        Activation::Rsqrt,
        Activation::Log,
        Activation::Reciprocal,
    ] {
        check(&format!("{activation:?}"), &[&[2, 3, 4]], |i| {
            let positive = super::activate(&i[0], Activation::Softplus)?;
            super::activate(&(positive + 0.5)?, activation)
        });
    }
}

#[test]
fn pooling_and_reductions() {
    for pooling in [Pooling::Max, Pooling::Average] {
        for padding in [Padding::Valid, Padding::Same] {
            let kind = LayerKind::Pool2d(Pool2d {
                pooling,
                size: [3, 2],
                strides: [2, 1],
                padding,
            });
            check_layer(&kind, &[&[2, 5, 4, 3]], &[]);
        }
        for keep_dims in [true, false] {
            let kind = LayerKind::GlobalPool2d(GlobalPool2d { pooling, keep_dims });
            check_layer(&kind, &[&[2, 3, 4, 3]], &[]);
        }
        let output = [2, 7];
        let kind = LayerKind::AdaptivePool2d(AdaptivePool2d { pooling, output });
        check_layer(&kind, &[&[2, 3, 5, 2]], &[]);
    }
    for by in [
        Reduction::Sum,
        Reduction::Mean,
        Reduction::Max,
        Reduction::Min,
    ] {
        for keep_dims in [true, false] {
            let kind = LayerKind::Reduce(Reduce {
                by,
                axes: vec![-1, 1],
                keep_dims,
            });
            check_layer(&kind, &[&[2, 3, 2, 4]], &[]);
        }
    }
}

#[test]
fn moving_values() {
    let slices = vec![
        Slice::Ellipsis,
        Slice::Range {
            start: Some(1),
            stop: None,
            step: 2,
        },
        Slice::Index(0),
    ];
    let pixels = [1, 0, 0, 2];
    for kind in [
        LayerKind::Identity,
        LayerKind::Flatten,
        LayerKind::ZeroPadding2d(ZeroPadding2d { pixels }),
        LayerKind::Cropping2d(Cropping2d { pixels }),
        LayerKind::GetItem(GetItem { slices }),
        LayerKind::Reshape(Reshape {
            target: vec![None, Some(2)],
        }),
        LayerKind::Permute(Permute {
            order: vec![2, 0, 1],
        }),
        LayerKind::CenterCrop(CenterCrop {
            height: 2,
            width: 1,
        }),
        LayerKind::UpSampling2d(UpSampling2d {
            size: [2, 3],
            bilinear: false,
        }),
        LayerKind::UpSampling2d(UpSampling2d {
            size: [3, 2],
            bilinear: true,
        }),
        LayerKind::ExpandDims(ExpandDims { axis: -1 }),
        LayerKind::Resize2d(Resize2d {
            to: [ResizeTo::Length(5), ResizeTo::Scale(0.5)],
            positions: ResizePositions::HalfPixel,
            nearest: None,
        }),
        LayerKind::Resize2d(Resize2d {
            to: [ResizeTo::Scale(2.0), ResizeTo::Length(3)],
            positions: ResizePositions::Asymmetric,
            nearest: Some(NearestPixel::Floor),
        }),
    ] {
        check_layer(&kind, &[&[2, 3, 4, 2]], &[]);
    }
    for (to_depth, channels_first) in [(false, false), (false, true), (true, false), (true, true)] {
        let kind = LayerKind::DepthSpace(DepthSpace {
            block: 2,
            to_depth,
            channels_first,
        });
        check_layer(&kind, &[&[2, 2, 4, 8]], &[]);
    }
    let kind = LayerKind::RepeatVector(RepeatVector { count: 4 });
    check_layer(&kind, &[&[2, 3]], &[]);
    let kind = LayerKind::Squeeze(Squeeze { axis: 1 });
    check_layer(&kind, &[&[2, 1, 3]], &[]);
}

#[test]
fn joining_values() {
    for merge in [
        Merge::Add,
        Merge::Subtract,
        Merge::Multiply,
        Merge::Average,
        Merge::Maximum,
        Merge::Minimum,
        Merge::Concatenate(-1),
    ] {
        check_layer(&LayerKind::Merge(merge), &[&[2, 3, 2], &[2, 3, 2]], &[]);
    }
    check_layer(&LayerKind::Merge(Merge::Dot), &[&[3, 4], &[3, 4]], &[]);
    let kind = LayerKind::ScaledSum(ScaledSum { scale: 0.3 });
    check_layer(&kind, &[&[2, 3, 2], &[2, 3, 2]], &[]);
    for operator in [Operator::Add, Operator::Subtract, Operator::Multiply] {
        check_layer(&LayerKind::Operator(operator), &[&[2, 3, 2], &[1]], &[]);
    }
    let shapes: [&[usize]; 2] = [&[2, 3, 2, 4], &[2, 3, 4, 3]];
    check_layer(&LayerKind::Product(Product::Matrices), &shapes, &[]);
    let kind = LayerKind::Product(Product::Attention { scale: 0.6 });
    check_layer(&kind, &[&[2, 2, 3, 4], &[2, 2, 5, 4], &[2, 2, 5, 3]], &[]);
    for (operator, weight_first) in [(Operator::Multiply, false), (Operator::Subtract, true)] {
        let kind = LayerKind::WeightOperator(WeightOperator {
            operator,
            weight_first,
        });
        check_layer(&kind, &[&[2, 3, 4]], &[("operand", &[3, 1])]);
        // Value 3 of the operand is read twice, value 1 never: its gradient is 0.
        check("places", &[&[2, 2, 2], &[4]], |tensors| {
            let places = tensor(vec![3.0, 0.0, 2.0, 3.0], (2, 2))?;
            let weights = [("operand", tensors[1].clone()), ("places", places)];
            forward(&kind, &tensors[..1], &weights, Statistics::Moving)
        });
    }
    let shifts = vec![1, -2, 0];
    check_layer(&LayerKind::Roll(Roll { shifts }), &[&[2, 3, 4, 2]], &[]);
    check("power", &[&[2, 3, 4]], |i| {
        let inputs = [i[0].clone(), Tensor::new(&[2.0_f32], i[0].device())?];
        let kind = LayerKind::Operator(Operator::Power);
        forward(&kind, &inputs, &[], Statistics::Moving)
    });
}
