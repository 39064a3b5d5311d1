//! State dicts with other weights, in PyTorch's names and layouts.

use std::collections::HashMap;

use candle_core::{DType, Device, Tensor};

use super::choice::Told;
use super::families;
use crate::formats::{ModelFile, SaveError, Trained};

/// The state dict with the model's weights in the place of its own.
#[allow(
    clippy::needless_pass_by_value,
    reason = "the signature of every reader"
)]
pub fn safetensors(original: ModelFile<'_>, trained: &Trained<'_>) -> Result<Vec<u8>, SaveError> {
    let failed = |error: candle_core::Error| SaveError::Content(error.to_string());
    let mut state: HashMap<String, Tensor> =
        candle_core::safetensors::load_buffer(&original.bytes, &Device::Cpu).map_err(failed)?;
    // The file's names keep the prefix that the layers' names do not have.
    let told = Told::about(&original).map_err(|error| SaveError::Content(error.to_string()))?;
    let names = state.keys().map(String::as_str);
    let found = families::choose(names, told.weights.as_ref());
    let prefix = found
        .map_err(|error| SaveError::Content(error.to_string()))?
        .prefix;
    for ((id, name), tensor) in &trained.model.weights {
        let (name, tensor) = in_pytorch(name, tensor).map_err(failed)?;
        let key = format!("{prefix}{}.{name}", trained.model.graph.layers[*id].name);
        // What was kept in 16 bits stays so; a new head has its own shape.
        let dtype = state.get(&key).map_or(DType::F32, Tensor::dtype);
        state.insert(key, tensor.to_dtype(dtype).map_err(failed)?);
    }
    safetensors::serialize(state, None).map_err(|error| SaveError::Content(error.to_string()))
}

/// The name and layout of a weight: convolution `[out, in, kh, kw]`, depthwise
/// `[channels, 1, kh, kw]`, linear `[out, in]`.
fn in_pytorch(name: &'static str, tensor: &Tensor) -> candle_core::Result<(&'static str, Tensor)> {
    let (name, tensor) = match (name, tensor.rank()) {
        ("kernel", 4) => ("weight", tensor.permute((3, 2, 0, 1))?),
        ("depthwise_kernel", 4) => ("weight", tensor.permute((2, 3, 0, 1))?),
        ("kernel", 2) => ("weight", tensor.t()?),
        ("gamma", _) => ("weight", tensor.clone()),
        ("beta", _) => ("bias", tensor.clone()),
        ("moving_mean", _) => ("running_mean", tensor.clone()),
        ("moving_variance", _) => ("running_var", tensor.clone()),
        (other, _) => (other, tensor.clone()),
    };
    Ok((name, tensor.contiguous()?))
}
