//! The bundled bases: two networks and the class names of one.
//!
//! Their licences and sources are beside the files in `assets/base/`.

/// The network that the course's lab builds, with a head for the bundled photos: a `.keras` file that
/// `assets/base/make_lab_mobilenetv2.py` makes.
pub static LAB_MOBILENETV2: &[u8] = include_bytes!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../assets/base/lab_mobilenetv2.keras"
));

/// The classes of [`LAB_MOBILENETV2`] in the order of its outputs, one a line.
pub static LAB_LABELS: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../assets/base/lab_mobilenetv2.labels.txt"
));

/// An EfficientNet-Lite0 trained on ImageNet, a PyTorch state dict as safetensors.
pub static EFFICIENTNET_LITE0: &[u8] = include_bytes!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../assets/base/efficientnet_lite0.safetensors"
));
