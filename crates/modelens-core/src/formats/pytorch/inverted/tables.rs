//! The published networks of inverted residuals: the rows of their blocks, in the order in which timm
//! and the papers list them, and their widths and depths. A new network is a new entry in one of the files below.
//! Source: the tables in timm's `efficientnet.py` and `mobilenetv3.py`, and torchvision's modules.

mod efficientnet;
mod mnasnet;
mod mobilenet;

use super::rows::Row;
use crate::model::graph::Activation;
pub use efficientnet::{EFFICIENTNET, EFFICIENTNET_LITE, EFFICIENTNET_V2, EFFICIENTNET_V2_SMALL};
pub use mnasnet::{MNASNET_A1, MNASNET_B1, MNASNET_SMALL, SINGLE_PATH_NAS};
pub use mobilenet::{
    MOBILENET_V2, MOBILENET_V3_LARGE, MOBILENET_V3_LARGE_MINIMAL, MOBILENET_V3_SMALL,
    MOBILENET_V3_SMALL_MINIMAL,
};

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
