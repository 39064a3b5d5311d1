//! What Keras notes about its layers in a SavedModel: in `keras_metadata.pb` since TensorFlow 2.5, inside
//! `saved_model.pb` before. Source: `saved_metadata.proto` and `saved_object_graph.proto`.

use std::collections::{BTreeMap, VecDeque};

use serde_json::Value;

use super::checkpoint::{Children, reference};
use super::{broken, json};
use crate::formats::wire::{Field, Fields};
use crate::formats::{Beside, OpenError};

const MAX_BYTES: u64 = 256 << 20;

/// What is told of the model.
#[derive(Default)]
pub struct Metadata {
    /// `{"class_name": ..., "config": ...}` of the model, as in `model.to_json()`.
    pub model: Value,
    /// By path in the object graph, such as `layer_with_weights-0.layer-1`: the layer's name.
    pub names: BTreeMap<String, String>,
    /// TensorFlow's release, if it is told.
    pub version: Option<String>,
}

impl Metadata {
    pub fn read(saved_model: &[u8], beside: &dyn Beside) -> Result<Self, OpenError> {
        let mut metadata = Self::default();
        let graph = graphs(saved_model)?.first().copied().unwrap_or_default();
        for field in Fields::new(graph) {
            if let (1, Field::Bytes(about)) = field? {
                for field in Fields::new(about) {
                    if let (5, Field::Bytes(version)) = field? {
                        let version = String::from_utf8_lossy(version);
                        metadata.version = Some(version.chars().take(40).collect());
                    }
                }
            }
        }
        match beside.read_unlinked("keras_metadata.pb", MAX_BYTES) {
            Ok(Some(bytes)) => metadata.add_saved(&bytes)?,
            Ok(None) => metadata.add_objects(graph)?,
            Err(why) => return Err(broken(&format!("its keras_metadata.pb {why}"))),
        }
        Ok(metadata)
    }

    /// `SavedMetadata`
    fn add_saved(&mut self, message: &[u8]) -> Result<(), OpenError> {
        for field in Fields::new(message) {
            let (1, Field::Bytes(object)) = field? else {
                continue;
            };
            let (mut path, mut text) = (&b""[..], &b""[..]);
            for field in Fields::new(object) {
                match field? {
                    (3, Field::Bytes(bytes)) => path = bytes,
                    (5, Field::Bytes(bytes)) => text = bytes,
                    _ => {}
                }
            }
            let path = String::from_utf8_lossy(path);
            match path.strip_prefix("root") {
                Some("") => self.model = json(text, "its metadata")?,
                Some(rest) => self.add(rest.trim_start_matches('.'), text),
                None => {}
            }
        }
        Ok(())
    }

    /// The metadata in a `SavedObjectGraph`.
    fn add_objects(&mut self, graph: &[u8]) -> Result<(), OpenError> {
        let mut objects: Vec<(Children, &[u8])> = Vec::new();
        for field in Fields::new(graph) {
            let (7, Field::Bytes(all)) = field? else {
                continue;
            };
            for field in Fields::new(all) {
                let (1, Field::Bytes(object)) = field? else {
                    continue;
                };
                let (mut children, mut text) = (Vec::new(), &b""[..]);
                for field in Fields::new(object) {
                    match field? {
                        (1, Field::Bytes(child)) => children.push(reference(child)?),
                        (4, Field::Bytes(user)) => {
                            for field in Fields::new(user) {
                                if let (3, Field::Bytes(bytes)) = field? {
                                    text = bytes;
                                }
                            }
                        }
                        _ => {}
                    }
                }
                objects.push((children, text));
            }
        }
        let Some((_, root)) = objects.first().filter(|(_, text)| !text.is_empty()) else {
            return Ok(());
        };
        self.model = json(root, "its metadata")?;
        let mut next = VecDeque::from([(0, String::new())]);
        let mut seen = vec![false; objects.len()];
        while let Some((at, path)) = next.pop_front() {
            let Some((children, text)) = objects.get(at).filter(|_| !seen[at]) else {
                continue;
            };
            seen[at] = true;
            self.add(&path, text);
            for (name, child) in children
                .iter()
                .filter(|(name, _)| name.starts_with("layer"))
            {
                let dot = if path.is_empty() { "" } else { "." };
                next.push_back((*child, format!("{path}{dot}{name}")));
            }
        }
        Ok(())
    }

    fn add(&mut self, path: &str, text: &[u8]) {
        let about: Value = serde_json::from_slice(text).unwrap_or_default();
        if let Some(name) = about.get("name").and_then(Value::as_str) {
            self.names.insert(path.to_owned(), name.to_owned());
        }
    }
}

/// The `MetaGraphDef`s of a `SavedModel`.
fn graphs(message: &[u8]) -> Result<Vec<&[u8]>, OpenError> {
    let mut graphs = Vec::new();
    for field in Fields::new(message) {
        if let (2, Field::Bytes(graph)) = field? {
            graphs.push(graph);
        }
    }
    Ok(graphs)
}
