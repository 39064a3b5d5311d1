//! Repeated passes of one photo in which only the noise layers are random: BatchNorm uses its moving
//! statistics and augmentation is off. Values that no draw changes are computed once.

use std::collections::BTreeMap;
use std::ops::Range;

use candle_core::{Device, Tensor};

use super::error::reason;
use super::graph::{Input, Layer, LayerId, LayerKind, Node, Noise};
use super::layers::noise::{Acts, Disturbed};
use super::layers::shape::check_size;
use super::layers::{Call, Weights};
use super::{CallModes, Flags, Model, NodeId, PassError, Semantics};
use crate::random::StreamKey;
use crate::rules::Outer;

/// How the passes run.
#[derive(Clone, Debug)]
pub struct SamplerOptions<'a> {
    /// The value of `training` at the outermost call, for the noise layers.
    pub outer: Outer,
    pub semantics: Semantics,
    pub flags: &'a Flags,
    pub seed: u64,
    /// The number of the redraw under this seed.
    pub repeat: u64,
    /// A noise layer with another rate than in the file.
    pub replaced: Option<(LayerId, Noise)>,
}

/// A network on one photo. Everything that is the same in each pass is already computed.
pub struct Sampler<'a> {
    model: &'a Model,
    options: SamplerOptions<'a>,
    /// The noise layers that draw, by node.
    noises: BTreeMap<usize, Noise>,
    /// By node: true if a draw changes its value.
    varies: Vec<bool>,
    /// The values in inference that varying nodes read, and the output.
    kept: Vec<Option<Tensor>>,
    /// By noise layer: the input of its last call in inference.
    inputs: BTreeMap<LayerId, Tensor>,
    /// By node: the number of earlier calls of the same layer.
    earlier_calls: Vec<u64>,
}

/// The part of the address that separates these draws from those of a single pass.
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
        let modes = CallModes::of(
            &model.graph,
            options.flags,
            options.outer,
            options.semantics,
        );
        let mut noises = BTreeMap::new();
        let mut varies = vec![false; nodes.len()];
        let mut calls = vec![0; model.graph.layers.len()];
        let mut earlier_calls = Vec::with_capacity(nodes.len());
        for (id, node) in nodes.iter().enumerate() {
            earlier_calls.push(calls[node.layer]);
            calls[node.layer] += 1;
            if let Some(noise) = drawing(model, id, &modes, &options)? {
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

    /// The input of a noise layer in inference, `[1, ...]`; for a shared layer, of its last call.
    pub fn input(&self, layer: LayerId) -> Option<&Tensor> {
        self.inputs.get(&layer)
    }

    /// Number of noise layers that draw.
    pub fn drawing(&self) -> usize {
        let nodes = &self.model.graph.nodes;
        let mut layers: Vec<LayerId> = self.noises.keys().map(|&id| nodes[id].layer).collect();
        layers.sort_unstable();
        layers.dedup();
        layers.len()
    }

    /// True if a draw changes the output.
    pub fn output_varies(&self) -> bool {
        self.varies
            .get(self.model.graph.output)
            .copied()
            .unwrap_or(false)
    }

    /// The outputs of a range of passes, `[passes, ...]`.
    ///
    /// # Errors
    /// Those of [`Self::new`].
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

    /// What one noise layer does to its input in inference, in one pass.
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
        // Each pass has its own stream, so a larger number of passes starts with the same ones.
        let purpose = [PASS, layer, self.options.repeat, earlier, pass];
        let key = StreamKey {
            seed: self.options.seed,
            purpose: &purpose,
        };
        noise.disturb(x, key)
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
        let weights = Weights::of(self.model, node.layer);
        let shapes: Vec<&[usize]> = inputs.iter().map(Tensor::dims).collect();
        check_size(&layer.kind, weights, &shapes)?;
        let (Some(noise), Some(x)) = (self.noises.get(&id), inputs.first()) else {
            let call = Call::inference(&inputs, weights, self.options.semantics);
            return layer.kind.op().forward(&call);
        };
        let disturbed = passes.clone().enumerate().map(|(row, pass)| {
            let x = x.narrow(0, row, 1)?.contiguous()?;
            Ok(self.disturb(id, noise, &x, pass)?.output)
        });
        let disturbed: Vec<Tensor> = disturbed.collect::<candle_core::Result<_>>()?;
        Tensor::cat(&disturbed, 0)
    }

    /// The inference pass: keeps the values that later passes read.
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
        let weights = Weights::of(self.model, node.layer);
        let shapes: Vec<&[usize]> = inputs.iter().map(Tensor::dims).collect();
        check_size(&layer.kind, weights, &shapes)?;
        let call = Call::inference(&inputs, weights, self.options.semantics);
        layer.kind.op().forward(&call)
    }
}

/// The noise layer of a node, if it draws.
fn drawing(
    model: &Model,
    id: NodeId,
    modes: &CallModes,
    options: &SamplerOptions<'_>,
) -> Result<Option<Noise>, PassError> {
    let node = &model.graph.nodes[id];
    let layer = &model.graph.layers[node.layer];
    let LayerKind::Noise(own) = &layer.kind else {
        return Ok(None);
    };
    let effective = modes.effective_at(&model.graph, options.flags, id);
    let noise = match &options.replaced {
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

/// Repeats a value `[1, ...]` for each pass: `[passes, ...]`.
fn copies(value: &Tensor, passes: usize) -> candle_core::Result<Tensor> {
    let mut shape = value.dims().to_vec();
    match shape.first_mut() {
        Some(first) if *first == 1 => *first = passes,
        // A number in the file, which all passes share.
        _ => return Ok(value.clone()),
    }
    value.broadcast_as(shape)?.contiguous()
}

/// For each node, the last node that reads its value; `usize::MAX` for the output.
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
