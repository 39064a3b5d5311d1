//! Gradients of the layer kinds that fewer networks have; see [`super::gradient_tests`].

use candle_core::Tensor;

use super::function::{Function, Reduce, Reduction, prelu};
use super::gradient_tests::check;
use super::normaliser::Normaliser;
use super::rearrange::Arrange;
use super::transposed::{TransposedConv2d, transposed_conv2d};
use super::{Weights, arrange, elementwise, pool};
use crate::model::graph::{
    Activation, Binary, Graph, Layer, LayerKind, Merge, Padding, Pooling, Weight,
};

/// A graph of one layer with these weights.
fn one(kind: LayerKind, weights: &[(&'static str, &Tensor)]) -> Graph {
    let weights = weights.iter().map(|&(name, tensor)| Weight {
        name,
        tensor: tensor.clone(),
        learnable: true,
    });
    Graph {
        layers: vec![Layer {
            name: "layer".to_owned(),
            class: String::new(),
            kind,
            parent: None,
            listed: true,
            trainable: true,
            recorded_training: None,
            weights: weights.collect(),
        }],
        ..Graph::default()
    }
}

#[test]
fn normalisations() {
    let layer = |axes| Normaliser::Layer {
        axes,
        epsilon: 1e-3,
    };
    let group = |groups| Normaliser::Group {
        groups,
        epsilon: 1e-3,
    };
    for (normaliser, scale) in [
        (layer(1), &[4][..]),
        (layer(3), &[3, 2, 4]),
        (group(Some(2)), &[4]),
        (group(None), &[4]),
    ] {
        let name = format!("{normaliser:?}");
        check(&name, &[&[2, 3, 2, 4], scale, scale], |i| {
            let weights = [("gamma", &i[1]), ("beta", &i[2])];
            let graph = one(LayerKind::Normaliser(normaliser), &weights);
            normaliser.forward(&i[0], Weights::new(&graph, 0, None))
        });
    }
    for (axes, scale) in [(1, &[4][..]), (3, &[3, 2, 4])] {
        check("root mean square", &[&[2, 3, 2, 4], scale], |i| {
            let normaliser = Normaliser::Rms {
                axes,
                epsilon: 1e-3,
            };
            let graph = one(LayerKind::Normaliser(normaliser), &[("scale", &i[1])]);
            normaliser.forward(&i[0], Weights::new(&graph, 0, None))
        });
    }
    check("unit", &[&[2, 3, 2, 4]], |i| {
        let graph = one(LayerKind::Normaliser(Normaliser::Unit), &[]);
        Normaliser::Unit.forward(&i[0], Weights::new(&graph, 0, None))
    });
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
        let settings = TransposedConv2d {
            strides,
            dilation: [dilation; 2],
            padding,
            output_padding,
            activation: Activation::Linear,
        };
        let kernel = [size[0], size[1], 2, 3];
        let name = format!("{settings:?}");
        check(&name, &[&[2, 3, 4, 3], &kernel], |i| {
            transposed_conv2d(&i[0], &i[1], &settings)
        });
    }
}

#[test]
fn functions_and_reductions() {
    for function in [
        Function::Abs,
        Function::Negative,
        Function::Square,
        Function::Power(2.0),
        Function::Clip(-0.6, 0.7),
        Function::SlopedSigmoid,
        Function::Mish,
        Function::LogSigmoid,
        Function::TanhShrink,
        Function::Squareplus,
        Function::LogSoftmax,
    ] {
        check(&format!("{function:?}"), &[&[2, 3, 4]], |i| {
            function.forward(&i[0])
        });
    }
    // Functions of positive numbers.
    for function in [
        Function::Sqrt,
        Function::Rsqrt,
        Function::Log,
        Function::Reciprocal,
    ] {
        check(&format!("{function:?}"), &[&[2, 3, 4]], |i| {
            let positive = elementwise::activate(&i[0], Activation::Softplus)?;
            function.forward(&(positive + 0.5)?)
        });
    }
    for by in [
        Reduction::Sum,
        Reduction::Mean,
        Reduction::Max,
        Reduction::Min,
    ] {
        for keep_dims in [true, false] {
            let axes = vec![-1, 1];
            let reduce = Reduce {
                by,
                axes,
                keep_dims,
            };
            check(&format!("{reduce:?}"), &[&[2, 3, 2, 4]], |i| {
                reduce.forward(&i[0])
            });
        }
    }
    check("prelu", &[&[2, 3, 2, 4], &[1, 1, 4]], |i| {
        prelu(&i[0], &i[1])
    });
    check("power", &[&[2, 3, 4]], |i| {
        let two = Tensor::new(&[2.0_f32], i[0].device())?;
        arrange::binary(&i[0], &two, Binary::Power)
    });
}

#[test]
fn what_moves_values() {
    for arrange in [
        Arrange::Reshape(vec![None, Some(2)]),
        Arrange::Permute(vec![2, 0, 1]),
        Arrange::Cropping2d([1, 0, 0, 2]),
        Arrange::CenterCrop([2, 1]),
        Arrange::UpSampling2d {
            size: [2, 3],
            bilinear: false,
        },
        Arrange::UpSampling2d {
            size: [3, 2],
            bilinear: true,
        },
        Arrange::ExpandDims(-1),
    ] {
        check(&format!("{arrange:?}"), &[&[2, 3, 4, 2]], |i| {
            arrange.forward(&i[0])
        });
    }
    for pooling in [Pooling::Max, Pooling::Average] {
        check("adaptive pooling", &[&[2, 3, 5, 2]], |i| {
            pool::adaptive_pool2d(&i[0], pooling, [2, 7])
        });
    }
    check("repeat", &[&[2, 3]], |i| Arrange::Repeat(4).forward(&i[0]));
    check("squeeze", &[&[2, 1, 3]], |i| {
        Arrange::Squeeze(1).forward(&i[0])
    });
    check("dot", &[&[3, 4], &[3, 4]], |i| {
        arrange::merge(i, Merge::Dot)
    });
}
