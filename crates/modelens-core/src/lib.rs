//! Opens pretrained networks and photos, and runs them in training and inference mode by the rules
//! of each framework.
//!
//! Bytes in, numbers out: this crate has no window, no file system, no clock and no threads except
//! rayon's. Here is a Keras model that is run in both modes:
//!
//! ```
//! use candle_core::{Device, Tensor};
//! use modelens_core::formats::{ModelFile, open};
//! use modelens_core::model::{Flags, Mode, pass};
//!
//! # const FILE: &[u8] = include_bytes!(concat!(
//! #     env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/golden/bnnet_keras3/model.keras"
//! # ));
//! let model = open(ModelFile::new("model.keras", FILE.to_vec()))?;
//! let flags = Flags::of_file(&model.graph);
//! let x = Tensor::rand(0_f32, 1_f32, (5, 12, 12, 3), &Device::Cpu)?; // [N, H, W, C]
//! let [training, inference] = Mode::BOTH.map(|mode| {
//!     let options = pass::PassOptions::of(&model, &flags, mode);
//!     pass::run(&model, &x, &options, &|_, _| true)
//! });
//! assert_ne!(training?.output.to_vec2::<f32>()?, inference?.output.to_vec2::<f32>()?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Each module may use the modules in the items below its own (`tests/suite/edges.rs` checks it):
//! 1. [`train`]: losses, optimizers, training runs
//! 2. [`formats`]: reads model files (Keras, PyTorch, ONNX) and writes trained weights back
//! 3. [`model`]: the graph of layers, its flags, and passes through it
//! 4. [`augment`]: Keras' random preprocessing layers and torchvision's transforms
//! 5. [`dataset`]: lists, decodes and resizes photos
//! 6. [`rules`], [`random`], [`nearest`], [`number`], [`assets`]: what one layer does in one call by the
//!    rules of each framework, seeded draws, the closest names, numbers as text, the bundled files

#![forbid(unsafe_code)]

pub mod assets;
pub mod augment;
pub mod dataset;
#[cfg(test)]
mod fixtures;
pub mod formats;
pub mod model;
pub mod nearest;
pub mod number;
pub mod random;
pub mod rules;
pub mod train;

/// What the first bytes of a file that was not downloaded are, with the remedy: a Git LFS pointer or a
/// web page; `None` for anything else.
pub fn not_downloaded(bytes: &[u8]) -> Option<String> {
    let start = &bytes[..bytes.len().min(512)];
    if start.starts_with(b"version https://git-lfs") {
        return Some(
            "it is a Git LFS pointer, and the file itself was not downloaded: run `git lfs pull` in \
             its repository, or download it with the site's own button"
                .to_owned(),
        );
    }
    let text = String::from_utf8_lossy(start).to_ascii_lowercase();
    let text = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    let page = ["<!doctype html", "<html", "<head"]
        .iter()
        .any(|tag| text.starts_with(tag));
    page.then(|| {
        "it is a web page, saved in place of the file: download the file itself (on GitHub with \
         `Download raw file`)"
            .to_owned()
    })
}

/// Runs `f` and turns a panic into an error: a hostile file may trip the decoder of another crate,
/// and the caller has to continue.
///
/// # Errors
/// The message of the panic.
pub fn guarded<T>(f: impl FnOnce() -> T) -> Result<T, String> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)).map_err(|panic| {
        let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        text.unwrap_or_else(|| "unknown cause".to_owned())
    })
}
