//! The bundled bases and photos: two networks, the class names of one, and 93 photos.
//!
//! Their licences and sources are beside the files in `assets/`. The program has them compiled in; a
//! page fetches them beside the program and hands them over ([`crate::give`]), so that it starts sooner.

use std::borrow::Cow;

/// The classes of the lab's network in the order of its outputs, one a line.
pub static LAB_LABELS: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../assets/base/lab_mobilenetv2.labels.txt"
));

/// Why there is nothing to open: a page has not fetched it.
pub type NotFetched = std::io::Error;

#[cfg(not(target_family = "wasm"))]
mod files {
    use super::{Cow, NotFetched};
    use include_dir::{Dir, include_dir};

    static PHOTOS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../../assets/photos");
    // In statics: each crate that a function is inlined into would have a copy of its constants.
    static LAB: &[u8] = include_bytes!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../assets/base/lab_mobilenetv2.keras"
    ));
    static LITE0: &[u8] = include_bytes!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../assets/base/efficientnet_lite0.safetensors"
    ));

    /// The network that the course's lab builds, with a head for the bundled photos: a `.keras` file
    /// that `assets/base/make_lab_mobilenetv2.py` makes.
    ///
    /// # Errors
    /// None here.
    pub fn lab_mobilenetv2() -> Result<Cow<'static, [u8]>, NotFetched> {
        Ok(Cow::Borrowed(LAB))
    }

    /// An EfficientNet-Lite0 trained on ImageNet, a PyTorch state dict as safetensors.
    ///
    /// # Errors
    /// None here.
    pub fn efficientnet_lite0() -> Result<Cow<'static, [u8]>, NotFetched> {
        Ok(Cow::Borrowed(LITE0))
    }

    /// The photos: paths with `/` between names, and their bytes.
    pub fn photos() -> Vec<(String, Cow<'static, [u8]>)> {
        let mut files = Vec::new();
        let mut folders = vec![&PHOTOS];
        while let Some(folder) = folders.pop() {
            folders.extend(folder.dirs());
            files.extend(folder.files().map(|file| {
                let names = file.path().iter().map(|name| name.to_string_lossy());
                let name = names.collect::<Vec<_>>().join("/");
                (name, Cow::Borrowed(file.contents()))
            }));
        }
        files
    }
}

/// The files that a page fetches, below this folder.
#[cfg(target_family = "wasm")]
mod files {
    use std::path::Path;

    use super::{Cow, NotFetched};

    const FOLDER: &str = "/bundled";

    fn fetched(name: &str) -> Result<Cow<'static, [u8]>, NotFetched> {
        let bytes = crate::given(&Path::new(FOLDER).join(name));
        let missing = || NotFetched::other("it could not be fetched; load the page again");
        bytes
            .map(|bytes| Cow::Owned(bytes.to_vec()))
            .ok_or_else(missing)
    }

    /// The network of the course's lab.
    ///
    /// # Errors
    /// It has not arrived.
    pub fn lab_mobilenetv2() -> Result<Cow<'static, [u8]>, NotFetched> {
        fetched("lab_mobilenetv2.keras")
    }

    /// The EfficientNet-Lite0.
    ///
    /// # Errors
    /// It has not arrived.
    pub fn efficientnet_lite0() -> Result<Cow<'static, [u8]>, NotFetched> {
        fetched("efficientnet_lite0.safetensors")
    }

    /// The photos that have arrived.
    pub fn photos() -> Vec<(String, Cow<'static, [u8]>)> {
        let below = crate::given_below(&Path::new(FOLDER).join("photos"));
        let owned = below
            .into_iter()
            .map(|(name, bytes)| (name, Cow::Owned(bytes.to_vec())));
        owned.collect()
    }
}

pub use files::{efficientnet_lite0, lab_mobilenetv2, photos};
