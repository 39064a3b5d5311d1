//! Times the kernels on the shapes of MobileNetV2 at 160 x 160: `cargo bench --bench kernels`.

#![allow(missing_docs, reason = "a benchmark has no readers")]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use modelens::model::Semantics;
use modelens::model::layers::batch_norm::moments_of;
use modelens_kernels::affine_relu::AffineRelu;
use modelens_kernels::convolution::{self, ConvShape};
use modelens_kernels::window::{Padding, Steps, Window2d};
use modelens_kernels::{convolution_backward, depthwise, depthwise_backward};

const IMAGES: usize = 8;

fn steps(stride: usize) -> Steps {
    Steps {
        strides: [stride; 2],
        dilation: [1; 2],
        padding: Padding::Same,
    }
}

fn values(count: usize) -> Vec<f32> {
    (0..count).map(|i| (i % 17) as f32 * 0.1 - 0.8).collect()
}

fn depthwise_convolution(c: &mut Criterion) {
    let mut group = c.benchmark_group("depthwise 3x3");
    for (side, channels, stride) in [(80, 96, 2), (40, 144, 1), (10, 384, 1), (5, 960, 1)] {
        let Ok(window) = Window2d::new([side; 2], [3; 2], steps(stride)) else {
            continue;
        };
        let (inputs, outputs) = (window.inputs() * channels, window.outputs() * channels);
        let (x, kernel) = (values(IMAGES * inputs), values(9 * channels));
        let mut y = values(IMAGES * outputs);
        let name = format!("{side}x{side}x{channels} stride {stride}");
        group.throughput(Throughput::Elements((IMAGES * outputs * 9) as u64));
        group.bench_function(BenchmarkId::new("forward", &name), |b| {
            let nothing = AffineRelu::default();
            b.iter(|| {
                depthwise::forward(&x, &kernel, &mut y, channels, window, [&nothing, &nothing]);
            });
        });
        let mut dx = values(IMAGES * inputs);
        group.bench_function(BenchmarkId::new("input gradient", &name), |b| {
            b.iter(|| depthwise_backward::input_gradient(&y, &kernel, &mut dx, channels, window));
        });
        group.bench_function(BenchmarkId::new("kernel gradient", &name), |b| {
            b.iter(|| depthwise_backward::kernel_gradient(&x, &y, channels, window));
        });
    }
    group.finish();
}

fn pointwise_convolution(c: &mut Criterion) {
    let mut group = c.benchmark_group("1x1");
    for (side, channels, out) in [(80, 16, 96), (40, 144, 24), (10, 384, 64), (5, 960, 160)] {
        let dims = ([1, side, side, channels], [1, 1, channels, out]);
        let Ok(conv) = ConvShape::new(&dims.0, &dims.1, steps(1), 1) else {
            continue;
        };
        let pixels = IMAGES * side * side;
        let (x, kernel) = (values(pixels * channels), values(channels * out));
        let mut y = values(pixels * out);
        let name = format!("{side}x{side}x{channels} to {out}");
        group.throughput(Throughput::Elements((pixels * channels * out) as u64));
        group.bench_function(BenchmarkId::new("forward", &name), |b| {
            let nothing = AffineRelu::default();
            b.iter(|| convolution::forward(&x, &kernel, &mut y, conv, [&nothing, &nothing]));
        });
        group.bench_function(BenchmarkId::new("kernel gradient", &name), |b| {
            b.iter(|| convolution_backward::kernel_gradient(&x, &y, conv));
        });
    }
    group.finish();
}

fn batch_norm(c: &mut Criterion) {
    let (rows, channels) = (IMAGES * 6400, 96);
    let x = values(rows * channels);
    let mut group = c.benchmark_group("batch norm");
    group.throughput(Throughput::Elements((rows * channels) as u64));
    for semantics in Semantics::ALL {
        group.bench_function(BenchmarkId::new("moments", semantics.id()), |b| {
            b.iter(|| moments_of(&x, channels, 4, semantics));
        });
    }
    let mut y = x.clone();
    group.bench_function("relu6", |b| {
        let relu = AffineRelu {
            affine: None,
            relu: Some(6.0),
        };
        b.iter(|| relu.apply_all(&mut y, channels));
    });
    group.finish();
}

criterion_group!(
    kernels,
    depthwise_convolution,
    pointwise_convolution,
    batch_norm
);
criterion_main!(kernels);
