//! Opens pretrained networks and photos, and runs them in training and inference mode by the rules
//! of each framework. Bytes in, numbers out: no window, no clock, no thread but rayon's.
//!
//! Each module may use the modules in the items below its own (`tests/suite/edges.rs` checks it):
//! 1. [`train`]: losses, optimizers, training runs
//! 2. [`model`]: networks in files, passes through them, gradients
//! 3. [`augment`]: augmentation layers
//! 4. [`dataset`]: photos
//! 5. [`random`], [`nearest`], [`assets`]: seeded draws, similar names, the bundled files

pub mod assets;
pub mod augment;
pub mod dataset;
pub mod model;
pub mod nearest;
pub mod random;
pub mod train;

/// Runs `f` and returns the message of its panic as an error: a hostile file may trip a decoder of
/// another crate, and the caller must live on.
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
