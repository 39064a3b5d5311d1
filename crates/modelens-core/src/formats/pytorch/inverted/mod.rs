//! Networks of inverted residuals, as torchvision and timm name them: MobileNetV2, MobileNetV3,
//! MNASNet and EfficientNet.
//!
//! A network is accepted if every kernel of every block fits the rows of one of the tables. Widths are
//! read from the file; those of a published network give it its name.

mod naming;
mod rows;
mod tables;

use self::naming::{Names, Naming, Place};
use self::rows::{Row, distributed, divisible};
use self::tables::{ARCHITECTURES, Architecture, Head, Published, Squeeze};
use super::choice::Told;
use super::families::Family;
use super::net::{Net, Style, Value};
use super::{Recognition, StateDict};
use crate::formats::OpenError;
use crate::model::graph::Activation;
use crate::model::{Assumption, Preprocessing};

pub static TORCHVISION_V2: Family = Family {
    title: "a MobileNetV2",
    signature: &["features.1.conv.0.0.weight", "features.0.0.weight"],
    renames: None,
    build: |state, told| build(state, told, Naming::TorchvisionV2),
};
pub static TORCHVISION_V3: Family = Family {
    title: "a MobileNetV3",
    signature: &["features.1.block.0.0.weight", "features.0.0.weight"],
    renames: None,
    build: |state, told| build(state, told, Naming::TorchvisionV3),
};
pub static TORCHVISION_EFFICIENTNET: Family = Family {
    title: "an EfficientNet",
    signature: &["features.1.0.block.0.0.weight", "features.0.0.weight"],
    renames: None,
    build: |state, told| build(state, told, Naming::TorchvisionEfficientNet),
};
pub static TORCHVISION_MNASNET: Family = Family {
    title: "an MNASNet",
    signature: &["layers.8.0.layers.0.weight", "layers.0.weight"],
    renames: None,
    build: |state, told| build(state, told, Naming::TorchvisionMnasnet),
};
/// With blocks of one convolution at the start, as EfficientNetV2.
pub static TIMM_FUSED: Family = Family {
    title: "an EfficientNetV2 of timm",
    signature: &["blocks.0.0.conv.weight", "conv_stem.weight"],
    renames: None,
    build: |state, told| build(state, told, Naming::Timm),
};
pub static TIMM: Family = Family {
    title: "a MobileNet or EfficientNet of timm",
    signature: &["blocks.0.0.conv_dw.weight", "conv_stem.weight"],
    renames: None,
    build: |state, told| build(state, told, Naming::Timm),
};

/// What the shapes tell.
struct Shape {
    stem: usize,
    /// The row of each block, and whether it is the first of its row.
    blocks: Vec<(Place, Row, bool)>,
    outputs: Vec<usize>,
    depths: Vec<usize>,
    head: usize,
}

/// Why an architecture does not fit, and how many blocks do.
struct Misfit {
    blocks: usize,
    but: String,
}

/// The kernels of a file, for the proof.
struct Kernels<'a> {
    state: &'a StateDict,
    naming: Naming,
}

impl Kernels<'_> {
    fn shape(&self, name: &str) -> Result<[usize; 4], String> {
        let key = format!("{name}.weight");
        let dims = self.state.get(&key).map(candle_core::Tensor::dims);
        let dims = dims.ok_or_else(|| format!("it has no `{key}`"))?;
        <[usize; 4]>::try_from(dims)
            .map_err(|_| format!("`{key}` has shape {dims:?} and is no convolution"))
    }

    /// Checks the shape of a kernel.
    fn check(&self, name: &str, expected: [usize; 4]) -> Result<(), String> {
        let found = self.shape(name)?;
        if found != expected || expected.contains(&0) {
            return Err(format!(
                "`{name}.weight` has shape {found:?}, not {expected:?}"
            ));
        }
        Ok(())
    }

    /// Checks a block, and returns its output channels.
    fn block(
        &self,
        names: &Names,
        row: Row,
        input: usize,
        squeeze: Squeeze,
    ) -> Result<usize, String> {
        let [inner, ..] = self.shape(&names.depthwise[0])?;
        let depth = if row.fused { input } else { 1 };
        self.check(&names.depthwise[0], [inner, depth, row.kernel, row.kernel])?;
        let Some([project, _]) = &names.project else {
            return Ok(inner);
        };
        let [output, ..] = self.shape(project)?;
        match (&names.expand, row.expansion) {
            (Some([expand, _]), Some(expansion)) => {
                self.check(expand, [inner, input, 1, 1])?;
                if !is_expanded(inner, input, expansion, self.naming) {
                    return Err(format!(
                        "`{expand}` expands {input} channels to {inner}, not {expansion} times"
                    ));
                }
            }
            (None, Some(expansion)) if row.fused => {
                if !is_expanded(inner, input, expansion, self.naming) {
                    return Err(format!(
                        "`{}` expands {input} channels to {inner}, not {expansion} times",
                        names.depthwise[0]
                    ));
                }
            }
            (_, _) if inner != input => {
                return Err(format!(
                    "`{}` has {inner} channels, but its input has {input}",
                    names.depthwise[0]
                ));
            }
            (_, _) => {}
        }
        self.check(project, [output, inner, 1, 1])?;
        if let Some([reduce, expand]) = &names.squeeze {
            let [reduced, ..] = self.shape(reduce)?;
            let quarter = match squeeze {
                Squeeze::Input => {
                    let exact = input as f64 / 4.0;
                    // torchvision rounds down, timm to the nearest.
                    [exact.floor().max(1.0), exact.round_ties_even()]
                }
                Squeeze::Expanded => [divisible(inner as f64 / 4.0) as f64; 2],
            };
            if !quarter.contains(&(reduced as f64)) {
                return Err(format!(
                    "`{reduce}` has {reduced} channels, not {}",
                    quarter[1]
                ));
            }
            self.check(reduce, [reduced, inner, 1, 1])?;
            self.check(expand, [inner, reduced, 1, 1])?;
        }
        Ok(output)
    }
}

/// True if a block expands its input by this factor, as timm or torchvision round it.
fn is_expanded(inner: usize, input: usize, expansion: f64, naming: Naming) -> bool {
    let exact = input as f64 * expansion;
    let rounded = inner == divisible(exact) || inner == exact.round() as usize;
    // torchvision's MobileNetV3 scales and rounds the published widths instead.
    rounded || (naming == Naming::TorchvisionV3 && (inner as f64 - exact).abs() <= 8.0)
}

impl Shape {
    /// Proves that all convolutions are those of an architecture.
    fn of(state: &StateDict, naming: Naming, architecture: &Architecture) -> Result<Self, Misfit> {
        let kernels = Kernels { state, naming };
        let mut fitted = 0;
        let prove = |fitted: &mut usize| -> Result<Self, String> {
            let stages = architecture.stages;
            let [stem, colours, ..] = kernels.shape(naming.stem()[0])?;
            kernels.check(naming.stem()[0], [stem, colours, 3, 3])?;
            let has = |key: &str| state.contains_key(key);
            let published = || {
                let rows = stages
                    .iter()
                    .map(|rows| rows.iter().map(|row| row.repeats).sum());
                rows.collect()
            };
            let depths = naming.depths(has, stages.len()).unwrap_or_else(published);
            let mut blocks = Vec::new();
            let (mut input, mut outputs) = (stem, Vec::new());
            for (stage, (rows, &depth)) in stages.iter().zip(&depths).enumerate() {
                let rows = distributed(rows, depth).ok_or_else(|| {
                    format!("its stage {stage} has {depth} blocks, fewer than published")
                })?;
                for (index, (row, first)) in rows.into_iter().enumerate() {
                    let place = Place {
                        stage,
                        index,
                        total: blocks.len(),
                    };
                    let names = naming.block(place, row);
                    let output = kernels.block(&names, row, input, architecture.squeeze)?;
                    if index == 0 {
                        outputs.push(output);
                    } else if outputs.last() != Some(&output) {
                        return Err(format!(
                            "`{}` has {output} output channels, another number than the block \
                             before it",
                            names.block
                        ));
                    }
                    blocks.push((place, row, first));
                    input = output;
                    *fitted += 1;
                }
            }
            let pooled = architecture.head == Head::Pooled;
            let [last, _] = naming.last(stages.len(), blocks.len(), pooled);
            let [mut head, ..] = kernels.shape(&last)?;
            kernels.check(&last, [head, input, 1, 1])?;
            if pooled && naming.is_timm() {
                let inner = head;
                [head, ..] = kernels.shape("conv_head")?;
                kernels.check("conv_head", [head, inner, 1, 1])?;
                if !has("conv_head.bias") {
                    return Err("its `conv_head` has no bias".to_owned());
                }
            }
            Ok(Self {
                stem,
                blocks,
                outputs,
                depths,
                head,
            })
        };
        let proven = prove(&mut fitted);
        proven.map_err(|but| Misfit {
            blocks: fitted,
            but,
        })
    }

    /// The published network of these widths and depths.
    fn published(&self, architecture: &Architecture, naming: Naming) -> Option<&'static Published> {
        architecture.published.iter().find(|p| {
            let named = naming.is_timm() || !p.torchvision.is_empty();
            // In torchvision's MobileNetV3 the last convolution is 6 times as wide as its input.
            let head = match naming {
                Naming::TorchvisionV3 => self.outputs.last().map_or(0, |last| 6 * last),
                Naming::Timm
                | Naming::TorchvisionV2
                | Naming::TorchvisionEfficientNet
                | Naming::TorchvisionMnasnet => p.head,
            };
            let widths = p.stem == self.stem && p.outputs == self.outputs && head == self.head;
            named && widths && p.depths == self.depths
        })
    }
}

impl Shape {
    /// The `width_mult` of torchvision's MobileNetV2, where timm publishes the same widths.
    fn width_multiplier(&self, architecture: &Architecture, naming: Naming) -> Option<f64> {
        if naming != Naming::TorchvisionV2 {
            return None;
        }
        let alike = architecture.published.iter().find(|p| {
            let widths = p.stem == self.stem && p.outputs == self.outputs && p.head == self.head;
            widths && p.depths == self.depths && p.torchvision.is_empty()
        });
        let percent = alike?.timm.first()?.rsplit('_').next()?.parse::<f64>();
        Some(percent.ok()? / 100.0)
    }
}

/// The architecture whose table the kernels fit.
fn fitting(state: &StateDict, naming: Naming) -> Result<(&'static Architecture, Shape), OpenError> {
    let mut nearest: Option<(&Architecture, Misfit)> = None;
    for architecture in ARCHITECTURES {
        let has_name = architecture
            .published
            .iter()
            .any(|p| !p.torchvision.is_empty());
        let is_mnasnet = std::ptr::eq(architecture, &raw const tables::MNASNET_B1);
        let may_be = has_name && is_mnasnet == (naming == Naming::TorchvisionMnasnet);
        if !naming.is_timm() && !may_be {
            continue;
        }
        match Shape::of(state, naming, architecture) {
            Ok(shape) => return Ok((architecture, shape)),
            Err(misfit) => {
                if nearest
                    .as_ref()
                    .is_none_or(|(_, best)| misfit.blocks > best.blocks)
                {
                    nearest = Some((architecture, misfit));
                }
            }
        }
    }
    let (like, but) = nearest.map_or(("a MobileNet", String::new()), |(architecture, misfit)| {
        (architecture.title, misfit.but)
    });
    Err(OpenError::OtherNetwork {
        like: like.to_owned(),
        but,
    })
}

fn style(naming: Naming, architecture: &Architecture, name: &str) -> Style {
    let tensorflow = name.starts_with("tf_");
    let google = Style {
        same: tensorflow,
        epsilon: 1e-3,
        momentum: 0.01,
    };
    match naming {
        Naming::Timm => Style {
            same: tensorflow,
            epsilon: if tensorflow { 1e-3 } else { 1e-5 },
            momentum: 0.1,
        },
        Naming::TorchvisionV3 => google,
        Naming::TorchvisionMnasnet => Style {
            momentum: 3e-4,
            ..Style::PLAIN
        },
        Naming::TorchvisionEfficientNet if name.starts_with("efficientnet_v2") => Style {
            epsilon: 1e-3,
            ..Style::PLAIN
        },
        Naming::TorchvisionEfficientNet if is_large(architecture, name) => google,
        Naming::TorchvisionEfficientNet | Naming::TorchvisionV2 => Style::PLAIN,
    }
}

/// True for EfficientNet-B5 to B7, whose BatchNorm has other constants in torchvision.
fn is_large(architecture: &Architecture, name: &str) -> bool {
    architecture.head == Head::Norm && ["b5", "b6", "b7"].iter().any(|end| name.ends_with(end))
}

/// The rate of the dropout before the classifier.
fn dropout(naming: Naming, name: &str) -> Option<f64> {
    match naming {
        // timm has none unless a training script asks for it.
        Naming::Timm => None,
        Naming::TorchvisionV2 | Naming::TorchvisionV3 | Naming::TorchvisionMnasnet => Some(0.2),
        Naming::TorchvisionEfficientNet => Some(match name.rsplit('_').next() {
            Some("b2" | "b3" | "m") => 0.3,
            Some("b4" | "b5" | "l") => 0.4,
            Some("b6" | "b7") => 0.5,
            _ => 0.2,
        }),
    }
}

/// Stochastic depth grows from 0 to this over the blocks.
const STOCHASTIC_DEPTH: f64 = 0.2;

fn build(state: &StateDict, told: &Told, naming: Naming) -> Result<Recognition, OpenError> {
    let (architecture, shape) = fitting(state, naming)?;
    let published = shape.published(architecture, naming);
    let names = |p: &'static Published| -> Vec<&'static str> {
        if naming.is_timm() {
            p.timm.to_vec()
        } else {
            vec![p.torchvision]
        }
    };
    let known: Vec<&'static str> = match published {
        Some(published) => names(published),
        None => architecture
            .published
            .iter()
            .flat_map(names)
            .filter(|n| !n.is_empty())
            .collect(),
    };
    let scaled = shape.width_multiplier(architecture, naming);
    let description = match scaled {
        Some(width) => format!("mobilenet_v2 of width {width}"),
        None => format!(
            "{} with {:?} blocks of {:?} channels",
            architecture.title, shape.depths, shape.outputs
        ),
    };
    told.no_options()?;
    let is = published.map_or(description.as_str(), |_| known[0]);
    told.check_name(is, &known)?;
    let chosen = known
        .iter()
        .copied()
        .find(|name| told.name.as_deref() == Some(*name));
    let like = chosen.or(known.first().copied()).unwrap_or_default();
    let name = if published.is_some() {
        like
    } else {
        description.as_str()
    };
    let (net, x) = layers(state, told, naming, architecture, &shape, like)?;
    let is_published = published.is_some() || scaled.is_some();
    let assumed = assumptions(naming, is_published, chosen.is_some(), like, &known);
    let minus_one =
        like.starts_with("tf_") && (architecture.head == Head::Pooled || like.contains("_lite"));
    let preprocessing = if minus_one {
        Preprocessing::MinusOneToOne
    } else {
        Preprocessing::ImageNet
    };
    net.finish(architecture.title, x, name, preprocessing, assumed)
}

fn assumptions(
    naming: Naming,
    published: bool,
    chosen: bool,
    like: &str,
    known: &[&str],
) -> Vec<Assumption> {
    let variants: Vec<&str> = known
        .iter()
        .copied()
        .filter(|name| name.starts_with("tf_"))
        .collect();
    let ambiguous = naming.is_timm() && !chosen && !variants.is_empty();
    if published && !(ambiguous && known.len() > 1) {
        return Vec::new();
    }
    let library = if naming.is_timm() {
        "timm"
    } else {
        "torchvision"
    };
    let padding = if like.starts_with("tf_") {
        "TensorFlow's padding and epsilon 1e-3"
    } else {
        "PyTorch's padding and epsilon 1e-5"
    };
    let mut sentence = if published {
        format!(
            "the file does not tell padding and epsilon: they are taken as in {library}'s {like} \
             ({padding})"
        )
    } else {
        format!(
            "the file does not tell strides, padding and epsilon, and its widths are those of no \
             published network: they are taken as in {library}'s {like}"
        )
    };
    let mut choices = vec![like.to_owned()];
    if ambiguous && let Some(other) = variants.iter().find(|name| **name != like) {
        if published {
            sentence.push_str("; ");
            sentence.push_str(other);
            sentence.push_str(" has TensorFlow's padding and epsilon 1e-3");
        }
        choices.push((*other).to_owned());
    } else {
        choices.clear();
    }
    vec![Assumption { sentence, choices }]
}

/// Builds all layers.
fn layers<'a>(
    state: &'a StateDict,
    told: &'a Told,
    naming: Naming,
    architecture: &Architecture,
    shape: &Shape,
    like: &str,
) -> Result<(Net<'a>, Value), OpenError> {
    let style = style(naming, architecture, like);
    let activation = architecture.activation;
    let (mut net, x) = Net::new(state, told, style, naming.stem()[0], None);
    let mut x = net.unit(naming.stem(), x, 2, activation)?;
    let total = shape.blocks.len();
    for &(place, row, first) in &shape.blocks {
        let names = naming.block(place, row);
        let rate = match naming {
            Naming::TorchvisionEfficientNet => STOCHASTIC_DEPTH * place.total as f64 / total as f64,
            Naming::Timm
            | Naming::TorchvisionV2
            | Naming::TorchvisionV3
            | Naming::TorchvisionMnasnet => 0.0,
        };
        x = block(&mut net, x, &names, row, first, architecture, rate)?;
    }
    let pooled = architecture.head == Head::Pooled;
    let [conv, norm] = naming.last(architecture.stages.len(), total, pooled);
    x = net.unit([&conv, &norm], x, 1, activation)?;
    let x = match (pooled, naming.is_timm()) {
        (false, true) => {
            let x = net.global_average("global_pool", x, false);
            net.head("classifier", "classifier", x)?
        }
        (false, false) => {
            let x = net.global_average("avgpool", x, false);
            let x = net.head_dropout("classifier", x, dropout(naming, like).unwrap_or_default());
            net.head("classifier", "classifier.1", x)?
        }
        (true, true) => {
            let x = net.global_average("global_pool", x, true);
            let x = net.conv("conv_head", x, 1)?;
            let x = net.activation("conv_head", x, activation);
            let x = net.flatten("flatten", x, 1);
            net.head("classifier", "classifier", x)?
        }
        (true, false) => {
            let x = net.global_average("avgpool", x, false);
            let width = net.builder.shape("classifier.0.weight");
            let width = width.and_then(|s| s.first().copied());
            let published = shape.published(architecture, naming).map(|p| p.head);
            let is_published = width.is_some() && published.is_none_or(|p| Some(p) == width);
            if !is_published || !(net.has_any("classifier.3.") || published.is_some()) {
                let x = net.head("classifier", "classifier.3", x)?;
                return Ok((net, x));
            }
            let x = net.linear("classifier.0", x, None)?;
            let x = net.named_activation("classifier.1", x, activation);
            let x = net.dropout("classifier.2", x, dropout(naming, like).unwrap_or_default());
            net.head("classifier.3", "classifier.3", x)?
        }
    };
    Ok((net, x))
}

/// One inverted residual, with a sum if the shapes of input and output are equal.
fn block(
    net: &mut Net<'_>,
    x: Value,
    names: &Names,
    row: Row,
    first: bool,
    architecture: &Architecture,
    rate: f64,
) -> Result<Value, OpenError> {
    let activation = if row.relu {
        Activation::RELU
    } else {
        architecture.activation
    };
    let stride = if first { row.stride } else { 1 };
    let mut y = x;
    if let Some([conv, norm]) = &names.expand {
        y = net.unit([conv, norm], y, 1, activation)?;
    }
    let [conv, norm] = &names.depthwise;
    y = net.unit([conv, norm], y, stride, activation)?;
    if let Some([reduce, expand]) = &names.squeeze {
        let [inner, gate] = match architecture.squeeze {
            Squeeze::Input => [activation, Activation::Sigmoid],
            Squeeze::Expanded => [Activation::RELU, Activation::HardSigmoid],
        };
        y = net.squeeze([reduce, expand], y, inner, gate)?;
    }
    if let Some([conv, norm]) = &names.project {
        y = net.unit([conv, norm], y, 1, Activation::Linear)?;
    }
    if stride != 1 || y.channels != x.channels || !row.skip {
        return Ok(y);
    }
    y = net.drop_connect(&format!("{}.stochastic_depth", names.block), y, rate);
    net.add(&format!("{}.add", names.block), y, x)
}
