//! RegNetX and RegNetY, as torchvision and timm name them. Source: the modules of both libraries.

use super::choice::Told;
use super::families::{Family, Naming, unpublished};
use super::net::{Net, Style, Value};
use super::{Recognition, StateDict};
use crate::formats::OpenError;
use crate::model::Preprocessing;
use crate::model::graph::Activation;

pub static TORCHVISION: Family = Family {
    title: TITLE,
    signature: &["trunk_output.block1.block1-0.f.a.0.weight", "stem.0.weight"],
    renames: None,
    build: |state, told| build(state, told, Naming::Torchvision),
};
pub static TIMM: Family = Family {
    title: TITLE,
    signature: &["s1.b1.conv1.conv.weight", "stem.conv.weight"],
    renames: None,
    build: |state, told| build(state, told, Naming::Timm),
};

const TITLE: &str = "a RegNet";
const RELU: Activation = Activation::RELU;
const STEM: usize = 32;

/// A published network: torchvision's name, timm's name, blocks, channels, channels of one group.
struct Published(
    &'static str,
    &'static str,
    [usize; 4],
    [usize; 4],
    [usize; 4],
);

#[rustfmt::skip]
const PUBLISHED: [Published; 29] = [
    Published("regnet_x_16gf", "regnetx_160", [2, 6, 13, 1], [256, 512, 896, 2048], [128, 128, 128, 128]),
    Published("regnet_x_1_6gf", "regnetx_016", [2, 4, 10, 2], [72, 168, 408, 912], [24, 24, 24, 24]),
    Published("regnet_x_32gf", "regnetx_320", [2, 7, 13, 1], [336, 672, 1344, 2520], [168, 168, 168, 168]),
    Published("regnet_x_3_2gf", "regnetx_032", [2, 6, 15, 2], [96, 192, 432, 1008], [48, 48, 48, 48]),
    Published("regnet_x_400mf", "", [1, 2, 7, 12], [32, 64, 160, 400], [16, 16, 16, 16]),
    Published("regnet_x_800mf", "regnetx_008", [1, 3, 7, 5], [64, 128, 288, 672], [16, 16, 16, 16]),
    Published("regnet_x_8gf", "regnetx_080", [2, 5, 15, 1], [80, 240, 720, 1920], [80, 120, 120, 120]),
    Published("regnet_y_128gf", "", [2, 7, 17, 1], [528, 1056, 2904, 7392], [264, 264, 264, 264]),
    Published("regnet_y_16gf", "regnety_160", [2, 4, 11, 1], [224, 448, 1232, 3024], [112, 112, 112, 112]),
    Published("regnet_y_1_6gf", "regnety_016", [2, 6, 17, 2], [48, 120, 336, 888], [24, 24, 24, 24]),
    Published("regnet_y_32gf", "regnety_320", [2, 5, 12, 1], [232, 696, 1392, 3712], [232, 232, 232, 232]),
    Published("regnet_y_3_2gf", "regnety_032", [2, 5, 13, 1], [72, 216, 576, 1512], [24, 24, 24, 24]),
    Published("regnet_y_400mf", "regnety_004", [1, 3, 6, 6], [48, 104, 208, 440], [8, 8, 8, 8]),
    Published("regnet_y_800mf", "", [1, 3, 8, 2], [64, 144, 320, 784], [16, 16, 16, 16]),
    Published("regnet_y_8gf", "", [2, 4, 10, 1], [224, 448, 896, 2016], [56, 56, 56, 56]),
    Published("", "regnetx_002", [1, 1, 4, 7], [24, 56, 152, 368], [8, 8, 8, 8]),
    Published("", "regnetx_004", [1, 2, 7, 12], [32, 64, 160, 384], [16, 16, 16, 16]),
    Published("", "regnetx_006", [1, 3, 5, 7], [48, 96, 240, 528], [24, 24, 24, 24]),
    Published("", "regnetx_040", [2, 5, 14, 2], [80, 240, 560, 1360], [40, 40, 40, 40]),
    Published("", "regnetx_064", [2, 4, 10, 1], [168, 392, 784, 1624], [56, 56, 56, 56]),
    Published("", "regnetx_120", [2, 5, 11, 1], [224, 448, 896, 2240], [112, 112, 112, 112]),
    Published("", "regnety_002", [1, 1, 4, 7], [24, 56, 152, 368], [8, 8, 8, 8]),
    Published("", "regnety_006", [1, 3, 7, 4], [48, 112, 256, 608], [16, 16, 16, 16]),
    Published("", "regnety_008", [1, 3, 8, 2], [64, 128, 320, 768], [16, 16, 16, 16]),
    Published("", "regnety_040", [2, 6, 12, 2], [128, 192, 512, 1088], [64, 64, 64, 64]),
    Published("", "regnety_064", [2, 7, 14, 2], [144, 288, 576, 1296], [72, 72, 72, 72]),
    Published("", "regnety_080", [2, 4, 10, 1], [168, 448, 896, 2016], [56, 56, 56, 56]),
    Published("", "regnety_120", [2, 5, 11, 1], [224, 448, 896, 2240], [112, 112, 112, 112]),
    Published("", "regnety_640", [2, 5, 12, 1], [328, 984, 1968, 4920], [328, 328, 328, 328]),
];

/// The names of one block's modules: convolution and BatchNorm.
struct Names {
    units: [[String; 2]; 3],
    shortcut: [String; 2],
    squeeze: [String; 2],
    block: String,
}

fn block_names(naming: Naming, stage: usize, index: usize) -> Names {
    match naming {
        Naming::Torchvision => {
            let stage = stage + 1;
            let block = format!("trunk_output.block{stage}.block{stage}-{index}");
            let pair = |part: &str| [0, 1].map(|at| format!("{block}.{part}.{at}"));
            Names {
                units: ["f.a", "f.b", "f.c"].map(pair),
                shortcut: pair("proj"),
                squeeze: ["fc1", "fc2"].map(|part| format!("{block}.f.se.{part}")),
                block,
            }
        }
        Naming::Timm => {
            let block = format!("s{}.b{}", stage + 1, index + 1);
            let pair = |part: &str| ["conv", "bn"].map(|at| format!("{block}.{part}.{at}"));
            Names {
                units: ["conv1", "conv2", "conv3"].map(pair),
                shortcut: pair("downsample"),
                squeeze: ["fc1", "fc2"].map(|part| format!("{block}.se.{part}")),
                block,
            }
        }
    }
}

fn stem_names(naming: Naming) -> [&'static str; 2] {
    match naming {
        Naming::Torchvision => ["stem.0", "stem.1"],
        Naming::Timm => ["stem.conv", "stem.bn"],
    }
}

fn other(but: impl Into<String>) -> OpenError {
    OpenError::OtherNetwork {
        like: TITLE.to_owned(),
        but: but.into(),
    }
}

fn build(state: &StateDict, told: &Told, naming: Naming) -> Result<Recognition, OpenError> {
    told.no_options()?;
    let dims = |key: String| match state.get(&key).map(candle_core::Tensor::dims) {
        Some(&[out, depth, _, _]) if out > 0 && depth > 0 => Ok([out, depth]),
        _ => Err(other(format!("it has no convolution `{key}`"))),
    };
    let (mut depths, mut widths, mut groups) = ([0; 4], [0; 4], [0; 4]);
    for stage in 0..4 {
        let key = |i: usize| format!("{}.weight", block_names(naming, stage, i).units[1][0]);
        let has = |i: &usize| state.contains_key(&key(*i));
        depths[stage] = (0..usize::from(u16::MAX)).take_while(has).count();
        [widths[stage], groups[stage]] = dims(key(0))?;
    }
    let squeezed = state.contains_key(&format!("{}.weight", block_names(naming, 0, 0).squeeze[0]));
    let published = PUBLISHED.iter().find(|p| {
        let is_y = p.0.contains("_y_") || p.1.starts_with("regnety");
        p.2 == depths && p.3 == widths && p.4 == groups && is_y == squeezed
    });
    let known = published.map(|p| match naming {
        Naming::Torchvision => p.0,
        Naming::Timm => p.1,
    });
    let known = known.filter(|name| !name.is_empty());
    // timm's variants with other activations and sums have the same names.
    if known.is_none() && naming == Naming::Timm {
        return Err(other(format!(
            "{depths:?} blocks of {widths:?} channels are those of no published one"
        )));
    }
    let name = known.map_or_else(
        || format!("a RegNet of {depths:?} blocks with {widths:?} channels"),
        str::to_owned,
    );
    told.check_name(&name, known.as_slice())?;
    let [conv, norm] = stem_names(naming);
    let (mut net, x) = Net::new(state, told, Style::PLAIN, conv, None);
    net.expect(conv, &[STEM, x.channels, 3, 3], TITLE)?;
    let mut x = net.unit([conv, norm], x, 2, RELU)?;
    for stage in 0..4 {
        for index in 0..depths[stage] {
            let names = block_names(naming, stage, index);
            let stride = if index == 0 { 2 } else { 1 };
            x = block(
                &mut net,
                x,
                &names,
                [widths[stage], groups[stage]],
                stride,
                squeezed,
            )?;
        }
    }
    x = net.global_average("avgpool", x, false);
    let head = match naming {
        Naming::Torchvision => "fc",
        Naming::Timm => "head.fc",
    };
    let x = net.head(head, head, x)?;
    let assumed = match known {
        Some(_) => Vec::new(),
        None => vec![unpublished("torchvision's regnet_y_400mf")],
    };
    net.finish(TITLE, x, &name, Preprocessing::ImageNet, assumed)
}

fn block(
    net: &mut Net<'_>,
    x: Value,
    names: &Names,
    [width, group]: [usize; 2],
    stride: usize,
    squeezed: bool,
) -> Result<Value, OpenError> {
    let [a, b, c] = &names.units;
    net.expect(&a[0], &[width, x.channels, 1, 1], TITLE)?;
    net.expect(&b[0], &[width, group, 3, 3], TITLE)?;
    net.expect(&c[0], &[width, width, 1, 1], TITLE)?;
    let y = net.unit([&a[0], &a[1]], x, 1, RELU)?;
    let mut y = net.unit([&b[0], &b[1]], y, stride, RELU)?;
    if squeezed {
        let [reduce, expand] = &names.squeeze;
        y = net.squeeze([reduce, expand], y, RELU, Activation::Sigmoid)?;
    }
    let y = net.unit([&c[0], &c[1]], y, 1, Activation::Linear)?;
    let mut shortcut = x;
    if stride != 1 || x.channels != width {
        let [conv, norm] = &names.shortcut;
        net.expect(conv, &[width, x.channels, 1, 1], TITLE)?;
        shortcut = net.unit([conv, norm], x, stride, Activation::Linear)?;
    }
    let name = format!("{}.add", names.block);
    let y = net.add(&name, shortcut, y)?;
    Ok(net.activation(&name, y, RELU))
}
