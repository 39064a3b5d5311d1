//! The bundled bases: two networks and the class names of one.
//!
//! Their licences and sources are beside the files in `assets/base/`.

/// A MobileNetV2 trained on dog breeds, a Keras HDF5 file.
pub static DOG_BREEDS_MOBILENETV2: &[u8] = include_bytes!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../assets/base/dog_breeds_mobilenetv2.h5"
));

/// The classes of [`DOG_BREEDS_MOBILENETV2`] in the order of its outputs, one a line.
pub static DOG_BREEDS_LABELS: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../assets/base/dog_breeds_mobilenetv2.labels.txt"
));

/// An EfficientNet-Lite0 trained on ImageNet, a PyTorch state dict as safetensors.
pub static EFFICIENTNET_LITE0: &[u8] = include_bytes!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../assets/base/efficientnet_lite0.safetensors"
));
