//! SqueezeNet of torchvision. Source: its module.

use super::choice::Told;
use super::families::Family;
use super::net::{Net, Style, Value};
use super::{Recognition, StateDict};
use crate::formats::OpenError;
use crate::model::Preprocessing;
use crate::model::graph::{Activation, Conv2d, Padding, Pooling};

pub static FAMILY: Family = Family {
    title: TITLE,
    signature: &["features.3.squeeze.weight", "features.0.weight"],
    renames: None,
    build,
};

const TITLE: &str = "a SqueezeNet";
const RELU: Activation = Activation::RELU;

/// A published network: its first convolution, and the numbers of its modules.
struct Published {
    name: &'static str,
    /// Side and output channels of the first kernel.
    stem: [usize; 2],
    pools: [usize; 3],
    /// Number of the module, channels after `squeeze`, output channels.
    fires: [(usize, usize, usize); 8],
}

const PUBLISHED: [Published; 2] = [
    Published {
        name: "squeezenet1_0",
        stem: [7, 96],
        pools: [2, 6, 11],
        fires: [
            (3, 16, 128),
            (4, 16, 128),
            (5, 32, 256),
            (7, 32, 256),
            (8, 48, 384),
            (9, 48, 384),
            (10, 64, 512),
            (12, 64, 512),
        ],
    },
    Published {
        name: "squeezenet1_1",
        stem: [3, 64],
        pools: [2, 5, 8],
        fires: [
            (3, 16, 128),
            (4, 16, 128),
            (6, 32, 256),
            (7, 32, 256),
            (9, 48, 384),
            (10, 48, 384),
            (11, 64, 512),
            (12, 64, 512),
        ],
    },
];
/// Number of the last module.
const LAST: usize = 12;

fn other(but: impl Into<String>) -> OpenError {
    OpenError::OtherNetwork {
        like: TITLE.to_owned(),
        but: but.into(),
    }
}

fn build(state: &StateDict, told: &Told) -> Result<Recognition, OpenError> {
    told.no_options()?;
    let (mut net, x) = Net::new(state, told, Style::PLAIN, "features.0", None);
    let stem = net.builder.shape("features.0.weight");
    let side = stem.and_then(|s| s.last().copied()).unwrap_or_default();
    let published = PUBLISHED.iter().find(|p| p.stem[0] == side);
    let published = published.ok_or_else(|| other("its first kernel is not 3 x 3 or 7 x 7"))?;
    told.check_name(published.name, &[published.name])?;
    let [side, width] = published.stem;
    let mut x = conv(&mut net, "features.0", x, [width, side], 2, 0)?;
    for at in 2..=LAST {
        let name = format!("features.{at}");
        if published.pools.contains(&at) {
            x = net.ceil_pool(&name, x, Pooling::Max, [3, 2, 0]);
        } else if let Some(&(_, squeezed, out)) = published.fires.iter().find(|f| f.0 == at) {
            x = fire(&mut net, x, &name, [squeezed, out / 2])?;
        }
    }
    let x = net.dropout("classifier.0", x, 0.5);
    let key = "classifier.1.weight";
    let Some(&[classes, ..]) = net.builder.shape(key) else {
        return Err(other(format!(
            "it has no `{key}`, the convolution of its classes"
        )));
    };
    let x = conv(&mut net, "classifier.1", x, [classes, 1], 1, 0)?;
    let x = net.global_average("classifier.3", x, false);
    net.finish(
        TITLE,
        x,
        published.name,
        Preprocessing::ImageNet,
        Vec::new(),
    )
}

/// A convolution with these output channels and kernel side, and a ReLU.
fn conv(
    net: &mut Net<'_>,
    name: &str,
    x: Value,
    [out, side]: [usize; 2],
    stride: usize,
    padding: usize,
) -> Result<Value, OpenError> {
    let shape = [out, x.channels, side, side];
    net.expect(name, &shape, TITLE)?;
    let settings = Conv2d {
        strides: [stride; 2],
        dilation: [1, 1],
        padding: if padding == 0 {
            Padding::Valid
        } else {
            Padding::Around(padding)
        },
        groups: 1,
        activation: Activation::Linear,
    };
    let x = net.conv_with(name, x, &shape, settings)?;
    Ok(net.activation(name, x, RELU))
}

/// Squeezes the channels, and expands them with kernels of two sizes.
fn fire(
    net: &mut Net<'_>,
    x: Value,
    name: &str,
    [squeezed, half]: [usize; 2],
) -> Result<Value, OpenError> {
    let of = |part: &str| format!("{name}.{part}");
    let x = conv(net, &of("squeeze"), x, [squeezed, 1], 1, 0)?;
    let a = conv(net, &of("expand1x1"), x, [half, 1], 1, 0)?;
    let b = conv(net, &of("expand3x3"), x, [half, 3], 1, 1)?;
    Ok(net.concatenate(&of("cat"), a, b))
}
