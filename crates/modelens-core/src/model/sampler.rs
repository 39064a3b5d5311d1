//! Repeated passes of one photo in which nothing is random but the noise layers: BatchNorm keeps
//! its stored statistics, augmentation rests. What no draw can change is computed once.

mod calm;

use std::collections::BTreeMap;
use std::ops::Range;

use candle_core::{Device, Tensor};

use self::calm::calm;
use super::error::reason;
use super::graph::{Input, Layer, LayerId, LayerKind, Node, Noise};
use super::layers::noise::{Disturbed, disturb};
use super::layers::{Weights, size};
use super::noise_rate::Acts;
use super::{Flags, Model, PassError, Semantics};
use crate::rules::{Outer, effective};

/// What the passes are made by.
#[derive(Clone, Debug)]
pub struct SamplerOptions<'a> {
    /// The value of `training` that noise layers see at the outermost call.
    pub outer: Outer,
    pub semantics: Semantics,
    pub flags: &'a Flags,
    pub seed: u64,
    /// Counts the redraws under one seed.
    pub repeat: u64,
    /// A noise layer with another rate than the file's.
    pub instead: Option<(LayerId, Noise)>,
}

/// A network on one photo, with what is the same in each pass already computed.
pub struct Sampler<'a> {
    model: &'a Model,
    options: SamplerOptions<'a>,
    /// The noise of nodes that draw.
    noises: BTreeMap<usize, Noise>,
    /// Nodes whose value a draw changes.
    varies: Vec<bool>,
    /// Values of inference that the varying nodes read, and the output.
    kept: Vec<Option<Tensor>>,
    /// Of noise layers, the input of the last call in inference.
    inputs: BTreeMap<LayerId, Tensor>,
    /// How often the layer was called before this node.
    earlier_calls: Vec<u64>,
}

/// What draws of repeated passes are addressed by.
const PASS: u64 = u64::from_le_bytes(*b"passes\0\0");

impl<'a> Sampler<'a> {
    /// Runs one photo `[1, H, W, C]` in inference.
    ///
    /// # Errors
    /// A rate the framework refuses, shapes that do not fit, or cancellation.
    pub fn new(
        model: &'a Model,
        x: &Tensor,
        options: SamplerOptions<'a>,
        proceed: &dyn Fn() -> bool,
    ) -> Result<Self, PassError> {
        let nodes = &model.graph.nodes;
        let mut noises = BTreeMap::new();
        let mut varies = vec![false; nodes.len()];
        let mut calls = vec![0; model.graph.layers.len()];
        let mut earlier_calls = Vec::with_capacity(nodes.len());
        for (id, node) in nodes.iter().enumerate() {
            earlier_calls.push(calls[node.layer]);
            calls[node.layer] += 1;
            if let Some(noise) = drawing(model, node, &options)? {
                noises.insert(id, noise);
                varies[id] = true;
            }
            let inputs = node.inputs.iter();
            varies[id] |= inputs.clone().any(|input| match *input {
                Input::Node(input) => varies[input],
                Input::Number(_) => false,
            });
        }
        let mut sampler = Self {
            model,
            options,
            noises,
            varies,
            kept: vec![None; nodes.len()],
            inputs: BTreeMap::new(),
            earlier_calls,
        };
        sampler.infer(x, proceed)?;
        Ok(sampler)
    }

    /// The output of inference, `[1, ...]`.
    pub fn inference(&self) -> Option<&Tensor> {
        self.kept.get(self.model.graph.output)?.as_ref()
    }

    /// What a noise layer gets in inference, `[1, ...]`; of a shared layer, its last call.
    pub fn input(&self, layer: LayerId) -> Option<&Tensor> {
        self.inputs.get(&layer)
    }

    /// How many noise layers draw in these passes.
    pub fn drawing(&self) -> usize {
        let nodes = &self.model.graph.nodes;
        let mut layers: Vec<LayerId> = self.noises.keys().map(|&id| nodes[id].layer).collect();
        layers.sort_unstable();
        layers.dedup();
        layers.len()
    }

    /// Whether a draw changes the output.
    pub fn output_varies(&self) -> bool {
        self.varies
            .get(self.model.graph.output)
            .copied()
            .unwrap_or(false)
    }

    /// The outputs of some of the passes, `[passes, ...]`.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn outputs(
        &self,
        passes: Range<u64>,
        proceed: &dyn Fn() -> bool,
    ) -> Result<Tensor, PassError> {
        let graph = &self.model.graph;
        let count = (passes.end - passes.start) as usize;
        let last_use = last_uses(graph.nodes.as_slice(), graph.output);
        let mut values: Vec<Option<Tensor>> = vec![None; graph.nodes.len()];
        for (id, node) in graph.nodes.iter().enumerate() {
            if !self.varies[id] {
                continue;
            }
            if !proceed() {
                return Err(PassError::Cancelled);
            }
            let value = self
                .varying(id, node, &values, &passes)
                .map_err(|error| failed(&graph.layers[node.layer], &error))?;
            values[id] = Some(value);
            for input in &node.inputs {
                if let Input::Node(input) = *input
                    && last_use[input] == id
                {
                    values[input] = None;
                }
            }
        }
        let output = match values.get_mut(graph.output).and_then(Option::take) {
            Some(output) => Ok(output),
            None => self
                .inference()
                .ok_or_else(|| candle_core::Error::Msg("the output is never computed".into()))
                .and_then(|output| copies(output, count)),
        };
        output.map_err(|error| PassError::Layer {
            layer: "output".into(),
            reason: reason(&error),
        })
    }

    /// One pass of one noise layer on its input in inference.
    ///
    /// # Errors
    /// A noise shape that does not fit the input.
    pub fn disturbed(&self, layer: LayerId, pass: u64) -> candle_core::Result<Option<Disturbed>> {
        let nodes = &self.model.graph.nodes;
        let last = nodes.iter().rposition(|node| node.layer == layer);
        let (Some(id), Some(x)) = (last, self.input(layer)) else {
            return Ok(None);
        };
        self.noises
            .get(&id)
            .map(|noise| self.disturb(id, noise, x, pass))
            .transpose()
    }

    fn disturb(
        &self,
        id: usize,
        noise: &Noise,
        x: &Tensor,
        pass: u64,
    ) -> candle_core::Result<Disturbed> {
        if noise.acts(self.options.semantics) == Ok(Acts::Zeros) {
            return Ok(Disturbed {
                output: x.zeros_like()?,
                mask: Some(x.zeros_like()?),
            });
        }
        let layer = self.model.graph.nodes[id].layer as u64;
        let earlier = self.earlier_calls[id];
        // Each pass has a stream of its own, so more passes begin with the same ones.
        let purpose = [PASS, layer, self.options.repeat, earlier, pass];
        disturb(x, noise, self.options.seed, &purpose)
    }

    fn varying(
        &self,
        id: usize,
        node: &Node,
        values: &[Option<Tensor>],
        passes: &Range<u64>,
    ) -> candle_core::Result<Tensor> {
        let count = (passes.end - passes.start) as usize;
        let inputs = node.inputs.iter().map(|input| match *input {
            Input::Number(number) => Tensor::new(&[number as f32], &Device::Cpu),
            Input::Node(input) => match (&values[input], &self.kept[input]) {
                (Some(value), _) => Ok(value.clone()),
                (None, Some(kept)) => copies(kept, count),
                (None, None) => Err(candle_core::Error::Msg(
                    "it is called before its input".into(),
                )),
            },
        });
        let inputs: Vec<Tensor> = inputs.collect::<candle_core::Result<_>>()?;
        let layer = &self.model.graph.layers[node.layer];
        let weights = Weights::new(&self.model.graph, node.layer, None);
        let shapes: Vec<&[usize]> = inputs.iter().map(Tensor::dims).collect();
        size::check(layer, weights, &shapes, self.options.semantics)?;
        let (Some(noise), Some(x)) = (self.noises.get(&id), inputs.first()) else {
            return calm(layer, weights, &inputs, self.options.semantics);
        };
        let disturbed = passes.clone().enumerate().map(|(row, pass)| {
            let x = x.narrow(0, row, 1)?.contiguous()?;
            Ok(self.disturb(id, noise, &x, pass)?.output)
        });
        let disturbed: Vec<Tensor> = disturbed.collect::<candle_core::Result<_>>()?;
        Tensor::cat(&disturbed, 0)
    }

    /// The pass of inference: keeps what later passes read.
    fn infer(&mut self, x: &Tensor, proceed: &dyn Fn() -> bool) -> Result<(), PassError> {
        let graph = &self.model.graph;
        let last_use = last_uses(&graph.nodes, graph.output);
        let mut read_by_varying = vec![false; graph.nodes.len()];
        for (id, node) in graph.nodes.iter().enumerate() {
            for input in &node.inputs {
                if let Input::Node(input) = *input {
                    read_by_varying[input] |= self.varies[id];
                }
            }
        }
        for (id, node) in graph.nodes.iter().enumerate() {
            if !proceed() {
                return Err(PassError::Cancelled);
            }
            let layer = &graph.layers[node.layer];
            let value = self.fixed(node, x).map_err(|error| failed(layer, &error))?;
            self.kept[id] = Some(value);
            for input in &node.inputs {
                if let Input::Node(input) = *input
                    && last_use[input] == id
                    && (self.varies[input] || !read_by_varying[input])
                {
                    self.kept[input] = None;
                }
            }
        }
        Ok(())
    }

    fn fixed(&mut self, node: &Node, x: &Tensor) -> candle_core::Result<Tensor> {
        let inputs = node.inputs.iter().map(|input| match *input {
            Input::Number(number) => Tensor::new(&[number as f32], &Device::Cpu),
            Input::Node(id) => self.kept[id]
                .clone()
                .ok_or_else(|| candle_core::Error::Msg("it is called before its input".into())),
        });
        let mut inputs: Vec<Tensor> = inputs.collect::<candle_core::Result<_>>()?;
        if inputs.is_empty() {
            inputs.push(x.clone());
        }
        let layer = &self.model.graph.layers[node.layer];
        if let (LayerKind::Noise(_), Some(x)) = (&layer.kind, inputs.first()) {
            self.inputs.insert(node.layer, x.clone());
        }
        let weights = Weights::new(&self.model.graph, node.layer, None);
        let shapes: Vec<&[usize]> = inputs.iter().map(Tensor::dims).collect();
        size::check(layer, weights, &shapes, self.options.semantics)?;
        calm(layer, weights, &inputs, self.options.semantics)
    }
}

/// The noise of a call that draws.
fn drawing(
    model: &Model,
    node: &Node,
    options: &SamplerOptions<'_>,
) -> Result<Option<Noise>, PassError> {
    let layer = &model.graph.layers[node.layer];
    let LayerKind::Noise(own) = &layer.kind else {
        return Ok(None);
    };
    let effective = effective(
        layer.kind.role(),
        options.flags.get(node.layer),
        options.flags.ancestors(&model.graph, node.layer),
        options.outer,
        options
            .flags
            .recorded_around(&model.graph, node.layer, node.recorded),
        options.semantics,
    );
    let noise = match &options.instead {
        Some((id, noise)) if *id == node.layer => noise,
        _ => own,
    };
    let acts = noise
        .acts(options.semantics)
        .map_err(|error| PassError::Layer {
            layer: layer.name.clone(),
            reason: error.to_string(),
        })?;
    Ok((effective.active && acts != Acts::Identity).then(|| noise.for_one_photo()))
}

/// One value `[1, ...]` for each of some passes, `[passes, ...]`.
fn copies(value: &Tensor, passes: usize) -> candle_core::Result<Tensor> {
    let mut shape = value.dims().to_vec();
    match shape.first_mut() {
        Some(first) if *first == 1 => *first = passes,
        // A number of the file, which each pass shares.
        _ => return Ok(value.clone()),
    }
    value.broadcast_as(shape)?.contiguous()
}

/// For each node, the last node that reads it; the output is never dropped.
fn last_uses(nodes: &[Node], output: usize) -> Vec<usize> {
    let mut last: Vec<usize> = (0..nodes.len()).collect();
    for (id, node) in nodes.iter().enumerate() {
        for input in &node.inputs {
            if let Input::Node(input) = *input {
                last[input] = id;
            }
        }
    }
    if let Some(output) = last.get_mut(output) {
        *output = usize::MAX;
    }
    last
}

fn failed(layer: &Layer, error: &candle_core::Error) -> PassError {
    PassError::Layer {
        layer: layer.name.clone(),
        reason: reason(error),
    }
}
