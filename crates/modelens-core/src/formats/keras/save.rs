//! Keras' HDF5 and zip files with other weights.
//!
//! In its own format, the file is copied and its weights are replaced, so that all else stays as Keras
//! wrote it; with a new head the configuration is changed to name it. The state of an optimizer in the
//! file belongs to other weights and is left out. [`convert`] writes the other format.

use std::collections::{HashMap, HashSet};
use std::io::{Cursor, Write as _};

use candle_core::Tensor;
use hdf5_pure::{AttrValue, DType, File, FileBuilder, Group, GroupBuilder};
use serde_json::Value;
use zip::write::SimpleFileOptions;

use super::archive::{Entries, unpack};
use super::load_numbered::snake_case;
use super::{KerasFile, ZIP, configuration, convert, save_head, saved_model};
use crate::formats::{ModelFile, SaveError, Trained};
use crate::model::graph::Layer;
use crate::model::{LayerId, Model, Semantics};

/// The trained model in the format of this ending, which is one of `Format::saved_as`.
pub fn save(
    original: ModelFile<'_>,
    trained: &Trained<'_>,
    ending: &str,
) -> Result<Vec<u8>, SaveError> {
    let original = configuration::with_weights(saved_model::as_h5(original)?)?;
    let from_zip = trained.model.format == ZIP.format;
    let to_zip = ZIP.format.endings.contains(&ending);
    match (from_zip, to_zip) {
        (false, false) => h5(original, trained),
        (true, true) => zip(original, trained),
        (false, true) => convert::zip_of_h5(original, trained),
        (true, false) => convert::h5_of_zip(original, trained),
    }
}

pub(super) fn content(error: impl std::fmt::Display) -> SaveError {
    SaveError::Content(error.to_string())
}

/// What the copy of an HDF5 file changes.
#[derive(Default)]
struct Changes<'a> {
    /// Weights by the path of their dataset.
    weights: HashMap<String, &'a Tensor>,
    /// Groups, by path, that are left out.
    gone: HashSet<String>,
    /// Groups that get another name.
    renamed: HashMap<String, String>,
    /// Groups of a new head inside the group of this path.
    added: Vec<(String, NewGroup<'a>)>,
    /// Attributes by group and name; `None` leaves one out.
    attributes: HashMap<(String, &'static str), Option<AttributeValue>>,
}

/// The value of an attribute; a long list becomes several attributes.
#[derive(Clone)]
enum AttributeValue {
    Text(String),
    List(Vec<String>),
}

impl AttributeValue {
    fn named(&self, name: &str) -> Vec<(String, AttrValue)> {
        match self {
            Self::Text(text) => vec![(name.to_owned(), AttrValue::VarLenString(text.clone()))],
            Self::List(values) => string_list(name, values.clone()),
        }
    }
}

/// The group of one new layer with weights.
struct NewGroup<'a> {
    /// Path inside, such as `dense/dense`; the last part holds the datasets.
    path: Vec<String>,
    /// Attribute of the first (legacy) or last group.
    attribute: (usize, &'static str, AttributeValue),
    datasets: Vec<(String, &'a Tensor)>,
}

/// A legacy `.h5` file.
fn h5(original: ModelFile<'_>, trained: &Trained<'_>) -> Result<Vec<u8>, SaveError> {
    let opened = super::read_h5(original.clone())?;
    let file = File::from_bytes(original.bytes).map_err(content)?;
    if opened.recognised.is_some() && trained.has_new_head {
        return Err(SaveError::WeightsAlone);
    }
    let mut changes = changes(&opened, trained)?;
    changes.gone.insert("optimizer_weights".to_owned());
    if opened.recognised.is_none() && (trained.has_new_head || opened.semantics.is_keras3()) {
        let root = file.root().attrs().map_err(content)?;
        let text = root.get("model_config").and_then(AttrValue::as_str);
        let mut json: Value = serde_json::from_str(text.unwrap_or_default()).map_err(content)?;
        if trained.has_new_head {
            json = save_head::with_new_head(json, &opened.graph, trained)?;
        }
        // Without modules Keras 3 opens neither operators nor a normalization over several axes, even
        // from a file that it wrote.
        if opened.semantics.is_keras3() {
            convert::add_modules(&mut json, opened.semantics)?;
        }
        let key = (String::new(), "model_config");
        let new_config = AttributeValue::Text(json.to_string());
        changes.attributes.insert(key, Some(new_config));
    }
    if trained.has_new_head {
        let key = (String::new(), "training_config");
        changes.attributes.insert(key, None);
        let top = file.group("model_weights").map_err(content)?;
        let inside = top.groups().map_err(content)?;
        for (layer, _) in head_layers(&opened, trained) {
            changes.gone.insert(format!("model_weights/{}", layer.name));
        }
        let kept = |name: &String| !changes.gone.contains(&format!("model_weights/{name}"));
        let outer = opened.graph.layers.iter().filter(|l| l.parent.is_none());
        let names = outer.map(|l| l.name.clone()).filter(|n| inside.contains(n));
        let mut names: Vec<String> = names.filter(kept).collect();
        let suffix = if opened.semantics == Semantics::Keras2 {
            ":0"
        } else {
            ""
        };
        for (id, layer) in new_layers(trained) {
            names.push(layer.name.clone());
            let paths = layer.weights.iter();
            let paths = paths.map(|w| format!("{}/{}{suffix}", layer.name, w.name));
            let group = NewGroup {
                path: vec![layer.name.clone(), layer.name.clone()],
                attribute: (0, "weight_names", AttributeValue::List(paths.collect())),
                datasets: datasets(trained.model, (id, layer), |_, name| {
                    format!("{name}{suffix}")
                }),
            };
            changes.added.push(("model_weights".to_owned(), group));
        }
        let key = ("model_weights".to_owned(), "layer_names");
        changes
            .attributes
            .insert(key, Some(AttributeValue::List(names)));
    }
    copied(&file, &changes)
}

/// A `.keras` archive.
fn zip(original: ModelFile<'_>, trained: &Trained<'_>) -> Result<Vec<u8>, SaveError> {
    let opened = super::read_zip(original.bytes.clone(), original.architecture)?;
    let entries = unpack(original.bytes)?;
    let file = File::from_bytes(entries.weights).map_err(content)?;
    let mut changes = changes(&opened, trained)?;
    changes.gone.insert("optimizer".to_owned());
    let mut json = entries.config;
    if trained.has_new_head {
        let value: Value = serde_json::from_slice(&json).map_err(content)?;
        let changed = save_head::with_new_head(value, &opened.graph, trained)?;
        json = changed.to_string().into_bytes();
        number_groups(&file, &opened, trained, &mut changes)?;
    }
    archived(Entries {
        metadata: entries.metadata,
        config: json,
        weights: copied(&file, &changes)?,
    })
}

/// The bytes of an archive.
pub(super) fn archived(entries: Entries) -> Result<Vec<u8>, SaveError> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Stored)
        .large_file(true)
        .last_modified_time(zip::DateTime::default());
    let all = [
        ("metadata.json", entries.metadata),
        ("config.json", entries.config),
        ("model.weights.h5", entries.weights),
    ];
    for (name, bytes) in all.into_iter().filter(|(_, bytes)| !bytes.is_empty()) {
        archive.start_file(name, stored).map_err(content)?;
        archive.write_all(&bytes).map_err(content)?;
    }
    Ok(archive.finish().map_err(content)?.into_inner())
}

/// Groups of the outermost layers are counted by class: without the old head, and with the new one,
/// some have other numbers.
fn number_groups<'a>(
    file: &File,
    opened: &KerasFile,
    trained: &Trained<'a>,
    changes: &mut Changes<'a>,
) -> Result<(), SaveError> {
    let words = ["layers", "_layer_checkpoint_dependencies"];
    let word = words.into_iter().find(|w| file.group(w).is_ok());
    let word = word.ok_or_else(|| content("it has no layers"))?;
    let (mut before, mut after) = (HashMap::new(), HashMap::new());
    let outer = opened.graph.layers.iter().enumerate();
    let outer: Vec<_> = outer
        .filter(|(_, l)| l.parent.is_none() && l.listed)
        .collect();
    // The groups that weights were read from tell the numbers in the file.
    let stored = |id: LayerId| {
        let mut paths = opened.paths.iter();
        let own = paths.find(|p| opened.graph.subtree(id).any(|inside| inside == p.layer))?;
        own.path.split('/').nth(1).map(str::to_owned)
    };
    let has_weights = |id: LayerId| stored(id).is_some();
    // TensorFlow 2.12 to 2.14 counts a layer with weights twice.
    let mut single = HashMap::new();
    let counts_twice = outer.iter().any(|(id, layer)| {
        let counted = numbered(&layer.class, &mut single);
        stored(*id).is_some_and(|stored| stored != counted)
    });
    let next = |class: &str, weights: bool, counters: &mut HashMap<String, usize>| {
        let key = numbered(class, counters);
        if counts_twice && weights {
            numbered(class, counters);
        }
        key
    };
    for (id, layer) in outer {
        let counted = next(&layer.class, has_weights(id), &mut before);
        let old = format!("{word}/{}", stored(id).unwrap_or(counted));
        if trained.places[id].is_none() {
            changes.gone.insert(old);
        } else {
            let new = next(&layer.class, has_weights(id), &mut after);
            changes.renamed.insert(old, new);
        }
    }
    for (id, layer) in trained.new_layers() {
        let key = next(&layer.class, !layer.weights.is_empty(), &mut after);
        if layer.weights.is_empty() {
            continue;
        }
        let name = AttributeValue::Text(layer.name.clone());
        let group = NewGroup {
            path: vec![key, "vars".to_owned()],
            attribute: (1, "name", name),
            datasets: datasets(trained.model, (id, layer), |i, _| i.to_string()),
        };
        changes.added.push((word.to_owned(), group));
    }
    Ok(())
}

/// The next name of a class' group.
pub(super) fn numbered(class: &str, counters: &mut HashMap<String, usize>) -> String {
    let stem = snake_case(class);
    let count = counters.entry(stem.clone()).or_default();
    *count += 1;
    match *count {
        1 => stem,
        n => format!("{stem}_{}", n - 1),
    }
}

/// Maximum bytes of a list of strings in one attribute of an object.
const MAX_LIST: usize = 64_512;

/// A list of strings as Keras writes it: a long one is split over `name0`, `name1` and so on, an empty
/// one has no strings to tell its type.
pub(super) fn string_list(name: &str, values: Vec<String>) -> Vec<(String, AttrValue)> {
    let widest = values.iter().map(String::len).max().unwrap_or(0).max(1);
    if values.is_empty() {
        return vec![(name.to_owned(), AttrValue::F64Array(Vec::new()))];
    }
    if values.len() * widest <= MAX_LIST {
        return vec![(name.to_owned(), AttrValue::VarLenStringArray(values))];
    }
    let parts = values.chunks((MAX_LIST / widest).max(1)).enumerate();
    let parts =
        parts.map(|(i, part)| (format!("{name}{i}"), AttrValue::StringArray(part.to_vec())));
    parts.collect()
}

fn datasets<'a>(
    model: &'a Model,
    (id, layer): (LayerId, &Layer),
    name: impl Fn(usize, &str) -> String,
) -> Vec<(String, &'a Tensor)> {
    let weights = layer.weights.iter().enumerate();
    let found = weights.filter_map(|(i, w)| {
        let tensor = model.weights.get(&(id, w.name))?;
        Some((name(i, w.name), tensor))
    });
    found.collect()
}

/// The outermost layers of the file's head, which are gone.
fn head_layers<'a>(
    opened: &'a KerasFile,
    trained: &'a Trained<'_>,
) -> impl Iterator<Item = (&'a Layer, LayerId)> {
    let layers = opened.graph.layers.iter().enumerate();
    layers
        .filter(|(id, l)| l.parent.is_none() && trained.places[*id].is_none())
        .map(|(id, l)| (l, id))
}

/// The layers of a new head that have weights.
fn new_layers<'a>(trained: &Trained<'a>) -> impl Iterator<Item = (LayerId, &'a Layer)> + use<'a> {
    let layers = trained.new_layers();
    layers.filter(|(_, l)| !l.weights.is_empty())
}

/// Checks that the layers of the file are those that the model was opened with.
pub(super) fn check_places(opened: &KerasFile, trained: &Trained<'_>) -> Result<(), SaveError> {
    if opened.graph.layers.len() != trained.places.len() {
        return Err(SaveError::Changed);
    }
    for (layer, place) in std::iter::zip(&opened.graph.layers, trained.places) {
        let same = |p: LayerId| {
            trained
                .model
                .graph
                .layers
                .get(p)
                .is_some_and(|l| l.name == layer.name)
        };
        if place.is_some_and(|p| !same(p)) {
            return Err(SaveError::Changed);
        }
        let inside = layer.parent.is_some_and(|p| trained.places[p].is_some());
        if place.is_none() && inside {
            return Err(SaveError::NestedHead);
        }
    }
    Ok(())
}

/// The model's weights under the paths of the file.
fn changes<'a>(opened: &KerasFile, trained: &Trained<'a>) -> Result<Changes<'a>, SaveError> {
    check_places(opened, trained)?;
    let mut changes = Changes::default();
    for found in &opened.paths {
        let Some(place) = trained.places[found.layer] else {
            continue;
        };
        let weight = trained.model.weights.get(&(place, found.weight));
        let weight = weight.ok_or(SaveError::Changed)?;
        changes.weights.insert(found.path.clone(), weight);
    }
    Ok(changes)
}

/// The file with the changes.
fn copied(file: &File, changes: &Changes<'_>) -> Result<Vec<u8>, SaveError> {
    let mut builder = FileBuilder::new();
    let root = file.root();
    for (name, value) in attributes(&root, "", changes)? {
        builder.set_attr(&name, value);
    }
    for name in sorted(root.groups().map_err(content)?) {
        if changes.gone.contains(&name) {
            continue;
        }
        let mut group = builder.create_group(&name);
        let from = root.group(&name).map_err(content)?;
        copy(&from, &name, &mut group, changes)?;
        builder.add_group(group.finish());
    }
    builder.finish().map_err(content)
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names
}

fn attributes(
    group: &Group,
    path: &str,
    changes: &Changes<'_>,
) -> Result<Vec<(String, AttrValue)>, SaveError> {
    let mut all: Vec<(String, AttrValue)> = group.attrs().map_err(content)?.into_iter().collect();
    for ((of, name), value) in changes.attributes.iter().filter(|((of, _), _)| of == path) {
        debug_assert_eq!(of, path);
        // A long list is split over numbered attributes, which one takes the place of.
        all.retain(|(n, _)| {
            let rest = n.strip_prefix(name);
            rest.is_none_or(|r| !r.bytes().all(|b| b.is_ascii_digit()))
        });
        all.extend(value.iter().flat_map(|value| value.named(name)));
    }
    all.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(all)
}

fn copy(
    from: &Group,
    path: &str,
    to: &mut GroupBuilder,
    changes: &Changes<'_>,
) -> Result<(), SaveError> {
    for (name, value) in attributes(from, path, changes)? {
        to.set_attr(&name, value);
    }
    for name in sorted(from.datasets().map_err(content)?) {
        let here = format!("{path}/{name}");
        let dataset = from.dataset(&name).map_err(content)?;
        let shape = dataset.shape().map_err(content)?;
        let new = to.create_dataset(&name);
        match changes.weights.get(&here) {
            Some(weight) if is_float(&dataset) => set_values(new, weight)?,
            _ if matches!(dataset.dtype(), Ok(DType::F32)) => {
                new.with_f32_data(&dataset.read_f32().map_err(content)?);
                new.with_shape(&shape);
            }
            _ => {
                let raw = dataset.read_raw().map_err(content)?;
                let count = shape.iter().product();
                new.with_raw_data(dataset.datatype().map_err(content)?, raw, count);
                new.with_shape(&shape);
            }
        }
    }
    for name in sorted(from.groups().map_err(content)?) {
        let here = format!("{path}/{name}");
        if changes.gone.contains(&here) {
            continue;
        }
        let new_name = changes.renamed.get(&here).unwrap_or(&name);
        let mut group = to.create_group(new_name);
        copy(
            &from.group(&name).map_err(content)?,
            &here,
            &mut group,
            changes,
        )?;
        to.add_group(group.finish());
    }
    for (_, new) in changes.added.iter().filter(|(place, _)| place == path) {
        add(to, new, 0)?;
    }
    Ok(())
}

/// False for whole numbers, such as the count of a `Normalization` layer, which stay as they are.
pub(super) fn is_float(dataset: &hdf5_pure::Dataset) -> bool {
    use DType::{I8, I16, I32, I64, U8, U16, U32, U64};
    !matches!(
        dataset.dtype(),
        Ok(I8 | I16 | I32 | I64 | U8 | U16 | U32 | U64)
    )
}

pub(super) fn set_values(
    to: &mut hdf5_pure::DatasetBuilder,
    weight: &Tensor,
) -> Result<(), SaveError> {
    let values = weight.flatten_all().and_then(|t| t.to_vec1::<f32>());
    let shape: Vec<u64> = weight.dims().iter().map(|&d| d as u64).collect();
    to.with_f32_data(&values.map_err(content)?);
    to.with_shape(&shape);
    Ok(())
}

fn add(to: &mut GroupBuilder, new: &NewGroup<'_>, depth: usize) -> Result<(), SaveError> {
    let mut group = to.create_group(&new.path[depth]);
    let (place, name, value) = &new.attribute;
    for (name, value) in value.named(name).iter().filter(|_| *place == depth) {
        group.set_attr(name, value.clone());
    }
    if depth + 1 < new.path.len() {
        add(&mut group, new, depth + 1)?;
    } else {
        for (name, tensor) in &new.datasets {
            set_values(group.create_dataset(name), tensor)?;
        }
    }
    to.add_group(group.finish());
    Ok(())
}
