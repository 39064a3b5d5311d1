//! One pass through a network in one mode. A pass never changes the model: it returns the batch
//! statistics, and the moving statistics that would follow.

use std::collections::BTreeMap;

use candle_core::{Device, Tensor};

use super::effective::{Effective, Outer, Semantics, Statistics, effective};
use super::error::reason;
use super::graph::{BatchNorm, Graph, Input, LayerId, LayerKind, Node, NodeId};
use super::layers::norm::{Moments, moments, next_moving, normalise};
use super::layers::{self, Overrides, Weights, noise, size};
use super::{Flags, Model, PassError};
use crate::augment::AugmentLayer;
use crate::dataset::Image;

/// How to run a pass.
#[derive(Clone, Debug)]
pub struct PassOptions<'a> {
    /// The value of `training` at the outermost call.
    pub outer: Outer,
    pub semantics: Semantics,
    pub flags: &'a Flags,
    /// Whether noise and augmentation draw; otherwise they act as in inference.
    pub random: bool,
    pub seed: u64,
    /// Counts the passes under one seed, so that each has masks of its own.
    pub repeat: u64,
    /// Layers whose input and output are kept.
    pub taps: &'a [LayerId],
    /// Weights to take instead of the model's.
    pub weights: Option<&'a Overrides>,
}

/// What a pass gives back.
#[derive(Debug)]
pub struct Pass {
    /// The model's output, `[N, ...]`.
    pub output: Tensor,
    /// By layer; of a layer that is called several times, the last call.
    pub taps: BTreeMap<LayerId, Tap>,
    /// Every BatchNorm of the model.
    pub batch_norm: BTreeMap<LayerId, BatchNormPass>,
}

/// Input and output of one layer in a pass.
#[derive(Clone, Debug)]
pub struct Tap {
    pub effective: Effective,
    pub input: Tensor,
    pub output: Tensor,
    /// What a noise layer multiplied its input with.
    pub mask: Option<Tensor>,
}

/// What a BatchNorm did in a pass.
#[derive(Clone, Debug)]
pub struct BatchNormPass {
    pub effective: Effective,
    /// Values a channel: N * H * W.
    pub n: usize,
    /// Of the layer's input, biased variance; where batch statistics are used.
    pub batch: Option<Moments>,
    /// The moving statistics after this pass.
    pub next: Moments,
}

/// Runs `x`, `[N, H, W, C]`, through the model.
///
/// `proceed` is called before each layer with the number of layers done and in all; it returns
/// false to cancel.
///
/// # Errors
/// An input of another shape than the model takes, shapes inside that do not fit, a batch of one
/// value a channel in PyTorch's training mode, or cancellation.
pub fn run(
    model: &Model,
    x: &Tensor,
    options: &PassOptions<'_>,
    proceed: &dyn Fn(usize, usize) -> bool,
) -> Result<Pass, PassError> {
    run_stretch(model, x, Stretch::default(), options, proceed)
}

/// A part of the network: the nodes behind `after`, whose value is the input, up to `until`, whose
/// value is the output.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stretch {
    /// `None`: from the model's input on.
    pub after: Option<NodeId>,
    /// `None`: to the model's output.
    pub until: Option<NodeId>,
}

/// As [`run`], for a part of the network. `after` must be a node that everything behind it depends
/// on alone: see [`Graph::is_cut`].
///
/// # Errors
/// Those of [`run`].
pub fn run_stretch(
    model: &Model,
    x: &Tensor,
    stretch: Stretch,
    options: &PassOptions<'_>,
    proceed: &dyn Fn(usize, usize) -> bool,
) -> Result<Pass, PassError> {
    let first = stretch.after.map_or(0, |id| id + 1);
    let end = stretch.until.map_or(model.graph.nodes.len(), |id| id + 1);
    let output = stretch.until.unwrap_or(model.graph.output);
    let mut values = vec![None; model.graph.nodes.len()];
    match stretch.after {
        Some(after) => values[after] = Some(x.clone()),
        None => check_input(&model.graph, x)?,
    }
    let mut running = Running {
        graph: &model.graph,
        options,
        values,
        taps: BTreeMap::new(),
        batch_norm: BTreeMap::new(),
        calls: vec![0; model.graph.layers.len()],
    };
    let last_use = last_uses(&model.graph);
    let total = end.saturating_sub(first);
    let nodes = model.graph.nodes.iter().enumerate();
    for (id, node) in nodes.take(end).skip(first) {
        if !proceed(id - first, total) {
            return Err(PassError::Cancelled);
        }
        let layer = &model.graph.layers[node.layer];
        let value = running.call(node, x).map_err(|error| PassError::Layer {
            layer: layer.name.clone(),
            reason: reason(&error),
        })?;
        running.values[id] = Some(value);
        // Values are dropped after their last use: memory stays at a few layers' worth.
        for input in &node.inputs {
            if let Input::Node(input) = *input
                && last_use[input] == id
            {
                running.values[input] = None;
            }
        }
    }
    let output = running.values[output].take();
    let output = output.ok_or_else(|| PassError::Layer {
        layer: "output".into(),
        reason: "it is never computed".into(),
    })?;
    Ok(Pass {
        output,
        taps: running.taps,
        batch_norm: running.batch_norm,
    })
}

/// For each node, the last node that reads it; the output is never dropped.
fn last_uses(graph: &Graph) -> Vec<NodeId> {
    let mut last: Vec<NodeId> = (0..graph.nodes.len()).collect();
    for (id, node) in graph.nodes.iter().enumerate() {
        for input in &node.inputs {
            if let Input::Node(input) = *input {
                last[input] = id;
            }
        }
    }
    if let Some(output) = last.get_mut(graph.output) {
        *output = usize::MAX;
    }
    last
}

fn check_input(graph: &Graph, x: &Tensor) -> Result<(), PassError> {
    let fits = x.rank() == 4
        && x.dims().iter().all(|&d| d > 0)
        && graph
            .input_hwc
            .iter()
            .zip(&x.dims()[1..])
            .all(|(want, &d)| want.is_none_or(|w| w == d));
    if fits {
        return Ok(());
    }
    let axis = |d: &Option<usize>| d.map_or("any".to_owned(), |d| d.to_string());
    Err(PassError::Input {
        expected: format!(
            "[N, {}]",
            graph
                .input_hwc
                .iter()
                .map(axis)
                .collect::<Vec<_>>()
                .join(", ")
        ),
        found: format!("{:?}", x.dims()),
    })
}

/// A pass under way.
struct Running<'a> {
    graph: &'a Graph,
    options: &'a PassOptions<'a>,
    values: Vec<Option<Tensor>>,
    taps: BTreeMap<LayerId, Tap>,
    batch_norm: BTreeMap<LayerId, BatchNormPass>,
    /// How often each layer was called so far.
    calls: Vec<u64>,
}

/// What one call of a layer gave.
struct Called {
    output: Tensor,
    mask: Option<Tensor>,
}

impl Running<'_> {
    fn call(&mut self, node: &Node, x: &Tensor) -> candle_core::Result<Tensor> {
        let layer = &self.graph.layers[node.layer];
        let inputs = self.inputs(node, x)?;
        let first = inputs.first().unwrap_or(x).clone();
        let semantics = self.options.semantics;
        size::check(layer, self.weights(node.layer), &inputs, semantics)?;
        let effective = effective(
            layer.kind.role(),
            self.options.flags.get(node.layer),
            self.options.flags.ancestors(self.graph, node.layer),
            self.options.outer,
            self.options
                .flags
                .recorded_around(self.graph, node.layer, node.recorded),
            self.options.semantics,
        );
        let Called { output, mask } = match &layer.kind {
            LayerKind::BatchNorm(settings) => {
                let output = self.batch_norm(node.layer, settings, effective, &first)?;
                Called { output, mask: None }
            }
            LayerKind::Noise(kind) if effective.active && self.options.random => {
                let done =
                    noise::disturb(&first, kind, self.options.seed, &self.purpose(node.layer))?;
                Called {
                    output: done.output,
                    mask: done.mask,
                }
            }
            LayerKind::Noise(_) => Called {
                output: first.clone(),
                mask: None,
            },
            LayerKind::Augment(augment) => {
                let active = effective.active && self.options.random;
                let output = self.augment(node.layer, augment, active, &first)?;
                Called { output, mask: None }
            }
            _ => Called {
                output: layers::forward(layer, self.weights(node.layer), &inputs)?,
                mask: None,
            },
        };
        self.calls[node.layer] += 1;
        if self.options.taps.contains(&node.layer) {
            let tap = Tap {
                effective,
                input: first,
                output: output.clone(),
                mask,
            };
            self.taps.insert(node.layer, tap);
        }
        Ok(output)
    }

    fn inputs(&self, node: &Node, x: &Tensor) -> candle_core::Result<Vec<Tensor>> {
        if node.inputs.is_empty() {
            return Ok(vec![x.clone()]);
        }
        let values = node.inputs.iter().map(|input| match *input {
            Input::Number(number) => Tensor::new(&[number as f32], &Device::Cpu),
            Input::Node(id) => self.values[id]
                .clone()
                .ok_or_else(|| candle_core::Error::Msg("it is called before its input".into())),
        });
        values.collect()
    }

    fn weights(&self, layer: LayerId) -> Weights<'_> {
        Weights::new(self.graph, layer, self.options.weights)
    }

    /// What the draws of this call of a layer are addressed by: a shared layer draws anew each time.
    fn purpose(&self, layer: LayerId) -> Vec<u64> {
        let mut purpose = vec![layer as u64, self.options.repeat];
        purpose.extend(Some(self.calls[layer]).filter(|&earlier| earlier > 0));
        purpose
    }

    fn batch_norm(
        &mut self,
        id: LayerId,
        settings: &BatchNorm,
        effective: Effective,
        x: &Tensor,
    ) -> candle_core::Result<Tensor> {
        let weights = self.weights(id);
        let vector = |name: &str| weights.get(name).map(Tensor::to_vec1::<f32>).transpose();
        let missing = || candle_core::Error::Msg("the moving statistics are missing".into());
        // A shared layer goes on from what its earlier call left.
        let moving = match self.batch_norm.get(&id) {
            Some(earlier) => earlier.next.clone(),
            None => Moments {
                mean: vector("moving_mean")?.ok_or_else(missing)?,
                variance: vector("moving_variance")?.ok_or_else(missing)?,
            },
        };
        let n = x.elem_count() / moving.mean.len().max(1);
        let uses_batch = effective.statistics == Some(Statistics::Batch);
        if uses_batch && n < 2 && self.options.semantics == Semantics::PyTorch {
            return Err(candle_core::Error::Msg(
                "PyTorch refuses batch statistics of a single value a channel; take a larger batch"
                    .into(),
            ));
        }
        let batch = if uses_batch {
            Some(moments(x, self.options.semantics)?)
        } else {
            None
        };
        let used = batch.as_ref().unwrap_or(&moving);
        let (gamma, beta) = (weights.get("gamma"), weights.get("beta"));
        let y = normalise(x, used, gamma, beta, settings.epsilon, uses_batch)?;
        let next = match &batch {
            Some(batch) if effective.updates_statistics => next_moving(
                &moving,
                batch,
                settings.momentum,
                n,
                x.rank(),
                self.options.semantics,
            ),
            _ => moving,
        };
        let earlier = self.batch_norm.remove(&id).filter(|_| batch.is_none());
        let done = match earlier {
            // A shared layer that used the batch in an earlier call did use it in this pass.
            Some(earlier) if earlier.batch.is_some() => earlier,
            _ => BatchNormPass {
                effective,
                n,
                batch,
                next,
            },
        };
        self.batch_norm.insert(id, done);
        Ok(y)
    }

    /// Each image of the batch through a preprocessing layer.
    fn augment(
        &self,
        id: LayerId,
        layer: &AugmentLayer,
        active: bool,
        x: &Tensor,
    ) -> candle_core::Result<Tensor> {
        let (n, height, width, channels) = x.dims4()?;
        let semantics = self.options.semantics;
        let draws = active.then(|| {
            let purpose = self.purpose(id);
            layer.draw_batch(semantics, self.options.seed, &purpose, n, height, width)
        });
        let mut out = Vec::with_capacity(x.elem_count());
        let mut size = [height, width, channels];
        for image in 0..n {
            let pixels_hwc = x.get(image)?.flatten_all()?.to_vec1::<f32>()?;
            let image_hwc = Image {
                height,
                width,
                channels,
                pixels_hwc,
            };
            let done = match draws.as_ref().and_then(|d| d.get(image)) {
                Some(draw) => layer.apply(draw, &image_hwc),
                None => layer.inference(semantics, &image_hwc),
            };
            size = [done.height, done.width, done.channels];
            out.extend(done.pixels_hwc);
        }
        Tensor::from_vec(out, (n, size[0], size[1], size[2]), &Device::Cpu)
    }
}
