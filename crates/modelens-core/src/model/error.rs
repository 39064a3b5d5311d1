//! What can go wrong with a model, in sentences that name the cause first.

use thiserror::Error;

/// A file that cannot be opened as a model.
#[derive(Debug, Error)]
pub enum OpenError {
    #[error("the file cannot be read ({0})")]
    Io(#[from] std::io::Error),
    #[error("this is not a model file: {0}")]
    NotAModel(String),
    /// Which network they belong to is for a person to say.
    #[error("the file holds weights and no configuration: {0}")]
    WeightsAlone(String),
    #[error("the file is broken: {0}")]
    Broken(String),
    #[error("the file is too large: {0}")]
    TooLarge(String),
    #[error("layer `{layer}`{place} is a {class}, which is not supported. Supported: {supported}")]
    UnsupportedLayer {
        layer: String,
        /// ` in <nested model>`, or empty at the top.
        place: String,
        class: String,
        supported: String,
    },
    #[error("layer `{layer}`: {reason}")]
    UnsupportedSetting { layer: String, reason: String },
    #[error(
        "weight `{weight}` of layer `{layer}` has shape {found:?}, but the layer needs {expected:?}"
    )]
    WeightShape {
        layer: String,
        weight: String,
        found: Vec<usize>,
        expected: Vec<usize>,
    },
    #[error("weight `{weight}` of layer `{layer}` is missing from the file")]
    WeightMissing { layer: String, weight: String },
}

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
    #[error("cancelled")]
    Cancelled,
}
