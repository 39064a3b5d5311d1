//! The names of modules in both libraries.

use super::rows::Row;

/// Who named the tensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    /// `features.3.conv.0.0`: MobileNetV2 of torchvision.
    TorchvisionV2,
    /// `features.3.block.0.0`: MobileNetV3 of torchvision.
    TorchvisionV3,
    /// `features.2.1.block.0.0`: EfficientNet of torchvision.
    TorchvisionEfficientNet,
    /// `layers.8.0.layers.0`: MNASNet of torchvision.
    TorchvisionMnasnet,
    /// `blocks.1.1.conv_pw`.
    Timm,
}

/// The place of a block.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub stage: usize,
    /// In its stage.
    pub index: usize,
    /// In the network.
    pub total: usize,
}

/// The names of one block's modules.
pub struct Names {
    pub expand: Option<[String; 2]>,
    /// The convolution with the stride; full in fused blocks.
    pub depthwise: [String; 2],
    pub squeeze: Option<[String; 2]>,
    /// Missing if the block is one convolution.
    pub project: Option<[String; 2]>,
    /// The name of the whole block.
    pub block: String,
}

impl Naming {
    pub fn is_timm(self) -> bool {
        self == Self::Timm
    }

    /// The number of blocks of each stage, where names tell it.
    pub fn depths(self, has: impl Fn(&str) -> bool, stages: usize) -> Option<Vec<usize>> {
        let count = |name: &dyn Fn(usize) -> String| {
            (0..usize::from(u16::MAX))
                .take_while(|&i| has(&name(i)))
                .count()
        };
        let depths = (0..stages).map(|stage| match self {
            Self::TorchvisionV2 | Self::TorchvisionV3 => None,
            Self::TorchvisionEfficientNet => Some(count(&|i| {
                format!("features.{}.{i}.block.0.0.weight", stage + 1)
            })),
            Self::TorchvisionMnasnet if stage == 0 => Some(1),
            Self::TorchvisionMnasnet => Some(count(&|i| {
                format!("layers.{}.{i}.layers.0.weight", stage + 7)
            })),
            Self::Timm => {
                let first = ["conv_dw", "conv_exp", "conv"];
                let of = |part: &str, i: usize| format!("blocks.{stage}.{i}.{part}.weight");
                let first = first.into_iter().find(|part| has(&of(part, 0)));
                Some(count(&|i| of(first.unwrap_or("conv_dw"), i)))
            }
        });
        depths.collect()
    }

    pub fn stem(self) -> [&'static str; 2] {
        match self {
            Self::Timm => ["conv_stem", "bn1"],
            Self::TorchvisionMnasnet => ["layers.0", "layers.1"],
            Self::TorchvisionV2 | Self::TorchvisionV3 | Self::TorchvisionEfficientNet => {
                ["features.0.0", "features.0.1"]
            }
        }
    }

    /// The last convolution and its BatchNorm, after `stages` stages with `blocks` blocks.
    pub fn last(self, stages: usize, blocks: usize, pooled: bool) -> [String; 2] {
        match self {
            Self::Timm if pooled => ["conv", "bn1"].map(|part| format!("blocks.{stages}.0.{part}")),
            Self::Timm => ["conv_head".to_owned(), "bn2".to_owned()],
            Self::TorchvisionV2 | Self::TorchvisionV3 => pair(&format!("features.{}", blocks + 1)),
            Self::TorchvisionEfficientNet => pair(&format!("features.{}", stages + 1)),
            Self::TorchvisionMnasnet => ["layers.14".to_owned(), "layers.15".to_owned()],
        }
    }

    pub fn block(self, place: Place, row: Row) -> Names {
        let expanded = row.expansion.is_some();
        match self {
            Self::Timm => {
                let block = format!("blocks.{}.{}", place.stage, place.index);
                let of = |part: &str| format!("{block}.{part}");
                if row.fused {
                    let first = if expanded { "conv_exp" } else { "conv" };
                    return Names {
                        expand: None,
                        depthwise: [of(first), of("bn1")],
                        squeeze: None,
                        project: expanded.then(|| [of("conv_pwl"), of("bn2")]),
                        block,
                    };
                }
                Names {
                    expand: expanded.then(|| [of("conv_pw"), of("bn1")]),
                    depthwise: [of("conv_dw"), of(if expanded { "bn2" } else { "bn1" })],
                    squeeze: row
                        .squeeze
                        .then(|| [of("se.conv_reduce"), of("se.conv_expand")]),
                    project: Some(if expanded {
                        [of("conv_pwl"), of("bn3")]
                    } else {
                        [of("conv_pw"), of("bn2")]
                    }),
                    block,
                }
            }
            Self::TorchvisionMnasnet if place.stage == 0 => Names {
                expand: None,
                depthwise: ["layers.3", "layers.4"].map(str::to_owned),
                squeeze: None,
                project: Some(["layers.6", "layers.7"].map(str::to_owned)),
                block: "layers.3".to_owned(),
            },
            Self::TorchvisionMnasnet => {
                let block = format!("layers.{}.{}", place.stage + 7, place.index);
                let of = |a: usize| [a, a + 1].map(|at| format!("{block}.layers.{at}"));
                Names {
                    expand: Some(of(0)),
                    depthwise: of(3),
                    squeeze: None,
                    project: Some(of(6)),
                    block,
                }
            }
            Self::TorchvisionV2 => {
                let block = format!("features.{}", place.total + 1);
                let at = usize::from(expanded);
                Names {
                    expand: expanded.then(|| pair(&format!("{block}.conv.0"))),
                    depthwise: pair(&format!("{block}.conv.{at}")),
                    squeeze: None,
                    project: Some([at + 1, at + 2].map(|at| format!("{block}.conv.{at}"))),
                    block,
                }
            }
            Self::TorchvisionV3 | Self::TorchvisionEfficientNet => {
                let block = if self == Self::TorchvisionV3 {
                    format!("features.{}", place.total + 1)
                } else {
                    format!("features.{}.{}", place.stage + 1, place.index)
                };
                let of = |at: usize| format!("{block}.block.{at}");
                if row.fused {
                    return Names {
                        expand: None,
                        depthwise: pair(&of(0)),
                        squeeze: None,
                        project: expanded.then(|| pair(&of(1))),
                        block,
                    };
                }
                let at = usize::from(expanded);
                let project = at + 1 + usize::from(row.squeeze);
                Names {
                    expand: expanded.then(|| pair(&of(0))),
                    depthwise: pair(&of(at)),
                    squeeze: row
                        .squeeze
                        .then(|| ["fc1", "fc2"].map(|part| format!("{}.{part}", of(at + 1)))),
                    project: Some(pair(&of(project))),
                    block,
                }
            }
        }
    }
}

fn pair(stem: &str) -> [String; 2] {
    [format!("{stem}.0"), format!("{stem}.1")]
}
