//! VGG with and without BatchNorm, as torchvision and timm name it. Source: the modules of both libraries.

use super::choice::Told;
use super::families::{self, Family};
use super::net::{Net, Style, Value};
use super::{Recognition, StateDict};
use crate::formats::OpenError;
use crate::model::graph::{Activation, Conv2d, Padding, Pooling};
use crate::model::{Assumption, Preprocessing};

pub static FAMILY: Family = Family {
    title: "a VGG network with BatchNorm",
    signature: &["features.0.weight", "features.1.running_mean"],
    renames: None,
    build: |state, told| build(state, told, true),
};
/// Without BatchNorm.
pub static PLAIN: Family = Family {
    title: "a VGG network",
    signature: &["features.0.weight", "features.0.bias", "features.3.weight"],
    renames: None,
    build: |state, told| build(state, told, false),
};
pub static PLAIN_13: Family = Family {
    title: "a VGG network",
    signature: &["features.0.weight", "features.0.bias", "features.2.weight"],
    renames: None,
    build: |state, told| build(state, told, false),
};

const RELU: Activation = Activation::RELU;
/// Pixels a side of the photos, and of the feature map before the head.
const SIZE: usize = 224;
const LEFT: usize = 7;
/// Width of the two hidden dense layers.
const HIDDEN: usize = 4096;
/// Output channels of the convolutions between poolings, by the network's depth.
const PUBLISHED: [(&str, [&[usize]; 5]); 4] = [
    ("vgg11_bn", [&[64], &[128], &[256; 2], &[512; 2], &[512; 2]]),
    (
        "vgg13_bn",
        [&[64; 2], &[128; 2], &[256; 2], &[512; 2], &[512; 2]],
    ),
    (
        "vgg16_bn",
        [&[64; 2], &[128; 2], &[256; 3], &[512; 3], &[512; 3]],
    ),
    (
        "vgg19_bn",
        [&[64; 2], &[128; 2], &[256; 4], &[512; 4], &[512; 4]],
    ),
];

fn other(but: String) -> OpenError {
    OpenError::OtherNetwork {
        like: PLAIN.title.to_owned(),
        but,
    }
}

fn build(state: &StateDict, told: &Told, normed: bool) -> Result<Recognition, OpenError> {
    told.no_options()?;
    let family = if normed { &FAMILY } else { &PLAIN };
    // Other networks number their modules alike, and nest them or begin with another kernel.
    let is_nested = |key: &String| key.starts_with("features.") && key.split('.').count() > 3;
    let first = state
        .get("features.0.weight")
        .map(candle_core::Tensor::dims);
    if state.keys().any(is_nested) || !matches!(first, Some(&[_, _, 3, 3])) {
        return Err(families::unknown(state.keys().map(String::as_str)));
    }
    let (mut net, mut x) = Net::new(state, told, Style::PLAIN, "features.0", Some(SIZE));
    let mut stages: Vec<Vec<usize>> = vec![Vec::new()];
    let mut at = 0;
    // Each index is one module: convolution, BatchNorm, ReLU, or (without a weight) a pooling.
    loop {
        let name = format!("features.{at}");
        match net.builder.shape(&format!("{name}.weight")) {
            Some(&[output, input, 3, 3]) if input == x.channels && output > 0 => {
                if normed {
                    let norm = format!("features.{}", at + 1);
                    x = net.unit([&name, &norm], x, 1, RELU)?;
                } else {
                    x = net.conv(&name, x, 1)?;
                    x = net.activation(&name, x, RELU);
                }
                stages
                    .last_mut()
                    .into_iter()
                    .for_each(|stage| stage.push(output));
                at += if normed { 3 } else { 2 };
            }
            Some(found) => {
                return Err(other(format!(
                    "`{name}.weight` has shape {found:?}, not that of a 3 x 3 convolution"
                )));
            }
            None => {
                x = net.pool(&name, x, Pooling::Max, [2, 2, 0]);
                at += 1;
                if !net.has(&format!("features.{at}.weight")) {
                    break;
                }
                stages.push(Vec::new());
            }
        }
    }
    if stages.len() != 5 {
        return Err(other(format!(
            "it has {} stages between poolings, not five",
            stages.len()
        )));
    }
    let published = PUBLISHED
        .iter()
        .find(|(_, widths)| widths.iter().eq(stages.iter()));
    let inputs = LEFT * LEFT * x.channels;
    let takes_pixels = |(key, tensor): (&String, &candle_core::Tensor)| {
        let dims = tensor.dims();
        key.starts_with("classifier.") && dims.len() == 2 && dims[1] == inputs
    };
    let proven = net.has("pre_logits.fc1.weight") || state.iter().any(takes_pixels);
    // Numbered convolutions alone prove no VGG network of widths that nobody published.
    if published.is_none() && !proven {
        return Err(other(format!(
            "no layer of its classifier takes {LEFT} x {LEFT} pixels of {} channels",
            x.channels
        )));
    }
    let x = if net.has("pre_logits.fc1.weight") {
        timm_head(&mut net, x)?
    } else {
        torchvision_head(&mut net, x)?
    };
    let name = match published {
        Some((name, _)) if normed => (*name).to_owned(),
        Some((name, _)) => name.trim_end_matches("_bn").to_owned(),
        None => format!("{} of {stages:?} channels", family.title),
    };
    let known = published.map(|_| name.as_str());
    told.check_name(&name, known.as_slice())?;
    let assumed = match published {
        Some(_) => Vec::new(),
        None => vec![Assumption {
            sentence:
                "the widths are those of no published VGG network: pooling is taken to be where a \
                convolution's number is missing, as in torchvision's vgg16_bn"
                    .to_owned(),
            choices: Vec::new(),
        }],
    };
    net.finish(family.title, x, &name, Preprocessing::ImageNet, assumed)
}

/// The first two dense layers are convolutions in timm.
fn timm_head(net: &mut Net<'_>, mut x: Value) -> Result<Value, OpenError> {
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
        let side = if name.ends_with('1') { LEFT } else { 1 };
        let found = <[usize; 4]>::try_from(shape.as_slice());
        if !found
            .is_ok_and(|[out, input, h, w]| out > 0 && (input, h, w) == (x.channels, side, side))
        {
            return Err(OpenError::WeightShape {
                layer: name.to_owned(),
                weight: "weight".to_owned(),
                found: shape,
                expected: vec![HIDDEN, x.channels, side, side],
            });
        }
        x = net.conv_with(name, x, &shape, settings)?;
        x = net.activation(name, x, RELU);
    }
    let x = net.global_average("head.global_pool", x, false);
    net.head("head", "head.fc", x)
}

fn torchvision_head(net: &mut Net<'_>, x: Value) -> Result<Value, OpenError> {
    let image = Some([x.channels, LEFT, LEFT]);
    let x = net.flatten("flatten", x, LEFT * LEFT);
    let width = |name: &str| match net.builder.shape(&format!("classifier.{name}.weight")) {
        Some(&[width, _]) => Some(width),
        _ => None,
    };
    let hidden = [width("0"), width("3")];
    let has_last = net.has_any("classifier.6.");
    // Without its last layer only the published one is known to go on after the second.
    if hidden.contains(&None) || !(has_last || hidden == [Some(HIDDEN); 2]) {
        return net.flattened_head("classifier", "classifier.6", x, image);
    }
    let x = net.linear("classifier.0", x, image)?;
    let x = net.named_activation("classifier.1", x, RELU);
    let x = net.dropout("classifier.2", x, 0.5);
    let x = net.linear("classifier.3", x, None)?;
    let x = net.named_activation("classifier.4", x, RELU);
    let x = net.dropout("classifier.5", x, 0.5);
    net.head("classifier.6", "classifier.6", x)
}
