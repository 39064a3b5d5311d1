//! Names the network in a file, and says how it is known.

use serde::{Deserialize, Serialize};

use super::Graph;

/// The network in a file, and what that knowledge is based on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recognised {
    /// `MobileNetV2, without its top`.
    pub what: String,
    /// `by the names and all shapes of its 104 layers with weights`.
    pub how: String,
}

/// Families of networks, each with layer names that must all occur: these stay when the model is
/// renamed. The first match counts.
const FAMILIES: [(&str, &[&str]); 15] = [
    (
        "MobileNetV2",
        &["bn_Conv1", "expanded_conv_depthwise", "block_1_expand"],
    ),
    ("MobileNet", &["conv_dw_1", "conv_pw_1"]),
    (
        "MobileNetV3",
        &["expanded_conv_project", "expanded_conv_1_expand"],
    ),
    (
        "MobileNetV3",
        &["expanded_conv/project", "expanded_conv_1/expand"],
    ),
    (
        "EfficientNet",
        &["stem_conv", "block1a_dwconv", "block2a_expand_conv"],
    ),
    (
        "EfficientNetV2",
        &["stem_conv", "block1a_project_conv", "block2a_expand_conv"],
    ),
    ("ResNet V2", &["conv1_conv", "conv2_block1_preact_bn"]),
    ("DenseNet", &["conv2_block1_0_bn", "pool2_conv"]),
    (
        "ResNet",
        &["conv1_conv", "conv2_block1_1_conv", "conv2_block1_add"],
    ),
    ("ResNet", &["bn_conv1", "res2a_branch2a"]),
    ("VGG", &["block1_conv1", "block1_conv2", "block5_conv3"]),
    ("Xception", &["block1_conv1", "block14_sepconv2"]),
    ("InceptionResNetV2", &["conv_7b", "mixed_5b"]),
    ("InceptionV3", &["mixed0", "mixed10"]),
    ("NASNet", &["stem_conv1", "stem_bn1", "normal_conv_1_0"]),
];

impl Recognised {
    /// For a file with a configuration.
    pub fn by_configuration(graph: &Graph) -> Self {
        let has = |name: &&str| graph.layers.iter().any(|layer| layer.name == **name);
        let convnext = || graph.layers.iter().any(|l| l.name.contains("convnext"));
        let family = FAMILIES.iter().find(|(_, names)| names.iter().all(has));
        let family = family.map(|(family, _)| *family);
        let family = family.or_else(|| convnext().then_some("ConvNeXt"));
        let name = match graph.name.as_str() {
            "" => "a network".to_owned(),
            name => format!("`{name}`"),
        };
        match family {
            Some(family) => Self {
                what: format!("{name}, with the layers of {family}"),
                how: format!(
                    "the file holds its configuration; {family} by the names of its layers"
                ),
            },
            None => Self {
                what: format!("{name}, of no family known here"),
                how: "the file holds its configuration".to_owned(),
            },
        }
    }

    /// For a state dict, whose tensors all fit a known architecture.
    pub fn by_tensors(graph: &Graph) -> Self {
        let weights: usize = graph.layers.iter().map(|l| l.weights.len()).sum();
        Self {
            what: graph.name.clone(),
            how: format!("by the names and shapes of its {weights} tensors"),
        }
    }

    /// For a file that lists operators: its writer chose the network's name.
    pub fn by_operators(graph: &Graph) -> Self {
        let what = match graph.name.as_str() {
            "" => "a network".to_owned(),
            name => format!("`{name}`"),
        };
        let nodes = graph.nodes.len();
        Self {
            what,
            how: format!("the file lists its {nodes} operators"),
        }
    }
}
