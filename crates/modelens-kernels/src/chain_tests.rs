//! A chain gives the bits of its convolutions one by one.

use crate::affine_relu::{Affine, AffineRelu, add_to};
use crate::chain::{Link, forward};
use crate::convolution::{self, ConvShape};
use crate::depthwise;
use crate::window::{Padding, Steps, Window2d};

fn values(count: usize, seed: usize) -> Vec<f32> {
    let value = |i: usize| ((i * 7919 + seed * 104_729) % 1009) as f32 / 504.5 - 1.0;
    (0..count).map(value).collect()
}

fn epilogue(channels: usize, relu: Option<f32>) -> AffineRelu {
    AffineRelu {
        affine: Some(Affine {
            centre: values(channels, 1),
            scale: values(channels, 2),
            shift: values(channels, 3),
        }),
        relu,
    }
}

/// A convolution of `channels` channels of an image: size, stride, padding, and the channels of the output;
/// `None` for one filter a channel.
#[derive(Clone, Copy)]
struct Step {
    size: usize,
    stride: usize,
    padding: Padding,
    out: Option<usize>,
}

const fn step(size: usize, stride: usize, padding: Padding, out: Option<usize>) -> Step {
    Step {
        size,
        stride,
        padding,
        out,
    }
}

fn shapes(sides: [usize; 2], channels: usize, steps: &[Step]) -> Vec<ConvShape> {
    let (mut sides, mut channels) = (sides, channels);
    let mut shapes = Vec::new();
    for step in steps {
        let moves = Steps {
            strides: [step.stride; 2],
            dilation: [1; 2],
            padding: step.padding,
        };
        let window = Window2d::new(sides, [step.size; 2], moves).unwrap();
        let (depth, out, groups) = match step.out {
            Some(out) => (channels, out, 1),
            None => (1, channels, channels),
        };
        let shape = ConvShape::with_window(window, channels, [depth, out], groups).unwrap();
        shapes.push(shape);
        (sides, channels) = ([window.rows.output, window.cols.output], out);
    }
    shapes
}

fn one_by_one(x: &[f32], links: &[Link<'_>], images: usize) -> Vec<f32> {
    let mut x = x.to_vec();
    for Link {
        conv,
        kernel,
        epilogue,
    } in links
    {
        let mut y = vec![0.0; images * conv.window.outputs() * conv.out];
        let around = [&AffineRelu::default(), epilogue];
        if conv.is_depthwise() {
            depthwise::forward(&x, kernel, &mut y, conv.channels, conv.window, around);
        } else {
            convolution::forward(&x, kernel, &mut y, *conv, around);
        }
        x = y;
    }
    x
}

#[test]
fn a_chain_gives_the_bits_of_its_convolutions() {
    let wide = |out| step(1, 1, Padding::Same, Some(out));
    let each = |size, stride, padding| step(size, stride, padding, None);
    let chains: [&[Step]; 6] = [
        &[wide(40), each(3, 1, Padding::Same), wide(12)],
        &[wide(24), each(3, 2, Padding::Around(1)), wide(40)],
        &[
            step(3, 2, Padding::Same, Some(16)),
            each(5, 1, Padding::Same),
            wide(8),
        ],
        &[each(7, 1, Padding::Around(3)), wide(33)],
        &[
            each(3, 2, Padding::Valid),
            each(5, 2, Padding::Same),
            step(3, 1, Padding::Valid, Some(5)),
        ],
        &[wide(7)],
    ];
    for threads in [1, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        let pool = pool.build().unwrap();
        for (steps, (sides, images)) in chains.iter().flat_map(|chain| {
            [([19, 23], 1), ([40, 130], 1), ([13, 13], 7)].map(|size| (chain, size))
        }) {
            let channels = 8;
            let shapes = shapes(sides, channels, steps);
            let kernels: Vec<Vec<f32>> = shapes
                .iter()
                .map(|conv| values(conv.patch() * conv.out, 4))
                .collect();
            let links: Vec<Link<'_>> = shapes
                .iter()
                .zip(&kernels)
                .map(|(&conv, kernel)| Link {
                    conv,
                    kernel,
                    epilogue: epilogue(conv.out, Some(6.0)),
                })
                .collect();
            let x = values(images * sides[0] * sides[1] * channels, 5);
            let mut expected = one_by_one(&x, &links, images);
            let mut y = vec![f32::NAN; expected.len()];
            pool.install(|| forward(&x, &links, None, &mut y));
            assert_eq!(bits(&y), bits(&expected), "{shapes:?} {threads}");
            let residual = values(y.len(), 6);
            pool.install(|| forward(&x, &links, Some(&residual), &mut y));
            add_to(&mut expected, &residual);
            assert_eq!(bits(&y), bits(&expected), "{shapes:?} {threads}");
        }
    }
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

#[test]
fn a_map_and_a_relu_inside_a_depthwise_convolution_give_the_bits_of_those_after_it() {
    for (channels, side, stride) in [
        (1, 5, 1),
        (16, 4, 1),
        (37, 9, 1),
        (40, 9, 2),
        (19, 3, 3),
        (33, 1, 1),
    ] {
        let conv = shapes([side; 2], channels, &[step(3, stride, Padding::Same, None)])[0];
        let kernel = values(9 * channels, 4);
        let mut x = values(2 * side * side * channels, 5);
        x[channels / 2] = f32::NAN;
        x[side * side * channels] = f32::INFINITY;
        let around = epilogue(channels, Some(6.0));
        let forward = |epilogue: &AffineRelu| {
            let mut y = vec![0.0; 2 * conv.window.outputs() * channels];
            let around = [&AffineRelu::default(), epilogue];
            depthwise::forward(&x, &kernel, &mut y, channels, conv.window, around);
            y
        };
        let mut expected = forward(&AffineRelu::default());
        around.apply(&mut expected, channels);
        assert_eq!(
            bits(&forward(&around)),
            bits(&expected),
            "{channels} {side} {stride}"
        );
    }
}

#[test]
fn a_value_that_is_no_number_passes_through_relu() {
    let relu = AffineRelu {
        affine: None,
        relu: Some(6.0),
    };
    let mut y = vec![f32::NAN, -1.0, 7.0, -0.0, 3.0];
    y.resize(37, f32::NAN);
    relu.apply(&mut y, 37);
    assert!(y[0].is_nan() && y[5..].iter().all(|y| y.is_nan()));
    assert_eq!(bits(&y[1..5]), bits(&[0.0, 6.0, -0.0, 3.0]));
}
