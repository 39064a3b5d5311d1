//! Training: optimizer steps and whole runs. Steps change copies of the weights, never the model.

pub mod head;
pub mod loss;
pub mod movement;
pub mod network;
pub mod optimizer;
mod penalties;
pub mod ranking;
pub mod recipe;
pub mod rows;
pub mod save;
pub mod split;
pub mod summary;
pub mod trainer;

use candle_core::{Tensor, Var};

use crate::model::error::reason;
use crate::model::layers::{WeightMap, Weights};
use crate::model::pass::{Learning, Pass, PassCache, PassOptions, Segment, record};
use crate::model::{Model, PassError};
use modelens_kernels::slices::{tensor, with_values};

/// What one step of stochastic gradient descent did.
#[derive(Debug)]
pub struct SgdStep {
    /// The loss before the step.
    pub loss: f32,
    /// The weights after the step, for every weight that learns.
    pub weights: WeightMap,
    /// The forward pass the step was computed from.
    pub pass: Pass,
}

/// The gradients of a loss with respect to every weight that learns.
#[derive(Debug)]
pub struct Gradients {
    /// With the penalties of regularizers.
    pub loss: f32,
    /// The weights that learn, as they were in the pass.
    pub weights: WeightMap,
    /// `dloss/dw` in the shape of each weight; absent where the loss does not depend on it.
    pub gradients: WeightMap,
    pub pass: Pass,
}

/// Computes the loss of one pass and its gradients, for every weight that learns under the flags and
/// semantics of `options`, in the part of the network that `segment` names.
///
/// The forward pass runs as `options` say, so BatchNorm and dropout act by the same rules as in any
/// other pass, from the weights in `options.weights`. The backward pass stops below the lowest weight
/// that learns. `proceed` is called before each layer of both passes, with the number of layers done
/// and in total.
///
/// # Errors
/// An error of the pass, or a loss that cannot be computed.
pub fn gradients(
    model: &Model,
    x: &Tensor,
    segment: Segment,
    options: &PassOptions<'_>,
    loss: impl FnOnce(&Tensor) -> candle_core::Result<Tensor>,
    proceed: &dyn Fn(usize, usize) -> bool,
) -> Result<Gradients, PassError> {
    let failed = |error: candle_core::Error| PassError::Layer {
        layer: "optimizer step".into(),
        reason: reason(&error),
    };
    let learning = learning(model, options);
    let nodes = model.graph.nodes.len();
    let recorded = record(model, x, segment, options, learning.clone(), &|done| {
        proceed(done, 2 * nodes)
    })?;
    let output = Var::from_tensor(&recorded.pass.output).map_err(failed)?;
    let value = loss(output.as_tensor()).map_err(failed)?;
    let penalty = penalties::weight_loss(model, options, &learning).map_err(failed)?
        + recorded.pass.activity_loss;
    let number = value.to_scalar::<f32>().map_err(failed)? + penalty as f32;
    let at_output = value.backward().map_err(failed)?;
    let (pass, mut gradients) = match at_output.get(output.as_tensor()) {
        Some(g) if !learning.is_empty() => {
            recorded.backward(g, &|done| proceed(nodes + done, 2 * nodes))?
        }
        _ => (recorded.pass, WeightMap::new()),
    };
    let weights = learning.into_iter().filter_map(|key| {
        let weight = Weights::new(&model.weights, key.0, options.weights).get(key.1)?;
        Some((key, weight.clone()))
    });
    let weights: WeightMap = weights.collect();
    penalties::add_gradients(model, &weights, &mut gradients).map_err(failed)?;
    Ok(Gradients {
        loss: number,
        weights,
        gradients,
        pass,
    })
}

/// Does one step of stochastic gradient descent without momentum: `w := w - rate * dloss/dw`, for
/// every weight that learns under the flags and semantics of `options`, and applies their constraints.
/// See [`gradients`]. The part of the network before the first of these weights runs from `passes`.
///
/// # Errors
/// As [`gradients`].
pub fn sgd_step(
    passes: &mut PassCache<'_>,
    options: &PassOptions<'_>,
    rate: f64,
    loss: impl FnOnce(&Tensor) -> candle_core::Result<Tensor>,
    proceed: &dyn Fn(usize, usize) -> bool,
) -> Result<SgdStep, PassError> {
    let model = passes.model;
    let start = passes.start(options, &learning(model, options), proceed)?;
    let segment = Segment {
        after: start.as_ref().map(|(after, _)| *after),
        ..Segment::default()
    };
    let x = start.as_ref().map_or(passes.x, |(_, pass)| &pass.output);
    let graph = &model.graph;
    let shared = passes.unknown_start(options);
    let tap = shared.filter(|&until| until != graph.output);
    let tap = tap.map(|until| graph.nodes[until].layer);
    let tapped = PassOptions {
        taps: tap.as_slice(),
        ..options.clone()
    };
    let mut done = gradients(model, x, segment, &tapped, loss, proceed)?;
    if let Some((_, start)) = &start {
        done.loss += start.activity_loss as f32;
        done.pass = done.pass.following(start);
    }
    if let Some(until) = shared {
        passes.keep(until, options, &done.pass);
    }
    let failed = |error: candle_core::Error| PassError::Layer {
        layer: "optimizer step".into(),
        reason: reason(&error),
    };
    for (key, gradient) in &done.gradients {
        if let Some(weight) = done.weights.get_mut(key) {
            *weight = moved(weight, gradient, rate).map_err(failed)?;
        }
    }
    penalties::constrain(model, &mut done.weights).map_err(failed)?;
    Ok(SgdStep {
        loss: done.loss,
        weights: done.weights,
        pass: done.pass,
    })
}

/// `w - rate * gradient`.
fn moved(w: &Tensor, gradient: &Tensor, rate: f64) -> candle_core::Result<Tensor> {
    let rate = rate as f32;
    let values = with_values(w, |w| {
        with_values(gradient, |g| {
            Ok(w.iter().zip(g).map(|(w, g)| w - g * rate).collect())
        })
    })?;
    tensor(values, w.shape())
}

/// Every weight that learns.
pub(crate) fn learning(model: &Model, options: &PassOptions<'_>) -> Learning {
    let layers = model.graph.layers.iter().enumerate();
    let learning =
        layers.filter(|&(id, _)| options.flags.learns(&model.graph, id, options.semantics));
    let weights = learning.flat_map(|(id, layer)| {
        let learnable = layer.weights.iter().filter(|w| w.learnable);
        learnable.map(move |w| (id, w.name))
    });
    weights.collect()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use candle_core::Device;

    use super::*;
    use crate::fixtures;
    use crate::model::{Flags, Mode};

    #[test]
    fn a_pass_goes_on_from_a_step_that_began_like_it() {
        let model = fixtures::lab_mobilenetv2();
        let values: Vec<f32> = (0..2 * 160 * 160 * 3).map(|i| (i % 251) as f32).collect();
        let x = Tensor::from_vec(values, (2, 160, 160, 3), &Device::Cpu).unwrap();
        let mut flags = Flags::of_file(&model.graph);
        flags.set_base(&model.graph, true);
        let options = PassOptions::of(&model, &flags, Mode::Training);
        let mut passes = PassCache::new(&model, &x);
        let drawing = PassOptions {
            random: true,
            ..options.clone()
        };
        // Without its own augmentation, which draws at the very start, nothing before dropout does.
        let options = PassOptions {
            outer: Mode::Inference.into(),
            ..options
        };
        let drawing = PassOptions {
            outer: Mode::Inference.into(),
            ..drawing
        };
        let loss = |y: &Tensor| loss::cross_entropy(y, &[0, 1], true);
        sgd_step(&mut passes, &drawing, 0.01, loss, &|_, _| true).unwrap();
        let ran = Cell::new(0);
        let pass = passes.run(&options, &|_, _| {
            ran.set(ran.get() + 1);
            true
        });
        assert!(ran.get() < model.graph.nodes.len() / 10, "it ran again");
        let plain = crate::model::pass::run(&model, &x, &options, &|_, _| true).unwrap();
        let rows = |pass: Pass| pass.output.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        for (a, b) in rows(pass.unwrap()).into_iter().zip(rows(plain)) {
            assert!((a - b).abs() < 1e-5, "{a} {b}");
        }
    }
}
