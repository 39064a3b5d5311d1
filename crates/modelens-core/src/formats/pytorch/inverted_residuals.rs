//! Networks of inverted residuals, as torchvision and timm name them: MobileNetV2, MobileNetV3,
//! EfficientNet-B0 and Lite0. Source: the modules of both libraries.

use super::net::{Net, Style, Value};
use super::{Recognition, StateDict};
use crate::formats::OpenError;
use crate::model::Preprocessing;
use crate::model::graph::Activation;

/// Architectures of timm that share names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    MobileNetV2,
    MobileNetV3,
    EfficientNet,
    EfficientNetLite,
}

/// The names of one block's modules.
struct Names {
    expand: Option<[String; 2]>,
    depthwise: [String; 2],
    squeeze: Option<[String; 2]>,
    project: [String; 2],
    /// The name of the whole block.
    block: String,
}

/// Strides of the first block of every stage.
const V2_STRIDES: [usize; 7] = [1, 2, 2, 2, 1, 2, 1];
/// MobileNetV2's first block of every stage.
const V2_FIRST: [usize; 7] = [1, 2, 4, 7, 11, 14, 17];
const V3_LARGE_STRIDES: [usize; 6] = [1, 2, 2, 2, 1, 2];
const V3_SMALL_STRIDES: [usize; 5] = [2, 2, 2, 1, 2];
/// Strides of every block, as torchvision numbers them, and the index of the first with `h-swish`.
const V3_LARGE: ([usize; 15], usize) = ([1, 2, 1, 2, 1, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1], 6);
const V3_SMALL: ([usize; 11], usize) = ([2, 2, 1, 2, 1, 1, 1, 1, 2, 1, 1], 3);

/// One inverted residual, with a sum if the shapes of input and output are equal.
fn block(
    net: &mut Net<'_>,
    x: Value,
    names: &Names,
    stride: usize,
    activation: Activation,
    [inner, gate]: [Activation; 2],
    rate: f64,
) -> Result<Value, OpenError> {
    let mut y = x;
    if let Some([conv, norm]) = &names.expand {
        y = net.unit([conv, norm], y, 1, activation)?;
    }
    let [conv, norm] = &names.depthwise;
    y = net.unit([conv, norm], y, stride, activation)?;
    if let Some([reduce, expand]) = &names.squeeze {
        y = net.squeeze([reduce, expand], y, inner, gate)?;
    }
    let [conv, norm] = &names.project;
    y = net.unit([conv, norm], y, 1, Activation::Linear)?;
    if stride != 1 || y.channels != x.channels {
        return Ok(y);
    }
    y = net.drop_connect(&format!("{}.stochastic_depth", names.block), y, rate);
    net.add(&format!("{}.add", names.block), y, x)
}

fn finished(
    mut net: Net<'_>,
    output: Value,
    preprocessing: Preprocessing,
    name: &str,
) -> Recognition {
    net.builder.graph.output = output.node;
    name.clone_into(&mut net.builder.graph.name);
    let warnings = net.builder.leftovers();
    Recognition {
        graph: net.builder.graph,
        weights: net.builder.weights,
        preprocessing,
        warnings,
    }
}

/// MobileNetV2, MobileNetV3 and EfficientNet as torchvision names them; `None` for other names.
pub fn torchvision(state: &StateDict) -> Option<Result<Recognition, OpenError>> {
    let has = |key: &str| state.contains_key(key);
    if !has("features.0.0.weight") || !has("features.0.1.running_mean") {
        return None;
    }
    if has("features.1.conv.0.0.weight") {
        return Some(torchvision_v2(state));
    }
    if has("features.1.block.0.0.weight") {
        return Some(torchvision_v3(state));
    }
    has("features.1.0.block.0.0.weight").then(|| torchvision_efficientnet(state))
}

fn pair(stem: &str) -> [String; 2] {
    [format!("{stem}.0"), format!("{stem}.1")]
}

fn torchvision_v2(state: &StateDict) -> Result<Recognition, OpenError> {
    let relu6 = Activation::RELU6;
    let (mut net, x) = Net::new(state, Style::PLAIN, None);
    let mut x = net.unit(["features.0.0", "features.0.1"], x, 2, relu6)?;
    for index in 1..=17 {
        let stem = format!("features.{index}.conv");
        let expanded = net.has(&format!("{stem}.3.weight"));
        let at = usize::from(expanded);
        let stage = V2_FIRST.iter().position(|&first| first == index);
        let names = Names {
            expand: expanded.then(|| pair(&format!("{stem}.0"))),
            depthwise: pair(&format!("{stem}.{at}")),
            squeeze: None,
            project: [at + 1, at + 2].map(|at| format!("{stem}.{at}")),
            block: format!("features.{index}"),
        };
        let stride = stage.map_or(1, |stage| V2_STRIDES[stage]);
        x = block(&mut net, x, &names, stride, relu6, [relu6; 2], 0.0)?;
    }
    let x = net.unit(["features.18.0", "features.18.1"], x, 1, relu6)?;
    let x = net.global_average("avgpool", x, false);
    let x = net.dropout("classifier.0", x, 0.2);
    let x = net.linear("classifier.1", x, None)?;
    Ok(finished(net, x, Preprocessing::ImageNet, "mobilenet_v2"))
}

fn torchvision_v3(state: &StateDict) -> Result<Recognition, OpenError> {
    let style = Style {
        epsilon: 1e-3,
        momentum: 0.01,
        ..Style::PLAIN
    };
    let (mut net, x) = Net::new(state, style, None);
    let large = net.has("features.16.0.weight");
    let (strides, swish): (&[usize], usize) = if large {
        (&V3_LARGE.0, V3_LARGE.1)
    } else {
        (&V3_SMALL.0, V3_SMALL.1)
    };
    let swishes = Activation::HardSilu;
    let mut x = net.unit(["features.0.0", "features.0.1"], x, 2, swishes)?;
    for (i, &stride) in strides.iter().enumerate() {
        let stem = format!("features.{}.block", i + 1);
        // Without expansion the depthwise kernel comes first.
        let depth = net.builder.shape(&format!("{stem}.0.0.weight"));
        let expanded = depth.is_some_and(|s| s.get(1) != Some(&1));
        let mut at = usize::from(expanded);
        let depthwise = pair(&format!("{stem}.{at}"));
        at += 1;
        let squeezed = net.has(&format!("{stem}.{at}.fc1.weight"));
        let squeeze = squeezed.then(|| ["fc1", "fc2"].map(|part| format!("{stem}.{at}.{part}")));
        at += usize::from(squeezed);
        let names = Names {
            expand: expanded.then(|| pair(&format!("{stem}.0"))),
            depthwise,
            squeeze,
            project: pair(&format!("{stem}.{at}")),
            block: format!("features.{}", i + 1),
        };
        let activation = if i < swish { Activation::RELU } else { swishes };
        let gates = [Activation::RELU, Activation::HardSigmoid];
        x = block(&mut net, x, &names, stride, activation, gates, 0.0)?;
    }
    let last = format!("features.{}", strides.len() + 1);
    let [conv, norm] = pair(&last);
    let x = net.unit([&conv, &norm], x, 1, swishes)?;
    let x = net.global_average("avgpool", x, false);
    let x = net.linear("classifier.0", x, None)?;
    let x = net.activation("classifier.1", x, swishes);
    let x = net.dropout("classifier.2", x, 0.2);
    let x = net.linear("classifier.3", x, None)?;
    let name = if large {
        "mobilenet_v3_large"
    } else {
        "mobilenet_v3_small"
    };
    Ok(finished(net, x, Preprocessing::ImageNet, name))
}

fn torchvision_efficientnet(state: &StateDict) -> Result<Recognition, OpenError> {
    let silu = Activation::Silu;
    let (mut net, x) = Net::new(state, Style::PLAIN, None);
    let mut x = net.unit(["features.0.0", "features.0.1"], x, 2, silu)?;
    let blocks = |net: &Net<'_>, stage: usize| {
        let has = |i: &usize| net.has(&format!("features.{stage}.{i}.block.0.0.weight"));
        (0..usize::from(u16::MAX)).take_while(has).count()
    };
    let total: usize = (1..=7).map(|stage| blocks(&net, stage)).sum();
    // Stochastic depth grows from 0 to 0.2 over the blocks.
    let mut index = 0;
    for (stage, &stride) in (1..).zip(&V2_STRIDES) {
        for i in 0..blocks(&net, stage) {
            let stem = format!("features.{stage}.{i}.block");
            let expanded = net.has(&format!("{stem}.3.0.weight"));
            let at = usize::from(expanded);
            let names = Names {
                expand: expanded.then(|| pair(&format!("{stem}.0"))),
                depthwise: pair(&format!("{stem}.{at}")),
                squeeze: Some([
                    format!("{stem}.{}.fc1", at + 1),
                    format!("{stem}.{}.fc2", at + 1),
                ]),
                project: pair(&format!("{stem}.{}", at + 2)),
                block: format!("features.{stage}.{i}"),
            };
            let rate = 0.2 * f64::from(index) / total as f64;
            let stride = if i == 0 { stride } else { 1 };
            let gates = [silu, Activation::Sigmoid];
            x = block(&mut net, x, &names, stride, silu, gates, rate)?;
            index += 1;
        }
    }
    let x = net.unit(["features.8.0", "features.8.1"], x, 1, silu)?;
    let x = net.global_average("avgpool", x, false);
    let x = net.dropout("classifier.0", x, 0.2);
    let x = net.linear("classifier.1", x, None)?;
    Ok(finished(net, x, Preprocessing::ImageNet, "efficientnet_b0"))
}

/// The same networks as timm names them; `None` for other names. `tensorflow` selects the variant
/// with TensorFlow's padding and epsilon, which only the file's name gives away.
pub fn timm(state: &StateDict, tensorflow: bool) -> Option<Result<Recognition, OpenError>> {
    let has = |key: &str| state.contains_key(key);
    if !has("conv_stem.weight") || !has("blocks.0.0.conv_dw.weight") {
        return None;
    }
    let family = if has("conv_head.bias") {
        Family::MobileNetV3
    } else if has("blocks.0.0.se.conv_reduce.weight") {
        Family::EfficientNet
    } else {
        let wide = state.get("blocks.2.0.conv_dw.weight");
        match wide.map(candle_core::Tensor::dims) {
            Some([.., 5]) => Family::EfficientNetLite,
            _ => Family::MobileNetV2,
        }
    };
    Some(timm_net(state, family, tensorflow))
}

fn timm_net(state: &StateDict, family: Family, tensorflow: bool) -> Result<Recognition, OpenError> {
    let style = Style {
        same: tensorflow,
        epsilon: if tensorflow { 1e-3 } else { 1e-5 },
        momentum: 0.1,
    };
    let (mut net, x) = Net::new(state, style, None);
    let (stem, gates) = match family {
        Family::MobileNetV2 | Family::EfficientNetLite => {
            (Activation::RELU6, [Activation::RELU; 2])
        }
        Family::MobileNetV3 => (
            Activation::HardSilu,
            [Activation::RELU, Activation::HardSigmoid],
        ),
        Family::EfficientNet => (Activation::Silu, [Activation::Silu, Activation::Sigmoid]),
    };
    let large = net.has("blocks.6.0.conv.weight");
    let (strides, swish): (&[usize], usize) = match family {
        Family::MobileNetV3 if large => (&V3_LARGE_STRIDES, 3),
        Family::MobileNetV3 => (&V3_SMALL_STRIDES, 2),
        _ => (&V2_STRIDES, 0),
    };
    let mut x = net.unit(["conv_stem", "bn1"], x, 2, stem)?;
    for (stage, &stride) in strides.iter().enumerate() {
        let activation = if stage < swish {
            Activation::RELU
        } else {
            stem
        };
        for i in 0.. {
            let block_name = format!("blocks.{stage}.{i}");
            let of = |part: &str| format!("{block_name}.{part}");
            if !net.has(&of("conv_dw.weight")) {
                break;
            }
            let expanded = net.has(&of("conv_pwl.weight"));
            let squeezed = net.has(&of("se.conv_reduce.weight"));
            let names = Names {
                expand: expanded.then(|| [of("conv_pw"), of("bn1")]),
                depthwise: [of("conv_dw"), of(if expanded { "bn2" } else { "bn1" })],
                squeeze: squeezed.then(|| [of("se.conv_reduce"), of("se.conv_expand")]),
                project: if expanded {
                    [of("conv_pwl"), of("bn3")]
                } else {
                    [of("conv_pw"), of("bn2")]
                },
                block: block_name.clone(),
            };
            let stride = if i == 0 { stride } else { 1 };
            x = block(&mut net, x, &names, stride, activation, gates, 0.0)?;
        }
    }
    let x = if family == Family::MobileNetV3 {
        let last = format!("blocks.{}.0", strides.len());
        let names = [format!("{last}.conv"), format!("{last}.bn1")];
        let x = net.unit([&names[0], &names[1]], x, 1, stem)?;
        let x = net.global_average("global_pool", x, true);
        let x = net.conv("conv_head", x, 1)?;
        let x = net.activation("conv_head", x, stem);
        net.flatten("flatten", x, 1)
    } else {
        let x = net.unit(["conv_head", "bn2"], x, 1, stem)?;
        net.global_average("global_pool", x, false)
    };
    let x = net.linear("classifier", x, None)?;
    let preprocessing = match (family, tensorflow) {
        (Family::EfficientNetLite | Family::MobileNetV3, true) => Preprocessing::MinusOneToOne,
        _ => Preprocessing::ImageNet,
    };
    let name = match family {
        Family::MobileNetV2 => "mobilenetv2",
        Family::MobileNetV3 if large => "mobilenetv3_large",
        Family::MobileNetV3 => "mobilenetv3_small",
        Family::EfficientNet => "efficientnet_b0",
        Family::EfficientNetLite => "efficientnet_lite0",
    };
    Ok(finished(net, x, preprocessing, name))
}
