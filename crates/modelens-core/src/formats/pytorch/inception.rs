//! GoogLeNet (Inception V1 with BatchNorm) and Inception V3, as torchvision and timm name them. Source:
//! the modules of both libraries.

use super::choice::Told;
use super::families::{Family, unpublished};
use super::net::{Net, Style, Value};
use super::{Recognition, StateDict};
use crate::formats::OpenError;
use crate::model::graph::{Activation, Conv2d, Padding, Pooling};
use crate::model::{Assumption, Preprocessing};

pub static GOOGLENET: Family = Family {
    title: V1,
    signature: &[
        "inception3a.branch1.conv.weight",
        "conv1.conv.weight",
        "conv1.bn.weight",
    ],
    renames: None,
    build: googlenet,
};
pub static INCEPTION_V3: Family = Family {
    title: V3,
    signature: &[
        "Mixed_5b.branch1x1.conv.weight",
        "Conv2d_1a_3x3.conv.weight",
    ],
    renames: None,
    build: inception_v3,
};

const V1: &str = "a GoogLeNet";
const V3: &str = "an Inception V3";
const STYLE: Style = Style {
    epsilon: 1e-3,
    ..Style::PLAIN
};

/// A convolution with BatchNorm and ReLU: kernel, stride, padding along height and width.
struct Unit {
    kernel: [usize; 2],
    stride: usize,
    padding: [usize; 2],
}

const fn unit(kernel: [usize; 2], stride: usize, padding: [usize; 2]) -> Unit {
    Unit {
        kernel,
        stride,
        padding,
    }
}

const ONE: Unit = unit([1, 1], 1, [0, 0]);
const THREE: Unit = unit([3, 3], 1, [1, 1]);
const FIVE: Unit = unit([5, 5], 1, [2, 2]);
const THREE_INSIDE: Unit = unit([3, 3], 1, [0, 0]);
const THREE_HALF: Unit = unit([3, 3], 2, [0, 0]);
const WIDE_SEVEN: Unit = unit([1, 7], 1, [0, 3]);
const HIGH_SEVEN: Unit = unit([7, 1], 1, [3, 0]);
const WIDE_THREE: Unit = unit([1, 3], 1, [0, 1]);
const HIGH_THREE: Unit = unit([3, 1], 1, [1, 0]);

/// `BasicConv2d` of torchvision.
fn conv(
    net: &mut Net<'_>,
    name: &str,
    x: Value,
    unit: &Unit,
    like: &str,
) -> Result<Value, OpenError> {
    let conv = format!("{name}.conv");
    let out = net
        .builder
        .shape(&format!("{conv}.weight"))
        .and_then(|shape| shape.first().copied())
        .unwrap_or_default();
    let shape = [out, x.channels, unit.kernel[0], unit.kernel[1]];
    net.expect(&conv, &shape, like)?;
    let [rows, cols] = unit.padding;
    let padding = match unit.padding {
        [0, 0] => Padding::Valid,
        [a, b] if a == b => Padding::Around(a),
        _ => Padding::Sides {
            pixels: [rows, rows, cols, cols],
            ceil: false,
        },
    };
    let settings = Conv2d {
        strides: [unit.stride; 2],
        dilation: [1, 1],
        padding,
        groups: 1,
        activation: Activation::Linear,
    };
    let x = net.conv_with(&conv, x, &shape, settings)?;
    let norm = format!("{name}.bn");
    let x = net.batch_norm(&norm, x)?;
    Ok(net.activation(name, x, Activation::RELU))
}

/// The network's name, which is that of the published one if its first and last widths are, and what
/// the file does not tell.
fn named(
    state: &StateDict,
    told: &Told,
    name: &str,
    title: &str,
    (stem, width): (&str, usize),
    [features, published]: [usize; 2],
) -> Result<(String, Vec<Assumption>), OpenError> {
    let first = state.get(&format!("{stem}.conv.weight"));
    let first = first.and_then(|kernel| kernel.dims().first().copied());
    let is_published = first == Some(width) && features == published;
    let found = if is_published {
        name.to_owned()
    } else {
        format!("{title} with {features} features")
    };
    told.check_name(&found, &[name])?;
    let mut assumed = vec![Assumption {
        sentence: "the file does not tell whether `transform_input` is set: photos are scaled to \
            x / 127.5 - 1, which is what it makes of them"
            .to_owned(),
        choices: Vec::new(),
    }];
    if !is_published {
        assumed.push(unpublished(&format!("torchvision's {name}")));
    }
    Ok((found, assumed))
}

fn googlenet(state: &StateDict, told: &Told) -> Result<Recognition, OpenError> {
    told.no_options()?;
    let (mut net, x) = Net::new(state, told, STYLE, "conv1.conv", None);
    let net_ref = &mut net;
    let x = conv(net_ref, "conv1", x, &unit([7, 7], 2, [3, 3]), V1)?;
    let x = net_ref.ceil_pool("maxpool1", x, Pooling::Max, [3, 2, 0]);
    let x = conv(net_ref, "conv2", x, &ONE, V1)?;
    let x = conv(net_ref, "conv3", x, &THREE, V1)?;
    let mut x = net_ref.ceil_pool("maxpool2", x, Pooling::Max, [3, 2, 0]);
    for part in ["3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b"] {
        let of = |branch: &str| format!("inception{part}.{branch}");
        match part {
            "4a" => x = net_ref.ceil_pool("maxpool3", x, Pooling::Max, [3, 2, 0]),
            "5a" => x = net_ref.ceil_pool("maxpool4", x, Pooling::Max, [2, 2, 0]),
            _ => {}
        }
        let a = conv(net_ref, &of("branch1"), x, &ONE, V1)?;
        let b = conv(net_ref, &of("branch2.0"), x, &ONE, V1)?;
        let b = conv(net_ref, &of("branch2.1"), b, &THREE, V1)?;
        let c = conv(net_ref, &of("branch3.0"), x, &ONE, V1)?;
        let c = conv(net_ref, &of("branch3.1"), c, &THREE, V1)?;
        let d = net_ref.ceil_pool(&of("branch4.0"), x, Pooling::Max, [3, 1, 1]);
        let d = conv(net_ref, &of("branch4.1"), d, &ONE, V1)?;
        x = net_ref.concatenate_all(&of("cat"), &[a, b, c, d]);
    }
    let x = net.global_average("avgpool", x, false);
    let x = net.dropout("dropout", x, 0.2);
    let features = x.channels;
    let x = net.head("fc", "fc", x)?;
    let (name, assumed) = named(
        state,
        told,
        "googlenet",
        V1,
        ("conv1", 64),
        [features, 1024],
    )?;
    net.finish(V1, x, &name, Preprocessing::MinusOneToOne, assumed)
}

fn inception_v3(state: &StateDict, told: &Told) -> Result<Recognition, OpenError> {
    told.no_options()?;
    let (mut net, x) = Net::new(state, told, STYLE, "Conv2d_1a_3x3.conv", None);
    let x = conv(&mut net, "Conv2d_1a_3x3", x, &THREE_HALF, V3)?;
    let x = conv(&mut net, "Conv2d_2a_3x3", x, &THREE_INSIDE, V3)?;
    let x = conv(&mut net, "Conv2d_2b_3x3", x, &THREE, V3)?;
    let x = net.pool("maxpool1", x, Pooling::Max, [3, 2, 0]);
    let x = conv(&mut net, "Conv2d_3b_1x1", x, &ONE, V3)?;
    let x = conv(&mut net, "Conv2d_4a_3x3", x, &THREE_INSIDE, V3)?;
    let mut x = net.pool("maxpool2", x, Pooling::Max, [3, 2, 0]);
    for part in ["5b", "5c", "5d"] {
        x = mixed_5(&mut net, x, &format!("Mixed_{part}"))?;
    }
    x = mixed_6a(&mut net, x)?;
    for part in ["6b", "6c", "6d", "6e"] {
        x = mixed_6(&mut net, x, &format!("Mixed_{part}"))?;
    }
    x = mixed_7a(&mut net, x)?;
    for part in ["7b", "7c"] {
        x = mixed_7(&mut net, x, &format!("Mixed_{part}"))?;
    }
    let x = net.global_average("avgpool", x, false);
    let x = net.dropout("dropout", x, 0.5);
    let features = x.channels;
    let x = net.head("fc", "fc", x)?;
    let stem = ("Conv2d_1a_3x3", 32);
    let (name, assumed) = named(state, told, "inception_v3", V3, stem, [features, 2048])?;
    net.finish(V3, x, &name, Preprocessing::MinusOneToOne, assumed)
}

/// Convolutions one after the other.
fn branch(
    net: &mut Net<'_>,
    mut x: Value,
    name: &str,
    units: &[(&str, &Unit)],
) -> Result<Value, OpenError> {
    for (part, unit) in units {
        x = conv(net, &format!("{name}.{part}"), x, unit, V3)?;
    }
    Ok(x)
}

/// A mean over 3 x 3 pixels, zeros around the image included, and a convolution.
fn pooled(net: &mut Net<'_>, x: Value, name: &str) -> Result<Value, OpenError> {
    let x = net.zero_padding(&format!("{name}.pad"), x, 1);
    let x = net.pool(&format!("{name}.avgpool"), x, Pooling::Average, [3, 1, 0]);
    branch(net, x, name, &[("branch_pool", &ONE)])
}

fn mixed_5(net: &mut Net<'_>, x: Value, name: &str) -> Result<Value, OpenError> {
    let a = branch(net, x, name, &[("branch1x1", &ONE)])?;
    let b = branch(
        net,
        x,
        name,
        &[("branch5x5_1", &ONE), ("branch5x5_2", &FIVE)],
    )?;
    let c = branch(
        net,
        x,
        name,
        &[
            ("branch3x3dbl_1", &ONE),
            ("branch3x3dbl_2", &THREE),
            ("branch3x3dbl_3", &THREE),
        ],
    )?;
    let d = pooled(net, x, name)?;
    Ok(net.concatenate_all(&format!("{name}.cat"), &[a, b, c, d]))
}

fn mixed_6a(net: &mut Net<'_>, x: Value) -> Result<Value, OpenError> {
    let name = "Mixed_6a";
    let a = branch(net, x, name, &[("branch3x3", &THREE_HALF)])?;
    let b = branch(
        net,
        x,
        name,
        &[
            ("branch3x3dbl_1", &ONE),
            ("branch3x3dbl_2", &THREE),
            ("branch3x3dbl_3", &THREE_HALF),
        ],
    )?;
    let c = net.pool(&format!("{name}.maxpool"), x, Pooling::Max, [3, 2, 0]);
    Ok(net.concatenate_all(&format!("{name}.cat"), &[a, b, c]))
}

fn mixed_6(net: &mut Net<'_>, x: Value, name: &str) -> Result<Value, OpenError> {
    let a = branch(net, x, name, &[("branch1x1", &ONE)])?;
    let b = branch(
        net,
        x,
        name,
        &[
            ("branch7x7_1", &ONE),
            ("branch7x7_2", &WIDE_SEVEN),
            ("branch7x7_3", &HIGH_SEVEN),
        ],
    )?;
    let c = branch(
        net,
        x,
        name,
        &[
            ("branch7x7dbl_1", &ONE),
            ("branch7x7dbl_2", &HIGH_SEVEN),
            ("branch7x7dbl_3", &WIDE_SEVEN),
            ("branch7x7dbl_4", &HIGH_SEVEN),
            ("branch7x7dbl_5", &WIDE_SEVEN),
        ],
    )?;
    let d = pooled(net, x, name)?;
    Ok(net.concatenate_all(&format!("{name}.cat"), &[a, b, c, d]))
}

fn mixed_7a(net: &mut Net<'_>, x: Value) -> Result<Value, OpenError> {
    let name = "Mixed_7a";
    let a = branch(
        net,
        x,
        name,
        &[("branch3x3_1", &ONE), ("branch3x3_2", &THREE_HALF)],
    )?;
    let b = branch(
        net,
        x,
        name,
        &[
            ("branch7x7x3_1", &ONE),
            ("branch7x7x3_2", &WIDE_SEVEN),
            ("branch7x7x3_3", &HIGH_SEVEN),
            ("branch7x7x3_4", &THREE_HALF),
        ],
    )?;
    let c = net.pool(&format!("{name}.maxpool"), x, Pooling::Max, [3, 2, 0]);
    Ok(net.concatenate_all(&format!("{name}.cat"), &[a, b, c]))
}

fn mixed_7(net: &mut Net<'_>, x: Value, name: &str) -> Result<Value, OpenError> {
    let a = branch(net, x, name, &[("branch1x1", &ONE)])?;
    let b = branch(net, x, name, &[("branch3x3_1", &ONE)])?;
    let b1 = branch(net, b, name, &[("branch3x3_2a", &WIDE_THREE)])?;
    let b2 = branch(net, b, name, &[("branch3x3_2b", &HIGH_THREE)])?;
    let c = branch(
        net,
        x,
        name,
        &[("branch3x3dbl_1", &ONE), ("branch3x3dbl_2", &THREE)],
    )?;
    let c1 = branch(net, c, name, &[("branch3x3dbl_3a", &WIDE_THREE)])?;
    let c2 = branch(net, c, name, &[("branch3x3dbl_3b", &HIGH_THREE)])?;
    let d = pooled(net, x, name)?;
    Ok(net.concatenate_all(&format!("{name}.cat"), &[a, b1, b2, c1, c2, d]))
}
