//! Parses the configuration: nested models, and layers with their settings and calls.

use std::collections::HashMap;

use serde_json::Value;

use super::calls::{self, Call, CallArg, TensorRef};
use super::functions::cast_to;
use super::input_shape::InputImages;
use super::object::{LayerObject, Policy, policy};
use super::penalties::LayerPenalties;
use super::specs::WeightSpec;
use super::{classes, input_shape, operators};
use crate::formats::OpenError;
use crate::model::graph::{Layer, LayerKind};
use crate::model::layers::Squeeze;
use crate::model::{LayerId, RecordedArgument, Semantics};

/// Maximum depth of nested models.
const MAX_DEPTH: usize = 64;
/// Maximum number of layers in one file.
const MAX_LAYERS: usize = 20_000;

/// One model: its layers in file order, its input and its output.
pub(super) struct ModelConfig<'a> {
    pub name: &'a str,
    pub entries: Vec<LayerEntry<'a>>,
    pub by_name: HashMap<&'a str, usize>,
    /// The entry of the InputLayer; a nested `Sequential` may have none.
    pub input: Option<usize>,
    /// The one that is shown comes last. Without any: a `Sequential` without layers, which returns its
    /// input.
    pub outputs: Vec<TensorRef<'a>>,
    pub sequential: bool,
}

/// One layer of a model.
pub(super) struct LayerEntry<'a> {
    pub layer: LayerId,
    pub name: &'a str,
    pub calls: Vec<Call<'a>>,
    pub nested: Option<ModelConfig<'a>>,
}

/// All layers, and the tree of models that call them.
pub(super) struct ParsedModel<'a> {
    pub layers: Vec<Layer>,
    /// By layer.
    pub specs: Vec<WeightSpec>,
    pub root: ModelConfig<'a>,
    pub root_trainable: bool,
    /// `[height, width, channels]` of the outermost input.
    pub input_hwc: [Option<usize>; 3],
    /// Layers without a name in the file that the outermost input goes through first.
    pub after_input: Vec<LayerId>,
    /// The names of the model's outputs, if it has several: the one that is shown comes first.
    pub outputs: Vec<String>,
    /// By layer.
    pub policies: Vec<Policy>,
    /// By layer.
    pub penalties: Vec<LayerPenalties>,
    /// Sentences about what is odd in the configuration.
    pub warnings: Vec<String>,
}

/// Reads the outermost model's configuration. Of several outputs, `output` names the one that is shown;
/// without it the first is.
pub(super) fn parse<'a>(
    config: &'a Value,
    semantics: Semantics,
    output: Option<&str>,
) -> Result<ParsedModel<'a>, OpenError> {
    let object = LayerObject::of(config)?;
    if !object.is_model() {
        return Err(object.unsupported(""));
    }
    let mut parser = Parser {
        layers: Vec::new(),
        specs: Vec::new(),
        semantics,
        policies: Vec::new(),
        penalties: Vec::new(),
        warnings: Vec::new(),
    };
    let root_trainable = object.flag().unwrap_or(true);
    let mut root = parser.container(object, None, root_trainable, 0)?;
    let InputImages {
        hwc: input_hwc,
        without_channels,
    } = input_shape::of_model(config, root.name)?;
    let outputs = root.choose_output(object, output)?;
    let mut after_input = Vec::new();
    if without_channels {
        let kind = LayerKind::Squeeze(Squeeze { axis: -1 });
        after_input.push(parser.unlisted(kind, "Squeeze", root.name)?);
    }
    if let Some(kind) = input_dtype(object).and_then(cast_to)
        && kind != LayerKind::Identity
    {
        after_input.push(parser.unlisted(kind, "Cast", root.name)?);
    }
    if semantics.is_keras3() {
        parser.refreeze(root_trainable);
    }
    let Parser {
        layers,
        specs,
        policies,
        penalties,
        warnings,
        ..
    } = parser;
    Ok(ParsedModel {
        layers,
        specs,
        root,
        root_trainable,
        input_hwc,
        after_input,
        outputs,
        policies,
        penalties,
        warnings,
    })
}

fn broken(reason: String) -> OpenError {
    OpenError::Broken(reason)
}

/// The number type of the outermost input, where the file writes it: `uint8`.
fn input_dtype(model: LayerObject<'_>) -> Option<&str> {
    let children = model.children().ok()?;
    let mut inputs = children.into_iter().filter(|c| c.class == "InputLayer");
    inputs.next()?.config.get("dtype")?.as_str()
}

struct Parser {
    layers: Vec<Layer>,
    specs: Vec<WeightSpec>,
    semantics: Semantics,
    policies: Vec<Policy>,
    penalties: Vec<LayerPenalties>,
    warnings: Vec<String>,
}

impl Parser {
    fn container<'a>(
        &mut self,
        object: LayerObject<'a>,
        id: Option<LayerId>,
        trainable: bool,
        depth: usize,
    ) -> Result<ModelConfig<'a>, OpenError> {
        if depth >= MAX_DEPTH {
            return Err(OpenError::TooLarge(format!(
                "models are nested more than {MAX_DEPTH} deep"
            )));
        }
        let children = object.children()?;
        let sequential = object.class == "Sequential";
        let mut container = ModelConfig {
            name: object.name,
            entries: Vec::new(),
            by_name: HashMap::new(),
            input: None,
            outputs: Vec::new(),
            sequential,
        };
        let starts_with_input = children.first().is_some_and(|c| c.class == "InputLayer");
        if sequential && id.is_none() && !starts_with_input {
            let layer = self.add(LayerKind::Input, WeightSpec::None)?;
            self.layers[layer].name = format!("{}_input", object.name);
            "InputLayer".clone_into(&mut self.layers[layer].class);
            self.layers[layer].listed = false;
            container.input = Some(0);
            // No layer can have this name, so nothing refers to it by accident.
            container.push(LayerEntry {
                layer,
                name: "",
                calls: Vec::new(),
                nested: None,
            })?;
        }
        for (i, child) in children.iter().enumerate() {
            let unwritten = unwritten_flag(*child, &children[i + 1..], trainable);
            let mut entry = self.entry(*child, id, &container, unwritten, depth)?;
            if sequential {
                entry.calls = container.next_in_sequence(&entry, &self.layers);
            }
            container.push(entry)?;
        }
        container.find_ends(object, &self.layers)?;
        Ok(container)
    }

    fn add(&mut self, kind: LayerKind, spec: WeightSpec) -> Result<LayerId, OpenError> {
        if self.layers.len() >= MAX_LAYERS {
            return Err(OpenError::TooLarge(format!(
                "it has more than {MAX_LAYERS} layers"
            )));
        }
        self.layers.push(Layer::new("", "", kind));
        self.specs.push(spec);
        self.policies.push(Policy::default());
        self.penalties.push(LayerPenalties::default());
        Ok(self.layers.len() - 1)
    }

    /// A layer that the framework does not have, but whose work it does.
    fn unlisted(
        &mut self,
        kind: LayerKind,
        class: &str,
        model: &str,
    ) -> Result<LayerId, OpenError> {
        let layer = self.add(kind, WeightSpec::None)?;
        let slot = &mut self.layers[layer];
        slot.name = format!("{model}_input_{}", class.to_ascii_lowercase());
        class.clone_into(&mut slot.class);
        slot.listed = false;
        Ok(layer)
    }

    fn entry<'a>(
        &mut self,
        object: LayerObject<'a>,
        parent: Option<LayerId>,
        around: &ModelConfig<'a>,
        unwritten: bool,
        depth: usize,
    ) -> Result<LayerEntry<'a>, OpenError> {
        let calls = object.calls();
        // A model is listed before its children.
        let layer = self.add(LayerKind::Model, WeightSpec::None)?;
        let operator = self.semantics.is_keras3() && object.is_operator();
        let trainable = object.flag().unwrap_or(unwritten);
        let mut nested = None;
        if object.is_model() {
            nested = Some(self.container(object, Some(layer), trainable, depth + 1)?);
        } else {
            // Messages do not name the outermost model.
            let place = if parent.is_some() { around.name } else { "" };
            let (kind, spec) = self.leaf(
                object,
                layer,
                operator,
                calls.as_ref().ok().and_then(|c| c.first()),
                place,
            )?;
            self.layers[layer].kind = kind;
            self.specs[layer] = spec;
        }
        // The class comes first: an unknown class explains odd calls better than the calls do.
        let mut calls = calls?;
        if calls
            .windows(2)
            .any(|pair| pair[0].others != pair[1].others)
        {
            return Err(object.refuse("it is called with several sets of arguments".to_owned()));
        }
        for call in &mut calls {
            if object.class == "TFOpLambda" {
                operators::check_keras2(object.settings()?, call)?;
            }
            call.training = if self.layers[layer].kind == LayerKind::Unknown {
                // Nothing depends on it.
                RecordedArgument::Absent
            } else {
                call.training.written_by(object.class, self.semantics)
            };
        }
        self.take_channels(object, layer, &mut calls)?;
        let slot = &mut self.layers[layer];
        object.name.clone_into(&mut slot.name);
        object.class.clone_into(&mut slot.class);
        slot.parent = parent;
        let hidden_input = around.sequential && object.class == "InputLayer";
        slot.listed = !operator && !hidden_input;
        slot.trainable = trainable;
        slot.recorded = calls.first().map(|c| c.training).unwrap_or_default();
        Ok(LayerEntry {
            layer,
            name: object.name,
            calls,
            nested,
        })
    }

    /// Makes a layer with constants out of an operator that takes one number for each channel.
    fn take_channels(
        &mut self,
        object: LayerObject,
        layer: LayerId,
        calls: &mut [Call],
    ) -> Result<(), OpenError> {
        let is_constant = |arg: &CallArg| matches!(arg, CallArg::Channels(_));
        if !calls.iter().flat_map(|call| &call.args).any(is_constant) {
            return Ok(());
        }
        let settings = object.settings()?;
        let kind = self.layers[layer].kind.clone();
        let mut made = None;
        for call in calls.iter() {
            let next = operators::with_channels(settings, &kind, call)?;
            if made.as_ref().is_some_and(|made| *made != next) {
                return Err(object.refuse("it is called with several sets of constants".to_owned()));
            }
            made = Some(next);
        }
        if let Some(Some(kind)) = made {
            self.layers[layer].kind = kind;
        }
        for call in calls {
            call.args.retain(|arg| !is_constant(arg));
        }
        Ok(())
    }

    fn leaf(
        &mut self,
        object: LayerObject,
        layer: LayerId,
        operator: bool,
        call: Option<&Call>,
        place: &str,
    ) -> Result<(LayerKind, WeightSpec), OpenError> {
        let settings = object.settings()?;
        let unknown = || {
            if classes::is_training_only(object.class, object.config) {
                Ok((LayerKind::Unknown, WeightSpec::None))
            } else {
                Err(object.unsupported(place))
            }
        };
        if object.is_custom() {
            return unknown();
        }
        if operator {
            let kind = operators::keras3(object.class, settings, call)?;
            let kind = kind.ok_or_else(|| object.unsupported(place))?;
            return Ok((kind, WeightSpec::None));
        }
        if object.class == "TFOpLambda" {
            return Ok((operators::keras2(settings, call)?, WeightSpec::None));
        }
        if object.class == "SlicingOpLambda" {
            return Ok((operators::get_item(settings, call)?, WeightSpec::None));
        }
        self.policies[layer] = policy(settings)?;
        self.penalties[layer] = LayerPenalties::read(object.class, settings)?;
        match classes::read(object.class, settings, self.semantics)? {
            Some(read) => Ok(read),
            None => unknown(),
        }
    }

    /// Keras 3 restores a model's flag after its layers', and a frozen model freezes all of them.
    fn refreeze(&mut self, root_trainable: bool) {
        for id in 0..self.layers.len() {
            let above = match self.layers[id].parent {
                Some(parent) => self.layers[parent].trainable,
                None => root_trainable,
            };
            // Only `False` spreads: the flag is `True` by default, so setting it again changes nothing.
            self.layers[id].trainable &= above;
        }
    }
}

impl<'a> ModelConfig<'a> {
    fn push(&mut self, entry: LayerEntry<'a>) -> Result<(), OpenError> {
        if self
            .by_name
            .insert(entry.name, self.entries.len())
            .is_some()
        {
            return Err(broken(format!(
                "two layers of {} are called `{}`",
                self.name, entry.name
            )));
        }
        self.entries.push(entry);
        Ok(())
    }

    /// The calls that a `Sequential` leaves implicit: each layer on the one before.
    fn next_in_sequence(&self, entry: &LayerEntry, layers: &[Layer]) -> Vec<Call<'a>> {
        let is_input = layers[entry.layer].kind == LayerKind::Input;
        let arg = match self.entries.last() {
            Some(previous) => CallArg::Tensor(TensorRef {
                layer: previous.name,
                call: 0,
            }),
            None if is_input => return Vec::new(),
            None => CallArg::Outer,
        };
        vec![Call {
            args: vec![arg],
            ..Call::default()
        }]
    }

    /// Finds the input and the outputs; several inputs are refused.
    fn find_ends(&mut self, object: LayerObject<'a>, layers: &[Layer]) -> Result<(), OpenError> {
        let is_input = |e: &LayerEntry| layers[e.layer].kind == LayerKind::Input;
        if self.sequential {
            if self.entries.first().is_some_and(is_input) {
                self.input = Some(0);
            }
            let last = self.entries.last().map(|e| TensorRef {
                layer: e.name,
                call: 0,
            });
            self.outputs = last.into_iter().collect();
            return Ok(());
        }
        let ends = |key: &str, what: &str| {
            let ends = object.config.get(key).and_then(calls::endpoints);
            let ends = ends.filter(|ends| !ends.is_empty());
            ends.ok_or_else(|| object.refuse(format!("the model's {what} are not understood")))
        };
        let inputs = ends("input_layers", "inputs")?;
        let &[input] = inputs.as_slice() else {
            let names: Vec<String> = inputs.iter().map(|i| format!("`{}`", i.layer)).collect();
            return Err(object.refuse(format!(
                "the model takes {} inputs ({}), and photos can be only one of them. Save the part that \
                 takes the photos as a model of its own",
                names.len(),
                names.join(", ")
            )));
        };
        let found = self.by_name.get(input.layer).copied();
        let found = found.filter(|&i| is_input(&self.entries[i]));
        self.input = Some(found.ok_or_else(|| {
            broken(format!(
                "the input `{}` of {} is not among its layers",
                input.layer, self.name
            ))
        })?);
        self.outputs = ends("output_layers", "outputs")?;
        Ok(())
    }

    /// Puts the output that is shown last. Returns the names of several outputs, that one first.
    fn choose_output(
        &mut self,
        object: LayerObject<'a>,
        wanted: Option<&str>,
    ) -> Result<Vec<String>, OpenError> {
        let keys = object
            .config
            .get("output_layers")
            .and_then(Value::as_object);
        let mut names: Vec<String> = match keys {
            Some(named) => named.keys().cloned().collect(),
            None => self.outputs.iter().map(|o| o.layer.to_owned()).collect(),
        };
        let chosen = match wanted {
            None => 0,
            Some(wanted) => names
                .iter()
                .position(|name| name == wanted)
                .ok_or_else(|| {
                    OpenError::Refused(format!(
                        "the model has no output `{wanted}`; its outputs are {}",
                        names.join(", ")
                    ))
                })?,
        };
        if names.len() < 2 {
            return Ok(Vec::new());
        }
        let output = self.outputs.remove(chosen);
        self.outputs.push(output);
        names[..=chosen].rotate_right(1);
        Ok(names)
    }
}

/// The flag of a layer whose flag is not in the file.
///
/// An InputLayer never has one: it gets the flag of the next layer, because layers are frozen from
/// the front. It has no weights, so this affects the layer list only. A nested model (Keras 2 writes
/// no flag for a `Sequential`) gets the flag of the model around it.
fn unwritten_flag(object: LayerObject, following: &[LayerObject], model_trainable: bool) -> bool {
    if object.is_model() {
        return model_trainable;
    }
    if object.class != "InputLayer" {
        return true;
    }
    let next = following.first().filter(|next| !next.is_model());
    model_trainable && next.and_then(LayerObject::flag).unwrap_or(true)
}
