//! PyTorch state dicts of known architectures. A state dict holds only names and tensors, so the
//! architecture is recognised by the names and then built in code.

mod builder;
mod efficientnet_lite;
mod inverted_residuals;
mod net;
mod pickle;
mod resnet_vgg_densenet;
mod save;
mod torch_file;

use std::collections::BTreeMap;

use candle_core::{Device, Tensor};

pub use self::torch_file::is_zip;
use super::{OpenError, Reader};
use crate::model::layers::WeightMap;
use crate::model::{Format, Graph, Model, ModelDescription, Preprocessing, Recognised, Semantics};

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
        let state = state_dict(file.bytes)?;
        Ok(recognise(&state, file.title)?.into_model(file.title, SAFETENSORS.format))
    },
    save: |file, trained, _| save::safetensors(file, trained),
    takes_architecture: false,
};

/// A state dict as `torch.save` writes it, zip or older. Nothing in it is executed. It is saved as
/// safetensors.
pub static PICKLE: Reader = Reader {
    format: Format {
        family: "PyTorch",
        endings: &["pth", "pt"],
        rare_endings: &[],
        saved_as: &["safetensors"],
        untrainable: None,
        without_batch_norm: None,
    },
    recognises: torch_file::looks_like_pickle,
    open: |file| {
        let state = state_dict(file.bytes)?;
        Ok(recognise(&state, file.title)?.into_model(file.title, PICKLE.format))
    },
    save: |file, trained, _| save::safetensors(file, trained),
    takes_architecture: false,
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
    preprocessing: Preprocessing,
    warnings: Vec<String>,
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
            labels: Vec::new(),
            labels_from: String::new(),
            warnings: self.warnings,
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
    Ok(tensors.into_iter().collect())
}

/// The tensors of a file of either format, under the names that the network's modules have.
fn state_dict(bytes: Vec<u8>) -> Result<StateDict, OpenError> {
    let state = if looks_like_safetensors(&bytes) {
        read_safetensors(bytes)?
    } else {
        // The file's bytes are freed before the layers make their own copies of the tensors.
        let state = torch_file::read(&bytes)?;
        drop(bytes);
        state
    };
    // `nn.DataParallel` puts a prefix in front of every name.
    if state.is_empty() || !state.keys().all(|key| key.starts_with("module.")) {
        return Ok(state);
    }
    let short = |(key, tensor): (String, Tensor)| (key["module.".len()..].to_owned(), tensor);
    Ok(state.into_iter().map(short).collect())
}

/// The network that has these tensors; the file's name may tell its variant.
fn recognise(state: &StateDict, title: &str) -> Result<Recognition, OpenError> {
    if efficientnet_lite::recognises(state) {
        return efficientnet_lite::build(state);
    }
    let tensorflow = title.to_ascii_lowercase().contains("tf_");
    let opened = inverted_residuals::torchvision(state)
        .or_else(|| inverted_residuals::timm(state, tensorflow))
        .or_else(|| resnet_vgg_densenet::recognise(state));
    opened.unwrap_or_else(|| {
        let first: Vec<&str> = state.keys().take(3).map(String::as_str).collect();
        Err(OpenError::NotAModel(format!(
            "its tensors ({}{}) belong to no architecture that is known here. Known: {KNOWN}",
            first.join(", "),
            if state.len() > 3 { ", ..." } else { "" }
        )))
    })
}

/// Known architectures, for the message about others.
const KNOWN: &str = "MobileNetV2, MobileNetV3, ResNet, EfficientNet-B0, EfficientNet-Lite0, VGG with \
    BatchNorm, DenseNet121, as torchvision or timm name them";
