//! Data compiled into this crate: architectures without weights and class names.
//!
//! Their licences and sources are beside the files in `assets/`.

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_assets_are_what_their_names_say() {
        assert_eq!(IMAGENET_LABELS.lines().count(), 1000);
    }
}
