//! Optimizer steps on copies: the model itself stays as it is.

pub mod head;
pub mod loss;
pub mod movement;
pub mod network;
pub mod optimizer;
pub mod recipe;
pub mod save;
pub mod split;
pub mod summary;
pub mod trainer;

use candle_core::{Tensor, Var};

use crate::model::error::reason;
use crate::model::layers::Overrides;
use crate::model::pass::{Pass, PassOptions, run};
use crate::model::{LayerId, Model, PassError};

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

/// The derivatives of a loss with respect to every weight that learns.
#[derive(Debug)]
pub struct Gradients {
    pub loss: f32,
    /// The weights that learn, as they were in the pass.
    pub weights: Overrides,
    /// `dloss/dw` in the shape of each weight; absent where the loss does not depend on it.
    pub gradients: Overrides,
    pub pass: Pass,
}

/// The loss of one pass and its gradients: of every weight that learns under the flags and
/// semantics of `options`. `forward` runs the pass with the options it is given.
///
/// Gradients stop below the lowest weight that learns. `options.weights` is where it starts from.
///
/// # Errors
/// Those of the pass, and a loss that cannot be computed.
pub fn gradients(
    model: &Model,
    options: &PassOptions<'_>,
    forward: impl FnOnce(&PassOptions<'_>) -> Result<Pass, PassError>,
    loss: impl FnOnce(&Tensor) -> candle_core::Result<Tensor>,
) -> Result<Gradients, PassError> {
    let failed = |error: candle_core::Error| PassError::Layer {
        layer: "optimizer step".into(),
        reason: reason(&error),
    };
    let variables = variables(model, options).map_err(failed)?;
    let mut weights = options.weights.cloned().unwrap_or_default();
    weights.extend(
        variables
            .iter()
            .map(|(key, var)| (*key, var.as_tensor().clone())),
    );
    let pass = forward(&PassOptions {
        weights: Some(&weights),
        ..options.clone()
    })?;
    let value = loss(&pass.output).map_err(failed)?;
    let mut done = Gradients {
        loss: value.to_scalar::<f32>().map_err(failed)?,
        weights: Overrides::new(),
        gradients: Overrides::new(),
        pass,
    };
    let found = if variables.is_empty() {
        None
    } else {
        Some(value.backward().map_err(failed)?)
    };
    for (key, var) in &variables {
        if let Some(gradient) = found.as_ref().and_then(|g| g.get(var.as_tensor())) {
            done.gradients.insert(*key, gradient.clone());
        }
        done.weights.insert(*key, var.as_tensor().detach());
    }
    Ok(done)
}

/// One step of stochastic gradient descent without momentum: `w := w - rate * dloss/dw`, for every
/// weight that learns under the flags and semantics of `options`.
///
/// The forward pass runs as `options` say, so BatchNorm and dropout act by the same rules as in a
/// look. See [`gradients`].
///
/// # Errors
/// Those of [`gradients`].
pub fn sgd_step(
    model: &Model,
    x: &Tensor,
    options: &PassOptions<'_>,
    rate: f64,
    loss: impl Fn(&Tensor) -> candle_core::Result<Tensor>,
    proceed: &dyn Fn(usize, usize) -> bool,
) -> Result<Step, PassError> {
    let mut done = gradients(model, options, |o| run(model, x, o, proceed), loss)?;
    for (key, gradient) in &done.gradients {
        if let Some(weight) = done.weights.get_mut(key) {
            let moved = gradient.affine(-rate, 0.0).and_then(|d| weight.add(&d));
            *weight = moved.map_err(|error| PassError::Layer {
                layer: "optimizer step".into(),
                reason: reason(&error),
            })?;
        }
    }
    Ok(Step {
        loss: done.loss,
        weights: done.weights,
        pass: done.pass,
    })
}

/// Every weight that learns, as a variable of its own.
fn variables(
    model: &Model,
    options: &PassOptions<'_>,
) -> candle_core::Result<Vec<((LayerId, &'static str), Var)>> {
    let mut variables = Vec::new();
    for (id, layer) in model.graph.layers.iter().enumerate() {
        let effective = options
            .flags
            .effective(model, id, options.outer, options.semantics);
        if !effective.learns {
            continue;
        }
        for weight in layer.weights.iter().filter(|w| w.learnable) {
            let key = (id, weight.name);
            let other = options.weights.and_then(|w| w.get(&key));
            variables.push((key, Var::from_tensor(other.unwrap_or(&weight.tensor))?));
        }
    }
    Ok(variables)
}
