//! Files with weights and no configuration, as Keras publishes them and `save_weights` writes them.
//!
//! The network must be one of `keras.applications`. It is recognised by the names and shapes of its
//! layers with weights, or named by a person and then checked against the weights.

use std::collections::HashMap;

use super::architectures::{self, Architecture, widen};
use super::h5::H5;
use super::load_numbered::snake_case;
use super::pairing::{ExpectedLayer, PairedBy, difference, pair};
use super::specs::ExpectedWeight;
use super::stored::{self, StoredModel};
use super::{KerasFile, LoadedWeights, WeightPath, assemble, planned};
use crate::formats::OpenError;
use crate::model::graph::Graph;
use crate::model::{Recognised, Semantics};

/// Photo sizes of published networks, as their file names contain them.
const SIDES: [u64; 12] = [96, 128, 160, 192, 224, 240, 260, 299, 300, 331, 380, 384];

/// A network that the weights fit.
struct Fit {
    architecture: Architecture,
    /// The file's layers in the order of the network's.
    stored: StoredModel,
    paired_by: PairedBy,
    /// Layers that are wider or narrower than in the published network.
    widened: Vec<Widened>,
    layers: usize,
}

/// The channels of one layer whose width differs from the published network's.
struct Widened {
    published: usize,
    here: usize,
    /// The last layer of a network with its top, where width is the number of classes.
    is_top: bool,
}

/// Reads a file of weights. `title` is its name; `chosen` is the network that a person says it
/// belongs to, as `NAME` or `NAME:SIDE`.
///
/// # Errors
/// [`OpenError::WeightsAlone`] if the weights fit no network, or not the chosen one.
pub(super) fn open(mut h5: H5, title: &str, chosen: Option<&str>) -> Result<KerasFile, OpenError> {
    let models = stored::models(&h5)?;
    if models.first().is_none_or(|all| all.layers.is_empty()) {
        let what = "it holds no model configuration and no layers with weights";
        return Err(OpenError::NotAModel(what.to_owned()));
    }
    let (name, side) = match chosen.map(|chosen| chosen.split_once(':').unwrap_or((chosen, ""))) {
        Some((name, side)) => (Some(name), side),
        None => (None, ""),
    };
    let (framework, semantics) = stored::writer(&h5, &models)?;
    let mut fit = match name {
        Some(name) => check_chosen(name, &models)?,
        None => recognise(&models)?,
    };
    let asked = match side.parse::<u64>() {
        Ok(side) => Some(side),
        Err(_) if side.is_empty() => None,
        Err(_) => return Err(weights_alone(format!("`{side}` is no size of photos"))),
    };
    let in_title = SIDES.into_iter().find(|side| {
        let side = side.to_string();
        title.split(['_', '.', '-']).any(|part| part == side)
    });
    // VGG with its top flattens the image: its dense weights fit one size only.
    let fixed = fit.architecture.top && fit.architecture.name.starts_with("VGG");
    let side = asked.or(in_title.filter(|_| !fixed));
    let published = fit.architecture.side();
    if let Some(side) = side {
        fit.architecture.resize(side).map_err(weights_alone)?;
    }
    let pairs = fit.stored.clone();
    let load = |h5: &mut H5, graph: &mut Graph, needs: &[Vec<ExpectedWeight>]| {
        load(h5, graph, needs, &pairs)
    };
    let mut opened = assemble(
        &mut h5,
        &fit.architecture.config,
        framework,
        Semantics::Keras3,
        None,
        load,
    )
    .map_err(|error| match error {
        OpenError::WeightShape { .. } => {
            weights_alone(format!("{}: {error}", fit.architecture.name))
        }
        other => other,
    })?;
    opened.semantics = semantics;
    opened.recognised = Some(fit.recognised(name.is_some()));
    opened.warnings.extend(fit.left_out());
    if let (None, Some(side)) = (side, published) {
        opened.warnings.push(format!(
            "the file does not say how large its photos were; {side} x {side} is the size of the \
             published network"
        ));
    }
    Ok(opened)
}

fn weights_alone(reason: String) -> OpenError {
    OpenError::WeightsAlone(reason)
}

/// The first network that fits: as it is published, else with other widths or classes.
fn recognise(models: &[StoredModel]) -> Result<Fit, OpenError> {
    let mut candidates = Vec::new();
    let mut nearest: Option<(f64, String)> = None;
    for name in architectures::names() {
        for architecture in architectures::both(name)? {
            let layers = expected(&architecture)?;
            for stored in models {
                if let Some((paired_by, order)) = pair(stored, &layers) {
                    if fits(stored, &layers, &order) {
                        return Ok(Fit::new(
                            architecture,
                            stored.in_order(&order),
                            paired_by,
                            Vec::new(),
                        ));
                    }
                    candidates.push((name, architecture.top, stored, layers.clone()));
                }
                let (matched, text) = difference(stored, &layers);
                let share = matched as f64 / layers.len().max(1) as f64;
                if matched > 0 && nearest.as_ref().is_none_or(|(most, _)| share > *most) {
                    nearest = Some((share, described(&architecture, &text)));
                }
            }
        }
    }
    for (name, top, stored, layers) in candidates {
        for architecture in architectures::both(name)? {
            if architecture.top == top
                && let Some(fit) = widened(architecture, stored, &layers)
            {
                return Ok(fit);
            }
        }
    }
    let near = nearest.map_or_else(String::new, |(_, text)| format!(" (the nearest is {text})"));
    Err(weights_alone(format!(
        "they fit no network of keras.applications{near}. Put the model's configuration in its folder \
         (open('model.json', 'w').write(model.to_json())), or save the model with model.save('model.keras')"
    )))
}

fn described(architecture: &Architecture, difference: &str) -> String {
    let top = if architecture.top { "with" } else { "without" };
    format!("{} {top} its top: {difference}", architecture.name)
}

/// The network that a person chose, if the weights fit it.
fn check_chosen(name: &str, models: &[StoredModel]) -> Result<Fit, OpenError> {
    let Some(known) = architectures::known(name) else {
        return Err(weights_alone(format!(
            "`{name}` is no network that is known here; docs/architectures.md lists those that are"
        )));
    };
    let mut nearest: Option<(usize, String)> = None;
    for architecture in architectures::both(known)? {
        let layers = expected(&architecture)?;
        for stored in models {
            let (matched, text) = difference(stored, &layers);
            let text = described(&architecture, &text);
            if let Some((paired_by, order)) = pair(stored, &layers) {
                if fits(stored, &layers, &order) {
                    return Ok(Fit::new(
                        architecture,
                        stored.in_order(&order),
                        paired_by,
                        Vec::new(),
                    ));
                }
                let [whole, base] = architectures::both(known)?;
                let copy = if architecture.top { whole } else { base };
                if let Some(fit) = widened(copy, stored, &layers) {
                    return Ok(fit);
                }
            }
            if nearest.as_ref().is_none_or(|(most, _)| matched > *most) {
                nearest = Some((matched, text));
            }
        }
    }
    let (_, text) = nearest.unwrap_or_default();
    Err(weights_alone(format!("they are not those of {text}")))
}

/// The layers with weights of a network as it is published.
fn expected(architecture: &Architecture) -> Result<Vec<ExpectedLayer>, OpenError> {
    let plan = planned(&architecture.config, Semantics::Keras3, None)?;
    Ok(expected_layers(&plan.graph, &plan.needs))
}

/// The layers with weights, with the keys that their groups have in the numbered layout.
fn expected_layers(graph: &Graph, needs: &[Vec<ExpectedWeight>]) -> Vec<ExpectedLayer> {
    let mut counters: HashMap<(Option<usize>, String), usize> = HashMap::new();
    let mut keys: Vec<String> = Vec::with_capacity(graph.layers.len());
    let mut all = Vec::new();
    for (id, layer) in graph.layers.iter().enumerate() {
        if !layer.listed {
            keys.push(String::new());
            continue;
        }
        let stem = snake_case(&layer.class);
        let count = counters.entry((layer.parent, stem.clone())).or_default();
        let own = match *count {
            0 => stem,
            n => format!("{stem}_{n}"),
        };
        *count += 1;
        keys.push(match layer.parent {
            Some(parent) => format!("{}/{own}", keys[parent]),
            None => own,
        });
        if !needs[id].is_empty() {
            all.push(ExpectedLayer {
                id,
                name: layer.name.clone(),
                class: layer.class.clone(),
                key: keys[id].clone(),
                needs: needs[id].clone(),
            });
        }
    }
    all
}

/// True if all weights have the shapes that are needed.
fn fits(stored: &StoredModel, expected: &[ExpectedLayer], order: &[usize]) -> bool {
    let mut pairs = expected.iter().zip(order);
    pairs.all(|(expected, &i)| expected.fits(&stored.layers[i]))
}

/// The network with the widths of the file's weights; `None` if they belong to another network.
fn widened(
    mut architecture: Architecture,
    stored: &StoredModel,
    published: &[ExpectedLayer],
) -> Option<Fit> {
    let (paired_by, order) = pair(stored, published)?;
    let mut widths = Vec::new();
    for (i, (layer, &n)) in published.iter().zip(&order).enumerate() {
        let file = &stored.layers[n];
        let shapes: Vec<&[usize]> = file.weights.iter().map(|w| w.shape.as_slice()).collect();
        let settings = architecture.layer(&layer.name);
        settings.and_then(|s| widen(s, &shapes))?;
        let width = |shape: Option<&[usize]>| shape.and_then(|s| s.last().copied()).unwrap_or(0);
        let [published_width, here] = [
            width(layer.needs.first().map(|n| n.shape.as_slice())),
            width(shapes.first().copied()),
        ];
        if published_width != here && matches!(layer.class.as_str(), "Conv2D" | "Dense") {
            widths.push(Widened {
                published: published_width,
                here,
                is_top: architecture.top && i + 1 == published.len(),
            });
        }
    }
    architecture.open_shapes();
    if widths.iter().any(|w| !w.is_top) {
        architecture.rename();
    }
    // If the layers cannot be connected with these widths, the weights are another network's.
    let layers = expected(&architecture).ok()?;
    if !fits(stored, &layers, &order) {
        return None;
    }
    Some(Fit::new(
        architecture,
        stored.in_order(&order),
        paired_by,
        widths,
    ))
}

impl Fit {
    fn new(
        architecture: Architecture,
        stored: StoredModel,
        paired_by: PairedBy,
        widened: Vec<Widened>,
    ) -> Self {
        Self {
            architecture,
            layers: stored.layers.len(),
            stored,
            paired_by,
            widened,
        }
    }

    fn recognised(&self, chosen: bool) -> Recognised {
        // Keras' `alpha`: how many times as wide the last layers are.
        let wide = self.widened.iter().rfind(|w| !w.is_top);
        let wide = wide.map_or_else(String::new, |w| {
            let ratio = w.here as f64 / w.published.max(1) as f64;
            format!(", {} times as wide", (ratio * 100.0).round() / 100.0)
        });
        let top = if self.architecture.top {
            "with"
        } else {
            "without"
        };
        let classes = self.widened.iter().find(|w| w.is_top);
        let classes = classes.map_or_else(String::new, |w| format!(" of {} classes", w.here));
        let what = format!("{}{wide}, {top} its top{classes}", self.architecture.name);
        let n = self.layers;
        let by = match self.paired_by {
            PairedBy::Names => format!("the names and all shapes of its {n} layers with weights"),
            PairedBy::Numbers => {
                format!("the kinds, the order and all shapes of its {n} layers with weights")
            }
            PairedBy::Order => format!(
                "the order and all shapes of its {n} layers with weights, whose names differ"
            ),
        };
        let how = if chosen {
            format!("chosen; checked against {by}")
        } else {
            format!("by {by}")
        };
        Recognised { what, how }
    }

    /// A sentence about layers of the file that the network does not have.
    fn left_out(&self) -> Option<String> {
        let first = self.stored.outside.first()?;
        let n = self.stored.outside.len();
        Some(format!(
            "the network is a part of the file; {n} layer{} outside of it left out, `{first}` first",
            if n == 1 { " is" } else { "s are" },
        ))
    }
}

/// Reads the weights of all layers; `stored` lists them in the order of the layers that need some.
fn load(
    h5: &mut H5,
    graph: &mut Graph,
    needs: &[Vec<ExpectedWeight>],
    stored: &StoredModel,
) -> Result<LoadedWeights, OpenError> {
    let mut loaded = LoadedWeights::default();
    for (expected, file) in expected_layers(graph, needs).iter().zip(&stored.layers) {
        let layer = &graph.layers[expected.id];
        let mut weights = Vec::with_capacity(expected.needs.len());
        for (i, need) in expected.needs.iter().enumerate() {
            let path = expected.weight(file, i).map(|w| w.path.clone());
            let path = path.ok_or_else(|| OpenError::WeightMissing {
                layer: layer.name.clone(),
                weight: need.name.to_owned(),
            })?;
            let dataset = h5.dataset(&path)?;
            weights.push(h5.weight(&dataset, &layer.name, need)?);
            loaded.paths.push(WeightPath {
                layer: expected.id,
                weight: need.name,
                path,
            });
        }
        let layer = &mut graph.layers[expected.id];
        for weight in weights {
            weight.add_to(layer, expected.id, &mut loaded.weights);
        }
    }
    Ok(loaded)
}
