//! The published networks of inverted residuals: the rows of their blocks, in the order in which timm
//! and the papers list them, and their widths and depths. A new network is a new entry here.
//! Source: the tables in timm's `efficientnet.py` and `mobilenetv3.py`, and torchvision's modules.

use super::rows::{Row, cn, ds, fused, ir};
use crate::model::graph::Activation;

/// Networks with the same blocks and different widths and depths.
pub struct Architecture {
    /// What messages call it.
    pub title: &'static str,
    /// The rows of each stage.
    pub stages: &'static [&'static [Row]],
    pub activation: Activation,
    /// Width of the inner layer of squeeze-and-excite.
    pub squeeze: Squeeze,
    pub head: Head,
    pub published: &'static [Published],
}

/// How wide the inner layer of squeeze-and-excite is, and its activations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Squeeze {
    /// A quarter of the block's input; the network's activation and a sigmoid.
    Input,
    /// A quarter of the expanded channels, in multiples of 8; ReLU and a hard sigmoid.
    Expanded,
}

/// What follows the blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Head {
    /// Convolution, BatchNorm and activation before pooling.
    Norm,
    /// Convolution, BatchNorm and activation, then pooling, then a convolution (timm) or a dense layer
    /// (torchvision) with a bias and no BatchNorm.
    Pooled,
}

/// The widths and depths of one published network.
pub struct Published {
    /// torchvision's name, or nothing.
    pub torchvision: &'static str,
    /// timm's names: the variant with PyTorch's padding comes first if there is one. The names of
    /// variants with TensorFlow's padding and epsilon begin with `tf_`.
    pub timm: &'static [&'static str],
    pub stem: usize,
    /// Output channels of each stage.
    pub outputs: &'static [usize],
    /// Blocks of each stage.
    pub depths: &'static [usize],
    /// Channels of the last convolution.
    pub head: usize,
}

/// All of them; the tables differ in kernels, expansion or squeeze-and-excite, so that one network
/// fits one entry.
pub static ARCHITECTURES: [&Architecture; 13] = [
    &MOBILENET_V2,
    &MOBILENET_V3_LARGE,
    &MOBILENET_V3_SMALL,
    &MOBILENET_V3_LARGE_MINIMAL,
    &MOBILENET_V3_SMALL_MINIMAL,
    &EFFICIENTNET,
    &EFFICIENTNET_LITE,
    &MNASNET_B1,
    &MNASNET_A1,
    &MNASNET_SMALL,
    &SINGLE_PATH_NAS,
    &EFFICIENTNET_V2_SMALL,
    &EFFICIENTNET_V2,
];

pub static MOBILENET_V2: Architecture = Architecture {
    title: "a MobileNetV2",
    stages: &[
        &[ds(1, 3, 1)],
        &[ir(2, 3, 2, 6.0)],
        &[ir(3, 3, 2, 6.0)],
        &[ir(4, 3, 2, 6.0)],
        &[ir(3, 3, 1, 6.0)],
        &[ir(3, 3, 2, 6.0)],
        &[ir(1, 3, 1, 6.0)],
    ],
    activation: Activation::RELU6,
    squeeze: Squeeze::Input,
    head: Head::Norm,
    published: &[
        Published {
            torchvision: "",
            timm: &["mobilenetv2_035"],
            stem: 16,
            outputs: &[8, 8, 16, 24, 32, 56, 112],
            depths: &[1, 2, 3, 4, 3, 3, 1],
            head: 1280,
        },
        Published {
            torchvision: "",
            timm: &["mobilenetv2_050"],
            stem: 16,
            outputs: &[8, 16, 16, 32, 48, 80, 160],
            depths: &[1, 2, 3, 4, 3, 3, 1],
            head: 1280,
        },
        Published {
            torchvision: "",
            timm: &["mobilenetv2_075"],
            stem: 24,
            outputs: &[16, 24, 24, 48, 72, 120, 240],
            depths: &[1, 2, 3, 4, 3, 3, 1],
            head: 1280,
        },
        Published {
            torchvision: "mobilenet_v2",
            timm: &["mobilenetv2_100"],
            stem: 32,
            outputs: &[16, 24, 32, 64, 96, 160, 320],
            depths: &[1, 2, 3, 4, 3, 3, 1],
            head: 1280,
        },
        Published {
            torchvision: "",
            timm: &["mobilenetv2_110d"],
            stem: 32,
            outputs: &[16, 24, 32, 72, 104, 176, 352],
            depths: &[1, 3, 4, 5, 4, 4, 1],
            head: 1280,
        },
        Published {
            torchvision: "",
            timm: &["mobilenetv2_120d"],
            stem: 32,
            outputs: &[24, 32, 40, 80, 112, 192, 384],
            depths: &[1, 3, 5, 6, 5, 5, 1],
            head: 1280,
        },
        Published {
            torchvision: "",
            timm: &["mobilenetv2_140"],
            stem: 48,
            outputs: &[24, 32, 48, 88, 136, 224, 448],
            depths: &[1, 2, 3, 4, 3, 3, 1],
            head: 1792,
        },
    ],
};

pub static MOBILENET_V3_LARGE: Architecture = Architecture {
    title: "a MobileNetV3 (large)",
    stages: &[
        &[ds(1, 3, 1).relu()],
        &[ir(1, 3, 2, 4.0).relu(), ir(1, 3, 1, 3.0).relu()],
        &[ir(3, 5, 2, 3.0).squeeze().relu()],
        &[ir(1, 3, 2, 6.0), ir(1, 3, 1, 2.5), ir(2, 3, 1, 2.3)],
        &[ir(2, 3, 1, 6.0).squeeze()],
        &[ir(3, 5, 2, 6.0).squeeze()],
    ],
    activation: Activation::HardSilu,
    squeeze: Squeeze::Expanded,
    head: Head::Pooled,
    published: &[
        Published {
            torchvision: "",
            timm: &["mobilenetv3_large_075", "tf_mobilenetv3_large_075"],
            stem: 16,
            outputs: &[16, 24, 32, 64, 88, 120],
            depths: &[1, 2, 3, 4, 2, 3],
            head: 1280,
        },
        Published {
            torchvision: "mobilenet_v3_large",
            timm: &["mobilenetv3_large_100", "tf_mobilenetv3_large_100"],
            stem: 16,
            outputs: &[16, 24, 40, 80, 112, 160],
            depths: &[1, 2, 3, 4, 2, 3],
            head: 1280,
        },
    ],
};

pub static MOBILENET_V3_SMALL: Architecture = Architecture {
    title: "a MobileNetV3 (small)",
    stages: &[
        &[ds(1, 3, 2).squeeze().relu()],
        &[ir(1, 3, 2, 4.5).relu(), ir(1, 3, 1, 3.67).relu()],
        &[ir(1, 5, 2, 4.0).squeeze(), ir(2, 5, 1, 6.0).squeeze()],
        &[ir(2, 5, 1, 3.0).squeeze()],
        &[ir(3, 5, 2, 6.0).squeeze()],
    ],
    activation: Activation::HardSilu,
    squeeze: Squeeze::Expanded,
    head: Head::Pooled,
    published: &[
        Published {
            torchvision: "",
            timm: &["mobilenetv3_small_050"],
            stem: 16,
            outputs: &[8, 16, 24, 24, 48],
            depths: &[1, 2, 3, 2, 3],
            head: 1024,
        },
        Published {
            torchvision: "",
            timm: &["mobilenetv3_small_075", "tf_mobilenetv3_small_075"],
            stem: 16,
            outputs: &[16, 24, 32, 40, 72],
            depths: &[1, 2, 3, 2, 3],
            head: 1024,
        },
        Published {
            torchvision: "mobilenet_v3_small",
            timm: &["mobilenetv3_small_100", "tf_mobilenetv3_small_100"],
            stem: 16,
            outputs: &[16, 24, 40, 48, 96],
            depths: &[1, 2, 3, 2, 3],
            head: 1024,
        },
    ],
};

pub static MOBILENET_V3_LARGE_MINIMAL: Architecture = Architecture {
    title: "a minimal MobileNetV3 (large)",
    stages: &[
        &[ds(1, 3, 1)],
        &[ir(1, 3, 2, 4.0), ir(1, 3, 1, 3.0)],
        &[ir(3, 3, 2, 3.0)],
        &[ir(1, 3, 2, 6.0), ir(1, 3, 1, 2.5), ir(2, 3, 1, 2.3)],
        &[ir(2, 3, 1, 6.0)],
        &[ir(3, 3, 2, 6.0)],
    ],
    activation: Activation::RELU,
    squeeze: Squeeze::Expanded,
    head: Head::Pooled,
    published: &[Published {
        torchvision: "",
        timm: &["tf_mobilenetv3_large_minimal_100"],
        stem: 16,
        outputs: &[16, 24, 40, 80, 112, 160],
        depths: &[1, 2, 3, 4, 2, 3],
        head: 1280,
    }],
};

pub static MOBILENET_V3_SMALL_MINIMAL: Architecture = Architecture {
    title: "a minimal MobileNetV3 (small)",
    stages: &[
        &[ds(1, 3, 2)],
        &[ir(1, 3, 2, 4.5), ir(1, 3, 1, 3.67)],
        &[ir(1, 3, 2, 4.0), ir(2, 3, 1, 6.0)],
        &[ir(2, 3, 1, 3.0)],
        &[ir(3, 3, 2, 6.0)],
    ],
    activation: Activation::RELU,
    squeeze: Squeeze::Expanded,
    head: Head::Pooled,
    published: &[Published {
        torchvision: "",
        timm: &["tf_mobilenetv3_small_minimal_100"],
        stem: 16,
        outputs: &[16, 24, 40, 48, 96],
        depths: &[1, 2, 3, 2, 3],
        head: 1024,
    }],
};

pub static EFFICIENTNET: Architecture = Architecture {
    title: "an EfficientNet",
    stages: &[
        &[ds(1, 3, 1).squeeze()],
        &[ir(2, 3, 2, 6.0).squeeze()],
        &[ir(2, 5, 2, 6.0).squeeze()],
        &[ir(3, 3, 2, 6.0).squeeze()],
        &[ir(3, 5, 1, 6.0).squeeze()],
        &[ir(4, 5, 2, 6.0).squeeze()],
        &[ir(1, 3, 1, 6.0).squeeze()],
    ],
    activation: Activation::Silu,
    squeeze: Squeeze::Input,
    head: Head::Norm,
    published: &[
        Published {
            torchvision: "efficientnet_b0",
            timm: &["efficientnet_b0", "tf_efficientnet_b0"],
            stem: 32,
            outputs: &[16, 24, 40, 80, 112, 192, 320],
            depths: &[1, 2, 2, 3, 3, 4, 1],
            head: 1280,
        },
        Published {
            torchvision: "efficientnet_b1",
            timm: &["efficientnet_b1", "tf_efficientnet_b1"],
            stem: 32,
            outputs: &[16, 24, 40, 80, 112, 192, 320],
            depths: &[2, 3, 3, 4, 4, 5, 2],
            head: 1280,
        },
        Published {
            torchvision: "efficientnet_b2",
            timm: &["efficientnet_b2", "tf_efficientnet_b2"],
            stem: 32,
            outputs: &[16, 24, 48, 88, 120, 208, 352],
            depths: &[2, 3, 3, 4, 4, 5, 2],
            head: 1408,
        },
        Published {
            torchvision: "efficientnet_b3",
            timm: &["efficientnet_b3", "tf_efficientnet_b3"],
            stem: 40,
            outputs: &[24, 32, 48, 96, 136, 232, 384],
            depths: &[2, 3, 3, 5, 5, 6, 2],
            head: 1536,
        },
        Published {
            torchvision: "efficientnet_b4",
            timm: &["efficientnet_b4", "tf_efficientnet_b4"],
            stem: 48,
            outputs: &[24, 32, 56, 112, 160, 272, 448],
            depths: &[2, 4, 4, 6, 6, 8, 2],
            head: 1792,
        },
        Published {
            torchvision: "efficientnet_b5",
            timm: &["efficientnet_b5", "tf_efficientnet_b5"],
            stem: 48,
            outputs: &[24, 40, 64, 128, 176, 304, 512],
            depths: &[3, 5, 5, 7, 7, 9, 3],
            head: 2048,
        },
        Published {
            torchvision: "efficientnet_b6",
            timm: &["efficientnet_b6", "tf_efficientnet_b6"],
            stem: 56,
            outputs: &[32, 40, 72, 144, 200, 344, 576],
            depths: &[3, 6, 6, 8, 8, 11, 3],
            head: 2304,
        },
        Published {
            torchvision: "efficientnet_b7",
            timm: &["efficientnet_b7", "tf_efficientnet_b7"],
            stem: 64,
            outputs: &[32, 48, 80, 160, 224, 384, 640],
            depths: &[4, 7, 7, 10, 10, 13, 4],
            head: 2560,
        },
        Published {
            torchvision: "",
            timm: &["efficientnet_b8", "tf_efficientnet_b8"],
            stem: 72,
            outputs: &[32, 56, 88, 176, 248, 424, 704],
            depths: &[4, 8, 8, 11, 11, 15, 4],
            head: 2816,
        },
        Published {
            torchvision: "",
            timm: &["tinynet_a"],
            stem: 32,
            outputs: &[16, 24, 40, 80, 112, 192, 320],
            depths: &[1, 2, 2, 4, 4, 5, 1],
            head: 1280,
        },
        Published {
            torchvision: "",
            timm: &["tinynet_b"],
            stem: 32,
            outputs: &[16, 24, 32, 64, 88, 144, 240],
            depths: &[1, 2, 2, 3, 3, 4, 1],
            head: 1280,
        },
        Published {
            torchvision: "",
            timm: &["tinynet_c"],
            stem: 32,
            outputs: &[8, 16, 24, 40, 64, 104, 176],
            depths: &[1, 2, 2, 3, 3, 3, 1],
            head: 1280,
        },
        Published {
            torchvision: "",
            timm: &["tinynet_d"],
            stem: 32,
            outputs: &[8, 16, 24, 40, 64, 104, 176],
            depths: &[1, 1, 1, 2, 2, 3, 1],
            head: 1280,
        },
        Published {
            torchvision: "",
            timm: &["tinynet_e"],
            stem: 32,
            outputs: &[8, 16, 24, 40, 56, 96, 160],
            depths: &[1, 1, 1, 2, 2, 2, 1],
            head: 1280,
        },
    ],
};

pub static EFFICIENTNET_LITE: Architecture = Architecture {
    title: "an EfficientNet-Lite",
    stages: &[
        &[ds(1, 3, 1)],
        &[ir(2, 3, 2, 6.0)],
        &[ir(2, 5, 2, 6.0)],
        &[ir(3, 3, 2, 6.0)],
        &[ir(3, 5, 1, 6.0)],
        &[ir(4, 5, 2, 6.0)],
        &[ir(1, 3, 1, 6.0)],
    ],
    activation: Activation::RELU6,
    squeeze: Squeeze::Input,
    head: Head::Norm,
    published: &[
        Published {
            torchvision: "",
            timm: &["efficientnet_lite0", "tf_efficientnet_lite0"],
            stem: 32,
            outputs: &[16, 24, 40, 80, 112, 192, 320],
            depths: &[1, 2, 2, 3, 3, 4, 1],
            head: 1280,
        },
        Published {
            torchvision: "",
            timm: &["efficientnet_lite1", "tf_efficientnet_lite1"],
            stem: 32,
            outputs: &[16, 24, 40, 80, 112, 192, 320],
            depths: &[1, 3, 3, 4, 4, 5, 1],
            head: 1280,
        },
        Published {
            torchvision: "",
            timm: &["efficientnet_lite2", "tf_efficientnet_lite2"],
            stem: 32,
            outputs: &[16, 24, 48, 88, 120, 208, 352],
            depths: &[1, 3, 3, 4, 4, 5, 1],
            head: 1280,
        },
        Published {
            torchvision: "",
            timm: &["efficientnet_lite3", "tf_efficientnet_lite3"],
            stem: 32,
            outputs: &[24, 32, 48, 96, 136, 232, 384],
            depths: &[1, 3, 3, 5, 5, 6, 1],
            head: 1280,
        },
        Published {
            torchvision: "",
            timm: &["efficientnet_lite4", "tf_efficientnet_lite4"],
            stem: 32,
            outputs: &[24, 32, 56, 112, 160, 272, 448],
            depths: &[1, 4, 4, 6, 6, 8, 1],
            head: 1280,
        },
    ],
};

pub static MNASNET_B1: Architecture = Architecture {
    title: "an MNASNet-B1",
    stages: &[
        &[ds(1, 3, 1).no_skip()],
        &[ir(3, 3, 2, 3.0)],
        &[ir(3, 5, 2, 3.0)],
        &[ir(3, 5, 2, 6.0)],
        &[ir(2, 3, 1, 6.0)],
        &[ir(4, 5, 2, 6.0)],
        &[ir(1, 3, 1, 6.0).no_skip()],
    ],
    activation: Activation::RELU,
    squeeze: Squeeze::Input,
    head: Head::Norm,
    published: &[
        Published {
            torchvision: "mnasnet1_3",
            timm: &[],
            stem: 40,
            outputs: &[24, 32, 56, 104, 128, 248, 416],
            depths: &[1, 3, 3, 3, 2, 4, 1],
            head: 1280,
        },
        Published {
            torchvision: "mnasnet0_5",
            timm: &["mnasnet_050"],
            stem: 16,
            outputs: &[8, 16, 24, 40, 48, 96, 160],
            depths: &[1, 3, 3, 3, 2, 4, 1],
            head: 1280,
        },
        Published {
            torchvision: "mnasnet0_75",
            timm: &["mnasnet_075"],
            stem: 24,
            outputs: &[16, 24, 32, 64, 72, 144, 240],
            depths: &[1, 3, 3, 3, 2, 4, 1],
            head: 1280,
        },
        Published {
            torchvision: "mnasnet1_0",
            timm: &["mnasnet_100"],
            stem: 32,
            outputs: &[16, 24, 40, 80, 96, 192, 320],
            depths: &[1, 3, 3, 3, 2, 4, 1],
            head: 1280,
        },
        Published {
            torchvision: "",
            timm: &["mnasnet_140"],
            stem: 48,
            outputs: &[24, 32, 56, 112, 136, 272, 448],
            depths: &[1, 3, 3, 3, 2, 4, 1],
            head: 1280,
        },
    ],
};

pub static MNASNET_A1: Architecture = Architecture {
    title: "an MNASNet-A1",
    stages: &[
        &[ds(1, 3, 1).no_skip()],
        &[ir(2, 3, 2, 6.0)],
        &[ir(3, 5, 2, 3.0).squeeze()],
        &[ir(4, 3, 2, 6.0)],
        &[ir(2, 3, 1, 6.0).squeeze()],
        &[ir(3, 5, 2, 6.0).squeeze()],
        &[ir(1, 3, 1, 6.0)],
    ],
    activation: Activation::RELU,
    squeeze: Squeeze::Input,
    head: Head::Norm,
    published: &[
        Published {
            torchvision: "",
            timm: &["semnasnet_050"],
            stem: 16,
            outputs: &[8, 16, 24, 40, 56, 80, 160],
            depths: &[1, 2, 3, 4, 2, 3, 1],
            head: 1280,
        },
        Published {
            torchvision: "",
            timm: &["semnasnet_075"],
            stem: 24,
            outputs: &[16, 24, 32, 64, 88, 120, 240],
            depths: &[1, 2, 3, 4, 2, 3, 1],
            head: 1280,
        },
        Published {
            torchvision: "",
            timm: &["semnasnet_100"],
            stem: 32,
            outputs: &[16, 24, 40, 80, 112, 160, 320],
            depths: &[1, 2, 3, 4, 2, 3, 1],
            head: 1280,
        },
        Published {
            torchvision: "",
            timm: &["semnasnet_140"],
            stem: 48,
            outputs: &[24, 32, 56, 112, 160, 224, 448],
            depths: &[1, 2, 3, 4, 2, 3, 1],
            head: 1280,
        },
    ],
};

pub static MNASNET_SMALL: Architecture = Architecture {
    title: "a small MNASNet",
    stages: &[
        &[ds(1, 3, 1)],
        &[ir(1, 3, 2, 3.0)],
        &[ir(2, 3, 2, 6.0)],
        &[ir(4, 5, 2, 6.0).squeeze()],
        &[ir(3, 3, 1, 6.0).squeeze()],
        &[ir(3, 5, 2, 6.0).squeeze()],
        &[ir(1, 3, 1, 6.0)],
    ],
    activation: Activation::RELU,
    squeeze: Squeeze::Input,
    head: Head::Norm,
    published: &[Published {
        torchvision: "",
        timm: &["mnasnet_small"],
        stem: 8,
        outputs: &[8, 16, 16, 32, 32, 88, 144],
        depths: &[1, 1, 2, 4, 3, 3, 1],
        head: 1280,
    }],
};

pub static SINGLE_PATH_NAS: Architecture = Architecture {
    title: "a Single-Path NAS network",
    stages: &[
        &[ds(1, 3, 1).no_skip()],
        &[ir(3, 3, 2, 3.0)],
        &[ir(1, 5, 2, 6.0), ir(3, 3, 1, 3.0)],
        &[ir(1, 5, 2, 6.0), ir(3, 3, 1, 3.0)],
        &[ir(1, 5, 1, 6.0), ir(3, 5, 1, 3.0)],
        &[ir(4, 5, 2, 6.0)],
        &[ir(1, 3, 1, 6.0).no_skip()],
    ],
    activation: Activation::RELU,
    squeeze: Squeeze::Input,
    head: Head::Norm,
    published: &[Published {
        torchvision: "",
        timm: &["spnasnet_100"],
        stem: 32,
        outputs: &[16, 24, 40, 80, 96, 192, 320],
        depths: &[1, 3, 4, 4, 4, 4, 1],
        head: 1280,
    }],
};

pub static EFFICIENTNET_V2_SMALL: Architecture = Architecture {
    title: "an EfficientNetV2 of six stages",
    stages: &[
        &[cn(2, 3, 1)],
        &[fused(4, 3, 2, 4.0)],
        &[fused(4, 3, 2, 4.0)],
        &[ir(6, 3, 2, 4.0).squeeze()],
        &[ir(9, 3, 1, 6.0).squeeze()],
        &[ir(15, 3, 2, 6.0).squeeze()],
    ],
    activation: Activation::Silu,
    squeeze: Squeeze::Input,
    head: Head::Norm,
    published: &[
        Published {
            torchvision: "efficientnet_v2_s",
            timm: &["efficientnetv2_s", "tf_efficientnetv2_s"],
            stem: 24,
            outputs: &[24, 48, 64, 128, 160, 256],
            depths: &[2, 4, 4, 6, 9, 15],
            head: 1280,
        },
        Published {
            torchvision: "",
            timm: &["tf_efficientnetv2_b0"],
            stem: 32,
            outputs: &[16, 32, 48, 96, 112, 192],
            depths: &[1, 2, 2, 3, 5, 8],
            head: 1280,
        },
        Published {
            torchvision: "",
            timm: &["tf_efficientnetv2_b1"],
            stem: 32,
            outputs: &[16, 32, 48, 96, 112, 192],
            depths: &[2, 3, 3, 4, 6, 9],
            head: 1280,
        },
        Published {
            torchvision: "",
            timm: &["tf_efficientnetv2_b2"],
            stem: 32,
            outputs: &[16, 32, 56, 104, 120, 208],
            depths: &[2, 3, 3, 4, 6, 10],
            head: 1408,
        },
        Published {
            torchvision: "",
            timm: &["tf_efficientnetv2_b3"],
            stem: 40,
            outputs: &[16, 40, 56, 112, 136, 232],
            depths: &[2, 3, 3, 5, 7, 12],
            head: 1536,
        },
        Published {
            torchvision: "",
            timm: &["efficientnetv2_rw_t"],
            stem: 24,
            outputs: &[24, 40, 48, 104, 128, 208],
            depths: &[2, 4, 4, 6, 9, 14],
            head: 1024,
        },
    ],
};

pub static EFFICIENTNET_V2: Architecture = Architecture {
    title: "an EfficientNetV2 of seven stages",
    stages: &[
        &[cn(3, 3, 1)],
        &[fused(5, 3, 2, 4.0)],
        &[fused(5, 3, 2, 4.0)],
        &[ir(7, 3, 2, 4.0).squeeze()],
        &[ir(14, 3, 1, 6.0).squeeze()],
        &[ir(18, 3, 2, 6.0).squeeze()],
        &[ir(5, 3, 1, 6.0).squeeze()],
    ],
    activation: Activation::Silu,
    squeeze: Squeeze::Input,
    head: Head::Norm,
    published: &[
        Published {
            torchvision: "efficientnet_v2_m",
            timm: &["efficientnetv2_m", "tf_efficientnetv2_m"],
            stem: 24,
            outputs: &[24, 48, 80, 160, 176, 304, 512],
            depths: &[3, 5, 5, 7, 14, 18, 5],
            head: 1280,
        },
        Published {
            torchvision: "efficientnet_v2_l",
            timm: &["efficientnetv2_l", "tf_efficientnetv2_l"],
            stem: 32,
            outputs: &[32, 64, 96, 192, 224, 384, 640],
            depths: &[4, 7, 7, 10, 19, 25, 7],
            head: 1280,
        },
        Published {
            torchvision: "",
            timm: &["efficientnetv2_xl", "tf_efficientnetv2_xl"],
            stem: 32,
            outputs: &[32, 64, 96, 192, 256, 512, 640],
            depths: &[4, 8, 8, 16, 24, 32, 8],
            head: 1280,
        },
    ],
};
