//! Optimizer steps on copies: the model itself stays as it is.

pub mod loss;

use candle_core::{Tensor, Var};

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

/// One step of stochastic gradient descent without momentum: `w := w - rate * dloss/dw`, for every
/// weight that learns under the flags and semantics of `options`.
///
/// The forward pass runs as `options` say, so BatchNorm and dropout act by the same rules as in a
/// look. Gradients stop below the lowest weight that learns. `options.weights` is what the step
/// starts from.
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
    let variables = variables(model, options).map_err(failed)?;
    let mut weights = options.weights.cloned().unwrap_or_default();
    weights.extend(
        variables
            .iter()
            .map(|(key, var)| (*key, var.as_tensor().clone())),
    );
    let pass = run(
        model,
        x,
        &PassOptions {
            weights: Some(&weights),
            ..options.clone()
        },
        proceed,
    )?;
    let value = loss(&pass.output).map_err(failed)?;
    let number = value.to_scalar::<f32>().map_err(failed)?;
    let gradients = if variables.is_empty() {
        None
    } else {
        Some(value.backward().map_err(failed)?)
    };
    let mut after = Overrides::new();
    for (key, var) in &variables {
        let old = var.as_tensor();
        let new = match gradients.as_ref().and_then(|g| g.get(old)) {
            Some(gradient) => gradient
                .affine(-rate, 0.0)
                .and_then(|d| old.add(&d))
                .map_err(failed)?,
            // The loss does not depend on this weight.
            None => old.clone(),
        };
        after.insert(*key, new.detach());
    }
    Ok(Step {
        loss: number,
        weights: after,
        pass,
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
