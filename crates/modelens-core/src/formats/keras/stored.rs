//! Lists the weights in a file that holds nothing else, in either of Keras' two layouts.

use hdf5_pure::Group;

use super::h5::H5;
use super::load_numbered::LAYERS;
use super::specs::split_path;
use crate::formats::OpenError;
use crate::model::Semantics;

/// Models nested deeper than this are not searched.
const MAX_DEPTH: usize = 8;

/// The weights in a file, or in one model inside it.
#[derive(Clone, Debug, Default)]
pub(super) struct StoredModel {
    pub layers: Vec<StoredLayer>,
    /// Groups are numbered by class; in the other layout they are named after the layers.
    pub numbered: bool,
    /// Names of the layers with weights outside of this model.
    pub outside: Vec<String>,
}

/// One layer with weights in a file.
#[derive(Clone, Debug, Default)]
pub(super) struct StoredLayer {
    /// The path of a numbered group, or the name.
    pub key: String,
    /// Empty where the file does not say.
    pub name: String,
    pub weights: Vec<StoredWeight>,
}

/// One dataset of a layer.
#[derive(Clone, Debug)]
pub(super) struct StoredWeight {
    /// The last part of its name, such as `kernel`.
    pub short: String,
    /// From the root of the file.
    pub path: String,
    pub shape: Vec<usize>,
}

impl StoredModel {
    /// The same model with its layers in this order.
    pub fn in_order(&self, order: &[usize]) -> Self {
        Self {
            layers: order.iter().map(|&i| self.layers[i].clone()).collect(),
            ..self.clone()
        }
    }
}

/// All layers with weights as one model, then each nested model, the largest first.
pub(super) fn models(h5: &H5) -> Result<Vec<StoredModel>, OpenError> {
    let named = named_models(h5)?;
    if named.first().is_some_and(|all| !all.layers.is_empty()) {
        return Ok(named);
    }
    let mut models = Vec::new();
    let mut layers = Vec::new();
    collect_numbered(&h5.root(), "", "", 0, &mut layers, &mut models)?;
    Ok(sorted(layers, models, true))
}

/// Name and rules of the framework that wrote the file. For files older than Keras 2, and those that
/// do not say, those of the framework that most likely reads them.
pub(super) fn writer(h5: &H5, models: &[StoredModel]) -> Result<(String, Semantics), OpenError> {
    let root = h5.root();
    let attributes = H5::attributes(&root)?;
    if let Some(version) = attributes.text("keras_version") {
        let name = format!("Keras {version}");
        let semantics = match version.split('.').next() {
            Some("0" | "1" | "2") => Semantics::Keras2,
            _ => super::keras3_release(version),
        };
        return Ok((name, semantics));
    }
    // Of the writers of numbered groups, only Keras 3 adds the layers' names.
    let all = models.first();
    let unnamed =
        all.is_some_and(|all| all.numbered && all.layers.iter().all(|l| l.name.is_empty()));
    let semantics = if unnamed {
        Semantics::Keras2
    } else {
        Semantics::Keras3
    };
    Ok((semantics.label().to_owned(), semantics))
}

/// The whole file as one model, then the models inside it, the largest first.
fn sorted(all: Vec<StoredLayer>, mut models: Vec<StoredModel>, numbered: bool) -> Vec<StoredModel> {
    models.sort_by_key(|model| std::cmp::Reverse(model.layers.len()));
    for model in &mut models {
        let inside = |layer: &StoredLayer| {
            let path = |l: &StoredLayer| l.weights.first().map(|w| w.path.clone());
            model.layers.iter().any(|own| path(own) == path(layer))
        };
        let outside = all.iter().filter(|layer| !inside(layer));
        let name = |l: &StoredLayer| {
            if l.name.is_empty() {
                l.key.clone()
            } else {
                l.name.clone()
            }
        };
        model.outside = outside.map(name).collect();
    }
    let all = StoredModel {
        layers: all,
        numbered,
        outside: Vec::new(),
    };
    std::iter::once(all).chain(models).collect()
}

fn shape(dataset: &hdf5_pure::Dataset) -> Option<Vec<usize>> {
    let shape = dataset.shape().ok()?;
    let axes = shape.iter().map(|&n| usize::try_from(n).ok());
    axes.collect()
}

/// Collects the layers below this group, whose subgroups are numbered by class, and the models
/// among them.
fn collect_numbered(
    group: &Group,
    path: &str,
    prefix: &str,
    depth: usize,
    layers: &mut Vec<StoredLayer>,
    models: &mut Vec<StoredModel>,
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
                Some(StoredWeight { short, path, shape })
            });
            let weights: Vec<StoredWeight> = weights.collect();
            if !weights.is_empty() {
                let name = H5::attributes(&vars)?
                    .text("name")
                    .unwrap_or_default()
                    .to_owned();
                let key = format!("{prefix}{key}");
                layers.push(StoredLayer { key, name, weights });
            }
        }
        let before = layers.len();
        let deeper = format!("{prefix}{key}/");
        collect_numbered(
            &inside,
            &format!("{place}/"),
            &deeper,
            depth + 1,
            layers,
            models,
        )?;
        if layers.len() > before {
            let own = layers[before..].iter().map(|layer| StoredLayer {
                key: layer.key[deeper.len()..].to_owned(),
                ..layer.clone()
            });
            models.push(StoredModel {
                layers: own.collect(),
                numbered: true,
                outside: Vec::new(),
            });
        }
    }
    Ok(())
}

/// The models of the layout in which groups are named after the layers.
fn named_models(h5: &H5) -> Result<Vec<StoredModel>, OpenError> {
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
        let mut own: Vec<StoredLayer> = Vec::new();
        for path in H5::attributes(&group)?.list("weight_names") {
            let (owner, short) = split_path(&path);
            let owner = owner.rsplit('/').next().unwrap_or_default();
            let Some(shape) = group.dataset(&path).ok().as_ref().and_then(shape) else {
                continue;
            };
            let weight = StoredWeight {
                short: short.to_owned(),
                path: format!("{before}{name}/{path}"),
                shape,
            };
            match own.iter_mut().find(|layer| layer.name == owner) {
                Some(layer) => layer.weights.push(weight),
                None => own.push(StoredLayer {
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
            _ => models.push(StoredModel {
                layers: own.clone(),
                ..StoredModel::default()
            }),
        }
        layers.extend(own);
    }
    Ok(sorted(layers, models, false))
}
