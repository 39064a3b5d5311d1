//! PyTorch state dicts of known architectures. A state dict holds only names and tensors: the family is
//! recognised by the names, proven by the shapes, and then built in code. What shapes do not tell is
//! taken from `config.json` or from a person, else assumed and said.

mod builder;
mod checkpoint;
mod choice;
mod convnext;
mod densenet;
mod efficientnet_lite;
mod families;
mod inception;
mod inverted;
mod net;
mod pickle;
mod regnet;
mod resnet;
mod save;
#[cfg(test)]
mod shape_tests;
mod shufflenet;
mod squeezenet;
mod stochastic_depth;
mod swin;
mod torch_file;
mod vgg;
mod vit;

use std::collections::BTreeMap;

use candle_core::{Device, Tensor};

use self::builder::Keys;
use self::choice::Told;
pub use self::save::serialize;
pub use self::torch_file::is_zip;
use super::{OpenError, Reader};
use crate::model::layers::WeightMap;
use crate::model::{
    Assumption, Format, Graph, Model, ModelDescription, Preprocessing, Recognised, Semantics,
};

/// A state dict as safetensors.
pub static SAFETENSORS: Reader = Reader {
    format: Format {
        family: "PyTorch",
        endings: &["safetensors"],
        rare_endings: &[],
        saved_as: &["safetensors"],
        untrainable: None,
        without_batch_norm: None,
    },
    recognises: looks_like_safetensors,
    open: |file| {
        let told = Told::about(&file)?;
        let read = read_state(file.bytes, &told)?;
        Ok(recognise(read, &told)?.into_model(file.title, SAFETENSORS.format))
    },
    save: |file, trained, _| save::safetensors(file, trained),
    takes_architecture: true,
};

/// A state dict as `torch.save` writes it, zip or older. Nothing in it is executed. It is saved as
/// safetensors.
pub static PICKLE: Reader = Reader {
    format: Format {
        family: "PyTorch",
        endings: &["pth", "pt"],
        rare_endings: &["ckpt", "tar", "bin"],
        saved_as: &["safetensors"],
        untrainable: None,
        without_batch_norm: None,
    },
    recognises: torch_file::looks_like_pickle,
    open: |file| {
        let told = Told::about(&file)?;
        let read = read_state(file.bytes, &told)?;
        Ok(recognise(read, &told)?.into_model(file.title, PICKLE.format))
    },
    save: |file, trained, _| save::safetensors(file, trained),
    takes_architecture: true,
};

/// Maximum bytes of a `.safetensors` header, which holds names and shapes.
const MAX_HEADER: u64 = 16 << 20;

/// Tensors by name, in PyTorch's layouts.
pub type StateDict = BTreeMap<String, Tensor>;

/// A recognised network with the weights of the file.
#[derive(Debug)]
struct Recognition {
    graph: Graph,
    weights: WeightMap,
    /// The tensor of each weight.
    keys: Keys,
    /// Tensors beside the network's prefix that have no part in it.
    beside: Vec<String>,
    preprocessing: Preprocessing,
    warnings: Vec<String>,
    assumed: Vec<Assumption>,
}

impl Recognition {
    fn into_model(self, title: &str, format: Format) -> Model {
        let description = ModelDescription {
            title: title.to_owned(),
            format,
            framework: "PyTorch".into(),
            semantics: Semantics::PyTorch,
            recognised: Recognised::by_tensors(&self.graph),
            graph: self.graph,
            preprocessing: self.preprocessing,
            scale_unknown: false,
            labels: Vec::new(),
            labels_from: String::new(),
            warnings: self.warnings,
            assumed: self.assumed,
        };
        Model {
            description,
            weights: self.weights,
        }
    }
}

/// A safetensors file starts with the length of its JSON header.
fn looks_like_safetensors(bytes: &[u8]) -> bool {
    bytes.first_chunk::<8>().is_some_and(|length| {
        let length = u64::from_le_bytes(*length);
        length >= 2 && length <= bytes.len() as u64 - 8 && bytes.get(8) == Some(&b'{')
    })
}

/// Whether layers have weights or statistics of this name.
fn is_weight(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or_default();
    ["weight", "bias", "running_mean", "running_var"].contains(&last)
}

/// The error for a weight that is not stored as floating-point numbers: its scale is not known.
fn no_float(name: &str) -> OpenError {
    let name: String = name.chars().take(80).collect();
    OpenError::Refused(format!(
        "its tensor `{name}` holds no floating-point numbers: it is quantised, sparse or complex. Save \
         the network with 32-bit weights"
    ))
}

/// The tensors of a `.safetensors` file.
#[allow(
    clippy::needless_pass_by_value,
    reason = "the bytes are freed before the tensors are copied"
)]
fn read_safetensors(bytes: Vec<u8>) -> Result<StateDict, OpenError> {
    let header = bytes
        .first_chunk::<8>()
        .map_or(0, |n| u64::from_le_bytes(*n));
    if header > MAX_HEADER {
        return Err(OpenError::TooLarge(format!(
            "its header has {header} bytes"
        )));
    }
    let tensors = candle_core::safetensors::load_buffer(&bytes, &Device::Cpu)
        .map_err(|error| OpenError::Broken(format!("safetensors: {error}")))?;
    let state: StateDict = tensors.into_iter().collect();
    let mut weights = state.iter().filter(|(name, _)| is_weight(name));
    match weights.find(|(_, tensor)| tensor.rank() > 0 && tensor.dtype().is_int()) {
        Some((name, _)) => Err(no_float(name)),
        None => Ok(state),
    }
}

/// The tensors of a file of either format.
fn read_state(bytes: Vec<u8>, told: &Told) -> Result<torch_file::Read, OpenError> {
    if looks_like_safetensors(&bytes) {
        return Ok(torch_file::Read {
            state: read_safetensors(bytes)?,
            warning: None,
            chosen: false,
        });
    }
    // The file's bytes are freed before the layers make their own copies of the tensors.
    let read = torch_file::read(&bytes, told.weights.as_ref());
    drop(bytes);
    read
}

/// The network that a state dict holds.
fn recognise(read: torch_file::Read, told: &Told) -> Result<Recognition, OpenError> {
    let torch_file::Read {
        state,
        warning,
        chosen,
    } = read;
    let wanted = told.weights.as_ref().filter(|_| !chosen);
    let found = families::choose(state.keys().map(String::as_str), wanted)?;
    let mut warnings: Vec<String> = warning.into_iter().chain(found.sentence()).collect();
    let all = found.split(state);
    let mut recognition = (found.family.build)(&all, told)?;
    let outside: Vec<&str> = recognition.beside.iter().map(String::as_str).collect();
    if !outside.is_empty() {
        warnings.push(format!(
            "the network is the part under `{}`; {} other tensors of the file were left out: {}",
            found.prefix.trim_end_matches('.'),
            outside.len(),
            families::listed(&outside)
        ));
    }
    recognition.preprocessing = told.preprocessing.unwrap_or(recognition.preprocessing);
    warnings.append(&mut recognition.warnings);
    recognition.warnings = warnings;
    Ok(recognition)
}
