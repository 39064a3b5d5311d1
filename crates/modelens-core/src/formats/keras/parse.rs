//! Parses the configuration: nested models, and layers with their settings and calls.

use std::collections::HashMap;

use serde_json::Value;

use super::calls::{self, Call, CallArg, TensorRef};
use super::object::{LayerObject, Policy, policy};
use super::penalties::LayerPenalties;
use super::specs::WeightSpec;
use super::{classes, input_shape, operators};
use crate::formats::OpenError;
use crate::model::graph::{Layer, LayerKind};
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
    /// `None` for a `Sequential` without layers, which returns its input.
    pub output: Option<TensorRef<'a>>,
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
    /// By layer.
    pub policies: Vec<Policy>,
    /// By layer.
    pub penalties: Vec<LayerPenalties>,
}

/// Reads the outermost model's configuration.
pub(super) fn parse(config: &Value, semantics: Semantics) -> Result<ParsedModel<'_>, OpenError> {
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
    };
    let root_trainable = object.flag().unwrap_or(true);
    let root = parser.container(object, None, root_trainable, 0)?;
    let input_hwc = input_shape::of_model(config, root.name)?;
    if semantics.is_keras3() {
        parser.refreeze(root_trainable);
    }
    let Parser {
        layers,
        specs,
        policies,
        penalties,
        ..
    } = parser;
    Ok(ParsedModel {
        layers,
        specs,
        root,
        root_trainable,
        input_hwc,
        policies,
        penalties,
    })
}

fn broken(reason: String) -> OpenError {
    OpenError::Broken(reason)
}

struct Parser {
    layers: Vec<Layer>,
    specs: Vec<WeightSpec>,
    semantics: Semantics,
    policies: Vec<Policy>,
    penalties: Vec<LayerPenalties>,
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
            output: None,
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
        self.layers.push(Layer {
            name: String::new(),
            class: String::new(),
            kind,
            parent: None,
            listed: true,
            trainable: true,
            recorded: RecordedArgument::Absent,
            activity_regularizer: None,
            weights: Vec::new(),
        });
        self.specs.push(spec);
        self.policies.push(Policy::default());
        self.penalties.push(LayerPenalties::default());
        Ok(self.layers.len() - 1)
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
            call.training = call.training.written_by(object.class, self.semantics);
        }
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

    fn leaf(
        &mut self,
        object: LayerObject,
        layer: LayerId,
        operator: bool,
        call: Option<&Call>,
        place: &str,
    ) -> Result<(LayerKind, WeightSpec), OpenError> {
        let settings = object.settings()?;
        if object.is_custom() {
            return Err(object.unsupported(place));
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
        classes::read(object.class, settings, self.semantics)?
            .ok_or_else(|| object.unsupported(place))
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

    /// Finds the input and the output; anything but one of each is refused.
    fn find_ends(&mut self, object: LayerObject<'a>, layers: &[Layer]) -> Result<(), OpenError> {
        let is_input = |e: &LayerEntry| layers[e.layer].kind == LayerKind::Input;
        if self.sequential {
            if self.entries.first().is_some_and(is_input) {
                self.input = Some(0);
            }
            self.output = self.entries.last().map(|e| TensorRef {
                layer: e.name,
                call: 0,
            });
            return Ok(());
        }
        let one = |key: &str, what: &str| {
            let ends = object.config.get(key).and_then(calls::endpoints);
            match ends.as_deref() {
                Some([one]) => Ok(*one),
                Some(several) => {
                    let n = several.len();
                    Err(object.refuse(format!("the model has {n} {what}; only one is supported")))
                }
                None => Err(object.refuse(format!("the model's {what} are not understood"))),
            }
        };
        let input = one("input_layers", "inputs")?;
        let output = one("output_layers", "outputs")?;
        let found = self.by_name.get(input.layer).copied();
        let found = found.filter(|&i| is_input(&self.entries[i]));
        self.input = Some(found.ok_or_else(|| {
            broken(format!(
                "the input `{}` of {} is not among its layers",
                input.layer, self.name
            ))
        })?);
        self.output = Some(output);
        Ok(())
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
