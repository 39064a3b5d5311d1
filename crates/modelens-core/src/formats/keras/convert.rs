//! Keras' HDF5 files as zip archives, and the other way round.
//!
//! The configuration is almost the same in both: an archive also names the module of every class. The
//! weights are arranged anew: an archive numbers the layers of each model by class, an HDF5 file lists
//! the weights of each outer layer in the order in which Keras assigns them.

use std::collections::{BTreeMap, HashMap};

use candle_core::Tensor;
use hdf5_pure::{AttrValue, Datatype, File, FileBuilder, GroupBuilder};
use serde_json::{Value, json};

use super::archive::{Entries, unpack};
use super::object::LayerObject;
use super::save::{archived, check_places, content, is_float, numbered, set_values, string_list};
use super::{KerasFile, save_head};
use crate::formats::{ModelFile, SaveError, Trained};
use crate::model::graph::{Graph, LayerKind};
use crate::model::{LayerId, Model, Semantics};

/// A legacy `.h5` file as a `.keras` archive.
pub fn zip_of_h5(original: ModelFile<'_>, trained: &Trained<'_>) -> Result<Vec<u8>, SaveError> {
    let opened = super::read_h5(original.clone())?;
    let bytes = original.bytes;
    if opened.recognised.is_some() {
        return Err(SaveError::NoConfiguration);
    }
    check_places(&opened, trained)?;
    let file = File::from_bytes(bytes).map_err(content)?;
    let root = file.root().attrs().map_err(content)?;
    let text = root.get("model_config").and_then(AttrValue::as_str);
    let mut config: Value = serde_json::from_str(text.unwrap_or_default()).map_err(content)?;
    if trained.has_new_head {
        config = save_head::with_new_head(config, &opened.graph, trained)?;
    }
    add_modules(&mut config, opened.semantics)?;
    let source = Source::new(&file, &opened, trained)?;
    let mut builder = FileBuilder::new();
    let mut layers = builder.create_group("layers");
    source.numbered_layers(None, &mut layers)?;
    builder.add_group(layers.finish());
    let mut vars = builder.create_group("vars");
    source.name_group(&mut vars, &opened.graph.name);
    builder.add_group(vars.finish());
    archived(Entries {
        metadata: json!({"keras_version": version(&opened)})
            .to_string()
            .into_bytes(),
        config: config.to_string().into_bytes(),
        weights: builder.finish().map_err(content)?,
    })
}

/// A `.keras` archive as a legacy `.h5` file.
pub fn h5_of_zip(original: ModelFile<'_>, trained: &Trained<'_>) -> Result<Vec<u8>, SaveError> {
    let opened = super::read_zip(original.bytes.clone(), original.architecture)?;
    check_places(&opened, trained)?;
    let entries = unpack(original.bytes)?;
    let mut config: Value = serde_json::from_slice(&entries.config).map_err(content)?;
    if trained.has_new_head {
        config = save_head::with_new_head(config, &opened.graph, trained)?;
    }
    // Modules inside stay: with them Keras 3 finds operators, which it cannot without.
    if let Some(map) = config.as_object_mut() {
        map.retain(|key, _| matches!(key.as_str(), "class_name" | "config"));
    }
    let file = File::from_bytes(entries.weights).map_err(content)?;
    let source = Source::new(&file, &opened, trained)?;
    let mut builder = FileBuilder::new();
    let text = |text: &str| AttrValue::VarLenString(text.to_owned());
    builder.set_attr("model_config", text(&config.to_string()));
    builder.set_attr("keras_version", text(&version(&opened)));
    builder.set_attr("backend", text("tensorflow"));
    let mut top = builder.create_group("model_weights");
    top.set_attr("keras_version", text(&version(&opened)));
    top.set_attr("backend", text("tensorflow"));
    source.named_layers(&mut top)?;
    builder.add_group(top.finish());
    builder.finish().map_err(content)
}

/// The version of Keras that wrote the file; where the file does not say, one with the same rules.
fn version(opened: &KerasFile) -> String {
    let written = opened.framework.strip_prefix("Keras ");
    let written =
        written.filter(|v| v.contains('.') && v.starts_with(|c: char| c.is_ascii_digit()));
    let assumed = match opened.semantics {
        Semantics::Keras2 => "2.15.0",
        Semantics::Keras3 | Semantics::PyTorch => "3.0.0",
        Semantics::Keras316 => "3.16.0",
    };
    written.unwrap_or(assumed).to_owned()
}

/// Modules of Keras' classes that are not in `keras.layers`.
const CONVNEXT: &str = "applications.convnext";
const INCEPTION_RESNET: &str = "applications.inception_resnet_v2";
/// Keras 3's operators that are neither in `ops.nn` nor in `ops.numpy`.
const OPS_MATH: [&str; 2] = ["Rsqrt", "Logsumexp"];
const OPS_NN: [&str; 16] = [
    "Relu",
    "Relu6",
    "Sigmoid",
    "Softplus",
    "Softsign",
    "Silu",
    "LogSigmoid",
    "LeakyRelu",
    "HardSigmoid",
    "HardSilu",
    "Elu",
    "Selu",
    "Gelu",
    "Softmax",
    "LogSoftmax",
    "Normalize",
];

/// Names the module of each class, as an archive does: of the model and of all layers inside it.
pub(super) fn add_modules(object: &mut Value, semantics: Semantics) -> Result<(), SaveError> {
    let broken = || SaveError::Content("its configuration is not understood".to_owned());
    let layer = LayerObject::of(object).map_err(content)?;
    let is_model = layer.is_model();
    let keras3 = semantics != Semantics::Keras2;
    let package = if keras3 { "keras" } else { "tf_keras" };
    let named = layer.map.contains_key("module");
    let class = match layer.class {
        "Model" => "Functional".to_owned(),
        class => class.to_owned(),
    };
    let name = layer.name.to_owned();
    let inside = |module: &str| (format!("{package}.src.{module}"), Some(class.as_str()));
    let (module, registered) = match class.as_str() {
        "Functional" if keras3 => inside("models.functional"),
        "Functional" => inside("engine.functional"),
        "Sequential" => ("keras".to_owned(), None),
        "TFOpLambda" | "SlicingOpLambda" => inside("layers.core.tf_op_layer"),
        "LayerScale" => inside(CONVNEXT),
        "CustomScaleLayer" => inside(INCEPTION_RESNET),
        _ if !(keras3 && layer.is_operator()) => ("keras.layers".to_owned(), None),
        operator if OPS_MATH.contains(&operator) => inside("ops.math"),
        operator if OPS_NN.contains(&operator) => inside("ops.nn"),
        _ => inside("ops.numpy"),
    };
    let registered = registered.map(str::to_owned);
    let map = object.as_object_mut().ok_or_else(broken)?;
    if !named {
        // Keras 2 registers a class of its own like a user's; an `.h5` file has that name alone.
        let written = map.get("class_name").and_then(Value::as_str);
        let custom = written
            .filter(|written| written.contains('>'))
            .map(str::to_owned);
        map.insert("class_name".to_owned(), json!(class));
        map.insert("module".to_owned(), json!(module));
        map.insert("registered_name".to_owned(), json!(custom.or(registered)));
    }
    if !is_model {
        return Ok(());
    }
    let inner = map.get_mut("config").ok_or_else(broken)?;
    if let Some(list) = inner.as_array_mut() {
        // Very old models list their layers and nothing else.
        *inner = json!({"name": name, "layers": std::mem::take(list)});
    }
    let layers = inner.get_mut("layers").and_then(Value::as_array_mut);
    for layer in layers.ok_or_else(broken)? {
        add_modules(layer, semantics)?;
    }
    Ok(())
}

/// The weights of a trained model, and how the file that it came from keeps whole numbers.
struct Source<'a> {
    model: &'a Model,
    semantics: Semantics,
    /// Whole numbers as they are stored, such as the count of a `Normalization` layer.
    whole: HashMap<(LayerId, &'static str), WholeNumbers>,
}

/// The type, the bytes and the shape of a stored array.
type WholeNumbers = (Datatype, Vec<u8>, Vec<u64>);

impl<'a> Source<'a> {
    fn new(file: &File, opened: &KerasFile, trained: &Trained<'a>) -> Result<Self, SaveError> {
        let mut whole = HashMap::new();
        for found in &opened.paths {
            let Some(place) = trained.places[found.layer] else {
                continue;
            };
            let dataset = file.dataset(&found.path).map_err(content)?;
            if !is_float(&dataset) {
                let datatype = dataset.datatype().map_err(content)?;
                let raw = dataset.read_raw().map_err(content)?;
                let shape = dataset.shape().map_err(content)?;
                whole.insert((place, found.weight), (datatype, raw, shape));
            }
        }
        Ok(Self {
            model: trained.model,
            semantics: opened.semantics,
            whole,
        })
    }

    fn graph(&self) -> &'a Graph {
        &self.model.graph
    }

    /// Puts a weight into a new dataset.
    fn write(
        &self,
        to: &mut hdf5_pure::DatasetBuilder,
        key: (LayerId, &'static str),
    ) -> Result<(), SaveError> {
        if let Some((datatype, raw, shape)) = self.whole.get(&key) {
            let count = shape.iter().product();
            to.with_raw_data(datatype.clone(), raw.clone(), count);
            to.with_shape(shape);
            return Ok(());
        }
        let tensor: &Tensor = self.model.weights.get(&key).ok_or(SaveError::Changed)?;
        set_values(to, tensor)
    }

    /// Names the layer that a group of variables belongs to, as Keras 3 does.
    fn name_group(&self, vars: &mut GroupBuilder, layer: &str) {
        if self.semantics != Semantics::Keras2 {
            vars.set_attr("name", AttrValue::VarLenString(layer.to_owned()));
        }
    }

    /// The layers of one model as an archive numbers them.
    fn numbered_layers(
        &self,
        parent: Option<LayerId>,
        to: &mut GroupBuilder,
    ) -> Result<(), SaveError> {
        let graph = self.graph();
        let mut counters = HashMap::new();
        for id in graph.children(parent).filter(|&id| graph.layers[id].listed) {
            let layer = &graph.layers[id];
            let mut group = to.create_group(&numbered(&layer.class, &mut counters));
            if layer.kind == LayerKind::Model {
                let mut layers = group.create_group("layers");
                self.numbered_layers(Some(id), &mut layers)?;
                group.add_group(layers.finish());
                // A model has no variables of its own, yet Keras asks for the group.
                let mut vars = group.create_group("vars");
                self.name_group(&mut vars, &layer.name);
                group.add_group(vars.finish());
            } else if layer.weights.is_empty() {
                continue;
            } else {
                let mut vars = group.create_group("vars");
                self.name_group(&mut vars, &layer.name);
                for (i, weight) in layer.weights.iter().enumerate() {
                    self.write(vars.create_dataset(&i.to_string()), (id, weight.name))?;
                }
                group.add_group(vars.finish());
            }
            to.add_group(group.finish());
        }
        Ok(())
    }

    /// The outer layers, each with a list of all weights inside it.
    fn named_layers(&self, top: &mut GroupBuilder) -> Result<(), SaveError> {
        let graph = self.graph();
        let outer = graph.children(None).filter(|&id| graph.layers[id].listed);
        let outer: Vec<LayerId> = outer.collect();
        let names = outer.iter().map(|&id| graph.layers[id].name.clone());
        for (name, value) in string_list("layer_names", names.collect()) {
            top.set_attr(&name, value);
        }
        let mut tree = Tree::default();
        for id in outer {
            let weights = self.in_order_of_assignment(id);
            let paths: Vec<String> = weights.iter().map(|&w| self.path(id, w)).collect();
            let group = tree.at(&graph.layers[id].name);
            group.attributes = string_list("weight_names", paths.clone());
            for (path, (layer, weight)) in std::iter::zip(paths, weights) {
                let (folder, short) = path.rsplit_once('/').unwrap_or(("", &path));
                let folder = group.at(folder);
                folder.weights.push((short.to_owned(), (layer, weight)));
            }
        }
        tree.at("top_level_model_weights").attributes = string_list("weight_names", Vec::new());
        tree.write(self, top)
    }

    /// The name of a weight inside the group of an outer layer, as this version of Keras gives it.
    fn path(&self, outer: LayerId, (id, weight): (LayerId, &'static str)) -> String {
        let graph = self.graph();
        let between = graph.ancestors(id).take_while(|&above| above != outer);
        let mut names: Vec<&str> = between.map(|a| graph.layers[a].name.as_str()).collect();
        names.reverse();
        names.push(&graph.layers[id].name);
        let keras2 = self.semantics == Semantics::Keras2;
        let short = match (weight, graph.layers[id].class.as_str()) {
            ("depthwise_kernel", "DepthwiseConv2D") if !keras2 => "kernel",
            _ => weight,
        };
        let suffix = if keras2 { ":0" } else { "" };
        format!("{}/{short}{suffix}", names.join("/"))
    }

    /// `layer.trainable_weights + layer.non_trainable_weights`: Keras assigns the weights of an `.h5`
    /// file by position.
    fn in_order_of_assignment(&self, outer: LayerId) -> Vec<(LayerId, &'static str)> {
        let graph = self.graph();
        if self.semantics == Semantics::Keras2 {
            return self.keras2_weights(outer);
        }
        let all = graph.subtree(outer).flat_map(|id| {
            let layer = &graph.layers[id];
            layer.weights.iter().map(move |w| (id, w))
        });
        let learns = |&(id, w): &(LayerId, &crate::model::graph::Weight)| {
            w.learnable && graph.layers[id].trainable && graph.layers[outer].trainable
        };
        let (first, rest): (Vec<_>, Vec<_>) = all.partition(learns);
        let ordered = first.into_iter().chain(rest);
        ordered.map(|(id, w)| (id, w.name)).collect()
    }

    /// The weights of a layer in Keras 2: those that learn come first. A frozen model lists its layers
    /// one after the other.
    fn keras2_weights(&self, id: LayerId) -> Vec<(LayerId, &'static str)> {
        let (mut first, rest) = self.keras2_split(id);
        first.extend(rest);
        first
    }

    /// `trainable_weights` and `non_trainable_weights` in Keras 2.
    #[allow(clippy::type_complexity, reason = "two lists of the same kind")]
    fn keras2_split(
        &self,
        id: LayerId,
    ) -> (Vec<(LayerId, &'static str)>, Vec<(LayerId, &'static str)>) {
        let graph = self.graph();
        let layer = &graph.layers[id];
        if layer.kind == LayerKind::Model {
            let children = graph.children(Some(id));
            if !layer.trainable {
                let all = children.flat_map(|child| self.keras2_weights(child));
                return (Vec::new(), all.collect());
            }
            let (mut first, mut rest) = (Vec::new(), Vec::new());
            for child in children {
                let (a, b) = self.keras2_split(child);
                first.extend(a);
                rest.extend(b);
            }
            return (first, rest);
        }
        let own = layer.weights.iter();
        let (mut first, rest): (Vec<_>, Vec<_>) = own.partition(|w| w.learnable);
        if !layer.trainable {
            first.extend(rest);
            return (Vec::new(), first.iter().map(|w| (id, w.name)).collect());
        }
        let keys = |weights: Vec<&crate::model::graph::Weight>| {
            weights.iter().map(|w| (id, w.name)).collect()
        };
        (keys(first), keys(rest))
    }
}

/// Groups of an HDF5 file before they are written.
#[derive(Default)]
struct Tree {
    attributes: Vec<(String, AttrValue)>,
    weights: Vec<(String, (LayerId, &'static str))>,
    groups: BTreeMap<String, Tree>,
}

impl Tree {
    /// The group of this path, with `/` between names.
    fn at(&mut self, path: &str) -> &mut Self {
        let names = path.split('/').filter(|name| !name.is_empty());
        names.fold(self, |group, name| {
            group.groups.entry(name.to_owned()).or_default()
        })
    }

    fn write(&self, source: &Source<'_>, to: &mut GroupBuilder) -> Result<(), SaveError> {
        for (name, value) in &self.attributes {
            to.set_attr(name, value.clone());
        }
        for (name, key) in &self.weights {
            source.write(to.create_dataset(name), *key)?;
        }
        for (name, inner) in &self.groups {
            let mut group = to.create_group(name);
            inner.write(source, &mut group)?;
            to.add_group(group.finish());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_layer_gets_the_module_of_its_class() {
        let mut config = json!({"class_name": "Model", "config": {"name": "m", "layers": [
            {"class_name": "Dense", "config": {"name": "d", "trainable": true}},
            {"class_name": "TrueDivide", "config": {"name": "t"}},
            {"class_name": "Relu", "config": {"name": "r"}},
            {"class_name": "Sequential", "config": [
                {"class_name": "Dropout", "config": {"name": "o", "trainable": true}},
            ]},
        ]}});
        add_modules(&mut config, Semantics::Keras3).unwrap();
        let at = |pointer: &str| config.pointer(pointer).and_then(Value::as_str);
        assert_eq!(at("/class_name"), Some("Functional"));
        assert_eq!(at("/module"), Some("keras.src.models.functional"));
        assert_eq!(at("/config/layers/0/module"), Some("keras.layers"));
        assert_eq!(at("/config/layers/1/module"), Some("keras.src.ops.numpy"));
        assert_eq!(at("/config/layers/2/module"), Some("keras.src.ops.nn"));
        assert_eq!(at("/config/layers/3/module"), Some("keras"));
        let inner = "/config/layers/3/config/layers/0/module";
        assert_eq!(at(inner), Some("keras.layers"));
    }
}
