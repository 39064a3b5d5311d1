//! Pipelines from code.

use super::super::*;
use crate::rules::Semantics;

fn read(text: &str) -> Vec<String> {
    let pipeline = Pipeline::from_code(text).unwrap_or_else(|error| panic!("{error}"));
    pipeline
        .steps
        .iter()
        .map(|step| step.layer.keras_code())
        .collect()
}

fn refused(text: &str) -> String {
    Pipeline::from_code(text).unwrap_err().to_string()
}

#[test]
fn every_usual_form_is_read() {
    let expected = ["RandomFlip(\"horizontal\")", "RandomRotation(0.2)"];
    for text in [
        "keras.Sequential([\n  keras.layers.RandomFlip('horizontal'),\n  keras.layers.RandomRotation(0.2),\n])",
        "[RandomFlip(mode=\"horizontal\"), RandomRotation(factor=.2),]",
        "RandomFlip('horizontal')\nRandomRotation(2e-1, fill_mode='reflect')",
        // The course's lab.
        "def data_augmenter():\n    '''\n    Create a Sequential model.\n    '''\n    \
         data_augmentation = tf.keras.Sequential()\n    \
         data_augmentation.add(RandomFlip('horizontal'))\n    \
         data_augmentation.add(RandomRotation(0.2))\n    return data_augmentation",
        // Keras' guide, and functional code.
        "from keras import layers\ninputs = keras.Input(shape=(150, 150, 3))\n\
         x = layers.RandomFlip(\"horizontal\", name=\"flip\")(inputs)  # RandomZoom(9)\n\
         x = layers.RandomRotation(1 / 5, dtype=tf.float32)(x)\nmodel = keras.Model(inputs, x)",
    ] {
        assert_eq!(read(text), expected, "{text}");
    }
}

#[test]
fn arguments_of_every_type_are_read() {
    assert_eq!(
        read(
            "layers.RandomZoom((-0.2, 0.3), width_factor=None, fill_value=10., seed=3), \
             layers.Rescaling(1./127.5, offset=-1), layers.Resizing(160, 200, crop_to_aspect_ratio=True), \
             layers.RandomGaussianBlur(kernel_size=(5, 3)), layers.RandomErasing(fill_value=[1, 2, 3])"
        ),
        [
            "RandomZoom((-0.2, 0.3), fill_value=10.0, seed=3)",
            "Rescaling(1 / 127.5, offset=-1.0)",
            "Resizing(160, 200, crop_to_aspect_ratio=True)",
            "RandomGaussianBlur(kernel_size=(5, 3))",
            "RandomErasing(fill_value=(1.0, 2.0, 3.0))",
        ]
    );
}

#[test]
fn transforms_of_torchvision_that_a_layer_equals_are_read() {
    assert_eq!(
        read(
            "transforms.Compose([\n  v2.RandomHorizontalFlip(),\n  RandomVerticalFlip(p=0.5),\n  \
             v2.RandomGrayscale(),\n  v2.RandomInvert(0.3)])"
        ),
        [
            "RandomFlip(\"horizontal\")",
            "RandomFlip(\"vertical\")",
            "RandomGrayscale(0.1)",
            "RandomInvert((0.3, 0.3))",
        ]
    );
    assert_eq!(
        refused("v2.RandomHorizontalFlip(0.2)"),
        "line 1: `p` is not 0.5, which is how Keras flips"
    );
}

#[test]
fn errors_name_the_line_and_the_way_out() {
    for (text, error) in [
        (
            "x = 3\nlayers.RandomFlop('horizontal')",
            "line 2: there is no layer `RandomFlop`; did you mean `RandomFlip`?",
        ),
        (
            "RandomRotation(0.2, angle=3)",
            "line 1: RandomRotation has no argument `angle`; it has factor, fill_mode, interpolation, \
             fill_value",
        ),
        (
            "RandomRotation(factor)",
            "line 1: `factor` is no constant; write its value as a number or a string",
        ),
        (
            "\nRandomRotation(7)",
            "line 2: RandomRotation: factor is 7, but must lie within [-1, 1]",
        ),
        (
            "v2.Compose([v2.RandomRotation(7)])",
            "line 1: `RandomRotation` of torchvision cannot be read; those that can: RandomHorizontalFlip, \
             RandomVerticalFlip, RandomGrayscale, RandomInvert",
        ),
        (
            "a = [1, 2]",
            "line 1: no layer is called; paste keras.Sequential([...]) or a list of layers",
        ),
        ("RandomFlip('horizontal", "line 1: a string does not end"),
    ] {
        assert_eq!(refused(text), error);
    }
}

#[test]
fn the_code_of_every_layer_is_read_back() {
    let layers = Transform::all(96, 128).map(AugmentLayer::from);
    let pipeline: Pipeline = layers.into_iter().collect();
    for semantics in [Semantics::Keras2, Semantics::Keras3] {
        let own: Pipeline = pipeline
            .steps
            .iter()
            .map(|step| step.layer.clone())
            .filter(|layer| layer.missing_in(semantics).is_none())
            .collect();
        assert_eq!(Pipeline::from_code(&own.keras_code(semantics)), Ok(own));
    }
}

#[test]
fn any_text_is_read_or_refused() {
    for text in [
        "(((",
        "RandomFlip(",
        "RandomFlip(((((",
        "'''",
        "-",
        "RandomCrop(-",
        "é=RandomFlip(é",
    ] {
        let _ = Pipeline::from_code(text);
    }
    let deep = format!("RandomRotation({})", "(".repeat(5_000));
    assert!(Pipeline::from_code(&deep).is_err());
}
