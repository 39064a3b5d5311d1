//! DenseNet; torchvision and timm name it alike. Source: the modules of both libraries.

use super::choice::Told;
use super::families::Family;
use super::net::{Net, Style, Value};
use super::{Recognition, StateDict};
use crate::formats::OpenError;
use crate::model::graph::{Activation, Pooling};
use crate::model::{Assumption, Preprocessing};

pub static FAMILY: Family = Family {
    title: "a DenseNet",
    signature: &[
        "features.denseblock1.denselayer1.norm1.weight",
        "features.conv0.weight",
    ],
    renames: None,
    build,
};

const RELU: Activation = Activation::RELU;
/// Name, growth, channels of the stem, layers of the four blocks.
const PUBLISHED: [(&str, usize, usize, [usize; 4]); 4] = [
    ("densenet121", 32, 64, [6, 12, 24, 16]),
    ("densenet161", 48, 96, [6, 12, 36, 24]),
    ("densenet169", 32, 64, [6, 12, 32, 32]),
    ("densenet201", 32, 64, [6, 12, 48, 32]),
];
/// A layer's first convolution has this many times the growth.
const BOTTLENECK: usize = 4;

fn other(but: String) -> OpenError {
    OpenError::OtherNetwork {
        like: FAMILY.title.to_owned(),
        but,
    }
}

/// Checks the shape of a kernel.
fn check(net: &Net<'_>, name: &str, expected: [usize; 4]) -> Result<(), OpenError> {
    let key = format!("{name}.weight");
    match net.builder.shape(&key) {
        Some(found) if found == expected => Ok(()),
        Some(found) => Err(other(format!(
            "`{key}` has shape {found:?}, not {expected:?}"
        ))),
        None => Err(other(format!("it has no `{key}`"))),
    }
}

fn build(state: &StateDict, told: &Told) -> Result<Recognition, OpenError> {
    told.no_options()?;
    let (mut net, x) = Net::new(state, told, Style::PLAIN, "features.conv0", None);
    let width = |key: &str| {
        let dims = state.get(key).map(candle_core::Tensor::dims);
        dims.and_then(|d| d.first().copied()).unwrap_or_default()
    };
    let stem = width("features.conv0.weight");
    let growth = width("features.denseblock1.denselayer1.conv2.weight");
    if growth == 0 {
        return Err(other("its first block has no `conv2`".to_owned()));
    }
    check(&net, "features.conv0", [stem, x.channels, 7, 7])?;
    let x = net.unit(["features.conv0", "features.norm0"], x, 2, RELU)?;
    let mut x = net.pool("features.pool0", x, Pooling::Max, [3, 2, 1]);
    let mut depths = [0; 4];
    for stage in 1..=4 {
        let has = |i: &usize| {
            state.contains_key(&format!(
                "features.denseblock{stage}.denselayer{i}.conv1.weight"
            ))
        };
        let depth = (1..usize::from(u16::MAX)).take_while(has).count();
        depths[stage - 1] = depth;
        for i in 1..=depth {
            let stem = format!("features.denseblock{stage}.denselayer{i}");
            x = layer(&mut net, x, &stem, growth)?;
        }
        if stage < 4 {
            let stem = format!("features.transition{stage}");
            let conv = format!("{stem}.conv");
            check(&net, &conv, [x.channels / 2, x.channels, 1, 1])?;
            let norm = format!("{stem}.norm");
            x = net.batch_norm(&norm, x)?;
            x = net.activation(&norm, x, RELU);
            x = net.conv(&conv, x, 1)?;
            x = net.pool(&format!("{stem}.pool"), x, Pooling::Average, [2, 2, 0]);
        }
    }
    x = net.batch_norm("features.norm5", x)?;
    x = net.activation("features.norm5", x, RELU);
    x = net.global_average("avgpool", x, false);
    let x = net.head("classifier", "classifier", x)?;
    let published = PUBLISHED
        .iter()
        .find(|(_, g, s, d)| (*g, *s, *d) == (growth, stem, depths));
    let name = match published {
        Some((name, ..)) => (*name).to_owned(),
        None => format!("a DenseNet of {depths:?} layers with growth {growth}"),
    };
    told.check_name(&name, published.map(|(name, ..)| *name).as_slice())?;
    let assumed = match published {
        Some(_) => Vec::new(),
        None => vec![Assumption {
            sentence: "the file does not tell strides and pooling, and its widths are those of no \
                published network: they are taken as in torchvision's densenet121"
                .to_owned(),
            choices: Vec::new(),
        }],
    };
    net.finish(FAMILY.title, x, &name, Preprocessing::ImageNet, assumed)
}

/// Appends `growth` channels to `x`.
fn layer(net: &mut Net<'_>, x: Value, stem: &str, growth: usize) -> Result<Value, OpenError> {
    let of = |part: &str| format!("{stem}.{part}");
    let inner = BOTTLENECK * growth;
    check(net, &of("conv1"), [inner, x.channels, 1, 1])?;
    check(net, &of("conv2"), [growth, inner, 3, 3])?;
    let mut y = x;
    for part in 1..=2 {
        let norm = of(&format!("norm{part}"));
        y = net.batch_norm(&norm, y)?;
        y = net.activation(&norm, y, RELU);
        y = net.conv(&of(&format!("conv{part}")), y, 1)?;
    }
    Ok(net.concatenate(&of("cat"), x, y))
}
