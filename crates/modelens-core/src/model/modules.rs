//! `.train()` and `.eval()` of single modules, as in PyTorch.
//!
//! `model.train()` and `model.eval()` set the mode of every module, so whatever single modules were told
//! before is lost. A call on one module sets that module and everything inside it; of several calls the last
//! one wins. Keras has no such calls, and its rules ignore them.
//!
//! Source: `torch.nn.Module.train` (torch 2.15), measured in `tests/fixtures/modules`.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::head_cut::base_layers;
use super::{Graph, LayerId, LayerNameError, Mode, ModelDescription, Role};

/// The name of everything before the classifier head, unless the model has a module of this name.
pub const BASE: &str = "base";
/// The name of the whole model.
pub const MODEL: &str = "model";
/// The name of all BatchNorm layers, unless the model has a module of this name.
pub const BATCH_NORMS: &str = "batchnorm";
/// The name of all dropout layers, unless the model has a module of this name.
pub const DROPOUTS: &str = "dropout";

/// `.train()` or `.eval()` of one module, or of each module of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ModuleCall {
    /// A module's name in the file, `base`, `batchnorm`, `dropout` or `model`.
    pub name: String,
    pub mode: Mode,
    /// The layers that it sets.
    layers: Vec<LayerId>,
    /// True if it sets each module of a kind, and no container.
    of_kind: bool,
}

/// A text that is no call of a module of the model.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ModuleCallError {
    #[error("`{0}` does not end in .train or .eval")]
    NoCall(String),
    #[error(
        "the model has no module `{0}`; `base`, `batchnorm`, `dropout` and `model` are always there"
    )]
    Unknown(String),
    #[error("`{0}` is a function, not a module: it has the mode of the module that calls it")]
    Function(String),
    #[error("{0}")]
    Ambiguous(LayerNameError),
}

impl ModuleCall {
    /// The call of the module with this name: a layer, a container, or one of the words that always work.
    ///
    /// # Errors
    /// The model has no such module, or several.
    pub fn new(model: &ModelDescription, name: &str, mode: Mode) -> Result<Self, ModuleCallError> {
        let graph = &model.graph;
        let of_role = |role: Role| -> Vec<LayerId> {
            let layers = graph.layers.iter().enumerate();
            let layers = layers.filter(|(_, l)| l.kind.role() == role && is_module(&l.class));
            layers.map(|(id, _)| id).collect()
        };
        let inside = |id: LayerId| -> Vec<LayerId> {
            let mut layers: Vec<LayerId> = graph.subtree(id).collect();
            layers.extend(
                dotted(graph, &graph.layers[id].name)
                    .filter(|l| !graph.subtree(id).any(|s| s == *l)),
            );
            layers
        };
        let (layers, of_kind) = match graph.find(name) {
            Ok(id) if is_module(&graph.layers[id].class) => (inside(id), false),
            Err(error @ LayerNameError::Ambiguous { .. }) => {
                return Err(ModuleCallError::Ambiguous(error));
            }
            Ok(_) | Err(LayerNameError::Unknown(_)) => {
                let container: Vec<LayerId> = dotted(graph, name).collect();
                match name {
                    _ if !container.is_empty() => (container, false),
                    BASE => (base_layers(model), false),
                    MODEL => ((0..graph.layers.len()).collect(), false),
                    BATCH_NORMS => (of_role(Role::BatchNorm), true),
                    DROPOUTS => (of_role(Role::Noise), true),
                    _ if graph.find(name).is_ok() => {
                        return Err(ModuleCallError::Function(name.to_owned()));
                    }
                    _ => return Err(ModuleCallError::Unknown(name.to_owned())),
                }
            }
        };
        Ok(Self {
            name: name.to_owned(),
            mode,
            layers,
            of_kind,
        })
    }

    /// Parses `NAME.train` or `NAME.eval`, with or without the parentheses of a call.
    ///
    /// # Errors
    /// See [`ModuleCallError`].
    pub fn parse(model: &ModelDescription, text: &str) -> Result<Self, ModuleCallError> {
        let bare = text.trim().trim_end_matches("()");
        let call = match bare.rsplit_once('.') {
            Some((name, "train")) => (name, Mode::Training),
            Some((name, "eval")) => (name, Mode::Inference),
            _ => return Err(ModuleCallError::NoCall(text.trim().to_owned())),
        };
        Self::new(model, call.0, call.1)
    }

    /// True if the call sets this layer.
    pub fn sets(&self, layer: LayerId) -> bool {
        self.layers.contains(&layer)
    }

    /// True if everything that `earlier` sets is set by this call too.
    fn covers(&self, earlier: &Self) -> bool {
        let all = earlier.layers.iter().all(|&layer| self.sets(layer));
        all && (earlier.of_kind || !self.of_kind)
    }
}

impl fmt::Display for ModuleCall {
    /// `NAME.train` or `NAME.eval`, as [`ModuleCall::parse`] reads it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.name, method(self.mode))
    }
}

/// The method that sets this mode.
pub fn method(mode: Mode) -> &'static str {
    match mode {
        Mode::Training => "train",
        Mode::Inference => "eval",
    }
}

/// What single modules were told after the outermost `model.train()` or `model.eval()`, the earliest first.
/// Calls that a later one undoes completely are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ModuleCalls(Vec<ModuleCall>);

impl ModuleCalls {
    /// Parses calls separated by commas; an empty text has none.
    ///
    /// # Errors
    /// See [`ModuleCallError`].
    pub fn parse(model: &ModelDescription, text: &str) -> Result<Self, ModuleCallError> {
        let mut calls = Self::default();
        for part in text.split(',').filter(|part| !part.trim().is_empty()) {
            calls.push(ModuleCall::parse(model, part)?);
        }
        Ok(calls)
    }

    /// Makes one more call.
    pub fn push(&mut self, call: ModuleCall) {
        self.0.retain(|earlier| !call.covers(earlier));
        self.0.push(call);
    }

    /// Makes more calls.
    pub fn extend(&mut self, calls: impl IntoIterator<Item = ModuleCall>) {
        for call in calls {
            self.push(call);
        }
    }

    /// Removes the calls that change nothing after an outermost call with this mode, the latest first.
    pub fn simplify(&mut self, graph: &Graph, outer: Mode) {
        for place in (0..self.0.len()).rev() {
            let mut without = self.clone();
            without.0.remove(place);
            let same = (0..graph.layers.len())
                .all(|id| without.of(id).unwrap_or(outer) == self.of(id).unwrap_or(outer));
            if same {
                *self = without;
            }
        }
    }

    /// Forgets all calls, as `model.train()` does.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The calls, the earliest first.
    pub fn iter(&self) -> impl Iterator<Item = &ModuleCall> {
        self.0.iter()
    }

    /// The mode that the last call on it, or on a module around it, gave this layer; `None` if it has the
    /// outermost call's.
    pub fn of(&self, layer: LayerId) -> Option<Mode> {
        self.last(layer).map(|place| self.0[place].mode)
    }

    /// For each of the model's layers the place of the last call that sets it.
    pub fn last_calls(&self, layers: usize) -> Vec<Option<usize>> {
        let mut last = vec![None; layers];
        for (place, call) in self.0.iter().enumerate() {
            for &layer in &call.layers {
                if let Some(of) = last.get_mut(layer) {
                    *of = Some(place);
                }
            }
        }
        last
    }

    /// The place of the last call that sets this layer.
    pub fn last(&self, layer: LayerId) -> Option<usize> {
        self.0.iter().rposition(|call| call.sets(layer))
    }

    /// The mode that the last call on it, or on a module around it, gave a container.
    pub fn of_container(&self, container: &Container) -> Option<Mode> {
        let layers = &container.layers;
        let sets = |call: &&ModuleCall| !call.of_kind && layers.iter().all(|&l| call.sets(l));
        self.0.iter().rfind(sets).map(|call| call.mode)
    }

    /// The call at this place.
    pub fn get(&self, place: usize) -> Option<&ModuleCall> {
        self.0.get(place)
    }
}

impl fmt::Display for ModuleCalls {
    /// The calls with commas between, as [`ModuleCalls::parse`] reads them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, call) in self.0.iter().enumerate() {
            let comma = if i > 0 { "," } else { "" };
            write!(f, "{comma}{call}")?;
        }
        Ok(())
    }
}

/// False for the class of a layer that was a function call in the code, such as `dropout` for `F.dropout`: a
/// function has no mode of its own. Classes begin with a capital letter, functions do not.
pub fn is_module(class: &str) -> bool {
    class.starts_with(|first: char| !first.is_lowercase())
}

/// A module that only holds others, such as `layer1` of `layer1.0.conv1`. It is not a layer of the graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    /// Its name with those of the modules around it, separated by dots.
    pub path: String,
    /// What it holds, in the order of the graph.
    pub layers: Vec<LayerId>,
}

impl Container {
    /// The containers of a network whose layers have dotted names, each before what it holds.
    pub fn all(graph: &Graph) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        for (id, layer) in graph.layers.iter().enumerate() {
            if !is_module_path(&layer.name) {
                continue;
            }
            let dots = layer.name.match_indices('.').map(|(at, _)| at);
            for path in dots.map(|at| &layer.name[..at]) {
                match all.iter_mut().find(|known| known.path == path) {
                    Some(known) => known.layers.push(id),
                    None if graph.layers.iter().any(|l| l.name == path) => {}
                    None => all.push(Self {
                        path: path.to_owned(),
                        layers: vec![id],
                    }),
                }
            }
        }
        all
    }
}

/// Whether a name with dots is a path of modules, as `layer1.0.conv1` is: its parts are Python identifiers or
/// numbers. Keras' `mobilenetv2_1.00_160` is one name.
fn is_module_path(name: &str) -> bool {
    let is_number = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let is_identifier = |part: &str| !part.starts_with(|first: char| first.is_ascii_digit());
    let mut parts = name.split('.');
    parts.all(|part| !part.is_empty() && (is_number(part) || is_identifier(part)))
}

/// The layers whose names begin with `path.`: what a container of a state dict holds.
pub fn dotted<'a>(graph: &'a Graph, path: &'a str) -> impl Iterator<Item = LayerId> + 'a {
    let layers = graph.layers.iter().enumerate();
    let inside = layers.filter(move |(_, layer)| {
        if !is_module_path(&layer.name) {
            return false;
        }
        let rest = layer.name.strip_prefix(path);
        rest.is_some_and(|rest| rest.starts_with('.'))
    });
    inside.map(|(id, _)| id)
}

#[cfg(test)]
#[path = "modules_tests.rs"]
mod tests;
