//! PyTorch state dicts of known architectures. A state dict holds names and tensors only, so the
//! architecture is recognised by its names and then built from a table.

mod builder;
mod classic;
mod efficientnet_lite;
mod mobile;
mod net;
mod pickle;
mod torch_file;

use std::collections::BTreeMap;

use candle_core::{Device, Tensor};

pub use self::torch_file::{is_zip, looks_like_pickle};
use super::{Graph, OpenError, Preprocessing};

/// Names and shapes of a `.safetensors` file, in bytes.
const MAX_HEADER: u64 = 16 << 20;

/// Tensors by name, in PyTorch's layouts.
pub type StateDict = BTreeMap<String, Tensor>;

/// A recognised network.
#[derive(Debug)]
pub struct Opened {
    pub graph: Graph,
    pub preprocessing: Preprocessing,
    pub warnings: Vec<String>,
}

/// Reads a `.safetensors` file; its name may tell the variant of a network.
///
/// # Errors
/// A broken file, names of no known architecture, missing weights, or weights of another shape.
pub fn open_safetensors(bytes: Vec<u8>, title: &str) -> Result<Opened, OpenError> {
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
    // From here on the tensors are there twice: as in the file, and as the layers take them.
    drop(bytes);
    recognise(tensors.into_iter().collect(), title)
}

/// Reads what `torch.save` writes, zip or older, without executing anything in it.
///
/// # Errors
/// As [`open_safetensors`], and objects other than tensors in dictionaries.
pub fn open_pickle(bytes: Vec<u8>, title: &str) -> Result<Opened, OpenError> {
    let state = torch_file::read(&bytes)?;
    drop(bytes);
    recognise(state, title)
}

/// The network that has these tensors.
fn recognise(mut state: StateDict, title: &str) -> Result<Opened, OpenError> {
    // `nn.DataParallel` puts a word of its own in front of every name.
    if !state.is_empty() && state.keys().all(|key| key.starts_with("module.")) {
        let short = |(key, tensor): (String, Tensor)| (key["module.".len()..].to_owned(), tensor);
        state = state.into_iter().map(short).collect();
    }
    if efficientnet_lite::recognises(&state) {
        return efficientnet_lite::build(&state);
    }
    let tensorflow = title.to_ascii_lowercase().contains("tf_");
    let opened = mobile::torchvision(&state)
        .or_else(|| mobile::timm(&state, tensorflow))
        .or_else(|| classic::open(&state));
    opened.unwrap_or_else(|| {
        let first: Vec<&str> = state.keys().take(3).map(String::as_str).collect();
        Err(OpenError::NotAModel(format!(
            "its tensors ({}{}) belong to no architecture that is known here. Known: {KNOWN}",
            first.join(", "),
            if state.len() > 3 { ", ..." } else { "" }
        )))
    })
}

/// For the message about unknown names.
const KNOWN: &str = "MobileNetV2, MobileNetV3, ResNet, EfficientNet-B0, EfficientNet-Lite0, VGG with \
    BatchNorm, DenseNet121, as torchvision or timm name them";
