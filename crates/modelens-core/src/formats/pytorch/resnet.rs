//! ResNet, ResNeXt and Wide ResNet; torchvision and timm name them alike. Source: the modules of both
//! libraries.

use super::choice::{Told, unknown_option};
use super::families::Family;
use super::net::{Net, Style, Value};
use super::{Recognition, StateDict};
use crate::formats::OpenError;
use crate::model::graph::{Activation, Pooling};
use crate::model::{Assumption, Preprocessing};

pub static FAMILY: Family = Family {
    title: "a ResNet",
    signature: &["layer1.0.conv1.weight", "conv1.weight", "bn1.weight"],
    renames: None,
    build,
};

/// `nn.Sequential` of a `ResNet`'s children, which people make to take its head off.
pub static OF_CHILDREN: Family = Family {
    title: "a ResNet",
    signature: &["4.0.conv1.weight", "0.weight", "1.running_mean"],
    renames: Some(|name| {
        let (first, rest) = name.split_once('.')?;
        let first = match first {
            "0" => "conv1",
            "1" => "bn1",
            "4" => "layer1",
            "5" => "layer2",
            "6" => "layer3",
            "7" => "layer4",
            // After the pooling (8) and a flattening (9), which have no tensors.
            head => {
                let at = head.parse::<usize>().ok()?.checked_sub(10)?;
                return Some(format!("fc.{at}.{rest}"));
            }
        };
        Some(format!("{first}.{rest}"))
    }),
    build,
};

const RELU: Activation = Activation::RELU;
/// Channels of the four stages before expansion, in every published network.
const PLANES: [usize; 4] = [64, 128, 256, 512];
/// Depth by the number of blocks in each stage.
const BASIC: [(u16, [usize; 4]); 3] = [(10, [1; 4]), (18, [2; 4]), (34, [3, 4, 6, 3])];
const BOTTLENECK: [(u16, [usize; 4]); 5] = [
    (14, [1; 4]),
    (26, [2; 4]),
    (50, [3, 4, 6, 3]),
    (101, [3, 4, 23, 3]),
    (152, [3, 8, 36, 3]),
];

/// What the shapes tell: all but strides, pooling and dilation.
struct Shape {
    /// Side of the first kernel.
    stem_kernel: usize,
    stem: usize,
    bottleneck: bool,
    blocks: [usize; 4],
    /// Channels of the 3 x 3 convolutions, by stage.
    widths: [usize; 4],
    /// Output channels, by stage.
    outputs: [usize; 4],
    groups: usize,
}

fn other(but: impl Into<String>) -> OpenError {
    OpenError::OtherNetwork {
        like: "a ResNet".to_owned(),
        but: but.into(),
    }
}

impl Shape {
    /// Proves the shapes of all convolutions.
    fn of(state: &StateDict) -> Result<Self, OpenError> {
        let dims = |key: &str| state.get(key).map(candle_core::Tensor::dims);
        let need = |key: String| {
            let dims = dims(&key).ok_or_else(|| other(format!("it has no `{key}`")))?;
            <[usize; 4]>::try_from(dims)
                .map_err(|_| other(format!("`{key}` has shape {dims:?}: it is no convolution")))
        };
        let [stem, colours, stem_kernel, _] = need("conv1.weight".to_owned())?;
        let square = [stem, colours, stem_kernel, stem_kernel];
        if need("conv1.weight".to_owned())? != square
            || colours == 0
            || ![3, 7].contains(&stem_kernel)
        {
            return Err(other(format!(
                "`conv1` has a kernel of shape {:?}, not 7 x 7 or 3 x 3",
                dims("conv1.weight").unwrap_or_default()
            )));
        }
        let bottleneck = state.contains_key("layer1.0.conv3.weight");
        let mut shape = Self {
            stem_kernel,
            stem,
            bottleneck,
            blocks: [0; 4],
            widths: [0; 4],
            outputs: [0; 4],
            groups: 1,
        };
        let has_stage = |stage: &usize| state.contains_key(&format!("layer{stage}.0.conv1.weight"));
        let stages = (1..=4).take_while(has_stage).count();
        if stages != 4 {
            return Err(other(format!("it has {stages} stages, not four")));
        }
        let mut input = stem;
        for stage in 0..4 {
            let has =
                |i: &usize| state.contains_key(&format!("layer{}.{i}.conv1.weight", stage + 1));
            let blocks = (0..usize::from(u16::MAX)).take_while(has).count();
            shape.blocks[stage] = blocks;
            for i in 0..blocks {
                let stem = format!("layer{}.{i}", stage + 1);
                let of = |part: &str| format!("{stem}.{part}.weight");
                let check = |part: &str, expected: [usize; 4]| {
                    let found = need(of(part))?;
                    if found == expected && !expected.contains(&0) {
                        return Ok(());
                    }
                    Err(other(format!(
                        "`{}` has shape {found:?}, not {expected:?}",
                        of(part)
                    )))
                };
                let [width, ..] = need(of("conv1"))?;
                let [_, depth, ..] = need(of("conv2"))?;
                let output = if bottleneck {
                    let [output, ..] = need(of("conv3"))?;
                    if depth == 0 || !width.is_multiple_of(depth) {
                        check("conv2", [width, width, 3, 3])?;
                    }
                    if stage == 0 && i == 0 {
                        shape.groups = width / depth;
                    }
                    check("conv1", [width, input, 1, 1])?;
                    check("conv2", [width, width / shape.groups, 3, 3])?;
                    check("conv3", [output, width, 1, 1])?;
                    output
                } else {
                    check("conv1", [width, input, 3, 3])?;
                    check("conv2", [width, width, 3, 3])?;
                    width
                };
                if i == 0 {
                    shape.widths[stage] = width;
                    shape.outputs[stage] = output;
                } else if (width, output) != (shape.widths[stage], shape.outputs[stage]) {
                    return Err(other(format!("`{stem}` is wider than the block before it")));
                }
                // torchvision's `_make_layer`: at a stride, or where the channels change.
                let changes = i == 0 && (stage > 0 || input != output);
                match (changes, state.contains_key(&of("downsample.0"))) {
                    (true, true) => check("downsample.0", [output, input, 1, 1])?,
                    (true, false) => {
                        return Err(other(format!(
                            "`{stem}` has no `downsample.0`, a convolution in its shortcut"
                        )));
                    }
                    (false, true) => {
                        return Err(other(format!(
                            "`{stem}` has a `downsample` where the shape stays"
                        )));
                    }
                    (false, false) => {}
                }
                input = output;
            }
        }
        Ok(shape)
    }

    /// The number of layers that gives the network its name.
    fn depth(&self) -> Option<u16> {
        let table: &[(u16, [usize; 4])] = if self.bottleneck { &BOTTLENECK } else { &BASIC };
        let found = table.iter().find(|(_, blocks)| *blocks == self.blocks);
        found.map(|&(depth, _)| depth)
    }

    /// The published network of these shapes.
    fn published(&self) -> Option<String> {
        let depth = self.depth()?;
        let expansion = if self.bottleneck { 4 } else { 1 };
        let as_published = PLANES.map(|planes| planes * expansion) == self.outputs;
        if self.stem != 64 || !as_published {
            return None;
        }
        // Channels of a group in the first stage, the base width of torchvision.
        let base = self.widths[0] / self.groups;
        let widths = PLANES.map(|planes| planes / 64 * base * self.groups);
        if widths != self.widths {
            return None;
        }
        match (self.groups, base) {
            (1, 64) => Some(format!("resnet{depth}")),
            (1, 128) if self.bottleneck => Some(format!("wide_resnet{depth}_2")),
            (1, _) => None,
            (groups, base) => Some(format!("resnext{depth}_{groups}x{base}d")),
        }
    }

    /// The honest name of a network that nobody published.
    fn description(&self) -> String {
        let kind = if self.bottleneck {
            "bottleneck"
        } else {
            "basic"
        };
        let groups = match self.groups {
            1 => String::new(),
            n => format!(" in {n} groups"),
        };
        format!(
            "a ResNet of {:?} {kind} blocks with {:?} channels{groups}",
            self.blocks, self.widths
        )
    }

    /// The name under which the shapes may be chosen, whatever the widths.
    fn nominal(&self) -> Option<String> {
        let kind = if self.groups > 1 { "resnext" } else { "resnet" };
        self.published()
            .or_else(|| self.depth().map(|depth| format!("{kind}{depth}")))
    }
}

/// What the shapes do not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stem {
    stride: usize,
    pooling: bool,
}

const IMAGENET: Stem = Stem {
    stride: 2,
    pooling: true,
};

/// The options after the colon, for stems.
const STEMS: [(&str, Stem); 4] = [
    ("imagenet", IMAGENET),
    (
        "cifar",
        Stem {
            stride: 1,
            pooling: false,
        },
    ),
    (
        "stride1-pool",
        Stem {
            stride: 1,
            pooling: true,
        },
    ),
    (
        "stride2-nopool",
        Stem {
            stride: 2,
            pooling: false,
        },
    ),
];
/// The options for dilation, with the factor by which the network shrinks an image with
/// `imagenet`'s stem. torchvision's `replace_stride_with_dilation`, timm's `output_stride`.
const OUTPUT_STRIDES: [(&str, usize); 3] = [("os32", 32), ("os16", 16), ("os8", 8)];

struct Options {
    stem: Stem,
    output_stride: usize,
    stem_is_told: bool,
    stride_is_told: bool,
}

impl Options {
    fn of(shape: &Shape, told: &Told) -> Result<Self, OpenError> {
        let default = if shape.stem_kernel == 7 {
            STEMS[0].1
        } else {
            STEMS[1].1
        };
        let mut options = Self {
            stem: default,
            output_stride: 32,
            stem_is_told: false,
            stride_is_told: false,
        };
        for option in &told.options {
            if let Some((_, stem)) = STEMS.iter().find(|(name, _)| name == option) {
                (options.stem, options.stem_is_told) = (*stem, true);
            } else if let Some((_, stride)) = OUTPUT_STRIDES.iter().find(|(name, _)| name == option)
            {
                (options.output_stride, options.stride_is_told) = (*stride, true);
            } else {
                let names = STEMS.iter().map(|(name, _)| *name);
                let names: Vec<&str> = names.chain(OUTPUT_STRIDES.map(|(name, _)| name)).collect();
                return Err(unknown_option(option, &names));
            }
        }
        Ok(options)
    }

    fn assumptions(&self, shape: &Shape, name: &str, told: &Told) -> Vec<Assumption> {
        let chosen = shape.nominal().unwrap_or_else(|| "auto".to_owned());
        let with = |options: &[&str]| {
            let names = options.iter().map(|option| format!("{chosen}:{option}"));
            names.collect::<Vec<String>>()
        };
        let mut assumed = Vec::new();
        let stem = match (self.stem.stride, self.stem.pooling) {
            (1, false) => "stride 1 and no max pooling after it, as ResNets for CIFAR have",
            (1, true) => "stride 1 and max pooling after it",
            (_, false) => "stride 2 and no max pooling after it",
            (_, true) => "stride 2 and max pooling after it, as torchvision's networks have",
        };
        if shape.stem_kernel != 7 && !self.stem_is_told {
            assumed.push(Assumption {
                sentence: format!(
                    "the file does not tell stride and pooling of the stem: `conv1` has a 3 x 3 kernel, \
                     so it is taken with {stem}"
                ),
                choices: with(&["cifar", "imagenet", "stride1-pool", "stride2-nopool"]),
            });
        }
        // The name, whoever gave it, says that nothing is dilated.
        if self.stride_is_told || (told.name.is_some() && shape.published().is_some()) {
            return assumed;
        }
        let like = match shape.published() {
            Some(name) => format!("torchvision's {name}"),
            None => {
                format!("torchvision's ResNets (the widths are those of no published one: {name})")
            }
        };
        assumed.push(Assumption {
            sentence: format!(
                "the file does not tell strides, dilation and blur pooling: strides are those of {like}, \
                 without dilation and blur pooling"
            ),
            choices: with(&["os32", "os16", "os8"]),
        });
        assumed
    }
}

fn build(state: &StateDict, told: &Told) -> Result<Recognition, OpenError> {
    let shape = Shape::of(state)?;
    let options = Options::of(&shape, told)?;
    let mut name = shape.published().unwrap_or_else(|| shape.description());
    if shape.stem_kernel != 7 {
        name += " with a 3 x 3 stem";
    }
    let nominal = shape.nominal();
    told.check_name(&name, nominal.as_deref().as_slice())?;
    let (mut net, x) = Net::new(state, told, Style::PLAIN, "conv1", None);
    let mut x = net.unit(["conv1", "bn1"], x, options.stem.stride, RELU)?;
    if options.stem.pooling {
        x = net.pool("maxpool", x, Pooling::Max, [3, 2, 1]);
    }
    let (mut shrunk, mut dilation) = (4, 1);
    for stage in 0..4 {
        let before = dilation;
        let mut stride = if stage > 0 { 2 } else { 1 };
        if stride * shrunk > options.output_stride {
            (stride, dilation) = (1, dilation * stride);
        }
        shrunk *= stride;
        for i in 0..shape.blocks[stage] {
            let geometry = Geometry {
                stride: if i == 0 { stride } else { 1 },
                // The first block of a dilated stage keeps the dilation before it.
                first: if i == 0 { before } else { dilation },
                dilation,
            };
            let stem = format!("layer{}.{i}", stage + 1);
            x = block(&mut net, x, &stem, shape.bottleneck, geometry)?;
        }
    }
    let x = net.global_average("avgpool", x, false);
    let x = net.head("fc", "fc", x)?;
    let assumed = options.assumptions(&shape, &name, told);
    net.finish(FAMILY.title, x, &name, Preprocessing::ImageNet, assumed)
}

struct Geometry {
    stride: usize,
    /// Dilation of the first 3 x 3 convolution.
    first: usize,
    /// Dilation of the second one of a basic block.
    dilation: usize,
}

#[allow(clippy::needless_pass_by_value, reason = "it is made for this call")]
fn block(
    net: &mut Net<'_>,
    x: Value,
    stem: &str,
    bottleneck: bool,
    geometry: Geometry,
) -> Result<Value, OpenError> {
    let of = |part: &str| format!("{stem}.{part}");
    let names = |i: usize| [of(&format!("conv{i}")), of(&format!("bn{i}"))];
    let Geometry {
        stride,
        first,
        dilation,
    } = geometry;
    // A bottleneck has its stride in the second convolution, a basic block in the first.
    let parts: &[(usize, usize, Activation)] = if bottleneck {
        &[
            (1, 1, RELU),
            (stride, first, RELU),
            (1, 1, Activation::Linear),
        ]
    } else {
        &[(stride, first, RELU), (1, dilation, Activation::Linear)]
    };
    let mut y = x;
    for (i, &(stride, dilation, activation)) in (1..).zip(parts) {
        let [conv, norm] = names(i);
        y = net.dilated_conv(&conv, y, stride, dilation)?;
        y = net.batch_norm(&norm, y)?;
        y = net.activation(&norm, y, activation);
    }
    let mut shortcut = x;
    if net.has(&of("downsample.0.weight")) {
        let names = [of("downsample.0"), of("downsample.1")];
        shortcut = net.unit([&names[0], &names[1]], x, stride, Activation::Linear)?;
    }
    y = net.add(&of("add"), y, shortcut)?;
    Ok(net.activation(&of("add"), y, RELU))
}
