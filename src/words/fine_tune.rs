//! The words of the Fine-tune view.

mod sentences;

pub use sentences::*;
