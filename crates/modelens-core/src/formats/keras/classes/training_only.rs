//! Layers that only matter in training, by their names. They are not known here, and with training=False
//! they return their input.

use serde_json::Value;

/// Augmentation of Keras, KerasCV and others whose names do not begin with `Random`. Keras' `AutoContrast`
/// and `ContrastLimitedAdaptiveHistogramEqualization` are none of them: they act in both modes.
const AUGMENTATION: [&str; 14] = [
    "AugMix",
    "ChannelShuffle",
    "CutMix",
    "Cutout",
    "Equalization",
    "FourierMix",
    "GridMask",
    "MixUp",
    "Mosaic",
    "Posterization",
    "RandAugment",
    "Solarization",
    "AutoAugment",
    "TrivialAugment",
];

/// Parts of the names of noise layers that people write themselves.
const NOISE: [&str; 6] = [
    "Dropout",
    "DropBlock",
    "DropConnect",
    "DropPath",
    "StochasticDepth",
    "Augmentation",
];

/// True if a layer of this class, `package>Class` or `Class`, only matters in training. `config` are its
/// settings.
pub fn is_training_only(class: &str, config: &Value) -> bool {
    let class = class.rsplit('>').next().unwrap_or(class);
    if class == "Pipeline" {
        let layers = config.get("layers").and_then(Value::as_array);
        return layers.is_some_and(|layers| layers.iter().all(is_training_only_object));
    }
    (class.starts_with("Random") && class != "RandomFourierFeatures")
        || AUGMENTATION.contains(&class)
        || NOISE.iter().any(|part| class.contains(part))
}

/// Pipelines do not contain pipelines.
fn is_training_only_object(layer: &Value) -> bool {
    let class = layer.get("class_name").and_then(Value::as_str);
    class.is_some_and(|class| class != "Pipeline" && is_training_only(class, &Value::Null))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_of_layers_that_only_matter_in_training() {
        let is = |class: &str| is_training_only(class, &Value::Null);
        for class in [
            "RandomErasing",
            "keras_cv>RandomCutout",
            "Custom>DropPath",
            "MixUp",
            "FixedDropout",
            "my>DataAugmentation",
        ] {
            assert!(is(class), "{class}");
        }
        for class in [
            "AutoContrast",
            "RandomFourierFeatures",
            "Custom>Attention",
            "Lambda",
        ] {
            assert!(!is(class), "{class}");
        }
        let pipeline = |class: &str| json!({"layers": [{"class_name": class}]});
        assert!(is_training_only("Pipeline", &pipeline("RandomFlip")));
        assert!(!is_training_only("Pipeline", &pipeline("Rescaling")));
        assert!(!is("Pipeline"));
    }
}
