//! Data compiled into this crate: architectures without weights, class names and photos.
//!
//! Licences and sources stand beside the files under `assets/`.

use include_dir::{Dir, include_dir};

/// The bundled photos: one folder a class, and `attribution.csv`.
static PHOTOS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../../assets/photos");

/// The classes of ImageNet-1k, one a line, in the usual order.
pub static IMAGENET_LABELS: &str = include_str!(concat!(
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_assets_are_what_their_names_say() {
        assert_eq!(IMAGENET_LABELS.lines().count(), 1000);
        assert!(photos().get_file("attribution.csv").is_some());
    }
}
