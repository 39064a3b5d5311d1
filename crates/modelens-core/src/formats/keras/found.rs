//! What a file of weights holds, in whichever of Keras' two layouts.

use hdf5_pure::Group;

use super::by_number::LAYERS;
use super::h5::H5;
use super::pairing::{FileLayer, FileWeight, Found};
use super::specs::split_path;
use crate::formats::OpenError;
use crate::model::Semantics;

/// Models inside models that are searched, at most.
const MAX_DEPTH: usize = 8;

/// All layers with weights first, then those of each model inside, the largest first.
pub(super) fn places(h5: &H5) -> Result<Vec<Found>, OpenError> {
    let named = by_name(h5)?;
    if named.first().is_some_and(|all| !all.layers.is_empty()) {
        return Ok(named);
    }
    let mut places = Vec::new();
    let mut layers = Vec::new();
    numbered(&h5.root(), "", "", 0, &mut layers, &mut places)?;
    Ok(sorted(layers, places, true))
}

/// Name and rules of the framework that wrote the file, or, for files older than Keras 2 and those
/// that do not tell, of the one that most likely reads it.
pub(super) fn writer(h5: &H5, places: &[Found]) -> Result<(String, Semantics), OpenError> {
    let root = h5.root();
    let attributes = H5::attributes(&root)?;
    if let Some(version) = attributes.text("keras_version") {
        let name = format!("Keras {version}");
        let semantics = match version.split('.').next() {
            Some("0" | "1" | "2") => Semantics::Keras2,
            _ => Semantics::Keras3,
        };
        return Ok((name, semantics));
    }
    // In numbered groups only Keras 3 writes the layers' names.
    let all = places.first();
    let unnamed =
        all.is_some_and(|all| all.by_number && all.layers.iter().all(|l| l.name.is_empty()));
    let semantics = if unnamed {
        Semantics::Keras2
    } else {
        Semantics::Keras3
    };
    Ok((semantics.label().to_owned(), semantics))
}

fn sorted(all: Vec<FileLayer>, mut models: Vec<Found>, by_number: bool) -> Vec<Found> {
    models.sort_by_key(|model| std::cmp::Reverse(model.layers.len()));
    for model in &mut models {
        let inside = |layer: &FileLayer| {
            let path = |l: &FileLayer| l.weights.first().map(|w| w.path.clone());
            model.layers.iter().any(|own| path(own) == path(layer))
        };
        let outside = all.iter().filter(|layer| !inside(layer));
        let name = |l: &FileLayer| {
            if l.name.is_empty() {
                l.key.clone()
            } else {
                l.name.clone()
            }
        };
        model.outside = outside.map(name).collect();
    }
    let all = Found {
        layers: all,
        by_number,
        outside: Vec::new(),
    };
    std::iter::once(all).chain(models).collect()
}

fn shape(dataset: &hdf5_pure::Dataset) -> Option<Vec<usize>> {
    let shape = dataset.shape().ok()?;
    let axes = shape.iter().map(|&n| usize::try_from(n).ok());
    axes.collect()
}

/// The layers of groups named by class and counted; returns those below this group.
fn numbered(
    group: &Group,
    path: &str,
    prefix: &str,
    depth: usize,
    layers: &mut Vec<FileLayer>,
    models: &mut Vec<Found>,
) -> Result<(), OpenError> {
    let word = LAYERS.into_iter().find(|word| group.group(word).is_ok());
    let (Some(word), true) = (word, depth < MAX_DEPTH) else {
        return Ok(());
    };
    let Ok(all) = group.group(word) else {
        return Ok(());
    };
    for key in H5::groups(&all)? {
        let Ok(inside) = all.group(&key) else {
            continue;
        };
        let place = format!("{path}{word}/{key}");
        if let Ok(vars) = inside.group("vars") {
            let count = H5::datasets(&vars)?.len();
            let weights = (0..count).map_while(|i| {
                let short = i.to_string();
                let shape = shape(&vars.dataset(&short).ok()?)?;
                let path = format!("{place}/vars/{short}");
                Some(FileWeight { short, path, shape })
            });
            let weights: Vec<FileWeight> = weights.collect();
            if !weights.is_empty() {
                let name = H5::attributes(&vars)?
                    .text("name")
                    .unwrap_or_default()
                    .to_owned();
                let key = format!("{prefix}{key}");
                layers.push(FileLayer { key, name, weights });
            }
        }
        let before = layers.len();
        let deeper = format!("{prefix}{key}/");
        numbered(
            &inside,
            &format!("{place}/"),
            &deeper,
            depth + 1,
            layers,
            models,
        )?;
        if layers.len() > before {
            let own = layers[before..].iter().map(|layer| FileLayer {
                key: layer.key[deeper.len()..].to_owned(),
                ..layer.clone()
            });
            models.push(Found {
                layers: own.collect(),
                by_number: true,
                outside: Vec::new(),
            });
        }
    }
    Ok(())
}

/// The layers of groups named after them.
fn by_name(h5: &H5) -> Result<Vec<Found>, OpenError> {
    let root = h5.root();
    let (top, before) = match root.group("model_weights") {
        Ok(group) => (group, "model_weights/"),
        Err(_) => (root, ""),
    };
    let mut layers = Vec::new();
    let mut models = Vec::new();
    for name in H5::attributes(&top)?.list("layer_names") {
        let Ok(group) = top.group(&name) else {
            continue;
        };
        let mut own: Vec<FileLayer> = Vec::new();
        for path in H5::attributes(&group)?.list("weight_names") {
            let (owner, short) = split_path(&path);
            let owner = owner.rsplit('/').next().unwrap_or_default();
            let Some(shape) = group.dataset(&path).ok().as_ref().and_then(shape) else {
                continue;
            };
            let weight = FileWeight {
                short: short.to_owned(),
                path: format!("{before}{name}/{path}"),
                shape,
            };
            match own.iter_mut().find(|layer| layer.name == owner) {
                Some(layer) => layer.weights.push(weight),
                None => own.push(FileLayer {
                    key: owner.to_owned(),
                    name: owner.to_owned(),
                    weights: vec![weight],
                }),
            }
        }
        match own.as_mut_slice() {
            // A plain layer's group is named after it, whatever its weights are called.
            [only] => {
                only.key.clone_from(&name);
                only.name.clone_from(&name);
            }
            [] => {}
            _ => models.push(Found {
                layers: own.clone(),
                ..Found::default()
            }),
        }
        layers.extend(own);
    }
    Ok(sorted(layers, models, false))
}
