//! Class names: where they come from, and whether they fit.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use super::graph::{Graph, Input, LayerKind};
use super::open::ModelSource;
use super::{Model, Reading};
use crate::assets;

/// Files of class names above this are left aside.
const MAX_BYTES: u64 = 1 << 20;

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

/// The names in a file beside the model; one that is named after the model and does not fit is
/// worth a warning.
fn beside(
    model: &mut Model,
    source: &ModelSource,
    outputs: usize,
) -> Option<(Vec<String>, String)> {
    let path = source.path()?;
    let own = path.with_extension("labels.txt");
    let plain = PLAIN.map(|name| path.with_file_name(name));
    for (i, file) in std::iter::once(&own).chain(&plain).enumerate() {
        let Some(labels) = read(file).as_deref().map(lines) else {
            continue;
        };
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        if fits(&labels, outputs) {
            return Some((labels, format!("{name} beside the model")));
        }
        if i == 0 {
            model.warnings.push(format!(
                "{name} names {} classes, but the model has {outputs} outputs: it was left aside",
                labels.len()
            ));
        }
    }
    None
}

/// One name a line; empty lines at the end are no names.
fn lines(text: &str) -> Vec<String> {
    let text = text.trim_start_matches('\u{feff}').trim_end();
    text.lines().map(|line| line.trim().to_owned()).collect()
}

fn read(path: &Path) -> Option<String> {
    if !std::fs::metadata(path).ok()?.is_file() {
        return None;
    }
    let mut text = String::new();
    let file = File::open(path).ok()?;
    file.take(MAX_BYTES + 1).read_to_string(&mut text).ok()?;
    ((text.len() as u64) <= MAX_BYTES).then_some(text)
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
        assert_eq!(lines("a\n\nb"), ["a", "", "b"]);
        assert!(lines("").is_empty());
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
