//! Class names: where they come from, and whether they fit.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::Path;

use super::graph::{Graph, Input, LayerKind};
use super::open::ModelSource;
use super::{Model, Reading};
use crate::assets;

/// Files of class names above this are left aside.
const MAX_BYTES: u64 = 1 << 20;
/// Characters of a name that are kept: the longest of ImageNet's has 121.
const MAX_NAME: usize = 200;

/// Names that a file of class names may have, whatever the model is called.
const PLAIN: [&str; 2] = ["labels.txt", "classes.txt"];

/// Gives a model just opened its class names: those of a file beside it (one a line, in output
/// order), those that are bundled with it, or ImageNet's for a thousand outputs.
pub(super) fn add(model: &mut Model, source: &ModelSource) {
    let Some(outputs) = outputs(&model.graph) else {
        return;
    };
    let bundled = match source {
        ModelSource::DogBreeds => {
            Some((lines(&assets::dog_breeds_labels().join("\n")), "the base"))
        }
        ModelSource::EfficientNetLite0 | ModelSource::File(_) | ModelSource::Weights { .. } => None,
    };
    let imagenet = || {
        (
            lines(&assets::imagenet_labels().join("\n")),
            "ImageNet-1k, by the number of outputs",
        )
    };
    let found = beside(model, source, outputs).or_else(|| {
        let known = bundled.into_iter().chain(std::iter::once_with(imagenet));
        let mut known = known.filter(|(labels, _)| fits(labels, outputs));
        known.next().map(|(labels, from)| (labels, from.to_owned()))
    });
    if let Some((labels, from)) = found {
        (model.labels, model.labels_from) = (labels, from);
    }
}

/// Names the outputs of a model without class names after the folders of its photos, where there are
/// as many; `None` where nothing changes.
pub fn by_folders(model: &Model, classes: &[String]) -> Option<Model> {
    let own = !model.labels.is_empty() && model.labels_from != FOLDERS;
    if own {
        return None;
    }
    let as_many = outputs(&model.graph).is_some_and(|n| fits(classes, n)) && classes.len() > 1;
    let labels = if as_many { classes } else { &[] };
    if model.labels == labels {
        return None;
    }
    let from = if as_many { FOLDERS } else { "" };
    Some(Model {
        labels: labels.to_vec(),
        labels_from: from.to_owned(),
        ..model.clone()
    })
}

/// Where names of class folders come from.
const FOLDERS: &str = "the class folders of the photos";

/// One sigmoid unit tells two classes apart.
fn fits(labels: &[String], outputs: usize) -> bool {
    labels.len() == outputs || (outputs == 1 && labels.len() == 2)
}

/// The names in a file beside the model: the one that is named after it before the others. One that
/// cannot be used is worth a warning where it is named after the model, or where none is used.
fn beside(
    model: &mut Model,
    source: &ModelSource,
    outputs: usize,
) -> Option<(Vec<String>, String)> {
    let path = source.path()?;
    let own = path.with_extension("labels.txt");
    let plain = PLAIN.map(|name| path.with_file_name(name));
    let mut odd = Vec::new();
    for (i, file) in std::iter::once(&own).chain(&plain).enumerate() {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let why = match read(file) {
            Ok(None) => continue,
            Ok(Some(text)) => {
                let labels = lines(&text);
                if fits(&labels, outputs) {
                    odd.retain(|&(at, _)| at == 0);
                    model.warnings.extend(odd.into_iter().map(|(_, why)| why));
                    return Some((labels, format!("{name} beside the model")));
                }
                let (classes, outputs) = (
                    counted(labels.len(), "class", "classes"),
                    counted(outputs, "output", "outputs"),
                );
                format!("names {classes}, but the model has {outputs}")
            }
            Err(why) => why,
        };
        odd.push((i, format!("{name} {why}: it was left aside")));
    }
    model.warnings.extend(odd.into_iter().map(|(_, why)| why));
    None
}

fn counted(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// One name a line; empty lines at the end are no names, and one between others leaves its class
/// with its number.
fn lines(text: &str) -> Vec<String> {
    let text = text.trim_start_matches('\u{feff}').trim_end();
    let name = |(i, line): (usize, &str)| {
        let line = line.trim();
        if line.is_empty() {
            return format!("class {i}");
        }
        let shown = |c: char| if c.is_control() { ' ' } else { c };
        line.chars().take(MAX_NAME).map(shown).collect()
    };
    text.lines().enumerate().map(name).collect()
}

/// The text of a file; `None` where there is none, and a reason in words where it is of no use.
fn read(path: &Path) -> Result<Option<String>, String> {
    let unreadable = |e: std::io::Error| format!("cannot be read ({e})");
    match std::fs::metadata(path) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(unreadable(e)),
        Ok(found) if !found.is_file() => return Err("is no regular file".to_owned()),
        Ok(_) => {}
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(format!("is larger than {} MB", MAX_BYTES >> 20));
    }
    let text = String::from_utf8(bytes).ok().filter(|t| !t.contains('\0'));
    text.map(Some)
        .ok_or_else(|| "is no text in UTF-8".to_owned())
}

/// The number of outputs of a classifier: those of the last layer with weights.
fn outputs(graph: &Graph) -> Option<usize> {
    Reading::of(graph)?;
    let mut node = graph.nodes.get(graph.output)?;
    loop {
        let layer = graph.layers.get(node.layer)?;
        let kernel = match &layer.kind {
            LayerKind::Dense(_) | LayerKind::Conv2d(_) => layer.weight("kernel"),
            _ if layer.weights.is_empty() => None,
            _ => return None,
        };
        if let Some(kernel) = kernel {
            return kernel.dims().last().copied();
        }
        match node.inputs.as_slice() {
            [Input::Node(before)] => node = graph.nodes.get(*before)?,
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_name_a_line() {
        assert_eq!(lines("\u{feff}cat\r\n dog \n\n\n"), ["cat", "dog"]);
        assert_eq!(lines("a\n\nb"), ["a", "class 1", "b"]);
        assert_eq!(lines("a\tb\u{1b}[2J"), ["a b [2J"]);
        assert_eq!(lines(&"\u{e9}".repeat(300)), ["\u{e9}".repeat(MAX_NAME)]);
        assert!(lines("").is_empty() && lines(" \n\n").is_empty());
        let imagenet = assets::imagenet_labels();
        let joined = lines(&imagenet.join("\n"));
        assert!(joined.iter().eq(imagenet), "none is cut");
    }

    #[test]
    fn folders_name_what_nobody_else_did() {
        let mut model = ModelSource::DogBreeds.open().unwrap();
        let classes: Vec<String> = (0..19).map(|i| format!("class {i:02}")).collect();
        assert_eq!(model.labels_from, "the base");
        assert!(
            by_folders(&model, &classes).is_none(),
            "the base's own names stay"
        );
        model.labels.clear();
        model.labels_from.clear();
        let named = by_folders(&model, &classes).unwrap();
        assert_eq!(named.labels, classes);
        assert_eq!(named.labels_from, FOLDERS);
        assert!(by_folders(&named, &classes).is_none());
        let other = by_folders(&named, &classes[..4]).unwrap();
        assert!(other.labels.is_empty() && other.labels_from.is_empty());
    }
}
