//! Keras' regularizers and constraints of weights, in the loss and in the steps.

use candle_core::{Result, Tensor};

use crate::model::graph::Weight;
use crate::model::layers::{WeightMap, Weights};
use crate::model::pass::{Learning, PassOptions};
use crate::model::{LayerId, Model};
use crate::rules::Semantics;

/// The penalties on the weights. Keras 2 adds those of frozen weights to the loss too; Keras 3 does not.
///
/// # Errors
/// A weight that cannot be read.
pub fn weight_loss(model: &Model, options: &PassOptions<'_>, learning: &Learning) -> Result<f64> {
    let mut loss = 0.0;
    for (id, layer) in model.graph.layers.iter().enumerate() {
        for weight in &layer.weights {
            let counts =
                options.semantics == Semantics::Keras2 || learning.contains(&(id, weight.name));
            let Some(regularizer) = weight.regularizer.filter(|_| counts) else {
                continue;
            };
            let values = Weights::new(&model.weights, id, options.weights).need(weight.name)?;
            let values = values.flatten_all()?.to_vec1::<f32>()?;
            loss += regularizer.loss(&values, &weight.shape);
        }
    }
    Ok(loss)
}

/// Adds the gradients of the penalties to those of the loss.
///
/// # Errors
/// A weight that cannot be read.
pub fn add_gradients(model: &Model, weights: &WeightMap, gradients: &mut WeightMap) -> Result<()> {
    for (key, tensor) in weights {
        let regularizer = described(model, *key).and_then(|weight| weight.regularizer);
        let Some(regularizer) = regularizer else {
            continue;
        };
        let values = tensor.flatten_all()?.to_vec1::<f32>()?;
        let own = regularizer.gradient(&values, tensor.dims());
        let own = Tensor::from_vec(own, tensor.shape(), tensor.device())?;
        let sum = match gradients.get(key) {
            Some(gradient) => gradient.add(&own)?,
            None => own,
        };
        gradients.insert(*key, sum);
    }
    Ok(())
}

/// Applies the constraints to the weights that a step has changed.
///
/// # Errors
/// A weight that cannot be read.
pub fn constrain(model: &Model, stepped: &mut WeightMap) -> Result<()> {
    for (key, tensor) in stepped {
        let constraint = described(model, *key).and_then(|weight| weight.constraint.as_ref());
        if let Some(constraint) = constraint {
            *tensor = constraint.applied(tensor)?;
        }
    }
    Ok(())
}

fn described<'a>(model: &'a Model, key: (LayerId, &str)) -> Option<&'a Weight> {
    let (layer, name) = key;
    let weights = &model.graph.layers.get(layer)?.weights;
    weights.iter().find(|weight| weight.name == name)
}
