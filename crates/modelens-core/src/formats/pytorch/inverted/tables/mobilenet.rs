//! MobileNetV2 and MobileNetV3, with its minimal variants.

use super::{Architecture, Head, Published, Squeeze};
use crate::formats::pytorch::inverted::rows::{ds, ir};
use crate::model::graph::Activation;

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
