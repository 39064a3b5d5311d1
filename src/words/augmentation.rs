//! The words of the Augmentation view.

mod sentences;

pub use sentences::*;
