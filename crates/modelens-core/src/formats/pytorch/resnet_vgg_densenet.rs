//! ResNet, VGG with BatchNorm and DenseNet. torchvision and timm name them alike, except VGG's head.
//! Source: the modules of both libraries.

use super::net::{Net, Style, Value};
use super::{Recognition, StateDict};
use crate::formats::OpenError;
use crate::model::Preprocessing;
use crate::model::graph::{Activation, Conv2d, Padding, Pooling};

const RELU: Activation = Activation::RELU;

/// The network of these names; `None` for other names.
pub fn recognise(state: &StateDict) -> Option<Result<Recognition, OpenError>> {
    let has = |key: &str| state.contains_key(key);
    if has("layer1.0.conv1.weight") && has("conv1.weight") && has("bn1.running_mean") {
        return Some(resnet(state));
    }
    if has("features.denseblock1.denselayer1.norm1.running_mean") {
        return Some(densenet(state));
    }
    (has("features.0.weight") && has("features.1.running_mean")).then(|| vgg(state))
}

fn finished(mut net: Net<'_>, output: Value, name: &str) -> Recognition {
    net.builder.graph.output = output.node;
    name.clone_into(&mut net.builder.graph.name);
    let warnings = net.builder.leftovers();
    Recognition {
        graph: net.builder.graph,
        weights: net.builder.weights,
        preprocessing: Preprocessing::ImageNet,
        warnings,
    }
}

fn resnet(state: &StateDict) -> Result<Recognition, OpenError> {
    let (mut net, x) = Net::new(state, Style::PLAIN, None);
    let x = net.unit(["conv1", "bn1"], x, 2, RELU)?;
    let mut x = net.pool("maxpool", x, Pooling::Max, [3, 2, 1]);
    let mut blocks = 0;
    for layer in 1..=4 {
        for i in 0.. {
            let stem = format!("layer{layer}.{i}");
            let of = |part: &str| format!("{stem}.{part}");
            if !net.has(&of("conv1.weight")) {
                break;
            }
            blocks += 1;
            let stride = if i == 0 && layer > 1 { 2 } else { 1 };
            // A bottleneck has its stride in the second convolution, a basic block in the first.
            let bottleneck = net.has(&of("conv3.weight"));
            let strides = if bottleneck { [1, stride] } else { [stride, 1] };
            let names = |i: usize| [of(&format!("conv{i}")), of(&format!("bn{i}"))];
            let mut y = x;
            let [conv, norm] = names(1);
            y = net.unit([&conv, &norm], y, strides[0], RELU)?;
            let [conv, norm] = names(2);
            let second = if bottleneck { RELU } else { Activation::Linear };
            y = net.unit([&conv, &norm], y, strides[1], second)?;
            if bottleneck {
                let [conv, norm] = names(3);
                y = net.unit([&conv, &norm], y, 1, Activation::Linear)?;
            }
            let mut shortcut = x;
            if net.has(&of("downsample.0.weight")) {
                let names = [of("downsample.0"), of("downsample.1")];
                shortcut = net.unit([&names[0], &names[1]], x, stride, Activation::Linear)?;
            }
            y = net.add(&of("add"), y, shortcut)?;
            x = net.activation(&of("add"), y, RELU);
        }
    }
    let x = net.global_average("avgpool", x, false);
    let x = net.linear("fc", x, None)?;
    let name = match (blocks, net.has("layer1.0.conv3.weight")) {
        (8, false) => "resnet18",
        (16, false) => "resnet34",
        (16, true) => "resnet50",
        (33, true) => "resnet101",
        _ => "resnet",
    };
    Ok(finished(net, x, name))
}

fn densenet(state: &StateDict) -> Result<Recognition, OpenError> {
    let (mut net, x) = Net::new(state, Style::PLAIN, None);
    let x = net.unit(["features.conv0", "features.norm0"], x, 2, RELU)?;
    let mut x = net.pool("features.pool0", x, Pooling::Max, [3, 2, 1]);
    for stage in 1..=4 {
        for i in 1.. {
            let stem = format!("features.denseblock{stage}.denselayer{i}");
            let of = |part: &str| format!("{stem}.{part}");
            if !net.has(&of("conv1.weight")) {
                break;
            }
            let mut y = x;
            for part in 1..=2 {
                let norm = of(&format!("norm{part}"));
                y = net.batch_norm(&norm, y)?;
                y = net.activation(&norm, y, RELU);
                y = net.conv(&of(&format!("conv{part}")), y, 1)?;
            }
            x = net.concatenate(&of("cat"), x, y);
        }
        let stem = format!("features.transition{stage}");
        if net.has(&format!("{stem}.conv.weight")) {
            let norm = format!("{stem}.norm");
            x = net.batch_norm(&norm, x)?;
            x = net.activation(&norm, x, RELU);
            x = net.conv(&format!("{stem}.conv"), x, 1)?;
            x = net.pool(&format!("{stem}.pool"), x, Pooling::Average, [2, 2, 0]);
        }
    }
    x = net.batch_norm("features.norm5", x)?;
    x = net.activation("features.norm5", x, RELU);
    x = net.global_average("avgpool", x, false);
    let x = net.linear("classifier", x, None)?;
    Ok(finished(net, x, "densenet121"))
}

/// Pixels a side of the photos, and of the feature map before the head.
const VGG_SIZE: usize = 224;
const VGG_LEFT: usize = 7;

fn vgg(state: &StateDict) -> Result<Recognition, OpenError> {
    let (mut net, mut x) = Net::new(state, Style::PLAIN, Some(VGG_SIZE));
    let mut at = 0;
    // Each index is one module: convolution, BatchNorm, ReLU, or (without a weight) a pooling.
    loop {
        let name = format!("features.{at}");
        if net.has(&format!("{name}.weight")) {
            let norm = format!("features.{}", at + 1);
            x = net.unit([&name, &norm], x, 1, RELU)?;
            at += 3;
        } else {
            x = net.pool(&name, x, Pooling::Max, [2, 2, 0]);
            at += 1;
            if !net.has(&format!("features.{at}.weight")) {
                break;
            }
        }
    }
    let image = [x.channels, VGG_LEFT, VGG_LEFT];
    let x = if net.has("pre_logits.fc1.weight") {
        // In timm the first two dense layers are convolutions.
        let mut x = x;
        for name in ["pre_logits.fc1", "pre_logits.fc2"] {
            let shape = net.builder.shape(&format!("{name}.weight"));
            let shape = shape.map(<[usize]>::to_vec).unwrap_or_default();
            let settings = Conv2d {
                strides: [1, 1],
                dilation: [1, 1],
                padding: Padding::Valid,
                groups: 1,
                activation: Activation::Linear,
            };
            if shape.len() != 4 || shape[1] != x.channels || shape.contains(&0) {
                return Err(OpenError::WeightShape {
                    layer: name.to_owned(),
                    weight: "weight".to_owned(),
                    found: shape,
                    expected: vec![4096, x.channels, 1, 1],
                });
            }
            x = net.conv_with(name, x, &shape, settings)?;
            x = net.activation(name, x, RELU);
        }
        let x = net.global_average("head.global_pool", x, false);
        net.linear("head.fc", x, None)?
    } else {
        let x = net.flatten("flatten", x, VGG_LEFT * VGG_LEFT);
        let x = net.linear("classifier.0", x, Some(image))?;
        let x = net.activation("classifier.1", x, RELU);
        let x = net.dropout("classifier.2", x, 0.5);
        let x = net.linear("classifier.3", x, None)?;
        let x = net.activation("classifier.4", x, RELU);
        let x = net.dropout("classifier.5", x, 0.5);
        net.linear("classifier.6", x, None)?
    };
    Ok(finished(net, x, "vgg_bn"))
}
