//! The words of the Predict view.

mod sentences;

pub use sentences::*;
