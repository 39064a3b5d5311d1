//! State dicts with other weights, in PyTorch's names and layouts.

use std::collections::{BTreeMap, HashMap};

use candle_core::{DType, Tensor};

use super::builder::Stored;
use super::choice::Told;
use super::{families, read_state, recognise};
use crate::formats::{ModelFile, SaveError, Trained};
use crate::model::graph::{Graph, Input, LayerKind};
use crate::model::{LayerId, NodeId};

/// The state dict with the model's weights in the place of its own, as safetensors, under the names
/// that the modules of the network have. The layers of a new head have the names of those they
/// replace.
pub fn safetensors(original: ModelFile<'_>, trained: &Trained<'_>) -> Result<Vec<u8>, SaveError> {
    let failed = |error: candle_core::Error| SaveError::Content(error.to_string());
    let told = Told::about(&original)?;
    let read = read_state(original.bytes, &told)?;
    let wanted = told.weights.as_ref().filter(|_| !read.chosen);
    let found = families::choose(read.state.keys().map(String::as_str), wanted)?;
    // Without a prefix such as `module.`, and without tensors that the network does not have.
    let mut state = found.split(read.state.clone());
    let opened = recognise(read, &told)?;
    let gone = gone(&opened.graph, trained)?;
    let mut old: BTreeMap<String, DType> = BTreeMap::new();
    for layer in gone {
        for weight in &opened.graph.layers[layer].weights {
            let Some(Stored { key, .. }) = opened.keys.get(&(layer, weight.name)) else {
                continue;
            };
            let key = key.clone();
            if let Some(tensor) = state.remove(&key) {
                old.insert(key, tensor.dtype());
            }
        }
    }
    let kept = trained.places.iter().enumerate();
    let kept: BTreeMap<LayerId, LayerId> = kept
        .filter_map(|(before, after)| Some(((*after)?, before)))
        .collect();
    for ((id, name), tensor) in &trained.model.weights {
        let graph = &trained.model.graph;
        let before = kept.get(id).and_then(|id| opened.keys.get(&(*id, *name)));
        let key = before.map_or_else(|| key(graph, *id, name), |stored| stored.key.clone());
        // What was kept in 16 bits stays so; a new head has its own shape.
        let dtype = state.get(&key).map(Tensor::dtype);
        let dtype = dtype.or_else(|| old.get(&key).copied());
        let dtype = dtype.ok_or_else(|| SaveError::NoPlace(graph.layers[*id].name.clone()))?;
        let mut tensor = in_pytorch(graph, *id, name, tensor).map_err(failed)?;
        // Axes of length 1 are dropped when a file is opened.
        if let Some(stored) = before {
            tensor = tensor.reshape(stored.shape.as_slice()).map_err(failed)?;
        }
        state.insert(key, tensor.to_dtype(dtype).map_err(failed)?);
    }
    // With layers beside the network's prefix, all names stay as they are.
    if state.keys().any(|key| key.starts_with('/')) {
        let full = |(key, tensor): (String, Tensor)| match key.strip_prefix('/') {
            Some(name) => (name.to_owned(), tensor),
            None => (format!("{}{key}", found.prefix), tensor),
        };
        state = state.into_iter().map(full).collect();
    }
    // Hugging Face's readers ask for this entry.
    let mut about = BTreeMap::from([("format".to_owned(), "pt".to_owned())]);
    about.extend(told.to_metadata(trained.model.preprocessing));
    serialize(state, &about).map_err(|error| SaveError::Content(error.to_string()))
}

/// The tensors as a safetensors file with the entries of `about` in the order of their names.
///
/// The crate takes the entries in a `HashMap` and writes them at the head of the header in that map's order,
/// which differs from run to run; the same entries in another order take the same number of bytes.
pub fn serialize(
    state: BTreeMap<String, Tensor>,
    about: &BTreeMap<String, String>,
) -> Result<Vec<u8>, safetensors::SafeTensorError> {
    let unordered: HashMap<String, String> = about.clone().into_iter().collect();
    let mut file = safetensors::serialize(state, Some(unordered))?;
    let ordered = serde_json::to_string(about)?;
    // Behind the length of the header.
    let at = 8 + r#"{"__metadata__":"#.len();
    if let Some(place) = file.get_mut(at..at + ordered.len()) {
        place.copy_from_slice(ordered.as_bytes());
    }
    Ok(file)
}

/// The layers of the file that a new head replaces.
fn gone(opened: &Graph, trained: &Trained<'_>) -> Result<Vec<LayerId>, SaveError> {
    let layers = &trained.model.graph.layers;
    if opened.layers.len() != trained.places.len() {
        return Err(SaveError::Changed);
    }
    let mut gone = Vec::new();
    for (id, (layer, place)) in opened.layers.iter().zip(trained.places).enumerate() {
        match place {
            Some(place) if layers.get(*place).is_none_or(|l| l.name != layer.name) => {
                return Err(SaveError::Changed);
            }
            Some(_) => {}
            None => gone.push(id),
        }
    }
    Ok(gone)
}

/// The name of a tensor in a state dict.
fn key(graph: &Graph, layer: LayerId, weight: &'static str) -> String {
    let short = match weight {
        "kernel" | "depthwise_kernel" | "gamma" => "weight",
        "beta" => "bias",
        "moving_mean" => "running_mean",
        "moving_variance" => "running_var",
        other => other,
    };
    format!("{}.{short}", graph.layers[layer].name)
}

/// The weight in PyTorch's layout: convolution `[out, in, kh, kw]`, depthwise
/// `[channels, 1, kh, kw]`, linear `[out, in]`.
fn in_pytorch(
    graph: &Graph,
    layer: LayerId,
    name: &'static str,
    tensor: &Tensor,
) -> candle_core::Result<Tensor> {
    let tensor = match (name, tensor.dims()) {
        ("kernel", [_, _, _, _]) => tensor.permute((3, 2, 0, 1))?,
        // Output channel `c * multiplier + m` in both frameworks.
        ("depthwise_kernel", &[kh, kw, channels, multiplier]) => tensor
            .permute((2, 3, 0, 1))?
            .reshape((channels * multiplier, 1, kh, kw))?,
        ("kernel", &[inputs, outputs]) => match flattened_channels(graph, layer) {
            // From inputs flattened as `[H, W, C]` to inputs flattened as `[C, H, W]`.
            Some(channels) => tensor
                .reshape((inputs / channels, channels, outputs))?
                .permute((2, 1, 0))?
                .reshape((outputs, inputs))?,
            None => tensor.t()?,
        },
        _ => tensor.clone(),
    };
    tensor.contiguous()
}

/// The number of channels of the image that is flattened right before a linear layer.
fn flattened_channels(graph: &Graph, layer: LayerId) -> Option<usize> {
    let input_of = |node: NodeId| match graph.nodes.get(node)?.inputs[..] {
        [Input::Node(input), ..] => Some(input),
        _ => None,
    };
    let layer_of = |node: NodeId| &graph.layers[graph.nodes[node].layer];
    let call = graph.nodes.iter().position(|node| node.layer == layer)?;
    let mut node = input_of(call)?;
    while matches!(
        layer_of(node).kind,
        LayerKind::Noise(_) | LayerKind::Identity
    ) {
        node = input_of(node)?;
    }
    if !matches!(layer_of(node).kind, LayerKind::Flatten) {
        return None;
    }
    // Pooling, activations and sums between the last layer with weights and the flattening keep the
    // number of channels.
    loop {
        node = input_of(node)?;
        let weights = &layer_of(node).weights;
        let last = |name: &str| {
            weights
                .iter()
                .find(|w| w.name == name)?
                .shape
                .last()
                .copied()
        };
        if let Some(channels) = last("gamma").or_else(|| last("kernel")) {
            return Some(channels);
        }
        if !weights.is_empty() {
            let depthwise = weights.iter().find(|w| w.name == "depthwise_kernel")?;
            return Some(depthwise.shape.iter().skip(2).product());
        }
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    #[test]
    fn the_same_state_gives_the_same_bytes() {
        let zeros = Tensor::zeros(2, DType::F32, &Device::Cpu).unwrap();
        let state = BTreeMap::from([("fc.bias".to_owned(), zeros)]);
        let about: BTreeMap<String, String> = ["format", "a", "b", "c", "d"]
            .iter()
            .map(|name| ((*name).to_owned(), format!("the value of {name}")))
            .collect();
        let first = serialize(state.clone(), &about).unwrap();
        for _ in 0..20 {
            assert_eq!(serialize(state.clone(), &about).unwrap(), first);
        }
        let (_, header) = safetensors::SafeTensors::read_metadata(&first).unwrap();
        let read = header.metadata().clone().unwrap();
        assert_eq!(read.into_iter().collect::<BTreeMap<_, _>>(), about);
    }
}
