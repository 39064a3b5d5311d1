//! Loads the weights of a `.keras` file, whose groups are named by class and numbered in the order of
//! the layers.

use std::collections::HashMap;

use hdf5_pure::Group;

use super::h5::H5;
use super::save::is_float;
use super::specs::ExpectedWeight;
use super::{LoadedWeights, WeightPath};
use crate::formats::OpenError;
use crate::model::LayerId;
use crate::model::graph::{Graph, LayerKind};

/// The name of the group with a model's layers: in Keras 3, and in Keras 2.
pub(super) const LAYERS: [&str; 2] = ["layers", "_layer_checkpoint_dependencies"];

/// Reads the weights of all layers from `model.weights.h5`.
pub(super) fn load(
    h5: &mut H5,
    graph: &mut Graph,
    needs: &[Vec<ExpectedWeight>],
) -> Result<LoadedWeights, OpenError> {
    let mut children: HashMap<Option<LayerId>, Vec<LayerId>> = HashMap::new();
    for (id, layer) in graph.layers.iter().enumerate().filter(|(_, l)| l.listed) {
        children.entry(layer.parent).or_default().push(id);
    }
    let mut loader = Loader {
        h5,
        graph,
        needs,
        children,
        loaded: LoadedWeights::default(),
    };
    let root = loader.h5.root();
    loader.model(None, Some(root), "")?;
    Ok(loader.loaded)
}

struct Loader<'a> {
    h5: &'a mut H5,
    graph: &'a mut Graph,
    needs: &'a [Vec<ExpectedWeight>],
    /// The listed layers of each model, in order.
    children: HashMap<Option<LayerId>, Vec<LayerId>>,
    loaded: LoadedWeights,
}

impl Loader<'_> {
    /// Loads all layers of one model. Models are nested at most 64 deep.
    fn model(
        &mut self,
        id: Option<LayerId>,
        group: Option<Group>,
        path: &str,
    ) -> Result<(), OpenError> {
        // Keras 2 uses another name for the same group.
        let found = group.and_then(|g| {
            let found = |name| g.group(name).ok().map(|group| (group, name));
            LAYERS.into_iter().find_map(found)
        });
        let (layers, word) = found.unzip();
        let path = format!("{path}{}/", word.unwrap_or_default());
        let children = self.children.remove(&id).unwrap_or_default();
        let keys = self.keys(&children, layers.as_ref())?;
        let mut names: Option<HashMap<String, (String, Group)>> = None;
        for (child, key) in std::iter::zip(children, keys) {
            let group = layers.as_ref().and_then(|g| g.group(&key).ok());
            if self.graph.layers[child].kind == LayerKind::Model {
                self.model(Some(child), group, &format!("{path}{key}/"))?;
                continue;
            }
            if self.needs[child].is_empty() {
                if let Some(vars) = group.and_then(|g| g.group("vars").ok()) {
                    self.note_unknown(child, &vars)?;
                }
                continue;
            }
            let mut place = format!("{path}{key}");
            let mut vars = group.and_then(|g| g.group("vars").ok());
            if let Some(found) = &vars
                && let Some(owner) = Self::owner(found)?
                && owner != self.graph.layers[child].name
            {
                // Keras 3 writes the layer's name too. If it differs, trust the name, not the number.
                let names = match &mut names {
                    Some(names) => names,
                    none => none.insert(Self::owners(layers.as_ref())?),
                };
                let named = names.remove(&self.graph.layers[child].name);
                vars = named.map(|(key, group)| {
                    place = format!("{path}{key}");
                    group
                });
            }
            self.layer(child, vars, &place)?;
        }
        Ok(())
    }

    /// Notes numbers that a layer without known weights has in the file: a layer with weights does not
    /// only matter in training. The state of a random generator is whole numbers.
    fn note_unknown(&mut self, id: LayerId, vars: &Group) -> Result<(), OpenError> {
        let layer = &self.graph.layers[id];
        if layer.kind != LayerKind::Unknown {
            return Ok(());
        }
        for name in H5::datasets(vars)? {
            if vars.dataset(&name).is_ok_and(|dataset| is_float(&dataset)) {
                self.loaded
                    .extra
                    .push(format!("{}/vars/{name}", layer.name));
            }
        }
        Ok(())
    }

    /// The names of the groups of these layers. Keras counts the layers of a class. TensorFlow 2.12 to
    /// 2.14 counts a layer with weights twice (`_layer_checkpoint_dependencies` lists it under two names),
    /// so if there are as many groups of a class as layers, their order counts and not their numbers.
    fn keys(&self, children: &[LayerId], layers: Option<&Group>) -> Result<Vec<String>, OpenError> {
        let stem = |&child: &LayerId| snake_case(&self.graph.layers[child].class);
        let stems: Vec<String> = children.iter().map(stem).collect();
        let mut stored: HashMap<&str, Vec<usize>> = HashMap::new();
        let groups = layers.map(H5::groups).transpose()?.unwrap_or_default();
        for group in &groups {
            let (own, number) = match group.rsplit_once('_') {
                Some((own, digits)) => match digits.parse::<usize>() {
                    Ok(number) => (own, number),
                    Err(_) => (group.as_str(), 0),
                },
                None => (group.as_str(), 0),
            };
            stored.entry(own).or_default().push(number);
        }
        for numbers in stored.values_mut() {
            numbers.sort_unstable();
        }
        let mut of_class: HashMap<&str, usize> = HashMap::new();
        for stem in &stems {
            *of_class.entry(stem).or_default() += 1;
        }
        let mut counters: HashMap<&str, usize> = HashMap::new();
        let keys = stems.iter().map(|stem| {
            let count = counters.entry(stem).or_default();
            let of_class = of_class[stem.as_str()];
            let numbers = stored.get(stem.as_str());
            let number = match numbers.filter(|numbers| numbers.len() == of_class) {
                Some(numbers) => numbers[*count],
                None => *count,
            };
            *count += 1;
            match number {
                0 => stem.clone(),
                number => format!("{stem}_{number}"),
            }
        });
        Ok(keys.collect())
    }

    fn layer(&mut self, id: LayerId, vars: Option<Group>, place: &str) -> Result<(), OpenError> {
        let name = self.graph.layers[id].name.clone();
        let missing = |need: &ExpectedWeight| OpenError::WeightMissing {
            layer: name.clone(),
            weight: need.name.to_owned(),
        };
        for (i, need) in self.needs[id].iter().enumerate() {
            let dataset = vars.as_ref().and_then(|v| v.dataset(&i.to_string()).ok());
            let dataset = dataset.ok_or_else(|| missing(need))?;
            let weight = self.h5.weight(&dataset, &name, need)?;
            weight.add_to(&mut self.graph.layers[id], id, &mut self.loaded.weights);
            self.loaded.paths.push(WeightPath {
                layer: id,
                weight: need.name,
                path: format!("{place}/vars/{i}"),
            });
        }
        let Some(vars) = vars else { return Ok(()) };
        let known = self.needs[id].len();
        for extra in H5::datasets(&vars)? {
            if extra.parse::<usize>().is_ok_and(|n| n >= known) {
                self.loaded.extra.push(format!("{name}/vars/{extra}"));
            }
        }
        Ok(())
    }

    /// The name of the layer that the group belongs to, as Keras 3 writes it; Keras 2 does not.
    fn owner(vars: &Group) -> Result<Option<String>, OpenError> {
        Ok(H5::attributes(vars)?.text("name").map(str::to_owned))
    }

    /// The groups of one model by the layer name that they give.
    fn owners(layers: Option<&Group>) -> Result<HashMap<String, (String, Group)>, OpenError> {
        let mut owners = HashMap::new();
        let Some(layers) = layers else {
            return Ok(owners);
        };
        for key in H5::groups(layers)? {
            if let Ok(vars) = layers.group(&format!("{key}/vars"))
                && let Some(owner) = Self::owner(&vars)?
            {
                owners.insert(owner, (key, vars));
            }
        }
        Ok(owners)
    }
}

/// Keras' name of a class in weight files: `DepthwiseConv2D` becomes `depthwise_conv2d`.
pub(super) fn snake_case(class: &str) -> String {
    // Keras 2 writes `Model`, which is a `Functional` when it runs.
    let class = if class == "Model" {
        "Functional"
    } else {
        class
    };
    let letters: Vec<char> = class.chars().collect();
    let mut snake = String::with_capacity(class.len() + 4);
    for (i, &c) in letters.iter().enumerate() {
        let before = i.checked_sub(1).map(|j| letters[j]);
        let starts_word = letters.get(i + 1).is_some_and(char::is_ascii_lowercase);
        let after_lower = before.is_some_and(|b| b.is_ascii_lowercase());
        if c.is_ascii_uppercase() && before.is_some() && (starts_word || after_lower) {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snake_cases() {
        for (class, expected) in [
            ("Conv2D", "conv2d"),
            ("ReLU", "re_lu"),
            ("DepthwiseConv2D", "depthwise_conv2d"),
            ("SeparableConv2D", "separable_conv2d"),
            ("BatchNormalization", "batch_normalization"),
            ("Dense", "dense"),
            ("Functional", "functional"),
            ("Model", "functional"),
            ("TFOpLambda", "tf_op_lambda"),
        ] {
            assert_eq!(snake_case(class), expected);
        }
    }
}
