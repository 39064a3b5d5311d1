//! Why a pass through a network fails.

use thiserror::Error;

/// The reason a tensor operation gives, without the stack trace that candle may append to it.
pub fn reason(error: &candle_core::Error) -> String {
    match error {
        candle_core::Error::WithBacktrace { inner, .. } => reason(inner),
        candle_core::Error::Context { inner, context } => format!("{context}: {}", reason(inner)),
        candle_core::Error::Msg(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A pass through the network that cannot be finished.
#[derive(Debug, Error)]
pub enum PassError {
    #[error("layer `{layer}`: {reason}")]
    Layer { layer: String, reason: String },
    #[error("the model takes {expected}, but was given {found}")]
    Input { expected: String, found: String },
    #[error("there is no layer `{0}` in this model")]
    NoSuchLayer(String),
    #[error(
        "{images} images in one step need {needed_gb:.1} GB of memory, and {free_gb:.1} GB are free; take \
         a smaller batch or freeze more layers"
    )]
    Memory {
        images: usize,
        needed_gb: f64,
        free_gb: f64,
    },
    #[error("cancelled")]
    Cancelled,
}
