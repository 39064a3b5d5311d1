//! Optimizer steps on copies: the model itself stays as it is.

pub mod loss;

use candle_core::{Tensor, Var};

use crate::model::layers::kernel::{tensor, with_values};
use crate::model::layers::{Overrides, Weights};
use crate::model::pass::{Learning, Pass, PassOptions, record};
use crate::model::{Model, PassError};

/// What one optimizer step did.
#[derive(Debug)]
pub struct Step {
    /// Before the step.
    pub loss: f32,
    /// The weights after the step: those an optimizer may change under the flags.
    pub weights: Overrides,
    /// The forward pass the step was computed from.
    pub pass: Pass,
}

/// One step of stochastic gradient descent without momentum: `w := w - rate * dloss/dw`, for every
/// weight that learns under the flags and semantics of `options`.
///
/// The forward pass runs as `options` say, so BatchNorm and dropout act by the same rules as in a
/// look. Gradients stop below the lowest weight that learns. `options.weights` is what the step
/// starts from. `proceed` is called before each layer, on the way back too, with the number of
/// layers done and in all.
///
/// # Errors
/// Those of a pass, and a loss that cannot be computed.
pub fn sgd_step(
    model: &Model,
    x: &Tensor,
    options: &PassOptions<'_>,
    rate: f64,
    loss: impl Fn(&Tensor) -> candle_core::Result<Tensor>,
    proceed: &dyn Fn(usize, usize) -> bool,
) -> Result<Step, PassError> {
    let failed = |error: candle_core::Error| PassError::Layer {
        layer: "optimizer step".into(),
        reason: error.to_string(),
    };
    let learning = learning(model, options);
    let nodes = model.graph.nodes.len();
    let recorded = record(model, x, options, learning.clone(), &|done| {
        proceed(done, 2 * nodes)
    })?;
    let output = Var::from_tensor(&recorded.pass.output).map_err(failed)?;
    let value = loss(output.as_tensor()).map_err(failed)?;
    let number = value.to_scalar::<f32>().map_err(failed)?;
    let at_output = value.backward().map_err(failed)?;
    let (pass, gradients) = match at_output.get(output.as_tensor()) {
        Some(g) if !learning.is_empty() => {
            recorded.backward(g, &|done| proceed(nodes + done, 2 * nodes))?
        }
        _ => (recorded.pass, Overrides::new()),
    };
    let mut after = Overrides::new();
    for key in learning {
        let Some(old) = Weights::new(&model.graph, key.0, options.weights).get(key.1) else {
            continue;
        };
        let new = match gradients.get(&key) {
            Some(gradient) => moved(old, gradient, rate).map_err(failed)?,
            // The loss does not depend on this weight.
            None => old.clone(),
        };
        after.insert(key, new);
    }
    Ok(Step {
        loss: number,
        weights: after,
        pass,
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
fn learning(model: &Model, options: &PassOptions<'_>) -> Learning {
    let layers = model.graph.layers.iter().enumerate();
    let learning = layers.filter(|&(id, _)| {
        let effective = options
            .flags
            .effective(model, id, options.outer, options.semantics);
        effective.learns
    });
    let weights = learning.flat_map(|(id, layer)| {
        let learnable = layer.weights.iter().filter(|w| w.learnable);
        learnable.map(move |w| (id, w.name))
    });
    weights.collect()
}
