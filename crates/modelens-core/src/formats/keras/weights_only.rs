//! Files that hold weights and no configuration, as Keras publishes them and `save_weights` writes
//! them. The network is one of `keras.applications`: recognised by the names and shapes of its
//! layers with weights, or chosen by a person and checked against them.

use std::collections::HashMap;

use super::architectures::{self, Architecture, widen};
use super::by_number::snake_case;
use super::h5::H5;
use super::pairing::{Found, How, Wanted, difference, pair};
use super::specs::Need;
use super::{KerasFile, Loaded, WeightPath, assemble, found, planned};
use crate::formats::OpenError;
use crate::model::graph::Graph;
use crate::model::{Recognised, Semantics};

/// Sides of published networks, which stand in the names of their files.
const SIDES: [u64; 12] = [96, 128, 160, 192, 224, 240, 260, 299, 300, 331, 380, 384];

/// A network that the weights fit.
struct Fit {
    architecture: Architecture,
    found: Found,
    how: How,
    /// Layers that are wider or narrower than in the published network.
    widened: Vec<Widened>,
    layers: usize,
}

/// One layer of another width: channels in the published network and here.
struct Widened {
    published: usize,
    here: usize,
    /// The last layer of a network with its top: another number of classes.
    is_top: bool,
}

/// Reads a file of weights; `title` is its name, `chosen` what a person says it belongs to, as
/// `NAME` or `NAME:SIDE`.
///
/// # Errors
/// [`OpenError::WeightsAlone`] where they fit no network, or not the chosen one.
pub(super) fn open(h5: H5, title: &str, chosen: Option<&str>) -> Result<KerasFile, OpenError> {
    let places = found::places(&h5)?;
    if places.first().is_none_or(|all| all.layers.is_empty()) {
        let what = "it holds no model configuration and no layers with weights";
        return Err(OpenError::NotAModel(what.to_owned()));
    }
    let (name, side) = match chosen.map(|chosen| chosen.split_once(':').unwrap_or((chosen, ""))) {
        Some((name, side)) => (Some(name), side),
        None => (None, ""),
    };
    let (framework, semantics) = found::writer(&h5, &places)?;
    let mut fit = match name {
        Some(name) => chosen_one(name, &places)?,
        None => recognise(&places)?,
    };
    let asked = match side.parse::<u64>() {
        Ok(side) => Some(side),
        Err(_) if side.is_empty() => None,
        Err(_) => return Err(alone(format!("`{side}` is no size of photos"))),
    };
    let in_title = SIDES.into_iter().find(|side| {
        let side = side.to_string();
        title.split(['_', '.', '-']).any(|part| part == side)
    });
    // A flattened map of positions fits one size alone.
    let fixed = fit.architecture.top && fit.architecture.name.starts_with("VGG");
    let side = asked.or(in_title.filter(|_| !fixed));
    let published = fit.architecture.side();
    if let Some(side) = side {
        fit.architecture.resize(side).map_err(alone)?;
    }
    let pairs = fit.found.clone();
    let load = |h5: &mut H5, graph: &mut Graph, needs: &[Vec<Need>]| load(h5, graph, needs, &pairs);
    let mut opened = assemble(
        h5,
        &fit.architecture.config,
        framework,
        Semantics::Keras3,
        load,
    )
    .map_err(|error| match error {
        OpenError::WeightShape { .. } => alone(format!("{}: {error}", fit.architecture.name)),
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

fn alone(reason: String) -> OpenError {
    OpenError::WeightsAlone(reason)
}

/// The one network that fits: first as it is published, then with other widths or classes.
fn recognise(places: &[Found]) -> Result<Fit, OpenError> {
    let mut candidates = Vec::new();
    let mut nearest: Option<(f64, String)> = None;
    for name in architectures::names() {
        for architecture in architectures::both(name)? {
            let wanted = wanted(&architecture)?;
            for place in places {
                if let Some((how, order)) = pair(place, &wanted) {
                    if fits(place, &wanted, &order) {
                        return Ok(Fit::new(
                            architecture,
                            place.in_order(&order),
                            how,
                            Vec::new(),
                        ));
                    }
                    candidates.push((name, architecture.top, place, wanted.clone()));
                }
                let (matched, text) = difference(place, &wanted);
                let share = matched as f64 / wanted.len().max(1) as f64;
                if matched > 0 && nearest.as_ref().is_none_or(|(most, _)| share > *most) {
                    nearest = Some((share, described(&architecture, &text)));
                }
            }
        }
    }
    for (name, top, place, wanted) in candidates {
        for architecture in architectures::both(name)? {
            if architecture.top == top
                && let Some(fit) = widened(architecture, place, &wanted)
            {
                return Ok(fit);
            }
        }
    }
    let near = nearest.map_or_else(String::new, |(_, text)| format!(" The nearest is {text}."));
    Err(alone(format!(
        "they fit no network that is known here.{near} Known: {}",
        architectures::names().join(", ")
    )))
}

fn described(architecture: &Architecture, difference: &str) -> String {
    let top = if architecture.top { "with" } else { "without" };
    format!("{} {top} its top: {difference}", architecture.name)
}

/// The network that a person chose, if it fits.
fn chosen_one(name: &str, places: &[Found]) -> Result<Fit, OpenError> {
    let Some(known) = architectures::known(name) else {
        return Err(alone(format!(
            "`{name}` is no network that is known here. Known: {}",
            architectures::names().join(", ")
        )));
    };
    let mut nearest: Option<(usize, String)> = None;
    for architecture in architectures::both(known)? {
        let wanted = wanted(&architecture)?;
        for place in places {
            let (matched, text) = difference(place, &wanted);
            let text = described(&architecture, &text);
            if let Some((how, order)) = pair(place, &wanted) {
                if fits(place, &wanted, &order) {
                    return Ok(Fit::new(
                        architecture,
                        place.in_order(&order),
                        how,
                        Vec::new(),
                    ));
                }
                let [whole, base] = architectures::both(known)?;
                let copy = if architecture.top { whole } else { base };
                if let Some(fit) = widened(copy, place, &wanted) {
                    return Ok(fit);
                }
            }
            if nearest.as_ref().is_none_or(|(most, _)| matched > *most) {
                nearest = Some((matched, text));
            }
        }
    }
    let (_, text) = nearest.unwrap_or_default();
    Err(alone(format!("they are not those of {text}")))
}

/// The layers with weights of a network as it is published.
fn wanted(architecture: &Architecture) -> Result<Vec<Wanted>, OpenError> {
    let plan = planned(&architecture.config, Semantics::Keras3)?;
    Ok(wanted_of(&plan.graph, &plan.needs))
}

/// The layers with weights, with the names of their numbered groups.
fn wanted_of(graph: &Graph, needs: &[Vec<Need>]) -> Vec<Wanted> {
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
            all.push(Wanted {
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

/// Whether all weights have the shapes that are needed.
fn fits(place: &Found, wanted: &[Wanted], order: &[usize]) -> bool {
    let mut pairs = wanted.iter().zip(order);
    pairs.all(|(wanted, &i)| wanted.fits(&place.layers[i]))
}

/// The network as wide as the file's weights; `None` where they are another network's.
fn widened(mut architecture: Architecture, place: &Found, published: &[Wanted]) -> Option<Fit> {
    let (how, order) = pair(place, published)?;
    let mut widths = Vec::new();
    for (i, (layer, &n)) in published.iter().zip(&order).enumerate() {
        let file = &place.layers[n];
        let shapes: Vec<&[usize]> = file.weights.iter().map(|w| w.shape.as_slice()).collect();
        let settings = architecture.layer(&layer.name);
        settings.and_then(|s| widen(s, &shapes))?;
        let width = |shape: Option<&[usize]>| shape.and_then(|s| s.last().copied()).unwrap_or(0);
        let [before, here] = [
            width(layer.needs.first().map(|n| n.shape.as_slice())),
            width(shapes.first().copied()),
        ];
        if before != here && matches!(layer.class.as_str(), "Conv2D" | "Dense") {
            widths.push(Widened {
                published: before,
                here,
                is_top: architecture.top && i + 1 == published.len(),
            });
        }
    }
    architecture.open_shapes();
    if widths.iter().any(|w| !w.is_top) {
        architecture.rename();
    }
    // Shapes that cannot follow each other are another network's.
    let wanted = wanted(&architecture).ok()?;
    if !fits(place, &wanted, &order) {
        return None;
    }
    Some(Fit::new(architecture, place.in_order(&order), how, widths))
}

impl Fit {
    fn new(architecture: Architecture, found: Found, how: How, widened: Vec<Widened>) -> Self {
        Self {
            architecture,
            layers: found.layers.len(),
            found,
            how,
            widened,
        }
    }

    fn recognised(&self, chosen: bool) -> Recognised {
        // What `alpha` means: the last layers are as many times as wide.
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
        let by = match self.how {
            How::Names => format!("the names and all shapes of its {n} layers with weights"),
            How::Numbers => {
                format!("the kinds, the order and all shapes of its {n} layers with weights")
            }
            How::Order => format!(
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

    /// A sentence about weights that belong to no part of the network.
    fn left_out(&self) -> Option<String> {
        let first = self.found.outside.first()?;
        let n = self.found.outside.len();
        Some(format!(
            "the network is a part of the file; {n} layer{} outside of it left out, `{first}` first",
            if n == 1 { " is" } else { "s are" },
        ))
    }
}

/// Reads the weights of all layers; `found` has them in the order of the layers that need some.
fn load(
    h5: &mut H5,
    graph: &mut Graph,
    needs: &[Vec<Need>],
    found: &Found,
) -> Result<Loaded, OpenError> {
    let mut loaded = Loaded::default();
    for (wanted, file) in wanted_of(graph, needs).iter().zip(&found.layers) {
        let layer = &graph.layers[wanted.id];
        let mut weights = Vec::with_capacity(wanted.needs.len());
        for (i, need) in wanted.needs.iter().enumerate() {
            let path = wanted.weight(file, i).map(|w| w.path.clone());
            let path = path.ok_or_else(|| OpenError::WeightMissing {
                layer: layer.name.clone(),
                weight: need.name.to_owned(),
            })?;
            let dataset = h5.dataset(&path)?;
            weights.push(h5.weight(&dataset, &layer.name, need)?);
            loaded.paths.push(WeightPath {
                layer: wanted.id,
                weight: need.name,
                path,
            });
        }
        graph.layers[wanted.id].weights = weights;
    }
    Ok(loaded)
}
