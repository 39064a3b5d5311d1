//! What is compiled into the program: two base networks, their labels and a few photos.
//!
//! Licences and sources stand beside the files under `assets/`.

use include_dir::{Dir, include_dir};

/// The bundled photos: one folder a class, and `attribution.csv`.
static PHOTOS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../../assets/photos");

/// A `MobileNetV2` trained on dog breeds, a Keras HDF5 file.
///
/// The bytes have no particular alignment.
pub static DOG_BREEDS_MOBILENETV2: &[u8] = include_bytes!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../assets/base/dog_breeds_mobilenetv2.h5"
));

/// An `EfficientNet-Lite0` trained on `ImageNet`, a `PyTorch` state dict as safetensors.
///
/// The bytes have no particular alignment.
pub static EFFICIENTNET_LITE0: &[u8] = include_bytes!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../assets/base/efficientnet_lite0.safetensors"
));

static DOG_BREEDS_LABELS: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../assets/base/dog_breeds_mobilenetv2.labels.txt"
));

static IMAGENET_LABELS: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../assets/base/imagenet1k.labels.txt"
));

/// The networks of `keras.applications` as configurations without weights, one JSON entry each.
pub static ARCHITECTURES: &[u8] = include_bytes!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../assets/architectures/architectures.zip"
));

/// The folder of bundled photos; paths inside are relative to it and use `/`.
pub fn photos() -> &'static Dir<'static> {
    &PHOTOS
}

/// Who took the bundled photos, and their licences: CSV with one header line.
pub fn photo_attribution() -> &'static str {
    PHOTOS
        .get_file("attribution.csv")
        .and_then(include_dir::File::contents_utf8)
        .unwrap_or_default()
}

/// The classes of [`DOG_BREEDS_MOBILENETV2`], in the order of its outputs.
pub fn dog_breeds_labels() -> Vec<&'static str> {
    DOG_BREEDS_LABELS.lines().collect()
}

/// The classes of [`EFFICIENTNET_LITE0`], in the order of its outputs.
pub fn imagenet_labels() -> Vec<&'static str> {
    IMAGENET_LABELS.lines().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_assets_are_what_their_names_say() {
        assert!(DOG_BREEDS_MOBILENETV2.starts_with(b"\x89HDF\r\n\x1a\n"));
        assert_eq!(EFFICIENTNET_LITE0[8], b'{');
        assert_eq!(imagenet_labels().len(), 1000);
        assert!(dog_breeds_labels().iter().all(|label| !label.is_empty()));
        assert!(photo_attribution().contains("fish"));
    }
}
