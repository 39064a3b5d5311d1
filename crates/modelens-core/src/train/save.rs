//! Writing a fine-tuned model back to the format it came from.
//!
//! The file is copied and its weights are replaced, so that all else stays as its framework wrote
//! it; with a new head the configuration is changed to name it. The state of an optimizer in the
//! file belongs to other weights and is left out.

mod config;
mod keras;
mod pytorch;

use thiserror::Error;

use super::network::{Head, Network};
use crate::model::layers::Overrides;
use crate::model::open::ModelSource;
use crate::model::{Format, Model, OpenError};

/// Why a model is not saved; what was there before still holds.
#[derive(Debug, Error)]
pub enum SaveError {
    #[error("there is a file of this name already")]
    Exists,
    #[error("this is the file the model came from")]
    Original,
    #[error("the file the model came from cannot be read again: {0}")]
    Source(#[from] OpenError),
    #[error("the file the model came from has changed since it was opened")]
    Changed,
    #[error("a new head in the place of layers inside of a nested model cannot be saved")]
    NestedHead,
    #[error(
        "the file holds weights and no configuration, so a new head cannot be added to it; save the \
         whole model in Keras first"
    )]
    WeightsAlone,
    #[error("a .pth file cannot be written back; save the state dict as .safetensors first")]
    Pickle,
    #[error("an ONNX file is made for inference and cannot be written back")]
    Onnx,
    #[error("the new file cannot be put together ({0})")]
    Content(String),
    #[error("{0}")]
    Write(String),
}

/// The files of a saved model.
#[derive(Clone, Debug)]
pub struct Saved {
    pub model: Vec<u8>,
    /// Class names, one a line, where a new head has its own.
    pub labels: Option<String>,
}

/// The network with these weights in the format of `source`, and the class names of a new head.
///
/// # Errors
/// See [`SaveError`].
pub fn saved(
    source: &ModelSource,
    network: &Network,
    weights: &Overrides,
) -> Result<Saved, SaveError> {
    let finished = network.finished(weights);
    let bytes = crate::guarded(|| content(source, network, &finished));
    let labels = match network.head {
        Head::New(_) => Some(finished.labels.join("\n") + "\n"),
        _ => None,
    };
    Ok(Saved {
        model: bytes.unwrap_or_else(|panic| Err(SaveError::Content(panic)))?,
        labels,
    })
}

/// The bytes of the new file.
fn content(source: &ModelSource, network: &Network, model: &Model) -> Result<Vec<u8>, SaveError> {
    let original = source.bytes()?;
    match model.format {
        Format::KerasH5 => keras::h5(original, source, network, model),
        Format::KerasZip => keras::archive(original, network, model),
        Format::Safetensors => pytorch::safetensors(&original, model),
        Format::Pickle => Err(SaveError::Pickle),
        Format::Onnx => Err(SaveError::Onnx),
    }
}
