//! The bundled bases and a network with modules inside modules, for tests.

use std::path::Path;

use crate::formats::{self, ModelFile};
use crate::model::Model;

/// The network of the course's lab, a `.keras` file.
pub fn lab_mobilenetv2() -> Model {
    let names = bytes("lab_mobilenetv2.labels.txt");
    let names = String::from_utf8(names).unwrap();
    opened("lab_mobilenetv2.keras", Some(&names))
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
