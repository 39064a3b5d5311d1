//! MNASNet and the single-path network, which were found by search.

use super::{Architecture, Head, Published, Squeeze};
use crate::formats::pytorch::inverted::rows::{ds, ir};
use crate::model::graph::Activation;

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
