//! Swin transformers (V1), as torchvision and timm name them. Source: the modules of both libraries.

use super::choice::Told;
use super::families::{Family, Naming, unpublished};
use super::net::{Net, Style, Value};
use super::stochastic_depth::StochasticDepth;
use super::{Recognition, StateDict};
use crate::formats::OpenError;
use crate::model::Preprocessing;
use crate::model::graph::{Activation, Conv2d, Padding};
use crate::model::layers::WindowAttention;

pub static TORCHVISION: Family = Family {
    title: TITLE,
    signature: &[
        "features.1.0.attn.relative_position_bias_table",
        "features.0.0.weight",
    ],
    renames: None,
    build: |state, told| build(state, told, Naming::Torchvision),
};
pub static TIMM: Family = Family {
    title: TITLE,
    signature: &[
        "layers.0.blocks.0.attn.relative_position_bias_table",
        "patch_embed.proj.weight",
    ],
    renames: None,
    build: |state, told| build(state, told, Naming::Timm),
};

const TITLE: &str = "a Swin transformer";
const EPSILON: f64 = 1e-5;
const GELU: Activation = Activation::Gelu { approximate: false };
/// Side of the patches, and how much smaller the image of the last stage is than the photo.
const PATCH: usize = 4;
const SHRUNK: usize = 32;
const EXPANSION: usize = 4;
/// Size, channels of the first stage, blocks, torchvision's stochastic depth.
const PUBLISHED: [(&str, usize, [usize; 4], f64); 4] = [
    ("tiny", 96, [2, 2, 6, 2], 0.2),
    ("small", 96, [2, 2, 18, 2], 0.3),
    ("base", 128, [2, 2, 18, 2], 0.5),
    ("large", 192, [2, 2, 18, 2], 0.0),
];
/// timm's default.
const TIMM_DEPTH: f64 = 0.1;

fn block_name(naming: Naming, stage: usize, index: usize) -> String {
    match naming {
        Naming::Torchvision => format!("features.{}.{index}", 2 * stage + 1),
        Naming::Timm => format!("layers.{stage}.blocks.{index}"),
    }
}

fn hidden_names(naming: Naming) -> [&'static str; 2] {
    match naming {
        Naming::Torchvision => ["mlp.0", "mlp.3"],
        Naming::Timm => ["mlp.fc1", "mlp.fc2"],
    }
}

fn stem_names(naming: Naming) -> [&'static str; 2] {
    match naming {
        Naming::Torchvision => ["features.0.0", "features.0.2"],
        Naming::Timm => ["patch_embed.proj", "patch_embed.norm"],
    }
}

/// The modules before a stage: `norm` and `reduction` follow.
fn merging_name(naming: Naming, stage: usize, has: impl Fn(&str) -> bool) -> String {
    let old = format!("layers.{}.downsample", stage - 1);
    match naming {
        Naming::Torchvision => format!("features.{}", 2 * stage),
        // Until timm 0.8, and in the authors' files, it ends the stage before.
        Naming::Timm if has("layers.0.downsample.norm.weight") => old,
        Naming::Timm => format!("layers.{stage}.downsample"),
    }
}

fn other(but: impl Into<String>) -> OpenError {
    OpenError::OtherNetwork {
        like: TITLE.to_owned(),
        but: but.into(),
    }
}

fn build(state: &StateDict, told: &Told, naming: Naming) -> Result<Recognition, OpenError> {
    let dims = |key: &str| state.get(key).map(candle_core::Tensor::dims);
    let table = format!(
        "{}.attn.relative_position_bias_table",
        block_name(naming, 0, 0)
    );
    let Some(&[offsets, _]) = dims(&table) else {
        return Err(other(format!("`{table}` is no table")));
    };
    let window = offsets.isqrt().div_ceil(2);
    if window == 0 || (2 * window - 1).pow(2) != offsets {
        return Err(other(format!(
            "`{table}` has {offsets} rows, no odd square"
        )));
    }
    let mut depths = [0; 4];
    for (stage, depth) in depths.iter_mut().enumerate() {
        let has = |i: &usize| {
            state.contains_key(&format!(
                "{}.attn.qkv.weight",
                block_name(naming, stage, *i)
            ))
        };
        *depth = (0..usize::from(u16::MAX)).take_while(has).count();
    }
    let [conv, norm] = stem_names(naming);
    let Some(&[width, _, PATCH, PATCH]) = dims(&format!("{conv}.weight")) else {
        return Err(other(format!("`{conv}` has no patches of {PATCH} pixels")));
    };
    let size = window.saturating_mul(SHRUNK);
    let published = PUBLISHED
        .iter()
        .find(|p| (p.1, p.2) == (width, depths) && (naming == Naming::Timm || p.0 != "large"));
    let known = published.map(|(word, ..)| match naming {
        Naming::Torchvision => format!("swin_{}", &word[..1]),
        Naming::Timm => format!("swin_{word}_patch4_window{window}_{size}"),
    });
    let name = known.clone().unwrap_or_else(|| {
        format!("a Swin transformer of {depths:?} blocks with {width} channels")
    });
    told.check_name(&name, known.as_deref().as_slice())?;
    let of_library = match naming {
        Naming::Torchvision => published.map_or(0.0, |p| p.3),
        Naming::Timm => TIMM_DEPTH,
    };
    let depth = StochasticDepth::of(told, of_library)?;
    let (mut net, x) = Net::new(state, told, Style::PLAIN, conv, Some(size));
    let kernel = [width, x.channels, PATCH, PATCH];
    net.expect(conv, &kernel, TITLE)?;
    let settings = Conv2d {
        strides: [PATCH; 2],
        dilation: [1, 1],
        padding: Padding::Valid,
        groups: 1,
        activation: Activation::Linear,
    };
    let x = net.conv_with(conv, x, &kernel, settings)?;
    let mut x = net.layer_norm(norm, x, EPSILON)?;
    let total: usize = depths.iter().sum();
    let (mut place, mut side) = (0, size / PATCH);
    for (stage, blocks) in depths.into_iter().enumerate() {
        if stage > 0 {
            let has = |key: &str| state.contains_key(key);
            x = merge(&mut net, x, &merging_name(naming, stage, has))?;
            side /= 2;
        }
        for index in 0..blocks {
            let rate = depth.rate(place, total);
            let odd = index % 2 == 1 && window < side;
            let shift = if odd { window / 2 } else { 0 };
            let block_name = block_name(naming, stage, index);
            x = block(&mut net, x, &block_name, naming, [window, shift], rate)?;
            place += 1;
        }
    }
    x = net.layer_norm("norm", x, EPSILON)?;
    x = net.global_average("avgpool", x, false);
    let head = if net.has_any("head.fc.") {
        "head.fc"
    } else {
        "head"
    };
    let x = net.head(head, head, x)?;
    let mut assumed = Vec::new();
    if published.is_none() {
        assumed.push(unpublished("torchvision's swin_t"));
    }
    assumed.extend(depth.assumption(told, naming.library()));
    net.finish(TITLE, x, &name, Preprocessing::ImageNet, assumed)
}

fn block(
    net: &mut Net<'_>,
    x: Value,
    name: &str,
    naming: Naming,
    [window, shift]: [usize; 2],
    rate: f64,
) -> Result<Value, OpenError> {
    let of = |part: &str| format!("{name}.{part}");
    let channels = x.channels;
    let y = net.layer_norm(&of("norm1"), x, EPSILON)?;
    let y = net.packed_linear(&of("attn.qkv."), y, 3 * channels)?;
    let key = of("attn.relative_position_bias_table");
    let heads = net.last_axis(&key);
    if heads == 0 || !channels.is_multiple_of(heads) {
        return Err(other(format!(
            "`{key}` has {heads} heads for {channels} channels"
        )));
    }
    let settings = WindowAttention {
        heads,
        window,
        shift,
    };
    let y = net.window_attention(&key, y, settings)?;
    let y = net.square_linear(&of("attn.proj"), y, channels)?;
    let y = net.dropout(&of("attn.proj_drop"), y, 0.0);
    let y = net.stochastic_depth(&of("drop_path1"), y, rate);
    let x = net.add(&of("add1"), x, y)?;
    let y = net.layer_norm(&of("norm2"), x, EPSILON)?;
    let hidden = hidden_names(naming).map(of);
    let y = net.square_linear(&hidden[0], y, EXPANSION * channels)?;
    let y = net.activation(&hidden[0], y, GELU);
    let y = net.dropout(&of("mlp.drop1"), y, 0.0);
    let y = net.square_linear(&hidden[1], y, channels)?;
    let y = net.dropout(&of("mlp.drop2"), y, 0.0);
    let y = net.stochastic_depth(&of("drop_path2"), y, rate);
    // Constants that the modules keep beside their weights.
    for part in ["attn.relative_position_index", "attn_mask"] {
        net.leave_out(&of(part));
    }
    net.add(&of("add2"), x, y)
}

/// Half as many pixels a side and twice the channels.
fn merge(net: &mut Net<'_>, x: Value, name: &str) -> Result<Value, OpenError> {
    let corners = [[0, 0], [1, 0], [0, 1], [1, 1]];
    let corners = corners.map(|at| net.every_second(&format!("{name}.{}{}", at[0], at[1]), x, at));
    let y = net.concatenate_all(&format!("{name}.cat"), &corners);
    let y = net.layer_norm(&format!("{name}.norm"), y, EPSILON)?;
    net.square_linear(&format!("{name}.reduction"), y, 2 * x.channels)
}
