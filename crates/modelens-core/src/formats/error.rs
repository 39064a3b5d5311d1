//! Why a file cannot be opened as a network.

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
    /// Tensors of a network that is similar to a known one.
    #[error(
        "its network is none that is known here: it looks like {like}, but {but}. Save it as an \
         exported program (torch.export.save, a .pt2 file) to open it"
    )]
    OtherNetwork { like: String, but: String },
    /// A reason in full: what is wrong, and what to do.
    #[error("{0}")]
    Refused(String),
    #[error("the file is broken: {0}")]
    Broken(String),
    /// How much of it is there.
    #[error("the file is cut off: {0}. Download or copy it again")]
    CutOff(String),
    #[error("the file is too large: {0}")]
    TooLarge(String),
    #[error("layer `{layer}`{place} is a {class}, which is not supported. {what_to_do}")]
    UnsupportedLayer {
        layer: String,
        /// ` in <nested model>`, or empty at the top.
        place: String,
        class: String,
        what_to_do: &'static str,
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

/// A person chose an architecture for a file that names its own.
pub(super) fn architecture_is_known() -> OpenError {
    OpenError::Refused(
        "the file says itself which network it holds; leave the architecture out".to_owned(),
    )
}

/// The output that a person chose with `auto:output=NAME`, for a file that names its own network.
pub(super) fn chosen_output(architecture: Option<&str>) -> Result<Option<&str>, OpenError> {
    let Some(chosen) = architecture else {
        return Ok(None);
    };
    let output = chosen.strip_prefix("auto:output=");
    output.map(Some).ok_or_else(architecture_is_known)
}
