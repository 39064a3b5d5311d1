//! What a layer needs from the reader of a Keras file to read its own configuration.

use super::AugmentLayer;

/// The `config` object of one layer. Errors name the layer and the key.
pub trait KerasConfig {
    type Error;

    /// An error for a setting that cannot be honoured, with the reason.
    fn refuse(&self, reason: String) -> Self::Error;

    /// A string; empty where it is absent.
    fn text(&self, key: &str) -> Result<&str, Self::Error>;

    /// A yes or no; `None` where it is absent.
    fn flag(&self, key: &str) -> Result<Option<bool>, Self::Error>;

    /// A whole number of at least 1, which must be there.
    fn count(&self, key: &str) -> Result<usize, Self::Error>;

    /// One number; `None` where it is absent.
    fn number(&self, key: &str) -> Result<Option<f64>, Self::Error>;

    /// One number or a list of them, never empty; `None` where it is absent.
    fn numbers(&self, key: &str) -> Result<Option<Vec<f64>>, Self::Error>;

    /// True where the value is written as a list.
    fn is_list(&self, key: &str) -> bool;

    /// Layers inside of the layer, which must be there.
    fn layers(&self, key: &str) -> Result<Vec<AugmentLayer>, Self::Error>;

    /// The layer's own seed.
    fn seed(&self) -> Option<u64>;
}
