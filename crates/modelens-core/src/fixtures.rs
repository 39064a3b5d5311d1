//! The bundled bases and a network with modules inside modules, for tests.

use std::path::Path;

use crate::formats::{self, ModelFile};
use crate::model::Model;

/// The MobileNetV2 of dog breeds, a Keras HDF5 file.
pub fn dog_breeds() -> Model {
    let names = bytes("dog_breeds_mobilenetv2.labels.txt");
    let names = String::from_utf8(names).unwrap();
    opened("dog_breeds_mobilenetv2.h5", Some(&names))
}

/// EfficientNet-Lite0, a PyTorch state dict.
pub fn efficientnet_lite0() -> Model {
    opened("efficientnet_lite0.safetensors", None)
}

/// An exported program of PyTorch with containers, BatchNorm and dropout
/// (`tests/fixtures/generators/make_modules.py`).
pub fn nested() -> Model {
    let path = "../../tests/fixtures/modules/nested.pt2";
    let bytes = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    formats::open(ModelFile::new("nested.pt2", bytes)).unwrap()
}

fn opened(name: &str, class_names: Option<&str>) -> Model {
    let file = ModelFile {
        class_names,
        ..ModelFile::new(name, bytes(name))
    };
    formats::open(file).unwrap()
}

fn bytes(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/base");
    std::fs::read(folder.join(name)).unwrap()
}
