//! Scaling of photos before the first layer, and which one an architecture was trained with.

use serde::{Deserialize, Serialize};

use super::graph::{Activation, Graph, LayerKind};

/// How photos (0 to 255) are scaled before the first layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Preprocessing {
    /// Not at all: the model scales its own input.
    Raw,
    /// `x / 127.5 - 1`: MobileNet, Inception, Xception, ResNetV2, NASNet in Keras.
    MinusOneToOne,
    /// `(x - 127) / 128`: EfficientNet-Lite.
    Lite,
    /// `x / 255`.
    ZeroToOne,
    /// `(x / 255 - mean) / deviation` with ImageNet's mean and standard deviation by channel:
    /// torchvision, timm, and DenseNet in Keras.
    ImageNet,
    /// In the order blue, green, red, minus ImageNet's mean: ResNet and VGG in Keras.
    BgrMean,
}

/// ImageNet's mean and standard deviation of red, green and blue, on a scale from 0 to 1.
const MEAN: [f32; 3] = [0.485, 0.456, 0.406];
const DEVIATION: [f32; 3] = [0.229, 0.224, 0.225];
/// ImageNet's mean of blue, green and red, on a scale from 0 to 255.
const BGR_MEAN: [f32; 3] = [103.939, 116.779, 123.68];

impl Preprocessing {
    pub const ALL: [Self; 6] = [
        Self::Raw,
        Self::MinusOneToOne,
        Self::Lite,
        Self::ZeroToOne,
        Self::ImageNet,
        Self::BgrMean,
    ];

    /// The word for it on the command line, in lessons and in saved files.
    pub fn id(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::MinusOneToOne => "minus-one-to-one",
            Self::Lite => "lite",
            Self::ZeroToOne => "zero-to-one",
            Self::ImageNet => "imagenet",
            Self::BgrMean => "bgr-mean",
        }
    }

    /// The formula, as the window shows it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Raw => "0 to 255",
            Self::MinusOneToOne => "x / 127.5 - 1",
            Self::Lite => "(x - 127) / 128",
            Self::ZeroToOne => "x / 255",
            Self::ImageNet => "(x / 255 - mean) / std",
            Self::BgrMean => "BGR - mean",
        }
    }

    /// Applies the formula to the colours of one pixel.
    pub fn apply(self, pixel: &mut [f32]) {
        match self {
            Self::Raw => {}
            Self::MinusOneToOne => pixel.iter_mut().for_each(|x| *x = *x / 127.5 - 1.0),
            Self::Lite => pixel.iter_mut().for_each(|x| *x = (*x - 127.0) / 128.0),
            Self::ZeroToOne => pixel.iter_mut().for_each(|x| *x /= 255.0),
            Self::ImageNet => {
                for ((x, mean), deviation) in pixel.iter_mut().zip(MEAN).zip(DEVIATION) {
                    *x = (*x / 255.0 - mean) / deviation;
                }
            }
            Self::BgrMean => {
                pixel.reverse();
                for (x, mean) in pixel.iter_mut().zip(BGR_MEAN) {
                    *x -= mean;
                }
            }
        }
    }

    /// True if the model scales or shifts its input before its first weights, or casts it.
    pub fn scales_itself(graph: &Graph) -> bool {
        let layers = graph.nodes.iter().map(|n| &graph.layers[n.layer]);
        let before_weights = layers.take_while(|l| !l.weights.iter().any(|w| w.learnable));
        before_weights.into_iter().any(|l| match &l.kind {
            LayerKind::Operator(_) => true,
            // A cast to integers says that photos come as they are.
            LayerKind::Activation(activation) => *activation != Activation::Linear,
            kind => kind.op().scales_input(),
        })
    }

    /// The scaling that a Keras architecture was trained with: none if the model scales its input
    /// before its first weights, else by layer names that stay when the model is renamed.
    /// Source: `keras.applications.*.preprocess_input`.
    pub fn of(graph: &Graph) -> Self {
        if Self::scales_itself(graph) {
            return Self::Raw;
        }
        let has = |name: &str| graph.layers.iter().any(|l| l.name == name);
        let is_called = |start: &str| {
            let names = graph.layers.iter().map(|l| &l.name);
            std::iter::once(&graph.name)
                .chain(names)
                .any(|name| name.to_ascii_lowercase().starts_with(start))
        };
        let all = |names: &[&str]| names.iter().all(|name| has(name));
        if all(&["conv1_conv", "conv2_block1_preact_bn"])
            || all(&["block1_conv1", "block1_conv1_bn", "block14_sepconv2"])
            || ["mobilenet", "inception", "nasnet"].into_iter().any(is_called)
            // MobileNetV2's first BatchNorm, and MobileNet's first block. The `bn_conv1` of old
            // ResNet50 files is another layer, with another scaling.
            || has("bn_Conv1")
            || all(&["conv_dw_1", "conv_pw_1"])
            || all(&["conv_7b", "conv_7b_bn"])
        {
            Self::MinusOneToOne
        } else if all(&["conv1_conv", "conv2_block1_1_conv", "conv2_block1_add"])
            || all(&["block1_conv1", "block5_conv3"])
            || all(&["bn_conv1", "res2a_branch2a"])
        {
            Self::BgrMean
        } else if is_called("densenet") || all(&["conv2_block1_0_bn", "pool2_conv"]) {
            Self::ImageNet
        } else {
            Self::Raw
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::graph::Layer;

    #[test]
    fn by_family() {
        let of = |name: &str, layers: &[&str]| {
            let layer = |name: &&str| Layer::new(*name, "BatchNormalization", LayerKind::Identity);
            Preprocessing::of(&Graph {
                name: name.to_owned(),
                layers: layers.iter().map(layer).collect(),
                ..Graph::default()
            })
        };
        let symmetric = Preprocessing::MinusOneToOne;
        assert_eq!(of("model", &["bn_Conv1"]), symmetric);
        assert_eq!(of("mobilenetv2_1.00_224", &[]), symmetric);
        assert_eq!(of("mobilenet_1.00_224", &["conv1_bn"]), symmetric);
        assert_eq!(of("model", &["inception_v3"]), symmetric);
        let residual = ["conv1_conv", "conv2_block1_1_conv", "conv2_block1_add"];
        assert_eq!(of("resnet50", &residual), Preprocessing::BgrMean);
        assert_eq!(
            of("model", &["block1_conv1", "block5_conv3"]),
            Preprocessing::BgrMean
        );
        assert_eq!(
            of("model", &["conv1_conv", "conv2_block1_preact_bn"]),
            symmetric
        );
        assert_eq!(of("densenet121", &[]), Preprocessing::ImageNet);
        assert_eq!(of("model", &["bn_conv1"]), Preprocessing::Raw);
    }

    #[test]
    fn pixels() {
        let of = |how: Preprocessing| {
            let mut pixel = [255.0, 127.5, 0.0];
            how.apply(&mut pixel);
            pixel
        };
        assert_eq!(of(Preprocessing::MinusOneToOne), [1.0, 0.0, -1.0]);
        assert_eq!(of(Preprocessing::ZeroToOne), [1.0, 0.5, 0.0]);
        assert_eq!(
            of(Preprocessing::BgrMean),
            [-103.939, 127.5 - 116.779, 255.0 - 123.68]
        );
        let [r, g, b] = of(Preprocessing::ImageNet);
        assert!(
            (r - 2.248_9).abs() < 1e-3 && (g - 0.196_4).abs() < 1e-3 && (b + 1.804_4).abs() < 1e-3
        );
    }
}
