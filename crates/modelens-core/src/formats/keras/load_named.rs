//! Loads the weights of a legacy `.h5` file by name: their order depends on which layers were frozen
//! when the file was saved.

use std::collections::HashMap;

use hdf5_pure::Group;

use super::h5::H5;
use super::specs::{ExpectedWeight, split_path};
use super::{LoadedWeights, WeightPath};
use crate::formats::OpenError;
use crate::model::LayerId;
use crate::model::graph::{Graph, Layer};
use crate::model::layers::NewWeight;

/// Reads the weights of all layers from `/model_weights`.
pub(super) fn load(
    h5: &mut H5,
    graph: &mut Graph,
    needs: &[Vec<ExpectedWeight>],
) -> Result<LoadedWeights, OpenError> {
    let top = h5.root().group("model_weights");
    let top = top.map_err(|e| OpenError::Broken(format!("it holds no model_weights ({e})")))?;
    load_from(&top, "model_weights/", h5, graph, needs)
}

/// Like [`load`], for a file that `save_weights` wrote: the layers are at its root, or inside
/// `/model_weights` if it is a whole model's.
pub(super) fn load_weights(
    h5: &mut H5,
    graph: &mut Graph,
    needs: &[Vec<ExpectedWeight>],
) -> Result<LoadedWeights, OpenError> {
    match h5.root().group("model_weights") {
        Ok(top) => load_from(&top, "model_weights/", h5, graph, needs),
        Err(_) => load_from(&h5.root(), "", h5, graph, needs),
    }
}

/// The groups of the outer layers. They are named after the layers; if a name is missing, they are taken
/// in their order, as Keras does: the network may have been built again, and its layers renamed.
fn groups(top: &Group, graph: &Graph, outer: &[(LayerId, bool)]) -> Result<Vec<String>, OpenError> {
    let names = |id: LayerId| graph.layers[id].name.clone();
    let own = outer.iter().map(|&(id, _)| names(id)).collect();
    let is_there = |&(id, needed): &(LayerId, bool)| !needed || top.group(&names(id)).is_ok();
    if outer.iter().all(is_there) {
        return Ok(own);
    }
    let mut stored = Vec::new();
    for name in H5::attributes(top)?.list("layer_names") {
        if let Ok(group) = top.group(&name)
            && !H5::attributes(&group)?.list("weight_names").is_empty()
        {
            stored.push(name);
        }
    }
    if stored.len() != outer.iter().filter(|(_, needed)| *needed).count() {
        return Ok(own);
    }
    let mut stored = stored.into_iter();
    let in_order = outer.iter().map(|&(id, needed)| {
        let next = needed.then(|| stored.next());
        next.flatten().unwrap_or_else(|| names(id))
    });
    Ok(in_order.collect())
}

fn load_from(
    top: &Group,
    before: &str,
    h5: &mut H5,
    graph: &mut Graph,
    needs: &[Vec<ExpectedWeight>],
) -> Result<LoadedWeights, OpenError> {
    let mut loaded = LoadedWeights::default();
    let outer: Vec<LayerId> = (0..graph.layers.len())
        .filter(|&id| graph.layers[id].parent.is_none())
        .collect();
    let end = |i: usize| outer.get(i + 1).copied().unwrap_or(graph.layers.len());
    let needed = |i: usize| (outer[i]..end(i)).any(|l| !needs[l].is_empty());
    let with_needs: Vec<_> = (0..outer.len()).map(|i| (outer[i], needed(i))).collect();
    let names = groups(top, graph, &with_needs)?;
    for (i, &id) in outer.iter().enumerate() {
        let end = outer.get(i + 1).copied().unwrap_or(graph.layers.len());
        // A layer and everything inside it share one group.
        let inside: Vec<LayerId> = (id..end).filter(|&l| !needs[l].is_empty()).collect();
        // Operators have no group; a missing group matters only if weights are needed.
        let group = top.group(&names[i]).ok();
        let paths = match &group {
            Some(group) => H5::attributes(group)?.list("weight_names"),
            None => Vec::new(),
        };
        let (found, unused) = assign(&graph.layers, id, &inside, &paths, needs)?;
        loaded.extra.extend(unused);
        for &layer in &inside {
            for (n, need) in needs[layer].iter().enumerate() {
                let weight = match (&group, found.get(&(layer, n))) {
                    (Some(group), Some(path)) => {
                        loaded.paths.push(WeightPath {
                            layer,
                            weight: need.name,
                            path: format!("{before}{}/{path}", names[i]),
                        });
                        read(h5, group, path, &graph.layers[layer], need)?
                    }
                    _ => return Err(missing(&graph.layers[layer], need)),
                };
                weight.add_to(&mut graph.layers[layer], layer, &mut loaded.weights);
            }
        }
    }
    Ok(loaded)
}

fn read(
    h5: &mut H5,
    group: &Group,
    path: &str,
    layer: &Layer,
    need: &ExpectedWeight,
) -> Result<NewWeight, OpenError> {
    let dataset = group.dataset(path).map_err(|_| missing(layer, need))?;
    h5.weight(&dataset, &layer.name, need)
}

fn missing(layer: &Layer, need: &ExpectedWeight) -> OpenError {
    OpenError::WeightMissing {
        layer: layer.name.clone(),
        weight: need.name.to_owned(),
    }
}

/// True for `variable`, `variable_1` and so on: names that Keras 3 gives to unnamed weights.
fn is_nameless(short: &str) -> bool {
    let number = short.strip_prefix("variable");
    number.is_some_and(|rest| match rest.strip_prefix('_') {
        Some(digits) => !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()),
        None => rest.is_empty(),
    })
}

/// The path of each weight, by layer and by index into the layer's needs.
type Assigned<'a> = HashMap<(LayerId, usize), &'a str>;

/// Assigns paths to the weights of the layers `inside` the outer layer, and returns the paths that
/// belong to none as well.
fn assign<'a>(
    layers: &[Layer],
    outer: LayerId,
    inside: &[LayerId],
    paths: &'a [String],
    needs: &[Vec<ExpectedWeight>],
) -> Result<(Assigned<'a>, Vec<String>), OpenError> {
    let mut by_name: HashMap<&str, Vec<LayerId>> = HashMap::new();
    for &id in inside {
        by_name
            .entry(layers[id].name.as_str())
            .or_default()
            .push(id);
    }
    let mut found = Assigned::new();
    let mut extra = Vec::new();
    for path in paths {
        let (owner, short) = split_path(path);
        let layer = match inside {
            // All weights in a plain layer's group are its own, even if the layer was renamed.
            [only] if *only == outer => Some(*only),
            _ => owner_of(owner, &by_name, layers)?,
        };
        let place = |l: LayerId| {
            // Keras 3 numbers weights that their layer gave no name (the scales of ConvNeXt).
            let is_only = needs[l].len() == 1 && is_nameless(short);
            let named = needs[l].iter().position(|n| n.is_called(short));
            named.or(is_only.then_some(0))
        };
        let need = layer.and_then(|l| Some((l, place(l)?)));
        match need {
            Some(key) => {
                if found.insert(key, path).is_some() {
                    let name = &layers[key.0].name;
                    return Err(OpenError::Broken(format!(
                        "it holds the weight `{short}` of layer `{name}` twice"
                    )));
                }
            }
            None if short.contains("seed_generator_state") || short.contains("StateVar") => {}
            None => extra.push(path.clone()),
        }
    }
    Ok((found, extra))
}

/// The layer whose name ends the path. Layer names may contain slashes, so the longest match wins;
/// among layers of one name, the one whose surrounding models the path names.
fn owner_of(
    owner: &str,
    by_name: &HashMap<&str, Vec<LayerId>>,
    layers: &[Layer],
) -> Result<Option<LayerId>, OpenError> {
    let starts = std::iter::once(0).chain(owner.match_indices('/').map(|(i, _)| i + 1));
    for start in starts {
        let Some(candidates) = by_name.get(&owner[start..]) else {
            continue;
        };
        if let [only] = candidates.as_slice() {
            return Ok(Some(*only));
        }
        let before: Vec<&str> = owner[..start]
            .split('/')
            .filter(|s| !s.is_empty())
            .collect();
        let named = |id: LayerId| {
            let parents = std::iter::successors(layers[id].parent, |&p| layers[p].parent);
            parents
                .filter(|&p| before.contains(&layers[p].name.as_str()))
                .count()
        };
        let most = candidates.iter().map(|&id| named(id)).max().unwrap_or(0);
        let mut best = candidates.iter().filter(|&&id| named(id) == most);
        return match (best.next(), best.next()) {
            (Some(&id), None) => Ok(Some(id)),
            _ => Err(OpenError::Broken(format!(
                "weights of `{owner}` fit several layers of that name"
            ))),
        };
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::graph::LayerKind;

    fn layer(name: &str, parent: Option<LayerId>) -> Layer {
        Layer {
            parent,
            ..Layer::new(name, "", LayerKind::Identity)
        }
    }

    #[test]
    fn the_only_weight_of_a_layer_may_have_no_name() {
        let scale = |name| ExpectedWeight {
            name,
            shape: vec![4],
            learnable: true,
            bfloat16: false,
        };
        let layers = [layer("scale", None), layer("affine", None)];
        let needs = [vec![scale("gamma")], vec![scale("gamma"), scale("beta")]];
        let place = |id: LayerId, short: &str| {
            let paths = [format!("{}/{short}", layers[id].name)];
            let (found, extra) = assign(&layers, id, &[id], &paths, &needs).unwrap();
            assert_eq!(found.len() + extra.len(), 1, "{short}");
            found.keys().next().map(|&(_, n)| n)
        };
        for short in ["gamma", "variable", "variable_1", "variable_17:0"] {
            assert_eq!(place(0, short), Some(0), "{short}");
        }
        for short in ["variable_", "variable_x", "variables", "variable1"] {
            assert_eq!(place(0, short), None, "{short}");
        }
        assert_eq!(place(1, "beta"), Some(1));
        assert_eq!(place(1, "variable_1"), None);
    }

    #[test]
    fn owners_by_longest_name_and_by_model() {
        let layers = [
            layer("outer", None),
            layer("left", Some(0)),
            layer("conv", Some(1)),
            layer("right", Some(0)),
            layer("conv", Some(3)),
            layer("a/b", Some(0)),
            layer("b", Some(0)),
        ];
        let mut by_name: HashMap<&str, Vec<LayerId>> = HashMap::new();
        for id in [2, 4, 5, 6] {
            by_name.entry(&layers[id].name).or_default().push(id);
        }
        let owner = |path| owner_of(path, &by_name, &layers);
        assert_eq!(owner("right/conv").unwrap(), Some(4));
        assert_eq!(owner("outer/left/conv").unwrap(), Some(2));
        assert_eq!(owner("x/a/b").unwrap(), Some(5));
        assert_eq!(owner("x/b").unwrap(), Some(6));
        assert_eq!(owner("unknown").unwrap(), None);
        assert!(owner("conv").is_err());
    }
}
