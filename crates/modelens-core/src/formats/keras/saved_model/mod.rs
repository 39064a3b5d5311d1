//! TensorFlow's SavedModel folders that Keras 2 wrote (`model.save('folder')`), as the `.h5` file that Keras
//! would have written of the same model.
//!
//! The configuration is in the metadata of Keras, the weights are in a checkpoint. Nothing of the folder's
//! graph of operators is read or executed.

mod checkpoint;
mod metadata;
mod table;

use std::collections::{BTreeMap, HashMap, HashSet};

use hdf5_pure::{AttrValue, FileBuilder, GroupBuilder};
use serde_json::Value;

use self::checkpoint::{Checkpoint, Object, Values};
use self::metadata::Metadata;
use super::json;
use super::save::string_list;
use crate::formats::other_files::is_saved_model;
use crate::formats::{ModelFile, OpenError, SAVED_MODEL};

/// Models in models, at most.
const MAX_DEPTH: usize = 8;
/// Names in a path, at most: groups are walked by recursion.
const MAX_NAMES: usize = 32;
/// Layers of a model, at most.
const MAX_LAYERS: usize = 100_000;

fn broken(what: &str) -> OpenError {
    OpenError::Broken(what.to_owned())
}

/// The `.h5` file of a SavedModel; another file as it is.
///
/// # Errors
/// A SavedModel without the configuration of a Keras model, and a broken one.
pub(super) fn as_h5(file: ModelFile<'_>) -> Result<ModelFile<'_>, OpenError> {
    if !is_saved_model(&file.bytes) {
        return Ok(file);
    }
    let metadata = Metadata::read(&file.bytes, file.beside)?;
    let config = metadata
        .model
        .get("config")
        .filter(|config| config["layers"].is_array());
    let class = metadata.model.get("class_name").and_then(Value::as_str);
    let (Some(config), Some("Functional" | "Model" | "Sequential")) = (config, class) else {
        return Err(OpenError::Refused(SAVED_MODEL.to_owned()));
    };
    let checkpoint = Checkpoint::read(file.beside, "variables/variables")?;
    let objects = checkpoint.objects()?;
    let mut builder = FileBuilder::new();
    let config = plain(config.clone());
    let layers = config["layers"].as_array().map_or(&[][..], Vec::as_slice);
    let model = serde_json::json!({"class_name": class, "config": &config});
    builder.set_attr("model_config", AttrValue::VarLenString(model.to_string()));
    // Keras 2 had TensorFlow's numbers.
    if let Some(version) = metadata.version.as_ref().filter(|v| v.starts_with("2.")) {
        builder.set_attr("keras_version", AttrValue::VarLenString(version.clone()));
    }
    builder.set_attr("backend", AttrValue::VarLenString("tensorflow".to_owned()));
    let mut top = Tree::default();
    let mut names = Vec::new();
    let places = places(&metadata, &objects);
    for layer in layers.iter().take(MAX_LAYERS) {
        let name = layer.pointer("/config/name").or_else(|| layer.get("name"));
        let Some(name) = name.and_then(Value::as_str) else {
            return Err(broken("a layer of its configuration has no name"));
        };
        names.push(name.to_owned());
        let weights = match places.get(name) {
            Some((path, at)) => weights(&metadata, &objects, path, *at, name),
            None => Vec::new(),
        };
        let is_deep = |path: &str| path.split('/').count() > MAX_NAMES;
        if is_deep(name) || weights.iter().any(|(path, _)| is_deep(path)) {
            return Err(broken("the name of a layer has too many parts"));
        }
        let group = top.at(name);
        for (path, key) in &weights {
            let (inside, short) = path.rsplit_once('/').unwrap_or(("", path));
            let values = checkpoint.values(key)?;
            group.at(inside).datasets.insert(short.to_owned(), values);
        }
        let paths = weights.into_iter().map(|(path, _)| path).collect();
        group.attributes = string_list("weight_names", paths);
    }
    top.attributes = string_list("layer_names", names);
    let mut group = builder.create_group("model_weights");
    top.write(&mut group);
    builder.add_group(group.finish());
    let bytes = builder.finish();
    Ok(ModelFile {
        bytes: bytes.map_err(|e| broken(&e.to_string()))?,
        ..file
    })
}

/// A configuration with lists in place of `{"class_name": "__tuple__", "items": [...]}`, as in `.h5` files.
fn plain(value: Value) -> Value {
    match value {
        Value::Array(list) => list.into_iter().map(plain).collect(),
        Value::Object(mut map) => {
            let class = map.get("class_name").and_then(Value::as_str);
            if matches!(class, Some("__tuple__" | "TensorShape"))
                && let Some(items) = map.remove("items")
            {
                return plain(items);
            }
            let entries = map.into_iter().map(|(key, value)| (key, plain(value)));
            Value::Object(entries.collect())
        }
        other => other,
    }
}

/// The path and the index of each outer layer's object, by the layer's name.
fn places<'a>(metadata: &'a Metadata, objects: &[Object]) -> HashMap<&'a str, (&'a str, usize)> {
    let mut places = HashMap::new();
    for (path, name) in &metadata.names {
        if path.contains('.') || !path.starts_with("layer") {
            continue;
        }
        let children = objects.first().map(|root| &root.children);
        let mut children = children.into_iter().flatten();
        if let Some((_, at)) = children.find(|(local, _)| local == path) {
            places.insert(name.as_str(), (path.as_str(), *at));
        }
    }
    places
}

/// Path in the layer's group and key of each weight of an outer layer, in the order of `layer.weights`.
fn weights(
    metadata: &Metadata,
    objects: &[Object],
    path: &str,
    at: usize,
    name: &str,
) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    collect(metadata, objects, path, at, name, 0, &mut seen, &mut found);
    // Keras' own list of all variables, of which those that learn come first.
    let listed = objects
        .get(at)
        .and_then(|object| child(object, "variables"));
    let listed = listed.and_then(|at| objects.get(at));
    let order = listed.map(|list| {
        let mut items: Vec<(usize, usize)> = list
            .children
            .iter()
            .filter_map(|(place, at)| Some((place.parse().ok()?, *at)))
            .collect();
        items.sort_unstable();
        let items = items.into_iter().enumerate();
        items
            .map(|(place, (_, at))| (at, place))
            .collect::<HashMap<_, _>>()
    });
    let order = order.unwrap_or_default();
    found.sort_by_key(|(at, ..)| order.get(at).copied().unwrap_or(usize::MAX));
    found
        .into_iter()
        .map(|(_, path, key)| (path, key))
        .collect()
}

fn child(object: &Object, name: &str) -> Option<usize> {
    let mut children = object.children.iter();
    children.find(|(local, _)| local == name).map(|(_, at)| *at)
}

/// Collects the variables of an object and of the layers in it.
#[allow(clippy::too_many_arguments, reason = "the state of a walk")]
fn collect(
    metadata: &Metadata,
    objects: &[Object],
    path: &str,
    at: usize,
    names: &str,
    depth: usize,
    seen: &mut HashSet<usize>,
    found: &mut Vec<(usize, String, String)>,
) {
    let Some(object) = objects
        .get(at)
        .filter(|_| depth < MAX_DEPTH && seen.insert(at))
    else {
        return;
    };
    for (local, child) in &object.children {
        let key = objects.get(*child).and_then(|child| child.key.as_ref());
        if let Some(key) = key {
            if seen.insert(*child) {
                found.push((*child, format!("{names}/{local}:0"), key.clone()));
            }
            continue;
        }
        let inner = format!("{path}.{local}");
        match metadata.names.get(&inner) {
            Some(name) if local != "keras_api" => {
                let names = format!("{names}/{name}");
                collect(
                    metadata,
                    objects,
                    &inner,
                    *child,
                    &names,
                    depth + 1,
                    seen,
                    found,
                );
            }
            _ => {}
        }
    }
}

/// A group of the file before it is written.
#[derive(Default)]
struct Tree {
    attributes: Vec<(String, AttrValue)>,
    datasets: BTreeMap<String, Values>,
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

    fn write(&self, to: &mut GroupBuilder) {
        for (name, value) in &self.attributes {
            to.set_attr(name, value.clone());
        }
        for (name, Values { shape, values }) in &self.datasets {
            let shape: Vec<u64> = shape.iter().map(|&d| d as u64).collect();
            let dataset = to.create_dataset(name);
            dataset.with_f32_data(values);
            dataset.with_shape(&shape);
        }
        for (name, inner) in &self.groups {
            let mut group = to.create_group(name);
            inner.write(&mut group);
            to.add_group(group.finish());
        }
    }
}
