//! Writing a fine-tuned model back to the format it came from.
//!
//! The file is copied and its weights are replaced, so that all else stays as its framework wrote
//! it; with a new head the configuration is changed to name it. The state of an optimizer in the
//! file belongs to other weights and is left out.

mod config;
mod keras;
mod pytorch;

use std::io::Write as _;
use std::path::Path;

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

/// Whether a file that is there may be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replace {
    No,
    /// The person was asked.
    Yes,
}

/// Writes the network with these weights to `path`, in the format of `source`; beside it the class
/// names of a new head.
///
/// The file is written under another name and renamed when it is complete: whenever it breaks off,
/// `path` holds either what it held before or the whole new model.
///
/// # Errors
/// See [`SaveError`].
pub fn save(
    source: &ModelSource,
    network: &Network,
    weights: &Overrides,
    path: &Path,
    replace: Replace,
) -> Result<(), SaveError> {
    if replace == Replace::No {
        if source
            .path()
            .is_some_and(|original| same_file(original, path))
        {
            return Err(SaveError::Original);
        }
        if path.exists() {
            return Err(SaveError::Exists);
        }
    }
    let model = network.finished(weights);
    let bytes = crate::worker::guarded(|| content(source, network, &model));
    let bytes = bytes.unwrap_or_else(|panic| Err(SaveError::Content(panic)))?;
    write(path, &bytes)?;
    if let Head::New(_) = network.head {
        write(
            &path.with_extension("labels.txt"),
            (model.labels.join("\n") + "\n").as_bytes(),
        )?;
    }
    Ok(())
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

fn same_file(a: &Path, b: &Path) -> bool {
    match (std::fs::canonicalize(a), std::fs::canonicalize(b)) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), SaveError> {
    let written = || -> anyhow::Result<()> {
        let mut file = crate::worker::temporary_beside(path)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        crate::worker::persist(file, path)
    };
    written().map_err(|error| SaveError::Write(error.to_string()))
}
