//! PyTorch state dicts of known architectures. A state dict holds names and tensors only, so the
//! architecture is recognised by its names and then built from a table.

mod builder;
mod efficientnet_lite;

use std::collections::BTreeMap;

use candle_core::{Device, Tensor};

use super::{Graph, OpenError, Preprocessing};

/// Tensors by name, in PyTorch's layouts.
pub type StateDict = BTreeMap<String, Tensor>;

/// A recognised network.
#[derive(Debug)]
pub struct Opened {
    pub graph: Graph,
    pub preprocessing: Preprocessing,
    pub warnings: Vec<String>,
}

/// Reads a `.safetensors` file.
///
/// # Errors
/// A broken file, names of no known architecture, missing weights, or weights of another shape.
pub fn open_safetensors(bytes: &[u8]) -> Result<Opened, OpenError> {
    let tensors = candle_core::safetensors::load_buffer(bytes, &Device::Cpu)
        .map_err(|error| OpenError::Broken(format!("safetensors: {error}")))?;
    let state: StateDict = tensors.into_iter().collect();
    if efficientnet_lite::recognises(&state) {
        return efficientnet_lite::build(&state);
    }
    let first: Vec<&str> = state.keys().take(3).map(String::as_str).collect();
    Err(OpenError::NotAModel(format!(
        "its tensors ({}{}) belong to no architecture that is known here. Known: EfficientNet-Lite0",
        first.join(", "),
        if state.len() > 3 { ", ..." } else { "" }
    )))
}
