//! Which network a file holds, and how that is known.

use serde::{Deserialize, Serialize};

use super::Graph;

/// Which network a file holds, and how surely.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recognised {
    /// `MobileNetV2, without its top`.
    pub what: String,
    /// `by the names and all shapes of its 104 layers with weights`.
    pub how: String,
}

/// Families by names of their own layers, which stay when the model around them is renamed: each
/// with names that must all be there. The first that fits counts.
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
    /// Of a file that holds its own configuration.
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

    /// Of a state dict, built from a table that all of its tensors must fit.
    pub fn by_tensors(graph: &Graph) -> Self {
        let weights: usize = graph.layers.iter().map(|l| l.weights.len()).sum();
        Self {
            what: graph.name.clone(),
            how: format!("by the names and shapes of its {weights} tensors"),
        }
    }

    /// Of a file that lists operators: what the network is called is its writer's choice.
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
