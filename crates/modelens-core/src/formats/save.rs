//! Trained weights on their way back into a file.

use thiserror::Error;

use super::OpenError;
use crate::model::{Format, Layer, LayerId, Model};

/// A trained model, and how its layers relate to those of the file it came from.
#[derive(Clone, Copy, Debug)]
pub struct Trained<'a> {
    pub model: &'a Model,
    /// For each layer of the file its place in `model`; `None` for layers that a new head replaces.
    pub places: &'a [Option<LayerId>],
    /// Whether `model` has a new head: the layers after those of the file.
    pub has_new_head: bool,
}

impl<'a> Trained<'a> {
    /// The layers of the new head, in order.
    pub fn new_layers(&self) -> impl Iterator<Item = (LayerId, &'a Layer)> + use<'a> {
        let kept = self.places.iter().flatten().count();
        self.model.graph.layers.iter().enumerate().skip(kept)
    }
}

/// Why a trained model cannot be put into a file.
#[derive(Debug, Error)]
pub enum SaveError {
    #[error("the file the model came from cannot be read again: {0}")]
    Source(#[from] OpenError),
    #[error("the file the model came from has changed since it was opened")]
    Changed,
    #[error("a new head that replaces layers of a nested model cannot be saved")]
    NestedHead,
    #[error(
        "the file holds weights and no configuration, so a new head cannot be added to it; save the \
         whole model in Keras first"
    )]
    WeightsAlone,
    #[error(
        "the file holds weights and no configuration, so it cannot become a .keras file; save as .h5"
    )]
    NoConfiguration,
    /// A state dict in which no layer has the names of a new head's layer.
    #[error(
        "the file has no tensors whose names the new layer `{0}` could take; train with the head of \
         the file"
    )]
    NoPlace(String),
    #[error("trained networks of this format cannot be saved")]
    ReadOnlyFormat,
    /// Found before anything is computed.
    #[error("the name must end in {} to save a {family} network", alternatives(.endings))]
    Ending {
        family: &'static str,
        endings: &'static [&'static str],
    },
    #[error("the new file cannot be built ({0})")]
    Content(String),
}

/// `.h5, .keras or .hdf5`
fn alternatives(endings: &[&str]) -> String {
    let endings: Vec<String> = endings.iter().map(|ending| format!(".{ending}")).collect();
    match endings.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    }
}

/// The format of a file name's ending, as one of `format.saved_as`.
///
/// # Errors
/// A format that is only read, and a name with another ending or none.
pub fn ending_of(format: Format, name: &str) -> Result<&'static str, SaveError> {
    if format.saved_as.is_empty() {
        return Err(SaveError::ReadOnlyFormat);
    }
    let ending = name.rsplit_once('.').map(|(_, ending)| ending);
    let mut endings = format.saved_as.iter().copied();
    endings
        .find(|known| ending == Some(known))
        .ok_or(SaveError::Ending {
            family: format.family,
            endings: format.saved_as,
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::{keras, onnx, pytorch};

    #[test]
    fn the_ending_of_the_name_must_fit_the_format() {
        let of = |format: Format, name: &str| match ending_of(format, name) {
            Ok(ending) => ending.to_owned(),
            Err(error) => error.to_string(),
        };
        for format in [keras::H5.format, keras::ZIP.format] {
            for ending in ["h5", "hdf5", "keras"] {
                assert_eq!(of(format, &format!("my.model.{ending}")), ending);
            }
            for name in ["model", "h5", "x.safetensors", "x.H5", "x.keras.bak", "x."] {
                let why = of(format, name);
                assert!(why.contains("to save a Keras network"), "{name}: {why}");
            }
        }
        let why = of(keras::H5.format, "x.pth");
        assert!(why.contains("end in .h5, .keras or .hdf5 to save"), "{why}");
        for format in [pytorch::SAFETENSORS.format, pytorch::PICKLE.format] {
            assert_eq!(of(format, "x.safetensors"), "safetensors");
            for name in ["x.pth", "x.pt", "x.bin", "x.h5", "safetensors"] {
                let why = of(format, name);
                assert!(why.contains("must end in .safetensors to save"), "{why}");
            }
        }
        assert!(of(onnx::ONNX.format, "x.onnx").contains("cannot be saved"));
    }
}
