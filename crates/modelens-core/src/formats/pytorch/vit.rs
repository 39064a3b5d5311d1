//! Vision transformers, as torchvision, timm and DINO name them. Source: the modules of the three.

use super::choice::{Told, unknown_option};
use super::families::{Family, Naming};
use super::net::{Net, Style, Value};
use super::{Recognition, StateDict};
use crate::formats::OpenError;
use crate::model::graph::{Activation, Conv2d, Padding};
use crate::model::{Assumption, Preprocessing};

pub static TORCHVISION: Family = Family {
    title: TITLE,
    signature: &[
        "encoder.layers.encoder_layer_0.self_attention.in_proj_weight",
        "conv_proj.weight",
    ],
    renames: None,
    build: |state, told| build(state, told, Naming::Torchvision),
};
pub static TIMM: Family = Family {
    title: TITLE,
    signature: &[
        "blocks.0.attn.qkv.weight",
        "patch_embed.proj.weight",
        "pos_embed",
    ],
    renames: None,
    build: |state, told| build(state, told, Naming::Timm),
};

const TITLE: &str = "a vision transformer";
/// Epsilon of every `LayerNorm`.
const EPSILON: f64 = 1e-6;
/// A hidden layer has this many times the channels of a token.
const EXPANSION: usize = 4;
const GELU: Activation = Activation::Gelu { approximate: false };
/// Channels of a token, and the heads that torchvision, timm and DINO divide them into.
const HEADS: [(usize, usize); 8] = [
    (192, 3),
    (320, 5),
    (384, 6),
    (512, 8),
    (768, 12),
    (1024, 16),
    (1280, 16),
    (1408, 16),
];
/// Channels of each head in other networks.
const HEAD_WIDTH: usize = 64;
/// Size in timm's names, size in torchvision's, channels, blocks.
const PUBLISHED: [(&str, &str, usize, usize); 5] = [
    ("tiny", "", 192, 12),
    ("small", "", 384, 12),
    ("base", "b", 768, 12),
    ("large", "l", 1024, 24),
    ("huge", "h", 1280, 32),
];

/// The names of one block's modules.
struct Names {
    norms: [String; 2],
    /// The linear layer before the attention, as the start of its tensors' names.
    packed: String,
    projection: String,
    hidden: [String; 2],
    scales: [String; 2],
    dropped: [String; 2],
    block: String,
}

fn block_names(naming: Naming, i: usize, has: impl Fn(&str) -> bool) -> Names {
    match naming {
        Naming::Torchvision => {
            let block = format!("encoder.layers.encoder_layer_{i}");
            let of = |part: &str| format!("{block}.{part}");
            // torchvision before 0.12 called them so.
            let old = has(&of("mlp.linear_1.weight"));
            let hidden = if old {
                ["mlp.linear_1", "mlp.linear_2"]
            } else {
                ["mlp.0", "mlp.3"]
            };
            Names {
                norms: [of("ln_1"), of("ln_2")],
                packed: of("self_attention.in_proj_"),
                projection: of("self_attention.out_proj"),
                hidden: hidden.map(of),
                scales: [String::new(), String::new()],
                dropped: [of("drop_path1"), of("drop_path2")],
                block,
            }
        }
        Naming::Timm => {
            let block = format!("blocks.{i}");
            let of = |part: &str| format!("{block}.{part}");
            Names {
                norms: [of("norm1"), of("norm2")],
                packed: of("attn.qkv."),
                projection: of("attn.proj"),
                hidden: [of("mlp.fc1"), of("mlp.fc2")],
                scales: [of("ls1.gamma"), of("ls2.gamma")],
                dropped: [of("drop_path1"), of("drop_path2")],
                block,
            }
        }
    }
}

fn patches_name(naming: Naming) -> &'static str {
    match naming {
        Naming::Torchvision => "conv_proj",
        Naming::Timm => "patch_embed.proj",
    }
}

fn class_token_name(naming: Naming) -> &'static str {
    match naming {
        Naming::Torchvision => "class_token",
        Naming::Timm => "cls_token",
    }
}

fn positions_name(naming: Naming) -> &'static str {
    match naming {
        Naming::Torchvision => "encoder.pos_embedding",
        Naming::Timm => "pos_embed",
    }
}

/// The token of DeiT's second head.
const DISTILLED: &str = "dist_token";

/// What the shapes tell.
struct Shape {
    naming: Naming,
    channels: usize,
    patch: usize,
    /// Patches along one side of a photo.
    grid: usize,
    blocks: usize,
    hidden: usize,
    has_class: bool,
    /// The tensor of further tokens after the class token, and their number.
    registers: Option<(&'static str, usize)>,
    /// How many of the tokens before the patches have a position.
    placed: usize,
}

fn other(but: impl Into<String>) -> OpenError {
    OpenError::OtherNetwork {
        like: TITLE.to_owned(),
        but: but.into(),
    }
}

impl Shape {
    fn of(state: &StateDict, naming: Naming) -> Result<Self, OpenError> {
        let dims = |key: &str| state.get(key).map(candle_core::Tensor::dims);
        let need = |key: &str| dims(key).ok_or_else(|| other(format!("it has no `{key}`")));
        let key = format!("{}.weight", patches_name(naming));
        let &[channels, _, patch, width] = need(&key)? else {
            return Err(other(format!("`{key}` is no convolution")));
        };
        if patch != width || patch == 0 || channels == 0 {
            return Err(other(format!("its patches have {patch} by {width} pixels")));
        }
        let token = |key: &str| match dims(key) {
            None => Ok(0),
            Some(&[1, count, width]) if width == channels => Ok(count),
            Some(found) => Err(other(format!(
                "`{key}` has shape {found:?}, not [1, 1, {channels}]"
            ))),
        };
        let has_class = token(class_token_name(naming))? == 1;
        let mut registers = None;
        for key in ["reg_token", "register_tokens", DISTILLED] {
            let count = token(key)?;
            if count > 0 {
                registers = Some((key, count));
            }
        }
        let key = positions_name(naming);
        let &[1, positions, width] = need(key)? else {
            return Err(other(format!("`{key}` has shape {:?}", dims(key))));
        };
        if width != channels {
            return Err(other(format!(
                "`{key}` has {width} channels, not {channels}"
            )));
        }
        let before = usize::from(has_class) + registers.map_or(0, |(_, count)| count);
        let mut ways = vec![before, usize::from(has_class), 0];
        ways.dedup();
        let square = |placed: &usize| {
            let grid = positions.checked_sub(*placed)?.isqrt();
            (grid > 0 && grid * grid + placed == positions).then_some((*placed, grid))
        };
        // Where several fit, the photo is not that of the least patches.
        let fits = ways.iter().filter_map(square);
        let (placed, grid) = fits.max_by_key(|(_, grid)| *grid).ok_or_else(|| {
            other(format!(
                "its {positions} positions belong to no square photo"
            ))
        })?;
        let has = |key: &str| state.contains_key(key);
        let is_block = |i: &usize| has(&format!("{}weight", block_names(naming, *i, has).packed));
        let blocks = (0..usize::from(u16::MAX)).take_while(is_block).count();
        let first = format!("{}.weight", block_names(naming, 0, has).hidden[0]);
        let hidden = need(&first)?.first().copied().unwrap_or_default();
        Ok(Self {
            naming,
            channels,
            patch,
            grid,
            blocks,
            hidden,
            has_class,
            registers,
            placed,
        })
    }

    /// True for a network with a head on a second token, whose outputs are averaged.
    fn is_distilled(&self) -> bool {
        self.has_class && self.registers == Some((DISTILLED, 1))
    }

    fn size(&self) -> usize {
        self.grid.saturating_mul(self.patch)
    }

    /// Its name, where its widths are published, and the words that other names for it begin with.
    fn published(&self) -> Option<(String, Vec<String>)> {
        let found = PUBLISHED.iter().find(|(_, short, channels, blocks)| {
            let named = self.naming == Naming::Timm || !short.is_empty();
            named && (*channels, *blocks) == (self.channels, self.blocks)
        });
        let (long, short, ..) = found.filter(|_| self.hidden == EXPANSION * self.channels)?;
        Some(match self.naming {
            Naming::Torchvision => (format!("vit_{short}_{}", self.patch), Vec::new()),
            Naming::Timm if self.is_distilled() => (
                format!("deit_{long}_distilled_patch{}_{}", self.patch, self.size()),
                vec![format!("deit_{long}_distilled_patch{}_", self.patch)],
            ),
            Naming::Timm => (
                format!("vit_{long}_patch{}_{}", self.patch, self.size()),
                ["vit", "deit", "deit3"]
                    .map(|kind| format!("{kind}_{long}_patch{}_", self.patch))
                    .to_vec(),
            ),
        })
    }

    fn description(&self) -> String {
        format!(
            "a vision transformer of {} blocks with {} channels and patches of {} pixels",
            self.blocks, self.channels, self.patch
        )
    }
}

/// What a person may choose.
struct Options {
    heads: usize,
    heads_told: bool,
    /// Share of the images whose last residual branch is dropped.
    drop_path: f64,
}

impl Options {
    fn of(shape: &Shape, told: &Told) -> Result<Self, OpenError> {
        let table = HEADS.iter().find(|(width, _)| *width == shape.channels);
        let heads = table.map_or_else(|| (shape.channels / HEAD_WIDTH).max(1), |&(_, heads)| heads);
        let mut options = Self {
            heads,
            heads_told: false,
            drop_path: 0.0,
        };
        for option in &told.options {
            let wrong = || unknown_option(option, &["heads=NUMBER", "drop_path=RATE"]);
            match option.split_once('=') {
                Some(("heads", number)) => {
                    options.heads = number.parse().map_err(|_| wrong())?;
                    options.heads_told = true;
                }
                Some(("drop_path", rate)) => {
                    let rate = rate.parse().ok().filter(|rate| (0.0..1.0).contains(rate));
                    options.drop_path = rate.ok_or_else(wrong)?;
                }
                _ => return Err(wrong()),
            }
        }
        if options.heads == 0 || !shape.channels.is_multiple_of(options.heads) {
            return Err(OpenError::Refused(format!(
                "{} channels cannot be divided into {} heads; choose another number with \
                 --architecture auto:heads=NUMBER",
                shape.channels, options.heads
            )));
        }
        Ok(options)
    }

    fn assumptions(&self, shape: &Shape, told: &Told) -> Vec<Assumption> {
        let mut assumed = Vec::new();
        if !self.heads_told && told.name.is_none() {
            let heads = |heads| told.with_option(&format!("heads={heads}"));
            let fits = |n: &usize| *n > 0 && *n != self.heads && shape.channels.is_multiple_of(*n);
            let others = [self.heads / 2, self.heads * 2, 3, 6, 12].into_iter();
            let mut others: Vec<usize> = others.filter(fits).collect();
            others.sort_unstable();
            others.dedup();
            let choices = [self.heads].into_iter().chain(others).map(heads);
            assumed.push(Assumption {
                sentence: format!(
                    "the file does not tell the number of heads, epsilon and activation: {} heads for {} \
                     channels, 1e-6 and GELU, as in {}",
                    self.heads,
                    shape.channels,
                    match shape.naming {
                        Naming::Torchvision => "torchvision",
                        Naming::Timm => "timm and DINO",
                    }
                ),
                choices: choices.collect(),
            });
        }
        if self.drop_path == 0.0 {
            let choice = |rate: f64| told.with_option(&format!("drop_path={rate}"));
            assumed.push(Assumption {
                sentence:
                    "the file does not tell the rates of dropout and stochastic depth: they are \
                    0, so `.train()` and `.eval()` give the same outputs"
                        .to_owned(),
                choices: [0.0, 0.1, 0.2].map(choice).to_vec(),
            });
        }
        assumed
    }
}

fn build(state: &StateDict, told: &Told, naming: Naming) -> Result<Recognition, OpenError> {
    let shape = Shape::of(state, naming)?;
    let options = Options::of(&shape, told)?;
    let published = shape.published();
    let name = match &published {
        Some((name, _)) => name.clone(),
        None => shape.description(),
    };
    let starts = published.as_ref().map_or(&[][..], |(_, starts)| starts);
    let is_alike = |told: &String| {
        starts.iter().any(|start| told.starts_with(start)) && !told.contains("quickgelu")
    };
    if !told.name.as_ref().is_some_and(is_alike) {
        told.check_name(
            &name,
            published.as_ref().map(|(n, _)| n.as_str()).as_slice(),
        )?;
    }
    let stem = patches_name(naming);
    let (mut net, x) = Net::new(state, told, Style::PLAIN, stem, Some(shape.size()));
    let key = format!("{stem}.weight");
    let kernel = [shape.channels, x.channels, shape.patch, shape.patch];
    if net.builder.shape(&key) != Some(&kernel) {
        return Err(other(format!("`{key}` is no convolution over patches")));
    }
    let strided = Conv2d {
        strides: [shape.patch; 2],
        dilation: [1, 1],
        padding: Padding::Valid,
        groups: 1,
        activation: Activation::Linear,
    };
    let x = net.conv_with(stem, x, &kernel, strided)?;
    let x = net.tokens("tokens", x, shape.grid * shape.grid);
    let mut x = with_tokens(&mut net, x, &shape)?;
    x = net.dropout(
        match naming {
            Naming::Torchvision => "encoder.dropout",
            Naming::Timm => "pos_drop",
        },
        x,
        0.0,
    );
    // CLIP's have a norm before the first block, and another epsilon.
    let is_clip = naming == Naming::Timm && net.has("norm_pre.weight");
    let epsilon = if is_clip { 1e-5 } else { EPSILON };
    if is_clip {
        x = net.layer_norm("norm_pre", x, epsilon)?;
    }
    let has = |key: &str| state.contains_key(key);
    for i in 0..shape.blocks {
        let names = block_names(naming, i, has);
        let rate = options.drop_path * i as f64 / (shape.blocks.max(2) - 1) as f64;
        x = block(&mut net, x, &names, &shape, options.heads, [rate, epsilon])?;
    }
    let mut assumed = options.assumptions(&shape, told);
    if is_clip {
        assumed.push(Assumption {
            sentence: "its norm before the first block is that of CLIP: the activation is taken to be GELU, \
                and OpenAI's own weights need x sigmoid(1.702 x) instead"
                .to_owned(),
            choices: Vec::new(),
        });
    }
    let x = after_blocks(&mut net, x, &shape, epsilon)?;
    let has_head = net.has_any("head.");
    let x = match naming {
        Naming::Torchvision => net.head("heads", "heads.head", x)?,
        Naming::Timm if shape.is_distilled() => {
            let a = net.token("class_token_only", x, 0);
            let a = net.head("head", "head", a)?;
            let b = net.token("dist_token_only", x, 1);
            let b = net.head("head_dist", "head_dist", b)?;
            net.average("head_average", a, b)?
        }
        Naming::Timm => net.head("head", "head", x)?,
    };
    let mut preprocessing = Preprocessing::ImageNet;
    if has_head && naming == Naming::Timm && !shape.is_distilled() && told.preprocessing.is_none() {
        preprocessing = Preprocessing::MinusOneToOne;
        assumed.push(Assumption {
            sentence:
                "the file does not tell how photos are scaled: x / 127.5 - 1, as for most of \
                timm's vision transformers"
                    .to_owned(),
            choices: Vec::new(),
        });
    }
    if net.has("mask_token") {
        net.leave_out("mask_token");
    }
    net.finish(TITLE, x, &name, preprocessing, assumed)
}

/// The last norm, and the token or the mean that the head takes.
fn after_blocks(
    net: &mut Net<'_>,
    mut x: Value,
    shape: &Shape,
    epsilon: f64,
) -> Result<Value, OpenError> {
    if shape.naming == Naming::Torchvision {
        let x = net.layer_norm("encoder.ln", x, epsilon)?;
        return Ok(net.token("class_token_only", x, 0));
    }
    if net.has("norm.weight") {
        x = net.layer_norm("norm", x, epsilon)?;
    }
    if shape.is_distilled() {
        return Ok(x);
    }
    if net.has("fc_norm.weight") || !shape.has_class {
        let first = usize::from(shape.has_class) + shape.registers.map_or(0, |(_, n)| n);
        x = net.mean_of_tokens("global_pool", x, first);
        if net.has("fc_norm.weight") {
            x = net.layer_norm("fc_norm", x, epsilon)?;
        }
    } else {
        x = net.token("class_token_only", x, 0);
    }
    Ok(net.dropout("head_drop", x, 0.0))
}

/// Adds class token, registers and positions, in the order of the network.
fn with_tokens(net: &mut Net<'_>, x: Value, shape: &Shape) -> Result<Value, OpenError> {
    let naming = shape.naming;
    let registers = shape.registers;
    let all = usize::from(shape.has_class) + registers.map_or(0, |(_, count)| count);
    let positions = |net: &mut Net<'_>, x| {
        let count = shape.grid * shape.grid + shape.placed;
        net.position_embedding(positions_name(naming), x, count)
    };
    let class = |net: &mut Net<'_>, x| {
        if shape.has_class {
            net.insert_tokens(class_token_name(naming), x, 1, 0)
        } else {
            Ok(x)
        }
    };
    let more = |net: &mut Net<'_>, x| match registers {
        Some((key, count)) => net.insert_tokens(key, x, count, usize::from(shape.has_class)),
        None => Ok(x),
    };
    if shape.placed == all {
        let x = class(net, x)?;
        let x = more(net, x)?;
        positions(net, x)
    } else if shape.placed == 0 {
        let x = positions(net, x)?;
        let x = class(net, x)?;
        more(net, x)
    } else {
        let x = class(net, x)?;
        let x = positions(net, x)?;
        more(net, x)
    }
}

/// Attention and a hidden layer, each after a norm and with a residual sum.
fn block(
    net: &mut Net<'_>,
    x: Value,
    names: &Names,
    shape: &Shape,
    heads: usize,
    [rate, epsilon]: [f64; 2],
) -> Result<Value, OpenError> {
    let y = net.layer_norm(&names.norms[0], x, epsilon)?;
    let y = net.packed_linear(&names.packed, y, 3 * shape.channels)?;
    let y = net.attention(&format!("{}.attention", names.block), y, heads);
    let y = net.square_linear(&names.projection, y, shape.channels)?;
    let y = net.dropout(&format!("{}.proj_drop", names.block), y, 0.0);
    let x = residual(net, x, y, names, 0, rate)?;
    let y = net.layer_norm(&names.norms[1], x, epsilon)?;
    let y = net.square_linear(&names.hidden[0], y, shape.hidden)?;
    let y = net.activation(&names.hidden[0], y, GELU);
    let y = net.dropout(&format!("{}.mlp.drop1", names.block), y, 0.0);
    let y = net.square_linear(&names.hidden[1], y, shape.channels)?;
    let y = net.dropout(&format!("{}.mlp.drop2", names.block), y, 0.0);
    residual(net, x, y, names, 1, rate)
}

/// `x + y`, with a scale by channel where the file has one.
fn residual(
    net: &mut Net<'_>,
    x: Value,
    mut y: Value,
    names: &Names,
    at: usize,
    rate: f64,
) -> Result<Value, OpenError> {
    let scale = &names.scales[at];
    if net.has(scale) {
        y = net.layer_scale(scale, y, &[y.channels])?;
    }
    y = net.stochastic_depth(&names.dropped[at], y, rate);
    net.add(&format!("{}.add{}", names.block, at + 1), x, y)
}
