//! Opens pretrained networks and photos, and runs them in training and inference mode by the rules
//! of each framework. Bytes in, numbers out: no window, no clock, no thread but rayon's.

pub mod assets;
pub mod augment;
pub mod dataset;
#[cfg(test)]
mod fixtures;
pub mod formats;
pub mod model;
pub mod nearest;
pub mod random;
pub mod rules;
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
