//! One forward pass through a network, and the backward pass from its output to its weights. A pass
//! never changes the model: it returns the batch statistics and the moving statistics that would follow.

mod backward;
mod batch_norm;
mod cache;
mod convolution;
mod executor;
mod memory;
mod one_row;
mod plan;
mod pointwise;

use std::collections::BTreeMap;
use std::sync::Arc;

use candle_core::Tensor;

use super::array::{self, Array};
use super::error::reason;
use super::graph::{Graph, LayerId, NodeId};
use super::layers::WeightMap;
use super::layers::batch_norm::Moments;
use super::{Flags, Model, PassError};
use crate::rules::{Effective, Outer, Semantics};
use backward::{Backward, Tape};
use executor::Executor;
use plan::Plan;

pub use cache::PassCache;
pub use memory::{check_recorded, output_shapes};
pub use one_row::run_row;
pub use plan::Learning;

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
    /// The number of the pass under this seed; each pass has its own masks.
    pub repeat: u64,
    /// Layers whose input and output are kept.
    pub taps: &'a [LayerId],
    /// BatchNorm layers whose input is measured even if they use their moving statistics.
    pub moments: &'a [LayerId],
    /// Weights that replace the model's.
    pub weights: Option<&'a WeightMap>,
}

impl<'a> PassOptions<'a> {
    /// A call by the model's own rules, without random draws and without taps.
    pub fn of(model: &Model, flags: &'a Flags, outer: impl Into<Outer>) -> Self {
        Self {
            outer: outer.into(),
            semantics: model.semantics,
            flags,
            random: false,
            seed: 0,
            repeat: 0,
            taps: &[],
            moments: &[],
            weights: None,
        }
    }
}

/// The result of a pass.
#[derive(Clone, Debug)]
pub struct Pass {
    /// The model's output, `[N, ...]`.
    pub output: Tensor,
    /// By layer; the last call of a layer that is called several times.
    pub taps: BTreeMap<LayerId, Tap>,
    /// Every BatchNorm of the model.
    pub batch_norm: BTreeMap<LayerId, BatchNormPass>,
    /// The sum of the penalties on activities, which Keras adds to the loss.
    pub activity_loss: f64,
}

impl Pass {
    /// This pass as the end of one that began with `start`.
    pub(crate) fn following(mut self, start: &Self) -> Self {
        for (id, done) in &start.batch_norm {
            self.batch_norm.entry(*id).or_insert_with(|| done.clone());
        }
        self.activity_loss += start.activity_loss;
        self
    }
}

/// Input and output of one layer in a pass.
#[derive(Clone, Debug)]
pub struct Tap {
    pub effective: Effective,
    pub input: Tensor,
    pub output: Tensor,
    /// What a noise layer multiplied its input with; 0 is dropped.
    pub mask: Option<Tensor>,
}

/// What a BatchNorm did in a pass.
#[derive(Clone, Debug)]
pub struct BatchNormPass {
    pub effective: Effective,
    /// Values in a channel: N * H * W.
    pub n: usize,
    /// Number of axes of the input.
    pub rank: usize,
    /// Mean and biased variance of the input; `None` if the layer used its moving statistics.
    pub batch: Option<Moments>,
    /// The same where they were asked for, whatever the layer used: see [`PassOptions::moments`].
    pub measured: Option<Moments>,
    /// The moving statistics after this pass.
    pub next: Moments,
}

/// Sub-batch size when no layer mixes images: small enough that a layer's values are still in the cache
/// when the next layer reads them.
const SUB_BATCH: usize = 8;

/// Runs `x`, `[N, H, W, C]`, through the model.
///
/// `proceed` is called before each layer with the number of layers done and the total; it returns false
/// to cancel.
///
/// # Errors
/// An input with another shape than the model takes, shapes inside the model that do not fit, a single
/// value a channel in PyTorch's training mode, too little memory, or cancellation.
pub fn run(
    model: &Model,
    x: &Tensor,
    options: &PassOptions<'_>,
    proceed: &dyn Fn(usize, usize) -> bool,
) -> Result<Pass, PassError> {
    run_segment(model, x, Segment::default(), options, proceed)
}

/// A part of the network: the nodes after `after`, whose value is the input, up to `until`, whose value
/// is the output.
#[derive(Clone, Copy, Debug, Default)]
pub struct Segment {
    /// `None`: start at the model's input.
    pub after: Option<NodeId>,
    /// `None`: end at the model's output.
    pub until: Option<NodeId>,
    /// The nodes up to this one run with their own outer `training` value.
    pub own_call: Option<(NodeId, Outer)>,
}

impl Segment {
    fn output(&self, graph: &Graph) -> NodeId {
        self.until.unwrap_or(graph.output)
    }
}

/// Like [`run`], for a part of the network. The nodes after `after` must depend on nothing before it: see
/// [`Graph::is_cut`].
///
/// # Errors
/// Those of [`run`].
pub fn run_segment(
    model: &Model,
    x: &Tensor,
    segment: Segment,
    options: &PassOptions<'_>,
    proceed: &dyn Fn(usize, usize) -> bool,
) -> Result<Pass, PassError> {
    if segment.after.is_none() {
        check_input(&model.graph, x)?;
    }
    let plan = Plan::new(&model.graph, options, segment, None);
    let images = x.dims().first().copied().unwrap_or(0);
    let mut layers = model.graph.layers.iter();
    // A penalty may compare the images of a batch, and moments are those of the whole batch.
    let whole =
        layers.any(|layer| layer.activity_regularizer.is_some()) || !options.moments.is_empty();
    let size = if whole || plan.mixes_images(&model.graph, options) {
        images
    } else {
        SUB_BATCH
    };
    let total = model.graph.nodes.len() * images.div_ceil(size);
    let mut passes = Vec::new();
    for first in (0..images).step_by(size) {
        let part = x.narrow(0, first, size.min(images - first));
        let part = part.and_then(|part| Array::of(&part)).map_err(input)?;
        let mut running = Executor::new(model, options, &plan, None);
        let done = passes.len() * model.graph.nodes.len();
        let output = walk(&mut running, part, segment, &|id| proceed(done + id, total))?;
        passes.push(finish(running, &output)?);
    }
    array::end_of_pass();
    concatenated(passes)
}

/// True if a photo's value depends on the others in its batch.
pub fn mixes_images(model: &Model, options: &PassOptions<'_>) -> bool {
    Plan::new(&model.graph, options, Segment::default(), None).mixes_images(&model.graph, options)
}

/// A forward pass that kept what the backward pass needs.
pub struct RecordedPass<'a> {
    pub pass: Pass,
    model: &'a Model,
    options: &'a PassOptions<'a>,
    plan: Plan,
    tape: Tape,
}

/// Like [`run_segment`], keeping what the gradients at the weights in `learning` need.
///
/// # Errors
/// Those of [`run`].
pub fn record<'a>(
    model: &'a Model,
    x: &Tensor,
    segment: Segment,
    options: &'a PassOptions<'a>,
    learning: Learning,
    proceed: &dyn Fn(usize) -> bool,
) -> Result<RecordedPass<'a>, PassError> {
    if segment.after.is_none() {
        check_input(&model.graph, x)?;
    }
    check_recorded(model, x.dims(), segment, options, &learning)?;
    let plan = Plan::new(&model.graph, options, segment, Some(&learning));
    let tape = Tape::new(&model.graph, learning);
    let mut running = Executor::new(model, options, &plan, Some(tape));
    let x = Array::of(x).map_err(input)?;
    let output = walk(&mut running, x, segment, proceed)?;
    let tape = running.tape.take();
    let pass = finish(running, &output)?;
    Ok(RecordedPass {
        pass,
        model,
        options,
        tape: tape.unwrap_or_else(|| Tape::new(&model.graph, Learning::new())),
        plan,
    })
}

impl RecordedPass<'_> {
    /// Runs the backward pass from the gradient at the output. Returns the forward pass and the gradients
    /// at those learning weights that the output depends on.
    ///
    /// `proceed` is called before each layer with the number of layers done.
    ///
    /// # Errors
    /// Too little memory, or cancellation.
    pub fn backward(
        self,
        output: &Tensor,
        proceed: &dyn Fn(usize) -> bool,
    ) -> Result<(Pass, WeightMap), PassError> {
        let backward = Backward::new(self.model, self.options, &self.plan, self.tape);
        let gradients = backward.run(output, proceed)?;
        array::end_of_pass();
        Ok((self.pass, gradients))
    }
}

#[allow(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn input(error: candle_core::Error) -> PassError {
    PassError::Layer {
        layer: "input".into(),
        reason: reason(&error),
    }
}

/// Runs every node of the segment in order; returns the output.
fn walk(
    running: &mut Executor<'_>,
    x: Array,
    segment: Segment,
    proceed: &dyn Fn(usize) -> bool,
) -> Result<Arc<Array>, PassError> {
    let graph = running.graph;
    let x = Arc::new(x);
    let first = segment.after.map_or(0, |after| after + 1);
    if let Some(after) = segment.after {
        running.values[after] = Some(Arc::clone(&x));
    }
    let output = segment.output(graph);
    let nodes = graph.nodes.iter().enumerate().take(output + 1);
    for (id, node) in nodes.skip(first) {
        if !proceed(id) {
            return Err(PassError::Cancelled);
        }
        running.step(id, &x).map_err(|error| PassError::Layer {
            layer: graph.layers[node.layer].name.clone(),
            reason: reason(&error),
        })?;
    }
    let output = running.values[output].take();
    output.ok_or_else(|| PassError::Layer {
        layer: "output".into(),
        reason: "it is never computed".into(),
    })
}

/// Converts the result of a pass to tensors.
fn finish(running: Executor<'_>, output: &Array) -> Result<Pass, PassError> {
    let taps = running.taps.into_iter().map(|(id, tap)| {
        let tap = tap.into_tap();
        tap.map(|tap| (id, tap))
    });
    Ok(Pass {
        output: output.tensor().map_err(input)?,
        taps: taps.collect::<candle_core::Result<_>>().map_err(input)?,
        batch_norm: running.batch_norm,
        activity_loss: running.activity_loss,
    })
}

/// Concatenates the results of sub-batches.
fn concatenated(mut passes: Vec<Pass>) -> Result<Pass, PassError> {
    let Some(mut whole) = (passes.len() == 1).then(|| passes.remove(0)).or_else(|| {
        passes.first().map(|first| Pass {
            output: first.output.clone(),
            taps: first.taps.clone(),
            batch_norm: first.batch_norm.clone(),
            activity_loss: 0.0,
        })
    }) else {
        return Err(PassError::Cancelled);
    };
    if passes.is_empty() {
        return Ok(whole);
    }
    let join = |parts: Vec<&Tensor>| Tensor::cat(&parts, 0).map_err(input);
    whole.output = join(passes.iter().map(|p| &p.output).collect())?;
    for (id, tap) in &mut whole.taps {
        let parts = || passes.iter().filter_map(|p| p.taps.get(id));
        tap.input = join(parts().map(|t| &t.input).collect())?;
        tap.output = join(parts().map(|t| &t.output).collect())?;
    }
    for (id, done) in &mut whole.batch_norm {
        let parts = passes.iter().filter_map(|p| p.batch_norm.get(id));
        done.n = parts.map(|p| p.n).sum();
    }
    Ok(whole)
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
