//! EfficientNet-Lite0: inverted residuals without squeeze-and-excite, ReLU6, drop-connect.

use super::builder::{Builder, Convolution};
use super::choice::Told;
use super::families::{Family, listed};
use super::{Recognition, StateDict};
use crate::formats::OpenError;
use crate::model::graph::{Activation, LayerKind, Merge, Noise, Pooling};
use crate::model::layers::GlobalPool2d;
use crate::model::{NodeId, Preprocessing};

/// One row of the block table.
struct Stage {
    repeats: usize,
    kernel: usize,
    stride: usize,
    expand: usize,
    input: usize,
    output: usize,
}

/// Source: the block table of EfficientNet-Lite0.
const STAGES: [Stage; 7] = [
    Stage {
        repeats: 1,
        kernel: 3,
        stride: 1,
        expand: 1,
        input: 32,
        output: 16,
    },
    Stage {
        repeats: 2,
        kernel: 3,
        stride: 2,
        expand: 6,
        input: 16,
        output: 24,
    },
    Stage {
        repeats: 2,
        kernel: 5,
        stride: 2,
        expand: 6,
        input: 24,
        output: 40,
    },
    Stage {
        repeats: 3,
        kernel: 3,
        stride: 2,
        expand: 6,
        input: 40,
        output: 80,
    },
    Stage {
        repeats: 3,
        kernel: 5,
        stride: 1,
        expand: 6,
        input: 80,
        output: 112,
    },
    Stage {
        repeats: 4,
        kernel: 5,
        stride: 2,
        expand: 6,
        input: 112,
        output: 192,
    },
    Stage {
        repeats: 1,
        kernel: 3,
        stride: 1,
        expand: 6,
        input: 192,
        output: 320,
    },
];
const STEM: usize = 32;
const HEAD: usize = 1280;
/// In PyTorch's convention.
const MOMENTUM: f64 = 0.01;
const EPSILON: f64 = 1e-3;
/// Block `i` of `n` has a drop-connect rate of this times `i / n`.
const DROP_CONNECT: f64 = 0.2;
const DROPOUT: f64 = 0.2;
const SIZE: usize = 224;
const NAME: &str = "efficientnet_lite0";

pub static FAMILY: Family = Family {
    title: "an EfficientNet-Lite0",
    signature: &["_blocks.0._depthwise_conv.weight", "_conv_stem.weight"],
    renames: None,
    build,
};

/// Builds the network with the weights of the file.
fn build(state: &StateDict, told: &Told) -> Result<Recognition, OpenError> {
    told.no_options()?;
    told.check_name(NAME, &[NAME])?;
    let mut b = Builder::new(state, [Some(SIZE), Some(SIZE), Some(3)]);
    let stem = Convolution {
        input: 3,
        output: STEM,
        size: 3,
        stride: 2,
        depthwise: false,
    };
    let x = b.conv("_conv_stem", 0, stem)?;
    let x = b.batch_norm("_bn0", x, STEM, MOMENTUM, EPSILON)?;
    let mut x = b.plain(
        "_relu",
        "ReLU6",
        LayerKind::Activation(Activation::RELU6),
        &[x],
    );
    let blocks: usize = STAGES.iter().map(|s| s.repeats).sum();
    let mut index = 0;
    for stage in &STAGES {
        for repeat in 0..stage.repeats {
            let first = repeat == 0;
            let input = if first { stage.input } else { stage.output };
            let stride = if first { stage.stride } else { 1 };
            let rate = DROP_CONNECT * index as f64 / blocks as f64;
            x = block(
                &mut b,
                x,
                index,
                &Stage {
                    stride,
                    input,
                    ..*stage
                },
                rate,
            )?;
            index += 1;
        }
    }
    let last = STAGES[STAGES.len() - 1].output;
    let head = Convolution {
        input: last,
        output: HEAD,
        size: 1,
        stride: 1,
        depthwise: false,
    };
    let x = b.conv("_conv_head", x, head)?;
    let x = b.batch_norm("_bn1", x, HEAD, MOMENTUM, EPSILON)?;
    let x = b.plain(
        "_relu_head",
        "ReLU6",
        LayerKind::Activation(Activation::RELU6),
        &[x],
    );
    let pooling = LayerKind::GlobalPool2d(GlobalPool2d {
        pooling: Pooling::Average,
        keep_dims: false,
    });
    let x = b.plain("_avg_pooling", "AdaptiveAvgPool2d", pooling, &[x]);
    let dropout = LayerKind::Noise(Noise::Dropout {
        rate: DROPOUT,
        noise_shape: None,
    });
    let x = b.plain("_dropout", "Dropout", dropout, &[x]);
    let classes = state
        .get("_fc.bias")
        .map_or(0, candle_core::Tensor::elem_count);
    b.graph.output = b.linear("_fc", x, [HEAD, classes], None)?;
    let left: Vec<&str> = b.unused().collect();
    if !left.is_empty() {
        return Err(OpenError::OtherNetwork {
            like: FAMILY.title.to_owned(),
            but: format!(
                "{} of its tensors have no place in one: {}",
                left.len(),
                listed(&left)
            ),
        });
    }
    NAME.clone_into(&mut b.graph.name);
    Ok(Recognition {
        graph: b.graph,
        weights: b.weights,
        keys: b.keys,
        beside: Vec::new(),
        preprocessing: Preprocessing::Lite,
        warnings: Vec::new(),
        assumed: Vec::new(),
    })
}

/// `MBConv`: expand, depthwise, project, and the sum with the input if their shapes are equal.
fn block(
    b: &mut Builder<'_>,
    input: NodeId,
    index: usize,
    stage: &Stage,
    rate: f64,
) -> Result<NodeId, OpenError> {
    let name = |part: &str| format!("_blocks.{index}.{part}");
    let relu6 = LayerKind::Activation(Activation::RELU6);
    let relu = b.layer(&name("_relu"), "ReLU6", relu6, Vec::new());
    let inner = stage.input * stage.expand;
    let mut x = input;
    if stage.expand != 1 {
        let expand = Convolution {
            input: stage.input,
            output: inner,
            size: 1,
            stride: 1,
            depthwise: false,
        };
        x = b.conv(&name("_expand_conv"), x, expand)?;
        x = b.batch_norm(&name("_bn0"), x, inner, MOMENTUM, EPSILON)?;
        x = b.call(relu, &[x]);
    }
    let depthwise = Convolution {
        input: inner,
        output: inner,
        size: stage.kernel,
        stride: stage.stride,
        depthwise: true,
    };
    x = b.conv(&name("_depthwise_conv"), x, depthwise)?;
    x = b.batch_norm(&name("_bn1"), x, inner, MOMENTUM, EPSILON)?;
    x = b.call(relu, &[x]);
    let project = Convolution {
        input: inner,
        output: stage.output,
        size: 1,
        stride: 1,
        depthwise: false,
    };
    x = b.conv(&name("_project_conv"), x, project)?;
    x = b.batch_norm(&name("_bn2"), x, stage.output, MOMENTUM, EPSILON)?;
    if stage.stride != 1 || stage.input != stage.output {
        return Ok(x);
    }
    if rate > 0.0 {
        let noise = LayerKind::Noise(Noise::DropConnect { rate });
        x = b.plain(&name("_drop_connect"), "DropConnect", noise, &[x]);
    }
    Ok(b.plain(
        &name("_add"),
        "Add",
        LayerKind::Merge(Merge::Add),
        &[x, input],
    ))
}
