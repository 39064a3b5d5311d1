//! ShuffleNetV2 of torchvision. Source: its module.

use super::choice::Told;
use super::families::{Family, unpublished};
use super::net::{Net, Style, Value};
use super::{Recognition, StateDict};
use crate::formats::OpenError;
use crate::model::Preprocessing;
use crate::model::graph::{Activation, Pooling};

pub static FAMILY: Family = Family {
    title: TITLE,
    signature: &["stage2.0.branch1.0.weight", "conv1.0.weight"],
    renames: None,
    build,
};

const TITLE: &str = "a ShuffleNetV2";
const RELU: Activation = Activation::RELU;
/// Name, channels of the stages and of the last convolution.
const PUBLISHED: [(&str, [usize; 4]); 4] = [
    ("shufflenet_v2_x0_5", [48, 96, 192, 1024]),
    ("shufflenet_v2_x1_0", [116, 232, 464, 1024]),
    ("shufflenet_v2_x1_5", [176, 352, 704, 1024]),
    ("shufflenet_v2_x2_0", [244, 488, 976, 2048]),
];
const STEM: usize = 24;
const BLOCKS: [usize; 3] = [4, 8, 4];

fn other(but: impl Into<String>) -> OpenError {
    OpenError::OtherNetwork {
        like: TITLE.to_owned(),
        but: but.into(),
    }
}

fn build(state: &StateDict, told: &Told) -> Result<Recognition, OpenError> {
    told.no_options()?;
    let width = |key: String| match state.get(&key).map(candle_core::Tensor::dims) {
        Some(&[out, ..]) if out > 0 => Ok(out),
        _ => Err(other(format!("it has no `{key}`"))),
    };
    let (mut widths, mut depths) = ([0; 4], [0; 3]);
    for stage in 0..3 {
        let half = |i: usize| format!("stage{}.{i}.branch2.5.weight", stage + 2);
        widths[stage] = 2 * width(half(0))?;
        let has = |i: &usize| state.contains_key(&half(*i));
        depths[stage] = (0..usize::from(u16::MAX)).take_while(has).count();
    }
    widths[3] = width("conv5.0.weight".to_owned())?;
    let stem = width("conv1.0.weight".to_owned())?;
    let published = PUBLISHED
        .iter()
        .find(|(_, all)| *all == widths && (stem, depths) == (STEM, BLOCKS));
    let name = match published {
        Some((name, _)) => (*name).to_owned(),
        None => format!("a ShuffleNetV2 of {depths:?} blocks with {widths:?} channels"),
    };
    told.check_name(&name, published.map(|(name, _)| *name).as_slice())?;
    let (mut net, x) = Net::new(state, told, Style::PLAIN, "conv1.0", None);
    net.expect("conv1.0", &[stem, x.channels, 3, 3], TITLE)?;
    let x = net.unit(["conv1.0", "conv1.1"], x, 2, RELU)?;
    let mut x = net.pool("maxpool", x, Pooling::Max, [3, 2, 1]);
    for stage in 0..3 {
        for i in 0..depths[stage] {
            let name = format!("stage{}.{i}", stage + 2);
            x = block(&mut net, x, &name, widths[stage] / 2, i == 0)?;
        }
    }
    net.expect("conv5.0", &[widths[3], x.channels, 1, 1], TITLE)?;
    let x = net.unit(["conv5.0", "conv5.1"], x, 1, RELU)?;
    let x = net.global_average("mean", x, false);
    let x = net.head("fc", "fc", x)?;
    let assumed = match published {
        Some(_) => Vec::new(),
        None => vec![unpublished("torchvision's shufflenet_v2_x1_0")],
    };
    net.finish(TITLE, x, &name, Preprocessing::ImageNet, assumed)
}

/// Two branches side by side, whose channels are shuffled. In a block that keeps the size, the first
/// branch is half of the input.
fn block(
    net: &mut Net<'_>,
    x: Value,
    name: &str,
    half: usize,
    shrinks: bool,
) -> Result<Value, OpenError> {
    let of = |part: &str| format!("{name}.{part}");
    let stride = if shrinks { 2 } else { 1 };
    let [left, right] = if shrinks {
        [x, x]
    } else {
        [0, 1].map(|at| net.half_of_channels(&format!("{name}.chunk{at}"), x, at))
    };
    let mut left = left;
    if shrinks {
        net.expect(&of("branch1.0"), &[x.channels, 1, 3, 3], TITLE)?;
        net.expect(&of("branch1.2"), &[half, x.channels, 1, 1], TITLE)?;
        left = net.unit(
            [&of("branch1.0"), &of("branch1.1")],
            left,
            stride,
            Activation::Linear,
        )?;
        left = net.unit([&of("branch1.2"), &of("branch1.3")], left, 1, RELU)?;
    }
    net.expect(&of("branch2.0"), &[half, right.channels, 1, 1], TITLE)?;
    net.expect(&of("branch2.3"), &[half, 1, 3, 3], TITLE)?;
    net.expect(&of("branch2.5"), &[half, half, 1, 1], TITLE)?;
    let y = net.unit([&of("branch2.0"), &of("branch2.1")], right, 1, RELU)?;
    let y = net.unit(
        [&of("branch2.3"), &of("branch2.4")],
        y,
        stride,
        Activation::Linear,
    )?;
    let y = net.unit([&of("branch2.5"), &of("branch2.6")], y, 1, RELU)?;
    let y = net.concatenate(&of("cat"), left, y);
    Ok(net.channel_shuffle(&of("shuffle"), y, 2))
}
