//! Pipelines from code.

use super::super::*;
use crate::rules::Semantics;

fn read(text: &str) -> Vec<String> {
    let pipeline = Pipeline::from_code(text).unwrap_or_else(|error| panic!("{error}"));
    pipeline
        .steps
        .iter()
        .map(|step| step.layer.code())
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
fn every_usual_form_of_torchvision_is_read() {
    let flip = "v2.RandomHorizontalFlip(p=0.3)";
    let converted = ["v2.ToImage()", "v2.ToDtype(torch.float32, scale=True)"];
    for text in [
        "transforms.Compose([\n  transforms.RandomHorizontalFlip(0.3),\n  transforms.ToTensor(),\n])",
        "import torchvision.transforms as tr\nt = tr.Compose([tr.RandomHorizontalFlip(p=0.3), tr.ToTensor()])",
        "from torchvision.transforms import (\n  Compose,\n  RandomHorizontalFlip, ToTensor)\n\
         t = Compose([RandomHorizontalFlip(p=.3), ToTensor()])",
        "v2.Compose([v2.RandomHorizontalFlip(p=3 / 10), v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])",
        "T.RandomHorizontalFlip(0.3)\nT.PILToTensor()\nT.ConvertImageDtype(torch.float32)\nT.ToPureTensor()",
        "nn.Sequential(RandomHorizontalFlip(0.3), T.Compose([ToTensor()]))",
    ] {
        let read = read(text);
        if text.starts_with("nn.") {
            // What stands outside of a Compose does not belong to it.
            assert_eq!(read, converted, "{text}");
        } else {
            assert_eq!(read, [&[flip], &converted[..]].concat(), "{text}");
        }
    }
}

#[test]
fn of_several_compositions_the_one_for_training_is_read() {
    let text = "data_transforms = {\n    'val': transforms.Compose([\n        transforms.ToTensor(),\n        \
                transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])\n    ]),\n    \
                'train': transforms.Compose([\n        transforms.RandomVerticalFlip(),\n    ]),\n}";
    assert_eq!(read(text), ["v2.RandomVerticalFlip()"]);
    assert_eq!(
        read(&text.replace("RandomVerticalFlip", "ToTensor")),
        [
            "v2.ToImage()",
            "v2.ToDtype(torch.float32, scale=True)",
            "v2.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))",
        ]
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
            "v2.Compose([v2.RandomRotaton(7)])",
            "line 1: torchvision has no transform that is known here as `RandomRotaton`; did you mean \
             `v2.RandomRotation`?",
        ),
        (
            "a = [1, 2]",
            "line 1: no layer is called; paste keras.Sequential([...]), v2.Compose([...]) or a \
             list of layers",
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
    let own: Pipeline = pipeline
        .steps
        .into_iter()
        .map(|step| step.layer)
        .filter(|layer| layer.framework() == Framework::Torchvision)
        .collect();
    assert_eq!(Pipeline::from_code(&own.torchvision_code()), Ok(own));
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
