//! ConvNeXt, as torchvision and timm name it. Source: the modules of both libraries.

use super::choice::Told;
use super::families::{Family, Naming, unpublished};
use super::net::{Net, Style, Value};
use super::stochastic_depth::StochasticDepth;
use super::{Recognition, StateDict};
use crate::formats::OpenError;
use crate::model::Preprocessing;
use crate::model::graph::{Activation, Conv2d, Padding};

pub static TORCHVISION: Family = Family {
    title: TITLE,
    signature: &["features.1.0.block.5.weight", "features.0.0.weight"],
    renames: None,
    build: |state, told| build(state, told, Naming::Torchvision),
};
pub static TIMM: Family = Family {
    title: TITLE,
    signature: &["stages.0.blocks.0.conv_dw.weight", "stem.0.weight"],
    renames: None,
    build: |state, told| build(state, told, Naming::Timm),
};

const TITLE: &str = "a ConvNeXt";
const EPSILON: f64 = 1e-6;
const GELU: Activation = Activation::Gelu { approximate: false };
/// Side of the first kernel, of those between stages, and of the depthwise ones.
const STEM: usize = 4;
const DOWN: usize = 2;
const DEPTHWISE: usize = 7;

/// The network of V2 that V1 does not have: name, channels of the first stage, blocks.
const ONLY_V2: (&str, usize, [usize; 4]) = ("huge", 352, [3, 3, 27, 3]);

/// A published network.
struct Published {
    name: &'static str,
    /// torchvision's largest rate of stochastic depth, if torchvision has the network.
    torchvision: Option<f64>,
    /// Channels of the first stage; each further stage has twice as many.
    width: usize,
    depths: [usize; 4],
}

const fn published(
    name: &'static str,
    torchvision: Option<f64>,
    width: usize,
    depths: [usize; 4],
) -> Published {
    Published {
        name,
        torchvision,
        width,
        depths,
    }
}

const PUBLISHED: [Published; 9] = [
    published("atto", None, 40, [2, 2, 6, 2]),
    published("femto", None, 48, [2, 2, 6, 2]),
    published("pico", None, 64, [2, 2, 6, 2]),
    published("nano", None, 80, [2, 2, 8, 2]),
    published("tiny", Some(0.1), 96, [3, 3, 9, 3]),
    published("small", Some(0.4), 96, [3, 3, 27, 3]),
    published("base", Some(0.5), 128, [3, 3, 27, 3]),
    published("large", Some(0.5), 192, [3, 3, 27, 3]),
    published("xlarge", None, 256, [3, 3, 27, 3]),
];

/// The names of one block's tensors and modules.
struct Names {
    depthwise: String,
    norm: String,
    hidden: [String; 2],
    /// Of V2.
    response_norm: String,
    scale: String,
    block: String,
}

fn block_names(naming: Naming, stage: usize, index: usize) -> Names {
    match naming {
        Naming::Torchvision => {
            let block = format!("features.{}.{index}", 2 * stage + 1);
            let of = |part: &str| format!("{block}.{part}");
            Names {
                depthwise: of("block.0"),
                norm: of("block.2"),
                hidden: [of("block.3"), of("block.5")],
                response_norm: of("block.grn"),
                scale: of("layer_scale"),
                block,
            }
        }
        Naming::Timm => {
            let block = format!("stages.{stage}.blocks.{index}");
            let of = |part: &str| format!("{block}.{part}");
            Names {
                depthwise: of("conv_dw"),
                norm: of("norm"),
                hidden: [of("mlp.fc1"), of("mlp.fc2")],
                response_norm: of("mlp.grn"),
                scale: of("gamma"),
                block,
            }
        }
    }
}

fn stem_names(naming: Naming) -> [&'static str; 2] {
    match naming {
        Naming::Torchvision => ["features.0.0", "features.0.1"],
        Naming::Timm => ["stem.0", "stem.1"],
    }
}

/// Norm and convolution before a stage.
fn down_names(naming: Naming, stage: usize) -> [String; 2] {
    match naming {
        Naming::Torchvision => [0, 1].map(|at| format!("features.{}.{at}", 2 * stage)),
        Naming::Timm => [0, 1].map(|at| format!("stages.{stage}.downsample.{at}")),
    }
}

fn other(but: impl Into<String>) -> OpenError {
    OpenError::OtherNetwork {
        like: TITLE.to_owned(),
        but: but.into(),
    }
}

fn build(state: &StateDict, told: &Told, naming: Naming) -> Result<Recognition, OpenError> {
    let width = |key: String| match state.get(&key).map(candle_core::Tensor::dims) {
        Some(&[out, ..]) => Ok(out),
        _ => Err(other(format!("it has no `{key}`"))),
    };
    let (mut widths, mut depths) = ([0; 4], [0; 4]);
    for stage in 0..4 {
        let has = |i: &usize| {
            state.contains_key(&format!(
                "{}.weight",
                block_names(naming, stage, *i).depthwise
            ))
        };
        depths[stage] = (0..usize::from(u16::MAX)).take_while(has).count();
        widths[stage] = width(format!(
            "{}.weight",
            block_names(naming, stage, 0).depthwise
        ))?;
    }
    let published = PUBLISHED.iter().find(|p| {
        let named = naming == Naming::Timm || p.torchvision.is_some();
        named && [1, 2, 4, 8].map(|n| n * p.width) == widths && p.depths == depths
    });
    // V2 normalises the responses of the hidden layers in place of a scale.
    let norm = format!("{}.weight", block_names(naming, 0, 0).response_norm);
    let is_v2 = state.contains_key(&norm);
    let (huge, width, blocks) = ONLY_V2;
    let huge = (is_v2 && widths[0] == width && depths == blocks).then_some(huge);
    let known = published.map(|p| p.name).or(huge);
    let version = if is_v2 { "convnextv2" } else { "convnext" };
    let known = known.map(|size| format!("{version}_{size}"));
    let name = known
        .clone()
        .unwrap_or_else(|| format!("a ConvNeXt of {depths:?} blocks with {widths:?} channels"));
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    told.check_name(&name, &known)?;
    let of_library = match naming {
        Naming::Torchvision => published.and_then(|p| p.torchvision).unwrap_or(0.1),
        Naming::Timm => 0.0,
    };
    let depth = StochasticDepth::of(told, of_library)?;
    let (mut net, x) = Net::new(state, told, Style::PLAIN, stem_names(naming)[0], None);
    let [conv, norm] = stem_names(naming);
    let x = patches(&mut net, conv, x, [widths[0], STEM])?;
    let mut x = net.layer_norm(norm, x, EPSILON)?;
    let total: usize = depths.iter().sum();
    let mut place = 0;
    for stage in 0..4 {
        let [norm, conv] = down_names(naming, stage);
        if stage > 0 {
            x = net.layer_norm(&norm, x, EPSILON)?;
            x = patches(&mut net, &conv, x, [widths[stage], DOWN])?;
        }
        for index in 0..depths[stage] {
            let rate = depth.rate(place, total);
            x = block(
                &mut net,
                x,
                &block_names(naming, stage, index),
                naming,
                rate,
            )?;
            place += 1;
        }
    }
    x = net.global_average("avgpool", x, false);
    let x = match naming {
        Naming::Torchvision if net.rank("classifier.0.weight") == Some(1) => {
            let x = net.layer_norm("classifier.0", x, EPSILON)?;
            net.head("classifier.2", "classifier.2", x)?
        }
        Naming::Torchvision => net.head("classifier", "classifier.2", x)?,
        Naming::Timm => {
            let x = if net.has("head.norm.weight") {
                net.layer_norm("head.norm", x, EPSILON)?
            } else {
                x
            };
            let x = net.dropout("head.drop", x, 0.0);
            net.head("head.fc", "head.fc", x)?
        }
    };
    let mut assumed = Vec::new();
    if known.is_empty() {
        assumed.push(unpublished("torchvision's convnext_tiny"));
    }
    assumed.extend(depth.assumption(told, naming.library()));
    net.finish(TITLE, x, &name, Preprocessing::ImageNet, assumed)
}

/// A convolution whose kernels lie side by side.
fn patches(
    net: &mut Net<'_>,
    name: &str,
    x: Value,
    [out, side]: [usize; 2],
) -> Result<Value, OpenError> {
    let shape = [out, x.channels, side, side];
    net.expect(name, &shape, TITLE)?;
    let settings = Conv2d {
        strides: [side; 2],
        dilation: [1, 1],
        padding: Padding::Valid,
        groups: 1,
        activation: Activation::Linear,
    };
    net.conv_with(name, x, &shape, settings)
}

fn block(
    net: &mut Net<'_>,
    x: Value,
    names: &Names,
    naming: Naming,
    rate: f64,
) -> Result<Value, OpenError> {
    let channels = x.channels;
    net.expect(
        &names.depthwise,
        &[channels, 1, DEPTHWISE, DEPTHWISE],
        TITLE,
    )?;
    let y = net.conv(&names.depthwise, x, 1)?;
    let y = net.layer_norm(&names.norm, y, EPSILON)?;
    // timm's small networks keep the hidden layers as convolutions of one pixel.
    let dense = |net: &mut Net<'_>, name: &str, y: Value| {
        if net.rank(&format!("{name}.weight")) == Some(4) {
            net.expect(name, &[4 * channels, y.channels, 1, 1], TITLE)
                .or_else(|_| net.expect(name, &[channels, y.channels, 1, 1], TITLE))?;
            net.conv(name, y, 1)
        } else {
            net.linear(name, y, None)
        }
    };
    let y = dense(net, &names.hidden[0], y)?;
    let y = net.activation(&names.hidden[0], y, GELU);
    let y = net.response_norm(&names.response_norm, y)?;
    let mut y = dense(net, &names.hidden[1], y)?;
    let scale = match naming {
        Naming::Torchvision => &[channels, 1, 1][..],
        Naming::Timm => &[channels],
    };
    if net.has(&names.scale) && y.channels == channels {
        y = net.layer_scale(&names.scale, y, scale)?;
    }
    y = net.stochastic_depth(&format!("{}.stochastic_depth", names.block), y, rate);
    net.add(&format!("{}.add", names.block), y, x)
}
