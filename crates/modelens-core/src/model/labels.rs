//! Class names: whether they fit a classifier, and those of the photos' class folders.

use super::graph::{Graph, Input, LayerKind};
use super::{ModelDescription, Reading};

/// A copy of a model without class names whose outputs are named after the class folders of the
/// photos, if there are as many; `None` if nothing changes.
pub fn by_folders(model: &ModelDescription, classes: &[String]) -> Option<ModelDescription> {
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
    Some(ModelDescription {
        labels: labels.to_vec(),
        labels_from: from.to_owned(),
        ..model.clone()
    })
}

/// The source of class names that are those of folders.
const FOLDERS: &str = "the class folders of the photos";

/// True if there are as many names as outputs, or two for a single sigmoid unit.
pub fn fits(labels: &[String], outputs: usize) -> bool {
    labels.len() == outputs || (outputs == 1 && labels.len() == 2)
}

/// The number of outputs of a classifier, which is that of its last layer with weights.
pub fn outputs(graph: &Graph) -> Option<usize> {
    Reading::of(graph)?;
    let mut node = graph.nodes.get(graph.output)?;
    loop {
        let layer = graph.layers.get(node.layer)?;
        let kernel = match &layer.kind {
            LayerKind::Dense(_) | LayerKind::Conv2d(_) => layer.shape("kernel"),
            _ if layer.weights.is_empty() => None,
            _ => return None,
        };
        if let Some(kernel) = kernel {
            return kernel.last().copied();
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
    use crate::fixtures::lab_mobilenetv2;

    #[test]
    fn folders_name_what_nobody_else_did() {
        let mut model = lab_mobilenetv2();
        let classes: Vec<String> = (0..4).map(|i| format!("class {i:02}")).collect();
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
        let other = by_folders(&named, &classes[..3]).unwrap();
        assert!(other.labels.is_empty() && other.labels_from.is_empty());
    }
}
