//! The trained weights of an exported program as a state dict, under the names of its modules.

use std::collections::{BTreeMap, HashMap};

use candle_core::{DType, Tensor};

use super::build::Built;
use super::{Program, read};
use crate::formats::error::chosen_output;
use crate::formats::{ModelFile, SaveError, Trained, pytorch};
use crate::model::LayerId;
use crate::model::layers::LayerKind;

/// All weights and buffers of the program, with the trained ones in their places, as safetensors.
/// `model.load_state_dict` takes them.
#[allow(
    clippy::needless_pass_by_value,
    reason = "the signature of every reader"
)]
pub fn safetensors(original: ModelFile<'_>, trained: &Trained<'_>) -> Result<Vec<u8>, SaveError> {
    let failed = |error: candle_core::Error| SaveError::Content(error.to_string());
    let program: Program = read(&original.bytes)?;
    let Built {
        graph,
        sources,
        mut tensors,
        ..
    } = super::built(
        &program,
        &original.bytes,
        chosen_output(original.architecture)?,
    )?;
    let mut state: BTreeMap<String, Tensor> = BTreeMap::new();
    for stored in tensors.state() {
        let tensor = tensors.read_as_kept(&stored)?;
        state.insert(stored.name, tensor);
    }
    let layers = &trained.model.graph.layers;
    if graph.layers.len() != trained.places.len() {
        return Err(SaveError::Changed);
    }
    // The names and types of the tensors that a new head replaces, and the network's layers by their
    // place in the trained one.
    let mut gone: BTreeMap<String, DType> = BTreeMap::new();
    let mut opened: HashMap<LayerId, LayerId> = HashMap::new();
    for (id, (layer, place)) in graph.layers.iter().zip(trained.places).enumerate() {
        match place {
            Some(place) if layers.get(*place).is_none_or(|l| l.name != layer.name) => {
                return Err(SaveError::Changed);
            }
            Some(place) => drop(opened.insert(*place, id)),
            None => {
                for ((_, _), source) in sources.range((id, "")..(id + 1, "")) {
                    if let Some(tensor) = state.remove(&source.name) {
                        gone.insert(source.name.clone(), tensor.dtype());
                    }
                }
            }
        }
    }
    for ((place, short), tensor) in &trained.model.weights {
        let layer = &layers[*place];
        let (name, dtype, dims) = if let Some(id) = opened.get(place) {
            let source = sources.get(&(*id, *short));
            let kept = source.and_then(|source| state.get(&source.name));
            let (Some(source), Some(kept)) = (source, kept) else {
                // Computed from weights, and not changed by training.
                continue;
            };
            (
                source.name.clone(),
                kept.dtype(),
                Some(kept.dims().to_vec()),
            )
        } else {
            let name = format!(
                "{}.{}",
                layer.name,
                if *short == "bias" { "bias" } else { "weight" }
            );
            let dtype = gone.get(&name).copied();
            let dtype = dtype.ok_or_else(|| SaveError::NoPlace(layer.name.clone()))?;
            (name, dtype, None)
        };
        let tensor = in_pytorch(&layer.kind, short, tensor).map_err(failed)?;
        let tensor = match dims {
            Some(dims) => tensor.reshape(dims).map_err(failed)?,
            None => tensor,
        };
        state.insert(name, tensor.to_dtype(dtype).map_err(failed)?);
    }
    // Hugging Face's readers ask for this entry.
    let about = BTreeMap::from([("format".to_owned(), "pt".to_owned())]);
    pytorch::serialize(state, &about).map_err(|error| SaveError::Content(error.to_string()))
}

/// The weight in PyTorch's layout.
fn in_pytorch(kind: &LayerKind, short: &str, tensor: &Tensor) -> candle_core::Result<Tensor> {
    let tensor = match (kind, short, tensor.dims()) {
        (LayerKind::Conv2d(_) | LayerKind::TransposedConv2d(_), "kernel", [_, _, _, _]) => {
            tensor.permute((3, 2, 0, 1))?
        }
        // Output channel `c * multiplier + m` in both frameworks.
        (LayerKind::DepthwiseConv2d(_), "depthwise_kernel", [_, _, _, _]) => {
            tensor.permute((2, 3, 0, 1))?
        }
        (LayerKind::Dense(_), "kernel", [_, _]) => tensor.t()?,
        _ => tensor.clone(),
    };
    tensor.contiguous()
}
